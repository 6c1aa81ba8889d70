"""Run folders with any byte, value or cell changed: one line or a report, never a traceback."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import frozen_run
import pyarrow
import pyarrow.parquet
import pytest
from effort import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from harness.app import cli
from harness.report import drawing

FIELDS = some.sampled_from(["", "x", "nan", "inf", "-1", "1e999", "[]", "{}", "\x00", "9" * 30])
PLAIN = some.none() | some.booleans() | some.floats() | some.integers() | some.text(max_size=8)
VALUES = some.recursive(
    PLAIN,
    lambda v: some.lists(v, max_size=3) | some.dictionaries(some.text(max_size=5), v, max_size=3),
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp())
    yield frozen_run.published(place / "run")
    shutil.rmtree(place)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in plain data."""
    yield path
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value if isinstance(value, list) else ())
    )
    for key, part in pairs:
        yield from places(part, (*path, key))


def with_value(whole: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    parent = whole
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return whole


def json_changed(path: Path, data: some.DataObject) -> None:
    """One value of it is another, or the text has a second value of that key."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.suffix == ".jsonl" else []
    at = data.draw(some.integers(0, len(lines) - 1)) if lines else 0
    text = lines[at] if lines else path.read_text(encoding="utf-8")
    whole = json.loads(text)
    where = data.draw(some.sampled_from(list(places(whole))))
    text = json.dumps(with_value(whole, where, data.draw(VALUES)))
    if lines:
        lines[at] = text
        text = "".join(f"{line}\n" for line in lines)
    path.write_text(text, encoding="utf-8")


def csv_changed(path: Path, data: some.DataObject) -> None:
    """A cell, a column or a row is another one, twice there, or gone."""
    table = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    row = data.draw(some.integers(0, len(table) - 1))
    column = data.draw(some.integers(0, len(table[row]) - 1))
    kind = data.draw(some.sampled_from(("cell", "cell", "copied", "row", "no row", "no column")))
    if kind == "cell":
        table[row][column] = data.draw(FIELDS)
    elif kind == "copied":  # a text of another row or column
        other = data.draw(some.sampled_from(table))
        table[row][column] = data.draw(some.sampled_from(other))
    elif kind == "row":
        table.append(list(data.draw(some.sampled_from(table))))
    elif kind == "no row":
        table = table[: max(1, row)]
    else:
        table = [[cell for at, cell in enumerate(line) if at != column] for line in table]
    path.write_text("\n".join(map(",".join, table)) + "\n", encoding="utf-8")


def parquet_changed(path: Path, data: some.DataObject) -> None:
    """A column is of another type, has another value, comes twice or is gone; or rows are."""
    table = pyarrow.parquet.read_table(path)
    name = data.draw(some.sampled_from(table.column_names))
    at, rows = table.column_names.index(name), len(table)
    kind = data.draw(some.sampled_from(("value", "type", "gone", "twice", "rows", "no rows")))
    values = table.column(name).to_pylist()
    if kind == "value" and rows:
        row = data.draw(some.integers(0, rows - 1))
        values[row] = data.draw(some.sampled_from([None, *OF[type(values[row])]]))
        made = pyarrow.array(values, from_pandas=False)
        table = table.set_column(at, name, made)
    elif kind == "type":
        made = data.draw(some.sampled_from(OTHER_COLUMNS))(values)
        table = table.set_column(at, name, made)
    elif kind == "gone":
        table = table.drop_columns([name])
    elif kind == "twice":
        table = table.append_column(name, table.column(name))
    elif kind == "rows":
        table = pyarrow.concat_tables([table, table])
    else:
        table = table.slice(0, data.draw(some.integers(0, 3)))
    pyarrow.parquet.write_table(table, path)


TEXTS = ["", "x", "nan", "\x00", "a" * 5000, "\u202e", "=1", "{", '{"a": 1e999}', "../x", "/etc"]
OF: dict[type, list[Any]] = {
    str: TEXTS, float: [math.nan, math.inf, -1.0, 1e308, 0.0], bool: [True, False],
    int: [-1, 2**62, -(2**62), 0], type(None): [None],
}  # fmt: skip
OTHER_COLUMNS: list[Callable[[list[Any]], Any]] = [
    lambda v: pyarrow.array([str(one) for one in v]).dictionary_encode(),
    lambda v: pyarrow.array([str(one) for one in v], pyarrow.large_string()),
    lambda v: pyarrow.array([str(one).encode() for one in v]),
    lambda v: pyarrow.nulls(len(v)),
    lambda v: pyarrow.nulls(len(v), pyarrow.string()),
    lambda v: pyarrow.array([[one] for one in v]),
    lambda v: pyarrow.array([{"a": one} for one in v]),
    lambda v: pyarrow.array(range(len(v)), pyarrow.int8() if len(v) < 100 else pyarrow.int64()),
    lambda v: pyarrow.array([2**63 + at for at in range(len(v))], pyarrow.uint64()),
    lambda v: pyarrow.array(range(len(v)), pyarrow.timestamp("ns")),
    lambda v: pyarrow.array([1.5] * len(v), pyarrow.float16()),
    lambda v: pyarrow.array([True] * len(v)),
]
CHANGES = {".json": json_changed, ".jsonl": json_changed, ".csv": csv_changed,
           ".parquet": parquet_changed}  # fmt: skip


def bytes_changed(path: Path, data: some.DataObject) -> None:
    content = bytearray(path.read_bytes() or b"x")
    place = data.draw(some.integers(0, len(content) - 1))
    content[place : place + data.draw(some.integers(0, 40))] = data.draw(some.binary(max_size=8))
    path.write_bytes(content[:place] if data.draw(some.integers(0, 9)) == 0 else content)


def change(folder: Path, data: some.DataObject) -> None:
    """Change one or two files in one way each, mostly with a manifest that fits."""
    for _ in range(data.draw(some.integers(1, 2))):
        names = sorted(p.name for p in folder.iterdir() if p.is_file())
        name = data.draw(some.sampled_from(names))
        how = CHANGES.get(Path(name).suffix, bytes_changed)
        if data.draw(some.integers(0, 3)) == 0:
            how = bytes_changed
        with contextlib.suppress(ValueError, pyarrow.ArrowException):  # was changed beyond reading
            how(folder / name, data)
        with contextlib.suppress(ValueError, KeyError, TypeError):  # the manifest itself was
            if name != "manifest.json" and data.draw(some.integers(0, 9)):
                frozen_run.adjusted(folder)


@pytest.mark.slow
@settings(
    max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck), database=None
)
@given(data=some.data())
def test_no_change_of_a_run_folder_ends_in_a_traceback(
    data: some.DataObject, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        if not os.environ.get("FUZZ_FIGURES"):
            patch.setattr(drawing, "draw", lambda *_: [])
        mine = Path(place) / "run"
        shutil.copytree(folder, mine)
        change(mine, data)
        written = str(Path(place) / "x.xml")
        for command, codes in (
            (["report", str(mine)], (0, 2)),
            (["history", str(mine)], (0, 2)),
            (["history", str(mine), "--metric", "wer"], (0, 2)),
            (["export", str(mine), "--to", "junit", "--out", written], (0, 2)),
            (["compare", str(folder), str(mine)], (0, 1, 2)),
            (["compare", "--force", "--all", str(mine), str(folder)], (0, 1, 2)),
        ):
            capfd.readouterr()
            code = cli.main(command)
            said = capfd.readouterr()
            assert code in codes, said.err
            assert "Traceback" not in said.err
            assert "fault of harness" not in said.err or "not fit together" in said.err, said.err
            if code == 2:
                assert len(said.err.splitlines()) == 1, said.err
