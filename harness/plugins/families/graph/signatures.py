"""What a graph takes and gives: names, types, shapes, metadata; of a file or of an open session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.runtime import graph

if TYPE_CHECKING:
    import onnxruntime

Size = int | str  # a number, or the name of an open dimension ("" where it has none)
TYPES: Mapping[int, str] = {
    1: "tensor(float)", 2: "tensor(uint8)", 3: "tensor(int8)", 5: "tensor(int16)",
    6: "tensor(int32)", 7: "tensor(int64)", 8: "tensor(string)", 9: "tensor(bool)",
    10: "tensor(float16)", 11: "tensor(double)",
}  # fmt: skip
FLOATS = ("tensor(float)", "tensor(float16)", "tensor(double)")
WHOLES = ("tensor(int64)", "tensor(int32)", "tensor(int16)", "tensor(int8)", "tensor(uint8)")


@dataclass(frozen=True)
class Slot:
    """An input or output. `shape`: None where the graph does not even tell the rank."""

    name: str
    type: str
    shape: tuple[Size, ...] | None

    @property
    def plain(self) -> str:
        """ "float [1, 80, frames]", as messages say it."""
        sizes = "of any shape"
        if self.shape is not None:
            sizes = f"[{', '.join(str(size) or '?' for size in self.shape)}]"
        return f"{self.type.removeprefix('tensor(').removesuffix(')')} {sizes}"


@dataclass(frozen=True)
class GraphSignature:
    """`file` is the name by which messages call the graph."""

    file: str
    inputs: tuple[Slot, ...]  # those that must be given: one with a weight of its own need not be
    outputs: tuple[Slot, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)

    def output(self, name: str) -> Slot | None:
        return next((slot for slot in self.outputs if slot.name == name), None)


def of_file(path: Path) -> GraphSignature:
    """Reads the graph without the weights beside it. Raises: ModelError."""
    model = graph.read(path, weights=False)
    given = graph.face(model).optional
    return GraphSignature(
        path.name,
        tuple(_slot(value) for value in model.graph.input if value.name not in given),
        tuple(_slot(value) for value in model.graph.output),
        {entry.key: entry.value for entry in model.metadata_props},
    )


def of_session(session: onnxruntime.InferenceSession, file: str) -> GraphSignature:
    """The same of an open session, without reading the file again."""
    return GraphSignature(
        file,
        tuple(_opened(session.get_inputs())),
        tuple(_opened(session.get_outputs())),
        dict(session.get_modelmeta().custom_metadata_map),
    )


def _slot(value: Any) -> Slot:
    tensor = value.type.tensor_type
    kind = TYPES.get(tensor.elem_type, f"type {tensor.elem_type}")
    if not value.type.HasField("tensor_type"):
        return Slot(value.name, str(value.type.WhichOneof("value") or "nothing"), None)
    if not tensor.HasField("shape"):
        return Slot(value.name, kind, None)
    sizes = (d.dim_value if d.HasField("dim_value") else d.dim_param for d in tensor.shape.dim)
    return Slot(value.name, kind, tuple(sizes))


def _opened(values: Iterable[Any]) -> Iterable[Slot]:
    """onnxruntime tells a rank that is not known and a scalar alike: both have no sizes."""
    for value in values:
        sizes = tuple(size if isinstance(size, int) else str(size or "") for size in value.shape)
        yield Slot(value.name, str(value.type), sizes)
