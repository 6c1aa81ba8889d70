"""What `harness init` writes of a folder of onnx-asr: its type, where the files tell it."""

from __future__ import annotations

from pathlib import Path

from harness.contracts.sightings import Sighting
from harness.errors import ExtraError, ModelError
from harness.plugins.families import _modelfiles
from harness.plugins.families.onnx_asr import layouts
from harness.plugins.families.onnx_asr.params import NAMES, TYPES, Params
from harness.runtime import graph


def sight(path: Path, language: str) -> Sighting | None:
    """A folder of one of onnx-asr's models, or one graph of it, which tells the precision. One
    whose config.json tells another library's type is not onnx-asr's, nor is any without it.

    Raises: ModelError for several models, or weights that are missing.
    """
    folder = path if path.is_dir() else path.parent
    told = layouts.read_config(folder).get("model_type")
    if told is not None and told not in TYPES + NAMES:
        return None
    try:
        layouts.require()
    except ExtraError:
        return None
    found = layouts.every(folder)
    if path.is_file():
        found = [one for one in found if path in one.graphs.values()]
    if not found:
        return None
    if len(found) > 1:
        raise _modelfiles.which(folder, [list(one.graphs.values()) for one in found])
    return _sighting(folder, found[0], path.is_file(), language)


def _sighting(folder: Path, layout: layouts.ModelFiles, one: bool, language: str) -> Sighting:
    for path in layout.graphs.values():
        graph.external_files(path)
    names = [p.relative_to(folder).as_posix() for p in (*layout.graphs.values(), *layout.others)]
    try:
        kind, lacking = layouts.kind_of(layout, ""), ""
    except ModelError as error:
        kind, lacking = "", str(error)
    told = {"model": kind} if kind and not layout.config.get("model_type") else {}
    return Sighting(
        f"{kind or ' or '.join(layout.kinds)} of onnx-asr",
        folder,
        files=tuple(names) if one else (),
        params={**told, "language": language or Params.language},
        why={
            "model": "onnx-asr's name of the type, the only one with these files",
            "language": "forced upon Whisper and Canary; the others have one or find it",
        },
        graphs=tuple(layout.graphs.values()),
        lacking=lacking,
        distance=1,
    )
