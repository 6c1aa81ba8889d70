"""docs/trust.md and its figure from docs/trust/*.json: every figure, met or not, in plain sight.

Equal files give equal bytes. Text is written here, numbers come from the rows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.report import markdown
from trust.rows import RESULTS, Row

PARTS = ("gallery", "corpora", "halving", "quality", "end_to_end", "machine", "decision")
PAGE, FIGURE = "trust.md", "trust.png"
MET = {True: "yes", False: "**NOT MET**", None: ""}

# group -> what it is and how it was made; the order is that of the page
GROUPS = {
    "false approvals, against the run": "A gate on a latency, or on its ratio to another cell, "
    "whose true value is exactly the limit or 2 % over it: how often it passes. Each experiment is "
    "a run of ten minutes, laid out by the function that lays out real ones. What is true is the "
    "machine as it was in these minutes, for any clip and any fresh process.",
    "false approvals, against the law": "The same against all the minutes that such a machine ever "
    "has. Nothing is promised: noise that outlasts a run is in no run, and no test can see it. "
    "What a verdict is about is this machine, these minutes, these clips.",
    "power, whatever the noise": "The true value is 10 % under the limit: how often the gate "
    "passes. Noise that is larger than the distance cannot be seen through.",
    "calls used": "Calls of the plan, against the fixed size of a test of before (1,500 for a P50, "
    "3,000 for a P99).",
    "end to end": "The whole product, from YAML to checks, on a virtual clock: its own stages, "
    "layout, looks and bounds; only the calls are invented. Gates whose limit is what is true of "
    "that run: how often they pass.",
    "end to end, power": "The same runs, with limits a tenth over what is true.",
    "sweeps of 16": "Simulated sweeps of fifteen configurations and the default: halved three "
    "times, then the fastest against the default in six fresh pairs of processes.",
    "non-inferiority, corpora": "A WER increase exactly at its limit over corpora of many kinds, "
    "read once when the data is through: how often it passes.",
    "non-inferiority power, corpora": "The same, 3 points under the limit.",
    "coverage": "Simulated transcripts of two systems: how often the 95 % interval of their WER "
    "difference holds the true one.",
    "non-inferiority": "The same transcripts, a gate whose limit is exactly the true value: how "
    "often it passes.",
    "non-inferiority power": "Two systems that are equal, a gate with a margin: how often it "
    "passes.",
    "A/A": "The real INT8 encoder of Whisper base against itself, on this machine, each comparison "
    "in processes opened anew and decided as `changes` is: by a ratio whose interval leaves out 1.",
    "A/B": "In the same rounds, the same encoder with a busy loop after each call that lasts 5 % "
    "or 10 % of that call's own time: found is called different, and slower.",
    "decision": "From the calls of a corpus to every table and the verdict.",
    "sweeps": "16 session configurations of the real encoder (2 execution modes, 4 optimization "
    "levels, 1 or 2 threads) swept three times by the harness, the winner confirmed in fresh "
    "processes, and 100 pairs of calls measured later.",
}
GENERATORS = {
    "transcripts": "Utterances of 10 ± 3 words. Errors that both systems make (11 % of the words) "
    "and errors of each one's own (2 %, in clumps of 1.5), Poisson given how hard speaker and "
    "utterance are (gamma); the candidate has 0, 1 or 2 points more.",
}
LIMITS = (
    "Simulated latencies and transcripts are wrong exactly where real ones differ from these "
    "generators. A/A, A/B and sweeps are of one machine, one model and one day."
)


@dataclass(frozen=True)
class Part:
    """What one command left."""

    name: str
    seed: int
    seconds: int
    rows: tuple[Row, ...]


def load(folder: Path = RESULTS) -> list[Part]:
    """The parts that have run, in the order of the page.

    Raises: ValueError for a file that is no part.
    """
    found = {path.stem: path for path in folder.glob("*.json")}
    strange = sorted(set(found) - set(PARTS))
    if strange:
        raise ValueError(f"{folder}: {', '.join(strange)} is no part; there is {', '.join(PARTS)}")
    parts = []
    for name in PARTS:
        if name in found:
            data = json.loads(found[name].read_text(encoding="utf-8"))
            rows = tuple(Row(**row) for row in data["rows"])
            parts.append(Part(name, data["seed"], data["seconds"], rows))
    return parts


def write(folder: Path = RESULTS) -> Path:
    """Page and figure beside the folder of the parts."""
    from trust import drawing

    parts = load(folder)
    target = folder.parent / PAGE
    target.write_bytes(text(parts).encode())
    drawing.draw([row for part in parts for row in part.rows], folder.parent / FIGURE)
    return target


def stale(folder: Path = RESULTS) -> str:
    """Why page and figure are not those of the parts; empty: they are, or nothing has run."""
    parts = load(folder)
    target = folder.parent / PAGE
    if not target.exists():
        return f"{folder}: figures without their page." if parts else ""
    missing = [name for name in PARTS if name not in [part.name for part in parts]]
    if missing:
        return f"{target}: {', '.join(missing)} has not run."
    if not (folder.parent / FIGURE).exists():
        return f"{target}: {FIGURE} is not there."
    written = target.read_text(encoding="utf-8")
    return "" if written == text(parts) else f"{target}: is not of the figures in {folder}."


def text(parts: Sequence[Part]) -> str:
    """The page."""
    rows = [row for part in parts for row in part.rows]
    missing = [name for name in PARTS if name not in [part.name for part in parts]]
    blocks = [
        "# How often is a verdict wrong?",
        _answer(rows),
        _score(rows),
        *(f"**Not measured yet: {name}** (`python -m trust {name}`)." for name in missing),
        f"![Error rates with two Monte-Carlo errors against what was promised]({FIGURE})",
        "## Every figure",
        "± is two Monte-Carlo standard errors. Where all or none of n were counted, that error "
        "says nothing, and the exact 95 % bound stands instead.",
        *_tables(rows),
        "## What was simulated",
        "\n".join(f"- **{name}**: {said}" for name, said in GENERATORS.items()),
        LIMITS,
        "## Made by",
        _made(parts),
    ]
    return markdown.paragraphs(*blocks) + "\n"


# --------------------------------------------------------------------------- the first screen
def _answer(rows: Sequence[Row]) -> str:
    """Two sentences: what is approved or called different and must not be, and what is missed."""
    wrong = [
        _wrong(rows, "false approvals", "a latency at or over its limit is approved"),
        _wrong(rows, "non-inferiority", "a WER increase at its limit is approved"),
        _wrong(rows, "A/A", "a real model is called different from itself"),
    ]
    right = [
        _right(rows, "power", "a latency 10 % under its limit is approved"),
        _right(rows, "A/B", "a real slow-down is found"),
    ]
    sentences = [
        f"Wrongly, {_listed(wrong)}." if any(wrong) else "",
        f"Rightly, {_listed(right)}." if any(right) else "",
    ]
    return " ".join(s for s in sentences if s) or "Nothing has been measured yet."


def _wrong(rows: Sequence[Row], group: str, said: str) -> str:
    """The worst case of a group, in words."""
    mine = _counted(rows, group)
    if not mine:
        return ""
    worst = max(mine, key=lambda row: row.value)
    if len(mine) == 1:
        return f"{said} in {_share(worst.value)} of {worst.n} comparisons"
    return f"{said} in at most {_share(worst.value)} of {worst.n} runs ({len(mine)} cases)"


def _right(rows: Sequence[Row], group: str, said: str) -> str:
    """Each case of a small group; of a large one how many are met, and the worst."""
    mine = _counted(rows, group)
    if not mine:
        return ""
    if len(mine) <= 2:
        each = [f"in {_share(row.value)} ({_short(row.case)})" for row in mine]
        return f"{said} {_listed(each)} of {mine[0].n} comparisons"
    met, worst = sum(bool(row.met) for row in mine), min(mine, key=lambda row: row.value)
    promised = target(worst).removeprefix("≥ ")
    return (
        f"{said} in {promised} of runs or more in {met} of {len(mine)} cases (the worst:"
        f" {_share(worst.value)}, {_short(worst.case)})"
    )


def _counted(rows: Iterable[Row], group: str) -> list[Row]:
    """Promised shares of a group, of its sub-groups too; agreements of two computations are none of
    the errors."""
    return [
        row
        for row in rows
        if row.group.partition(",")[0] == group and row.target not in ("", ">= 1")
    ]


def _short(case: str) -> str:
    return (
        case.partition(":")[0].partition(" in the measured call")[0].removeprefix("a slow-down of ")
    )


def _listed(parts: Sequence[str]) -> str:
    known = [part for part in parts if part]
    return ", ".join(known[:-1]) + (" and " if known[:-1] else "") + known[-1]


def _score(rows: Sequence[Row]) -> str:
    """How many of the promised figures are met, and each that is not."""
    promised = [row for row in rows if row.met is not None]
    if not promised:
        return ""
    lost = [row for row in promised if not row.met]
    head = f"**{len(promised) - len(lost)} of {len(promised)} promised figures are met.**"
    lines = [
        f"- **NOT MET**, {row.group}: {markdown.escape(row.case)}: {value(row)},"
        f" promised {target(row)}{_within(row)}." + (f" {_sentence(row.note)}" if row.note else "")
        for row in lost
    ]
    return head + "".join(f"\n{line}" if n else f"\n\n{line}" for n, line in enumerate(lines))


# ------------------------------------------------------------------------------ the tables
def _tables(rows: Sequence[Row]) -> Iterable[str]:
    groups = [name for name in GROUPS if any(row.group == name for row in rows)]
    groups += list(dict.fromkeys(row.group for row in rows if row.group not in GROUPS))
    for group in groups:
        mine = [row for row in rows if row.group == group]
        yield f"### {group[:1].upper()}{group[1:]}"
        yield GROUPS.get(group, "")
        notes = list(dict.fromkeys(row.note for row in mine if row.note))
        lines = [
            [
                markdown.escape(r.case) + (f" [{notes.index(r.note) + 1}]" if r.note else ""),
                value(r),
                target(r),
                MET[r.met] + _within(r),
                str(r.n),
            ]
            for r in mine
        ]
        yield markdown.table(["Case", "Value", "Promised", "Met", "n"], lines, "lrrlr")
        yield "\n".join(f"- [{n}] {_sentence(note)}" for n, note in enumerate(notes, 1))


def _sentence(note: str) -> str:
    return markdown.escape(f"{note[:1].upper()}{note[1:]}.")


def value(row: Row) -> str:
    """Value and two Monte-Carlo errors, or the exact bound where all or none were counted."""
    if row.unit != "share":
        unit = {"%": " %", "ratio": "", "": ""}.get(row.unit, f" {row.unit}")
        spread = "" if math.isnan(row.error) else f" ± {2 * row.error:.2f}"
        return f"{row.value:.2f}{spread}{unit}"
    if row.value in (0.0, 1.0):
        low, high = bounds(row)
        side = f"≤ {_share(high)}" if row.value == 0 else f"≥ {_share(low)}"
        return f"{_share(row.value)} ({side})"
    return f"{100 * row.value:.1f} ± {200 * row.error:.1f} %"


def bounds(row: Row) -> tuple[float, float]:
    """Two Monte-Carlo errors to each side, a share's within 0 and 1; where all or none of n were
    counted, the exact 95 % bound: 1 - 0.05^(1/n) after none."""
    if row.unit != "share":
        return row.value - 2 * row.error, row.value + 2 * row.error
    if row.value not in (0.0, 1.0):
        return max(row.value - 2 * row.error, 0.0), min(row.value + 2 * row.error, 1.0)
    beyond = 1 - 0.05 ** (1 / row.n)
    return (0.0, beyond) if row.value == 0 else (1 - beyond, 1.0)


def target(row: Row) -> str:
    """What was promised, as it is read."""
    if not row.target:
        return ""
    words = row.target.split()
    signs = {"<=": "≤", ">=": "≥", "to": "to"}
    return " ".join(signs.get(w) or (_bare(float(w), row.unit)) for w in words)


def _bare(number: float, unit: str) -> str:
    return f"{100 * number:g} %" if unit == "share" else f"{number:g}"


def _within(row: Row) -> str:
    """Says of a figure that is not met whether chance alone may have done it."""
    if row.met is not False:
        return ""
    low, high = bounds(row)
    ends = [float(w) for w in row.target.split() if w[0].isdigit()]
    chance = any(low <= end <= high for end in ends)
    return " (within two Monte-Carlo errors)" if chance else ""


def _share(number: float) -> str:
    return f"{100 * number:.1f} %"


def _made(parts: Sequence[Part]) -> str:
    """Commands, seeds and minutes."""
    lines = [
        [f"`python -m trust {p.name}`", str(p.seed), f"{p.seconds / 60:.0f}", str(len(p.rows))]
        for p in parts
    ]
    if not lines:
        return "`make trust`"
    table = markdown.table(["Part", "Seed", "Minutes", "Figures"], lines, "lrrr")
    return f"`make trust` (from `bench/`: each part alone, then `python -m trust page`).\n\n{table}"
