"""Which columns of a Parquet data set are the clip, the transcript, the speaker, the length."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.errors import AssetError
from harness.errors.limits import LABEL_COLUMNS
from harness.plugins.datasets._corpus.labels import labels
from harness.plugins.datasets._corpus.segments import LENGTHS, STARTS, STOPS

TEXTS = ("text", "sentence", "transcription", "transcript", "normalized_text")
SPEAKERS = ("speaker_id", "client_id", "speaker")
AUDIOS = ("audio", "audio_filepath", "audio_file", "file", "path", "clip")
SAMPLES = "num_samples"


@dataclass(frozen=True)
class Columns:
    """Names; "" for one that is not there. `per_second` is what the length is counted in; `paths`
    says that the audio's column holds texts, paths of files."""

    audio: str
    text: str
    speaker: str
    seconds: str
    per_second: float
    paths: bool = False
    ends: tuple[str, ...] = ()  # columns that may say which part of its clip a row means
    # other columns of texts or whole numbers -> what its numbers stand for (a ClassLabel's names)
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def all(self) -> list[str]:
        """What every file must have."""
        return [name for name in (self.audio, self.text, self.speaker, self.seconds) if name]

    def read(self) -> list[str]:
        """What is read of a row."""
        return list(dict.fromkeys((*self.all(), *self.ends, *self.labels)))

    def said(self, values: Mapping[str, Any]) -> dict[str, str]:
        """The row's labels; a number that stands for a name is that name."""
        return labels({name: self._said(name, values.get(name)) for name in self.labels}, ())

    def _said(self, name: str, value: Any) -> Any:
        known = self.labels[name]
        return known[value] if isinstance(value, int) and 0 <= value < len(known) else value

    def to_seconds(self, value: Any) -> float:
        """The length's column in seconds, NaN where it says nothing."""
        if not isinstance(value, (int, float)) or not 0 < value < math.inf:
            return math.nan
        return value / self.per_second

    def clip(self, values: Mapping[str, Any]) -> tuple[bytes, str]:
        """The encoded clip and the name that it had."""
        value = values[self.audio]
        if isinstance(value, str):
            return b"", value.replace("\\", "/")
        if isinstance(value, Mapping):
            return value.get("bytes") or b"", str(value.get("path") or "").replace("\\", "/")
        return value or b"", ""


def choose(schema: Any, names: Mapping[str, str], label: str) -> Columns:
    """The columns by the names that were given, else by what data sets usually call them.

    Raises: AssetError (one line) where the clip or the transcript has no column, or one of another
    type: what a list or a number looks like in print is no transcript.
    """
    known = list(schema.names)
    if unknown := [name for name in names.values() if name and name not in known]:
        raise AssetError(f"{label}: no column {unknown[0]}; it has {', '.join(known)}.")
    audio = names["audio"] or _audio(schema, label)
    if not audio or not is_audio(schema, audio):
        is_of = f"; {audio} is {schema.field(audio).type}" if audio else ""
        raise AssetError(
            f"{label}: no column with encoded audio{is_of}; it has {', '.join(known)}."
        )
    text = names["text"] or next((name for name in TEXTS if name in known), "")
    if not text:
        raise AssetError(f"{label}: which column is the text? It has {', '.join(known)}.")
    speaker = names["speaker"] or next((name for name in SPEAKERS if name in known), "")
    for name, kinds in ((text, "s"), (speaker, "si")):
        _typed(schema, name, kinds, label)
    seconds, per_second = _length(schema, audio)
    others = _labels(schema, (audio, text, speaker, seconds))
    paths = _is_path(schema, audio)
    ends = _ends(schema, paths, (audio, text, speaker, seconds))
    return Columns(audio, text, speaker, seconds, per_second, paths, ends, others)


def _ends(schema: Any, paths: bool, used: tuple[str, ...]) -> tuple[str, ...]:
    """Columns that name a part of a clip. Beside clips of the rows' own, texts and times of day
    called `start` are of the recording that they were cut out of."""
    found = (name for name in (*STARTS, *STOPS) if name in schema.names and name not in used)
    return tuple(n for n in found if paths or kind_of(schema.field(n).type) in ("i", "f"))


