"""Where each row of a table lies in its file: a few bytes per row stand for the row."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

_CHUNK = 1 << 20
_BOM = b"\xef\xbb\xbf"
_NEWLINE, _RETURN = 10, 13


@dataclass(frozen=True)
class Places:
    """Bytes of each row, without its line end: first byte, how many, and its line (from 1)."""

    starts: np.ndarray  # int64, shape (rows,)
    sizes: np.ndarray  # int32
    numbers: np.ndarray  # int32

    def __len__(self) -> int:
        return len(self.starts)

    def take(self, rows: np.ndarray) -> Places:
        """The places of some rows, which are in ascending order."""
        if len(rows) == len(self):
            return self
        return Places(self.starts[rows], self.sizes[rows], self.numbers[rows])


def line_places(path: Path) -> Places:
    """Of each line that is not empty. Lines end with LF or CRLF; a byte order mark is no text."""
    ends, returned = [], []
    before, offset = 0, 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found = np.frombuffer(chunk, np.uint8)
            at = np.flatnonzero(found == _NEWLINE)
            ends.append(at + offset)
            returned.append(np.where(at > 0, found[at - 1], before) == _RETURN)
            before, offset = int(found[-1]), offset + len(found)
    if before != _NEWLINE:  # the last line has no end
        ends.append(np.array([offset]))
        returned.append(np.array([before == _RETURN]))
    lasts = np.concatenate([*ends, np.empty(0, np.int64)])
    starts = np.concatenate([[0], lasts[:-1] + 1])[: len(lasts)]
    if len(starts):
        starts[0] = _skip_mark(path)
    sizes = (lasts - starts - np.concatenate([*returned, np.empty(0, bool)])).astype(np.int32)
    numbers = np.flatnonzero(sizes > 0)
    places = Places(starts, sizes, np.arange(1, len(starts) + 1, dtype=np.int32))
    return places.take(numbers)


def csv_places(path: Path, delimiter: str) -> Places:
    """Of each record, whose quoted fields may hold line ends.

    Raises: csv.Error, UnicodeDecodeError.
    """
    starts, sizes, numbers = array("q"), array("i"), array("i")
    with path.open("rb") as file:
        lines = _Counted(file, _skip_mark(path))
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        start, number = lines.offset, 1
        for record in reader:
            if record:
                starts.append(start)
                sizes.append(lines.offset - start)
                numbers.append(number)
            start, number = lines.offset, reader.line_num + 1
    return Places(np.array(starts, np.int64), np.array(sizes, np.int32), np.array(numbers, "i4"))


class _Counted:
    """The lines of a file as text, and how far they reach."""

    def __init__(self, file: BinaryIO, offset: int) -> None:
        self._file, self.offset = file, offset
        file.seek(offset)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline()
        if not line:
            raise StopIteration
        self.offset += len(line)
        return line.decode("utf-8")


def read_one(path: Path, places: Places, row: int) -> str:
    """The text of one row. Raises: OSError, UnicodeDecodeError."""
    with path.open("rb") as file:
        file.seek(int(places.starts[row]))
        return file.read(int(places.sizes[row])).decode("utf-8")


def read_all(path: Path, places: Places) -> Iterator[str]:
    """The text of each row in turn. Raises: OSError, UnicodeDecodeError."""
    with path.open("rb") as file:
        for row in range(len(places)):
            file.seek(int(places.starts[row]))
            yield file.read(int(places.sizes[row])).decode("utf-8")


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


def _skip_mark(path: Path) -> int:
    with path.open("rb") as file:
        return len(_BOM) if file.read(len(_BOM)) == _BOM else 0
