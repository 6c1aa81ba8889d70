"""What the benchmarks run on: clips of the sample speech, and one model in several folders."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from harness import assets, plugins, spec, store
from harness.plugins.families.whisper import weights as ctranslate2_weights
from harness.run import variants
from harness.run.variants import VariantFolder
from harness.runtime.session import SessionConfig, open_session
from harness.speech import audio

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data" / "cv-es-prompts"
EXPERIMENT = ROOT / "experiments" / "whisper_base_es.yaml"
TESTS = ROOT / "tests"
SAMPLE_RATE = 16_000

start = partial(open_session, config=SessionConfig("default"))


@dataclass(frozen=True)
class Clip:
    """An utterance of the sample speech, decoded: float32 mono at 16 kHz."""

    id: str
    samples: np.ndarray
    text: str

    @property
    def seconds(self) -> float:
        return self.samples.size / SAMPLE_RATE


def clips(count: int) -> list[Clip]:
    """A sample of `count` test clips, the same ones each time."""
    source = plugins.load("datasets", "common_voice")
    data = source.load(source.Params(path=str(DATA), split="test", limit=count), Path)
    return [Clip(u.id, audio.decode(u.audio, SAMPLE_RATE), u.text) for u in data.utterances]


def speech(seconds: float, count: int = 1) -> list[np.ndarray]:
    """`count` pieces of speech of exactly `seconds`, clips joined where they are shorter."""
    named = ((clip.id, clip.samples) for clip in clips(100))
    return [samples for _, samples in audio.lengths(named, seconds, SAMPLE_RATE, count)]


# ------------------------------------------------------------------------------- model folders
@cache
def experiment() -> spec.Experiment:
    """The shipped experiment: its model, its candidate's recipe, its language."""
    return spec.load(EXPERIMENT)


def published() -> tuple[Path, str]:
    """The CTranslate2 folder that everything is made from, and its SHA-256."""
    return assets.resolve(dataclasses.asdict(experiment().model.source), Path)


def ours() -> VariantFolder:
    """Our FP32 graphs."""
    return variants.build_baseline(_family(), *published(), experiment().model.family)


def export() -> VariantFolder:
    """The same weights and operators in the usual export's layout, with onnx-asr's vocabulary."""
    source, fingerprint = published()
    family = dataclasses.replace(_family(), build=build_export)
    code = [TESTS / "whisper_tiny.py", *sorted(Path(_package().__file__).parent.glob("*.py"))]
    origin = store.digest(
        [fingerprint, *(hashlib.sha256(p.read_bytes()).hexdigest() for p in code)]
    )
    return variants.build_baseline(family, source, origin, "whisper-export")


def int8(start: VariantFolder) -> VariantFolder:
    """A folder quantized by the recipe of the experiment's candidate."""
    shipped = experiment()
    recipe = next(v.quantize for v in shipped.variants if v.name == shipped.candidate)
    assert recipe is not None
    return variants.quantize(_family(), start, (recipe, plugins.load("quantize", recipe.use)))


def build_export(source: Path, target: Path) -> None:
    """encoder_model.onnx and decoder_model_merged.onnx from CTranslate2 weights, with both the
    tokenizer that our family reads and the vocabulary that onnx-asr does."""
    tiny = _whisper_tiny()
    tiny.export_folder(target / "onnx", ctranslate2_weights.read(source / "model.bin"), "merged")
    (target / "onnx" / "config.json").replace(target / "config.json")
    text = (source / "tokenizer.json").read_text(encoding="utf-8")
    (target / "tokenizer.json").write_text(text, encoding="utf-8")
    tokenizer = json.loads(text)
    _write_json(target / "vocab.json", tokenizer["model"]["vocab"])
    added = ((token["content"], token["id"]) for token in tokenizer["added_tokens"])
    _write_json(target / "added_tokens.json", added)


def _write_json(path: Path, entries: dict[str, int] | Iterable[tuple[str, int]]) -> None:
    path.write_text(json.dumps(dict(entries), ensure_ascii=False), encoding="utf-8")


def _family() -> Any:
    return plugins.load("families", experiment().model.family)


def _package() -> Any:
    return importlib.import_module("harness.plugins.families.whisper")


def _whisper_tiny() -> Any:
    """The tests' writer of the export layout: it takes weights of any size."""
    if str(TESTS) not in sys.path:
        sys.path.append(str(TESTS))
    return importlib.import_module("whisper_tiny")
