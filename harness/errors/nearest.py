"""The nearest of the known names, for the end of a line about a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def nearest(name: str, known: Sequence[str], noun: str = "There is", *, cutoff: float = 0.6) -> str:
    """What ends a line about a wrong name: the nearest known one, then all of them."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=cutoff)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"{hint} {noun}: {', '.join(known) or 'none'}."
