"""Tables as bytes and back: nothing that a file says of itself is believed or run, only its values
are taken, as the columns that the table has."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from harness.errors import StoreError, limits
from harness.io.escaping import unguarded
from harness.store import tables

if TYPE_CHECKING:
    import pyarrow.parquet

_FLAGS = {"True": True, "False": False}


def parquet(data: pd.DataFrame) -> bytes:
    """A table as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    data.to_parquet(buffer, index=False, compression="zstd")
    return buffer.getvalue()


def read_parquet(table: str, path: Path, data: bytes) -> pd.DataFrame:
    """The table that a Parquet file's bytes hold, column by column and bounded: a few bytes can
    stand for gigabytes. What the file notes for pandas and its extension types are left out.

    Raises: StoreError.
    """
    import pyarrow as arrow
    from pyarrow import parquet as files

    columns = tables.TABLES[table]
    try:
        source = arrow.BufferReader(data)
        there = files.ParquetFile(source, arrow_extensions_enabled=False).schema_arrow
        for column in there:
            _plain(column)
        # a column that came later is not in an older file, and may not be asked for
        texts = [name for name in there.names if columns.get(name) == tables.TEXT]
        file = files.ParquetFile(source, read_dictionary=texts, arrow_extensions_enabled=False)
        _small(path, file.metadata.num_rows)
        left = limits.DECODED_BYTES
        _fits(path, left - _unpacked(file, columns))
        found = {}
        for name in file.schema_arrow.names:
            if name in columns:  # others are named by tables.check
                column = _column(file, name)
                left -= _decoded_bytes(column)
                _fits(path, left)
                found[name] = _dense(column).to_pandas(types_mapper=None)
            else:
                found[name] = pd.Series(dtype=object)
        return tables.check(table, pd.DataFrame(found))
    except (arrow.ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise StoreError(f"{path}: is no table of {table} ({_short(error)}).") from error


def _column(file: pyarrow.parquet.ParquetFile, name: str) -> Any:
    return file.read(columns=[name]).column(0)


def _decoded_bytes(column: Any) -> int:
    """What the values take once each stands for itself."""
    import pyarrow as arrow
    from pyarrow import compute

    if not arrow.types.is_dictionary(column.type):
        return int(column.nbytes)
    total = 0
    for chunk in column.chunks:
        if not arrow.types.is_string(chunk.dictionary.type):
            raise ValueError("a column of texts holds something else")
        lengths = compute.binary_length(chunk.dictionary)
        total += compute.sum(compute.take(lengths, chunk.indices)).as_py() or 0
    return total + 8 * len(column)


def _unpacked(file: pyarrow.parquet.ParquetFile, columns: Collection[str]) -> int:
    """Bytes of these columns, each value of a dictionary once, as the file says."""
    groups = [file.metadata.row_group(at) for at in range(file.num_row_groups)]
    parts = (group.column(at) for group in groups for at in range(group.num_columns))
    return sum(
        part.total_uncompressed_size
        for part in parts
        if part.path_in_schema.split(".")[0] in columns
    )


def _plain(column: Any) -> None:
    """Refuse a column of anything but texts, numbers or flags before it is read: few bytes can be a
    list of millions."""
    import pyarrow as arrow

    kind = column.type
    if arrow.types.is_dictionary(kind):
        kind = kind.value_type
    fine = arrow.types.is_string(kind) or arrow.types.is_large_string(kind)
    number = arrow.types.is_integer(kind) or arrow.types.is_floating(kind)
    if not (fine or number or arrow.types.is_boolean(kind) or arrow.types.is_null(kind)):
        raise ValueError(f"the column {column.name} holds {kind}")


def _dense(column: Any) -> Any:
    """A column whose values each stand for themselves."""
    import pyarrow as arrow

    kind = column.type
    return column.cast(kind.value_type) if arrow.types.is_dictionary(kind) else column


def read_csv(table: str, path: Path, data: bytes) -> pd.DataFrame:
    """The table that a text file's bytes hold, numbers to the last digit (pandas' own parser may
    round). Raises: StoreError."""
    columns = tables.TABLES[table]
    read: dict[str, Callable[[str], Any]] = {
        tables.TEXT: unguarded,
        tables.NUMBER: lambda text: float(text) if text else math.nan,
        tables.WHOLE: int,
        tables.FLAG: _FLAGS.__getitem__,
    }
    try:
        found = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False, index_col=False)
        _small(path, len(found))
        _even(data)
        for name in [column for column in columns if column in found]:
            found[name] = [read[columns[name]](text) for text in found[name]]
        return tables.check(table, found)
    except (ValueError, KeyError, TypeError, OverflowError, csv.Error) as error:
        raise StoreError(f"{path}: is no table of {table} ({_short(error)}).") from error


def _even(data: bytes) -> None:
    """Refuse text whose last row was cut, or a row with more or fewer fields than columns: pandas
    fills in what is not there."""
    if not data.endswith(b"\n"):
        raise ValueError("its last row is cut short")
    rows = csv.reader(io.StringIO(data.decode("utf-8"), newline=""))
    csv.field_size_limit(limits.RESULT_TABLE_BYTES)
    if len({len(row) for row in rows}) > 1:
        raise ValueError("a row has more or fewer fields than there are columns")


def _small(path: Path, rows: int) -> None:
    if rows > limits.RESULT_TABLE_ROWS:
        raise StoreError(
            f"{path}: has {rows:,} rows, more than the {limits.RESULT_TABLE_ROWS:,} read."
        )


def _fits(path: Path, left: int) -> None:
    if left < 0:
        most = limits.DECODED_BYTES
        raise StoreError(f"{path}: unpacks to more than the {most:,} bytes that are read.")


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
