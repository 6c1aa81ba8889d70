"""What a row says beside the clip, its transcript and its speaker: short texts by column."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from harness.errors.limits import LABEL_CHARACTERS


def labels(row: Mapping[str, Any], used: Collection[str]) -> dict[str, str]:
    """The row's other columns, each as one line; lists and objects say nothing that can be shown.

    `used`: columns that are something else already. A text that is longer than LABEL_CHARACTERS
    is cut, which its end shows.
    """
    return {
        label(name): label(value)
        for name, value in row.items()
        if name not in used and (value is None or isinstance(value, str | int | float))
    }


def named(columns: Iterable[str], used: Collection[str]) -> tuple[str, ...]:
    """What `labels` would call these columns."""
    return tuple(label(name) for name in columns if name not in used)


def label(value: Any) -> str:
    """A value as one printable line; "" for what says nothing."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    plain = " ".join(str(value).encode("utf-8", "replace").decode().split())
    plain = "".join(sign if sign.isprintable() else "?" for sign in plain)
    return plain if len(plain) <= LABEL_CHARACTERS else f"{plain[: LABEL_CHARACTERS - 1]}…"
