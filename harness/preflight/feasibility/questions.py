"""What the gates of an experiment leave unasked: limits and their words, before anything runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from harness.plugins import kinds
from harness.preflight.feasibility.gates import Terms
from harness.spec import GateSpec

SayLimit = Callable[[str, float, str], str]  # (kind of gate, limit, unit) -> as a reader has it


def plain_limit(kind: str, limit: float, unit: str) -> str:
    """A limit where nobody writes it better."""
    return f"{kind} {limit:g} {unit}".rstrip()


def limits(terms: Terms, say: SayLimit) -> dict[str, str]:
    """Each gate's limit, as the report writes it."""
    return {gate.name: _limit(terms, gate, gate.limit, say) for gate in terms.experiment.gates}


def questions(terms: Terms, say: SayLimit) -> list[str]:
    """A line for each gate or waiver that asks for nothing, and for what no gate looks at."""
    return [*_unlooked(terms), *_of_gates(terms, say), *_of_waivers(terms, say), *_lengths(terms)]


def _limit(terms: Terms, gate: GateSpec, value: float, say: SayLimit) -> str:
    times = terms.kinds[gate.kind].on == "ratio"  # of the baseline: in no unit
    return say(gate.kind, value, "" if times else terms.metrics[gate.metric].metric.unit)


def _doubt(terms: Terms, gate: GateSpec, value: float) -> str:
    return kinds.doubt(terms.metrics[gate.metric].metric, terms.kinds[gate.kind], value)


def _unlooked(terms: Terms) -> Iterator[str]:
    """No gate that decides speaks of what an approval is for: none can be given."""
    experiment = terms.experiment
    purpose = experiment.purpose
    hard = [gate for gate in experiment.gates if gate.severity == "fail"]
    strong = [gate for gate in hard if _doubt(terms, gate, gate.limit) != "free"]
    about = {kinds.kind_of(terms.metrics[gate.metric].metric) for gate in strong}
    if not about & set(kinds.PURPOSES[purpose]):
        if purpose == "replacement":
            yield (
                "no gate decides on quality (errors in texts, opinion of the audio, nearness to a "
                "reference): nothing can be approved; add one, or say what else is meant "
                "(`purpose: size`)"
            )
        else:
            yield f"no gate decides on {purpose}, which is what an approval is asked for"
    elif purpose != "replacement" and not about & set(kinds.QUALITY):
        yield f"an approval is for {purpose} only: nobody looks at what it says"


def _of_gates(terms: Terms, say: SayLimit) -> Iterator[str]:
    for gate in terms.experiment.gates:
        code, limit = _doubt(terms, gate, gate.limit), _limit(terms, gate, gate.limit, say)
        if code == "free":
            yield (
                f"{gate.name}: {limit} lets the worst output pass, so it asks for nothing"
                f"{_meant(terms, gate)}"
            )
        elif code == "closed":
            yield f"{gate.name}: no output can meet {limit}"


def _meant(terms: Terms, gate: GateSpec) -> str:
    """ "; 2 pp is 0.02": a share that was written in points."""
    share = terms.metrics[gate.metric].metric.unit == "fraction"
    on = terms.kinds[gate.kind].on
    if not share or on == "ratio" or not 1 <= gate.limit <= 100:
        return ""
    unit = "%" if on == "value" else "pp"
    return f"; {gate.limit:g} {unit} is written so, or {gate.limit / 100:g}"


def _of_waivers(terms: Terms, say: SayLimit) -> Iterator[str]:
    gates = {gate.name: gate for gate in terms.experiment.gates}
    for waiver in terms.experiment.waivers:
        gate = gates.get(waiver.gate)
        if gate is not None and _doubt(terms, gate, waiver.up_to) == "free":
            bound = _limit(terms, gate, waiver.up_to, say)
            yield f"{gate.name}: its waiver up to {bound} lets the worst output pass"


def _lengths(terms: Terms) -> Iterator[str]:
    """Times at lengths of which no quality will be known."""
    experiment = terms.experiment
    if experiment.latency and not experiment.quality:
        yield "times are of noise: there is no data set whose speech could be cut"
    longest = max(terms.longest.values(), default=math.nan)
    for gate in experiment.gates:
        seconds = gate.at.audio_seconds
        if seconds is not None and gate.severity == "fail" and seconds > kinds.BEYOND * longest:
            yield (
                f"{gate.name}: the clips on which quality is measured last up to {longest:.3g} s, "
                f"so nothing will be known of it at {seconds:g} s and nothing is approved"
            )
