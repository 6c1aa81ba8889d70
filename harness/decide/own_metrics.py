"""Metrics of the user's own as a result keeps them: what tables, figures and comparisons need to
know of each, so that their code runs where it was measured and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

from harness import plugins
from harness.contracts import Call, Metric
from harness.errors import PluginError
from harness.io.hashes import sha256_of
from harness.plugins import NamedMetric, kinds

FLAGS = ("needs_reference", "needs_transcript")
TEXTS = ("unit", "better", "fold", "judge", "ratio_of")
LATER = ("scale", "compares")  # texts that came later: a run from before has neither


def facts(metrics: Iterable[NamedMetric], locate: Callable[[str], Path]) -> dict[str, Any]:
    """Name -> what is stored, of the metrics that are files of the user's own."""
    return {
        named.name: {
            **{name: getattr(named.metric, name) for name in (*TEXTS, *LATER, *FLAGS)},
            "operations": list(named.metric.operations),
            "quantile": None if math.isnan(named.quantile) else named.quantile,
            "of_variant": named.metric.of_variant is not None,
            **_said(named.metric),
            "sha256": sha256_of(locate(named.name)),
        }
        for named in metrics
        if named.name.endswith(".py")
    }


def _said(metric: Metric) -> dict[str, Any]:
    """Where and as what a report shows it; what the metric leaves open is settled here."""
    return {
        "kind": kinds.kind_of(metric),
        "table": kinds.table_of(metric),
        "order": int(metric.order),
        "title": {str(language): str(text) for language, text in metric.title.items()},
        "beside": list(kinds.beside(metric)),
    }


def _heard(kept: Mapping[str, Any]) -> dict[str, Any]:
    """That again, from what anybody may have written; older runs tell nothing of it."""
    hints = get_type_hints(Metric)
    found: dict[str, Any] = {}
    for name in ("kind", "table"):
        if kept.get(name) in get_args(get_args(hints[name])[0]):
            found[name] = kept[name]
    found |= {name: kept[name] for name in LATER if kept.get(name) in get_args(hints[name])}
    if isinstance(kept.get("order"), int):
        found["order"] = kept["order"]
    beside = kept.get("beside")
    if isinstance(beside, list) and all(isinstance(name, str) for name in beside):
        found["beside"] = tuple(beside)
    return found


def find_metric(
    name: str, own: Mapping[str, Any], figures: Mapping[str, float] | None = None
) -> NamedMetric:
    """The metric that a result names: one of ours, or the user's own as it was stored (`own` of
    its facts). `figures`: variant -> its value, for a metric of whole variants.

    Raises: UnknownNameError, PluginError for one of which nothing fit was stored.
    """
    if not name.endswith(".py"):
        return plugins.find_metric(name)
    kept = _kept(name, own)
    known = figures or {}
    exact = kept["of_variant"]
    metric = Metric(
        **{field: kept[field] for field in (*TEXTS, *FLAGS)},
        operations=tuple(kept["operations"]),
        **_heard(kept),
        measure=None if exact or kept["ratio_of"] else _unknown,
        of_variant=(lambda row: known.get(str(row["variant"]), math.nan)) if exact else None,
    )
    quantile = kept["quantile"]
    return NamedMetric(name, metric, math.nan if quantile is None else float(quantile))


def stored(own: Mapping[str, Any], kind: str = "metrics") -> Mapping[str, Any]:
    """Name -> what a run keeps of plugins of the user's own of a kind, which anybody may have
    written."""
    found = own.get(kind)
    return found if isinstance(found, Mapping) else {}


def code(name: str, own: Mapping[str, Any]) -> str:
    """SHA-256 of the file that a metric of the user's own was; "" where it was not stored."""
    kept = stored(own).get(name)
    return str(kept.get("sha256") or "") if isinstance(kept, Mapping) else ""


def _kept(name: str, own: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = stored(own).get(name)
    if isinstance(kept, Mapping) and _fits(kept):
        return kept
    raise PluginError(
        f"metric {name}: the run does not tell what it is, and its code is not run to read a"
        " result; `harness run` stores that."
    )


def _fits(kept: Mapping[str, Any]) -> bool:
    hints = get_type_hints(Metric)
    fine = all(isinstance(kept.get(name), str) for name in TEXTS)
    fine = fine and all(isinstance(kept.get(name), bool) for name in (*FLAGS, "of_variant"))
    fine = fine and all(kept[name] in get_args(hints[name]) for name in ("better", "fold"))
    operations, quantile = kept.get("operations"), kept.get("quantile")
    listed = isinstance(operations, list) and all(isinstance(o, str) for o in operations)
    between = quantile is None or (isinstance(quantile, float) and 0 < quantile < 1)
    return fine and listed and between


def _unknown(call: Call) -> tuple[float, float]:
    raise PluginError("a stored result is not scored again by code of the user's own.")
