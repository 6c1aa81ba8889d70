"""A folder's runs, or one metric over them, as aligned text."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import HarnessError
from harness.errors.limits import SHOWN_TITLE
from harness.errors.nearest import nearest
from harness.io.escaping import cut, visible
from harness.report import wording
from harness.report.markdown import estimate
from harness.report.metric_names import stem
from harness.store.history.lines import PastFigure, PastRun, metrics

LANGUAGE = "en"  # of the command line
OTHER = {"machine": "other machine", "data": "other data", "": ""}


def runs(entries: Sequence[PastRun]) -> list[str]:
    """One line per run: day, commit, machine, verdict and how its gates came out."""
    rows = [("day", "commit", "harness", "machine", "verdict", "gates", "")]
    for entry in entries:
        rows.append((*_who(entry), entry.verdict, _gates(entry), _mark(entry, entries)))
    return [*_columns(rows), "", *_machines(entries)]


def over_runs(entries: Sequence[PastRun], metric: str) -> list[str]:
    """The metric of every cell in every run, cell by cell.

    Raises: HarnessError where no run has the metric.
    """
    rows = [("variant", "where", "day", "commit", "harness", "machine", stem(metric), "")]
    for cell in cells(entries, metric):
        for entry in entries:
            measured = figure(entry, cell)
            if measured is not None:
                name = measured.variant
                name += f" · {measured.session}" if measured.session not in ("", "default") else ""
                value = estimate(
                    (measured.value, measured.low, measured.high), measured.unit, LANGUAGE
                )
                rows.append((name, _where(measured), *_who(entry), value, _mark(entry, entries)))
    return [*_columns(rows), "", *_machines(entries)]


def cells(entries: Sequence[PastRun], metric: str) -> list[PastFigure]:
    """One figure of each cell that some run has of the metric. Raises: HarnessError for none."""
    found = {_key(figure): figure for entry in entries for figure in entry.of(metric)}
    if not found:
        raise HarnessError(f"no run has a metric {metric!r}.{nearest(metric, metrics(entries))}")
    return list(found.values())


def figure(entry: PastRun, cell: PastFigure) -> PastFigure | None:
    """The run's figure of a cell, None where it was not measured."""
    mine = (one for one in entry.of(cell.metric) if _key(one) == _key(cell))
    return next(mine, None)


def _key(figure: PastFigure) -> tuple[str, str, str, str]:
    return figure.variant, figure.session, figure.operation, figure.workload


def _who(entry: PastRun) -> tuple[str, str, str, str]:
    commit = entry.commit[:8] + ("+" if entry.dirty else "")
    return entry.day, commit or "unknown", entry.harness, entry.machine[:6]


def _where(figure: PastFigure) -> str:
    operation = wording.operation(figure.operation, LANGUAGE) if figure.operation else ""
    return f"{operation} {figure.workload}".strip()


def _gates(entry: PastRun) -> str:
    statuses = [str(gate["status"]) for gate in entry.gates]
    counted = {name: statuses.count(name) for name in dict.fromkeys(statuses)}
    return ", ".join(f"{n} {name}" for name, n in counted.items()) or "none"


def _mark(entry: PastRun, entries: Sequence[PastRun]) -> str:
    """What keeps a run from being compared with the newest one."""
    return OTHER[entry.unlike(entries[-1])]


def _machines(entries: Sequence[PastRun]) -> list[str]:
    """What the short names of the machines stand for."""
    known = {entry.machine[:6]: entry.about for entry in entries}
    return [
        visible(f"{name}: " + ", ".join(f"{key} {value}" for key, value in about.items() if value))
        for name, about in known.items()
    ]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    rows = [[cut(visible(text), SHOWN_TITLE) for text in row] for row in rows]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = (zip(row, widths, strict=True) for row in rows)
    return ["  ".join(text.ljust(width) for text, width in line).rstrip() for line in lines]
