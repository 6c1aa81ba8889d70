"""The shape of each input: what the experiment writes, else the graph's own sizes and names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from harness.errors import ModelError
from harness.plugins.families.graph.arithmetic import Expression, ExpressionError, parse
from harness.plugins.families.graph.features import frames_of
from harness.plugins.families.graph.guessing import USUAL_MELS
from harness.plugins.families.graph.params import Input
from harness.plugins.families.graph.signatures import Size, Slot

Axes = tuple[Expression | None, ...]  # a size each; None: as long as the clip
ONES = ("batch", "batch_size", "B", "N", "bs")  # names of a dimension that is 1 here
MOST_ELEMENTS = 2**28  # of one input: 1 GB of floats


@dataclass(frozen=True)
class Time:
    """The time axis of the audio: which axis, its size as an expression, and for a clip of a few
    seconds."""

    axis: int
    text: str
    tried: int


def unlike(one: tuple[Size, ...] | None, other: tuple[Size, ...] | None) -> str:
    """What keeps one shape from being the other, "" for nothing; open sizes fit all."""
    if one is None or other is None or not one or not other:  # a rank that nobody knows
        return ""
    if len(one) != len(other):
        return f"{len(one)} dimensions are not {len(other)}"
    for a, b in zip(one, other, strict=True):
        if isinstance(a, int) and isinstance(b, int) and a != b:
            return f"{a} is not {b}"
    return ""


def axes(slot: Slot, how: Input, names: Mapping[str, Fraction], where: str) -> Axes:
    """The size of each dimension. Raises: ModelError."""
    if how.shape:
        found: Axes = tuple(map(parse, how.shape))
    elif how.from_ == "npz":
        return ()
    else:
        found = _own(slot, how, names, where)
    _check(found, slot, names, where)
    return found


def _own(slot: Slot, how: Input, names: Mapping[str, Fraction], where: str) -> Axes:
    """As the graph has it."""
    if slot.shape is None:
        raise ModelError(f"{where} is {slot.plain}: write its `shape`.")
    listed = how.ids or (how.value if isinstance(how.value, tuple) else ())
    audio = how.from_ in ("samples", "log_mel")
    time = _time_axis(slot, how) if audio else len(slot.shape) - 1 if listed else -1
    found: list[Expression | None] = []
    for axis, size in enumerate(slot.shape):
        if isinstance(size, int) or size in names:
            found.append(parse(size))
        elif axis == time:
            found.append(None if audio else parse(len(listed)))
        elif how.from_ == "log_mel" and axis in _mel_axes(slot):
            found.append(parse(how.mels))
        elif audio or size in ONES:
            found.append(parse(1))
        else:
            raise ModelError(_open(slot, size, axis, where))
    return tuple(found)


def _open(slot: Slot, size: str, axis: int, where: str) -> str:
    if size.isidentifier():
        return (
            f"{where} is {slot.plain}: nothing gives the dimension {size!r} a value; write "
            f"`dims: {{{size}: ...}}`."
        )
    return (
        f"{where} is {slot.plain}: its dimension {axis} has no name; write "
        f"`inputs: {{{slot.name}: {{from: ..., shape: [...]}}}}`."
    )


def _check(found: Axes, slot: Slot, names: Mapping[str, Fraction], where: str) -> None:
    """The graph's own fixed sizes, tried for a clip of a few seconds."""
    own = slot.shape if slot.shape is not None else (None,) * len(found)
    if len(own) != len(found):
        raise ModelError(
            f"{where} is {slot.plain}: `shape` has {len(found)} sizes, not {len(own)}."
        )
    elements = 1
    for given, size in zip(found, own, strict=True):
        value = given and size_of(given, names, where)
        elements *= value or 1
        if isinstance(size, int) and value is not None and value != size:
            raise ModelError(f"{where} is {slot.plain}: {given.text if given else ''} is {value}.")
    require_room(elements, where)


def require_room(elements: int, where: str) -> None:
    """Raises: ModelError for more than anybody feeds."""
    if elements > MOST_ELEMENTS:
        raise ModelError(f"{where} would have {elements:,} numbers; at most {MOST_ELEMENTS:,}.")


def size_of(size: Expression, names: Mapping[str, Fraction], where: str) -> int:
    """Raises: ModelError for what is no size."""
    try:
        return size.size(names)
    except ExpressionError as error:
        raise ModelError(f"{where}: {error}.") from error


# ------------------------------------------------------------------------------------------ audio
def mels_of(slot: Slot, how: Input, told: int) -> int:
    """How many mel bins the shape tells: its only fixed size among the last two, or the one of two
    that is usual; else what the metadata says, 0 for nothing."""
    sizes = how.shape or slot.shape or ()
    fixed = [size for size in sizes[-2:] if isinstance(size, int)]
    if len(fixed) == 2:
        fixed = [size for size in fixed if size in USUAL_MELS]
    return fixed[0] if len(fixed) == 1 else told


def _mel_axes(slot: Slot) -> tuple[int, ...]:
    rank = len(slot.shape or ())
    return (rank - 2, rank - 1)


def _time_axis(slot: Slot, how: Input) -> int:
    """Of samples the last axis; of features the one of the last two that is not the bins'."""
    rank = len(slot.shape or ())
    if how.from_ == "samples" or rank < 2:
        return rank - 1
    sizes = slot.shape or ()
    return rank - 2 if sizes[-1] == how.mels and sizes[-2] != how.mels else rank - 1


def time_of(found: Axes, how: Input, where: str, names: Mapping[str, Fraction]) -> Time:
    """The time axis of an audio input. Raises: ModelError where the shape has none."""
    sizes = [None if one is None else size_of(one, names, where) for one in found]
    rank, bins = len(sizes), how.from_ == "log_mel"
    axis = rank - 1
    if bins and rank >= 2 and how.mels not in sizes[-2:]:
        raise ModelError(f"{where}: no dimension of its shape is {how.mels}, the mel bins.")
    if bins and rank >= 2 and sizes[-1] == how.mels and sizes[-2] != how.mels:
        axis = rank - 2
    rest = sizes[: rank - 2] if bins else sizes[: rank - 1]
    if rank < (2 if bins else 1) or any(size != 1 for size in rest):
        raise ModelError(
            f"{where}: {how.from_} of one clip have "
            + ("the dimensions [1, bins, frames]" if bins else "the dimensions [1, samples]")
            + f", not {sizes}: write its `shape`."
        )
    own = found[axis]
    natural = f"ceil(samples / {how.hop})" if bins else "samples"
    text = own.text if own else natural
    samples = int(names["samples"])
    tried = sizes[axis] if sizes[axis] is not None else frames_of(samples, how) if bins else samples
    return Time(axis, text, int(tried or 0))
