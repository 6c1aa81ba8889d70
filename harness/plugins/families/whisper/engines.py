"""Runs the graphs of either layout, with keys and values kept inside ONNX Runtime between steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime as ort

from harness.contracts import OpenSession
from harness.errors import ModelError
from harness.plugins.families.whisper.layouts import GraphFiles
from harness.runtime.session import running

Tensors = dict[str, Any]  # name -> OrtValue
DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class Graph:
    """One session and its input and output names."""

    def __init__(self, role: str, path: Path, open_session: OpenSession) -> None:
        self.role, self.name = role, path.name
        self.session = open_session(path)
        self.inputs = {i.name: i for i in self.session.get_inputs()}
        self._types = running.Inputs(self.session, self.name)
        self.outputs = [o.name for o in self.session.get_outputs()]

    def feeds(self, available: Mapping[str, Any]) -> Tensors:
        """Those of `available` that the graph takes.

        Raises: ModelError where it takes something else too.
        """
        missing = [name for name in self.inputs if name not in available]
        if missing:
            raise ModelError(
                f"{self.name} has inputs that no Whisper {self.role} takes: {', '.join(missing)}."
            )
        return {name: available[name] for name in self.inputs}

    def run(self, feeds: Tensors, outputs: Sequence[str]) -> list[Any]:
        """The outputs as OrtValues, so that what the next run needs is never copied.

        Raises: ModelError where the graph cannot take the feeds.
        """
        with running.one_line(f"{self.name} cannot run as a Whisper {self.role}"):
            return list(self.session.run_with_ort_values(outputs, feeds))

    def ids(self, name: str, values: Any) -> Any:
        """Token ids or positions in the type that the input declares. Raises: ModelError."""
        return tensor(np.array(values, self._types.whole(name)))

    def dtype(self, name: str) -> Any:
        """The float type of an input. Raises: ModelError for another type."""
        kind = self.inputs[name].type
        if kind not in DTYPES:
            raise ModelError(f"{self.name}: input {name!r} is {kind}, it must be a float tensor.")
        return DTYPES[kind]

    def empty(self, name: str) -> Any:
        """A past of length 0 for the input `name`, (1, heads, 0, head size)."""
        shape = self.inputs[name].shape
        if len(shape) != 4 or not isinstance(shape[1], int) or not isinstance(shape[3], int):
            raise ModelError(
                f"{self.name}: input {name!r} has shape {shape}, it must be "
                "(batch, heads, past, head size) with heads and head size fixed."
            )
        return tensor(np.zeros((1, shape[1], 0, shape[3]), self.dtype(name)))


class Engine(Protocol):
    """Both layouts behind one face; memory is what the encoder gave, past what the decoder did."""

    encoder: Graph
    any_context: bool  # whether the encoder takes fewer frames than the model's whole context

    def encoder_feeds(self, features: np.ndarray) -> Tensors: ...
    def encode(self, feeds: Tensors) -> Tensors: ...
    def frames(self, memory: Tensors) -> Iterator[np.ndarray]: ...
    def decoder_feeds(
        self, tokens: Sequence[int], memory: Tensors, past: Tensors
    ) -> tuple[Graph, Tensors]: ...
    def decode(self, graph: Graph, feeds: Tensors, past: Tensors) -> tuple[np.ndarray, Tensors]: ...


class Own:
    """Our layout: the memory is keys and values, the decoder's past starts with length 0."""

    any_context = True

    def __init__(self, layout: GraphFiles, open_session: OpenSession) -> None:
        self.encoder = Graph("encoder", layout.graphs["encoder"], open_session)
        self.decoder = Graph("decoder", layout.graphs["decoder"], open_session)
        present = [n for n in self.decoder.outputs if n.startswith("present_")]
        self.outputs = ["logits", *present]
        self.past = [name.replace("present_", "self_") for name in present]
        known = {"tokens", *self.past, *self.encoder.outputs}
        self.decoder.feeds(dict.fromkeys(known))
        self.encoder.feeds({"features": None})
        self.start = {name: self.decoder.empty(name) for name in self.past}

    def encoder_feeds(self, features: np.ndarray) -> Tensors:
        return {"features": tensor(features.astype(self.encoder.dtype("features"), copy=False))}

    def encode(self, feeds: Tensors) -> Tensors:
        names = self.encoder.outputs
        return dict(zip(names, self.encoder.run(feeds, names), strict=True))

    def frames(self, memory: Tensors) -> Iterator[np.ndarray]:
        """Keys and values of each layer, (frames, d_model)."""
        for name in self.encoder.outputs:
            # a key is (batch, heads, head size, frames), a value (batch, heads, frames, head size)
            axes = (0, 3, 1, 2) if name.startswith("cross_key_") else (0, 2, 1, 3)
            heads = array(memory[name]).transpose(axes)
            yield heads.reshape(heads.shape[1], -1)

    def decoder_feeds(
        self, tokens: Sequence[int], memory: Tensors, past: Tensors
    ) -> tuple[Graph, Tensors]:
        ids = self.decoder.ids("tokens", [tokens])
        return self.decoder, {"tokens": ids, **(past or self.start), **memory}

    def decode(self, graph: Graph, feeds: Tensors, past: Tensors) -> tuple[np.ndarray, Tensors]:
        logits, *present = graph.run(feeds, self.outputs)
        return array(logits)[0], dict(zip(self.past, present, strict=True))


