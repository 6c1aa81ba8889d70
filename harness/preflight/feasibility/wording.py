"""A forecast as plain aligned text."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from harness.preflight.feasibility.budget import BudgetPlan, StageCost
from harness.preflight.feasibility.gates import Decidability
from harness.preflight.feasibility.targets import Contradiction

WIDTH = 100
MARK = "!"
STATES = {"yes": "yes", "no": f"{MARK} no", "unknown": "maybe", "?": "unknown"}


def undecidable(finding: Decidability) -> str:
    """One line on a gate that the budget cannot decide."""
    return (
        f"{finding.gate}: cannot be decided within the budget,"
        f" needs {_count(finding.calls_needed)}, {_count(finding.calls_fit)} fit: {finding.why}"
    )


def plan(minutes: float, plan: BudgetPlan) -> list[str]:
    """The stages and what they take."""
    rows: list[tuple[str, ...]] = [("plan", "cells", "calls", "minutes", "")]
    rows += [_stage(stage) for stage in plan.stages]
    whole = plan.seconds / 60
    over = f"budget {minutes:g} minutes"
    if whole > minutes * 1.05:
        over += f"; {MARK} longer than the budget: utterances and an audit are never cut"
    rows.append(("in all", "", "", _minutes(whole), over))
    told = [f"  a call's time: {source}" for source in plan.sources]
    if not math.isnan(plan.gain):
        told.append(
            f"  a sweep of this size names a gain of {plan.gain:.0%} or more four times in five"
        )
    return [*_aligned(rows, "<>>><"), *told]


def _stage(stage: StageCost) -> tuple[str, ...]:
    cut = f"cut to {stage.fits / 60:.1f} by the budget" if stage.seconds > stage.fits else ""
    return (
        stage.name,
        str(stage.cells),
        _count(stage.calls),
        _minutes(stage.seconds / 60),
        cut,
    )


def gates(findings: Sequence[Decidability], limits: Mapping[str, str]) -> list[str]:
    """A row for each gate."""
    if not findings:
        return []
    rows = [("gate", "limit", "decidable", "needs", "fit", "minutes", "why")]
    for one in findings:
        mark = STATES["?" if math.isnan(one.calls_needed) else one.decidable]
        figures = (*_counts(one), _minutes(one.minutes_needed)) if one.calls_needed else ("-",) * 3
        rows.append((one.gate, limits.get(one.gate, ""), mark, *figures, one.why))
    return ["", *_aligned(rows, "<<<>>><")]


def _counts(finding: Decidability) -> tuple[str, str]:
    return _count(finding.calls_needed), _count(finding.calls_fit)


def questions(asked: Sequence[str]) -> list[str]:
    """What the gates leave unasked."""
    found = [""] if asked else []
    for one in asked:
        found += textwrap.wrap(f"  {MARK} {one}.", WIDTH, subsequent_indent="    ")
    return found


def warnings(warnings: Sequence[Contradiction]) -> list[str]:
    """A warning for each target beyond what is known."""
    found = [""] if warnings else []
    for one in warnings:
        text = f"  {MARK} {one.target}: {one.text}. Source: {one.source}"
        found += textwrap.wrap(text, WIDTH, subsequent_indent="    ", break_long_words=False)
    return found


def _aligned(rows: Iterable[tuple[str, ...]], align: str) -> list[str]:
    """Columns two spaces apart; the last one folds below itself."""
    table = list(rows)
    widths = [max(len(row[at]) for row in table) for at in range(len(align) - 1)]
    out = []
    for row in table:
        cells = [
            f"{text:{way}{width}}" for text, way, width in zip(row, align, widths, strict=False)
        ]
        head = "  " + "  ".join(cells)
        folded = textwrap.wrap(row[-1], max(20, WIDTH - len(head) - 2)) or [""]
        out.append(f"{head}  {folded[0]}".rstrip())
        out += [" " * (len(head) + 2) + more for more in folded[1:]]
    return out


def _count(value: float) -> str:
    if math.isnan(value):
        return "?"
    return "never" if math.isinf(value) else f"{value:,.0f}"


def _minutes(value: float) -> str:
    return "?" if math.isnan(value) else f"{value:.1f}"
