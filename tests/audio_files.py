"""Encoded clips as writers leave them, whole, odd or broken: made in memory."""

from __future__ import annotations

import io
import struct

import numpy as np
import soundfile

RATE = 16_000
SAMPLES = 24_000  # 1.5 s


def noise(samples: int = SAMPLES, seed: int = 0) -> np.ndarray:
    """Which no codec can make small, and no decoder can mistake for its beginning."""
    return np.random.default_rng(seed).normal(size=samples) * 0.1


def encoded(
    samples: np.ndarray, kind: str = "WAV", subtype: str | None = None, rate: int = RATE
) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def clip(kind: str, subtype: str | None = None, rate: int = RATE) -> bytes:
    """1.5 s at 16 kHz."""
    return encoded(noise(), kind, subtype, rate)


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def put(content: bytes, at: int, value: bytes) -> bytes:
    return content[:at] + value + content[at + len(value) :]


def sized(content: bytes, chunk: bytes, size: int, layout: str = "<I") -> bytes:
    """The clip whose chunk of that name says another size."""
    at = content.index(chunk) + len(chunk)
    return put(content, at, struct.pack(layout, size))


def wav(size: int | None = None, riff: int | None = None, tail: bytes = b"") -> bytes:
    """A WAV whose header says those sizes, with something behind its audio."""
    content = clip("WAV", "PCM_16")
    content = content if size is None else sized(content, b"data", size)
    content = content if riff is None else put(content, 4, struct.pack("<I", riff))
    return content + tail


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def w64(size: int) -> bytes:
    return sized(clip("W64"), b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a", size, "<q")


def rf64(size: int) -> bytes:
    content = clip("RF64")
    return put(content, content.index(b"ds64") + 16, struct.pack("<q", size))


def header_field(at: int, layout: str, value: int) -> bytes:
    """A WAV of which one field of its header is another."""
    return put(clip("WAV", "PCM_16"), at, struct.pack(layout, value))


ID3V2 = b"ID3\x03\x00\x00\x00\x00\x02\x2c" + bytes(300)  # sizes are four bytes of seven bits
ID3V1 = b"TAG" + b"titulo".ljust(125, b"\0")
APE = b"APETAGEX" + struct.pack("<IIII", 2000, 32, 0, 0) + bytes(8)
MP3 = clip("MP3")


def bare_mp3(seed: int = 0) -> bytes:
    """Without the frame that counts the others, as a recorder writes that cannot go back."""
    content = encoded(noise(seed=seed), "MP3")
    return content[content.index(content[:2], 64) :]


def uncounted_mp3() -> bytes:
    """Whose Info frame has no count."""
    at = max(MP3.find(b"Info"), MP3.find(b"Xing"))
    return put(MP3, at + 4, bytes(4))


def flac(samples: int | None = None) -> bytes:
    """Whose header says so many samples; 0: it does not say."""
    content = clip("FLAC", "PCM_16")
    if samples is None:
        return content
    return put(content, 21, bytes([content[21] & 0xF0]) + struct.pack(">I", samples))


def pages(content: bytes) -> list[int]:
    """Where the pages of an Ogg begin."""
    return [at for at in range(len(content)) if content[at : at + 4] == b"OggS"]


def without_last_page(content: bytes) -> bytes:
    return content[: pages(content)[-1]]


def without_a_page(content: bytes) -> bytes:
    starts = pages(content)
    return content[: starts[-2]] + content[starts[-1] :]
