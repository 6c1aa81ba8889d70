"""Tables, releases and Parquet of any bytes: one line or one row for each row, never a traceback.

A few examples by default; HARNESS_FUZZ_SECONDS=180 goes on for so long.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import random
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from effort import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.contracts import Dataset
from harness.errors import HarnessError
from harness.plugins.datasets import common_voice, hub, manifest, sentences
from harness.plugins.datasets.hub import files, finding

SECONDS = float(os.environ.get("HARNESS_FUZZ_SECONDS", "0"))
FEW = settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
CELLS = st.one_of(
    st.sampled_from(
        ['"', '""', '"a', 'a"', '"a"b', "a,b", "a;b", "\t", "\r", "\0", "", " ", "[noise]", "NaN",
         "c0.wav", "c1.wav", "../c0.wav", "/", ".", "..", "nin\u0303o.wav", "x" * 300, "-1",
         "1e999", "\ufeff", "\u2028", "\x85", "#2", "line 3"]
    ),
    st.text(max_size=12),
)  # fmt: skip
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=8)
NAMES = ("audio_filepath", "text", "duration", "speaker")


@pytest.fixture(autouse=True)
def laid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clips, and a cache of the test's own."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "es" / "clips").mkdir(parents=True)
    for name in ("c0.wav", "c1.wav"):
        (tmp_path / name).write_bytes(name.encode())
        (tmp_path / "es" / "clips" / name).write_bytes(name.encode())


def holds(act: Callable[[], Dataset]) -> Dataset | None:
    """A data set in which each row is accounted for, or one line that says why there is none."""
    try:
        data = act()
    except HarnessError as error:
        line = str(error)
    else:
        return counted(data)
    assert line.strip(), "no reason"
    assert "\n" not in line, line
    return None


def counted(data: Dataset) -> Dataset:
    """The data set, of which every row is accounted for and has a name of its own."""
    rows = list(data.utterances)
    assert len(rows) == len(data.utterances) == int(data.notes["used"])
    assert sum(bool(one.error) for one in rows) == int(data.notes["left_out"])
    assert len({one.id for one in rows}) == len(rows), [one.id for one in rows]
    for one in rows:
        assert one.id.isprintable()
        assert one.error or one.text.strip()
        assert one.error or one.audio is None or Path(str(one.audio)).is_file()
        json.dumps([one.id, one.error, one.text], ensure_ascii=False).encode("utf-8")
    return data


def of_manifest(folder: Path, name: str, content: bytes, **more: object) -> Dataset | None:
    (folder / name).write_bytes(content)
    params = manifest.Params(path=str(folder / name), **more)  # type: ignore[arg-type]
    return holds(lambda: manifest.load(params, Path))


def of_release(folder: Path, content: bytes) -> Dataset | None:
    (folder / "es" / "test.tsv").write_bytes(content)
    return holds(lambda: common_voice.load(common_voice.Params(path=str(folder)), Path))


def of_sentences(folder: Path, name: str, content: bytes) -> Dataset | None:
    (folder / name).write_bytes(content)
    params = sentences.Params(path=str(folder / name), column="text")
    return holds(lambda: sentences.load(params, Path))


# ------------------------------------------------------------------------------- structured tables
@FEW
@given(ROWS, st.sampled_from([",", ";", "\t"]))
def test_a_csv_that_a_library_wrote_is_read_row_by_row(
    tmp_path: Path, rows: list[list[str]], delimiter: str
) -> None:
    """Written by Python's csv module: as many rows as were written, but for lines that look like
    rows within a field."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
    writer.writerow(NAMES[:2])
    signs = str.maketrans("\n\r\0", "  ?")  # NUL: the csv module of Python 3.10 cannot write it
    sound = [[cell.translate(signs) for cell in row] for row in rows]
    writer.writerows(sound)
    data = of_manifest(tmp_path, "m.csv", buffer.getvalue().encode("utf-8", "replace"))
    assert data is None or int(data.notes["rows"]) == len(sound)


@FEW
@given(ROWS)
def test_each_line_of_a_tsv_is_a_row(tmp_path: Path, rows: list[list[str]]) -> None:
    lines = ["\t".join(row).replace("\n", " ") for row in rows]
    filled = sum(1 for line in lines if line.removesuffix("\r"))
    body = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    data = of_release(tmp_path, b"path\tsentence\n" + body)
    assert data is None or int(data.notes["rows"]) == filled
    data = of_manifest(tmp_path, "m.tsv", b"audio_filepath\ttext\n" + body)
    assert data is None or int(data.notes["rows"]) == filled
    of_sentences(tmp_path, "s.tsv", b"id\ttext\n" + body)
    of_sentences(tmp_path, "s.csv", b"id,text\n" + body.replace(b"\t", b","))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | CELLS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(CELLS, inner, max_size=2),
    max_leaves=4,
)


@FEW
@given(st.lists(st.dictionaries(st.sampled_from([*NAMES, "offset"]), VALUES), max_size=6))
def test_each_line_of_json_is_a_row(tmp_path: Path, rows: list[dict[str, object]]) -> None:
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    data = of_manifest(tmp_path, "m.jsonl", content)
    assert data is None or int(data.notes["rows"]) == len(rows)


