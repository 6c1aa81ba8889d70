"""Speech of a release cut to short lengths, without transcripts: what makes a recogniser loop.

A recogniser that is given less context than it was trained with fails on short clips first, and a
data set holds few of those. Here each clip gives its beginning of each length up to its own. What
was said in it is not known, so that only metrics without a transcript mean something: loops,
budget_exhausted, output_rate, rtf.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, overload

import numpy as np
from annotated_types import Ge, Gt, Le, MinLen

from harness.contracts import Dataset, Locate, Source, Utterance
from harness.errors import AssetError, AudioError
from harness.plugins.datasets._corpus import release
from harness.plugins.datasets._corpus.release import Split
from harness.plugins.datasets._sampling import Wanted
from harness.speech import audio

RATE = 16_000


@dataclass(frozen=True)
class Params:
    path: Annotated[str, MinLen(1)]
    """The release folder, as in common_voice."""
    audio_seconds: Annotated[tuple[Annotated[float, Gt(0), Le(30)], ...], MinLen(1)]
    """The lengths; a clip that is shorter than one gives no piece of it."""
    locale: str = "es"
    """The language's folder in the release."""
    split: str = "dev"
    """The table to read."""
    limit: Annotated[int, Ge(1)] | None = None
    """Cut a sample of so many clips; all of them when left out."""
    seed: int = 0
    """Draws the sample; the experiment's `seed` when left out."""


@dataclass(frozen=True)
class Pieces(Sequence[Utterance]):
    """(clip, seconds) pairs; a clip is decoded and cut when its piece is asked for."""

    places: tuple[tuple[Utterance, float], ...]

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, place: int) -> Utterance: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Utterance]: ...
    def __getitem__(self, place: int | slice) -> Utterance | Sequence[Utterance]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        clip, seconds = self.places[place]
        name = f"{clip.id}-{seconds:g}s"
        # pieces of one clip resemble each other: what they belong to is the clip
        piece = Utterance(name, None, "", clip.speaker, sentence=clip.id, labels=clip.labels)
        if clip.error or clip.audio is None:
            return replace(piece, error=clip.error or "has no audio.")
        try:
            heard = audio.decode(clip.audio, RATE, clip.part, clip.seconds)
            samples = audio.cut(heard, RATE, seconds)
        except AudioError as error:
            return replace(piece, error=str(error))
        return replace(piece, audio=_wav(samples), seconds=seconds)


def load(params: Params, locate: Locate) -> Dataset:
    """The pieces, clip by clip, each from short to long.

    Raises: AssetError (one line) where the release cannot be read, or no clip is long enough.
    """
    wanted = Wanted(params.limit, None, params.seed)
    whole = release.read(locate(params.path), Split(params.locale, params.split, wanted))
    lengths = sorted(set(params.audio_seconds))
    clips = list(map(_with_length, whole.utterances))
    places = [
        (clip, seconds)
        for clip in clips
        for seconds in lengths
        if clip.error or seconds <= clip.seconds
    ]
    if not places:
        raise AssetError(f"{params.path}: no clip is as long as {lengths[0]:g} s.")
    cut = ", ".join(f"{seconds:g}" for seconds in lengths)
    seal = hashlib.sha256(f"{whole.fingerprint} {cut}".encode()).hexdigest()
    notes = {
        **whole.notes,
        "clips": str(len(clips)),
        "used": str(len(places)),  # pieces, as what is left out
        "left_out": str(sum(bool(clip.error) for clip, _ in places)),
        "cut_to_seconds": cut,
        "transcripts": "unknown",
    }
    return Dataset(f"{whole.name}-cut", Pieces(tuple(places)), seal, notes)


def _with_length(clip: Utterance) -> Utterance:
    """The clip with its length, decoded where the release does not tell; or with what is wrong."""
    if clip.error or not math.isnan(clip.seconds):
        return clip
    if clip.audio is None:
        return replace(clip, error="has no audio.")
    try:
        return replace(clip, seconds=len(audio.decode(clip.audio, RATE, clip.part)) / RATE)
    except AudioError as error:
        return replace(clip, error=str(error))


def _wav(samples: np.ndarray) -> bytes:
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format="WAV", subtype="FLOAT")
    return buffer.getvalue()


def look(params: Params, locate: Locate) -> float:
    """NaN: how many pieces there are, the clips' lengths tell. Raises: AssetError, as `load`."""
    wanted = Wanted(params.limit, None, params.seed)
    release.look(locate(params.path), Split(params.locale, params.split, wanted))
    return math.nan


source = Source(Params, load, transcripts=False, look=look)
