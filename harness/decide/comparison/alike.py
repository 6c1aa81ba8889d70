"""What makes two runs' figures incomparable, and what else is another in the second run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.contracts import Result
from harness.contracts.experiment import Experiment
from harness.contracts.plain import filed
from harness.decide import own_metrics
from harness.runtime import environment
from harness.store.queries import baseline, candidate, parsed, records, rows

UNKNOWN = "not recorded"
VERSIONS = ("harness", "commit", "dirty", "numpy", "tokenizers", "soundfile", "onnx", "release")


@dataclass(frozen=True)
class Unlike:
    """One thing that two runs do not share; the values are texts, as the reader sees them."""

    key: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.key}: {self.before} | {self.after}"


def conflicts(before: Result, after: Result) -> list[Unlike]:
    """Everything that keeps the figures of two runs from being compared; empty where nothing does.

    Machine, ISA, cores, quota, onnxruntime and Python (environment.COMPARABLE); the clips of each
    data set that both have, and those that latencies were measured on; its normaliser; the model
    family, whose operations are timed; what a row means (`measuring`); how calls are warmed up; the
    judges of a data set, with their parameters, parts and recogniser; the code of the user's own
    metrics. What was never recorded is not known to be equal.
    """
    unlike = [
        Unlike(key, _text(one), _text(other))
        for key, one, other in environment.different(before.environment, after.environment)
    ]
    unlike += _pairs(_measuring(before), _measuring(after))
    unlike += _pairs(_judges(before), _judges(after))
    unlike += _pairs(_own_metrics(before), _own_metrics(after))
    unlike_data = _pairs(_data(before), _data(after))
    unknown = [
        Unlike(key, UNKNOWN, UNKNOWN)
        for key, value in _data(before).items()
        if value == UNKNOWN == _data(after).get(key)
    ]
    return [*unlike, *unlike_data, *unknown]


def differences(before: Result, after: Result) -> list[Unlike]:
    """What else is another and may be why a figure has changed: models, sessions, code, versions.

    Also what only one of the runs has, as an empty value.
    """
    sides = (before, after)
    unlike = _all_pairs(*(dict(_models(side)) for side in sides))
    unlike += _all_pairs(*(_sessions(side) for side in sides))
    unlike += _all_pairs(*(_parameters(side) for side in sides))
    unlike += _all_pairs(*_variant_models(before.experiment, after.experiment))
    kept = ({key: side.environment.get(key) for key in VERSIONS} for side in sides)
    return [*unlike, *_all_pairs(*kept)]


def _pairs(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Unlike]:
    shared = [key for key in one if key in other]
    return [Unlike(k, _text(one[k]), _text(other[k])) for k in shared if one[k] != other[k]]


def _all_pairs(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Unlike]:
    keys = dict.fromkeys([*one, *other])
    return [
        Unlike(key, _text(one.get(key, "")), _text(other.get(key, "")))
        for key in keys
        if one.get(key) != other.get(key)
    ]


def _text(value: Any) -> str:
    """A value on one line, never empty; a hash by its first twelve digits."""
    text = " ".join(str("—" if value in (None, "") else value).split())
    hexadecimal = len(text) >= 40 and all(c in "0123456789abcdef" for c in text)
    return text[:12] if hexadecimal else text


def _measuring(result: Result) -> dict[str, Any]:
    experiment = result.experiment
    found: dict[str, Any] = {
        "model.family": experiment.model.family,
        "measuring": result.facts.measuring,
    }
    latency = experiment.latency
    if latency:  # how warm a call is depends on them
        found["latency.warmup"] = latency.warmup
        found["latency.calls_per_block"] = latency.calls_per_block
    for part in experiment.quality:
        found[f"quality.{part.name}.normaliser"] = part.normaliser
        for judge in part.judges:
            own = {key: value for key, value in filed(judge).items() if key != "use"}
            found[f"quality.{part.name}.judges.{judge.use}"] = json.dumps(own)
    return found


def _judges(result: Result) -> dict[str, str]:
    """Version of each judge of audio, and the recogniser that its files name. Listeners are others
    in every test, and their version is the file of their scores."""
    found: dict[str, str] = {}
    judges, judged = (result.tables.get(name) for name in ("judges", "judged"))
    if judges is None or judged is None:  # a run of before there were any
        return {}
    for row in records(judges):
        name = f"judge {row['judge']} of {row['dataset']}"
        heard = rows(judged, dataset=row["dataset"], judge=row["judge"])
        if not (heard["rater"] != "").any():
            found[name] = str(row["version"])
        recogniser = parsed(row["notes"]).get("recogniser")
        if recogniser:
            found[f"{name}, recogniser"] = str(recogniser)
    return found


def _data(result: Result) -> dict[str, str]:
    """Hash of which clips each data set had; `speech` is the one that lengths were cut from."""
    experiment = result.experiment
    names, known = [part.name for part in experiment.quality], result.facts.data
    found = {f"data.{name}": known.get(name) or UNKNOWN for name in names}
    if experiment.latency and names:
        found["data of the latency stage"] = found[f"data.{names[0]}"]
    return found


def _own_metrics(result: Result) -> dict[str, str]:
    """Hash of each metric's file that is the user's own, as it was when it measured."""
    names = {m for part in result.experiment.quality for m in part.metrics}
    names |= {gate.metric for gate in result.experiment.gates}
    own = sorted(name for name in names if name.endswith(".py"))
    return {f"metric {n}": own_metrics.code(n, result.facts.own) or UNKNOWN for n in own}


def _models(result: Result) -> Iterator[tuple[str, Any]]:
    for row in result.tables["variants"].to_dict("records"):
        yield f"variant {row['variant']}", row["error"] or row["fingerprint"]
    yield "baseline", baseline(result)
    yield "candidate", candidate(result)[0]
    yield "candidate's session", candidate(result)[1]


def _sessions(result: Result) -> dict[str, str]:
    found = {}
    for config in result.experiment.sessions:
        said = {k: v for k, v in config.to_json().items() if k not in ("name", "note") and v}
        found[f"session {config.name}"] = str(said)
    return found


def _parameters(result: Result) -> dict[str, Any]:
    model = filed(result.experiment.model)
    own = {f"model.{k}": v for k, v in model.items() if k not in ("family", "source")}
    return {**own, "seed": result.experiment.seed}


def _variant_models(before: Experiment, after: Experiment) -> tuple[dict[str, str], dict[str, str]]:
    """Family and parameters of the variants that are in both runs and have a model of their own in
    one, a value for each side; what is everyone's model there stands for the one that has none."""
    own, models = [], []
    for experiment in (before, after):
        own.append({variant.name for variant in experiment.variants if variant.model})
        names = [variant.name for variant in experiment.variants]
        models.append({name: filed(experiment.model_of(name)) for name in names})
    both = [name for name in models[0] if name in models[1] and name in own[0] | own[1]]
    one, other = (
        {
            f"variant {name} model.{key}": json.dumps(value, sort_keys=True, ensure_ascii=False)
            for name in both
            for key, value in side[name].items()
        }
        for side in models
    )
    return one, other