class UsualExport:
    """The usual export layout: the memory is hidden states, the first run of the decoder computes
    the cross-attention keys and values, which then stay in the past."""

    any_context = False

    def __init__(self, layout: GraphFiles, open_session: OpenSession) -> None:
        opened = {role: Graph(role, path, open_session) for role, path in layout.graphs.items()}
        self.encoder = opened["encoder"]
        self.first = opened["decoder"]
        self.merged = layout.kind == "merged"
        self.next = self.first if self.merged else opened["decoder_with_past"]
        self.start: Tensors = {}
        if self.merged:
            names = [n for n in self.first.inputs if n.startswith("past_key_values.")]
            self.start = {name: self.first.empty(name) for name in names}
        self.first_outputs = self._outputs(self.first, "")
        self.next_outputs = self._outputs(self.next, ".decoder.")

    @staticmethod
    def _outputs(graph: Graph, part: str) -> list[str]:
        present = [n for n in graph.outputs if n.startswith("present.") and part in n]
        return ["logits", *present]

    def encoder_feeds(self, features: np.ndarray) -> Tensors:
        dtype = self.encoder.dtype("input_features")
        given = {"input_features": tensor(features.astype(dtype, copy=False))}
        return self.encoder.feeds(given)

    def encode(self, feeds: Tensors) -> Tensors:
        (hidden,) = self.encoder.run(feeds, ["last_hidden_state"])
        return {"encoder_hidden_states": hidden}

    def frames(self, memory: Tensors) -> Iterator[np.ndarray]:
        """The hidden states, (1, frames, d_model)."""
        yield array(memory["encoder_hidden_states"])

    def decoder_feeds(
        self, tokens: Sequence[int], memory: Tensors, past: Tensors
    ) -> tuple[Graph, Tensors]:
        graph = self.next if past else self.first
        said = past["past_key_values.0.decoder.key"].shape()[2] if past else 0
        available = {
            **memory,
            **(past or self.start),
            "input_ids": graph.ids("input_ids", [tokens]),
            "use_cache_branch": tensor(np.array([bool(past)])),
            "cache_position": graph.ids("cache_position", range(said, said + len(tokens))),
        }
        return graph, graph.feeds(available)

    def decode(self, graph: Graph, feeds: Tensors, past: Tensors) -> tuple[np.ndarray, Tensors]:
        outputs = self.next_outputs if past else self.first_outputs
        logits, *present = graph.run(feeds, outputs)
        names = [n.replace("present.", "past_key_values.") for n in outputs[1:]]
        return array(logits)[0, -1], {**past, **dict(zip(names, present, strict=True))}


def tensor(array: np.ndarray) -> Any:
    """The array as an OrtValue."""
    return ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array))


def array(value: Any) -> np.ndarray:
    """The OrtValue's numbers, copied: `OrtValue.numpy()` is a view that does not keep its memory
    alive (onnxruntime 1.31.1), and reading it after the OrtValue is gone crashes the process."""
    return np.array(value.numpy())


def open_engine(layout: GraphFiles, open_session: OpenSession) -> Engine:
    """Sessions for all graphs of a layout, each opened once.

    Raises: ModelError where inputs do not fit.
    """
    return Own(layout, open_session) if layout.kind == "own" else UsualExport(layout, open_session)
