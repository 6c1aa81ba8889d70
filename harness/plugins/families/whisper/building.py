"""Makes the FP32 folder: ONNX graphs from CTranslate2 weights, or an export's files as they are."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.errors import ModelError
from harness.plugins.families import _modelfiles
from harness.plugins.families.whisper import layouts, prompts
from harness.plugins.families.whisper.layouts import CONSTANTS, OWN, TOKENIZER, Constants
from harness.plugins.families.whisper.weights import Weights, read
from harness.runtime import graph

CTRANSLATE2 = "model.bin"


def build(source: Path, target: Path) -> None:
    """Our FP32 folder from a CTranslate2 folder (`model.bin`, `config.json`, `tokenizer.json`); the
    files of an ONNX folder of either layout are copied.
    The same source gives the same bytes.

    Raises: ModelError for a folder that is neither, or whose files are not as they should be.
    """
    if (source / CTRANSLATE2).is_file():
        from_ctranslate2(source, target)
    elif layouts.is_export(source):
        copy_export(source, target)
    else:
        raise ModelError(
            f"{source} is no Whisper source: it needs model.bin (CTranslate2) with config.json and "
            "tokenizer.json, or an ONNX export (encoder_model.onnx, decoder_model_merged.onnx)."
        )


def look(source: Path) -> None:
    """Whether `build` has what it needs. Raises: ModelError."""
    if (source / CTRANSLATE2).is_file():
        constants_of(read(source / CTRANSLATE2), _modelfiles.read_json(source / "config.json"))
    else:
        layout = layouts.find(source)
        layouts.constants(source, layout.kind)
        for path in layout.graphs.values():
            graph.external_files(path)
    _modelfiles.read_json(source / TOKENIZER)


def from_ctranslate2(source: Path, target: Path) -> None:
    """encoder.onnx, decoder.onnx, tokenizer.json and whisper.json. Raises: ModelError."""
    from harness.plugins.families.whisper import network

    weights = read(source / CTRANSLATE2)
    config = _modelfiles.read_json(source / "config.json")
    generation = source / "generation_config.json"
    more = _modelfiles.read_json(generation) if generation.is_file() else {}
    told = prompts.told_english_only(more, config)
    text = replace(constants_of(weights, config), english_only=told or None).text()
    if not (source / TOKENIZER).is_file():
        raise ModelError(f"{TOKENIZER} is missing in {source}.")
    shutil.copyfile(source / TOKENIZER, target / TOKENIZER)
    (target / CONSTANTS).write_text(text, encoding="utf-8", newline="\n")
    for role, made in (("encoder", network.encoder), ("decoder", network.decoder)):
        with graph.one_line(f"{CTRANSLATE2} does not fit Whisper's {role}", ModelError):
            data = made(weights).SerializeToString(deterministic=True)
        (target / OWN[role]).write_bytes(data)


def constants_of(weights: Weights, config: dict[str, Any]) -> Constants:
    """Shapes from the weights, suppressed tokens from CTranslate2's config. Raises: ModelError."""
    missing = [key for key in ("suppress_ids", "suppress_ids_begin") if key not in config]
    if missing:
        raise ModelError(f"config.json has no {', '.join(missing)}: it is not CTranslate2's.")
    with graph.one_line(f"{CTRANSLATE2} or config.json is not Whisper's", ModelError):
        return _constants(weights, config)


def _constants(weights: Weights, config: dict[str, Any]) -> Constants:
    return Constants(
        mels=int(weights["encoder/conv1/weight"].shape[1]),
        frames=2 * len(weights["encoder/position_encodings/encodings"]),
        positions=len(weights["decoder/position_encodings/encodings"]),
        suppress=tuple(config["suppress_ids"]),
        suppress_begin=tuple(config["suppress_ids_begin"]),
    )


def copy_export(source: Path, target: Path) -> None:
    """The graphs of the layout that `source` has, their external data and the JSON files.

    Raises: ModelError.
    """
    layout = layouts.find(source)
    found = [p for p in source.iterdir() if p.suffix in (".json", ".txt")]
    for path in layout.graphs.values():
        found += [path, *(path.parent / name for name in graph.external_files(path))]
    _modelfiles.copy(found, source, target)
