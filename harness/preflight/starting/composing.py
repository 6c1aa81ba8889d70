"""What is compared, on what, and by which limits: each with why it is so."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness import plugins
from harness.contracts.sightings import Advice
from harness.preflight.starting.finding import MOST, Data, Seen
from harness.runtime import environment, graph
from harness.spec.naming import languages, normalisers

LENGTHS = (1.0, 2.0, 5.0, 10.0)  # seconds: a command, an answer, a sentence, a message
METHOD = "dynamic_int8"  # needs no calibration data, so that it works on any model
RECOGNISER = {"family": "whisper", "source": {"asset": "whisper-base"}}
SLOWER = 1.05
MINUTES = 10


@dataclass(frozen=True)
class Item:
    """A line of a list in YAML, and why it stands there."""

    value: Mapping[str, Any]
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """The parts of an experiment beside its model."""

    variants: tuple[Item, ...]
    quality: Item
    gates: tuple[Item, ...]
    sessions: tuple[Item, ...]
    lengths: tuple[float, ...]  # none: it takes text
    purpose: str
    report: str
    told: tuple[str, ...]  # for the terminal

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(str(one.value["name"]) for one in self.variants)


def compose(seen: Seen, data: Data) -> Plan:
    """Raises: ModelError for a graph that cannot be read."""
    variants, said = _variants(seen)
    base = str(variants[0].value["name"])
    lengths = _lengths(seen)
    words = seen.family.takes == "text" or "text" in seen.family.gives
    quality, gates, purpose = _limits(seen, data, base, lengths)
    heard = f"{data.use} {_short(data.params)}" + (" (the sample that is shipped)" * data.sample)
    return Plan(
        variants,
        quality,
        gates,
        _sessions() if lengths else (),
        lengths,
        purpose,
        data.language if words and data.language in languages() else "en",
        (
            f"compared: {said}",
            f"data: {heard}",
            f"gates: {', '.join(_plainly(one.value) for one in gates)}",
        ),
    )


def _short(params: Mapping[str, Any]) -> str:
    path = str(params["path"]).rstrip("/").rpartition("/")[2]
    return " ".join([path, *(str(params[key]) for key in ("split",) if key in params)])


def _plainly(gate: Mapping[str, Any]) -> str:
    kind = next(key for key in gate if key.startswith(("max", "min")))
    return f"{gate['metric']} {kind} {gate[kind]:g}"


# ------------------------------------------------------------------------------------- variants
def _variants(seen: Seen) -> tuple[tuple[Item, ...], str]:
    sighting = seen.sighting
    weights, integer = dict(sighting.weights), 0
    if sighting.graphs:
        weights, integer = graph.shares(sighting.graphs)
    isa = str(environment.describe()["isa"]).split()
    advice = None if integer else advised(weights, isa)
    if advice is not None:
        made = {"use": METHOD, **advice.params}
        wide = "7-bit weights, no VNNI here" if advice.params.get("reduce_range") else "8-bit"
        said = f"original and int8 ({METHOD} of {', '.join(advice.params['op_types'])}, {wide})"
        return (
            Item({"name": "original"}, ("as it came",)),
            Item({"name": "int8", "quantize": made}, advice.why),
        ), said
    why = (
        f"{integer} of its nodes compute in 8 bits already: nothing is quantized again"
        if integer
        else f"{METHOD} has nothing to do here: no operator that it knows holds weights"
    )
    if sighting.otherwise:
        told = ", ".join(f"{key}: {value}" for key, value in sighting.otherwise.items())
        return (
            Item({"name": "original"}, ("as it came", why)),
            Item({"name": "other", "params": dict(sighting.otherwise)}, ("another way to run it",)),
        ), f"original and {told} ({why})"
    return (
        Item({"name": "original"}, ("as it came", why)),
        Item(
            {"name": "copy"}, ("the same again; put what you want to compare here: source, params",)
        ),
    ), f"original and a copy ({why})"


def advised(weights: Mapping[str, float], isa: Sequence[str]) -> Advice | None:
    """What the method would do on a processor with these instructions."""
    advise = plugins.load("quantize", METHOD).advise
    found: Advice | None = advise(weights, isa) if advise else None
    return found


# ------------------------------------------------------------------------------------- lengths
def _lengths(seen: Seen) -> tuple[float, ...]:
    """Those that the model hears at once, or the longest whole second that it does."""
    if seen.family.takes == "text":
        return ()
    longest = seen.sighting.longest
    fit = tuple(length for length in LENGTHS if length <= longest)
    if math.isfinite(longest):  # every length costs the same
        return (max(1.0, float(math.floor(longest))),)
    return fit


def _sessions() -> tuple[Item, ...]:
    return (
        Item({"name": "default"}, ("no options; the others are compared with it",)),
        Item(
            {"name": "sequential-extended", "graph_optimization_level": "extended",
             "execution_mode": "sequential", "intra_op_num_threads": "cores"},
            ("what summaries often call the best",),
        ),
        Item({"name": "parallel", "execution_mode": "parallel", "inter_op_num_threads": 2}),
    )  # fmt: skip


# ------------------------------------------------------------------------------------- limits
def _limits(
    seen: Seen, data: Data, base: str, lengths: Sequence[float]
) -> tuple[Item, tuple[Item, ...], str]:
    """(quality, gates, purpose): no worse and no slower than the original."""
    given = seen.family.gives
    dataset = {"use": data.use, **data.params}
    why = []
    if not data.count <= MOST:
        dataset["limit"] = MOST
        why.append(f"a sample of {MOST}, drawn by the seed: for a decision take all of it")
    entry: dict[str, Any] = {"dataset": dataset}
    if "text" in given or "audio" in given:
        entry["normaliser"] = _normaliser(data.language)
    slower = _slower(base, lengths)
    if "text" in given:
        entry["metrics"] = ["wer", "cer", "loops", "rtf"]
        worse = Item({"metric": "wer", "over": base, "max_increase": 0.02},
                      ("no worse: at most 2 points of WER more, on the same clips",))  # fmt: skip
        return Item(entry, tuple(why)), (worse, slower), "replacement"
    if "audio" in given:
        return _of_speech(entry, tuple(why), data, base, slower)
    return _of_outputs(entry, tuple(why), base, slower, _comparable(seen))


def _comparable(seen: Seen) -> bool:
    """Whether outputs can be held against the baseline's: of this family, by these metrics."""
    known = {"output_error", "cosine"} <= set(plugins.names("metrics"))
    return known and getattr(seen.family, "outputs", None) is not None


