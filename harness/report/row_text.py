"""A row of the summary or of the changes as a cell of a table says it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from harness.contracts import Result
from harness.decide import measures
from harness.report import markdown, wording
from harness.store import queries


def way(result: Result, language: str) -> str:
    """ "De audio a texto": what the user's own operation does; so too for an unknown family."""
    found = measures.family(result)
    takes, gives = (found.takes, found.gives) if found is not None else ("audio", ("text",))
    return wording.way(takes, gives, language)


def shown(row: Mapping[str, Any] | None, language: str) -> str:
    """A row of the summary with its bounds and unit; a dash without one."""
    return markdown.estimate(queries.bounds(row), str(row["unit"]) if row else "", language)


def difference(result: Result, line: queries.Line, where: tuple[str, str], language: str) -> str:
    """(data set, metric) of a line against the baseline, paired; a dash where it was not."""
    cell = {"variant": line.variant, "session": line.session, "workload": where[0]}
    row = queries.row(result.changes, stage="quality", **cell, metric=where[1])
    if row is None:
        return markdown.UNKNOWN
    values = (float(row["delta"]), float(row["delta_low"]), float(row["delta_high"]))
    known = queries.row(result.summary, stage="quality", **cell, metric=where[1])
    return markdown.estimate(values, str(known["unit"]) if known else "", language, difference=True)


def against(result: Result, line: queries.Line, where: tuple[str, str], language: str) -> str:
    """(data set, metric) over the baseline's; a share or an opinion minus it. A dash for the
    baseline itself, and where it was not compared."""
    cell = {"variant": line.variant, "session": line.session, "workload": where[0]}
    row = queries.row(result.changes, stage="quality", **cell, metric=where[1])
    if row is None or measures.by_difference(where[1]) or math.isnan(row["ratio"]):
        return difference(result, line, where, language)
    values = (float(row["ratio"]), float(row["ratio_low"]), float(row["ratio_high"]))
    return markdown.estimate(values, "ratio", language)
