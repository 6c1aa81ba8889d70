"""A comparison as aligned text for a terminal, or as markdown; the same blocks in both."""

from __future__ import annotations

import math
import statistics
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from harness.decide.comparison import Comparison, outcomes
from harness.decide.comparison.rows import Row
from harness.errors.limits import SHOWN_TITLE
from harness.io.escaping import cut, inert, visible
from harness.report import metric_names, wording
from harness.report.comparison.wording import OUTCOMES, TEXTS, WHY
from harness.report.markdown import code, count, estimate, number, quantity
from harness.report.markdown import table as markdown_table
from harness.report.metric_names import stem

ORDER = (
    outcomes.REGRESSION,
    outcomes.IMPROVEMENT,
    outcomes.UNDECIDED,
    outcomes.UNCHANGED,
    outcomes.DRIFT,
    outcomes.STEADY,
)
ALIGN = "llllrrrrrr"
WIDTH = 100  # of a paragraph in a terminal; the table is as wide as it is


@dataclass(frozen=True)
class Passage:
    """A paragraph, or a heading with the items or the table below it."""

    text: str
    items: Sequence[str] = ()
    headers: Sequence[str] = ()
    cells: Sequence[Sequence[str]] = field(default_factory=list)


def plain(comparison: Comparison, language: str, everything: bool = False) -> str:
    """For a terminal: columns aligned with blanks. `everything`: also what nothing could decide."""
    parts = []
    for block in _said(comparison, language, everything):
        lines = textwrap.wrap(visible(f"{block.text}{':' if block.items else ''}"), WIDTH)
        lines += [f"  {visible(item)}" for item in block.items]
        lines += _columns([block.headers, *block.cells]) if block.cells else []
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


SIGN = "\n<!-- harness compare -->\n"  # ends our files: only such a one is written over


def markdown(comparison: Comparison, language: str, everything: bool = False) -> str:
    """For a pull request or a file: a heading, paragraphs, lists and a table."""
    parts = []
    for place, block in enumerate(_said(comparison, language, everything)):
        head = f"# {inert(block.text)}" if not place else inert(block.text)
        if block.items:
            head = f"{head}:\n\n" + "\n".join(f"- {code(item)}" for item in block.items)
        if block.cells:
            head = markdown_table(
                block.headers, [_marked(row, language) for row in block.cells], ALIGN
            )
        parts.append(head)
    return "\n\n".join(parts) + "\n"


def _marked(row: Sequence[str], language: str) -> list[str]:
    """The outcome of a row that got worse in bold, the variant as code; numbers as they are."""
    worse = row[0] == OUTCOMES[language][outcomes.REGRESSION]
    return [
        f"**{row[0]}**" if worse else row[0],
        inert(row[1]),
        code(row[2]),
        inert(row[3]),
        *row[4:],
    ]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    rows = [[cut(visible(text), SHOWN_TITLE) for text in row] for row in rows]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = zip(row, widths, ALIGN, strict=True)
        texts = (c.ljust(width) if side == "l" else c.rjust(width) for c, width, side in cells)
        lines.append("  ".join(texts).rstrip())
    return lines


def _said(comparison: Comparison, language: str, everything: bool) -> list[Passage]:
    with metric_names.calling(comparison.own):
        return list(_blocks(comparison, language, everything))


def _blocks(comparison: Comparison, language: str, everything: bool) -> Iterator[Passage]:
    texts = TEXTS[language]
    names = {"before": comparison.before, "after": comparison.after}
    yield Passage(texts["title"].format(**names))
    if comparison.forced:
        yield Passage(texts["forced"], [str(one) for one in comparison.forced])
    if all(comparison.days):
        yield Passage(texts["days"].format(one=comparison.days[0], other=comparison.days[1]))
    others = [str(one) for one in comparison.differences]
    yield Passage(texts["other"], others) if others else Passage(texts["same"])
    yield Passage(_counts(comparison, language))
    if any(row.kind == "time" for row in comparison.rows):
        yield Passage(_control(comparison, language))
    shown = [row for row in comparison.rows if everything or _telling(row)]
    if shown:
        shown.sort(key=lambda row: ORDER.index(row.outcome))
        yield Passage("", (), texts["headers"].split("|"), [_cells(row, language) for row in shown])
        yield Passage(texts["method"])
    if not any(outcomes.judged(row) for row in comparison.rows):
        yield Passage(texts["nothing"])
    yield from _listed(comparison, language, everything)


