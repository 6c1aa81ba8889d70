"""What a synthesiser said, kept for listening and for judges: a FLAC file and its facts."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.contracts import Output
from harness.errors import OutputError
from harness.io.places import writing
from harness.run.worker import sounding

FULL_SCALE = 1.0 - 2.0**-15  # the largest sample of 16 bits


@dataclass(frozen=True)
class Kept:
    """`name`: the file's, "" where it was not to be kept."""

    name: str
    sha256: str
    figures: Mapping[str, float]


def keep(output: Output, path: Path | None) -> Kept:
    """Write the audio as 16-bit FLAC to `path` (its folder is made), whole or not at all.

    Raises: OutputError for what is no audio: no samples, samples that are not numbers, silence;
    StoreError where the disk refuses.
    """
    samples = output.audio
    if samples is None or samples.ndim != 1 or not samples.size or output.sample_rate < 1:
        raise OutputError("the model gave no audio: it should be one channel of samples.")
    if not np.isfinite(samples).all():
        raise OutputError("the model gave audio that holds what is not a number.")
    wrong = sounding.flaw(samples, output.sample_rate)
    if wrong:
        raise OutputError(f"the model gave audio that is {wrong}: no speech.")
    figures = {
        "spoken_seconds": samples.size / output.sample_rate,
        "clipped_share": float(np.mean(np.abs(samples) >= FULL_SCALE)),
        "peak": float(np.abs(samples).max()),
        "sounding_seconds": sounding.sounding_seconds(samples, output.sample_rate),
    }
    change = sounding.spectral_change_db(samples, output.sample_rate)
    if math.isfinite(change):
        figures["spectral_change_db"] = change
    data = _flac(samples, output.sample_rate)
    if path is not None:
        beside = path.with_name(path.name + ".partial")
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.unlink(missing_ok=True)  # of a killed run; a link is not written through
            with beside.open("xb") as file:
                file.write(data)
            beside.replace(path)
    return Kept(path.name if path else "", hashlib.sha256(data).hexdigest(), figures)


def _flac(samples: np.ndarray, rate: int) -> bytes:
    import soundfile

    buffer = io.BytesIO()
    sixteen = np.round(np.clip(samples, -1.0, FULL_SCALE) * 32768).astype(np.int16)
    soundfile.write(buffer, sixteen, rate, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()
