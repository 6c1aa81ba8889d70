"""What a metric is about, which of them show quality, and between which values it can lie."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from typing import Any

from harness.contracts import Call, Compares, Evidence, Gate, Kind, Metric, Side, Status, Table

QUALITY: tuple[Kind, ...] = ("text", "opinion", "fidelity")
PURPOSES: Mapping[str, tuple[Kind, ...]] = {
    "replacement": QUALITY,
    "size": ("size",),
    "latency": ("time",),
    "memory": ("peak",),
    "robustness": ("symptom",),
}
"""What an approval is for -> of which kind at least one gate has to be decided."""

OF_OUTPUTS: tuple[Compares, ...] = ("outputs", "logits")
"""What a metric compares that needs outputs of the model, and not only what it wrote."""

BEYOND = 2.0  # times the longest clip of quality data: a time there says nothing of quality
MANY = 10.0  # times as bad as the baseline: a ratio that lets that pass asks for nothing
SHARES = frozenset({"fraction", "share", "edits/word", "edits/character", "errors/word", "%"})
DECIBELS = frozenset({"dB", "dBFS", "LUFS"})  # under zero there is more to lose
_TIMES = frozenset({"ms", "s", "us", "µs", "min", "tokens/s", "x"})
_BYTES = frozenset({"B", "KB", "kB", "MB", "GB", "KiB", "MiB", "GiB", "bytes"})
_OUTPUT = frozenset({"text", "raw_text", "figures", "note"})  # of a call: what came out
_WRITTEN = frozenset({"text", "raw_text", "tokens"})  # of these, what a recogniser gives
# unit of a share -> all of it
_WHOLE = {"fraction": 1.0, "share": 1.0, "edits/word": 1.0, "edits/character": 1.0,
          "errors/word": 1.0, "cosine": 1.0, "correlation": 1.0, "%": 100.0}  # fmt: skip


def kind_of(metric: Metric) -> Kind:
    """As the metric says; else by what it is made of. One that says nothing, and is computed from
    what came out of the model, compares that with something: fidelity."""
    if metric.kind is not None:
        return metric.kind
    if metric.of_variant is not None:
        return "size"
    if metric.ratio_of or metric.unit in _TIMES:
        return "time"
    if metric.unit in _BYTES or metric.fold == "max":
        return "peak"
    if metric.judge:
        return "opinion"
    if metric.needs_reference:
        return "text"
    return "fidelity" if _reads(metric) & _OUTPUT else "time"


def of_quality(metric: Metric) -> bool:
    """Whether a gate on it says that the output is good, and not only small or quick."""
    return kind_of(metric) in QUALITY


def table_of(metric: Metric) -> Table:
    """Which table of a report shows it: as the metric says, else by its kind."""
    if metric.table is not None:
        return metric.table
    kind = kind_of(metric)
    if kind == "opinion":
        return "opinions"
    if kind == "text" and metric.judge:
        return "heard"
    if kind == "symptom":
        written = metric.needs_reference or _reads(metric) & _WRITTEN
        return "loops" if written and not metric.judge else "spoken"
    return "quality"


def beside(metric: Metric) -> tuple[str, ...]:
    """What is scored wherever the metric is: by an opinion, how long and how loud too."""
    if metric.beside is not None:
        return metric.beside
    return ("spoken_seconds", "clipping") if kind_of(metric) == "opinion" else ()


def worst(metric: Metric) -> float:
    """Of an output that is worthless; infinite (on the worse side) where nothing is the worst."""
    if metric.worst is not None:
        return metric.worst
    if metric.unit == "MOS":
        return 1.0
    if metric.better == "higher":
        return -math.inf if metric.unit in DECIBELS else 0.0
    return _WHOLE.get(metric.unit, math.inf)


def best(metric: Metric) -> float:
    """The best that there can be; infinite where more is always better."""
    if metric.best is not None:
        return metric.best
    if metric.unit == "MOS":
        return 5.0
    if metric.better == "higher":
        return _WHOLE.get(metric.unit, math.inf)
    return -math.inf if metric.unit in DECIBELS else 0.0


def useless(metric: Metric) -> float:
    """Where a baseline is so bad that being no worse shows nothing: half of the words wrong, a MOS
    of 2 (poor, ITU-T P.800), nothing in common with the reference. Infinite: nowhere."""
    if metric.useless is not None:
        return metric.useless
    if metric.unit == "MOS":
        return 2.0
    half = _WHOLE.get(metric.unit, math.nan) / 2
    if metric.better == "higher":
        return 0.0 if math.isnan(half) else half
    return math.inf if math.isnan(half) else half


def side_of(gate: Gate, limit: float) -> Side | None:
    """On which side of the limit a value misses it: as the gate says, else by its answers to one
    far above and one far below; None for one that refuses both sides or neither."""
    if gate.side is not None:
        return gate.side
    bound, far = gate.limit_on(limit), 2 * abs(limit) + 1
    above, below = (answer(gate, limit, value) for value in (bound + far, bound - far))
    if above is Status.FAIL and below is Status.PASS:
        return "upper"
    return "lower" if below is Status.FAIL and above is Status.PASS else None


def doubt(metric: Metric, gate: Gate, limit: float) -> str:
    """What is wrong with a limit on the metric: `free` (the worst there is passes), `closed` (the
    best there is does not), "" for a limit that asks for something."""
    if metric.better == "neither":
        return ""
    ends = _ends(metric, gate)
    if ends is None:
        return ""
    low, high = ends
    if math.isfinite(low) and answer(gate, limit, low) is Status.PASS:
        return "free"
    return "closed" if math.isfinite(high) and answer(gate, limit, high) is Status.FAIL else ""


def _ends(metric: Metric, gate: Gate) -> tuple[float, float] | None:
    """(worst, best) of what the gate reads."""
    low, high = worst(metric), best(metric)
    if gate.on == "value":
        return low, high
    if gate.on == "difference":
        return low - high, high - low
    many = 1 / MANY if metric.better == "higher" else MANY
    if metric.unit == "MOS" and high:
        many = max(many, low / high)
    return many, math.nan


def answer(gate: Gate, limit: float, value: float) -> Status:
    """What a gate says of a figure itself, without sampling error."""
    return gate.check(limit, Evidence(value, value, value, n=1, method="exact"))


class _Noting:
    """A call that notes what of it is read."""

    def __init__(self) -> None:
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        return getattr(_SAMPLE, name)


_SAMPLE = Call("pipeline", 1.0, 1.0, 1.0, 1e6, "a", "b", "a", "b", figures={})


def _reads(metric: Metric) -> set[str]:
    """What of a call the metric looks at."""
    noting: Any = _Noting()
    if metric.measure is not None:
        with contextlib.suppress(Exception):
            metric.measure(noting)
    read: set[str] = noting.read
    return read
