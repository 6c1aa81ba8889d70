"""What sections and figures ask of a result: which rows, lines of a figure, lengths and limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from harness.contracts import Result

WHOLE = ("pipeline", "load", "first_call")  # operations that are no part of the pipeline


@dataclass(frozen=True)
class Line:
    """A variant in a session, as one line or colour of the report."""

    variant: str
    session: str
    role: str  # baseline | variant | candidate

    @property
    def label(self) -> str:
        return self.variant if self.session == "default" else f"{self.variant} · {self.session}"


def rows(data: pd.DataFrame, **equal: Any) -> pd.DataFrame:
    """The rows in which each named column has the given value."""
    keep = np.ones(len(data), dtype=bool)
    for column, value in equal.items():
        keep &= data[column].to_numpy() == value
    return data[keep]


def row(data: pd.DataFrame, **equal: Any) -> dict[str, Any] | None:
    """The first such row as a dict, None where there is none."""
    found = rows(data, **equal)
    if found.empty:
        return None
    return {str(column): value for column, value in found.iloc[0].items()}


def records(data: pd.DataFrame) -> list[dict[str, Any]]:
    """Each row as a dict."""
    return [{str(key): value for key, value in each.items()} for each in data.to_dict("records")]


def bounds(found: Mapping[str, Any] | None, value: str = "value") -> tuple[float, float, float]:
    """(value, low, high) of a row; NaN where there is no row."""
    if found is None:
        return float("nan"), float("nan"), float("nan")
    return float(found[value]), float(found["low"]), float(found["high"])


def baseline(result: Result) -> str:
    """The variant that the others are compared with."""
    return result.experiment.baseline


def candidate(result: Result) -> tuple[str, str]:
    """(variant, session) that the verdict is about; empty texts where there is none."""
    return str(result.verdict.get("candidate") or ""), str(result.verdict.get("session") or "")


def variants(result: Result) -> list[str]:
    """Names in the order of the experiment."""
    return [variant.name for variant in result.experiment.variants]


def lines(result: Result) -> list[Line]:
    """Baseline, then the variants, each in the default session; the candidate's session last."""
    base, best = baseline(result), candidate(result)
    names = (
        [base, *(name for name in variants(result) if name != base)] if base else variants(result)
    )
    found = [Line(name, "default", _role(base, best, name, "default")) for name in names]
    if best[0] and best[1] and best[1] != "default":
        found.append(Line(*best, "candidate"))
    return found


def _role(base: str, best: tuple[str, str], name: str, session: str) -> str:
    if name == base:
        return "baseline"
    return "candidate" if (name, session) == best else "variant"


def seconds(workload: str) -> float:
    """ "5 s" as 5.0; NaN for a data set's name."""
    amount, _, unit = workload.partition(" ")
    try:
        return float(amount) if unit == "s" else float("nan")
    except ValueError:
        return float("nan")


def lengths(data: pd.DataFrame) -> list[str]:
    """The workloads that are lengths, shortest first."""
    found = {name: seconds(name) for name in data["workload"].unique()}
    return sorted((name for name in found if found[name] == found[name]), key=lambda n: found[n])


def main_length(result: Result) -> str:
    """The length that most latency gates look at; else the middle one that was measured."""
    timed = result.checks[result.checks["metric"].str.startswith("latency")]
    asked = timed["workload"][timed["workload"].map(lambda name: seconds(name) > 0)]
    if len(asked):
        return str(asked.mode().iloc[0])
    known = lengths(rows(result.summary, stage="latency"))
    return known[len(known) // 2] if known else ""


def warm(result: Result, **equal: Any) -> pd.DataFrame:
    """Warm calls that worked, each with its length written as the summary writes it."""
    calls = rows(result.calls, warm=True, error="", **equal)
    return calls.assign(workload=[f"{length:g} s" for length in calls["audio_seconds"]])


def timed(result: Result) -> list[tuple[str, list[tuple[Line, pd.DataFrame]]]]:
    """(length, [(line, its warm pipeline calls)]) of the latency stage, shortest first."""
    calls = warm(result, stage="latency", operation="pipeline", replica=0)
    found = []
    for workload in lengths(calls):
        cells = []
        for line in lines(result):
            cell = {"variant": line.variant, "session": line.session, "workload": workload}
            mine = rows(calls, **cell)
            cells += [(line, mine)] if len(mine) else []
        found += [(workload, cells)] if cells else []
    return found


def latency(
    result: Result, line: Line, metric: str, workload: str, operation: str = "pipeline"
) -> dict[str, Any] | None:
    """The latency stage's summary row (a dict) of a line, None where it was not measured."""
    cell = {"variant": line.variant, "session": line.session, "replica": 0}
    return row(
        result.summary,
        stage="latency",
        **cell,
        operation=operation,
        workload=workload,
        metric=metric,
    )


def options(text: str) -> dict[str, Any]:
    """What a row of `sessions` says of its configuration: options, and the provider if not CPU."""
    config = parsed(text)
    found = dict(config.get("options") or {})
    if config.get("provider") not in (None, "CPUExecutionProvider"):
        found["provider"] = config["provider"]
    return {**found, **(config.get("provider_options") or {})}


def asked(result: Result, dataset: str) -> list[str]:
    """The metrics that the experiment asks of a data set; of one that it does not name, all."""
    for part in result.experiment.quality:
        if part.name == dataset:
            return list(part.metrics)
    return list(rows(result.summary, stage="quality", workload=dataset)["metric"].unique())


def parsed(text: str) -> dict[str, Any]:
    """A JSON object kept in a text column; empty where the column is."""
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def change(result: Result, line: Line, metric: str, workload: str) -> dict[str, Any] | None:
    """The latency stage's row of `changes` for the pipeline of a line; None for the baseline."""
    if (line.variant, line.session) == (baseline(result), "default"):
        return None  # such a row is the A/A twin's
    cell = {"variant": line.variant, "session": line.session, "operation": "pipeline"}
    return row(result.changes, stage="latency", **cell, workload=workload, metric=metric)


def parts(result: Result) -> list[str]:
    """The operations that were timed beside the pipeline, in the experiment's order."""
    timed = rows(result.summary, stage="latency", metric="latency_p50_ms")
    latency = result.experiment.latency
    order = list(latency.operations) if latency else []
    found = [str(name) for name in timed["operation"].unique() if name not in WHOLE]
    return sorted(found, key=lambda name: order.index(name) if name in order else len(order))


def edits(result: Result) -> pd.DataFrame:
    """WER's edits on the first data set that is asked for it: a row per item, a column per variant,
    paired (no gaps)."""
    scores = rows(result.scores, stage="quality", metric="wer", replica=0)
    if scores.empty:
        return pd.DataFrame()
    names = list(scores["workload"].unique())
    first = next((name for name in names if "wer" in asked(result, str(name))), names[0])
    scores = scores[scores["workload"] == first]
    scores = scores.drop_duplicates(["item", "variant"])
    wide: pd.DataFrame = scores.pivot(index="item", columns="variant", values="value")
    return wide.sort_index()


def own_checks(result: Result) -> pd.DataFrame:
    """The checks of the candidate: those that the verdict is made of."""
    return rows(result.checks, variant=candidate(result)[0])
