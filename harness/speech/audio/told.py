"""What a container tells of its audio, held against the bytes that are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SLACK_BYTES = 64  # by which writers miscount: their own header, a last block, a pad byte


@dataclass(frozen=True)
class Stretch:
    """A stretch of bytes that is a file of its own, once `before` stands before it."""

    first: int
    last: int
    before: bytes = b""


@dataclass(frozen=True)
class Hearing:
    """`problem`: why it must not be heard, in words that follow the clip's name; "" for none.

    `pieces`: what is heard one after the other (chained Ogg streams, joined MP3s), empty for the
    clip as it is. `exact`: whether the length that libsndfile tells is the header's, and no guess.
    `patches`: place -> bytes that its header should have there, for libsndfile to hear it whole.
    """

    problem: str = ""
    pieces: tuple[Stretch, ...] = ()
    exact: bool = True
    patches: Mapping[int, bytes] | None = None


def cut_short(what: str) -> Hearing:
    """A clip that ends before its end."""
    return Hearing(f"is cut short: {what}.")
