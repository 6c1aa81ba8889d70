"""Which columns of a Parquet data set are the clip, the transcript, the speaker, the length."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import AssetError

TEXTS = ("text", "sentence", "transcription", "transcript", "normalized_text")
SPEAKERS = ("speaker_id", "client_id", "speaker")
SECONDS = ("duration", "audio_length_s", "audio_duration", "seconds")
SAMPLES = "num_samples"


@dataclass(frozen=True)
class Columns:
    """Names; "" for one that is not there. `per_second` is what the length is counted in."""

    audio: str
    text: str
    speaker: str
    seconds: str
    per_second: float

    def all(self) -> list[str]:
        """What is read of a row."""
        return [name for name in (self.audio, self.text, self.speaker, self.seconds) if name]

    def to_seconds(self, value: Any) -> float:
        """The length's column in seconds, NaN where it says nothing."""
        if not isinstance(value, (int, float)) or not 0 < value < math.inf:
            return math.nan
        return value / self.per_second

    def clip(self, values: Mapping[str, Any]) -> tuple[bytes, str]:
        """The encoded clip and the name that it had."""
        value = values[self.audio]
        if isinstance(value, Mapping):
            return value.get("bytes") or b"", str(value.get("path") or "").replace("\\", "/")
        return value or b"", ""


def choose(schema: Any, names: Mapping[str, str], label: str) -> Columns:
    """The columns by the names that were given, else by what data sets usually call them.

    Raises: AssetError (one line) where the clip or the transcript has no column.
    """
    known = list(schema.names)
    if unknown := [name for name in names.values() if name and name not in known]:
        raise AssetError(f"{label}: no column {unknown[0]}; it has {', '.join(known)}.")
    audio = names["audio"] or next((name for name in known if _is_audio(schema, name)), "")
    text = names["text"] or next((name for name in TEXTS if name in known), "")
    if not audio or not _is_audio(schema, audio):
        raise AssetError(f"{label}: no column with encoded audio; it has {', '.join(known)}.")
    if not text:
        raise AssetError(f"{label}: which column is the text? It has {', '.join(known)}.")
    speaker = names["speaker"] or next((name for name in SPEAKERS if name in known), "")
    seconds = next((name for name in SECONDS if name in known), "")
    rate = _rate(schema, audio)
    if not seconds and SAMPLES in known and rate:
        return Columns(audio, text, speaker, SAMPLES, rate)
    return Columns(audio, text, speaker, seconds, 1.0)


def require(columns: Columns, schema: Any, file: str, label: str) -> None:
    """A split's later file has what the first one has. Raises: AssetError (one line)."""
    known = list(schema.names)
    if missing := [name for name in columns.all() if name not in known]:
        has = ", ".join(known)
        raise AssetError(
            f"{label}: {file} has no column {missing[0]}, as others have; it has {has}."
        )
    if not _is_audio(schema, columns.audio):
        raise AssetError(f"{label}: {file} holds no encoded audio in {columns.audio}; others do.")


def _is_audio(schema: Any, name: str) -> bool:
    import pyarrow as pa

    kind = schema.field(name).type
    if pa.types.is_struct(kind):
        return bool(kind.get_field_index("bytes") >= 0)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _rate(schema: Any, audio: str) -> float:
    """The sample rate that `datasets` wrote beside the schema, 0 where it did not."""
    try:
        known = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        return float(known["info"]["features"][audio]["sampling_rate"] or 0)
    except (ValueError, KeyError, TypeError):
        return 0.0
