"""Timed calls of several systems -> who is faster by how much, and who hears better: two tables."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import jiwer
from material import Clip
from scipy.stats import t as student

from harness.speech.text import normaliser


@dataclass(frozen=True)
class Row:
    """One timed call."""

    system: str
    clip: str
    turn: int
    seconds: float
    text: str


@dataclass(frozen=True)
class Pair:
    """Two systems whose times are compared; `aim` is the ratio to stay at or under, NaN: none."""

    ours: str
    other: str
    aim: float = math.nan


def ratio(rows: Iterable[Row], ours: str, other: str) -> tuple[float, float, float]:
    """Time of `ours` over `other`: geometric mean over clips and its 95 % interval.

    Calls of one clip in one round are paired; a clip's ratio is the mean over rounds, in
    logarithms; the interval is Student's over clips.
    """
    logs: dict[str, dict[tuple[str, int], float]] = {ours: {}, other: {}}
    for row in rows:
        if row.system in logs:
            logs[row.system][row.clip, row.turn] = math.log(row.seconds)
    by_clip: dict[str, list[float]] = {}
    for (clip, turn), value in logs[ours].items():
        by_clip.setdefault(clip, []).append(value - logs[other][clip, turn])
    means = [statistics.fmean(values) for values in by_clip.values()]
    middle = statistics.fmean(means)
    reach = math.nan
    if len(means) > 1:
        reach = student.ppf(0.975, len(means) - 1) * statistics.stdev(means) / len(means) ** 0.5
    return math.exp(middle), math.exp(middle - reach), math.exp(middle + reach)


def systems_table(rows: Sequence[Row], names: Sequence[str], clips: Sequence[Clip]) -> str:
    """Time, real-time factor, WER and how often the words are those of our INT8 pipeline."""
    clean = normaliser("spanish")
    references = [clean(clip.text) for clip in clips]
    said = {(row.system, row.clip): clean(row.text) for row in rows}
    audio_seconds = {clip.id: clip.seconds for clip in clips}
    lines = [
        "| system | median ms | RTF | WER | same words as ours INT8 |",
        "|---|--:|--:|--:|--:|",
    ]
    for name in names:
        mine = [row for row in rows if row.system == name]
        spent = statistics.median(row.seconds for row in mine) * 1000
        rtf = sum(row.seconds for row in mine) / sum(audio_seconds[row.clip] for row in mine)
        words = [said[name, clip.id] for clip in clips]
        equal = sum(said.get(("ours INT8", c.id)) == w for c, w in zip(clips, words, strict=True))
        wer = jiwer.wer(references, words)
        lines.append(f"| {name} | {spent:.0f} | {rtf:.3f} | {wer:.1%} | {equal} of {len(clips)} |")
    return "\n".join(lines)


def pairs_table(rows: Sequence[Row], compared: Iterable[Pair]) -> str:
    """Time ratios with intervals, and whether they settle the aim."""
    lines = ["| time of | over | ratio | 95 % interval | aim | met |", "|---|---|--:|--:|--:|---|"]
    for pair in compared:
        value, low, high = ratio(rows, pair.ours, pair.other)
        aim = "" if math.isnan(pair.aim) else f"≤ {pair.aim:.2f}"
        met = "" if not aim else "yes" if high <= pair.aim else "no" if low > pair.aim else "open"
        interval = f"{low:.3f} to {high:.3f}"
        lines.append(f"| {pair.ours} | {pair.other} | {value:.3f} | {interval} | {aim} | {met} |")
    return "\n".join(lines)
