"""What metrics, purposes of an approval and verdicts are called, in each language."""

from __future__ import annotations

from pathlib import PurePosixPath

from harness.report import words

METRICS = words.table("metric_names", "metrics")


def stem(name: str) -> str:
    """A metric's name without the folder and the ending of a file of the user's own."""
    return PurePosixPath(name).stem if name.endswith(".py") else name


# what an approval is for (`purpose:` of an experiment)
PURPOSES = words.table("metric_names", "purposes")

VERDICTS = words.table("metric_names", "verdicts")
