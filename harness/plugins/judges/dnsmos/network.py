"""DNSMOS' networks, with what overlapping windows share computed once.

Both are convolutions over (time, frequency), a maximum over the whole window and three small
layers. They are cut where halving the frames still leaves windows a second apart on the same grid:
P.835 into trunk (four convolutions, nearly all of the work), middle (one) and tail, P.808 into
trunk (two) and tail. Trunks and the middle are `sharing.Chain`s; a tail runs for each window.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import ModelError
from harness.plugins.judges.dnsmos import silent
from harness.plugins.judges.dnsmos.sharing import EDGE, Chain, Cores, Run
from harness.runtime import graph
from harness.runtime.session import SessionConfig, open_session, parse

if TYPE_CHECKING:
    import onnx
    import onnxruntime

HOP, FRAME = 160, 320  # samples
FRAMES = 900  # of a window
CORES = "intra_op_num_threads"
CONFIG = SessionConfig("judge", ((CORES, 1),))  # calls side by side use the cores, see sharing


@dataclass(frozen=True)
class P835:
    """The opened parts of the network of SIG, BAK and OVRL."""

    trunk: Chain
    middle: Chain
    tail: Run
    cores: Cores

    def raw_scores(self, samples: np.ndarray, starts: Sequence[int]) -> np.ndarray:
        """SIG, BAK and OVRL before the authors' calibration, for each window: (n, 3) float32."""
        frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
        firsts = [start // HOP for start in starts]
        found: list[np.ndarray] = []
        for some in _runs(firsts, lambda before, now: now - before < FRAMES - 2 * EDGE):
            heard = [frames[first : first + FRAMES] for first in some]
            features = self.trunk.over_windows(heard, some, self.cores)
            halves = [first // self.trunk.pool for first in some]
            found += self.middle.over_windows(features, halves, self.cores)
        return np.concatenate(list(self.cores.map(self.tail, (one[None] for one in found))))


@dataclass(frozen=True)
class P808:
    """The opened parts of the network of the overall rating."""

    trunk: Chain
    tail: Run
    cores: Cores

    def scores(self, features: np.ndarray, starts: Sequence[int]) -> np.ndarray:
        """The rating of each window from its features (n, 900, 120): (n,) float32.

        Features are relative to the window's loudest value: they are shared where they are equal.
        """
        heard = {start // HOP: one for start, one in zip(starts, features, strict=True)}
        found: list[np.ndarray] = []
        for some in _runs(list(heard), lambda a, b: _same(heard[a], heard[b], b - a)):
            own = [heard[first] for first in some]
            found += self.trunk.over_windows(own, some, self.cores)
        rated = self.cores.map(self.tail, (one[None] for one in found))
        return np.concatenate(list(rated))[:, 0]


def _runs(firsts: Sequence[int], shares: Callable[[int, int], bool]) -> list[list[int]]:
    """The windows in runs in which each shares what it hears with the one before."""
    runs = [[firsts[0]]]
    for before, now in itertools.pairwise(firsts):
        if shares(before, now):
            runs[-1].append(now)
        else:
            runs.append([now])
    return runs


def _same(before: np.ndarray, now: np.ndarray, later: int) -> bool:
    """Whether two windows hear the same where they overlap, but for the outermost frames."""
    overlap = FRAMES - later - EDGE
    return overlap > EDGE and np.array_equal(before[later + EDGE : -EDGE], now[EDGE:overlap])


# ------------------------------------------------------------------ opening
def cores() -> Cores:
    """As many calls at a time as onnxruntime would use threads for one."""
    (config,) = parse([{"name": "judge", CORES: "cores"}], "judge")
    return Cores.opened(int(dict(config.options)[CORES]))


def open_p835(path: Path, cores: Cores) -> P835:
    """Raises: ModelError for a file that is not DNSMOS P.835's network."""
    model = graph.read(path)
    joined = next((node.output[0] for node in model.graph.node if node.op_type == "Concat"), None)
    pools = [node.output[0] for node in model.graph.node if node.op_type == "MaxPool"]
    if joined is None or len(pools) != 3:
        raise ModelError(f"{path.name} is not the network of DNSMOS P.835.")
    trunk = graph.part(model, {joined: ("windows", "frames", FRAME)}, [pools[0]])
    middle = graph.part(model, {pools[0]: ("windows", 32, "steps", 80)}, [pools[1]])
    tail = graph.part(model, {pools[1]: ("windows", 32, 225, 40)}, [model.graph.output[0].name])
    return P835(
        Chain(_trunk(trunk), pool=2, reach=4, ends=2, context=8),
        Chain(_opened(middle), pool=2, reach=2, ends=2, context=6),
        _opened(tail),
        cores,
    )


def open_p808(path: Path, cores: Cores) -> P808:
    """Raises: ModelError for a file that is not DNSMOS P.808's network."""
    model = graph.read(path)
    pools = [node.output[0] for node in model.graph.node if node.op_type == "MaxPool"]
    heard = model.graph.input[0].name
    if len(pools) != 3 or any(node.op_type == "Concat" for node in model.graph.node):
        raise ModelError(f"{path.name} is not the network of DNSMOS P.808.")
    trunk = graph.part(model, {heard: ("windows", "frames", 120)}, [pools[1]])
    tail = graph.part(model, {pools[1]: ("windows", 32, 225, 30)}, [model.graph.output[0].name])
    return P808(Chain(_opened(trunk), pool=4, reach=4, ends=1, context=8), _opened(tail), cores)


def _trunk(model: onnx.ModelProto) -> Run:
    """The trunk without its silent channels, and as it was where they are not silent."""
    quick, whole = _session(silent.left_out(model)), _opened(model)
    (entry,) = quick.get_inputs()

    def run(frames: np.ndarray) -> np.ndarray:
        features, loudest = quick.run(None, {entry.name: frames})
        return features if (loudest <= 0).all() else whole(frames)

    return run


def _opened(model: onnx.ModelProto) -> Run:
    session = _session(model)
    (entry,) = session.get_inputs()

    def run(values: np.ndarray) -> np.ndarray:
        found: np.ndarray = session.run(None, {entry.name: values})[0]
        return found

    return run


def _session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.onnx"
        path.write_bytes(model.SerializeToString())
        return open_session(path, CONFIG)
