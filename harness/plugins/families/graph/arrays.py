"""Arrays that do not depend on the sound: zeros, constants, sizes, ids, those of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import ModelError, limits
from harness.errors.nearest import nearest
from harness.io.places import bounded
from harness.plugins.families.graph import shapes
from harness.plugins.families.graph.arithmetic import ExpressionError, parse
from harness.plugins.families.graph.binding import Bound, GraphStage
from harness.plugins.families.graph.params import Input
from harness.runtime.session.running import DTYPES

Names = Mapping[str, Fraction]


def made(one: Bound, names: Names, folder: Path) -> np.ndarray:
    """The array of an input of kind "rest" in the type that the graph declares.

    Raises: ModelError for numbers that do not fill the shape or do not fit the type.
    """
    where = f"input {one.slot.name!r}"
    shape = tuple(shapes.size_of(size, names, where) for size in one.axes if size is not None)
    shapes.require_room(int(np.prod(shape, dtype=np.float64)), where)
    dtype = DTYPES[one.slot.type]
    if one.how.from_ == "npz":
        found = stored(one.how, folder)
        if not np.can_cast(found.dtype, dtype, "same_kind"):
            raise ModelError(f"{where} is {one.slot.plain}, {one.how.file} holds {found.dtype}.")
        return _shaped(found, shape, where, bool(one.axes)).astype(dtype)
    listed = _listed(one.how, names, where)
    if isinstance(listed, tuple):
        return _shaped(_typed(np.array(listed), dtype, where), shape, where)
    return np.full(shape, _typed(np.array(listed), dtype, where), dtype)


def _listed(how: Input, names: Names, where: str) -> Any:
    if how.from_ == "ids":
        return how.ids
    if how.from_ == "value":
        return how.value
    if how.from_ != "dim":
        return 0
    try:
        found = parse(how.of)(names)
    except ExpressionError as error:
        raise ModelError(f"{where}: {error}.") from error
    return int(found) if found.denominator == 1 else float(found)


def _typed(found: np.ndarray, dtype: Any, where: str) -> np.ndarray:
    typed = found.astype(dtype)
    if np.issubdtype(dtype, np.integer) and not np.array_equal(typed, found):
        raise ModelError(f"{where}: {found.ravel()[:8].tolist()} does not fit {dtype.__name__}.")
    return typed


def _shaped(found: np.ndarray, shape: tuple[int, ...], where: str, must: bool = True) -> np.ndarray:
    if not must:
        return found
    if found.size != int(np.prod(shape)):
        raise ModelError(f"{where}: {found.size} numbers do not fill the shape {list(shape)}.")
    return found.reshape(shape)


def stored(how: Input, folder: Path) -> np.ndarray:
    """An array of an npz file beside the graph. Raises: ModelError."""
    path = folder / how.file
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ModelError(f"npz: {how.file[:80]!r} must be a file in the model's folder.")
    try:
        bounded(path, limits.VOICE_BYTES)
        with np.load(path, allow_pickle=False) as found:
            keys = list(getattr(found, "files", ()))
            key = how.key or (keys[0] if len(keys) == 1 else "")
            if key not in keys:
                said = (
                    f"npz: {how.file} has no {key!r}" if key else f"npz: write `key:`, {how.file}"
                )
                raise ModelError(f"{said}.{nearest(key, keys)}" if key else f"{said} holds {keys}.")
            return _within(found, key, how)
    except FileNotFoundError as error:
        raise ModelError(f"npz: the model's folder has no {how.file[:80]!r}.") from error
    except (OSError, ValueError, EOFError) as error:
        raise ModelError(f"npz: {how.file[:80]} cannot be read: {str(error)[:100]}.") from error


def _within(found: Any, key: str, how: Input) -> np.ndarray:
    """Its size as the archive says it, before it is unpacked."""
    member = found.zip.getinfo(next(n for n in found.zip.namelist() if n in (key, f"{key}.npy")))
    if member.file_size > limits.VOICE_BYTES:
        raise ModelError(f"npz: {how.file}: {key} takes {member.file_size:,} bytes unpacked.")
    array: np.ndarray = found[key]
    if array.dtype.kind not in "fiub":
        raise ModelError(f"npz: {how.file}: {key} holds {array.dtype}, no numbers.")
    return array


def require(stages: Sequence[GraphStage], folder: Path) -> None:
    """Every array of a file is there and of the shape that its input takes. Raises: ModelError."""
    for stage in stages:
        for one in stage.inputs:
            if one.how.from_ != "npz":
                continue
            found = stored(one.how, folder)
            if not one.axes and (wrong := shapes.unlike(found.shape, one.slot.shape)):
                raise ModelError(
                    f"{stage.signature.file}: input {one.slot.name!r} is {one.slot.plain}, "
                    f"{one.how.file} holds {list(found.shape)}: {wrong}."
                )
