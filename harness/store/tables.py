"""The tables: their columns, dtypes and what each column means; the one schema of a run folder."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from harness.errors import StoreError
from harness.io.escaping import guarded

# 1: first version.
# 2: `stops`, what the runner stopped at; bounds of gates carry their level; sweeps their reach.
# 3: synthesised audio and what judges say of it; figures of a call; data sets with their notes.
SCHEMA = 3

TEXT, NUMBER, WHOLE, FLAG = "str", "float64", "int64", "bool"

_CELL = {
    "variant": TEXT,
    "session": TEXT,
    "replica": WHOLE,  # 0; 1 is the A/A twin of the baseline
}
_INTERVAL = {"low": NUMBER, "high": NUMBER}

TABLES: Mapping[str, Mapping[str, str]] = {
    # one row per call, also of those that failed; the only table that holds measurements
    "calls": {
        "stage": TEXT,  # sweep | latency | quality | audit | audit_rounds (run/audit.py)
        **_CELL,
        "operation": TEXT,  # load | first_call | pipeline | features | encoder | decoder_step ...
        "warm": FLAG,  # False: a warm-up or cold call, kept but in no warm figure
        "dataset": TEXT,  # "" in the latency stages
        "audio_seconds": NUMBER,
        "item": TEXT,  # clip id
        "path": TEXT,  # of the clip, from the experiment's folder; "" where it is no file
        "source_rate": NUMBER,  # Hz of the clip as it lies there, before it is resampled
        "speaker": TEXT,
        "labels": TEXT,  # JSON: column of the data set -> what it says, of the slices asked for
        "sentence": TEXT,
        "recording": TEXT,  # what tells copies of one clip, or of one text to be said
        "round": WHOLE,  # cells of one round were measured next to each other: the unit of pairing
        "block": WHOLE,  # consecutive calls of one cell in one round
        "order": WHOLE,  # position within the block
        "generation": WHOLE,  # of fresh processes, in which all cells of a round are
        "seconds": NUMBER,
        "cpu_seconds": NUMBER,
        "tokens": NUMBER,
        "text": TEXT,
        "reference": TEXT,
        "rss_bytes": NUMBER,  # peak resident memory of the child process so far
        "steal": NUMBER,  # share of CPU time that the hypervisor took during the block
        "load": NUMBER,  # load average over one minute at the end of the block
        "note": TEXT,  # of this call: codes with arguments (budget_spent tokens=448), or a remark
        "figures": TEXT,  # JSON: name -> number, what else is known of this call
        "audio": TEXT,  # what a synthesiser said: a FLAC file in the run's folder `audio/`
        "audio_sha256": TEXT,
        "error": TEXT,
    },
    # one row per piece of synthesised audio and judge, or per listener's score of it
    "judged": {
        **_CELL,
        "dataset": TEXT,
        "item": TEXT,
        "speaker": TEXT,
        "sentence": TEXT,
        "round": WHOLE,
        "judge": TEXT,
        "version": TEXT,
        "rater": TEXT,  # "" for a predictor
        "figures": TEXT,  # JSON: name -> number
        "text": TEXT,  # what the judge heard, where it is a recogniser
        "reference": TEXT,
        "audio_sha256": TEXT,  # of what was judged
        "error": TEXT,  # "screened: ..." where a stated rule leaves a score out
    },
    # one row per utterance, variant but the baseline, and kind of comparison: how near an output is
    # to the baseline's (run/worker/nearness.py has the formulas)
    "fidelity": {
        **_CELL,
        "dataset": TEXT,
        "item": TEXT,
        "compares": TEXT,  # outputs | logits
        "output": TEXT,  # name of the model's output
        "figures": TEXT,  # JSON: name -> number, sums over the positions of the utterance
        "seconds": NUMBER,  # that the variant's outputs and the comparison took
        "error": TEXT,
    },
    # one row per data set: which, drawn how, how many were left out and why
    "datasets": {
        "dataset": TEXT,
        "source": TEXT,  # file in harness/plugins/datasets/
        "fingerprint": TEXT,
        "planned": WHOLE,
        "unusable": WHOLE,  # of the planned, those that the data set itself could not give
        "source_rates": TEXT,  # JSON: Hz -> clips, of a sample; "" where there is no audio
        "bandwidth_hz": NUMBER,  # up to where the clips of that sample have sound (their median)
        "notes": TEXT,  # JSON: release, split, licence, seed ...
    },
    # one row per data set and judge: what its figures mean
    "judges": {
        "dataset": TEXT,
        "judge": TEXT,
        "version": TEXT,
        "about": TEXT,  # JSON: language -> what it is valid for, and what not
        "parameters": TEXT,  # JSON
        "notes": TEXT,  # JSON: screening of raters, counts
    },
    # one row per cell of the latency stage and per variant on a data set: how far it was measured
    "stops": {
        "stage": TEXT,
        **_CELL,
        "operation": TEXT,
        "workload": TEXT,
        "done": WHOLE,  # rounds, or utterances
        "level": NUMBER,  # confidence of each bound of a gate on it, all looks together 95 %
        "allowance": NUMBER,  # share by which its times may yet drift, being stopped early
        "why": TEXT,  # decided | rounds (nothing to decide) | budget | all (utterances)
    },
    # one row per call and metric: what is folded
    "scores": {
        "stage": TEXT,
        **_CELL,
        "operation": TEXT,
        "workload": TEXT,  # "5 s", or the data set's name
        "metric": TEXT,
        "item": TEXT,
        "speaker": TEXT,
        "sentence": TEXT,
        "recording": TEXT,
        "round": WHOLE,
        "block": WHOLE,
        "generation": WHOLE,
        "value": NUMBER,
        "weight": NUMBER,
    },
    # one row per cell and metric, with its 95 % interval
    "summary": {
        "stage": TEXT,
        **_CELL,
        "operation": TEXT,
        "workload": TEXT,
        "metric": TEXT,
        "value": NUMBER,
        **_INTERVAL,
        "n": WHOLE,
        "errors": WHOLE,
        "unit": TEXT,
        "method": TEXT,
    },
    # one row per cell and metric against its baseline, paired, with 95 % intervals
    "changes": {
        "stage": TEXT,
        "variant": TEXT,
        "session": TEXT,
        "operation": TEXT,
        "workload": TEXT,
        "metric": TEXT,
        "baseline": TEXT,
        "baseline_session": TEXT,
        "delta": NUMBER,
        "delta_low": NUMBER,
        "delta_high": NUMBER,
        "ratio": NUMBER,
        "ratio_low": NUMBER,
        "ratio_high": NUMBER,
        "p": NUMBER,
        "p_mapsswe": NUMBER,  # of WER on a data set, by segments of sentences; else NaN
        "n": WHOLE,
        "method": TEXT,
        "resolved": FLAG,  # larger than what the A/A twin says this machine can tell apart
    },
    # one row per other variant and metric: the candidate against it, paired, with 95 % intervals
    "versus": {
        "purpose": TEXT,  # alternatives | selection: what the candidate was chosen by
        "variant": TEXT,  # the other one
        "session": TEXT,
        "candidate": TEXT,
        "candidate_session": TEXT,
        "stage": TEXT,
        "operation": TEXT,
        "workload": TEXT,
        "metric": TEXT,
        "unit": TEXT,
        "candidate_value": NUMBER,
        "value": NUMBER,  # of the other one
        "scale": TEXT,  # difference: candidate minus the other | ratio: candidate over the other
        "change": NUMBER,
        **_INTERVAL,
        "reads": TEXT,  # of the other one: better | worse | same | unknown | not measured
    },
    # one row per configuration of a replayed protocol, run of it and audio length: what it says
    "audit_repeats": {
        "session": TEXT,
        "place": WHOLE,  # of the configuration in the protocol's order, from 0
        "repeat": WHOLE,  # which run of the protocol, from 0
        "audio_seconds": NUMBER,  # NaN: the calls of all lengths pooled, as the protocol does
        "n": WHOLE,
        "p50_ms": NUMBER,  # interpolated, as the protocol reckons percentiles
        "p99_ms": NUMBER,
        "p99_high_ms": NUMBER,  # its 95 % bound if every call were independent; of all pooled
        "largest_ms": NUMBER,
        "slowest": WHOLE,  # how many of the slowest 5 % of the run's calls are of this length
    },
    # one row per fidelity metric, variant and utterance, and one with no item for all of these
    "distances": {
        "dataset": TEXT,
        "variant": TEXT,
        "metric": TEXT,
        "item": TEXT,
        "value": NUMBER,  # of the metric on that utterance alone; worst first
        "error": NUMBER,  # standard error of what is pooled over all of them
    },
    # one row per cell of the latency stage that was measured twice, as if it were two (A/A twin)
    "twins": {
        "stage": TEXT,
        "variant": TEXT,
        "session": TEXT,
        "operation": TEXT,
        "audio_seconds": NUMBER,
        "generations": WHOLE,  # of fresh processes
        "equal": NUMBER,  # two such cells differ by: standard deviation of log(ratio), this run
        "between": NUMBER,  # the part of it that is from process to process
    },
    # one row per configuration and what it is compared with: the same ones in paired rounds
    "audit_rounds": {
        "purpose": TEXT,  # twin | configuration | option: those that nobody checked
        "session": TEXT,
        "over": TEXT,  # the configuration that it is compared with; the twin with itself
        "ratio": NUMBER,  # of times, paired within rounds
        **_INTERVAL,  # of configurations: hold all at once with 95 %
        "rounds": WHOLE,
        "reads": TEXT,  # faster | slower | same | unknown; "" for the twin
        "supported": FLAG,  # whether the protocol alone could show the difference
    },
    # one row per gate and variant it applies to
    "checks": {
        "gate": TEXT,
        "variant": TEXT,
        "session": TEXT,
        "metric": TEXT,
        "operation": TEXT,
        "workload": TEXT,
        "over": TEXT,
        "kind": TEXT,  # max | min | max_increase | ...: the file in gates/
        "severity": TEXT,  # fail | warn
        "observed": NUMBER,
        **_INTERVAL,  # bounds that each hold with 95 %
        "limit": NUMBER,
        "unit": TEXT,
        "status": TEXT,
        "reason": TEXT,
        "reason_code": TEXT,  # within | beyond | straddles | few | constant | ...: see verdict
        "needs": NUMBER,  # samples that would probably settle it; NaN where settled or unknown
        "level": NUMBER,  # of each bound: higher where the run looked more than once
        "allowance": NUMBER,  # by which the bounds are wider, for a drift not seen: stopped early
        "n": WHOLE,
        "units": WHOLE,  # how many of the n are independent: blocks, speakers, sentences, rounds
        "method": TEXT,
        "waiver": TEXT,
    },
    "claims": {
        "metric": TEXT,
        "variant": TEXT,
        "workload": TEXT,
        "claimed": NUMBER,
        "tolerance": NUMBER,
        "source": TEXT,
        "observed": NUMBER,
        **_INTERVAL,
        "unit": TEXT,
        "status": TEXT,  # confirmed | refuted | undecided | not measured
        "reason": TEXT,
    },
    # one row per variant: what was made, how, and how large it is
    "variants": {
        "variant": TEXT,
        "method": TEXT,  # "" for the model as it came
        "parameters": TEXT,  # JSON
        "size_bytes": WHOLE,
        "files": TEXT,  # JSON: file -> bytes
        "operators": TEXT,  # JSON: role -> {operator type: nodes quantized}
        "nodes": TEXT,  # JSON: role -> {operator type: nodes} of the graph as written
        "versions": TEXT,  # JSON: library -> version that made it
        "fingerprint": TEXT,
        "error": TEXT,
    },
    # one row per session configuration and variant: what the sweep found, what was confirmed
    "sessions": {
        "session": TEXT,
        "options": TEXT,  # JSON, only what differs from onnxruntime's defaults
        "variant": TEXT,
        "ratio": NUMBER,  # time against the default session, paired within rounds
        **_INTERVAL,  # hold all at once with 95 % over the sessions of a variant
        "n": WHOLE,
        "reach": NUMBER,  # how far from 1 the sweep's A/A twin reaches; NaN: there was none
        "chosen": FLAG,
        "confirmed": NUMBER,  # the same ratio in the latency stage: fresh samples, fresh process
        "confirmed_low": NUMBER,
        "confirmed_high": NUMBER,
        "holds": FLAG,  # chosen, and faster again when measured afresh, beyond the fresh twin
        "reason": TEXT,
        "error": TEXT,
    },
    # utterances whose transcript differs between baseline and variant
    "changed": {
        "dataset": TEXT,
        "variant": TEXT,
        "baseline": TEXT,
        "item": TEXT,
        "reference": TEXT,
        "baseline_text": TEXT,
        "variant_text": TEXT,
        "baseline_edits": WHOLE,
        "variant_edits": WHOLE,
        "words": WHOLE,
    },
    # one row per slice of a data set, cell and metric of texts: a place to look, nothing is gated
    "slices": {
        "dataset": TEXT,
        "slice": TEXT,  # speaker | seconds | a column of the data set
        "value": TEXT,  # what it says of these utterances; "" where it says nothing
        "variant": TEXT,
        "session": TEXT,
        "metric": TEXT,
        "n": WHOLE,  # utterances that were scored; under 5 there is no interval
        "speakers": WHOLE,  # that are known
        "value_": NUMBER,  # of the metric
        **_INTERVAL,
        "baseline": TEXT,
        "delta": NUMBER,  # against the baseline, paired by utterance; NaN for the baseline
        "delta_low": NUMBER,
        "delta_high": NUMBER,
        "whole": NUMBER,  # the same difference over the whole data set
        "beyond": FLAG,  # worse than the whole by more than its own interval
        "left_out": WHOLE,  # values of this slice that are not estimated: the smallest of many
        "unit": TEXT,
        "method": TEXT,
    },
}


# Columns that came later, without a change to the others: a run from before has them empty, and
# all of it in one generation, 0, for each cell was in one process then.
LATER: Mapping[str, tuple[str, ...]] = {
    "calls": ("path", "source_rate", "recording", "labels", "generation"),
    "datasets": ("source_rates", "bandwidth_hz"),
    "scores": ("recording", "generation"),
}
# Tables that came later, by which no run from before decided anything: there they are empty.
LATER_TABLES = ("slices", "fidelity")

# Tables that came later: a run from before has no file of them, and each is made when it is read.
MADE_WHEN_READ = ("versus", "twins", "distances", "audit_repeats", "audit_rounds")


_NO_SIGN = "\ufffd"  # for NUL, at which Python 3.10's csv and the hashes of pandas 2 end a text
_BLANKS: dict[str, Any] = {TEXT: "", NUMBER: math.nan, WHOLE: 0, FLAG: False}
_DTYPES = {kind: pd.Series([], dtype=kind).dtype for kind in (TEXT, NUMBER, WHOLE, FLAG)}


def frame(table: str, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows (dicts; missing numbers become NaN, missing texts "") as the table's typed frame."""
    columns, given = TABLES[table], list(rows)
    out = {name: _column([row.get(name) for row in given], columns[name]) for name in columns}
    return pd.DataFrame(out, columns=list(columns))


