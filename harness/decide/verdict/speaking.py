"""Whether anything was said where a gate decides: an opinion of noise, or a nearness to what is no
speech itself, shows nothing.

Errors in texts are read off what was said, and a gate on them needs none of this. What else can
stand for quality does not hear words: predictors give a hum 4.6 of 5.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from harness.contracts.experiment import GateSpec
from harness.decide.scoring.changes import DEFAULT
from harness.decide.verdict.case import AskedFigure, Case, find
from harness.plugins import NamedMetric, kinds
from harness.store import queries

HALF = 0.5  # of the calls: where more are empty, nothing was said
TENTH = 0.1  # of the calls: where more are steady, a mean over them is not one of speech
STEADY_DB = 4.0  # of 443 clips of real speech none changes by less than 5.1 dB, noise by up to 3.3


def doubts(
    case: Case, gate: GateSpec, data: Mapping[str, pd.DataFrame]
) -> Iterator[dict[str, Any]]:
    """For the candidate and for what it is compared with: {code, variant, ...} of a finding."""
    named, at = case.metrics[gate.metric], gate.at
    if not at.dataset or _reads_texts(named):
        return
    for variant in dict.fromkeys((case.candidate, gate.over or case.candidate)):
        if case.recorded(variant) is not None:
            continue
        session = case.heard_in(variant, at) if variant == case.candidate else DEFAULT
        where = AskedFigure("", variant, session, gate.operation, at)
        if not _wordless(case, data["calls"], where, named):
            yield from _unsaid(_calls(data["calls"], where), variant, named)
        yield from _misunderstood(case, data, where)


def _reads_texts(named: NamedMetric) -> bool:
    """Whether its own figure says when nothing was said: texts, on a scale whose end is known."""
    texts = kinds.kind_of(named.metric) == "text"
    return texts and math.isfinite(kinds.useless(named.metric))


def _calls(calls: pd.DataFrame, where: AskedFigure) -> pd.DataFrame:
    keep = (calls["stage"] == "quality") & (calls["dataset"] == where.workload)
    keep &= (calls["variant"] == where.variant) & (calls["session"] == where.session)
    return calls[keep & (calls["replica"] == 0) & calls["warm"] & (calls["error"] == "")]


def _wordless(case: Case, calls: pd.DataFrame, where: AskedFigure, named: NamedMetric) -> bool:
    """Whether outputs are compared of a model that writes no text: its baseline wrote none."""
    if named.metric.compares not in kinds.OF_OUTPUTS:
        return False
    base = case.experiment.baseline
    said = _calls(calls, replace(where, variant=base, session=DEFAULT))
    return not (said["text"].str.strip() != "").any()


def _unsaid(calls: pd.DataFrame, variant: str, named: NamedMetric) -> Iterator[dict[str, Any]]:
    """Calls that gave no text of speech that has one, or audio that is no speech. Two variants that
    both write nothing have the same texts: where nobody knows what is said, no text counts too."""
    voiced = calls[calls["audio_sha256"] != ""]
    texts = calls[calls["audio_sha256"] == ""]
    known = texts["reference"].str.strip() != ""
    texts = texts[known] if known.any() or named.metric.compares != "texts" else texts
    empty = int((texts["text"].str.strip() == "").sum())
    if empty > HALF * len(texts):
        yield {"code": "mute", "variant": variant, "count": empty, "total": len(texts)}
    if named.metric.fold == "crossed":  # people heard it
        return
    steady = sum(map(_is_steady, voiced["figures"]))
    if steady > TENTH * len(voiced):
        yield {"code": "steady", "variant": variant, "count": steady, "total": len(voiced)}


def _is_steady(figures: str) -> bool:
    found = queries.parsed(figures).get("spectral_change_db", math.nan)
    return bool(float(found) < STEADY_DB)


def _misunderstood(
    case: Case, data: Mapping[str, pd.DataFrame], where: AskedFigure
) -> Iterator[dict[str, Any]]:
    """Texts of the same utterances that are wrong beyond any use, with their whole bound."""
    for name, named in case.metrics.items():
        if name.endswith(".py") or not _reads_texts(named) or named.metric.better != "lower":
            continue
        figure = AskedFigure(name, where.variant, where.session, "pipeline", where.at)
        interval, limit = find(case, data, figure).interval, kinds.useless(named.metric)
        low = interval.low if math.isfinite(interval.low) else interval.estimate
        if low > limit:
            told = {"metric": name, "value": interval.estimate, "most": limit}
            yield {"code": "misunderstood", "variant": where.variant, **told}
            return
