"""Half of a clip of noise in each container, and one that is whole."""

import io
import json
from pathlib import Path

import numpy as np
import soundfile

SAMPLES = np.random.default_rng(0).normal(size=32_000) * 0.1
KINDS = {
    "wav.wav": "WAV", "rf64.wav": "RF64", "w64.w64": "W64", "aiff.aiff": "AIFF", "au.au": "AU",
    "caf.caf": "CAF", "flac.flac": "FLAC", "info.mp3": "MP3", "vorbis.ogg": "OGG",
    "opus.opus": "OPUS", "noinfo.mp3": "BARE",
}  # fmt: skip
rows = []
for name, kind in KINDS.items():
    buffer = io.BytesIO()
    container = {"OPUS": "OGG", "BARE": "MP3"}.get(kind, kind)
    subtype = "OPUS" if kind == "OPUS" else None
    soundfile.write(buffer, SAMPLES, 16_000, format=container, subtype=subtype)
    content = buffer.getvalue()
    if kind == "BARE":
        content = content[content.index(content[:2], 64) :]
    Path(f"half_{name}").write_bytes(content[: len(content) // 2 - 7])
    rows.append({"audio_filepath": f"half_{name}", "text": f"clip {name}"})
soundfile.write("whole.wav", SAMPLES, 16_000)
rows.append({"audio_filepath": "whole.wav", "text": "32000 voz"})
Path("m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
