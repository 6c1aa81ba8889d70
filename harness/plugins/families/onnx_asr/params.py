"""What an experiment may set of the onnx-asr family."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

# onnx-asr's model types, each with the files that it looks for ...
TYPES = (
    "kaldi-rnnt", "nemo-conformer-aed", "nemo-conformer-ctc", "nemo-conformer-rnnt",
    "nemo-conformer-tdt", "t-one-ctc", "vosk", "whisper", "whisper-ort",
)  # fmt: skip
# ... and its names of published models; those of GigaAM have files and features of their own
NAMES = (
    "gigaam-multilingual-ctc", "gigaam-multilingual-large-ctc", "gigaam-v2-ctc", "gigaam-v2-rnnt",
    "gigaam-v3-ctc", "gigaam-v3-e2e-ctc", "gigaam-v3-e2e-rnnt", "gigaam-v3-rnnt",
    "nemo-canary-1b-v2", "nemo-fastconformer-ru-ctc", "nemo-fastconformer-ru-rnnt",
    "nemo-parakeet-ctc-0.6b", "nemo-parakeet-rnnt-0.6b", "nemo-parakeet-tdt-0.6b-v2",
    "nemo-parakeet-tdt-0.6b-v3", "whisper-base",
)  # fmt: skip


@dataclass(frozen=True)
class Params:
    """`model` is onnx-asr's name of a type or model, "" where the folder's config.json tells it.
    `language` is forced upon Whisper and Canary ("": Whisper guesses it, Canary takes English); the
    others have one language or find it by themselves."""

    model: str = ""  # onnx-asr's name of the type or model; "": config.json tells it
    language: str = "es"  # forced upon Whisper and Canary; "": left to them

    def __post_init__(self) -> None:
        if self.model and self.model not in TYPES + NAMES:
            near = difflib.get_close_matches(self.model, TYPES + NAMES, n=1, cutoff=0.3)
            hint = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(TYPES)} ..."
            raise ValueError(f"model: onnx-asr has no {self.model!r}; {hint}")
