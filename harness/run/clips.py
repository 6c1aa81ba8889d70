"""Real speech cut to the lengths that latency is measured at, as workers read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from harness.contracts import Dataset
from harness.decide.schedule import Clips
from harness.errors import AudioError
from harness.io.places import writing
from harness.speech import audio

MOST_CLIPS = 400  # of one length: a new one for each block, and 50 MB of files for 30 s each


def cut_clips(speech: Dataset, rate: int, folder: Path, lengths: Sequence[float]) -> Clips:
    """Pieces of each length in seconds, from the first clips of the data set that can be decoded;
    no more of them is read than that takes. Raises: AudioError where there is too little speech."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    out: dict[float, tuple[tuple[str, str], ...]] = {}
    for seconds in lengths:
        found = []
        pieces = audio.lengths(_decoded(speech, rate), seconds, rate, MOST_CLIPS)
        for place, (name, samples) in enumerate(pieces):
            path = folder / f"{seconds:g}s-{place}.npy"
            with writing(path):
                np.save(path, samples)
            found.append((name, str(path)))
        out[seconds] = tuple(found)
    return out


def _decoded(data: Dataset, rate: int) -> Iterator[audio.Clip]:
    """(id, samples) of the clips that can be read; the others become error rows in quality."""
    for utterance in data.utterances:
        if utterance.error or utterance.audio is None:
            continue
        try:
            samples = audio.decode(utterance.audio, rate, utterance.part, utterance.seconds)
            yield utterance.id, samples
        except AudioError:
            continue
