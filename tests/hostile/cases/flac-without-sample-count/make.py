"""A FLAC as a stream leaves it, whose header does not count its samples (0: unknown)."""

import json
from pathlib import Path

import numpy as np
import soundfile

samples = np.random.default_rng(0).normal(size=40_702) * 0.1
soundfile.write("plain.flac", samples, 16_000)
content = bytearray(Path("plain.flac").read_bytes())
content[21] &= 0xF0
content[22:26] = bytes(4)
Path("stream.flac").write_bytes(content)
for name, more in (("m", {}), ("m2", {"duration": 2.544, "offset": 0})):
    rows = [{"audio_filepath": f"{clip}.flac", "text": "40702 voz", **more}
            for clip in ("stream", "plain")]  # fmt: skip
    text = "".join(json.dumps(row) + "\n" for row in rows)
    Path(f"{name}.jsonl").write_text(text, encoding="utf-8")
