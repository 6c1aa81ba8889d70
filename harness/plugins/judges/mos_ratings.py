"""A listening test's CSV (rater, item, system, score): what people said (ITU-T P.800, P.808)."""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le, MinLen

from harness.contracts import SCREENED, Judge, Locate, Rating, Ratings, notes
from harness.errors import AssetError
from harness.errors.limits import SENTENCES_BYTES
from harness.io.places import content

NOT_RATED = "not rated."
BEYOND = " is not from "
LOWEST, HIGHEST = 1.0, 5.0  # of a mean opinion score
NAMED = 5  # rows that a line names
FEW_TO_CORRELATE = 3  # a correlation of two points is always 1 or -1


@dataclass(frozen=True)
class Params:
    path: Annotated[str, MinLen(1)]
    """The CSV: a header, then a line per rating; commas, semicolons or tabs."""
    rater: str = "rater"
    """The column that says who listened (a code, not a name)."""
    item: str = "item"
    """The column with the item: its id in the data set."""
    system: str = "system"
    """The column with the system: a variant's name."""
    score: str = "score"
    """The column with the score, 1 (bad) to 5 (excellent); parts of a point are taken."""
    scale: tuple[float, float] | None = None
    """The lowest and the highest score that a listener could give, such as [1, 5] or [0, 10]; of
    another range than 1 to 5, they are put on that by a straight line. Left out, it is 1 to 5, and
    one score beyond puts all in question."""
    not_rated: tuple[str, ...] = ()
    """What stands in the column where there is no score, as in [0, NA]: left out, and no fault."""
    systems: Mapping[str, str] | None = None
    """What the CSV calls a variant, where it is not its name: {name in the CSV: variant}."""
    min_ratings: Annotated[int, Ge(1)] = 1
    """Leave out raters with fewer valid ratings."""
    constant: bool = False
    """Leave out raters with three ratings or more that are all the same: someone who
    did not listen may click one button."""
    min_correlation: Annotated[float, Ge(-1), Le(1)] | None = None
    """Leave out raters whose scores correlate less than this (Pearson) with the means of the other
    raters on the same item and system. Where systems differ little, an honest rater's correlation
    is small too."""


def ratings(params: Params, locate: Locate) -> Ratings:
    """The ratings in the file's order; one that does not count says why, and stays.

    Raises: AssetError (one line) where the file is missing, is no CSV, lacks a column, or where
    nothing in it counts.
    """
    path = locate(params.path)
    if not path.is_file():
        raise AssetError(f"{path.name}: there is no such file of ratings.")
    try:
        data = content(path, SENTENCES_BYTES)
        read = list(_rows(data.decode("utf-8-sig"), path.name, params))
    except UnicodeDecodeError as error:
        raise AssetError(f"{path.name} is not UTF-8: {error.reason}.") from error
    except OSError as error:
        raise AssetError(f"{path.name} cannot be read: {error.strerror}.") from error
    except csv.Error as error:
        raise AssetError(f"{path.name} is no well-formed CSV: {error}.") from error
    if params.scale is not None and not params.scale[0] < params.scale[1]:
        raise AssetError(f"{path.name}: `scale` goes from the lowest score to the highest.")
    some = any(not row.error for row in read)
    read = _of_one_scale(read, params)
    screened = _screened(read, params)
    doubted = some and all(row.error for row in read)  # it is said of each row, and of its gates
    if not doubted and not any(not row.error for row in screened):
        first = next((row.error for row in screened), "it holds no ratings.")
        raise AssetError(f"{path.name}: no rating counts; {first}")
    return Ratings(screened, hashlib.sha256(data).hexdigest(), _notes(read, screened, params))


