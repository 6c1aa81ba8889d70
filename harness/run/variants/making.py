"""Every variant of an experiment, made: its model's files, or the parts of a system."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from harness.assets import resolve
from harness.contracts import Composite, Dataset, Family, Locate, Method
from harness.errors import AudioError, HarnessError, QuantizeError
from harness.io.hashes import digest
from harness.run.variants import scripts
from harness.run.variants.code import code_of
from harness.run.variants.folders import (
    CalibrationItems,
    Tell,
    VariantFolder,
    as_it_is,
    build_baseline,
    quantize,
    quiet,
    without_files,
)
from harness.run.variants.picking import alone, picked
from harness.spec import Experiment, ModelSpec, Origin, Variant, load_family, load_plugin
from harness.speech import audio
from harness.store.made import Made


@dataclass(frozen=True)
class Maker:
    """Makes models; what two variants start from is made once."""

    locate: Locate
    tell: Tell = quiet
    _made: dict[str, VariantFolder] = field(default_factory=dict)

    def variant(self, experiment: Experiment, variant: Variant) -> Made:
        """Raises: AssetError, ModelError, QuantizeError, ExtraError."""
        model = variant.model or experiment.model
        family = load_family(model, self.locate)
        if isinstance(family, Composite):
            return self.system(model)
        if variant.source is not None:
            start = as_it_is(family, *self._source(variant.source))
        else:
            start = self._start(model, family)
        if variant.quantize is not None:
            method: Method = load_plugin("quantize", variant.quantize.use, self.locate)
            clips = None
            if method.needs_calibration:
                clips = _calibration(experiment, model, family, self.locate)
            start = quantize(family, start, (variant.quantize, method), clips, self.tell)
        return self._of(start, model)

    def model(self, model: ModelSpec) -> Made:
        """A model with the quantization that it carries itself: a part. Raises: as `variant`."""
        family = load_family(model, self.locate)
        if isinstance(family, Composite):
            return self.system(model)
        start = self._start(model, family)
        if model.quantize is not None:
            method: Method = load_plugin("quantize", model.quantize.use, self.locate)
            start = quantize(family, start, (model.quantize, method), None, self.tell)
        return self._of(start, model)

    def system(self, model: ModelSpec) -> Made:
        """A system made of parts; its record joins theirs. Raises: as `variant`."""
        parts = {role: self.model(part) for role, part in model.parts.items()}
        prints = {role: (one.fingerprint, one.params) for role, one in parts.items()}
        name = self.name(model.family)
        params = asdict(model.params)
        code = code_of(self.family(model.family).assemble)
        seal = digest([name, params, prints, code])
        return Made(Path(), seal, _joined(parts), "", name, params, parts)

    def family(self, name: str) -> Any:
        return load_plugin("families", name, self.locate)

    def name(self, family: str) -> str:
        """A family's name as a child process can load it."""
        return str(self.locate(family)) if family.endswith(".py") else family

    def _start(self, model: ModelSpec, family: Family) -> VariantFolder:
        if model.source is None:
            return without_files(family, model.family, model.params)
        own = asdict(model.params) if family.shaped else {}
        key = digest([model.family, asdict(model.source), own])
        if key not in self._made:
            source, origin = self._source(model.source)
            self._made[key] = build_baseline(family, source, origin, model.family, self.tell)
        return self._made[key]

    def _source(self, origin: Origin) -> tuple[Path, str]:
        """The folder that a source means and the SHA-256 over its files."""
        if origin.path and (file := self.locate(origin.path)).is_file():
            return alone(file, origin.files, self.tell)
        if origin.script:
            found = scripts.made(origin, self.locate, self.tell)
        else:
            found = resolve(asdict(origin), self.locate, self.tell)
        if (origin.path or origin.script) and origin.files:
            return picked(found[0], origin.files, self.tell)
        return found

    def _of(self, made: VariantFolder, model: ModelSpec) -> Made:
        name, params = self.name(model.family), asdict(model.params)
        return Made(made.folder, made.fingerprint, made.record, "", name, params)


def make(experiment: Experiment, locate: Locate, tell: Tell = quiet) -> dict[str, Made]:
    """Every variant of the experiment, by name, in its order.

    Raises: AssetError or ModelError where the experiment's model itself cannot be had; a variant
    that cannot be made is an entry with its error.
    """
    maker = Maker(locate, tell)
    base = maker.model(experiment.model)
    found = {}
    for variant in experiment.variants:
        try:
            found[variant.name] = maker.variant(experiment, variant)
        except HarnessError as error:
            tell(f"{variant.name}: {error}")
            why = str(error) or type(error).__name__
            found[variant.name] = Made(base.folder, "", {}, why, base.family, base.params)
    return found


def _joined(parts: Mapping[str, Made]) -> dict[str, Any]:
    """One record of all parts; what is by file or graph is named by its part first."""
    out: dict[str, Any] = {"parameters": {}, "versions": {}, "files": {}, "operators": {}}
    out["nodes"] = {}
    for role, made in parts.items():
        record = made.record
        out["versions"] |= record.get("versions", {})
        if record.get("method"):
            out["parameters"][role] = {"use": record["method"], **record["parameters"]}
        for name in ("files", "operators", "nodes"):
            out[name] |= {f"{role}/{key}": value for key, value in record.get(name, {}).items()}
    if not all(made.record.get("files") for made in parts.values()):
        out["files"] = {}  # a part runs elsewhere: how large the whole is, nobody knows
    methods = [made.record.get("method", "") for made in parts.values()]
    return {**out, "method": " + ".join(dict.fromkeys(filter(None, methods)))}


def _calibration(
    experiment: Experiment, model: ModelSpec, family: Family, locate: Locate
) -> CalibrationItems:
    if experiment.calibration is None:
        raise QuantizeError("a method that calibrates needs a calibration section.")
    use = experiment.calibration.dataset
    data: Dataset = load_plugin("datasets", use.use, locate).load(use.params, locate)
    items: Callable[[int], Iterable[Any]] = partial(_items, data, family)
    return CalibrationItems(items, data.fingerprint, model.params)


def _items(data: Dataset, family: Family, count: int) -> Iterator[Any]:
    """The first `count` items that can be used, as the family takes them."""
    for utterance in data.utterances:
        if count <= 0:
            return
        if utterance.error or (family.takes == "audio" and utterance.audio is None):
            continue
        if family.takes == "text":
            yield utterance.text
        elif utterance.audio is not None:
            try:
                given = utterance.audio, family.sample_rate, utterance.part, utterance.seconds
                yield audio.decode(*given)
            except AudioError:
                continue
        count -= 1
