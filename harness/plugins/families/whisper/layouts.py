"""Finds which Whisper files a folder holds, and what decoding needs to know beside the graphs.

Two layouts are opened. Ours: `encoder.onnx`, `decoder.onnx`, `tokenizer.json`, `whisper.json`. The
usual export's (optimum, transformers.js): `encoder_model.onnx` with `decoder_model_merged.onnx`, or
with `decoder_model.onnx` and `decoder_with_past_model.onnx`, each name perhaps ending in
`_quantized` or the like, in the folder or its `onnx/`; beside them `tokenizer.json`, `config.json`
and perhaps `generation_config.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.errors import ModelError
from harness.plugins.families import _modelfiles
from harness.plugins.families.whisper import prompts
from harness.plugins.families.whisper.onnxfile import signature

CONSTANTS, TOKENIZER = "whisper.json", "tokenizer.json"
OWN = {"encoder": "encoder.onnx", "decoder": "decoder.onnx"}
MERGED = {"encoder": "encoder_model", "decoder": "decoder_model_merged"}
SPLIT = {
    "encoder": "encoder_model",
    "decoder": "decoder_model",
    "decoder_with_past": "decoder_with_past_model",
}
# (inputs, outputs) that a graph must have at least, by layout and role
NEEDS: Mapping[str, Mapping[str, tuple[set[str], set[str]]]] = {
    "own": {
        "encoder": ({"features"}, {"cross_key_0", "cross_value_0"}),
        "decoder": (
            {"tokens", "self_key_0", "self_value_0", "cross_key_0", "cross_value_0"},
            {"logits", "present_key_0", "present_value_0"},
        ),
    },
    "merged": {
        "encoder": ({"input_features"}, {"last_hidden_state"}),
        "decoder": (
            {"input_ids", "encoder_hidden_states", "use_cache_branch"}
            | {"past_key_values.0.decoder.key", "past_key_values.0.encoder.key"},
            {"logits", "present.0.decoder.key", "present.0.encoder.key"},
        ),
    },
    "split": {
        "encoder": ({"input_features"}, {"last_hidden_state"}),
        "decoder": (
            {"input_ids", "encoder_hidden_states"},
            {"logits", "present.0.decoder.key", "present.0.encoder.key"},
        ),
        "decoder_with_past": (
            {"input_ids", "past_key_values.0.decoder.key", "past_key_values.0.encoder.key"},
            {"logits", "present.0.decoder.key"},
        ),
    },
}


@dataclass(frozen=True)
class GraphFiles:
    """Which layout ("own", "merged", "split") a folder has, and its graphs by role."""

    kind: str
    graphs: dict[str, Path]


@dataclass(frozen=True)
class Constants:
    """What decoding needs beside graphs and tokenizer; `frames` are the model's whole context."""

    mels: int
    frames: int
    positions: int
    suppress: tuple[int, ...]
    suppress_begin: tuple[int, ...]
    english_only: bool | None = None  # None: the tokenizer tells

    def text(self) -> str:
        """The same bytes each time, for `whisper.json`."""
        known = {key: value for key, value in asdict(self).items() if value is not None}
        return json.dumps(known, indent=1) + "\n"


def find(folder: Path) -> GraphFiles:
    """The layout of `folder`, every graph checked by its input and output names.

    Raises: ModelError that names the file which is missing, no ONNX or not a Whisper graph.
    """
    return fitting(_named(folder))


def fitting(layout: GraphFiles) -> GraphFiles:
    """The layout, if every graph has the inputs and outputs of it. Raises: ModelError."""
    for role, path in layout.graphs.items():
        inputs, outputs = NEEDS[layout.kind][role]
        found = signature(path)
        missing = sorted(inputs - found.inputs) + sorted(outputs - found.outputs)
        if missing:
            raise ModelError(
                f"{path.name} is not a Whisper {role} in the {layout.kind} layout: it has no input "
                f"or output {', '.join(missing)}; it has {', '.join(sorted(found.inputs)[:4])} -> "
                f"{', '.join(sorted(found.outputs)[:4])}."
            )
    return layout