# ------------------------------------------------------------------------------------- reading
def _rows(text: str, name: str, params: Params) -> Iterator[Rating]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    header = [title.strip() for title in next(lines, [])]
    wanted = (params.rater, params.item, params.system, params.score)
    if missing := [column for column in wanted if column not in header]:
        has = ", ".join(header) or "nothing"
        raise AssetError(f"{name}: no column {', '.join(missing)}; it has {has}.")
    places = [header.index(column) for column in wanted]
    seen: set[tuple[str, str, str]] = set()
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        found = [cells[place].strip() if place < len(cells) else "" for place in places]
        row = _rating(found, params)
        key = (row.rater, row.item, row.system)
        if any(cell.strip() for cell in cells[len(header) :]):
            row = replace(row, error=f"has {len(cells)} cells; the header has {len(header)}.")
        elif not row.error and key in seen:  # the first counts: it was heard afresh
            row = replace(row, error=f"{row.rater} scored this item of {row.system} before.")
        elif not row.error:
            seen.add(key)
        told = bool(row.error) and not row.screened
        yield replace(row, error=f"line {lines.line_num}: {row.error}") if told else row


def _delimiter(text: str) -> str:
    """Tab, or the semicolon of spreadsheets in languages that write 3,5, else comma."""
    header = text.partition("\n")[0]
    return max(",;\t", key=header.count)


def _rating(found: Sequence[str], params: Params) -> Rating:
    rater, item, system, written = found
    systems = params.systems or {}
    score, error = _score(written, params)
    if systems and system not in systems:
        error = f"the system {system!r} is not in `systems`."
    for name, cell in (("system", system), ("item", item), ("rater", rater)):
        error = error if cell else f"names no {name}."
    screened = error == SCREENED + NOT_RATED
    return Rating(rater, item, systems.get(system, system), score, error, screened)


def _score(written: str, params: Params) -> tuple[float, str]:
    """(score from 1 to 5, what is wrong with it); NaN where it is no score."""
    if written in params.not_rated:
        return math.nan, SCREENED + NOT_RATED
    try:
        score = float(written.replace(",", "."))
    except ValueError:
        score = math.nan
    if math.isnan(score):
        return math.nan, f"the score {written!r} is not a number." if written else "has no score."
    low, high = params.scale or (LOWEST, HIGHEST)
    if not low <= score <= high:
        return math.nan, f"the score {written}{BEYOND}{low:g} to {high:g}."
    if (low, high) == (LOWEST, HIGHEST):
        return score, ""
    return LOWEST + (HIGHEST - LOWEST) * (score - low) / (high - low), ""


def _of_one_scale(rows: list[Rating], params: Params) -> list[Rating]:
    """None of the scores counts where one lies beyond the scale and nobody said which it is: those
    of 0 to 4 or 0 to 10 that happen to lie from 1 to 5 are no opinions on that scale."""
    beyond = [row.error.partition(": ") for row in rows if BEYOND in row.error]
    if params.scale is not None or not beyond:
        return rows
    places = ", ".join(line.removeprefix("line ") for line, _, _ in beyond[:NAMED])
    more = f" and {len(beyond) - NAMED} more" if len(beyond) > NAMED else ""
    first = beyond[0][2].removesuffix(".")
    why = (
        f"on which scale? line {places}{more}: {first}; name it (`scale: [1, 5]`, `scale: [0, 10]`)"
        " or what stands for no score (`not_rated: [0]`)."
    )
    return [row if row.error else replace(row, score=math.nan, error=why) for row in rows]


# ----------------------------------------------------------------------------------- screening
def _screened(rows: list[Rating], params: Params) -> list[Rating]:
    """Rules in this order, each on who is left: too few, all the same, unlike the others."""
    for reasons in (_few, _constant, _unlike):
        why = reasons([row for row in rows if not row.error], params)
        rows = [
            row
            if row.error or row.rater not in why
            else replace(row, error=SCREENED + why[row.rater], screened=True)
            for row in rows
        ]
    return rows


