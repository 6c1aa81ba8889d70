"""Two files in one, headers that claim what cannot be, GSM 6.10, telephone sound in a wide file."""

import io
import json
import struct
from pathlib import Path

import numpy as np
import soundfile
from scipy import signal

NOISE = np.random.default_rng(0).normal(size=32_000) * 0.1


def encoded(samples, rate=16_000, **how):
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, **how)
    return buffer.getvalue()


wav = encoded(NOISE, format="WAV")
mp3 = encoded(NOISE, format="MP3")
clips = {
    "joined.mp3": mp3 + mp3,
    "joined.wav": wav + wav,
    "rate.wav": wav[:24] + struct.pack("<I", 10**9) + wav[28:],
    "channels.wav": wav[:22] + struct.pack("<H", 255) + wav[24:],
    "piped.wav": wav[:40] + bytes(4) + wav[44:],
    "gsm.wav": encoded(NOISE[:16_000], 8_000, format="WAV", subtype="GSM610"),
    "telephone.wav": encoded(signal.resample_poly(NOISE[:16_000], 2, 1), format="WAV"),
}
rows = []
for name, content in clips.items():
    Path(name).write_bytes(content)
    rows.append({"audio_filepath": name, "text": "32000 voz"})
Path("m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
rows = [{"audio_filepath": "telephone.wav", "text": "32000 voz"}]
Path("t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