def is_export(folder: Path) -> bool:
    """Whether the folder holds ONNX graphs already, of either layout, by name."""
    return any(any(p.glob("encoder*.onnx")) for p in (folder, folder / "onnx"))


def _named(folder: Path) -> GraphFiles:
    """The one model of a folder. Raises: ModelError where there is none, or several."""
    found = every(folder)
    if len(found) > 1:
        raise _modelfiles.several(folder, [list(one.graphs.values()) for one in found])
    if found:
        return found[0]
    raise ModelError(
        f"{folder} is no Whisper model: it needs encoder.onnx and decoder.onnx, or encoder_model"
        ".onnx with decoder_model_merged.onnx, or with decoder_model.onnx and decoder_with_past_"
        "model.onnx."
    )


def every(folder: Path) -> list[GraphFiles]:
    """Each complete set of graphs in the folder or its `onnx/`, by name."""
    found: list[GraphFiles] = []
    own = {role: folder / name for role, name in OWN.items()}
    if all(path.is_file() for path in own.values()):
        found.append(GraphFiles("own", own))
    for place in (folder, folder / "onnx"):
        found += _exports(place)
    return found


def _exports(place: Path) -> list[GraphFiles]:
    """One for each ending ("", "_quantized", "_fp16") under which a whole layout is there; merged
    rather than split, which hold the same weights."""
    found: dict[str, GraphFiles] = {}
    for kind, stems in (("merged", MERGED), ("split", SPLIT)):
        for suffix in _suffixes(place, stems):
            graphs = {r: place / f"{stem}{suffix}.onnx" for r, stem in stems.items()}
            found.setdefault(suffix, GraphFiles(kind, graphs))
    return list(found.values())


def _suffixes(place: Path, stems: Mapping[str, str]) -> list[str]:
    """The endings under which every graph of a layout is there."""
    first = stems["encoder"]
    endings = sorted(p.stem[len(first) :] for p in place.glob(f"{first}*.onnx"))
    return [e for e in endings if all((place / f"{s}{e}.onnx").is_file() for s in stems.values())]


def constants(folder: Path, kind: str) -> Constants:
    """What the JSON files of the folder say.

    Raises: ModelError for a file or key that is missing or not as expected.
    """
    if kind == "own":
        return _constants(CONSTANTS, _modelfiles.read_json(folder / CONSTANTS))
    config = _modelfiles.read_json(folder / "config.json")
    path = folder / "generation_config.json"
    # newer exports keep the suppressed tokens there; a model without any writes null
    generation = _modelfiles.read_json(path) if path.is_file() else config
    values: dict[str, Any] = {
        "english_only": prompts.told_english_only(generation, config),
        "mels": config.get("num_mel_bins"),
        "frames": _doubled(config.get("max_source_positions")),
        "positions": config.get("max_target_positions"),
        "suppress": generation.get("suppress_tokens") or (),
        "suppress_begin": generation.get("begin_suppress_tokens") or (),
    }
    return _constants("config.json", values)


def _doubled(value: Any) -> Any:
    return value * 2 if isinstance(value, int) else value


def _constants(name: str, values: Mapping[str, Any]) -> Constants:
    numbers = ("mels", "frames", "positions")
    lists = ("suppress", "suppress_begin")
    wrong = [k for k in numbers if not isinstance(values.get(k), int) or values[k] < 1]
    wrong += [k for k in lists if not _whole_numbers(values.get(k))]
    if wrong:
        raise ModelError(f"{name} does not say {', '.join(wrong)} of the Whisper model.")
    return Constants(
        mels=values["mels"],
        frames=values["frames"],
        positions=values["positions"],
        suppress=tuple(values["suppress"]),
        suppress_begin=tuple(values["suppress_begin"]),
        english_only=bool(told) if (told := values.get("english_only")) is not None else None,
    )


def _whole_numbers(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(v, int) for v in value)
