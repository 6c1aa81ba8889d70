"""Calls -> scores -> summary -> changes against the baseline: pure functions of tables."""

from harness.decide.scoring.changes import changes
from harness.decide.scoring.estimates import compare, estimate, of_texts
from harness.decide.scoring.nearness import Nearness
from harness.decide.scoring.scores import Scored, heard, scored, scores, workload
from harness.decide.scoring.sessions import chosen, confirm, ratios_of, ratios_so_far, sweep
from harness.decide.scoring.summary import summary
from harness.decide.scoring.transcripts import changed, matched_segments

__all__ = [
    "Nearness",
    "Scored",
    "changed",
    "changes",
    "chosen",
    "compare",
    "confirm",
    "estimate",
    "heard",
    "matched_segments",
    "of_texts",
    "ratios_of",
    "ratios_so_far",
    "scored",
    "scores",
    "summary",
    "sweep",
    "workload",
]
