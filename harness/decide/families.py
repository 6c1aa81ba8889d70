"""Families of models as a result keeps them: ours say it in their files; of one of the user's own
its run stored what reports need, so that its code runs where it was measured and nowhere else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness import plugins
from harness.contracts import Composite, Family
from harness.contracts.experiment import Experiment, ModelSpec
from harness.contracts.plain import plain
from harness.decide import own_metrics
from harness.errors import HarnessError

FAMILIES = "families"  # of what a run stored of plugins of the user's own

Way = Literal["audio", "text"]


@dataclass(frozen=True)
class FamilyFacts:
    """What a report needs to know of a family. `words`: language -> key -> text; `remark`: the key
    of what is said of the times of its parts, "" for nothing."""

    takes: Way
    gives: tuple[Way, ...]
    operations: tuple[str, ...]
    words: Mapping[str, Mapping[str, str]]
    remark: str = ""


def of_model(model: ModelSpec, own: Mapping[str, Any]) -> FamilyFacts | None:
    """The family of a model as the experiment has it; None for one of which nothing was stored
    (`own` of a run's facts)."""
    if model.family in plugins.names(FAMILIES):
        return _facts(plugins.load(FAMILIES, model.family), model)
    return _heard(stored(own).get(model.family))


def facts(experiment: Experiment, load: Callable[[str], Family | Composite]) -> dict[str, Any]:
    """Name -> what is stored, of the families that are files of the user's own."""
    found = {}
    for model in _models(experiment):
        name = model.family
        if name.endswith(".py") and name not in found:
            told = _facts(load(name), model)
            found[name] = {
                "takes": told.takes,
                "gives": list(told.gives),
                "operations": list(told.operations),
                "words": told.words,
                "remark": told.remark,
            }
    return found


def stored(own: Mapping[str, Any]) -> Mapping[str, Any]:
    """Name -> what a run keeps of a family of the user's own."""
    return own_metrics.stored(own, FAMILIES)


def words_of(kept: Any) -> Mapping[str, Mapping[str, str]]:
    """The words of a stored family, which anybody may have written."""
    told = kept.get("words") if isinstance(kept, Mapping) else None
    return {
        str(language): {str(key): str(text) for key, text in texts.items()}
        for language, texts in (told.items() if isinstance(told, Mapping) else ())
        if isinstance(texts, Mapping)
    }


def _shaped(family: Family | Composite, model: ModelSpec) -> Family | Composite:
    """As its parameters make it; as it is where a result tells of none that it takes."""
    with contextlib.suppress(HarnessError):
        found: Family | Composite = plugins.shaped(family, plain(model))
        return found
    return family


def _facts(family: Family | Composite, model: ModelSpec) -> FamilyFacts:
    family = _shaped(family, model)
    words = {
        str(language): {str(key): str(text) for key, text in texts.items()}
        for language, texts in family.words.items()
    }
    remark = family.remark(plain(model)) if family.remark else ""
    return FamilyFacts(family.takes, family.gives, family.operations, words, str(remark))


def _heard(kept: Any) -> FamilyFacts | None:
    """What was stored, from what anybody may have written; older runs tell nothing."""
    if not isinstance(kept, Mapping):
        return None
    ways: Mapping[str, Way] = {"audio": "audio", "text": "text"}
    gives, operations = kept.get("gives"), kept.get("operations")
    if str(kept.get("takes")) not in ways or not isinstance(gives, list):
        return None
    return FamilyFacts(
        takes=ways[str(kept["takes"])],
        gives=tuple(ways[str(one)] for one in gives if str(one) in ways) or ("text",),
        operations=tuple(map(str, operations if isinstance(operations, list) else ())),
        words=words_of(kept),
        remark=str(kept.get("remark") or ""),
    )


def _models(experiment: Experiment) -> Iterator[ModelSpec]:
    """The experiment's models: its own, those of variants, and the parts of each."""
    for model in (experiment.model, *(one.model for one in experiment.variants)):
        if model:
            yield from _with_parts(model)


def _with_parts(model: ModelSpec) -> Iterator[ModelSpec]:
    yield model
    for part in model.parts.values():
        yield from _with_parts(part)
