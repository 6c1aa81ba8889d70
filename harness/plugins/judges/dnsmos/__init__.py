"""DNSMOS P.835 (SIG, BAK, OVRL) and P.808: predicts ratings of noise suppression, not naturalness.

Own implementation of the published procedure on the published networks: windows (which stretches
are heard) -> spectra (what P.808 takes) -> network (both) -> means over the windows. sharing and
silent are why it is quick: what windows share, and what is multiplied by zero, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.contracts import Judge, Judged, Model
from harness.plugins.judges.dnsmos import windows

if TYPE_CHECKING:
    from harness.plugins.judges.dnsmos.network import P835

# The authors' polynomials from what the network says to the scale of P.835 (dnsmos_local.py), as
# (x squared, x, 1), for SIG, BAK, OVRL.
CALIBRATION = np.array(
    [
        (-0.08397278, 1.22083953, 0.0052439),
        (-0.13166888, 1.60915514, -0.39604546),
        (-0.06766283, 1.11546468, 0.04602535),
    ]
)


@dataclass(frozen=True)
class Params:
    """None: the procedure is the authors', so that the figures are too."""


def open_judge(
    params: Params, files: Mapping[str, Path], parts: Mapping[str, Model]
) -> Callable[[np.ndarray], Judged]:
    """What takes samples at 16 kHz; sessions stay open. Raises: ModelError."""
    from harness.plugins.judges.dnsmos import network, spectra

    folder, cores = files["speechmos"], network.cores()
    p835 = network.open_p835(folder / "dnsmos_p835.onnx", cores)
    p808 = network.open_p808(folder / "dnsmos_p808.onnx", cores)

    def judged(samples: np.ndarray) -> Judged:
        signal = windows.looped(windows.heard(samples))
        starts = windows.starts(len(signal))
        features = spectra.log_mel_windows(signal, starts)
        rated = p808.scores(features, starts)
        return Judged({**_p835(p835, signal, starts), "p808": float(np.mean(rated))})

    return judged


def _p835(network: P835, signal: np.ndarray, starts: list[int]) -> dict[str, float]:
    raw = network.raw_scores(signal, starts).astype(np.float64)
    squared, linear, constant = CALIBRATION.T
    scores = (squared * raw**2 + linear * raw + constant).mean(axis=0)
    return dict(zip(("sig", "bak", "ovrl"), map(float, scores), strict=True))


judge = Judge(
    Params=Params,
    version="DNSMOS P.835 and P.808 (Microsoft; files of speechmos 0.0.1.1, MIT)",
    named={
        "es": "DNSMOS P.835 y P.808 (Microsoft; archivos de speechmos 0.0.1.1, MIT)",
    },
    about={
        "en": "Predicts what crowdsourced raters (ITU-T P.835 and P.808) would say of speech after "
        "noise suppression: distortion of the speech (SIG), background noise (BAK), both together "
        "(OVRL), overall (P.808). It does not hear "
        "whether a voice is natural or what is said (it approves gibberish), so it cannot confirm "
        "a listeners' MOS such as 4.3; read it as a paired difference. Heard at 16 kHz (polyphase "
        "resampling), in windows of 9.01 s, the level and the silences as they are.",
        "es": "Predice lo que dirían evaluadores por internet (UIT-T P.835 y P.808) de voz tras "
        "una supresión de ruido: distorsión de la voz (SIG), ruido de fondo (BAK), ambas cosas "
        "(OVRL), en general (P.808). No oye si una "
        "voz es natural ni qué dice (aprueba lo ininteligible), así que no puede confirmar un MOS "
        "de oyentes como 4,3; léase como diferencia pareada. Se oye a 16 kHz (remuestreo "
        "polifásico), en ventanas de 9,01 s, con el nivel y los silencios tal como están.",
    },
    figures=("ovrl", "sig", "bak", "p808"),
    assets=("speechmos",),
    open=open_judge,
)
