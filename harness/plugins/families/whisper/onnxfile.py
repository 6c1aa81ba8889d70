"""Reads the input and output names of an ONNX file in microseconds, without loading its weights.

The file is a protobuf message: fields of (number << 3 | wire type, payload). Weights are skipped by
their length, so memory and time do not grow with the model. Field numbers: onnx.proto, ModelProto
(7 graph), GraphProto (5 initializer, 11 input, 12 output), ValueInfoProto (1 name).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ModelError

GRAPH, INPUT, OUTPUT, NAME = 7, 11, 12, 1
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class Signature:
    """The names that a graph takes and gives."""

    inputs: frozenset[str]
    outputs: frozenset[str]


def signature(path: Path) -> Signature:
    """Input and output names of an ONNX file.

    Raises: ModelError for a file that is empty, cut short or no ONNX graph.
    """
    wrong = ModelError(
        f"{path.name} is not an ONNX file, or is cut short: make or download it again."
    )
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = _graph(data)
    except (ValueError, IndexError) as error:  # mmap refuses an empty file with ValueError
        raise wrong from error
    if not found.outputs:
        raise wrong
    return found


def _graph(data: mmap.mmap) -> Signature:
    inputs: set[str] = set()
    outputs: set[str] = set()
    for number, start, end in _fields(data, 0, len(data)):
        if number != GRAPH:
            continue
        for inner, first, last in _fields(data, start, end):
            if inner in (INPUT, OUTPUT):
                names = (inputs, outputs)[inner == OUTPUT]
                names.update(
                    data[a:b].decode() for n, a, b in _fields(data, first, last) if n == NAME
                )
    return Signature(frozenset(inputs), frozenset(outputs))


def _fields(data: mmap.mmap, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(field number, start, end of its payload); ValueError for what is no protobuf."""
    while at < end:
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        size = {FIXED64: 8, FIXED32: 4}.get(wire, 0)
        if wire == VARINT:
            _, stop = _varint(data, at)
            size = stop - at
        elif wire == LENGTH:
            size, at = _varint(data, at)
        if number == 0 or at + size > end or wire not in (VARINT, FIXED64, LENGTH, FIXED32):
            raise ValueError("not a protobuf message")
        yield number, at, at + size
        at += size


def _varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("not a protobuf number")
