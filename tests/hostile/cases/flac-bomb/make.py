"""FLACs of some kilobytes that decode to gigabytes: one counts its samples, one does not."""

import json
from pathlib import Path

import numpy as np
import soundfile

with soundfile.SoundFile("bomb.flac", "w", 96_000, 8, "PCM_16") as file:
    block = np.zeros((1_000_000, 8), np.int16)
    for _ in range(110):
        file.write(block)
content = bytearray(Path("bomb.flac").read_bytes())
content[21] &= 0xF0
content[22:26] = bytes(4)
Path("untold.flac").write_bytes(content)
soundfile.write("good.wav", np.random.default_rng(1).normal(size=40_000) * 0.1, 16_000)
rows = [{"audio_filepath": name, "text": "40000 voz"}
        for name in ("bomb.flac", "untold.flac", "good.wav")]  # fmt: skip
Path("m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
