"""The candidate against each other variant, as the table `versus` has it (rivals.py makes it);
which variants could not be made, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.contracts import Result
from harness.decide.measures import Measure, better
from harness.decide.resolution import Bounds
from harness.store import queries

ALTERNATIVES, SELECTION = "alternatives", "selection"  # what a row is for
LACKING = "not measured"


@dataclass(frozen=True)
class Compared:
    """One metric of the candidate and of another variant.

    `change`: (value, low, high) of the candidate minus the other for shares and opinions
    (`difference`), over the other for times and sizes; paired, 95 %. `reads` is about the other
    one: better | worse | same | unknown (no interval for want of samples).
    """

    measure: Measure
    candidate: float
    other: float
    change: Bounds
    difference: bool
    reads: str


def compared(result: Result, other: queries.Line) -> list[Compared]:
    """Every metric by which the candidate was told from another variant. A metric that one of the
    two lacks is left out (see `lacking`)."""
    return [
        Compared(
            _measure(result, row),
            row["candidate_value"],
            row["value"],
            (row["change"], row["low"], row["high"]),
            row["scale"] == "difference",
            row["reads"],
        )
        for row in _rows(result, other)
        if row["reads"] != LACKING
    ]


def lacking(result: Result, other: queries.Line) -> list[Measure]:
    """The metrics that the candidate has, and another variant does not."""
    return [_measure(result, row) for row in _rows(result, other) if row["reads"] == LACKING]


def tied(result: Result, variant: str) -> bool:
    """Whether a variant cannot be told from the candidate by what that one was selected by."""
    row = queries.row(result.versus, variant=variant, purpose=SELECTION)
    return row is not None and bool(row["reads"] == "same")


def _rows(result: Result, other: queries.Line) -> list[dict[str, Any]]:
    where = {"variant": other.variant, "session": other.session, "purpose": ALTERNATIVES}
    return queries.records(queries.rows(result.versus, **where))


def _measure(result: Result, row: dict[str, Any]) -> Measure:
    place = (row["metric"], row["stage"], row["workload"], row["unit"])
    return Measure(*place, better(result, row["metric"]))


# ---------------------------------------- variants that could not be made
def broken(result: Result) -> dict[str, str]:
    """Variant -> the first clause of why it could not be made."""
    failed = result.variants[result.variants["error"] != ""]
    return {str(row["variant"]): clause(str(row["error"])) for row in queries.records(failed)}


def clause(error: str) -> str:
    """ "x.onnx: nothing was quantized: asked for ..." as "nothing was quantized"."""
    file, _, rest = error.partition(": ")
    text = rest if rest and " " not in file else error
    for end in (": ", "; ", ". "):
        text = text.partition(end)[0]
    return text.rstrip(".")
