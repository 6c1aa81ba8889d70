"""Calls -> scores -> summary -> changes against the baseline: pure functions of tables."""

from harness.scoring.changes import changed, changes, resolution
from harness.scoring.estimates import compare, estimate
from harness.scoring.scores import scores, workload
from harness.scoring.sessions import chosen, confirm, sweep
from harness.scoring.summary import summary

__all__ = [
    "changed",
    "changes",
    "chosen",
    "compare",
    "confirm",
    "estimate",
    "resolution",
    "scores",
    "summary",
    "sweep",
    "workload",
]
