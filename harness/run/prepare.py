"""What a run knows before it measures: models made, data sets opened, judges ready."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from harness import assets, store
from harness.contracts import Composite, Dataset, Family, Judge, Locate
from harness.decide import plan
from harness.decide.entry import Entry
from harness.decide.interim import Gates
from harness.errors import AssetError, ExtraError, ModelError, SpecError
from harness.io import hashes
from harness.run import labels
from harness.run.fidelity import Compares, compares_of, offered_by, wants_outputs
from harness.run.judging import Seat
from harness.run.pool import Tell
from harness.run.variants import Maker, code_of, make, packages_of
from harness.run.worker import server
from harness.runtime import environment
from harness.spec import Experiment, Use, load_family, load_plugin, locator
from harness.speech import audio, phonemes
from harness.store import tables
from harness.store.made import Made

MEASURING = 6  # raise it when the measuring code changes what a row means: all is measured anew


@dataclass(frozen=True)
class Setting:
    """What a run knows before it measures; `file` is the experiment's."""

    experiment: Experiment
    file: Path
    folder: Path
    environment: Mapping[str, Any]
    locate: Locate
    made: Mapping[str, Made]  # by variant; those that could not be made carry an error
    datasets: Mapping[str, Dataset]
    judges: Mapping[str, Sequence[Seat]] = field(default_factory=dict)  # by data set
    sounds: Mapping[str, audio.Sound] = field(default_factory=dict)  # by data set
    # by data set: which output of the models each kind of metric compares
    compares: Mapping[str, Compares] = field(default_factory=dict)

    @property
    def family(self) -> Family | Composite:
        """The family of the experiment's own model."""
        return self.family_of(self.experiment.baseline)

    def family_of(self, variant: str) -> Family | Composite:
        found: Family | Composite = load_family(self.experiment.model_of(variant), self.locate)
        return found

    def entry(self, variant: str, session: str, replica: int = 0) -> Entry:
        made = self.made[variant]
        opened = made.opening()
        return Entry(
            variant=variant,
            session=next(c for c in self.experiment.sessions if c.name == session),
            folder=made.folder,
            family=opened["family"],
            params=opened["params"],
            replica=replica,
            parts=opened["parts"],
        )

    def models(self) -> list[Made]:
        """The variants, and what judges are made of."""
        seats = [seat for some in self.judges.values() for seat in some]
        return [*self.made.values(), *(part for seat in seats for part in seat.parts.values())]

    def gates(self, chosen: str) -> Gates:
        """The gates, as a look at the run under way reads them."""
        return Gates(self.experiment, self.made, chosen, self.file)

    def key(self, entries: Sequence[Entry], *more: Any) -> str:
        """Hash of all that the rows of these entries depend on, and of whatever else is given."""
        cells = [
            (
                e.variant,
                e.replica,
                e.session.to_json(),
                self.made[e.variant].fingerprint,
                list(_codes(self.made[e.variant], self.locate)),
            )
            for e in entries
        ]
        machine = environment.fingerprint(dict(self.environment))
        packages = _packages([self.made[e.variant] for e in entries], self.locate)
        code = code_of(server.serve)
        shared = [MEASURING, machine, packages, code, self.experiment.seed]
        return store.digest([shared, cells, more])


def prepare(experiment: Experiment, folder: Path, file: Path, tell: Tell) -> Setting:
    """Get the model, make every variant, open the data sets and judges. Nothing is measured yet."""
    locate = locator(file)
    datasets = {q.name: dataset(q.dataset, locate) for q in experiment.quality}
    labels.require(experiment, datasets)
    maker = Maker(locate, tell.line)
    judges = {q.name: [_seat(use, maker) for use in q.judges] for q in experiment.quality}
    made = make(experiment, locate, tell.line)
    seats = [seat for some in judges.values() for seat in some]
    models = [*made.values(), *(part for seat in seats for part in seat.parts.values())]
    used = _packages(models, locate, *(seat.judge.open for seat in seats if seat.judge.open))
    machine = {**environment.describe(), **used}
    sounds = {name: audio.sound_of(data.utterances) for name, data in datasets.items()}
    setting = Setting(experiment, file, folder, machine, locate, made, datasets, judges, sounds)
    setting = replace(setting, compares=_compares(setting))
    _same_rate(setting)
    _heard(setting)
    _fitting(setting)
    _tell_narrow(setting, tell)
    return setting


