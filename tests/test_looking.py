"""`harness check` looks at local model folders: what is missing, or ambiguous, before a run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_voice
import whisper_tiny as tiny

from harness.app import cli
from harness.plugins.families.whisper.weights import Weights

YAML = """name: look
model: {family: FAMILY, source: {path: m}}
variants:
  - {name: fp32}
  - {name: int8, quantize: {use: dynamic_int8}}
baseline: fp32
candidate: int8
latency: {audio_seconds: [1]}
gates: [{metric: size_mb, max: 10}]
"""


def two(folder: Path, make: Callable[[Path], object]) -> None:
    make(folder)
    for path in list(folder.glob("*.onnx")):
        shutil.copyfile(path, path.with_name(f"{path.stem}_fp16.onnx"))


def split(folder: Path) -> None:
    tiny.export_folder(folder, Weights(tiny.arrays()), "split")
    tiny.tokenizer(folder)


@pytest.mark.parametrize(
    ("family", "make", "told"),
    [
        ("whisper", tiny.ctranslate2_folder, ""),
        ("whisper", split, ""),
        ("whisper", lambda f: two(f, split), "holds several models"),
        ("whisper", lambda f: split(f) or (f / "tokenizer.json").unlink(), "tokenizer.json is"),
        ("whisper", lambda f: split(f) or (f / "config.json").write_text("{"), "is not JSON"),
        ("whisper", lambda f: (tiny.ctranslate2_folder(f) / "config.json").unlink(), "config.json"),
        ("whisper", lambda f: f.mkdir(), "holds no files"),
        ("whisper", lambda f: (f.mkdir(), (f / "x.txt").write_text("x")), "is no Whisper model"),
        ("piper", tiny_voice.piper, ""),
        ("piper", lambda f: two(f, tiny_voice.piper), "holds several models"),
        ("piper", lambda f: (tiny_voice.piper(f) / "tiny.onnx.json").unlink(), "is missing"),
        ("piper", lambda f: (tiny_voice.piper(f) / "tiny.onnx").write_bytes(b""), "no nodes"),
        ("kokoro", tiny_voice.kokoro, ""),
        ("kokoro", lambda f: two(f, tiny_voice.kokoro), "holds several models"),
    ],
)
def test_a_local_model_is_looked_at(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    family: str,
    make: Callable[[Path], object],
    told: str,
) -> None:
    make(tmp_path / "m")
    text = YAML.replace("FAMILY", family)
    if family != "whisper":
        text = text.replace("latency: {audio_seconds: [1]}", "quality: [{name: q, dataset: "
                            "{use: sentences, path: s.txt}, metrics: [rtf]}]")  # fmt: skip
        (tmp_path / "s.txt").write_text("Hola.\n", encoding="utf-8")
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    code = cli.main(["check", str(tmp_path / "x.yaml")])
    said = capsys.readouterr()
    assert code == (2 if told else 0), said.err
    assert told in said.err
    assert not said.err or "x.yaml: model.source: " in said.err
