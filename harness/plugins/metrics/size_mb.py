"""All files of a variant on disk, in MB (10^6 bytes)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.contracts import Metric


def of_variant(row: Mapping[str, Any]) -> float:
    """NaN for a model that runs elsewhere: it has no files here."""
    return float(row["size_bytes"]) / 1e6 if row["size_bytes"] else float("nan")


metric = Metric(
    unit="MB",
    better="lower",
    of_variant=of_variant,
    kind="size",
    title={"en": "Size", "es": "Tamaño"},
)