def check(table: str, data: pd.DataFrame) -> pd.DataFrame:
    """The frame with its dtypes restored after reading, columns in order.

    Raises: StoreError that names the table and the columns which are missing, unknown or hold
    values of another type.
    """
    columns = TABLES[table]
    data = data.assign(**{c: None for c in LATER.get(table, ()) if c not in data})
    missing = [c for c in columns if c not in data]
    unknown = [c for c in data if c not in columns]
    if missing or unknown:
        raise StoreError(
            f"table {table}: missing columns {missing or 'none'},"
            f" unknown columns {unknown or 'none'}."
        )
    try:
        return _typed(data[list(columns)], columns)
    except (ValueError, TypeError) as error:
        raise StoreError(f"table {table}: {error}") from error


class _Lines(io.StringIO):
    """What a csv writer writes, a row a call, with the line ends of our tables: it quotes a text
    for the sign of a line end only where that sign ends its own lines."""

    def write(self, row: str) -> int:
        return super().write(row.removesuffix("\r\n") + "\n")


def to_csv(table: str, data: pd.DataFrame) -> bytes:
    """The table as CSV, in which no text is a formula to a spreadsheet (see escaping.csv)."""
    texts = [name for name, kind in TABLES[table].items() if kind == TEXT]
    kept = data.assign(**{name: [guarded(text) for text in data[name]] for name in texts})
    lines = _Lines(newline="")
    kept.to_csv(lines, index=False, lineterminator="\r\n")
    return lines.getvalue().encode("utf-8", "replace")


def records(data: pd.DataFrame) -> list[dict[str, Any]]:
    """A table's rows as plain dicts."""
    return [{str(name): value for name, value in row.items()} for row in data.to_dict("records")]


def _typed(data: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    out: dict[str, Any] = {}
    for name, kind in columns.items():
        column = data[name]
        done = column.dtype == _DTYPES[kind] and column.dtype != object  # which may hold anything
        done = done and (kind == NUMBER or not column.hasnans)
        out[name] = column if done else _column(column.tolist(), kind)
    return pd.DataFrame(out, index=data.index, columns=list(columns))


def _column(values: list[Any], kind: str) -> Any:
    """Raises: ValueError or TypeError for a value that is not of the kind."""
    blank = _BLANKS[kind]
    filled = [blank if _missing(value) else value for value in values]
    if kind == TEXT:
        texts = [str(value).replace("\0", _NO_SIGN) for value in filled]
        return pd.Series(texts, dtype=str).array
    if kind == NUMBER and any(isinstance(value, str) for value in filled):
        return pd.to_numeric(pd.Series(filled, dtype=object)).to_numpy(np.float64)
    return np.array(filled, dtype=object).astype(kind)


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or bool(value != value)