def _compares(setting: Setting) -> dict[str, Compares]:
    """By data set. Raises: SpecError for an output that the model does not have."""
    experiment, base = setting.experiment, setting.made[setting.experiment.baseline]
    asking = [q for q in experiment.quality if wants_outputs(q, setting.locate)]
    if base.error or not asking:
        return {}
    params = experiment.model_of(experiment.baseline).params
    offered = offered_by(setting.family, base.folder, params)
    return {q.name: compares_of(q, offered, setting.locate) for q in asking}


def dataset(use: Use, locate: Locate) -> Dataset:
    """Open one data set of the experiment."""
    loaded: Dataset = load_plugin("datasets", use.use, locate).load(use.params, locate)
    return loaded


def _tell_narrow(setting: Setting, tell: Tell) -> None:
    """A line for each data set whose clips lack the upper part of what the model can hear."""
    if setting.family.takes != "audio":
        return
    for name, one in setting.sounds.items():
        said = audio.narrow(one, setting.family.sample_rate)
        if said and setting.datasets[name].notes.get("transcripts") != "none":
            tell.line(f"{name}: {said}.")


def noise() -> Dataset:
    """Noise about as loud as speech, for the times of a model that nothing evaluates yet."""
    source = load_plugin("datasets", "no_speech", Path)
    sounds = ("pink-20db", "brown-20db", "white-20db", "pink-40db")
    made: Dataset = source.load(source.Params(sounds=sounds, seconds=(30.0,)), Path)
    return made


def described(setting: Setting) -> dict[str, pd.DataFrame]:
    """The tables that say which data sets and judges those were."""
    entries = {entry.name: entry for entry in setting.experiment.quality}
    data = [
        {
            "dataset": name,
            "source": entries[name].dataset.use,
            "fingerprint": one.fingerprint,
            "planned": len(one.utterances),
            "unusable": int(one.notes.get("left_out", 0)),
            **_sounding(setting.sounds.get(name)),
            "notes": json.dumps(dict(one.notes), ensure_ascii=False, sort_keys=True),
        }
        for name, one in setting.datasets.items()
    ]
    judges = [
        {
            "dataset": name,
            "judge": seat.name,
            "version": seat.judge.version,
            "about": json.dumps(dict(seat.judge.about), ensure_ascii=False, sort_keys=True),
            "parameters": json.dumps(seat.body["params"], sort_keys=True, default=str),
            "notes": json.dumps(_notes(setting, seat), ensure_ascii=False, sort_keys=True),
        }
        for name, seats in setting.judges.items()
        for seat in seats
    ]
    return {"datasets": tables.frame("datasets", data), "judges": tables.frame("judges", judges)}


def _sounding(sound: audio.Sound | None) -> dict[str, Any]:
    if sound is None or not sound.rates:
        return {}
    return {"source_rates": json.dumps(sound.rates), "bandwidth_hz": sound.bandwidth_hz}


def _notes(setting: Setting, seat: Seat) -> dict[str, str]:
    """What was done to a listening test, and the systems in it that are no variants."""
    if seat.ratings is None:
        return {role: _named(model) for role, model in seat.parts.items()}
    known = {variant.name for variant in setting.experiment.variants}
    others = sorted({rating.system for rating in seat.ratings.rows} - known)
    return {**seat.ratings.notes, **({"other_systems": ", ".join(others)} if others else {})}


def _codes(made: Made, locate: Locate) -> Iterator[Any]:
    """Files, parameters and code of a model, and of the parts that it is made of."""
    for one, act in _models(made, locate):
        yield [one.fingerprint, dict(one.params), code_of(act)]


def _models(made: Made, locate: Locate) -> Iterator[tuple[Made, Callable[..., Any]]]:
    """A model and the parts that it is made of, each with what opens it."""
    family: Family | Composite = load_plugin("families", made.family, locate)
    yield made, family.assemble if isinstance(family, Composite) else family.open
    for part in made.parts.values():
        yield from _models(part, locate)


