"""Sentences to be said: a .txt with one per line, or a column of a .tsv or .csv (no audio)."""

from __future__ import annotations

import contextlib
import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, MinLen

from harness.contracts import Dataset, Locate, Source, Utterance
from harness.errors import AssetError
from harness.errors.limits import ROW_BYTES, SENTENCES_BYTES
from harness.io.places import bounded
from harness.plugins.datasets import _sampling
from harness.plugins.datasets._corpus import narrow, not_utf8, read_one, stock
from harness.plugins.datasets._corpus.table import AskedColumns, open_table, unfit
from harness.plugins.datasets._sampling import Wanted

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
    """Draws the sample; the experiment's `seed` when left out."""


def load(params: Params, locate: Locate) -> Dataset:
    """The sentences in the file's order; empty lines of a .txt are none, an empty cell of a table
    is an utterance with an error.

    An id is made of the sentence itself, so that it stays when lines are added or moved; a sentence
    that is there again is numbered.

    Raises: AssetError (one line) where the file cannot be read, has no such column or no sentence.
    """
    path = locate(params.path)
    rows = _read(path, params.column)
    wanted = Wanted(params.limit, None, params.seed)
    drawn = _sampling.draw(np.array([len(said) for said, _ in rows], float), wanted)
    whole = _utterances(rows)
    used = [whole[row] for row in drawn.rows]
    stocked = stock(used)
    notes = {**drawn.notes(wanted, len(rows)), "left_out": str(stocked.left_out)}
    language = {"language": params.language} if params.language else {}
    return Dataset(path.stem, used, stocked.fingerprint, {**language, **notes})


def look(params: Params, locate: Locate) -> float:
    """How many sentences there will be. Raises: AssetError, as `load`."""
    return float(len(_read(locate(params.path), params.column)))


def _read(path: Path, column: str) -> list[Row]:
    """Raises: AssetError (one line)."""
    try:
        bounded(path, SENTENCES_BYTES)
        rows = _rows(path, column)
    except UnicodeDecodeError as error:
        raise AssetError(not_utf8(path, error)) from error
    except OSError as error:
        raise AssetError(f"{path.name} cannot be read: {error.strerror}.") from error
    if not rows:
        raise AssetError(f"{path.name} holds no sentence.")
    return rows


def _rows(path: Path, column: str) -> list[Row]:
    kind = path.suffix.lower()
    if kind == ".txt":
        narrow(path)
        lines = enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1)
        return [_line(path.name, number, line) for number, line in lines if line.strip()]
    if kind not in (".tsv", ".csv"):
        raise AssetError(f"{path.name}: sentences come as .txt, .tsv or .csv.")
    table = open_table(path, AskedColumns((column,)))
    places = table.places
    texts = (read_one(path, places, row) for row in range(len(places)))
    numbered = zip(places.numbers, map(table.fields, texts), strict=True)
    return [_row(path.name, number, fields, column) for number, fields in numbered]


def _line(name: str, number: int, line: str) -> Row:
    wrong = unfit("" if len(line) > ROW_BYTES else line)
    return ("", f"line {number} of {name} {wrong}.") if wrong else (line.strip(), "")


def _row(name: str, number: int, fields: Mapping[str, str] | str, column: str) -> Row:
    if isinstance(fields, str):
        return "", f"line {number} of {name} {fields}."
    said = fields[column].strip()
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


def sight(path: Path, language: str) -> Sequence[Mapping[str, Any]]:
    """A file of sentences, or each of a folder's own or of its folder for the language."""
    here = [path] if path.is_file() else sorted([*path.glob("*"), *path.glob(f"{language}/*")])
    files = [
        one for one in here if one.is_file() and one.suffix.lower() in (".txt", ".tsv", ".csv")
    ]
    files.sort(key=lambda one: "test" not in one.stem.lower())
    found = []
    for file in files:
        for column in ("sentence", "text"):
            own = (
                {} if file.suffix.lower() == ".txt" or column == "sentence" else {"column": column}
            )
            with contextlib.suppress(AssetError, OSError):
                look(Params(str(file), column), Path)
                found.append({"path": str(file), **own})
                break
    return found


source = Source(Params, load, audio=False, look=look, sight=sight)
