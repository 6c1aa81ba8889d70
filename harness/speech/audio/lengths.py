"""Real speech cut to exact lengths, or joined to them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from harness.errors import AudioError

Clip = tuple[str, np.ndarray]  # (id, samples)


def cut(samples: np.ndarray, rate: int, seconds: float) -> np.ndarray:
    """The first `seconds` of the samples, exactly. Raises: AudioError where there are fewer."""
    wanted = round(seconds * rate)
    if len(samples) < wanted:
        raise AudioError(f"{len(samples) / rate:.1f} s of audio cannot be cut to {seconds:g} s.")
    return samples[:wanted]


def lengths(clips: Iterable[Clip], seconds: float, rate: int, count: int) -> list[Clip]:
    """`count` pieces of real speech of exactly `seconds`, each from another clip where possible.

    A clip that is long enough gives its beginning. Where there are too few of those, the shorter
    clips are joined one after the other, and the id says so ("a+b+c"); the walk over them goes on
    from piece to piece, so that pieces differ as long as the speech lasts.

    Raises: AudioError where all clips together are shorter than `seconds`.
    """
    wanted = max(1, round(seconds * rate))
    out: list[Clip] = []
    short: list[Clip] = []
    kept = 0
    for name, samples in clips:
        if len(samples) >= wanted:
            out.append((name, samples[:wanted]))
        elif kept < wanted * count:  # no more than could be joined
            short.append((name, samples))
            kept += len(samples)
        if len(out) == count:
            return out
    if kept < wanted and not out:
        raise AudioError(f"there are only {kept / rate:.1f} s of speech; {seconds:g} s are needed.")
    # none of the speech twice: pieces that share a clip are not two pieces
    pieces = min(count - len(out), kept // wanted)
    return out + _joined(short, wanted, pieces)


def _joined(clips: list[Clip], wanted: int, count: int) -> list[Clip]:
    """Pieces of `wanted` samples, each made of whole clips in a row but for the last one's end."""
    out, place = [], 0
    for _ in range(count):
        names: list[str] = []
        parts: list[np.ndarray] = []
        missing = wanted
        while missing > 0:
            name, samples = clips[place % len(clips)]
            names.append(name)
            parts.append(samples[:missing])
            missing -= len(parts[-1])
            place += 1
        out.append(("+".join(names), np.concatenate(parts)))
    return out
