"""Which clips are copies of one recording, in whatever file: by their waves, and by how their
energy moves where a codec, a telephone or another level changed the wave.

A recording is a text: a hash of the shape of its wave and, of clips with a second of sound or more,
a print of it. Equal hashes are copies whatever is said of them. Prints need not be equal: two clips
of the same text (however it is spaced or punctuated), whose sound lasts equally long within 20 ms
or 1 %, are copies where their prints correlate by 0.99. Measured: MP3, Ogg Vorbis, Opus, 8 kHz
mu-law, other rates, levels, padding and polarity of one clip correlate by 0.994 or more; two of 443
clips by 0.83 at most, whatever they say; a synthetic voice that says a text twice by 0.984. What
GSM 6.10, heavy clipping or other speeds make of a clip is mostly not recognised.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence

import numpy as np

SHAPE_POINTS, STEPS = 256, 4  # of the wave
POINTS = 64  # in time, of a print
BANDS_HZ = (300.0, 700.0, 1400.0, 2300.0, 3400.0)  # edges; a telephone leaves them
FRAME_SECONDS, HOPS = 0.032, 4
EDGE = 0.01  # of the energy lies before the print, and as much behind it
FLOOR = 1e-3  # of the loudest point
SHORTEST_SECONDS = 1.0  # of the print; a word said twice looks the same
SAME_SECONDS, SAME_SHARE = 0.02, 0.01
ALIKE = 0.99
_SLICE = 1024  # frames, or prints, at once


def recording(samples: np.ndarray, rate: int) -> str:
    """What tells whether two clips are copies; see `merged`. "" for no samples."""
    if not samples.size:
        return ""
    found = _print(samples, rate)
    if found is None:
        return _shape(samples)
    levels, seconds = found
    told = base64.b85encode(levels.tobytes()).decode()
    return f"{_shape(samples)} {round(1e3 * seconds)} {told}"


def wording(text: str) -> str:
    """What is equal for one text however it is spaced, written large or punctuated."""
    return _digest(" ".join(re.findall(r"\w+", text.casefold())).encode())


def merged(recordings: Sequence[str], texts: Sequence[str]) -> list[str]:
    """For each recording (of a clip with this text) a name that its copies share; "" stays so."""
    first: dict[tuple[str, str], str] = {}
    groups: dict[str, list[str]] = {}
    for one, text in zip(recordings, texts, strict=True):
        if (one, text) not in first:
            first[one, text] = one
            if " " in one:
                groups.setdefault(wording(text), []).append(one)
    heads: dict[str, str] = {}
    for group in groups.values():
        for one, head in _heads(list(dict.fromkeys(group))).items():
            heads[_end(heads, _hash(one))] = _end(heads, _hash(head))
    return [_end(heads, _hash(one)) for one in recordings]


def _heads(group: list[str]) -> dict[str, str]:
    """Of prints of one text: each one's first copy."""
    if len(group) < 2:
        return {}
    parts = [one.split(" ") for one in group]
    seconds = np.array([int(part[1]) for part in parts]) / 1e3
    levels = np.array(
        [np.frombuffer(base64.b85decode(part[2]), np.int8) for part in parts], np.float32
    )
    levels -= levels.mean(axis=1, keepdims=True)
    levels /= np.maximum(np.linalg.norm(levels, axis=1, keepdims=True), 1e-9)
    found: dict[str, str] = {}
    left = np.arange(len(group))
    while left.size:
        head, left = left[0], left[1:]
        slack = max(SAME_SECONDS, SAME_SHARE * float(seconds[head]))
        alike = levels[left] @ levels[head] >= ALIKE
        alike &= np.abs(seconds[left] - seconds[head]) <= slack
        found |= {group[at]: group[head] for at in left[alike]}
        left = left[~alike]
    return found


def _end(heads: dict[str, str], one: str) -> str:
    """Where a chain of copies begins."""
    while heads.get(one, one) != one:
        one = heads[one]
    return one


def _hash(one: str) -> str:
    return one.partition(" ")[0]


def _shape(samples: np.ndarray) -> str:
    """A hash of the shape of the wave, coarse enough for what rounding to 16 bits changes."""
    size = max(1, samples.size // SHAPE_POINTS)
    count = min(SHAPE_POINTS, samples.size)
    places = np.linspace(0, samples.size - size, count).astype(np.intp)
    total = np.concatenate([[0.0], np.cumsum(samples, dtype=np.float64)])
    shape = total[places + size] - total[places]
    shape = np.round(STEPS * shape / max(float(np.abs(shape).max()), 1e-12)).astype(np.int8)
    return _digest(f"{samples.size} ".encode() + shape.tobytes())


def _print(samples: np.ndarray, rate: int) -> tuple[np.ndarray, float] | None:
    """(dB under the loudest point, shape (POINTS * bands,), int8; seconds that it spans)."""
    energy, step = _energies(samples, rate)
    total = np.concatenate([np.zeros((1, energy.shape[1])), np.cumsum(energy, axis=0)])
    whole = total.sum(axis=1)
    if whole[-1] <= 0:
        return None
    start, stop = np.interp([EDGE, 1 - EDGE], whole / whole[-1], np.arange(len(whole)))
    seconds = float(stop - start) * step
    if seconds < SHORTEST_SECONDS:
        return None
    places = np.linspace(start, stop, POINTS + 1)
    known = np.arange(len(total))
    points = np.diff([np.interp(places, known, band) for band in total.T], axis=1)
    levels = 10 * np.log10(np.maximum(points / points.max(), FLOOR))
    return np.round(levels).astype(np.int8).ravel(), seconds


def _energies(samples: np.ndarray, rate: int) -> tuple[np.ndarray, float]:
    """(energy in each band, shape (frames, bands); seconds from frame to frame)."""
    size = max(HOPS, round(FRAME_SECONDS * rate))
    step = size // HOPS
    padded = np.pad(samples.astype(np.float32), (size, size))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::step]
    window = np.hanning(size).astype(np.float32)
    edges = np.searchsorted(np.fft.rfftfreq(size, 1 / rate), BANDS_HZ)
    found = []
    for first in range(0, len(frames), _SLICE):
        power = np.abs(np.fft.rfft(frames[first : first + _SLICE] * window)) ** 2
        total = np.pad(np.cumsum(power, axis=1), ((0, 0), (1, 0)))[:, edges]
        found.append(np.diff(total, axis=1))
    return np.concatenate(found), step / rate


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
