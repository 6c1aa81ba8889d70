"""Rows that name a part of a file, in every kind of table: heard as that part, or left out with a
reason. A clip of ten seconds climbs from 0 to 0.8, so that what was heard tells its own place."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from harness.contracts import Dataset, Utterance
from harness.errors import AudioError
from harness.plugins.datasets import common_voice, hub
from harness.speech import audio

RATE = 16_000
LONG, SHORT = 10.0, 2.0  # seconds of the two clips


def wav(seconds: float) -> bytes:
    buffer = io.BytesIO()
    climbing = np.linspace(0, 0.8 * seconds / LONG, round(RATE * seconds), endpoint=False)
    soundfile.write(buffer, climbing, RATE, format="WAV", subtype="FLOAT")
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def release(folder: Path, rows: list[Mapping[str, Any]]) -> Dataset:
    """A release whose table has these columns beside its own; the clip of each row is `long`."""
    (folder / "clips").mkdir()
    (folder / "clips/long.wav").write_bytes(wav(LONG))
    columns = list(rows[0])
    lines = ["\t".join(("client_id", "path", "sentence", *columns))]
    for n, row in enumerate(rows):
        values = ("" if row[name] is None else str(row[name]) for name in columns)
        lines.append("\t".join(("s", "long.wav", f"frase {n}", *values)))
    (folder / "test.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return common_voice.load(common_voice.Params(str(folder)), Path)


def cells(folder: Path, rows: list[Mapping[str, Any]], seconds: float = LONG) -> Dataset:
    """A Parquet file whose rows hold their clips."""
    held = {"audio": [{"bytes": wav(seconds), "path": f"{n}.wav"} for n in range(len(rows))]}
    return _parquet(folder, rows, held)


def paths(folder: Path, rows: list[Mapping[str, Any]]) -> Dataset:
    """A Parquet file whose rows name one clip beside it."""
    (folder / "set").mkdir()
    (folder / "set/long.wav").write_bytes(wav(LONG))
    return _parquet(folder, rows, {"audio": ["long.wav"] * len(rows)})


def _parquet(folder: Path, rows: list[Mapping[str, Any]], clips: dict[str, Any]) -> Dataset:
    (folder / "set").mkdir(exist_ok=True)
    table = {**clips, "text": [f"frase {n}" for n in range(len(rows))]}
    table |= {name: [row[name] for row in rows] for name in rows[0]}
    pq.write_table(pa.table(table), folder / "set/test-0.parquet")
    return hub.load(hub.Params(path=str(folder / "set")), Path)


def heard(one: Utterance) -> tuple[float, float] | str:
    """From and to in seconds of the long clip, or why nothing is heard."""
    if one.error or one.audio is None:
        return one.error
    try:
        samples = audio.decode(one.audio, RATE, one.part, one.seconds)
    except AudioError as error:
        return str(error)
    start = float(samples[0]) / 0.8 * LONG
    return start, start + len(samples) / RATE


def agrees(found: tuple[float, float] | str, wanted: tuple[float, float] | str) -> bool:
    """Equal seconds within a thousandth, or a reason that holds this one."""
    if isinstance(wanted, str):
        return isinstance(found, str) and wanted in found
    return bool(found == pytest.approx(wanted, abs=1e-3))


NAMED = [  # columns of a row whose file is a recording of ten seconds, and what it means
    ({"start": 2.0, "end": 5.0}, (2, 5)),
    ({"offset": 2.0, "duration": 3.0}, (2, 5)),
    ({"start_ms": 2000, "end_ms": 5000}, (2, 5)),
    ({"begin_time": 2.0, "end_time": 5.0, "duration": 3.0}, (2, 5)),
    ({"stop": 5.0}, (0, 5)),
    ({"offset": 4.0}, (4, 10)),
    ({"duration": 10.0}, (0, 10)),
    ({"duration": 3.0}, "lasts 10 s, not 3 s as its row says"),
    ({"duration_ms": 3000}, "lasts 10 s, not 3 s as its row says"),
    ({"start": 2.0, "end": 5.0, "duration": 7.0}, "lasts 7 s by its length, 3 s by its start"),
    ({"start": 5.0, "end": 2.0}, "ends at 2 s, where it starts (5 s) or before"),
    ({"start": -1.0, "end": 2.0}, "has a start that is no number of seconds"),
    ({"start": 2.0, "end": 25.0}, "its row names 2 s to 25 s"),
]


@pytest.mark.parametrize("kind", [release, paths], ids=["release", "paths in a Parquet file"])
@pytest.mark.parametrize(("row", "means"), NAMED, ids=lambda value: str(value))
def test_a_row_that_names_a_part_of_a_file_is_heard_as_that_part_or_says_why(
    tmp_path: Path, kind: Any, row: Mapping[str, Any], means: tuple[float, float] | str
) -> None:
    assert agrees(heard(kind(tmp_path, [row]).utterances[0]), means)


OWN = [  # columns of a row, seconds of the clip that it holds, and what is heard of that
    ({"start": 2.0, "end": 5.0}, LONG, (2, 5)),
    ({"start": 102.0, "end": 104.0}, SHORT, (0, 2)),  # cut out of a recording already
    ({"start": 102000, "end": 104000}, SHORT, (0, 2)),  # as milliseconds say too
    ({"start": 102.0}, SHORT, (0, 2)),
    ({"start": 102.0, "end": 104.2, "duration": 2.0}, SHORT, (0, 2)),
    ({"start": "2021-05-01", "end": "2021-05-02"}, SHORT, (0, 2)),  # no part of anything
    ({"start": 102.0, "end": 109.0}, SHORT, "lasts 2 s; its row names 102 s to 109 s"),
    ({"start": 1.0, "end": -3.0}, SHORT, "has an end that is no number of seconds"),
    ({"duration": 5.0}, SHORT, "lasts 2 s, not 5 s as its row says"),
    ({"start": math.nan, "end": math.nan}, SHORT, (0, 2)),
    ({"start": None, "end": None}, SHORT, (0, 2)),
]


@pytest.mark.parametrize(("row", "seconds", "means"), OWN, ids=lambda value: str(value))
def test_a_clip_that_a_row_holds_is_cut_only_where_it_is_longer_than_the_row_says(
    tmp_path: Path, row: Mapping[str, Any], seconds: float, means: tuple[float, float] | str
) -> None:
    assert agrees(heard(cells(tmp_path, [row], seconds).utterances[0]), means)


@pytest.mark.parametrize("kind", [release, paths], ids=["release", "paths in a Parquet file"])
def test_two_parts_of_a_file_are_two_utterances_and_the_same_part_is_one(
    tmp_path: Path, kind: Any
) -> None:
    rows = [{"start": 1.0, "end": 2.0}, {"start": 3.0, "end": 5.0}, {"start": 1.0, "end": 2.0}]
    first, second, again = kind(tmp_path, rows).utterances
    assert (first.id, second.id) == ("long@1-2", "long@3-5")
    assert heard(second) == pytest.approx((3, 5), abs=1e-3)
    assert "again" in again.error or "more than once" in again.error


@pytest.mark.parametrize("kind", [release, paths], ids=["release", "paths in a Parquet file"])
def test_the_fingerprint_sees_which_part_is_meant(tmp_path: Path, kind: Any) -> None:
    seals = set()
    for name, stop in (("one", 4.0), ("other", 5.0)):
        (tmp_path / name).mkdir()
        seals.add(kind(tmp_path / name, [{"start": 0.0, "end": stop}]).fingerprint)
    assert len(seals) == 2


def test_a_draw_of_minutes_counts_the_parts(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips/long.wav").write_bytes(wav(LONG))
    rows = "".join(f"s\tlong.wav\tfrase {n}\t{n}\t{n + 1}\n" for n in range(10))
    (tmp_path / "test.tsv").write_text("client_id\tpath\tsentence\tstart\tend\n" + rows, "utf-8")
    params = common_voice.Params(str(tmp_path), minutes=5 / 60)
    assert len(common_voice.load(params, Path).utterances) == 5
