"""Where each row of a table lies in its file: a few bytes per row stand for the row."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from harness.errors import AssetError
from harness.errors.limits import FIELD_LINES, ROW_BYTES, TABLE_ROWS

_CHUNK = 1 << 20
_BOM = b"\xef\xbb\xbf"
_NEWLINE, _RETURN = 10, 13
csv.field_size_limit(ROW_BYTES)
_WIDE = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\x00\x00\xfe\xff": "UTF-32"}


@dataclass(frozen=True)
class RowPlaces:
    """Bytes of each row, without its line end: first byte, how many, and its line (from 1)."""

    starts: np.ndarray  # int64, shape (rows,)
    sizes: np.ndarray  # int32, never above ROW_BYTES + 1
    numbers: np.ndarray  # int32

    def __len__(self) -> int:
        return len(self.starts)

    def take(self, rows: np.ndarray) -> RowPlaces:
        """The places of some rows, which are in ascending order."""
        if len(rows) == len(self):
            return self
        return RowPlaces(self.starts[rows], self.sizes[rows], self.numbers[rows])


def line_places(path: Path) -> RowPlaces:
    """Of each line that is not empty. Lines end with LF or CRLF; a byte order mark is no text.

    Raises: OSError; AssetError (one line) for text that is not of bytes (UTF-16), or too many rows.
    """
    narrow(path)
    ends, returned = [], []
    before, offset, count = 0, 0, 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found = np.frombuffer(chunk, np.uint8)
            at = np.flatnonzero(found == _NEWLINE)
            ends.append(at + offset)
            returned.append(np.where(at > 0, found[at - 1], before) == _RETURN)
            before, offset, count = int(found[-1]), offset + len(found), count + len(at)
            _bounded(path, count)
    if before != _NEWLINE:  # the last line has no end
        ends.append(np.array([offset]))
        returned.append(np.array([before == _RETURN]))
    lasts = np.concatenate([*ends, np.empty(0, np.int64)])
    starts = np.concatenate([[0], lasts[:-1] + 1])[: len(lasts)]
    if len(starts):
        starts[0] = _skip_mark(path)
    sizes = lasts - starts - np.concatenate([*returned, np.empty(0, bool)])
    sizes = np.minimum(sizes, ROW_BYTES + 1).astype(np.int32)
    numbers = np.flatnonzero(sizes > 0)
    places = RowPlaces(starts, sizes, np.arange(1, len(starts) + 1, dtype=np.int32))
    return places.take(numbers)


def csv_places(
    path: Path, delimiter: str, is_row: Callable[[Sequence[str], Sequence[str]], bool]
) -> RowPlaces:
    """Of each record. A quoted field may hold line ends; where it does not end, or where a line
    inside it is a row by itself (`is_row`, given that line's fields and the first line's), the
    quotation mark is a wrong one: its line is a record of its own, and the next lines are read.

    Raises: OSError, UnicodeDecodeError; AssetError (one line) as `line_places`.
    """
    narrow(path)
    starts, sizes, numbers = array("q"), array("i"), array("i")
    with path.open("rb") as file:
        lines = _Lines(file, _skip_mark(path))
        while (line := lines.take()) is not None:
            start, number, size = lines.start, lines.number, len(line.rstrip(b"\r\n"))
            if not size:
                continue
            more = lines.ahead(_reach(line, lines, delimiter, is_row))
            starts.append(start)
            sizes.append(min(size if more is None else more - start, ROW_BYTES + 1))
            numbers.append(number)
            _bounded(path, len(starts))
    return RowPlaces(np.array(starts, np.int64), np.array(sizes, np.int32), np.array(numbers, "i4"))


def _reach(
    line: bytes,
    lines: _Lines,
    delimiter: str,
    is_row: Callable[[Sequence[str], Sequence[str]], bool],
) -> int:
    """How many further lines belong to the record that begins with `line`."""
    if b'"' not in line or len(line) > ROW_BYTES or not _is_open(line, delimiter):
        return 0
    first = _fields(line, delimiter)
    whole = line
    for count, more in enumerate(lines.look(FIELD_LINES), start=1):
        whole += more
        if len(whole) > ROW_BYTES or is_row(_fields(more, delimiter), first):
            return 0
        if b'"' in more and not _is_open(whole, delimiter):
            return count if _is_sound(whole, delimiter) else 0
    return 0


def _fields(line: bytes, delimiter: str) -> list[str]:
    """The line's fields, whatever its quotation marks mean."""
    text = line.decode("utf-8").rstrip("\r\n")
    return [part.strip('"') for part in text.split(delimiter)]