def _labels(schema: Any, used: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The first columns that may say something of an utterance."""
    fit = [n for n in schema.names if n not in used and kind_of(schema.field(n).type) in ("s", "i")]
    return {name: _class_names(schema, name) for name in fit[:LABEL_COLUMNS]}


def _class_names(schema: Any, name: str) -> tuple[str, ...]:
    found = _feature(schema, name).get("names")
    return tuple(map(str, found)) if isinstance(found, list) else ()


def _length(schema: Any, audio: str) -> tuple[str, float]:
    """The column with the clips' lengths, and what they are counted in."""
    counted = LENGTHS | {SAMPLES: _rate(schema, audio)}
    for name, per_second in counted.items():
        numbers = name in schema.names and kind_of(schema.field(name).type) in ("i", "f")
        if numbers and per_second:
            return name, per_second
    return "", 1.0


def _audio(schema: Any, label: str) -> str:
    """The column with the clips: the one that says so, is called so, or is the only one."""
    fit = [name for name in schema.names if is_audio(schema, name) and not _is_path(schema, name)]
    marked = [name for name in fit if _feature(schema, name).get("_type") == "Audio"]
    unmarked = [name for name in fit if not _feature(schema, name).get("_type")]
    called = [name for name in AUDIOS if name in fit]
    paths = [name for name in AUDIOS if name in schema.names and _is_path(schema, name)]
    for some in (marked, called, unmarked, paths):
        if len(some) == 1 or (some and some is not unmarked):
            return some[0]
        if some:
            raise AssetError(f"{label}: which column is the audio? {', '.join(some)} may be.")
    return ""


def _typed(schema: Any, name: str, kinds: str, label: str) -> None:
    """Raises: AssetError for a column that is not of one of these kinds (see kind_of)."""
    if name and kind_of(schema.field(name).type) not in kinds:
        should = {"s": "text", "si": "text or whole numbers", "if": "numbers"}[kinds]
        raise AssetError(f"{label}: the column {name} is {schema.field(name).type}, not {should}.")


def kind_of(kind: Any) -> str:
    """ "s" for text, "i" and "f" for numbers, "b" for bytes, "?" for others; of a dictionary, its
    values'."""
    import pyarrow.types as kinds

    if kinds.is_dictionary(kind):
        return kind_of(kind.value_type)
    wide = getattr(kinds, "is_string_view", lambda _: False)
    if kinds.is_string(kind) or kinds.is_large_string(kind) or wide(kind):
        return "s"
    if kinds.is_integer(kind):
        return "i"
    if kinds.is_floating(kind):
        return "f"
    return "b" if kinds.is_binary(kind) or kinds.is_large_binary(kind) else "?"


def require(columns: Columns, schema: Any, file: str, label: str) -> None:
    """A split's later file has what the first one has. Raises: AssetError (one line)."""
    known = list(schema.names)
    if missing := [name for name in columns.all() if name not in known]:
        has = ", ".join(known)
        raise AssetError(
            f"{label}: {file} has no column {missing[0]}, as others have; it has {has}."
        )
    if not is_audio(schema, columns.audio) or _is_path(schema, columns.audio) != columns.paths:
        raise AssetError(f"{label}: {file} holds no encoded audio in {columns.audio}; others do.")
    for name, kinds in ((columns.text, "s"), (columns.speaker, "si"), (columns.seconds, "if")):
        _typed(schema, name, kinds, f"{label}: {file}")


def is_audio(schema: Any, name: str) -> bool:
    """Whether the column can hold clips: their bytes, with a name or not, or paths of files."""
    import pyarrow as pa

    kind = schema.field(name).type
    if pa.types.is_struct(kind):
        at = kind.get_field_index("bytes")
        # no bytes at all: paths of files
        return at >= 0 and (kind_of(kind.field(at).type) == "b" or kind.field(at).type == pa.null())
    return kind_of(kind) == "b" or _is_path(schema, name)


def _is_path(schema: Any, name: str) -> bool:
    return kind_of(schema.field(name).type) == "s"


def _feature(schema: Any, name: str) -> Mapping[str, Any]:
    """What `datasets` wrote beside the schema of a column."""
    try:
        known = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        found = known["info"]["features"][name]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _rate(schema: Any, audio: str) -> float:
    """The sample rate that `datasets` wrote beside the schema, 0 where it did not."""
    try:
        return float(_feature(schema, audio).get("sampling_rate") or 0)
    except (ValueError, TypeError):
        return 0.0
