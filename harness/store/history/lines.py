"""A line per run of a folder, written when the run is published and read again.

The line is made of what the run published and stands in `history.jsonl` beside it. What was
measured once is one line, however often it is decided or rendered anew: the newest decision stays.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import store
from harness.contracts import Result
from harness.errors import StoreError, limits
from harness.runtime import environment

FORMAT = 1  # of a line
DIGITS = 6  # significant ones of a figure
STAGES = ("latency", "quality", "")  # "": figures of a whole variant
FIGURE = ("metric", "variant", "session", "operation", "workload")
NUMBERS = ("value", "low", "high")
COLUMNS = (*FIGURE, *NUMBERS, "unit")
MACHINE = ("cpu", "isa", "cores", "quota_cpus", "onnxruntime", "python_minor")
CHECK = ("gate", "metric", "variant", "session", "operation", "workload", "kind", "status", "unit")


@dataclass(frozen=True)
class PastFigure:
    """One metric of one cell with its 95 % interval, NaN where there was none."""

    metric: str
    variant: str
    session: str
    operation: str
    workload: str
    value: float
    low: float
    high: float
    unit: str


@dataclass(frozen=True)
class PastRun:
    """One run. `machine` is the fingerprint of all that timings depend on."""

    measured: str
    day: str
    commit: str
    dirty: bool
    harness: str
    machine: str
    about: Mapping[str, Any]
    data: Mapping[str, str]  # hash of which clips each data set had
    baseline: str  # the variant that the others are compared with
    verdict: str
    gates: Sequence[Mapping[str, Any]]
    figures: Sequence[PastFigure]

    def of(self, metric: str) -> list[PastFigure]:
        """The run's figures of one metric."""
        return [figure for figure in self.figures if figure.metric == metric]

    def unlike(self, other: PastRun) -> str:
        """Why figures of the two cannot be compared: "machine", "data", "" where they can."""
        if self.machine != other.machine:
            return "machine"
        shared = [name for name in self.data if name in other.data]
        return "data" if any(self.data[name] != other.data[name] for name in shared) else ""


def record(result: Result, measured: str) -> bool:
    """Add the run's line to its folder's history; `measured` is the key of what was measured.

    The last line is replaced if it is of the same measurement, and nothing is written if it is the
    same. Lines that cannot be read are kept as they are. Returns whether something was written.
    """
    text = recorded(result, measured)
    if text is not None:
        store.write_atomic(store.inside(result.folder, store.HISTORY), text)
    return text is not None


def recorded(result: Result, measured: str) -> str | None:
    """The folder's history with the run's line, None where it stands there already (see `record`).

    Raises: StoreError for a history beyond what is read.
    """
    line = _dumped(line_of(result, measured))
    before = _lines(result.folder)
    if before and before[-1] == line:
        return None
    if before and _measured(before[-1]) == measured[:16]:
        before.pop()
    return "".join(f"{text}\n" for text in [*before, line])


def read(folder: Path) -> list[PastRun]:
    """Every run of the folder, the oldest first.

    Raises: StoreError where there is no history, or a line of it is none.
    """
    path = folder / store.HISTORY
    if not store.view(folder, store.HISTORY).exists():
        raise StoreError(f"{folder}: holds no history; `harness run` begins one.")
    found = []
    for number, text in enumerate(_lines(folder), 1):
        try:
            found.append(_entry(json.loads(text)))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            raise StoreError(
                f"{path}:{number}: is no line of a history; remove it, or take the file from git."
            ) from None
    return found


def metrics(entries: Iterable[PastRun]) -> list[str]:
    """The names of every metric that some run has."""
    return list(dict.fromkeys(figure.metric for entry in entries for figure in entry.figures))


def line_of(result: Result, measured: str) -> dict[str, Any]:
    """What a run leaves in its history, as plain data."""
    env = result.environment
    return {
        "history": FORMAT,
        "measured": measured[:16],
        "day": str(env.get("measured_on") or ""),
        "commit": str(env.get("commit") or ""),
        "dirty": bool(env.get("dirty")),
        "harness": str(env.get("harness") or ""),
        "machine": environment.fingerprint(env)[:16],
        "about": {key: env.get(key) for key in MACHINE},
        "data": dict(result.facts.data),
        "baseline": result.experiment.baseline,
        "verdict": str(result.verdict.get("verdict") or ""),
        "gates": list(_checks(result)),
        "columns": list(COLUMNS),
        "figures": list(_figures(result)),
    }


def _checks(result: Result) -> Iterator[dict[str, Any]]:
    for row in result.tables["checks"].to_dict("records"):
        numbers = {name: _short(row[name]) for name in ("observed", "low", "high", "limit")}
        yield {**{name: str(row[name]) for name in CHECK}, **numbers}


def _figures(result: Result) -> Iterator[list[Any]]:
    """A list per figure, named by `columns`; without the sweep, whose figures the latency stage
    measures again, and without the A/A twin."""
    summary = result.tables["summary"]
    kept = summary[summary["stage"].isin(STAGES) & (summary["replica"] == 0) & (summary["n"] > 0)]
    for row in kept.to_dict("records"):
        numbers = [_short(row[name]) for name in NUMBERS]
        yield [*(str(row[name]) for name in FIGURE), *numbers, str(row["unit"])]


def _short(value: float) -> float | None:
    """A number as JSON has it; None where there is none, or it is infinite."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def _dumped(line: Mapping[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _lines(folder: Path) -> list[str]:
    path = store.view(folder, store.HISTORY)
    if not path.exists():
        return []
    text = store.bounded(path, limits.HISTORY_BYTES).decode("utf-8", "replace")
    found = [line.rstrip("\r") for line in text.split("\n") if line.strip()]
    for number, line in enumerate(found, 1):
        if len(line) > limits.HISTORY_LINE_BYTES:
            most = limits.HISTORY_LINE_BYTES
            raise StoreError(
                f"{folder / store.HISTORY}:{number}: has more than the {most:,} signs that a run's"
                " line may have; remove it, or take the file from git."
            )
    return found


def _measured(text: str) -> str:
    try:
        return str(json.loads(text)["measured"])
    except (ValueError, KeyError, TypeError):
        return ""


def _entry(line: Mapping[str, Any]) -> PastRun:
    figures = [_figure(dict(zip(line["columns"], row, strict=True))) for row in line["figures"]]
    texts = ("measured", "day", "commit", "harness", "machine", "baseline", "verdict")
    return PastRun(
        **{name: str(line[name]) for name in texts},
        dirty=bool(line["dirty"]),
        about=dict(line["about"]),
        data=dict(line["data"]),
        gates=[dict(row) for row in line["gates"]],
        figures=figures,
    )


def _figure(row: Mapping[str, Any]) -> PastFigure:
    metric, variant, session, operation, workload = (str(row[name]) for name in FIGURE)
    value, low, high = (_number(row[name]) for name in NUMBERS)
    return PastFigure(
        metric, variant, session, operation, workload, value, low, high, unit=str(row["unit"])
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
