"""One thing that the doctor found: what, why it disturbs a measurement, what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["warning", "note"]


@dataclass(frozen=True)
class Finding:
    """`name` is short and stays the same, for scripts; the rest are sentences for people.

    A warning makes figures wrong or undecidable and can be mended; a note is worth knowing.
    """

    name: str
    severity: Severity
    what: str
    why: str
    mend: str


def warning(name: str, what: str, why: str, mend: str) -> Finding:
    return Finding(name, "warning", what, why, mend)


def note(name: str, what: str, why: str, mend: str) -> Finding:
    return Finding(name, "note", what, why, mend)
