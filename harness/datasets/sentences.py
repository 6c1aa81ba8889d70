"""Sentences to be said: a .txt with one per line, or a column of a .tsv or .csv (no audio)."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Ge, MinLen

from harness import sampling
from harness.contracts import Dataset, Locate, Source, Utterance
from harness.corpus import not_utf8, stock
from harness.errors import AssetError
from harness.sampling import Wanted

Row = tuple[str, str]  # (sentence, why it cannot be used)


@dataclass(frozen=True)
class Params:
    path: Annotated[str, MinLen(1)]
    """The file: .txt (one sentence per line), .tsv (quotes mean nothing, as in Common Voice) or
    .csv (quoted as spreadsheets do)."""
    column: str = "sentence"
    """The column of a .tsv or .csv that holds the sentences."""
    language: str = ""
    """Written to the notes, so that a report can say what was to be said."""
    limit: Annotated[int, Ge(1)] | None = None
    """Say a sample of so many sentences, stratified by their length; all when left out."""
    seed: int = 0
    """Draws the sample; the same seed gives the same sentences."""


def load(params: Params, locate: Locate) -> Dataset:
    """The sentences in the file's order; empty lines of a .txt are none, an empty cell of a table
    is an utterance with an error.

    An id is made of the sentence itself, so that it stays when lines are added or moved; a sentence
    that is there again is numbered.

    Raises: AssetError (one line) where the file cannot be read, has no such column or no sentence.
    """
    path = locate(params.path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise AssetError(not_utf8(path, error)) from error
    except OSError as error:
        raise AssetError(f"{path.name} cannot be read: {error.strerror}.") from error
    rows = _rows(path, text, params.column)
    if not rows:
        raise AssetError(f"{path.name} holds no sentence.")
    wanted = Wanted(params.limit, None, params.seed)
    drawn = sampling.draw(np.array([len(said) for said, _ in rows], float), wanted)
    whole = _utterances(rows)
    used = [whole[row] for row in drawn.rows]
    stocked = stock(used)
    notes = {**drawn.notes(wanted, len(rows)), "left_out": str(stocked.left_out)}
    language = {"language": params.language} if params.language else {}
    return Dataset(path.stem, used, stocked.fingerprint, {**language, **notes})


def _rows(path: Path, text: str, column: str) -> list[Row]:
    kind = path.suffix.lower()
    if kind == ".txt":
        return [(line.strip(), "") for line in text.splitlines() if line.strip()]
    if kind not in (".tsv", ".csv"):
        raise AssetError(f"{path.name}: sentences come as .txt, .tsv or .csv.")
    try:
        numbered = list(_fields(text, kind))
    except csv.Error as error:
        raise AssetError(f"{path.name} is no well-formed CSV: {error}.") from error
    header = numbered[0][1] if numbered else []
    if column not in header:
        has = ", ".join(header) or "nothing"
        raise AssetError(f"{path.name}: no column {column!r}; it has {has}.")
    place = header.index(column)
    return [_row(path.name, number, fields, place, len(header)) for number, fields in numbered[1:]]


def _fields(text: str, kind: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, fields) of each line or record that is not empty, the header first."""
    if kind == ".csv":
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        yield from ((reader.line_num, fields) for fields in reader if fields)
    else:
        lines = enumerate(text.split("\n"), start=1)
        yield from ((n, line.rstrip("\r").split("\t")) for n, line in lines if line.strip("\r"))


def _row(name: str, number: int, fields: list[str], place: int, columns: int) -> Row:
    if len(fields) > columns or len(fields) <= place:
        return "", f"line {number} of {name} has {len(fields)} fields instead of {columns}."
    said = fields[place].strip()
    return said, "" if said else f"line {number} of {name} has no sentence."


def _utterances(rows: list[Row]) -> list[Utterance]:
    seen: dict[str, int] = {}
    made = []
    for said, error in rows:
        known = hashlib.sha256(unicodedata.normalize("NFC", said).encode()).hexdigest()[:16]
        seen[known] = seen.get(known, 0) + 1
        again = f"-{seen[known]}" if seen[known] > 1 else ""
        name = f"{_words(said)}{known[:8]}{again}"
        made.append(Utterance(name, None, said, sentence=known, error=error))
    return made


def _words(said: str) -> str:
    """The first words in plain letters, for people who look for a recording."""
    plain = unicodedata.normalize("NFKD", said.lower()).encode("ascii", "ignore").decode()
    return "".join(f"{word}-" for word in re.findall(r"[a-z0-9]+", plain)[:4])


source = Source(Params, load)
