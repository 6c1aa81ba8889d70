"""Names that a reader could not tell apart."""

from __future__ import annotations

import unicodedata

from harness.io.escaping.signs import spelt, unseen


def disguised(name: str) -> str:
    """What makes a name unfit for a table: "" or the first sign in it that cannot be seen."""
    found = next((sign for sign in name if unseen(sign) or sign in "\u2028\u2029"), "")
    return spelt(found) if found else ""


def folded(name: str) -> str:
    """What is left of a name without case, compatibility forms and doubled spaces: two names with
    the same rest are taken for one another."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