COLUMNS = st.sampled_from(
    [
        pa.array([b"RIFF", None, b""]),
        pa.array(["c0.wav", None, "x" * 300]),
        pa.array([{"bytes": b"RIFF", "path": "a\n.wa\tv"}, {"bytes": None, "path": "../c0"}, None]),
        pa.array([{"bytes": b"x", "path": 3}, {"bytes": b"", "path": None}, None]),
        pa.array([{"bytes": "text", "path": "c0.wav"}] * 3),
        pa.array([{"bytes": [1, 2]}] * 3),
        pa.array([1, None, -3]),
        pa.array([1.5, float("nan"), float("inf")]),
        pa.array([["a"], [], None]),
        pa.array(["uno", "[noise]", None]).dictionary_encode(),
        pa.array(["\0", " ", "dos"], pa.large_string()),
        pa.array([True, False, None]),
        pa.nulls(3),
    ]
)  # fmt: skip
PARQUET = st.dictionaries(
    st.sampled_from(["audio", "path", "text", "sentence", "speaker", "duration", "image"]),
    COLUMNS,
    min_size=1,
)


def of_parquet(folder: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> Dataset | None:
    """Without the hub's library, which looks for files and takes a second."""
    (folder / "set").mkdir(exist_ok=True)
    path = folder / "set" / f"test-{abs(hash(content))}.parquet"
    path.write_bytes(content)
    found = {"test": [str(path)]}
    monkeypatch.setattr(finding, "_splits", lambda *_: found)
    params = hub.Params(path=str(folder / "set"))
    try:
        return holds(lambda: hub.load(params, Path))
    finally:
        path.unlink()


@FEW
@given(PARQUET)
def test_parquet_of_any_columns_is_rows_or_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: dict[str, pa.Array]
) -> None:
    data = of_parquet(tmp_path, parquet(columns), monkeypatch)
    assert data is None or int(data.notes["rows"]) == 3


def parquet(columns: dict[str, pa.Array]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


# -------------------------------------------------------------------------------------- any bytes
def mutated(seed: bytes, chance: random.Random) -> bytes:
    """The bytes with some changed, left out, doubled or put in, where a table is most delicate."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.randint(0, 8))
        data[at:end] = chance.choice(
            [b"", b'"', b'""', b"\n", b"\r", b"\r\n", b"\t", b",", b"\0", b"\xff\xfe", b"\xf1",
             b"{", b"}", b"[", b'","', bytes(data[at:end]) * 2, bytes([chance.randrange(256)])]
        )  # fmt: skip
    return bytes(data)


SEEDS = {
    "m.csv": b'audio_filepath,text\nc0.wav,"Hola, ""dijo""\nella."\nc1.wav,fin\n',
    "m.tsv": b'audio_filepath\ttext\tduration\nc0.wav\t"""Hola"" dijo."\t1\nc1.wav\tfin\t2\n',
    "m.jsonl": b'{"audio_filepath": "c0.wav", "text": "a", "offset": 0}\n{"text": "b"}\n',
    "r.tsv": b"client_id\tpath\tsentence\ns\tc0.wav\tHola [noise].\ns\tc1.wav\tfin\n",
    "s.txt": b"Hola.\r\nFin.\n",
    "s.csv": b'text\n"Hola, ""ella""\ny fin."\nuno\n',
}
EMBEDDED = [{"bytes": b"RIFF", "path": "a.wav"}, {"bytes": None, "path": "b"}, None]


def one_of(name: str, folder: Path, content: bytes) -> Dataset | None:
    if name.startswith("m."):
        return of_manifest(folder, name, content)
    if name.startswith("r."):
        return of_release(folder, content)
    return of_sentences(folder, name, content)


def spoilt_pages(seed: bytes, chance: random.Random) -> bytes:
    """A Parquet file with a few bytes of its pages changed, which its footer says nothing of."""
    data = bytearray(seed)
    footer = len(seed) - 8 - int.from_bytes(seed[-8:-4], "little")
    for _ in range(chance.randint(1, 3)):
        data[chance.randrange(4, footer)] = chance.randrange(256)
    return bytes(data)


def both(read: Sequence[Dataset | None]) -> bool:
    """Whether some were rows and some a line (each was looked at when it was read, by `holds`):
    changes that spoil all of them, or none, try nothing."""
    return 0 < sum(data is None for data in read) < len(read)


@pytest.mark.parametrize("name", SEEDS)
def test_a_table_of_changed_bytes_is_rows_or_one_line(tmp_path: Path, name: str) -> None:
    until = time.monotonic() + SECONDS / (len(SEEDS) + 1)
    read = []
    for number in itertools.count():
        if number >= 150 and time.monotonic() > until:
            break
        read.append(one_of(name, tmp_path, mutated(SEEDS[name], random.Random(number))))
    assert both(read)


def test_parquet_of_changed_bytes_is_rows_or_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = parquet({"audio": pa.array(EMBEDDED), "text": pa.array(["uno", "dos", None])})
    monkeypatch.setattr(files, "READ_SECONDS", 20.0)
    until = time.monotonic() + SECONDS / (len(SEEDS) + 1)
    read = []
    for number in itertools.count():
        if number >= 60 and time.monotonic() > until:
            break
        change = spoilt_pages if number % 2 else mutated
        read.append(of_parquet(tmp_path, change(seed, random.Random(number)), monkeypatch))
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    assert both(read)