def _few(rows: Sequence[Rating], params: Params) -> dict[str, str]:
    counts = Counter(row.rater for row in rows)
    return {
        rater: f"{count} ratings, fewer than {params.min_ratings}."
        for rater, count in counts.items()
        if count < params.min_ratings
    }


def _constant(rows: Sequence[Rating], params: Params) -> dict[str, str]:
    if not params.constant:
        return {}
    scores: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        scores[row.rater].append(row.score)
    return {
        rater: f"all {len(own)} ratings are {own[0]:g}."
        for rater, own in scores.items()
        if len(own) >= FEW_TO_CORRELATE and len(set(own)) == 1
    }


def _unlike(rows: Sequence[Rating], params: Params) -> dict[str, str]:
    """Raters below the correlation; all are compared with all, so that no order decides."""
    if params.min_correlation is None:
        return {}
    totals: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in rows:
        both = totals[row.item, row.system]
        both[0] += row.score
        both[1] += 1
    pairs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        total, count = totals[row.item, row.system]
        if count > 1:
            pairs[row.rater].append((row.score, (total - row.score) / (count - 1)))
    found = {rater: _correlation(own) for rater, own in pairs.items()}
    return {
        rater: f"correlates {value:.2f} with the others, below {params.min_correlation}."
        for rater, value in found.items()
        if value < params.min_correlation
    }


def _correlation(pairs: Sequence[tuple[float, float]]) -> float:
    """Pearson's; 0 for scores that never vary, NaN (never below) for too few or others' alike."""
    own, others = np.array(pairs).T
    if len(own) < FEW_TO_CORRELATE or not others.std():
        return math.nan
    return float(np.corrcoef(own, others)[0, 1]) if own.std() else 0.0


def _scaled(params: Params) -> dict[str, str]:
    if params.scale in (None, (LOWEST, HIGHEST)):
        return {}
    low, high = params.scale or (LOWEST, HIGHEST)
    return {"scale": notes.written("rescaled", low=f"{low:g}", high=f"{high:g}")}


def _notes(read: Sequence[Rating], rows: Sequence[Rating], params: Params) -> dict[str, str]:
    counted = [row for row in rows if not row.error]
    raters = {row.rater for row in counted}
    asked = {row.rater for row in read if not row.error}
    rules = [notes.written("at_least", ratings=params.min_ratings)] * (params.min_ratings > 1)
    rules += [notes.written("scores_vary")] if params.constant else []
    if params.min_correlation is not None:
        least = f"{params.min_correlation:g}"
        rules.append(notes.written("correlation", figure=least))
    told = {
        "ratings": _share(len(counted), len(rows)),
        "raters": _share(len(raters), len(asked)),
        "items": str(len({row.item for row in counted})),
        "systems": ", ".join(sorted({row.system for row in counted})),
        "screening": notes.joined(*rules) or notes.written("none"),
        **_scaled(params),
        "invalid": str(sum(bool(row.error) for row in read)),
    }
    if gone := sorted(asked - raters):
        told["screened raters"] = ", ".join(gone)
    if len(raters) == 1:
        told["warning"] = notes.written("one_rater")
    return told


def _share(some: int, of: int) -> str:
    return notes.written("of_all_count", some=some, all=of)


judge = Judge(
    Params=Params,
    version="listeners' scores (absolute category rating, ITU-T P.800 or P.808)",
    named={
        "es": "puntuaciones de oyentes (categorías absolutas, UIT-T P.800 o P.808)",
    },
    about={
        "en": "What the listeners of one test said of the items that they heard. It holds for "
        "listeners and items like those; a score of another test, with other anchors and other "
        "systems in it, is on another scale. The interval is over raters and items.",
        "es": "Lo que dijeron los oyentes de una prueba sobre lo que oyeron. Vale para oyentes y "
        "frases como esos; la nota de otra prueba, con otras referencias y otros sistemas, está en "
        "otra escala. El intervalo es sobre evaluadores y frases.",
    },
    figures=("score",),
    ratings=ratings,
)
