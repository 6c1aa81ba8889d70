"""Finds a Kokoro folder's graph inputs, its voices and the vocabulary of its signs."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import ModelError, limits
from harness.plugins.families import _modelfiles, _synthesis

WHAT = "Kokoro model"
TOKENS = ("tokens", "input_ids")  # kokoro-onnx, onnx-community
STYLE_SIZE = 256
# what numpy raises for an archive that is none, is cut short, holds pickles or absurd shapes
NPZ_ERRORS = (
    ValueError, OSError, EOFError, AttributeError, TypeError, KeyError, MemoryError, RuntimeError,
    OverflowError, SyntaxError, zipfile.BadZipFile, zlib.error, NotImplementedError,
)  # fmt: skip
VOCABULARIES = ("vocab.json", "config.json", "tokenizer.json")

# "vocab" of config.json in huggingface.co/hexgrad/Kokoro-82M (Apache-2.0), as (first id, signs)
_PUBLISHED = (
    (1, ";:,.!?"), (9, "—…\"()“” \u0303ʣʥʦʨᵝ\uab67"), (24, "AI"), (31, "O"), (33, "Q"), (35, "ST"),
    (39, "W"), (41, "Yᵊabcdef"), (50, "hijklmnopqrstuvwxyzɑɐɒæ"), (75, "βɔɕç"), (80, "ɖðʤə"),
    (85, "ɚɛɜ"), (90, "ɟ"), (92, "ɡ"), (99, "ɥ"), (101, "ɨɪʝ"), (110, "ɯɰŋɳɲɴø"), (118, "ɸθœ"),
    (123, "ɹ"), (125, "ɾɻ"), (128, "ʁɽʂʃʈʧ"), (135, "ʊʋ"), (138, "ʌɣɤ"), (142, "χʎ"),
    (147, "ʒʔ"), (156, "ˈˌː"), (162, "ʰ"), (164, "ʲ"), (169, "↓"), (171, "→↗↘"), (177, "ᵻ"),
)  # fmt: skip


def published_vocabulary() -> dict[str, int]:
    """Sign -> id of Kokoro-82M v1.0."""
    return {sign: first + n for first, signs in _PUBLISHED for n, sign in enumerate(signs)}


def vocabulary_files(folder: Path) -> list[Path]:
    return [folder / name for name in VOCABULARIES if (folder / name).is_file()]


def vocabulary(folder: Path) -> dict[str, int]:
    """Sign -> id as the folder says, else as published. Raises: ModelError for another file."""
    for path in vocabulary_files(folder):
        values = _modelfiles.read_json(path)
        model = values.get("model")
        found = values.get("vocab", model.get("vocab") if isinstance(model, dict) else None)
        if found is not None:
            return _checked(path, found)
    return published_vocabulary()


def _checked(path: Path, found: Any) -> dict[str, int]:
    if not isinstance(found, dict) or not all(isinstance(v, int) for v in found.values()):
        raise ModelError(f"{path.name}: vocab must map signs to whole numbers.")
    return {sign: number for sign, number in found.items() if len(sign) == 1 and number > 0}


def voice_files(folder: Path) -> list[Path]:
    """The tables of styles. Raises: ModelError where there is none."""
    whole = [p for p in sorted(folder.glob("voices*")) if p.suffix in (".npz", ".bin")]
    found = whole[:1] or sorted(folder.glob("voices/*.bin"))
    if not found:
        raise ModelError(f"{folder.name} has no voices: voices*.npz, voices*.bin or voices/*.bin.")
    return found


def voices(folder: Path) -> list[str]:
    """Names of the voices. Raises: ModelError where there is none, or for a file without tables."""
    paths = voice_files(folder)
    if paths[0].parent.name == "voices":
        return [path.stem for path in paths]
    try:
        with np.load(paths[0], allow_pickle=False) as tables:
            return sorted(tables.files)
    except NPZ_ERRORS as error:
        raise _no_tables(paths[0]) from error


def styles(folder: Path, voice: str) -> np.ndarray:
    """The voice's style for each length, shape (lengths, 256).

    Raises: SpecError for a voice that is not there, ModelError for a file that holds none.
    """
    paths = voice_files(folder)
    table = _raw(paths, voice) if paths[0].parent.name == "voices" else _named(paths[0], voice)
    if table.size == 0 or table.size % STYLE_SIZE:
        raise ModelError(f"voice {voice!r} has shape {table.shape}, it must be (lengths, 1, 256).")
    return table.reshape(-1, STYLE_SIZE)


def _require_size(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """Raises: ModelError for tables that unpack to more than voices take."""
    if any(member.file_size > limits.VOICE_BYTES for member in members):
        most = limits.VOICE_BYTES // limits.MEGABYTE
        raise ModelError(f"{path.name}: a table of it is over {most} MB; Kokoro's voices take 1.")


def _raw(paths: list[Path], voice: str) -> np.ndarray:
    """The table of a file of its own."""
    found = {path.stem: path for path in paths}
    if voice not in found:
        raise _synthesis.no_such("voice", voice, sorted(found))
    if found[voice].stat().st_size > limits.VOICE_BYTES:
        most = limits.VOICE_BYTES // limits.MEGABYTE
        raise ModelError(f"{found[voice].name} is over {most} MB; Kokoro's voices take 1.")
    return np.fromfile(found[voice], "<f4")


def _named(path: Path, voice: str) -> np.ndarray:
    """One of the tables in NumPy's archive."""
    try:
        with np.load(path, allow_pickle=False) as tables:
            names = sorted(tables.files)
            _require_size(path, tables.zip.infolist())
            table = np.asarray(tables[voice], np.float32) if voice in names else None
    except NPZ_ERRORS as error:
        raise _no_tables(path) from error
    if table is None:
        raise _synthesis.no_such("voice", voice, names)
    return table


def _no_tables(path: Path) -> ModelError:
    return ModelError(f"{path.name} holds no voices (NumPy's npz, a table each).")


def require_inputs(path: Path, inputs: set[str], outputs: int) -> str:
    """The name of the input for signs. Raises: ModelError for a graph with other inputs."""
    tokens = next((name for name in TOKENS if name in inputs), TOKENS[0])
    _synthesis.require_signature(path, (inputs, outputs), ({tokens, "style", "speed"}, WHAT))
    return tokens
