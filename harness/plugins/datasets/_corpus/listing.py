"""Rows of a table as utterances, parsed when they are asked for; what all of them amount to."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from harness.contracts import Utterance
from harness.io.hashes import Hashes
from harness.plugins.datasets._corpus.places import RowPlaces, read_all, read_one

_LONGEST = 120  # letters of a row's name
_NUMBERED = re.compile(r"#\d+$|^line \d+$|^row-\d+$")
Parse = Callable[[str, int], Utterance]  # (text of the row, its place among the used ones)


@dataclass(frozen=True, eq=False)
class Listing(Sequence[Utterance]):
    """The used rows of a table; 16 bytes are kept for each, besides what `parse` needs."""

    path: Path
    places: RowPlaces
    parse: Parse

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> Utterance: ...
    @overload
    def __getitem__(self, index: slice) -> list[Utterance]: ...
    def __getitem__(self, index: int | slice) -> Utterance | list[Utterance]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        row = range(len(self))[index]
        return self.parse(read_one(self.path, self.places, row), row)

    def __iter__(self) -> Iterator[Utterance]:
        for row, text in enumerate(read_all(self.path, self.places)):
            yield self.parse(text, row)


def key(text: str) -> int:
    """64 bits that stand for a text, the same on every machine."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def keys(texts: Iterable[str]) -> np.ndarray:
    """The key of each text, int64: eight bytes where a set of the texts would take a hundred."""
    return np.fromiter((key(text) for text in texts), np.int64)


def times(found: np.ndarray) -> np.ndarray:
    """How many times each key was there up to its own place: 1, or 2, 3 ... for a repeated one.

    Two of a million different texts have the same key of 64 bits with a chance of
    1e12 / 2 / 2**64 = 3e-8.
    """
    order = np.argsort(found, kind="stable").astype(np.int32)
    first = np.arange(len(found), dtype=np.int32)  # in order: where the run of its key begins
    ranked = found[order]
    first[1:][ranked[1:] == ranked[:-1]] = 0
    np.maximum.accumulate(first, out=first)
    out = np.empty(len(found), np.int32)
    out[order] = np.arange(1, len(found) + 1, dtype=np.int32) - first
    return out


def is_there(clip: Path) -> bool:
    """Whether the clip is a file; a name that no file can have is none."""
    try:
        return clip.is_file()
    except (OSError, ValueError):
        return False


def found(clip: Path) -> Path | None:
    """The clip's file, whichever way its accents are composed in the table and on the disk."""
    if is_there(clip):
        return clip
    if str(clip).isascii():
        return None
    others = (clip.parent / unicodedata.normalize(form, clip.name) for form in ("NFC", "NFD"))
    return next((other for other in others if is_there(other)), None)


def composed(text: str) -> str:
    """The text in one form, for names that are compared."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def shown(stem: str) -> str:
    """A clip's name as the name of a row: composed, printable, not longer than a line."""
    plain = "".join(sign if sign.isprintable() else "?" for sign in composed(stem))
    plain = plain.encode("utf-8", "replace").decode()
    if len(plain) <= _LONGEST:
        return plain
    return f"{plain[:_LONGEST]}-{hashlib.sha256(plain.encode()).hexdigest()[:8]}"


def numbered(name: str, times: int) -> str:
    """The name of a row, which no other row has: `times` is how many rows had it up to this one. A
    name that reads as if it was numbered gets a number even when it is the first."""
    return f"{name}#{times}" if times > 1 or _NUMBERED.search(name) else name


@dataclass(frozen=True)
class Stock:
    """What the used utterances amount to."""

    fingerprint: str  # SHA-256 over ids, texts, speakers, sentences, errors and clips
    clips: str  # SHA-256 over the clips' names, one per line
    left_out: int  # utterances with an error


def stock(utterances: Sequence[Utterance], lengths: bool = False) -> Stock:
    """One walk over the utterances. Each clip counts with all its bytes, so that the fingerprint is
    the same on every machine that has them; they are read once, and again when a clip changes.
    With `lengths`, so does how long each is said to last, where that is known.
    """
    digest, names, left_out = hashlib.sha256(), hashlib.sha256(), 0
    with Hashes() as hashes:
        for one in utterances:
            left_out += bool(one.error)
            for text in (one.id, one.text, one.speaker, one.sentence, one.error):
                digest.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
            digest.update(_content(one.audio, hashes))
            if lengths and one.seconds == one.seconds:
                digest.update(repr(float(one.seconds)).encode())
            name = one.audio.name if isinstance(one.audio, Path) else one.id
            names.update(name.encode("utf-8", "surrogatepass") + b"\n")
    return Stock(digest.hexdigest(), names.hexdigest(), left_out)


def _content(clip: Path | bytes | None, hashes: Hashes) -> bytes:
    """SHA-256 of what the clip holds."""
    if not isinstance(clip, Path):
        return hashlib.sha256(clip or b"").digest()
    try:
        return bytes.fromhex(hashes.of(clip))
    except OSError:
        return hashlib.sha256(b"unreadable").digest()  # decoding it will say why, in its own row
