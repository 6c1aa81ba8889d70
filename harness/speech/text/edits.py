"""How far apart two normalised texts are, as jiwer counts it."""

from __future__ import annotations

from rapidfuzz.distance import Levenshtein


def word_edits(reference: str, text: str) -> tuple[int, int]:
    """(substitutions + deletions + insertions, reference words), as jiwer counts them.

    Both texts normalised: words are what white space separates.
    """
    words = reference.split()
    if reference == text:
        return 0, len(words)
    return Levenshtein.distance(words, text.split()), len(words)


def character_edits(reference: str, text: str) -> tuple[int, int]:
    """(edits, reference characters), spaces counted as jiwer does. Both texts normalised."""
    if reference == text:
        return 0, len(reference)
    return Levenshtein.distance(reference, text), len(reference)
