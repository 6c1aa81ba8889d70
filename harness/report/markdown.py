"""Markdown pieces, numbers as each language writes them, and aligned words: what sections share."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import quote

from harness.errors.limits import ALIGNED_WORDS, SHOWN_TEXT
from harness.io.escaping import cut, visible
from harness.plugins.kinds import SHARES
from harness.report import words

TEXTS = words.table("markdown")
UNKNOWN = "—"
NBSP = "\u00a0"
MINUS = "\u2212"

# Units whose values are shares: shown in percent, and their differences in percentage points.

_ACTIVE = re.compile(r"([\\`*_\[\]<>|~#$])")
_PIPE = re.compile(r"(\\.)|\|", re.DOTALL)


# ---------------------------------------- markdown
def escape(text: str) -> str:
    """Foreign text (a transcript, an error) as one line that markdown shows letter by letter."""
    line = cut(" ".join(visible(text).split()), 2 * SHOWN_TEXT)
    return _ACTIVE.sub(r"\\\1", line.replace("&", "&amp;"))


def link(text: str, path: str) -> str:
    """A link to a file of the run's folder; the text alone where the path leads elsewhere."""
    inside = PurePosixPath(path.replace("\\", "/"))
    if inside.is_absolute() or ".." in inside.parts or ":" in path or not text:
        return escape(text)
    return f"[{escape(text)}]({quote(path, errors='replace')})"


def code(text: str) -> str:
    """One line of foreign text as a code span, whatever backticks it holds."""
    line = cut(" ".join(visible(text).split()), 2 * SHOWN_TEXT)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    pad = " " if len(fence) > 1 else ""
    return f"{fence}{pad}{line}{pad}{fence}" if line else ""


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> str:
    """A pipe table; `align` has one letter per column, l or r, and is padded with r.

    A cell is markdown already; pipes and line ends in it can no longer break the table.

    Raises: ValueError for a row of another length than the headers.
    """
    sides = align.ljust(len(headers), "r")
    rule = ["---" if side == "l" else "---:" for side in sides[: len(headers)]]
    return "\n".join([_line(headers), _line(rule), *(_checked(row, headers) for row in rows)])


def _checked(row: Sequence[str], headers: Sequence[str]) -> str:
    if len(row) != len(headers):
        raise ValueError(f"a row of {len(row)} cells under {len(headers)} headers")
    return _line(row)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    return _PIPE.sub(lambda found: found[1] or r"\|", text.translate(_BREAKS))


_BREAKS = {ord(sign): " " for sign in "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"}


def figure(name: str, text: str) -> str:
    """An image of the run folder's `figures/`, with the text for those who cannot see it."""
    return f"![{escape(text)}]({picture(name)})"


def picture(name: str) -> str:
    """Where a figure lies, from the report."""
    return f"figures/{name}.png"


def source(language: str, *tables: str, **equal: str) -> str:
    """The small line under a table or figure that says which rows it was made from."""
    files = [f"`{name}.{'parquet' if name == 'calls' else 'csv'}`" for name in tables]
    which = [f"`{column} = {value}`" for column, value in equal.items()]
    return f"<sub>{TEXTS[language]['from']} {', '.join([*files, *which])}</sub>"


def paragraphs(*parts: str) -> str:
    """The parts that hold something, with an empty line between them."""
    return "\n\n".join(part for part in parts if part)


# ---------------------------------------- numbers
def places(value: float, significant: int = 3) -> int:
    """Decimals that show `significant` digits of the value, none from 100 on."""
    if not math.isfinite(value) or value == 0:
        return 0
    return max(0, significant - 1 - math.floor(math.log10(abs(value))))


def number(value: float, language: str, decimals: int | None = None) -> str:
    """12345.6 as "12 346" (es, narrow space) or "12,346" (en); NaN as a dash, never a number."""
    if math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    text = f"{abs(value):,.{places(value) if decimals is None else decimals}f}"
    text = words.of(language).figure(text, value)
    return f"{MINUS}{text}" if value < 0 and re.search("[1-9]", text) else text


def count(value: float, language: str) -> str:
    """A whole number."""
    return number(value, language, 0)


def symbol(unit: str, difference: bool = False) -> str:
    """How the unit is written behind a number: "%" and "pp" for shares, "" for pure numbers."""
    if unit in SHARES:
        return "pp" if difference else "%"
    return {"x": "×", "ratio": "×", "s/s": ""}.get(unit, unit)


# units that are words, as each language writes them
_UNITS = words.table("markdown", "units")


def quantity(value: float, unit: str, language: str, difference: bool = False) -> str:
    """A value with its unit: "14,4 %" (es), "14.4%" (en), "251 ms"; a difference has its sign."""
    if math.isnan(value):
        return UNKNOWN
    scaled = _scaled(value, unit)
    sign = "+" if difference and scaled > 0 else ""
    text = sign + number(scaled, language, _decimals(scaled, unit))
    return text + behind(symbol(unit, difference), language)


def given(value: float, unit: str, language: str, difference: bool = False) -> str:
    """A figure that somebody set (a limit, a claim), with no more decimals than it has: "2 %"."""
    if math.isnan(value):
        return UNKNOWN
    scaled = _scaled(value, unit)
    decimals = len(f"{scaled:.6f}".rstrip("0").partition(".")[2])
    return number(scaled, language, decimals) + behind(symbol(unit, difference), language)


