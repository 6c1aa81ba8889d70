"""Kokoro-82M: text to audio; StyleTTS 2 in one graph, a table of styles per voice, 24 kHz.

files: params (what an experiment sets) -> files (graph, voices, vocabulary of a folder) -> reading
(text -> signs that the model knows, cut to what it takes) -> model (the graph's inputs); sighting
(what `harness init` writes). Phonemes come from eSpeak NG (extra `tts`, GPL-3.0-or-later).

A folder holds one `.onnx` file and `voices*.npz`, `voices*.bin` (kokoro-onnx) or `voices/*.bin`
(onnx-community, one float32 table each), and perhaps the vocabulary (`config.json`, `vocab.json` or
`tokenizer.json`); without it the published one of Kokoro-82M v1.0 is used.

The letters that the model was trained on are eSpeak NG's for Spanish, French, Hindi, Italian and
Brazilian Portuguese. English, Japanese and Mandarin were trained on other dictionaries (misaki), so
that those languages sound foreign here. Nothing in the graph is drawn at random: the same text
always gives the same samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.contracts import Family, Feeds, Model, OpenSession
from harness.contracts.sightings import Sighting
from harness.plugins.families import _modelfiles, _synthesis
from harness.plugins.families.kokoro.params import Params
from harness.runtime import graph

__all__ = ["Params", "family"]


def build(source: Path, target: Path) -> None:
    """The folder's files, copied; an INT8 export stays what it is, no FP32 is made of it.

    Raises: ModelError for what is no Kokoro folder.
    """
    from harness.plugins.families.kokoro import files

    path = _synthesis.the_graph(source, files.WHAT)
    beside = sorted(path.parent / name for name in graph.external_files(path))
    found = [path, *beside, *files.voice_files(source), *files.vocabulary_files(source)]
    files.vocabulary(source)
    _modelfiles.copy(found, source, target)


def graphs(folder: Path) -> dict[str, Path]:
    """Raises: ModelError for a folder that is no Kokoro model."""
    from harness.plugins.families.kokoro import files

    path = _synthesis.the_graph(folder, files.WHAT)
    files.require_inputs(path, *_synthesis.signature(path))
    return {_synthesis.ROLE: path}


def open_model(folder: Path, open_session: OpenSession, params: Params) -> Model:
    """Raises: ModelError for files that do not fit, SpecError for a language or voice that is not
    there, ExtraError without the extra `tts`."""
    from harness.plugins.families.kokoro import model

    return model.open_model(folder, open_session, params)


def feeds(
    folder: Path, open_session: OpenSession, params: Params, texts: Iterable[str]
) -> Iterator[tuple[str, Feeds]]:
    """The inputs of the graph on real texts, for calibration."""
    from harness.plugins.families.kokoro import model

    return _synthesis.feeds(model.open_model(folder, open_session, params), texts)


def sight(path: Path, language: str) -> Sighting | None:
    """What `harness init` writes of a graph with voices beside it. Raises: ModelError."""
    from harness.plugins.families.kokoro import sighting

    return sighting.sight(path, language)


family = Family(
    Params=Params,
    sample_rate=24_000,
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
