"""PLCMOS v2: predicts ratings of speech after packet loss concealment; not naturalness.

Own implementation of the published procedure on the published network. It averages over imagined
raters, random vectors of which the authors draw fifteen anew for each clip, so that one clip's
score varies by about 0.016 from call to call. Here the fifteen are always the same: a clip has one
score, and differences between variants are paired. What the network makes of the audio does not
depend on the rater, and is computed once instead of fifteen times.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import fft

from harness.contracts import Judge, Judged, Model
from harness.errors import AudioError, ModelError
from harness.runtime import graph
from harness.runtime.session import SessionConfig, open_session

WINDOW, HOP = 512, 256
RATERS, EMBEDDING, SEED = 15, 64, 0
SHORTEST = 1600  # the network's first layers need a few frames
SILENCE_DB, BELOW_DB = -80.0, -120.0
SCALE = 20.0
# the idle threads of one session must not spin while the next one computes
CONFIG = SessionConfig("judge", (("session.force_spinning_stop", "1"),))


@dataclass(frozen=True)
class Params:
    """None: the procedure is the authors', so that the figures are too."""


def open_judge(
    params: Params, files: Mapping[str, Path], parts: Mapping[str, Model]
) -> Callable[[np.ndarray], Judged]:
    """What takes samples at 16 kHz; sessions stay open. Raises: ModelError."""
    path = files["speechmos"] / "plcmos_v2.onnx"
    listener, rater = _halves(path)
    audio = listener.get_inputs()[0].name
    names = [entry.name for entry in rater.get_inputs()]

    def judged(samples: np.ndarray) -> Judged:
        if samples.size < SHORTEST:
            raise AudioError(f"PLCMOS needs {SHORTEST} samples at 16 kHz, not {samples.size}.")
        heard = listener.run(None, {audio: log_power(samples)[None, None]})
        feeds = [np.repeat(one, RATERS, axis=0) for one in heard] + [_raters()]
        (scores,) = rater.run(None, dict(zip(names, feeds, strict=True)))
        return Judged({"plcmos": float(scores.mean(dtype=np.float64))})

    return judged


def log_power(samples: np.ndarray) -> np.ndarray:
    """Features of shape (frames, 257) in float32: log power of Hamming windows, / 20.

    Raises: AudioError.
    """
    if not samples.size or not np.isfinite(samples).all():
        raise AudioError("PLCMOS needs audio: samples that are numbers.")
    frames = -(-(samples.size + HOP) // HOP)
    padded = np.zeros((frames + 1) * HOP)
    padded[HOP : HOP + samples.size] = np.clip(samples, -1.0, 1.0)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    spectrum = fft.rfft(windows * np.hamming(WINDOW + 1)[:-1], axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    sounding = power > 0
    if sounding.any():
        least = np.log(power[sounding].min()) + _nepers(BELOW_DB)
    else:
        least = _nepers(SILENCE_DB)
    log = np.log(power, out=np.full(power.shape, least), where=sounding)
    return np.asarray(log / SCALE, np.float32)


def _nepers(decibel: float) -> float:
    """Natural logarithm of a power ratio in dB."""
    return decibel / 10 * float(np.log(10))


@cache
def _raters() -> np.ndarray:
    """The imagined raters (15, 64), as numpy's old generator draws them with seed 0."""
    drawn = np.random.RandomState(SEED).normal(size=(RATERS, EMBEDDING))
    return drawn.astype(np.float32)


def _halves(path: Path) -> tuple[Any, Any]:
    """(audio -> what is heard of it, that and raters -> scores). Raises: ModelError."""
    model = graph.read(path)
    joins = [node for node in model.graph.node if node.op_type == "Concat"]
    entries = [entry.name for entry in model.graph.input]
    if len(entries) != 2 or not joins or len(joins[-1].input) != 3:
        raise ModelError(f"{path.name} is not the network of PLCMOS v2.")
    audio, embedding = entries
    heard = list(joins[-1].input[:2])
    listener = graph.part(model, {audio: (1, 1, "frames", WINDOW // 2 + 1)}, heard)
    shapes = dict.fromkeys(heard, ("raters", 32)) | {embedding: ("raters", EMBEDDING)}
    rater = graph.part(model, shapes, [model.graph.output[0].name])
    with tempfile.TemporaryDirectory() as folder:
        opened = []
        for number, half in enumerate((listener, rater)):
            target = Path(folder) / f"{number}.onnx"
            target.write_bytes(half.SerializeToString())
            opened.append(open_session(target, CONFIG))
    return opened[0], opened[1]


judge = Judge(
    Params=Params,
    version="PLCMOS v2 (Microsoft; file of speechmos 0.0.1.1, MIT)",
    named={
        "es": "PLCMOS v2 (Microsoft; archivo de speechmos 0.0.1.1, MIT)",
    },
    about={
        "en": "Predicts what crowdsourced raters (ITU-T P.808) would say of calls whose lost "
        "packets were concealed: gaps, robotic stretches, artefacts. "
        "It is no measure of naturalness nor of what is said, and cannot confirm a "
        "listeners' MOS; read it as a paired difference. Digital silence confuses it. Mean over "
        "fifteen imagined raters, always the same. Heard at 16 kHz (polyphase resampling), the "
        "level and the silences as they are.",
        "es": "Predice lo que dirían evaluadores por internet (UIT-T P.808) de llamadas cuyos "
        "paquetes perdidos se ocultaron: huecos, tramos robóticos, artefactos. "
        "No mide la naturalidad ni lo que se dice, y no puede confirmar un "
        "MOS de oyentes; léase como diferencia pareada. El silencio digital lo confunde. Media de "
        "quince evaluadores imaginados, siempre los mismos. Se oye a 16 kHz (remuestreo "
        "polifásico), con el nivel y los silencios tal como están.",
    },
    figures=("plcmos",),
    assets=("speechmos",),
    open=open_judge,
)
