"""Reads a Piper voice's JSON file: sample rate, language, phoneme ids, speakers, scales."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import ModelError
from harness.plugins.families._modelfiles import read_json
from harness.plugins.families._synthesis import no_such

PAD, BEGIN, END = "_", "^", "$"


@dataclass(frozen=True)
class Voice:
    """What the JSON file says; `ids` maps a sign to its phoneme ids."""

    sample_rate: int
    phoneme_type: str  # "espeak", or "text": the letters themselves are the phonemes
    language: str  # eSpeak NG's name
    ids: Mapping[str, tuple[int, ...]]
    speakers: Mapping[str, int]
    speaker_count: int
    length_scale: float

    def speaker(self, name: str) -> int:
        """The id of a speaker by name or number, the first one for "". Raises: SpecError."""
        if not name:
            return 0
        if name in self.speakers:
            return self.speakers[name]
        if name.isdecimal() and int(name) < self.speaker_count:
            return int(name)
        known = sorted(self.speakers) or [str(n) for n in range(self.speaker_count)]
        raise no_such("speaker", name, known)


def beside(path: Path) -> Path:
    """The JSON file of an ONNX file: x.onnx.json, else x.json or config.json."""
    own = path.with_name(path.name + ".json")
    others = (path.with_suffix(".json"), path.with_name("config.json"))
    return next((one for one in (own, *others) if one.is_file()), own)


def is_one(path: Path) -> bool:
    """Whether the JSON file beside an ONNX file is a voice's, whole or not."""
    return beside(path).is_file() and "phoneme_id_map" in read_json(beside(path))


def inputs(voice: Voice) -> set[str]:
    """Names of the graph's inputs."""
    return {"input", "input_lengths", "scales"} | ({"sid"} if voice.speaker_count > 1 else set())


def read(path: Path) -> Voice:
    """The voice of an ONNX file.

    Raises: ModelError for a JSON file that is missing or does not say what is needed.
    """
    name, values = beside(path).name, read_json(beside(path))
    try:
        voice = _voice(values)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ModelError(f"{name} is no Piper voice's: {type(error).__name__} {error}.") from error
    if voice.phoneme_type not in ("espeak", "text"):
        raise ModelError(f"{name}: phonemes of type {voice.phoneme_type!r} are not supported.")
    if missing := [sign for sign in (PAD, BEGIN, END) if sign not in voice.ids]:
        raise ModelError(f"{name}: phoneme_id_map has no {' '.join(missing)}.")
    return voice


def _voice(values: Mapping[str, Any]) -> Voice:
    ids = {sign: _ids(found) for sign, found in values["phoneme_id_map"].items()}
    rate = int(values["audio"]["sample_rate"])
    if rate <= 0:
        raise ValueError("audio.sample_rate must be positive")
    return Voice(
        sample_rate=rate,
        phoneme_type=_phoneme_type(values.get("phoneme_type")),
        language=_language(values),
        ids=ids,
        speakers={str(k): int(v) for k, v in (values.get("speaker_id_map") or {}).items()},
        speaker_count=int(values.get("num_speakers") or 1),
        length_scale=float((values.get("inference") or {}).get("length_scale") or 1.0),
    )


def _phoneme_type(told: Any) -> str:
    """ "espeak" of "PhonemeType.ESPEAK", as Python's enumerations are written by some exports."""
    name = str(told or "espeak").rpartition(".")[2].strip().lower()
    return "espeak" if name in ("espeak-ng", "espeak_ng", "espeakng") else name


def _ids(found: Any) -> tuple[int, ...]:
    """The ids of a sign: a list, or one alone."""
    return tuple(map(int, found)) if isinstance(found, list) else (int(found),)


def _language(values: Mapping[str, Any]) -> str:
    """eSpeak NG's name: the voice's own, else the language that the file names."""
    own = (values.get("espeak") or {}).get("voice")
    told = values.get("language") or {}
    if isinstance(told, Mapping):
        told = told.get("family") or str(told.get("code") or "").partition("_")[0]
    return str(own or told or "")