def _is_open(record: bytes, delimiter: str) -> bool:
    """Whether the record ends within a quoted field."""
    try:
        next(csv.reader([record.decode("utf-8")], delimiter=delimiter, strict=True), None)
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _is_sound(record: bytes, delimiter: str) -> bool:
    try:
        return bool(record_of(record.decode("utf-8"), delimiter))
    except csv.Error:
        return False


def record_of(text: str, delimiter: str) -> list[str]:
    """The fields of one record. Raises: csv.Error."""
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return next(csv.reader(lines, delimiter=delimiter, strict=True), [])


class _Lines:
    """The lines of a file one by one, where each begins, and those that come next. Of a line that
    is too long, the beginning is given, one byte more than what is read."""

    def __init__(self, file: BinaryIO, offset: int) -> None:
        self._file, self._next = file, offset
        self._waiting: list[tuple[bytes, int]] = []
        self.start, self.number = offset, 0
        file.seek(offset)

    def take(self) -> bytes | None:
        """The next line, None at the end."""
        line, size = self._waiting.pop(0) if self._waiting else self._read()
        if not line:
            return None
        self.start, self._next, self.number = self._next, self._next + size, self.number + 1
        return line

    def look(self, count: int) -> Iterator[bytes]:
        """The next lines, which stay to be taken."""
        for at in range(count):
            if at == len(self._waiting):
                self._waiting.append(self._read())
            if not self._waiting[at][0]:
                self._waiting.pop()
                return
            yield self._waiting[at][0]

    def ahead(self, count: int) -> int | None:
        """Take so many lines; where the last one's text ends, None for no line."""
        end = None
        for _ in range(count):
            line = self.take() or b""
            end = self.start + len(line.rstrip(b"\r\n"))
        return end

    def _read(self) -> tuple[bytes, int]:
        line = self._file.readline(ROW_BYTES + 1)
        size, part = len(line), line
        while part and not part.endswith(b"\n"):
            part = self._file.readline(_CHUNK)
            size += len(part)
        return line, size


def read_one(path: Path, places: RowPlaces, row: int) -> str:
    """The text of one row; "" for one that is too long. Raises: OSError, UnicodeDecodeError."""
    with path.open("rb") as file:
        return _text(file, places, row)


def read_all(path: Path, places: RowPlaces) -> Iterator[str]:
    """The text of each row in turn, as `read_one`. Raises: OSError, UnicodeDecodeError."""
    with path.open("rb") as file:
        for row in range(len(places)):
            yield _text(file, places, row)


def _text(file: BinaryIO, places: RowPlaces, row: int) -> str:
    size = int(places.sizes[row])
    if size > ROW_BYTES:
        return ""
    file.seek(int(places.starts[row]))
    return file.read(size).decode("utf-8")


def not_utf8(path: Path, error: UnicodeDecodeError) -> str:
    """One line that says so, with the file's first line that is not."""
    with path.open("rb") as file:
        numbers = (number for number, line in enumerate(file, start=1) if not _is_utf8(line))
        return f"{path.name} is not UTF-8: line {next(numbers, 1)}, {error.reason}."


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def narrow(path: Path) -> None:
    """Raises: AssetError for text of two or four bytes a letter; OSError."""
    with path.open("rb") as file:
        head = file.read(8)
    kind = next((name for mark, name in _WIDE.items() if head.startswith(mark)), "")
    high, low = head[:8:2], head[1:8:2]
    # every other byte of the first letters is nothing
    if not kind and len(head) > 3 and any(high) != any(low):
        kind = "UTF-16"
    if kind:
        raise AssetError(f"{path.name} is {kind}; save it as UTF-8.")


def _bounded(path: Path, rows: int) -> None:
    if rows > TABLE_ROWS:
        raise AssetError(
            f"{path.name} has more than {TABLE_ROWS:,} rows; cut it to what is evaluated."
        )


def _skip_mark(path: Path) -> int:
    with path.open("rb") as file:
        return len(_BOM) if file.read(len(_BOM)) == _BOM else 0
