"""Gives onnx-asr the sessions that we open, and looks at what runs through them.

onnx-asr opens its graphs by `rt.InferenceSession(path, ...)`, `rt` being onnxruntime, in the
modules of its models. While `handed_over` lasts, that name in those modules (and nowhere else) is a
call of our `open_session`, so that every option, provider and refusal of `runtime/session` holds.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.contracts import Feeds, OpenSession
from harness.errors import ExtraError, ModelError, OutputError
from harness.plugins.families.onnx_asr.layouts import RELEASE
from harness.runtime.session import running

MODELS, RESAMPLER = "onnx_asr.models.", "onnx_asr.preprocessors.resampler"
NAN_STRIDE = 61  # of large outputs; coprime to layer sizes, so that every frame is looked at
LARGE = 1 << 16
DTYPES: Mapping[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}

_ONE_AT_A_TIME = threading.Lock()


class Runtime:
    """Stands for the onnxruntime module in onnx-asr: everything of it but how sessions open."""

    def __init__(self, module: Any, make: Callable[..., Any]) -> None:
        self._module = module
        self.InferenceSession = make

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


@contextlib.contextmanager
def handed_over(
    graphs: Mapping[str, Path], open_session: OpenSession
) -> Iterator[dict[str, CountedSession]]:
    """Inside, onnx-asr's models get sessions of `open_session`; by role, those opened so far.

    Its resamplers, seven sessions, are not opened: samples come at the model's own rate.

    Raises: ExtraError at the end where onnx-asr did not ask for every graph, ModelError for a file
    that is none of the graphs.
    """
    import onnx_asr.loader  # noqa: F401  imports every module of a model

    roles = {path.resolve(): role for role, path in graphs.items()}
    opened: dict[str, CountedSession] = {}

    def model(path: str | Path, *_args: Any, **_options: Any) -> CountedSession:
        role = roles.get(Path(path).resolve())
        if role is None:
            raise ModelError(f"onnx-asr opens {Path(path).name}, which is none of the graphs.")
        opened[role] = CountedSession(role, open_session(Path(path)))
        return opened[role]

    def resampler(*_args: Any, **_options: Any) -> None:
        return None

    modules = {name: module for name, module in sys.modules.items() if name.startswith(MODELS)}
    places: dict[Any, Callable[..., Any]] = {
        module: model for module in modules.values() if hasattr(module, "rt")
    }
    places[sys.modules[RESAMPLER]] = resampler
    with _ONE_AT_A_TIME:
        kept = {module: module.rt for module in places}
        try:
            for module, make in places.items():
                module.rt = Runtime(module.rt, make)
            yield opened
        finally:
            for module, runtime in kept.items():
                module.rt = runtime
    if set(opened) != set(graphs):
        raise ExtraError(
            f"onnx-asr opened {', '.join(opened) or 'no graph'} through the harness, it must be "
            f"{', '.join(graphs)}: a release other than {RELEASE}.* may be installed."
        )


class CountedSession:
    """An onnxruntime session that counts its runs, refuses NaN and can keep what went in."""

    def __init__(self, role: str, session: Any) -> None:
        self.role, self.session, self.runs = role, session, 0
        self.seen: list[tuple[str, Feeds]] | None = None
        self.heard: Callable[[np.ndarray], None] = _unheard  # told of each run's first output
        self.inputs = running.Inputs(session, role)
        self._narrow = "tensor(int32)" in self.inputs.types.values()
        self._dtypes = {i.name: DTYPES.get(i.type) for i in session.get_inputs()}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)

    def run(self, names: Sequence[str], feeds: Mapping[str, Any], *options: Any) -> list[Any]:
        """As InferenceSession.run. Raises: OutputError for a NaN."""
        self.runs += 1
        feeds = self.inputs.fitted(feeds)
        self._keep(feeds)
        outputs: list[Any] = self.session.run(names, feeds, *options)
        for output in outputs:
            self._check(output)
        self.heard(outputs[0])
        return outputs

    def io_binding(self) -> Any:
        binding = self.session.io_binding()
        plain = self.seen is None and not self._narrow  # then nothing of it needs a look
        return binding if plain else Binding(binding, self.inputs)

    def run_with_iobinding(self, binding: Any, *options: Any) -> None:
        """As InferenceSession.run_with_iobinding; NaN is looked for in the first output of a
        decoder, since what an encoder gives ends there and is dear to copy. Raises: OutputError."""
        self.runs += 1
        if isinstance(binding, Binding):
            self._keep(binding.feeds)
            binding = binding.binding
        self.session.run_with_iobinding(binding, *options)
        if self.role == "decoder":
            self._check(binding.get_outputs()[0].numpy())
        if self.heard is not _unheard:
            self.heard(np.array(binding.get_outputs()[0].numpy()))

    def _keep(self, feeds: Mapping[str, Any]) -> None:
        if self.seen is not None:
            arrays = {name: _array(value, self._dtypes[name]) for name, value in feeds.items()}
            self.seen.append((self.role, arrays))

    def _check(self, output: Any) -> None:
        if not isinstance(output, np.ndarray) or output.dtype.kind != "f":
            return
        flat = output.reshape(-1)
        if np.isnan(flat[::NAN_STRIDE] if flat.size > LARGE else flat).any():
            raise OutputError(f"the {self.role} gave what is not a number.")


def _unheard(output: np.ndarray) -> None:
    """Nobody asked for it."""


class Binding:
    """An IOBinding that keeps the inputs bound to it, each in the type that its graph declares."""

    def __init__(self, binding: Any, inputs: running.Inputs) -> None:
        self.binding, self.inputs = binding, inputs
        self.feeds: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.binding, name)

    def bind_cpu_input(self, name: str, value: Any) -> None:
        self.feeds[name] = value = self.inputs.fitted({name: value})[name]
        self.binding.bind_cpu_input(name, value)

    def bind_ortvalue_input(self, name: str, value: Any) -> None:
        self.feeds[name] = value
        self.binding.bind_ortvalue_input(name, value)


def _array(value: Any, dtype: Any) -> np.ndarray:
    """A copy, since onnx-asr may write into what it fed; lists and OrtValues become arrays."""
    return np.array(value.numpy() if hasattr(value, "numpy") else value, dtype)
