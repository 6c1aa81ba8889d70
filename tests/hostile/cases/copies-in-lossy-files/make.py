"""One clip (noise in the rhythm of syllables) as 40 files, each of its own speaker."""

import json
from pathlib import Path

import lay
import numpy as np
import soundfile as sf
from scipy.signal import resample_poly

draw = np.random.default_rng(3)
rhythm = np.repeat(draw.uniform(0.02, 1, 30), 1600)
clip = (draw.normal(0, 0.1, rhythm.size) * rhythm).clip(-0.9, 0.9)
KINDS = [("WAV", "PCM_16"), ("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS"), ("FLAC", "PCM_16")]
with Path("m.jsonl").open("w", encoding="utf-8") as rows:
    for n in range(40):
        kind, subtype = KINDS[n % 4]
        rate, level = (16_000, 8000, 48_000)[n % 3], 1 - n / 50
        samples = resample_poly(clip, rate // 8000, 2) * level
        name = f"c{n}.{kind.lower()}"
        sf.write(name, samples, rate, format=kind, subtype=subtype)
        row = {"audio_filepath": name, "text": "Frase 0.", "speaker": f"s{n}"}
        rows.write(json.dumps(row) + "\n")
lay.models()
for model in "ab":
    Path(model, "facts.json").write_text(json.dumps({"texts": {}, "other": "Frase 0."}), "utf-8")
lay.experiment("use: manifest, path: m.jsonl")
