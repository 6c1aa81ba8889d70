"""Running a graph: inputs of the types that it declares, onnxruntime's errors as one line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import ModelError

if TYPE_CHECKING:
    import onnxruntime

TOLD = 300  # characters of an error of onnxruntime's
DTYPES: Mapping[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int16)": np.int16,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}
WHOLE = ("tensor(int64)", "tensor(int32)")


def ort_errors() -> tuple[type[Exception], ...]:
    """onnxruntime's errors, which share no base class but Exception, and what its Python side
    raises: for a name that is no UTF-8, for inputs that are missing."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = (v for v in vars(state).values() if isinstance(v, type) and issubclass(v, Exception))
    return (*own, RuntimeError, ValueError, MemoryError)


@contextlib.contextmanager
def one_line(doing: str) -> Iterator[None]:
    """What onnxruntime raises becomes one line that begins with `doing`. Raises: ModelError."""
    try:
        yield
    except ort_errors() as error:
        said = " ".join(str(error).split()) or type(error).__name__
        said = said[:TOLD] + ("..." if len(said) > TOLD else "")
        raise ModelError(f"{doing}: {said}") from error


class Inputs:
    """The inputs of an opened graph: what is fed gets the type that it declares, since exports
    differ in the width of their whole numbers and of their floats."""

    def __init__(self, session: onnxruntime.InferenceSession, name: str) -> None:
        self.name = name
        self.types = {one.name: str(one.type) for one in session.get_inputs()}

    def fitted(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
        """Arrays of the declared types; what is no array stays as it is. Raises: ModelError for
        numbers that the declared type cannot hold."""
        return {name: self._fitted(name, value) for name, value in feeds.items()}

    def whole(self, name: str) -> type[np.generic]:
        """The type of an input that takes token ids. Raises: ModelError for another type."""
        kind = self.types.get(name, "tensor(int64)")
        if kind not in WHOLE:
            raise ModelError(
                f"{self.name}: input {name!r} is {kind}, it must be {' or '.join(WHOLE)}."
            )
        return DTYPES[kind]

    def _fitted(self, name: str, value: Any) -> Any:
        kind = self.types.get(name, "")
        dtype = DTYPES.get(kind)
        if not isinstance(value, np.ndarray) or dtype is None or value.dtype == dtype:
            return value
        if not np.can_cast(value.dtype, dtype, "same_kind"):
            raise ModelError(f"{self.name}: input {name!r} is {kind}, it is fed {value.dtype}.")
        return value.astype(dtype)
