"""Piper: text to audio; any Piper voice (a VITS graph `*.onnx` with its `*.onnx.json`).

files: params (what an experiment sets) -> voice (the JSON file: rate, phoneme ids, scales) -> model
(sentences -> inputs of the graph). Phonemes come from eSpeak NG (extra `tts`, GPL-3.0-or-later).

VITS draws noise twice in every run, for the durations and for the sound, so that the same text is
never said twice alike and two variants would differ for that reason alone. `noise_scale` and
`noise_w` are therefore 0 here: the most likely reading, the same each time, and a pair of variants
differs only by what was done to the weights. The voice's own values (0.667 and 0.8 as a rule) sound
livelier; set them to hear a voice as it ships, and expect wider intervals.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.contracts import Family, Feeds, Model, OpenSession
from harness.contracts.sightings import Sighting
from harness.plugins.families import _modelfiles, _synthesis
from harness.plugins.families.piper.params import Params
from harness.runtime import graph

__all__ = ["Params", "family"]

WHAT = "Piper voice"


def build(source: Path, target: Path) -> None:
    """The voice's two files, copied. Raises: ModelError for what is no Piper voice."""
    from harness.plugins.families.piper import voice

    path = _synthesis.the_graph(source, WHAT)
    voice.read(path)
    beside = sorted(path.parent / name for name in graph.external_files(path))
    _modelfiles.copy([path, voice.beside(path), *beside], source, target)


def graphs(folder: Path) -> dict[str, Path]:
    """Raises: ModelError for a folder that is no Piper voice."""
    from harness.plugins.families.piper import voice

    path = _synthesis.the_graph(folder, WHAT)
    wanted = voice.inputs(voice.read(path))
    _synthesis.require_signature(path, _synthesis.signature(path), (wanted, WHAT))
    return {_synthesis.ROLE: path}


def open_model(folder: Path, open_session: OpenSession, params: Params) -> Model:
    """Raises: ModelError for files that do not fit, SpecError for a language or speaker that is not
    there, ExtraError without the extra `tts`."""
    from harness.plugins.families.piper import model

    return model.open_model(folder, open_session, params)


def feeds(
    folder: Path, open_session: OpenSession, params: Params, texts: Iterable[str]
) -> Iterator[tuple[str, Feeds]]:
    """The inputs of the graph on real texts, for calibration."""
    from harness.plugins.families.piper import model

    return _synthesis.feeds(model.open_model(folder, open_session, params), texts)


def sight(path: Path, language: str) -> Sighting | None:
    """What `harness init` writes of a voice: a graph with the JSON file of one beside it.

    Raises: ModelError for a voice that lacks something, or several in a folder.
    """
    from harness.plugins.families.piper import voice

    found = [path] if path.is_file() else _synthesis.every(path)
    found = [one for one in found if voice.is_one(one)]
    if not found:
        return None
    if len(found) > 1:
        raise _modelfiles.which(path, [[one] for one in found])
    (one,) = found
    known = voice.read(one)
    _synthesis.require_signature(one, _synthesis.signature(one), (voice.inputs(known), WHAT))
    own = known.language.partition("-")[0]
    other = {"language": language} if language not in ("", own) else {}
    return Sighting(
        f"Piper voice, {known.language}, {known.sample_rate} Hz",
        path,
        files=(voice.beside(one).name,) if path.is_file() else (),
        params=other,
        why={"language": f"asked for; the voice was made for {known.language}"},
        language=language or own,
        graphs=(one,),
    )


family = Family(
    Params=Params,
    sample_rate=22_050,  # of medium and high voices; each output says its own
    operations=_synthesis.OPERATIONS,
    build=build,
    graphs=graphs,
    look=graphs,
    sight=sight,
    open=open_model,
    feeds=feeds,
    takes="text",
    gives=("audio",),
    words=_synthesis.WORDS,
)