def _telling(row: Row) -> bool:
    """Rows of the table; the others are counted or listed beside it."""
    return not outcomes.undecidable(row) and row.outcome != outcomes.STEADY


def _counts(comparison: Comparison, language: str) -> str:
    counts = {name: comparison.count(name) for name in ORDER}
    powerless = sum(map(outcomes.undecidable, comparison.rows))
    counts[outcomes.UNDECIDED] -= powerless
    return TEXTS[language]["counts"].format(**counts, powerless=powerless)


def _listed(comparison: Comparison, language: str, everything: bool) -> Iterator[Passage]:
    """Every row and cell that has no line in the table, put together by what they share."""
    texts = TEXTS[language]
    silent = [row for row in comparison.rows if outcomes.undecidable(row)]
    if silent and not everything:
        said = (
            (
                f"{stem(row.place.metric)}: {WHY[language].get(row.why, row.why)}",
                _cell(row, language),
            )
            for row in silent
        )
        yield Passage(texts["undecidable"], _grouped(said, language))
    if comparison.alone:
        said = (
            (
                f"{stem(one.place.metric)} {_variant(one.place.variant, one.place.session)}:"
                f" {texts[one.missing_in]}{f' ({one.error})' if one.error else ''}",
                _at(one.place.operation, one.place.workload, language),
            )
            for one in comparison.alone
        )
        yield Passage(texts["alone"], _grouped(said, language))


def _cell(row: Row, language: str) -> str:
    name = _variant(row.place.variant, row.place.session, row.session_after)
    return f"{name} {_where(row, language)}".strip()


def _grouped(said: Iterable[tuple[str, str]], language: str) -> list[str]:
    groups: dict[str, list[str]] = {}
    for text, where in said:
        groups.setdefault(text, []).append(where)
    texts = TEXTS[language]
    return [
        f"{text}; {texts['cell' if len(places) == 1 else 'cells'].format(n=len(places))}"
        + (f": {', '.join(filter(None, places))}" if len(places) <= 4 and any(places) else "")
        for text, places in groups.items()
    ]


def _control(comparison: Comparison, language: str) -> str:
    texts = TEXTS[language]
    if not comparison.baseline:
        free = any(row.kind == "time" and row.why != "control" for row in comparison.rows)
        return texts["uncontrolled"] if free else WHY[language]["control"].capitalize() + "."
    own = [row for row in comparison.rows if row.control and not row.why]
    moved = sum(row.outcome == outcomes.DRIFT for row in own)
    typical = statistics.median([row.change.estimate for row in own]) if own else math.nan
    said = {"n": moved, "all": len(own), "typical": number(typical, language, 3)}
    drift = texts["drift" if moved else "steady"].format(**said)
    return texts["control"].format(baseline=comparison.baseline, drift=drift)


def _cells(row: Row, language: str) -> list[str]:
    unit = row.unit
    text = row.kind == "text"
    bounds = (row.change.estimate, row.change.low, row.change.high)
    shown = estimate(bounds, unit if text else "ratio", language, difference=text)
    divided = row.plain is not row.change and row.kind == "time"
    noisy = math.isfinite(row.noise) and row.noise > 0
    return [
        OUTCOMES[language][row.outcome],
        wording.metric(row.place.metric, language),
        _variant(row.place.variant, row.place.session, row.session_after),
        _where(row, language),
        quantity(row.before, unit, language),
        quantity(row.after, unit, language),
        shown,
        quantity(row.plain.estimate, "ratio", language) if divided else "",
        f"±{quantity(row.noise, 'share', language)}" if noisy else "",
        _p(row.p, language),
    ]


def _p(value: float, language: str) -> str:
    if math.isnan(value):
        return ""
    return f"<{number(0.001, language, 3)}" if value < 0.001 else number(value, language, 3)


def _variant(name: str, session: str, after: str = "") -> str:
    if after and after != session:
        return f"{name} · {session} → {after}"
    return name if session in ("", "default") else f"{name} · {session}"


def _where(row: Row, language: str) -> str:
    at = _at(row.place.operation, row.place.workload, language)
    if not row.left_out:
        return at
    left = TEXTS[language]["left_out"].format(n=count(row.left_out, language))
    return f"{at} ({left})"


def _at(operation: str, workload: str, language: str) -> str:
    parts = [wording.operation(operation, language) if operation else ""]
    return " ".join(filter(None, [*parts, wording.workload(workload, language)]))
