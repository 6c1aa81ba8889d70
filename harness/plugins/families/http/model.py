"""An opened server: samples become a WAV file before the clock starts, which times the answer."""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Callable

import numpy as np

from harness.contracts import Output, notes
from harness.errors import AudioError
from harness.plugins.families.http.client import Answer, Client, connect
from harness.plugins.families.http.params import Params

SAMPLE_RATE = 16_000


class RemoteRecogniser:
    """Implements `harness.contracts.Model`, operation `pipeline`: upload to transcript."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def prepare(self, operation: str, samples: np.ndarray) -> Callable[[], Output]:
        """Raises: AudioError for samples that are not one finite channel."""
        request = self._client.request(wav(samples))
        return lambda: _output(self._client.transcribe(request))


def open_model(params: Params) -> RemoteRecogniser:
    """Raises: AssetError for a server that cannot be reached, SpecError for a missing key."""
    client = connect(params)
    client.greet()
    return RemoteRecogniser(client)


def wav(samples: np.ndarray) -> bytes:
    """A WAV file, 16 bit, mono, 16 kHz; samples that came from 16 bit get their bits back.

    Raises: AudioError for samples that are not one finite channel of at least one.
    """
    if samples.ndim != 1 or samples.size == 0:
        raise AudioError(f"audio must be one channel of samples, this has shape {samples.shape}.")
    if samples.dtype.kind != "f" or not np.isfinite(samples).all():
        raise AudioError("audio samples must be finite floats in [-1, 1].")
    whole = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2")
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(whole.tobytes())
    return made.getvalue()


def _output(answer: Answer) -> Output:
    figures = {"retries": float(answer.retries), "waited_seconds": answer.waited_seconds}
    if not math.isnan(answer.server_seconds):
        figures["server_seconds"] = answer.server_seconds
    told = answer.notes
    if answer.retries:
        waited = f"{answer.waited_seconds:.1f}"
        how = {"times": answer.retries + 1, "why": answer.last_status, "seconds": waited}
        told = (*told, notes.written("repeated", **how))
    return Output(text=answer.text.strip(), notes=notes.joined(*told), figures=figures)
