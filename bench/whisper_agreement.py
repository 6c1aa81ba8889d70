"""Do our FP32 graphs say what CTranslate2 says? The same features, greedy, on clips of a data set.

    python bench/whisper_agreement.py [--clips 40]

Needs the packages of bench/requirements.lock. Exits with 1 when fewer than 95 % of the transcripts
are equal.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import ctranslate2
import numpy as np
from tokenizers import Tokenizer

from harness import assets, plugins
from harness.plugins.families.whisper.features import log_mel
from harness.run import variants
from harness.runtime.session import SessionConfig, open_session
from harness.speech import audio

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data" / "cv-es-prompts"
PROMPT = ("<|startoftranscript|>", "<|es|>", "<|transcribe|>", "<|notimestamps|>")
LEAST_EQUAL = 0.95


def clips(count: int) -> Iterator[tuple[str, np.ndarray]]:
    """A sample of `count` test clips: (id, samples at 16 kHz)."""
    source = plugins.load("datasets", "common_voice")
    data = source.load(source.Params(path=str(DATA), split="test", limit=count), Path)
    for utterance in data.utterances:
        yield utterance.id, audio.decode(utterance.audio, 16_000)


def ctranslate2_greedy(folder: Path) -> partial[str]:
    """samples -> text by CTranslate2 in FP32: one beam, no sampling, no fallback, no timestamps."""
    model = ctranslate2.models.Whisper(str(folder), device="cpu", compute_type="float32")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return partial(_generate, model, tokenizer)


def _generate(model: ctranslate2.models.Whisper, tokenizer: Tokenizer, samples: np.ndarray) -> str:
    features = ctranslate2.StorageView.from_array(log_mel(samples, 80, 3000))
    prompt = [tokenizer.token_to_id(token) for token in PROMPT]
    found = model.generate(features, [prompt], beam_size=1, sampling_topk=1, max_length=448)
    words = [t for t in found[0].sequences_ids[0] if t < tokenizer.token_to_id("<|endoftext|>")]
    return str(tokenizer.decode(words)).strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=40)
    count = parser.parse_args().clips
    family = plugins.load("families", "whisper")
    source, fingerprint = assets.resolve({"asset": "whisper-base"}, Path)
    folder = variants.build_baseline(family, source, fingerprint, "whisper").folder
    started = partial(open_session, config=SessionConfig("default"))
    ours = family.open(folder, started, family.Params())
    theirs = ctranslate2_greedy(source)
    equal = 0
    for name, samples in clips(count):
        found, expected = ours.prepare("pipeline", samples)().text, theirs(samples)
        equal += found == expected
        if found != expected:
            print(f"{name}\n  ours        {found}\n  CTranslate2 {expected}")
    print(f"{equal} of {count} transcripts equal CTranslate2 FP32 greedy on equal features")
    return int(equal < math.ceil(LEAST_EQUAL * count))


if __name__ == "__main__":
    sys.exit(main())
