"""Transcripts of a variant beside the baseline's: which of them differ, and MAPSSWE's p of the
errors in them."""

from __future__ import annotations

import pandas as pd
from rapidfuzz.distance import Levenshtein

from harness.decide import stats
from harness.decide.stats import Errors
from harness.store import tables

WER = "wer"
UTTERANCE = ["variant", "session", "dataset", "item"]
Places = tuple[list[int], list[int]]


def changed(
    heard: pd.DataFrame, scores: pd.DataFrame, baseline: str, metric: str = WER
) -> pd.DataFrame:
    """Utterances whose transcript differs between the baseline and a variant.

    `heard`: calls with their texts normalised. Edits and words are the values and weights of
    `metric`; -1 where it was not scored.
    """
    both = _beside(heard, baseline)
    both = both[both["text"] != both["text_base"]]
    counts = scores[(scores["metric"] == metric) & (scores["stage"] == "quality")]
    counts = counts.loc[counts["item"].isin(both["item"]), [*_PLACED, "value", "weight"]]
    counts = counts.astype(dict.fromkeys(_PLACED, str))  # of the few that are left
    counts = counts.rename(columns={"workload": "dataset"}).drop_duplicates(UTTERANCE)
    ours = both.merge(counts, on=UTTERANCE, how="left")
    own = both[["dataset", "item"]].assign(variant=baseline, session=both["session_base"])
    theirs = own.merge(counts, on=UTTERANCE, how="left")
    columns = {
        "dataset": ours["dataset"],
        "variant": ours["variant"],
        "baseline": baseline,
        "item": ours["item"],
        "reference": ours["reference"],
        "baseline_text": ours["text_base"],
        "variant_text": ours["text"],
        "baseline_edits": theirs["value"].fillna(-1),
        "variant_edits": ours["value"].fillna(-1),
        "words": ours["weight"].fillna(-1),
    }
    return tables.check("changed", pd.DataFrame(columns))


def matched_segments(changes: pd.DataFrame, heard: pd.DataFrame) -> pd.DataFrame:
    """The changes with `p_mapsswe` of each row about WER on a data set (see stats/mapsswe.py).

    `heard`: calls with their texts normalised.
    """
    out = changes.copy()
    mine = (changes["metric"] == WER) & (changes["stage"] == "quality")
    for baseline in changes.loc[mine, "baseline"].unique():
        both = _beside(heard, str(baseline))
        for (variant, session, dataset), group in both.groupby(UTTERANCE[:3], sort=False):
            row = mine & (changes["variant"] == variant) & (changes["session"] == session)
            row &= (changes["workload"] == dataset) & (changes["baseline"] == baseline)
            if row.any():
                out.loc[row, "p_mapsswe"] = _matched(group).p
    return out


def error_places(reference: list[str], said: list[str]) -> list[int]:
    """Where the words said differ from the reference, as `stats.Errors` has it: as few edits as
    WER counts."""
    edits = Levenshtein.editops(reference, said)
    return [2 * edit.src_pos + (edit.tag != "insert") for edit in edits]


_PLACED = ["workload" if name == "dataset" else name for name in UTTERANCE]


def _beside(heard: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """A row per utterance and variant that the baseline transcribed too (`text_base`)."""
    said = (heard["stage"] == "quality") & (heard["error"] == "") & heard["warm"]
    said &= heard["replica"] == 0
    own = heard["variant"] == baseline
    base = heard.loc[said & own, ["dataset", "item", "session", "text"]]
    ours = heard.loc[said & ~own, [*UTTERANCE, "text", "reference"]]
    return ours.merge(base, on=["dataset", "item"], suffixes=("", "_base"))


def _matched(both: pd.DataFrame) -> stats.MatchedPairs:
    texts = (both[name].tolist() for name in ("reference", "text", "text_base"))
    found: list[Places] = [([], []), ([], [])]
    for utterance, row in enumerate(zip(*texts, strict=True)):
        for (utterances, places), erred in zip(found, _places(*row), strict=True):
            if erred:
                utterances += [utterance] * len(erred)
                places += erred
    ours, theirs = (Errors.of(*side) for side in found)
    return stats.matched_pairs(*stats.segment_errors(ours, theirs))


def _places(reference: str, text: str, base: str) -> tuple[list[int], list[int]]:
    """Both systems' error places; equal transcripts are aligned once."""
    if text == reference and base == reference:
        return [], []
    words = reference.split()
    ours = error_places(words, text.split()) if text != reference else []
    if base == text:
        return ours, ours
    return ours, error_places(words, base.split()) if base != reference else []
