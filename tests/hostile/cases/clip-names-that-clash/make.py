"""What the case is about, made anew."""
# ruff: noqa: E402

from pathlib import Path

import lay

lay.models()

import json

names = [
    "a/x.wav",
    "b/x.wav",
    "x#2.wav",
    "line 5.wav",
    None,
    "n\nl.wav",
    "n\tl.wav",
    "w" * 200 + ".wav",
    "w" * 200 + "z.wav",
    "a/x.wav",
    "folder.wav",
]
Path("folder.wav").mkdir()
for n, name in enumerate(names):
    if name and not Path(name).exists():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(lay.content(n % 5))
Path("link.wav").symlink_to("a/x.wav")
Path("gone.wav").symlink_to("nowhere.wav")
names += ["link.wav", "gone.wav"]
rows = [{"audio_filepath": name, "text": "Frase 0."} for name in names]
Path("m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
lay.experiment("use: manifest, path: m.jsonl")
