"""A unit: what is measured in one go and reused as a whole, as a journal and then as a table.

The sweep, the latency stage, one variant on one data set. Its key is a hash of all that it depends
on. A journal has a line per block, so that a kill costs the line under way and nothing else.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from harness.errors import StoreError, limits
from harness.store import tables
from harness.store.encoding import parquet, read_parquet
from harness.store.files import (
    append,
    as_json,
    bounded,
    hash_of,
    inside,
    json_of,
    parsed,
    write_atomic,
)
from harness.store.names import WORK

AGAIN = "remove it, and its unit is measured again (--fresh: all units)"
_PLAIN = (str, int, float, bool, type(None))
_CALL: dict[str, type] = dict.fromkeys(("stage", "variant", "session", "operation"), str)
_CALL |= {"round": int, "block": int, "replica": int, "warm": bool}
_ALWAYS: dict[str, dict[str, type]] = {  # what each row has, whatever else it has
    "calls": _CALL,
    "judged": {"variant": str, "judge": str},
    "fidelity": {"variant": str, "item": str, "compares": str},
}


class Unit:
    """Rows of one unit as they are measured: a journal of blocks that survives a kill."""

    def __init__(
        self,
        folder: Path,
        name: str,
        key: str,
        environment: Mapping[str, Any] | None = None,
        table: str = "calls",
    ) -> None:
        """`environment`: what is written beside the rows when the unit is finished; `table`: which
        its rows are of."""
        self._table = table
        self.environment = dict(environment or {})
        stem = inside(folder, f"{WORK}/{_plain(name)}-{key[:16]}").as_posix()
        self.name, self.key = name, key
        self._done = Path(f"{stem}.parquet")
        self._journal = Path(f"{stem}.jsonl")
        self._facts = Path(f"{stem}.json")
        self._stops = Path(f"{stem}.stops.json")
        self._noted = Path(f"{stem}.noted.json")

    @property
    def complete(self) -> bool:
        return self._done.exists()

    @property
    def files(self) -> set[str]:
        return {
            path.name for path in (self._done, self._journal, self._facts, self._stops, self._noted)
        }

    def blocks(self) -> list[list[dict[str, Any]]]:
        """Blocks already measured, in order; a last line torn by a kill is left out and cut off.

        Raises: StoreError for a line that holds no rows.
        """
        if not self._journal.exists():
            return []
        whole, _, torn = bounded(self._journal, limits.JOURNAL_BYTES).rpartition(b"\n")
        if torn:
            write_atomic(self._journal, whole + b"\n" if whole else b"")
        lines = enumerate(whole.split(b"\n") if whole else [], 1)
        return [self._block(line, number) for number, line in lines]

    def _block(self, line: bytes, number: int) -> list[dict[str, Any]]:
        try:
            rows = json.loads(line)
        except (ValueError, RecursionError):
            rows = None
        wanted = _ALWAYS.get(self._table, {})
        if isinstance(rows, list) and all(_is_row(row, wanted) for row in rows):
            return rows
        raise StoreError(f"{self._journal}:{number}: holds no rows of a measurement; {AGAIN}.")

    def note(self, facts: Mapping[str, Any]) -> None:
        """Remember how far the measuring of this unit is; what was noted before is replaced."""
        write_atomic(self._noted, as_json(dict(facts)))

    def noted(self) -> dict[str, Any]:
        """What was noted last; empty for a unit that was never begun."""
        if not self._noted.exists():
            return {}
        found = json_of(self._noted)
        if not isinstance(found, dict) or type(found.get("done", 0)) is not int:
            raise StoreError(f"{self._noted}: says nothing of a measurement; {AGAIN}.")
        return found

    def append(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add one block and force it to disk before the next one is measured. Half of a pair of
        surrogates, which a server's JSON can hold, is no Unicode and becomes a question mark."""
        line = json.dumps(list(rows), ensure_ascii=False) + "\n"
        append(self._journal, line.encode("utf-8", "replace"))

    def finish(self, stops: Sequence[Mapping[str, Any]] = ()) -> None:
        """Turn the journal into the unit's table, beside the facts of its machine; `stops` are rows
        of the table of that name: how far each cell was measured, and why no further."""
        rows = self._frame(self._table, self.blocks())
        write_atomic(self._facts, as_json(self.environment))
        write_atomic(self._stops, as_json(list(stops)))
        write_atomic(self._done, parquet(rows))
        self._journal.unlink(missing_ok=True)

    def reopen(self, keep: Callable[[Mapping[str, Any]], bool] = lambda _: True) -> None:
        """Make the table a journal again, so that the unit is measured further; `keep` says of
        which rows. Of a unit that is under way, the other rows are struck from its journal."""
        kept = filter(keep, self.rows())
        rows = [{k: None if v != v else v for k, v in row.items()} for row in kept]  # NaN
        blocks = [rows, *([] for _ in range(self.noted().get("done", 0)))]  # each closes a round
        lines = [json.dumps(block, ensure_ascii=False) + "\n" for block in blocks]
        write_atomic(self._journal, "".join(lines))
        self._done.unlink(missing_ok=True)

    def discard(self) -> None:
        """Forget all that was measured of this unit."""
        for path in (self._done, self._journal, self._noted, self._facts, self._stops):
            path.unlink(missing_ok=True)

    def rows(self) -> list[dict[str, Any]]:
        """All rows so far, of a unit that is complete or under way."""
        if self.complete:
            return tables.records(self.table())
        return [row for block in self.blocks() for row in block]

    def table(self) -> pd.DataFrame:
        """The rows of a complete unit, as its table."""
        try:
            return read_parquet(self._table, self._done, bounded(self._done, limits.CALLS_BYTES))
        except StoreError as error:
            raise StoreError(f"{error} {AGAIN[0].upper()}{AGAIN[1:]}.") from error

    def stops(self) -> pd.DataFrame:
        rows = json_of(self._stops)
        if not isinstance(rows, list) or not all(_is_row(row, {"stage": str}) for row in rows):
            raise StoreError(f"{self._stops}: says not how far was measured; {AGAIN}.")
        return self._frame("stops", [rows])

    def _frame(self, table: str, blocks: Sequence[Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
        try:
            return tables.frame(table, (row for block in blocks for row in block))
        except (ValueError, TypeError, OverflowError) as error:
            raise StoreError(
                f"{self._journal.with_suffix('')}: holds other values than a table of {table}"
                f" ({error}); {AGAIN}."
            ) from error

    def facts(self) -> dict[str, Any]:
        """The machine and versions that it was measured with, and the day it was completed."""
        day = datetime.date.fromtimestamp(self._done.stat().st_mtime).isoformat()
        found = parsed(self._facts, bounded(self._facts, limits.RESULT_JSON_BYTES))
        if not isinstance(found, dict):
            raise StoreError(f"{self._facts}: says nothing of a machine; {AGAIN}.")
        return {"measured_on": day, **found}

    def content(self) -> str:
        """SHA-256 of its rows: what was measured, not what was asked for."""
        return hash_of(self._done) + hash_of(self._stops)


def _is_row(row: Any, wanted: Mapping[str, type]) -> bool:
    """Whether it is a row of plain values that says what it is a row of."""
    if not isinstance(row, dict):
        return False
    if any(type(row.get(name)) is not kind for name, kind in wanted.items()):
        return False
    return all(isinstance(value, _PLAIN) for value in row.values())


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
