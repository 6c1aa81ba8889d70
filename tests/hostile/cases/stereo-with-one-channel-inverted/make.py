"""Stereo whose channels cancel, wholly or nearly; one channel silent; one that is silence."""

import json
from pathlib import Path

import numpy as np
import soundfile

left = np.random.default_rng(0).normal(size=32_000) * 0.1
clips = {
    "inverted": (left, -left),
    "nearly": (left, -0.7 * left),
    "onesided": (left, 0 * left),
    "silent": (0 * left, 0 * left),
}
rows = []
for name, channels in clips.items():
    soundfile.write(f"{name}.wav", np.stack(channels, axis=1), 16_000)
    rows.append({"audio_filepath": f"{name}.wav", "text": "32000 voz"})
Path("m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
