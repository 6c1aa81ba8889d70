"""An opened server: samples become a WAV file before the clock starts, which times the answer."""

from __future__ import annotations

import io
import math
import queue
import wave
from collections.abc import Callable, Sequence

import numpy as np

from harness.contracts import Output, notes
from harness.errors import AudioError
from harness.plugins.families.http.client import Client, connect
from harness.plugins.families.http.params import Params
from harness.plugins.families.http.replies import Answer

SAMPLE_RATE = 16_000


class RemoteRecogniser:
    """Implements `harness.contracts.Model`, operation `pipeline`: upload to transcript. As many
    calls may be under way as there are clients, each on a connection of its own."""

    def __init__(self, clients: Sequence[Client]) -> None:
        self._first, self.together = clients[0], len(clients)
        # the one that was used last comes first: its connection is open
        self._free: queue.LifoQueue[Client] = queue.LifoQueue()
        for client in reversed(clients):
            self._free.put(client)

    def prepare(self, operation: str, samples: np.ndarray) -> Callable[[], Output]:
        """Raises: AudioError for samples that are not one finite channel."""
        request = self._first.request(wav(samples))

        def call() -> Output:
            client = self._free.get()
            try:
                return _output(client.transcribe(request))
            finally:
                self._free.put(client)

        return call


def open_model(params: Params) -> RemoteRecogniser:
    """Raises: AssetError for a server that cannot be reached, SpecError for a missing key."""
    clients = [connect(params) for _ in range(params.concurrency)]
    clients[0].greet()
    return RemoteRecogniser(clients)


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
    said = answer.said
    if not math.isnan(said.first_token_seconds):
        figures["first_token_seconds"] = said.first_token_seconds
    told = said.notes
    if answer.retries:
        waited = f"{answer.waited_seconds:.1f}"
        how = {"times": answer.retries + 1, "why": answer.last_status, "seconds": waited}
        told = (*told, notes.written("repeated", **how))
    text = said.text.strip()
    return Output(text=text, tokens=said.tokens, notes=notes.joined(*told), figures=figures)