def _packages(made: Sequence[Made], locate: Locate, *more: Callable[..., Any]) -> Mapping[str, str]:
    """Versions of what computes the rows of these models (and of `more`), eSpeak NG's among them;
    it says its own, whatever package brought it."""
    acts = [act for one in made for _, act in _models(one, locate)]
    found = packages_of(server.serve, *acts, *more)
    if "espeakng-loader" in found:
        with contextlib.suppress(ExtraError):  # opening the voice says what is missing
            found["espeak-ng"] = phonemes.version()
    return found


def _named(made: Made) -> str:
    """A judge's part, as the report names it."""
    own = {key: value for key, value in made.params.items() if value not in (None, "")}
    told = ", ".join(f"{key} {value}" for key, value in own.items() if key == "language")
    return ", ".join(filter(None, (Path(made.family).stem, told, made.fingerprint[:12])))


def _seat(use: Use, maker: Maker) -> Seat:
    """A judge with all that it needs. Raises: AssetError, ModelError, ExtraError."""
    judge: Judge = load_plugin("judges", use.use, maker.locate)
    found = {name: assets.resolve({"asset": name}, maker.locate, maker.tell)
             for name in judge.assets}  # fmt: skip
    files = {name: folder for name, (folder, _) in found.items()}
    parts = {role: maker.model(model) for role, model in use.parts.items()}
    ratings = judge.ratings(use.params, maker.locate) if judge.ratings else None
    name = str(maker.locate(use.use)) if use.use.endswith(".py") else use.use
    about: list[Any] = [judge.version, {name: seal for name, (_, seal) in found.items()}]
    about += [{role: list(_codes(part, maker.locate)) for role, part in parts.items()}]
    act = judge.open or judge.ratings or _seat
    about += [code_of(server.serve), code_of(act), ratings and ratings.fingerprint]
    about += [_packages(list(parts.values()), maker.locate, act), _named_files(use.params)]
    return Seat(
        use.use,
        judge,
        {
            "judge": name,
            "params": asdict(use.params),
            "files": {asset: str(path) for asset, path in files.items()},
            "parts": {role: part.opening() for role, part in parts.items()},
        },
        store.digest([asdict(use.params), sorted(judge.assets), about]),
        ratings,
        parts,
    )


def _named_files(params: Any) -> dict[str, str]:
    """SHA-256 of each file on disk that a parameter names in full. Raises: AssetError."""
    values = {key: value for key, value in asdict(params).items() if isinstance(value, str)}
    paths = {key: Path(value) for key, value in values.items() if Path(value).is_absolute()}
    try:
        with hashes.Hashes() as known:
            return {key: known.of(path) for key, path in paths.items() if path.is_file()}
    except OSError as error:
        raise AssetError(f"{error.filename} cannot be read: {error.strerror or error}.") from error


def _heard(setting: Setting) -> None:
    """A model that hears gets nothing out of texts. Raises: SpecError."""
    if setting.family.takes != "audio":
        return
    for name, data in setting.datasets.items():
        first = data.utterances[: plan.PEEKED]
        if first and all(one.audio is None and not one.error for one in first):
            raise SpecError(f"quality {name}: holds texts and no audio; the model takes audio.")


def _fitting(setting: Setting) -> None:
    """Families that are told what their graphs take look at each variant before it is measured.

    Raises: ModelError where a variant does not fit, or gives what cannot be compared.
    """
    baseline = setting.made[setting.experiment.baseline]
    for name, made in setting.made.items():
        fits = getattr(setting.family_of(name), "fits", None)
        if fits is None or made.error:
            continue
        same = baseline.family == made.family and not baseline.error
        try:
            fits(baseline.folder if same else made.folder, made.folder)
        except ModelError as error:
            raise ModelError(f"variants: {name}: {error}") from error


def _same_rate(setting: Setting) -> None:
    """Lengths of speech are cut once for all variants. Raises: SpecError."""
    if setting.family.takes != "audio":
        return
    for variant in setting.experiment.variants:
        rate = setting.family_of(variant.name).sample_rate
        if rate != setting.family.sample_rate:
            raise SpecError(
                f"variants: {variant.name} takes audio at {rate} Hz, the baseline at"
                f" {setting.family.sample_rate} Hz; they cannot hear the same clips."
            )
