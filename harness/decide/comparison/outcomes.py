"""Rows -> outcomes: regression, improvement, unchanged or undecided, with many rows in mind.

Holm's correction is applied to families of rows on their own: what the models say (texts), what
they cost (times), and apart from these the baseline's times, which are the machine's drift. In a
comparison of two equal runs each family calls some row different in at most 5 % of cases. A cost
must besides lie, with its whole interval, beyond what the A/A twins say the machine can tell apart
(as in criterion.rs, whose threshold is a constant).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from harness.decide import stats
from harness.decide.comparison.rows import Alone, Row
from harness.decide.resolution import Resolution

LEVEL = 0.05
# A build writes its versions into a file: some bytes more are no regression.
EXACT_NOISE = 0.001
LOST = 0.01  # share of calls without a result from which on a cell is not judged

REGRESSION, IMPROVEMENT = "regression", "improvement"
UNCHANGED, UNDECIDED = "unchanged", "undecided"
DRIFT, STEADY = "drift", "steady"  # of the control, which nothing is held against
# reasons for which nothing could have been decided, however large the change
POWERLESS = ("few", "broken", "constant", "peak", "control", "twin", "failed")


def decided(rows: Sequence[Row], controlled: bool, wants_control: bool) -> list[Row]:
    """The rows with corrected p values, outcomes and why they are undecided.

    `controlled`: the times are divided by a baseline that both runs measured; `wants_control`:
    without one, no time is judged.
    """
    corrected = _corrected(rows)
    free = controlled or not wants_control
    out = []
    for row in corrected:
        outcome, why = _outcome(row, free)
        out.append(replace(row, outcome=outcome, why=why))
    return out


def exit_code(rows: Sequence[Row], alone: Sequence[Alone]) -> int:
    """1 where something got worse, also by not working any more; 3 where no row could be judged."""
    broken = any(one.missing_in == "after" and one.error for one in alone)
    if broken or any(row.outcome == REGRESSION for row in rows):
        return 1
    return 0 if any(judged(row) for row in rows) else 3


def undecidable(row: Row) -> bool:
    """Whether no change of the row, however large, would have been called one."""
    return row.outcome == UNDECIDED and row.why in POWERLESS


def judged(row: Row) -> bool:
    """Whether a large enough change of the row would have been called better or worse."""
    return not row.control and not undecidable(row)


def _corrected(rows: Sequence[Row]) -> list[Row]:
    out = list(rows)
    for family in (("text", False), ("time", False), ("time", True)):
        places = [i for i, row in enumerate(rows) if (row.kind, row.control) == family]
        for place, p in zip(places, stats.holm([rows[i].p for i in places]), strict=True):
            out[place] = replace(rows[place], p=p)
    return out


def _outcome(row: Row, free: bool) -> tuple[str, str]:
    if row.control and not row.change.why:
        return (DRIFT, "") if row.p <= LEVEL else (STEADY, "")
    if row.failed[1] > LOST >= row.failed[0]:
        return REGRESSION, "failed"
    unknown = _unknown(row, free)
    if unknown:
        return UNDECIDED, unknown
    band = _band(row)
    if row.kind == "exact" or row.p <= LEVEL:
        side = Resolution(band, row.nothing).whole(row.change.low, row.change.high)
        if side != "same":
            worse = side == ("less" if row.better == "higher" else "more")
            return (REGRESSION if worse else IMPROVEMENT), ""
    return _not_apart(row, band)


def _unknown(row: Row, free: bool) -> str:
    """Why no change of this row could be called one; "" where it could."""
    if max(row.failed) > LOST:
        return "failed"
    if row.change.why:
        return row.change.why
    if row.kind != "time":
        return ""
    if not free:
        return "control"
    return "twin" if math.isinf(row.noise) else ""


def _band(row: Row) -> float:
    if row.kind == "exact":
        return EXACT_NOISE
    return row.noise if row.kind == "time" else 0.0


def _not_apart(row: Row, band: float) -> tuple[str, str]:
    reach = row.margin if row.kind == "text" and row.margin > 0 else band
    low, high = row.change.low - row.nothing, row.change.high - row.nothing
    if low == high == 0 or (low >= -reach and high <= reach):
        return UNCHANGED, ""
    return UNDECIDED, "within noise" if row.p <= LEVEL else "not significant"
