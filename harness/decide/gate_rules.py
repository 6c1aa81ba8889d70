"""What a limit of a run asks: of the value or of a comparison, on which side, and where it lies.

A gate of ours says so in its file. Of one of the user's own its run stored what it says, so that a
result is read, drawn and compared without running code of theirs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_type_hints

import pandas as pd

from harness import plugins
from harness.contracts import Gate, Result, Side
from harness.contracts.experiment import Experiment, GateSpec
from harness.decide.own_metrics import stored
from harness.plugins.kinds import side_of
from harness.store import queries

GATES = "gates"  # of what a run stored of plugins of the user's own


@dataclass(frozen=True)
class Rule:
    """A limit as it was written, and `bound`, where that lies in what the gate reads; over a
    baseline it is a non-inferiority margin."""

    on: Literal["value", "difference", "ratio"]
    side: Side | None
    sign: str
    limit: float
    bound: float

    def share(self, value: float) -> float:
        """A value as the share of the limit that it uses: above 1 it is on the wrong side. NaN
        where that means nothing."""
        if self.side == "lower" and self.bound > 0:
            return self.bound / value if value > 0 else math.nan
        if self.side == "lower":
            return value / self.bound if self.bound < 0 else math.nan
        known = self.side == "upper" and self.bound > 0
        return value / self.bound if known else math.nan

    def level(self, base: float) -> float:
        """Where the limit lies on the metric's own scale, with the baseline at `base`."""
        return {"value": self.bound, "difference": base + self.bound, "ratio": base * self.bound}[
            self.on
        ]


def name_of(gate: GateSpec) -> str:
    """How tables and waivers call a gate."""
    return gate.name or gate.metric


def of_check(result: Result, check: Mapping[Any, Any], limit: float | None = None) -> Rule | None:
    """The rule of a row of `checks`, or the same at another `limit`, as a waiver has it."""
    return of_kind(
        result.facts.own, str(check["kind"]), float(check["limit"]) if limit is None else limit
    )


def records(result: Result, checks: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of `checks`, each with what its gate reads (`on`) and the `sign` of its limit."""
    found = []
    for check in queries.records(checks):
        rule = of_check(result, check)
        found.append({**check, "on": rule.on, "sign": rule.sign} if rule else check)
    return found


def of_kind(own: Mapping[str, Any], kind: str, limit: float) -> Rule | None:
    """None for a kind of gate that no file of ours carries and of which nothing fit was stored."""
    if kind in plugins.names("gates"):
        gate: Gate = plugins.load("gates", kind)
        return _rule(gate, limit)
    kept = stored(own, GATES).get(kind)
    return _kept(kept, limit) if isinstance(kept, Mapping) else None


def of_gates(result: Result, metric: str) -> Iterator[tuple[GateSpec, Rule]]:
    """Each limit that an experiment sets to a metric."""
    for gate in result.experiment.gates:
        if gate.metric == metric:
            rule = of_kind(result.facts.own, gate.kind, gate.limit)
            if rule is not None:
                yield gate, rule


def facts(experiment: Experiment, load: Callable[[str], Gate]) -> dict[str, Any]:
    """Kind -> what is stored, of the gates of an experiment that are files of the user's own."""
    waived: dict[str, list[float]] = {}
    for waiver in experiment.waivers:
        waived.setdefault(waiver.gate, []).append(waiver.up_to)
    found: dict[str, Any] = {}
    for gate in experiment.gates:
        if gate.kind.endswith(".py"):
            plugin = load(gate.kind)
            told = found.setdefault(gate.kind, {"on": plugin.on, "sign": plugin.sign, "limits": []})
            limits = [gate.limit, *waived.get(gate.name, [])]
            told["limits"] += [_stored(_rule(plugin, one)) for one in limits]
    return found


def _rule(gate: Gate, limit: float) -> Rule:
    return Rule(gate.on, side_of(gate, limit), gate.sign, limit, float(gate.limit_on(limit)))


def _stored(rule: Rule) -> dict[str, Any]:
    return {"limit": rule.limit, "bound": rule.bound, "side": rule.side}


def _kept(kept: Mapping[str, Any], limit: float) -> Rule | None:
    """What a run stored of one: read as data that anybody may have written."""
    on, sign, limits = kept.get("on"), kept.get("sign"), kept.get("limits")
    known = on in get_args(get_type_hints(Gate)["on"]) and isinstance(sign, str)
    for one in limits if known and isinstance(limits, list) else []:
        if isinstance(one, Mapping) and one.get("limit") == limit:
            side, bound = one.get("side"), one.get("bound")
            if (side is None or side in get_args(Side)) and isinstance(bound, (int, float)):
                return Rule(on, side, str(sign), limit, float(bound))  # type: ignore[arg-type]
    return None