def interval(low: float, high: float, unit: str, language: str, like: float = 0.0) -> str:
    """Two bounds in brackets without their unit: "[13,1; 15,8]" (es), "[13.1, 15.8]" (en).

    With as many decimals as `like`, the value between them, if there is one; where no bound could
    be had, it says so.
    """
    if math.isnan(low) and math.isnan(high):
        return ""
    if math.isinf(low) and math.isinf(high):
        return f"[{TEXTS[language]['no_bound']}]"
    ends = [_scaled(low, unit), _scaled(high, unit)]
    known = max((abs(end) for end in ends if math.isfinite(end)), default=0.0)
    decimals = _decimals(_scaled(like, unit) or known, unit)
    left, right = (number(end, language, decimals) for end in ends)
    return f"[{left}{words.of(language).between}{right}]"


def estimate(bounds: tuple[float, float, float], unit: str, language: str, **how: bool) -> str:
    """(value, low, high) as "251 ms [245; 260]", an exact value alone; `how` as in `quantity`."""
    value, low, high = bounds
    if low == high:
        return quantity(value, unit, language, **how)
    between = interval(low, high, unit, language, 0.0 if math.isnan(value) else value)
    return f"{quantity(value, unit, language, **how)} {between}".strip()


def _scaled(value: float, unit: str) -> float:
    return value * 100 if unit in SHARES and unit != "%" else value


def _decimals(value: float, unit: str) -> int:
    """MOS with two, as listening tests and predictors are told apart by tenths."""
    if unit == "MOS":
        return 2
    if unit in SHARES:
        return 1
    if unit not in ("ratio", "x") and 0.99 <= abs(value) < 1:  # of 0.99953 the rest to 1 counts
        return max(places(value), places(1 - abs(value), 2))
    return places(value)


def behind(sign: str, language: str) -> str:
    """The sign of a unit as it stands behind a number, with its space where it has one."""
    if sign == "%":
        return words.of(language).percent
    sign = _UNITS[language].get(sign, sign)
    return sign if sign in ("", "×") else NBSP + sign


def listed(
    items: Sequence[str], language: str, style: Literal["standard", "or"] = "standard"
) -> str:
    """ "a, b y c", or "a, b o c"."""
    from babel.lists import format_list

    return format_list(list(items), style, words.of(language).locale)


def date(text: str, language: str) -> str:
    """ "2026-03-14" as "14 de marzo de 2026"; what is no date as it is."""
    from babel.dates import format_date

    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        return text
    return format_date(day, "long", words.of(language).locale)


# ---------------------------------------- aligned words
def aligned(reference: str, texts: Mapping[str, str], width: int = 92) -> str:
    """Each text under the reference, word by word as jiwer aligns them, as lines of fixed width.

    Below a text that differs stands S, D or I under each substituted, missing and inserted word.
    Of a text beyond all bounds only its beginning is shown.
    """
    spoken, heard = _start(reference), {name: _start(text) for name, text in texts.items()}
    slots = {name: _slots(" ".join(spoken), " ".join(said)) for name, said in heard.items()}
    columns = _columns(spoken, slots)
    head = max(len(name) for name in ["REF", *texts]) + 2
    blocks = [_block(list(texts), part, head) for part in _folded(columns, width - head)]
    return "\n\n".join(blocks)


def _start(text: str) -> list[str]:
    words = visible(text[: 100 * ALIGNED_WORDS]).split()
    return [cut(word, 80) for word in words[:ALIGNED_WORDS]] + ["…"] * (len(words) > ALIGNED_WORDS)


Slots = tuple[list[list[str]], list[str]]  # insertions before word i (and at the end), word at i


def _slots(reference: str, text: str) -> Slots:
    import jiwer

    output = jiwer.process_words(reference, text)
    said = output.hypotheses[0]
    size = len(output.references[0])
    extra: list[list[str]] = [[] for _ in range(size + 1)]
    heard = [""] * size
    for chunk in output.alignments[0]:
        found = said[chunk.hyp_start_idx : chunk.hyp_end_idx]
        if chunk.type == "insert":
            extra[chunk.ref_start_idx] += found
        elif chunk.type != "delete":
            heard[chunk.ref_start_idx : chunk.ref_end_idx] = found
    return extra, heard


Column = list[tuple[str, str]]  # (word, mark) of the reference, then of each text


def _columns(reference: list[str], words: Mapping[str, Slots]) -> list[Column]:
    columns: list[Column] = []
    for place in range(len(reference) + 1):
        inserted = zip_longest(*(extra[place] for extra, _ in words.values()), fillvalue="")
        columns += [[("", ""), *((w, "I" if w else "") for w in ws)] for ws in inserted]
        if place < len(reference):
            right = reference[place]
            columns.append([(right, ""), *(_judged(h[place], right) for _, h in words.values())])
    return columns


def _judged(word: str, right: str) -> tuple[str, str]:
    if not word:
        return "*" * len(right), "D"
    return word, "" if word == right else "S"


def _folded(columns: list[Column], width: int) -> list[list[Column]]:
    parts: list[list[Column]] = [[]]
    used = 0
    for column in columns:
        size = 1 + max(len(word) for word, _ in column)
        if used + size > width and parts[-1]:
            parts.append([])
            used = 0
        parts[-1].append(column)
        used += size
    return parts


def _block(names: list[str], columns: list[Column], head: int) -> str:
    sizes = [max(len(word) for word, _ in column) for column in columns]
    lines = []
    for row, name in enumerate(["REF", *names]):
        for part, title in ((0, name), (1, "")):
            cells = [column[row][part].ljust(n) for column, n in zip(columns, sizes, strict=True)]
            if part == 0 or any(cell.strip() for cell in cells):
                lines.append((title.ljust(head) + " ".join(cells)).rstrip())
    return "\n".join(lines)
