"""DNSMOS P.835's network, with what overlapping windows share computed once.

The network is convolutions over (time, frequency), a maximum over the whole window and three small
layers. Nearly all of its work is in the first four convolutions, whose output at a frame depends on
four frames on either side: the same in every window that holds the frame, except within four frames
of the window's ends, where the network sees zeros instead of neighbours. So that part (the trunk)
runs over the whole signal once, over the ends of each window once more, and the rest (the tail)
over the two put together. What comes out is what each window alone gives, but for rounding.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness import graph
from harness.errors import ModelError
from harness.session import SessionConfig, open_session

if TYPE_CHECKING:
    import onnx
    import onnxruntime

HOP, FRAME = 160, 320  # samples
FRAMES = 900  # of a window
REACH = 4  # frames on either side that the trunk sees
POOL = 2  # frames that the trunk's last step makes one
PIECE = 450  # frames of a pass over the signal: memory does not grow with its length
# the idle threads of one session must not spin while the next one computes
CONFIG = SessionConfig("judge", (("session.force_spinning_stop", "1"),))


@dataclass(frozen=True)
class Network:
    """The opened halves, and the names of what goes in."""

    trunk: onnxruntime.InferenceSession
    tail: onnxruntime.InferenceSession

    def raw_scores(self, samples: np.ndarray, starts: Sequence[int]) -> np.ndarray:
        """SIG, BAK and OVRL before the authors' calibration, for each window: (n, 3) float32."""
        frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
        firsts = [start // HOP for start in starts]
        shared = self._whole(frames[: firsts[-1] + FRAMES])
        begins = self._run_trunk(np.stack([frames[f : f + 2 * REACH] for f in firsts]))
        ends = self._run_trunk(np.stack([_end(frames, f) for f in firsts]))
        edge, window = REACH // POOL, FRAMES // POOL
        scores = []
        for first, begin, end in zip(firsts, begins, ends, strict=True):
            features = shared[:, first // POOL : first // POOL + window].copy()
            features[:, :edge], features[:, -edge:] = begin[:, :edge], end[:, -edge:]
            scores.append(_run(self.tail, features[None])[0])
        return np.stack(scores)

    def _whole(self, frames: np.ndarray) -> np.ndarray:
        """The trunk over a signal piece by piece: (channels, frames / 2, bands)."""
        pieces = []
        for start in range(0, len(frames), PIECE):
            before = min(start, REACH)
            piece = frames[start - before : start + PIECE + REACH]
            kept = min(PIECE, len(frames) - start) // POOL
            pieces.append(self._run_trunk(piece[None])[0][:, before // POOL :][:, :kept])
        return np.concatenate(pieces, axis=1)

    def _run_trunk(self, frames: np.ndarray) -> np.ndarray:
        return _run(self.trunk, np.ascontiguousarray(frames))


def _end(frames: np.ndarray, first: int) -> np.ndarray:
    last = first + FRAMES
    return frames[last - 2 * REACH : last]


def _run(session: onnxruntime.InferenceSession, value: np.ndarray) -> np.ndarray:
    found: np.ndarray = session.run(None, {session.get_inputs()[0].name: value})[0]
    return found


def open_network(path: Path) -> Network:
    """Raises: ModelError for a file that is not DNSMOS P.835's network."""
    model = graph.read(path)
    joined = next((node.output[0] for node in model.graph.node if node.op_type == "Concat"), None)
    pool = next((node for node in model.graph.node if node.op_type == "MaxPool"), None)
    if joined is None or pool is None:
        raise ModelError(f"{path.name} is not the network of DNSMOS P.835.")
    cut = pool.output[0]
    trunk = graph.part(model, {joined: ("windows", "frames", FRAME)}, [cut])
    channels = ("windows", 32, FRAMES // POOL, 80)
    tail = graph.part(model, {cut: channels}, [model.graph.output[0].name])
    return Network(_opened(trunk), _opened(tail))


def _opened(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.onnx"
        path.write_bytes(model.SerializeToString())
        return open_session(path, CONFIG)
