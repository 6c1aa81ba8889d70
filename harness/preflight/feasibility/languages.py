"""Whether model, data and normaliser are of one language: each says its own, and none looks at the
others'."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.contracts import Composite, Family, Locate, Source
from harness.spec import Experiment, ModelSpec, Origin, Quality, load_plugin
from harness.speech import text

ENGLISH = "en"
# whisper-base.en, and what follows its name: whisper-base.en-int8, whisper-base.en/onnx
_ENGLISH_ONLY = re.compile(r"\.en(?![A-Za-z0-9])")


def told(experiment: Experiment, locate: Locate) -> list[str]:
    """One line for each data set whose speech the model is not told to hear, or whose texts have
    another language's normaliser; and for an English-only model that is told another language."""
    models = [experiment.model_of(variant.name) for variant in experiment.variants]
    lines = [line for model in models for line in _of_model(model)]
    for entry in experiment.quality:
        lines += _of_data(entry, models, locate)
    return list(dict.fromkeys(lines))


def _of_model(model: ModelSpec) -> Iterator[str]:
    for part in model.parts.values():
        yield from _of_model(part)
    said = _code(getattr(model.params, "language", ""))
    if model.source and english_only(model.source) and said not in ("", ENGLISH):
        yield (
            f"model: {_name(model.source)} is an English-only model by its name, and is told to "
            f"hear {said}; write `language: en`, or take a multilingual one"
        )


def _of_data(entry: Quality, models: list[ModelSpec], locate: Locate) -> Iterator[str]:
    source: Source = load_plugin("datasets", entry.dataset.use, locate)
    if not source.transcripts:
        return
    spoken = _spoken(entry)
    heard = dict.fromkeys(filter(None, (_heard(model, locate) for model in models)))
    for one in heard:
        if spoken and one != spoken:
            yield (
                f"{entry.name}: its speech is {spoken}, and a model is told to hear {one}; write "
                f"`language: {spoken}`, or take data in {one}"
            )
    wanted, is_of = text.LANGUAGES.get(entry.normaliser), spoken or next(iter(heard), "")
    if wanted and is_of and wanted != is_of:
        fit = next((name for name, code in text.LANGUAGES.items() if code == is_of), "generic")
        yield (
            f"{entry.name}: the normaliser `{entry.normaliser}` is for {wanted}, and its texts are "
            f"{is_of}; take `{fit}`"
        )


def _spoken(entry: Quality) -> str:
    """The language of a data set, where its parameters say it."""
    params = entry.dataset.params
    return _code(getattr(params, "locale", "") or getattr(params, "language", ""))


def _heard(model: ModelSpec, locate: Locate) -> str:
    """The language that a recogniser, or the first of a system, is told to write; "" for others."""
    family: Family | Composite = load_plugin("families", model.family, locate)
    if family.takes != "audio" or getattr(model.params, "task", "") == "translate":
        return ""
    own = _code(getattr(model.params, "language", ""))
    return own or next(filter(None, (_heard(part, locate) for part in model.parts.values())), "")


def english_only(origin: Origin) -> bool:
    """Whether a model's name says that it knows English alone, as Whisper's do."""
    return bool(_ENGLISH_ONLY.search(_name(origin)))


def _name(origin: Origin) -> str:
    return origin.asset or origin.hub or origin.path


def _code(language: object) -> str:
    """es of es-MX and es_419."""
    return re.split("[-_]", language)[0].lower() if isinstance(language, str) else ""
