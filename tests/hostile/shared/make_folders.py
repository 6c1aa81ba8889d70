"""An experiment's folder, model and data; and beside it what a run may be told to write into."""

from pathlib import Path

Path("a").mkdir()
Path("a/facts.json").write_text('{"texts": {}}')
Path("a/model.onnx").write_bytes(b"x")
Path("m.jsonl").write_text('{"audio_filepath": "audio/c.flac", "text": "hola"}')
Path("audio").mkdir()
Path("audio/c.flac").write_bytes(b"fLaC")
Path("home/.config").mkdir(parents=True)
Path("home/.bashrc").write_text("x")
Path("file").write_text("x")
Path("link").symlink_to("audio")
Path("dangling").symlink_to("nowhere")
Path("crafted").mkdir()
Path("crafted/manifest.json").write_text('{"schema": 3, "files": {}}')
Path("crafted/report.md").write_text("mine")
Path("x.yaml").write_text("""\
name: fake
model: {family: ./oracle.py, source: {path: a}}
variants:
  - {name: a}
baseline: a
quality:
  - {name: q, dataset: {use: manifest, path: m.jsonl}, metrics: [wer], normaliser: spanish}
gates: []
budget: {minutes: 2}
""")
