"""Outputs of a model, kept in a file and held against those of another model on the same item.

A file holds, one after the other, what the baseline did (its guide, as JSON) and each piece with
the name of its output: one piece is in memory at a time, however many there are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from harness.contracts import ComparableModel
from harness.errors import OutputError, limits
from harness.io.places import writing
from harness.run.worker import nearness

Piece = tuple[str, np.ndarray]
KINDS: Mapping[str, Callable[[], nearness.Added]] = {
    "outputs": nearness.OfOutputs,
    "logits": nearness.OfLogits,
}
BASELINES = "the baseline's"


def keep(model: ComparableModel, item: Any, names: Sequence[str], path: Path) -> None:
    """Write the outputs of these names to `path`, whole or not at all.

    Raises: OutputError for outputs that are not numbers or larger than the bound, StoreError where
    the disk refuses, and what the model raises.
    """
    guide = dict(model.guide(item, names))
    beside = path.with_name(path.name + ".partial")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)  # of a killed run; a link is not written through
        file = beside.open("xb")
    with file:
        _put(file, path, np.frombuffer(json.dumps(guide).encode(), np.uint8))
        for name, piece in _bounded(model.outputs(item, names, guide)):
            _put(file, path, np.frombuffer(name.encode(), np.uint8))
            _put(file, path, piece)
    with writing(path):
        beside.replace(path)


def compare(
    model: ComparableModel, item: Any, path: Path, compares: Mapping[str, str]
) -> dict[str, float]:
    """Figures of the model's outputs against those that `path` holds. `compares`: kind of
    comparison (outputs, logits) -> name of the output; a figure's name begins with its kind.

    Raises: OutputError for outputs of another name, number or shape than the baseline's, and for
    what is not a number; what the model raises.
    """
    sums = {kind: KINDS[kind]() for kind in compares}
    names = list(dict.fromkeys(compares.values()))
    with path.open("rb") as file:
        theirs = _pieces(file, path.stat().st_size)
        guide = json.loads(next(theirs)[1].tobytes())
        found = 0
        for name, piece in _real(model.outputs(item, names, guide)):
            known, reference = next(theirs, ("", np.empty(0)))
            if not known:
                raise OutputError(f"{name} comes in more pieces than {BASELINES}.")
            _alike((name, piece), (known, reference))
            for kind, wanted in compares.items():
                if wanted == name:
                    sums[kind].add(piece, reference, name)
            found += 1
        if next(theirs, None) is not None or not found:
            raise OutputError(f"{' and '.join(names)}: fewer pieces ({found}) than {BASELINES}.")
    return {f"{kind}.{name}": x for kind, one in sums.items() for name, x in one.figures().items()}


def _alike(mine: Piece, theirs: Piece) -> None:
    if mine[0] != theirs[0]:
        raise OutputError(f"gave the output {mine[0]} where {BASELINES} is {theirs[0]}.")
    if mine[1].shape != theirs[1].shape:
        raise OutputError(
            f"{mine[0]} has shape {list(mine[1].shape)}, {BASELINES} {list(theirs[1].shape)}: they "
            "cannot be compared."
        )


def _bounded(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Those that are real and finite, up to the bound. Raises: OutputError."""
    total, some = 0, False
    for name, piece in _real(pieces):
        total, some = total + piece.nbytes, True
        if total > limits.OUTPUT_BYTES:
            most = limits.OUTPUT_BYTES // limits.MEGABYTE
            raise OutputError(
                f"{name}: over {most:,} MB for one item, more than is kept to compare with; name a "
                "smaller `output`, or take shorter clips."
            )
        for part in np.array_split(piece.reshape(-1), max(1, piece.size // nearness.NUMBERS)):
            if not np.isfinite(part).all():
                raise OutputError(f"{name} holds what is not a finite number: nothing to compare.")
        yield name, piece
    if not some:
        raise OutputError("the model gave no output to compare with.")


def _real(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Pieces of numbers on one line of axes. Raises: OutputError for others."""
    for name, given in pieces:
        piece = np.asarray(given)
        if piece.dtype.kind not in "fiub":
            raise OutputError(f"{name} holds {piece.dtype}, not real numbers: nothing to compare.")
        yield name, piece


def _put(file: IO[bytes], path: Path, array: np.ndarray) -> None:
    with writing(path):
        np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)


def _pieces(file: IO[bytes], size: int) -> Iterator[Piece]:
    """The guide under the name "", then (name, piece) in order."""
    yield "", _take(file)
    while file.tell() < size:
        name = _take(file).tobytes().decode()
        yield name, _take(file)


def _take(file: IO[bytes]) -> np.ndarray:
    found: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
    return found
