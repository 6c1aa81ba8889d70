"""Reads the weights of a Whisper model from a CTranslate2 `model.bin`, without CTranslate2.

The file (format version 6) is little-endian: u32 version, the model kind as text, u32 revision,
u32 number of arrays; per array its name, u8 rank, u32 per dimension, u8 type, u32 bytes, the bytes;
then u32 number of aliases, each as two texts. A text is u16 length (with the closing zero) and
UTF-8. Source: CTranslate2's `python/ctranslate2/specs/model_spec.py` (`_serialize`).
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import ModelError

VERSION, KIND = 6, "WhisperSpec"
# CTranslate2's type numbers. 5 is bfloat16, which numpy lacks; 1 and 2 are quantized weights.
DTYPES: Mapping[int, str] = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}


@dataclass(frozen=True)
class Weights:
    """Named arrays as they lie in the file; `weights["decoder/..."]` is one as float32."""

    arrays: Mapping[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.arrays:
            raise ModelError(
                f"model.bin has no array {name!r}: it is not a complete Whisper model."
            )
        array = self.arrays[name]
        if array.dtype.kind != "f":
            raise ModelError(
                f"model.bin holds {name!r} as {array.dtype}: convert the model to CTranslate2 with "
                "quantization float16 or float32; the harness quantizes by itself."
            )
        return np.asarray(array, np.float32)

    def layers(self, part: str) -> int:
        """How many layers `part` ("encoder" or "decoder") has."""
        prefix = f"{part}/layer_"
        digits = {
            name[len(prefix) :].partition("/")[0] for name in self.arrays if name.startswith(prefix)
        }
        return sum(d.isdigit() for d in digits)

    def heads(self) -> int:
        """The number of attention heads, the same in encoder and decoder.

        Raises: ModelError where the file does not say.
        """
        found = {int(self.arrays[n]) for n in HEADS if n in self.arrays}
        if len(found) != 1:
            raise ModelError(f"model.bin must say one number of heads in {' and '.join(HEADS)}.")
        return found.pop()


HEADS = ("encoder/num_heads", "decoder/num_heads")


def read(path: Path) -> Weights:
    """The arrays of a CTranslate2 Whisper model, mapped from the file rather than loaded.

    Raises: ModelError for a file that is cut short, of another kind or of another format version.
    """
    with path.open("rb") as file:
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:  # mmap refuses an empty file
            raise ModelError(f"{path.name} is empty: not a CTranslate2 model.") from error
    try:
        return Weights(_arrays(_Reader(data), path.name))
    except (struct.error, ValueError) as error:  # no UTF-8, more dimensions than numpy has
        raise ModelError(f"{path.name} is cut short or not a CTranslate2 model.") from error


@dataclass
class _Reader:
    data: mmap.mmap
    at: int = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def text(self) -> str:
        (length,) = self.take("H")
        (raw,) = self.take(f"{length}s")
        return bytes(raw).rstrip(b"\0").decode()

    def array(self, name: str) -> np.ndarray:
        (rank,) = self.take("B")
        shape = self.take(f"{rank}I")
        kind, size = self.take("BI")
        if kind not in DTYPES:
            raise ModelError(
                f"model.bin holds {name!r} as CTranslate2 type {kind}: convert it to float16."
            )
        dtype = np.dtype(DTYPES[kind])
        count = math.prod(shape)
        if count * dtype.itemsize != size or self.at + size > len(self.data):
            raise struct.error(f"{name} does not hold {shape}")
        array = np.frombuffer(self.data, dtype, count, self.at).reshape(shape)
        self.at += size
        return array


def _arrays(reader: _Reader, name: str) -> dict[str, np.ndarray]:
    (version,) = reader.take("I")
    if version != VERSION:
        raise ModelError(f"{name} is not a CTranslate2 model of format version {VERSION}.")
    kind = reader.text()
    if kind != KIND:
        raise ModelError(f"{name} is a CTranslate2 {kind!r}; the whisper family needs {KIND!r}.")
    _, count = reader.take("II")
    arrays: dict[str, np.ndarray] = {}
    for _ in range(count):
        key = reader.text()
        arrays[key] = reader.array(key)
    (aliases,) = reader.take("I")
    for _ in range(aliases):
        alias, target = reader.text(), reader.text()
        if target not in arrays:
            raise ModelError(f"{name}: {alias!r} stands for {target!r}, which is not there.")
        arrays[alias] = arrays[target]
    return arrays
