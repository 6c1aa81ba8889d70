"""Run folders with any byte, value or cell changed: one line or a report, never a traceback."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import frozen_run
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


def change(folder: Path, data: some.DataObject) -> None:
    """Change one file in one way, mostly with a manifest that fits."""
    name = data.draw(some.sampled_from(sorted(p.name for p in folder.iterdir() if p.is_file())))
    path = folder / name
    if path.suffix == ".json" and data.draw(some.booleans()):
        whole = json.loads(path.read_text(encoding="utf-8"))
        where = data.draw(some.sampled_from(list(places(whole))))
        path.write_text(json.dumps(with_value(whole, where, data.draw(VALUES))), encoding="utf-8")
    elif path.suffix == ".csv" and data.draw(some.booleans()):
        rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
        row = rows[data.draw(some.integers(0, len(rows) - 1))]
        row[data.draw(some.integers(0, len(row) - 1))] = data.draw(FIELDS)
        path.write_text("\n".join(map(",".join, rows)) + "\n", encoding="utf-8")
    else:
        content = bytearray(path.read_bytes() or b"x")
        place = data.draw(some.integers(0, len(content) - 1))
        content[place : place + data.draw(some.integers(0, 40))] = data.draw(
            some.binary(max_size=8)
        )
        path.write_bytes(content)
    if name != "manifest.json" and data.draw(some.integers(0, 3)):
        frozen_run.adjusted(folder)


@pytest.mark.slow
@settings(
    max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck), database=None
)
@given(data=some.data())
def test_no_change_of_a_run_folder_ends_in_a_traceback(data: some.DataObject, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        if not os.environ.get("FUZZ_FIGURES"):
            patch.setattr(drawing, "draw", lambda *_: [])
        mine = Path(place) / "run"
        shutil.copytree(folder, mine)
        change(mine, data)
        assert cli.main(["report", str(mine)]) in (0, 2)
        assert cli.main(["history", str(mine)]) in (0, 2)
        assert cli.main(["compare", str(folder), str(mine)]) in (0, 1, 2)
