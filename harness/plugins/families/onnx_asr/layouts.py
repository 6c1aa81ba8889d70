"""Finds which of onnx-asr's models a folder holds, by the file patterns of onnx-asr itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from harness.contracts import Comparable
from harness.errors import ExtraError, ModelError
from harness.plugins.families import _modelfiles
from harness.plugins.families.onnx_asr.params import NAMES, TYPES
from harness.runtime import graph

ENCODER, LOGITS = "encoder", "logits"  # outputs that can be compared
RELEASE = "0.12"  # whose code `sessions` was written for
# which types are looked for; the other names stand for the files of one of these
SOUGHT = (
    *(kind for kind in TYPES if kind != "kaldi-rnnt"), "gigaam-multilingual-ctc", "gigaam-v2-ctc",
    "gigaam-v2-rnnt", "gigaam-v3-e2e-ctc", "gigaam-v3-e2e-rnnt",
)  # fmt: skip


@dataclass(frozen=True)
class ModelFiles:
    """The files of one model, by onnx-asr's roles; `kinds` are the types that have these files."""

    kinds: tuple[str, ...]
    ending: str | None  # what the names of its graphs end in, such as "int8"; None: nothing
    graphs: dict[str, Path]
    others: tuple[Path, ...]  # vocabulary, config.json
    config: dict[str, Any] = field(default_factory=dict)


def require() -> None:
    """Raises: ExtraError where onnx-asr is missing or of another release than the sessions need."""
    try:
        found = metadata.version("onnx-asr")
    except metadata.PackageNotFoundError as error:
        raise ExtraError(
            "the family onnx_asr needs the onnx-asr package: "
            'pip install "onnx-speech-harness[onnx-asr]".'
        ) from error
    if not found.startswith(f"{RELEASE}."):
        raise ExtraError(
            f"onnx-asr {found} is installed; its sessions are taken over for {RELEASE}.* only: "
            f'pip install "onnx-speech-harness[onnx-asr]".'
        )


def find(folder: Path) -> ModelFiles:
    """The one model in `folder`.

    Raises: ModelError where there is none or several, ExtraError.
    """
    require()
    sought, found = _sought(folder), every(folder)
    if len(found) > 1:
        raise _modelfiles.several(folder, [list(one.graphs.values()) for one in found])
    if found:
        return found[0]
    raise ModelError(
        f"{folder.name} holds no model that onnx-asr opens: no complete set of graphs and "
        f"vocabulary of the type {' or '.join(sought)}."
    )


def every(folder: Path) -> list[ModelFiles]:
    """Each complete set of files in the folder, one for each precision. Raises: ModelError."""
    found: dict[frozenset[Path], ModelFiles] = {}
    for ending in (None, *_endings(folder)):
        for layout in _layouts(folder, _sought(folder), ending):
            found.setdefault(frozenset(layout.graphs.values()), layout)
    return list(found.values())


def _sought(folder: Path) -> tuple[str, ...]:
    """The type that config.json tells, else all."""
    told = read_config(folder).get("model_type")
    return (told,) if isinstance(told, str) and told in TYPES + NAMES else SOUGHT


def kind_of(layout: ModelFiles, model: str) -> str:
    """onnx-asr's name of the type: `model`, else what config.json says, else the only one.

    Raises: ModelError where nothing tells, or the files are not those of `model`.
    """
    told = model or str(layout.config.get("model_type", ""))
    if told in TYPES + NAMES:
        return told
    if len(layout.kinds) == 1:
        return layout.kinds[0]
    raise ModelError(
        f"config.json tells no model type: say `model: {' or '.join(layout.kinds)}` in the "
        "experiment, as onnx-asr names it."
    )


def outputs(folder: Path) -> tuple[Comparable, ...]:
    """The encoder's output, or the log-probabilities of a model of one graph; none of the Whisper
    whose graph decodes too. Raises: as `find`."""
    layout = find(folder)
    if ENCODER in layout.graphs:
        return (Comparable(ENCODER, False),)
    return () if "whisper-ort" in layout.kinds else (Comparable(LOGITS, True),)


def build(source: Path, target: Path) -> None:
    """Links the files of the model into `target`, or copies them where links are not possible.

    Raises: ModelError for a folder without one model, or without the weights of a graph.
    """
    layout = find(source)
    weights = [
        path.parent / name
        for path in layout.graphs.values()
        for name in sorted(graph.external_files(path))
    ]
    _modelfiles.copy([*layout.graphs.values(), *layout.others, *weights], source, target)


def read_config(folder: Path) -> dict[str, Any]:
    """config.json, {} where there is none. Raises: ModelError for one that is no JSON object."""
    path = folder / "config.json"
    return _modelfiles.read_json(path) if path.is_file() else {}


def _layouts(folder: Path, sought: Iterable[str], ending: str | None) -> list[ModelFiles]:
    """One for each different set of graphs; types that share a set share a layout."""
    found: dict[frozenset[Path], ModelFiles] = {}
    for kind in sought:
        files = _files(folder, kind, ending)
        graphs = {role: path for role, path in files.items() if path.suffix == ".onnx"}
        if not graphs:
            continue
        same = found.get(frozenset(graphs.values()))
        others = tuple(path for role, path in files.items() if role not in graphs)
        kinds = (*same.kinds, kind) if same else (kind,)
        others = tuple(sorted({*others, *(same.others if same else ())}))
        config = read_config(folder)
        found[frozenset(graphs.values())] = ModelFiles(kinds, ending, graphs, others, config)
    return list(found.values())


def _files(folder: Path, kind: str, ending: str | None) -> dict[str, Path]:
    """Role -> file, {} where one is missing or a pattern fits two."""
    from onnx_asr.loader import create_asr_resolver
    from onnx_asr.utils import ModelFileNotFoundError, MoreThanOneModelFileFoundError

    if not folder.is_dir():
        return {}
    resolver = create_asr_resolver(kind, folder, offline=True)
    try:
        return dict(resolver.resolve_model(quantization=ending))
    except (ModelFileNotFoundError, MoreThanOneModelFileFoundError):
        return {}


def _endings(folder: Path) -> list[str | None]:
    """The last part of the names of all graphs: `int8` of encoder-model.int8.onnx."""
    parts = {re.split(r"[._-]", path.stem)[-1] for path in folder.rglob("*.onnx")}
    return [*sorted(parts)]