def _normaliser(language: str) -> str:
    """The rules that carry the language's English name, else those for any."""
    import babel

    try:
        name = str(babel.Locale(language).english_name or "").lower()
    except (babel.UnknownLocaleError, ValueError):
        name = ""
    return name if name in normalisers() else "generic"


def _slower(base: str, lengths: Sequence[float]) -> Item:
    gate: dict[str, Any] = {"metric": "latency_p50_ms"}
    if lengths:
        gate["at"] = {"audio_seconds": 5.0 if 5.0 in lengths else lengths[-1]}
    return Item({**gate, "over": base, "max_ratio": SLOWER},
                (f"no slower: at most {SLOWER - 1:.0%} more time, paired; below 1 asks for a gain",
                  "in ms: {metric: latency_p99_ms, at: ..., max: 300}"))  # fmt: skip


def _of_speech(
    entry: dict[str, Any], why: tuple[str, ...], data: Data, base: str, slower: Item
) -> tuple[Item, tuple[Item, ...], str]:
    """A predictor says how it sounds, a recogniser whether it is understood."""
    entry["metrics"] = ["round_trip_wer", "dnsmos_p808", "spoken_seconds", "rtf", "latency_p50_ms"]
    recogniser = {**RECOGNISER, "language": data.language or "en"}
    entry["judges"] = [{"use": "round_trip", "parts": {"recogniser": recogniser}}]
    return (
        Item(entry, (*why, "round_trip: a recogniser must understand what is said")),
        (
            Item({"metric": "round_trip_wer", "over": base, "max_increase": 0.05},
                  ("no worse: understood as well, within 5 points of WER",)),
            Item({"metric": "dnsmos_p808", "over": base, "max_decrease": 0.1},
                  ("no worse: sounds as well, within 0.1 of a predicted MOS",)),
            slower,
        ),
        "replacement",
    )  # fmt: skip


def _of_outputs(
    entry: dict[str, Any], why: tuple[str, ...], base: str, slower: Item, comparable: bool
) -> tuple[Item, tuple[Item, ...], str]:
    """Nearness to the original's outputs, where that can be measured; else time and size alone."""
    if comparable:
        entry["metrics"] = ["output_error", "cosine", "rtf"]
        near = Item({"metric": "output_error", "max": 0.1},
                     ("no worse: the outputs differ by a tenth of their size at most (relative L2)",
                      "what your application bears, only you know: edit it"))  # fmt: skip
        return Item(entry, why), (near, slower), "replacement"
    entry["metrics"] = ["rtf"]
    size = Item({"metric": "size_mb", "over": base, "max_ratio": 1.0}, ("no larger",))
    return Item(entry, why), (slower, size), "latency"
