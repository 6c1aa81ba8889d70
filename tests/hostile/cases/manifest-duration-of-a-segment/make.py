"""A file of 11 s of which rows name a part, in each way that manifests have."""

import json
from pathlib import Path

import numpy as np
import soundfile

soundfile.write("long.wav", np.random.default_rng(0).normal(size=175_924) * 0.1, 16_000)
soundfile.write("short.wav", np.random.default_rng(1).normal(size=40_000) * 0.1, 16_000)
PARTS = [
    ({"duration": 2.1}, ""),
    ({"offset": 0, "duration": 2.1}, "33600 voz"),
    ({"offset": 1.5, "duration": 2.0}, "32000 voz"),
    ({"start": 2, "end": 3}, "16000 voz"),
    ({"start_ms": 2000, "end_ms": 3500}, "24000 voz"),
    ({"start_time": 3, "stop_time": 3.25, "duration": 0.25}, "4000 voz"),
    ({"offset": 10}, "15924 voz"),
    ({"start": 4, "end": 6, "duration": 9}, ""),
    ({"start": 4, "start_ms": 6000, "end": 7}, ""),
    ({"start": 5, "end": 4}, ""),
    ({"offset": 10, "duration": 4}, ""),
    ({"offset": 60, "duration": 4}, ""),
    ({"start": "00:00:05", "end": 7}, ""),
]
rows = [{"audio_filepath": "long.wav", "text": text or "?", **part} for part, text in PARTS]
rows.append({"audio_filepath": "short.wav", "text": "40000 voz", "duration": 2.5, "offset": 0})
Path("m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
