"""Which metrics belong together in a report, and which two stand for a run's speed and quality."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness import plugins
from harness.contracts import Family, Gate, Result, Status
from harness.errors import UnknownNameError
from harness.plugins import unit_of
from harness.plugins.kinds import SHARES, answer
from harness.store import queries

# one hypothesis under several rules of comparing texts; the core adds them wherever WER is asked
COMPANIONS = ("wer_no_accents", "wer_basic", "wer_raw")
LOOPS = ("loops", "repeated_words", "budget_exhausted", "output_rate")
SILENCE = ("hallucinations", "hallucinated_words")
LISTENERS = "mos"
# what DNSMOS says beside OVRL: SIG and BAK are of the same network, P.808 is of another
PARTS_OF_DNSMOS = ("dnsmos_sig", "dnsmos_bak", "dnsmos_p808")
PREDICTED = ("dnsmos_ovrl", "utmos", "plcmos", *PARTS_OF_DNSMOS)
OPINIONS = (LISTENERS, *PREDICTED)
HEARD = ("round_trip_wer", "round_trip_cer")
BESIDE_OPINIONS = ("spoken_seconds", "clipping")  # which the core adds wherever one is asked
SPOKEN = (*BESIDE_OPINIONS, "first_audio_ms")
ELSEWHERE = frozenset((*COMPANIONS, *LOOPS, *SILENCE, *OPINIONS, *HEARD, *SPOKEN))
"""Metrics that a section of their own shows, so that the table of quality stays readable."""

GIBBERISH = 0.5  # round-trip WER from which half of the words are not those of the text
FAIR = 3.0  # of five: what a rating scale calls fair, from which an opinion approves
NEAR = 0.3  # an opinion that is no further under the baseline's tells no difference that matters

_LINE = re.compile(r"^line \d+: ")

ERRORS = ("wer", "round_trip_wer", "cer", "round_trip_cer", "ser")
TIMES = ("latency_p50_ms", "rtf", "first_audio_ms")


@dataclass(frozen=True)
class Measure:
    """A metric where it was measured, so that every variant is shown by the same one."""

    metric: str
    stage: str
    workload: str
    unit: str
    better: str

    def of(self, result: Result, line: queries.Line) -> dict[str, Any] | None:
        """The line's row of the summary. Texts and opinions are the same in every session."""
        where = {"stage": self.stage, "workload": self.workload, "metric": self.metric}
        found = queries.rows(result.summary, **where, variant=line.variant, replica=0)
        own = found[found["operation"].isin(("", "pipeline"))]
        if self.metric in TIMES:
            own = queries.rows(own, session=line.session)
        return queries.row(own)

    def change(self, result: Result, line: queries.Line) -> dict[str, Any] | None:
        """The line's row of changes against the baseline; None for the baseline itself."""
        if (line.variant, line.session) == (queries.baseline(result), "default"):
            return None  # such a row is the A/A twin's
        where = {"stage": self.stage, "workload": self.workload, "metric": self.metric}
        found = queries.rows(result.changes, **where, variant=line.variant)
        own = found[found["operation"].isin(("", "pipeline"))]
        if self.metric in TIMES:
            own = queries.rows(own, session=line.session)
        return queries.row(own)


def speed(result: Result) -> Measure | None:
    """The median at the main length; without a latency stage what a data set was timed by."""
    at = queries.main_length(result)
    timed = queries.rows(result.summary, stage="latency", metric="latency_p50_ms", workload=at)
    if len(timed):
        return Measure("latency_p50_ms", "latency", at, "ms", "lower")
    return _first(result, TIMES)


def qualities(result: Result) -> list[Measure]:
    """The error rate and the opinion of the audio that stand for quality, where there are any."""
    found = (_first(result, ERRORS), _first(result, OPINIONS))
    return [measure for measure in found if measure is not None]


def chosen(result: Result) -> queries.Line:
    """The line that titles speak of: the candidate's; without a candidate the last one.

    Raises: IndexError where the run has no variant.
    """
    lines = queries.lines(result)
    best = queries.candidate(result)
    own = [line for line in lines if (line.variant, line.session) == (best[0], best[1])]
    return (own or [line for line in lines if line.variant == best[0]] or lines)[-1]


def both(result: Result) -> tuple[Measure, Measure] | None:
    """(speed, quality), if some variant has the two; None where nothing can be traded."""
    time, found = speed(result), qualities(result)
    if time is None or not found:
        return None
    lines = queries.lines(result)
    known = [line for line in lines if time.of(result, line) and found[0].of(result, line)]
    return (time, found[0]) if known else None


def _first(result: Result, names: tuple[str, ...]) -> Measure | None:
    """The metric and data set by which most variants are known; of equals the first."""
    stage = queries.rows(result.summary, stage="quality", replica=0)
    stage = stage[stage["metric"].isin(names) & stage["value"].notna()]
    found: list[tuple[int, Measure]] = []
    for name in names:
        here = queries.rows(stage, metric=name)
        for workload, group in here.groupby("workload", sort=False):
            if name in queries.asked(result, str(workload)):
                unit = str(group["unit"].iloc[0])
                measure = Measure(name, "quality", str(workload), unit, better(name))
                found.append((int(group["variant"].nunique()), measure))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def better(metric: str) -> str:
    """lower or higher, as the metric's file says."""
    try:
        return str(plugins.find_metric(metric).metric.better)
    except UnknownNameError:
        return "higher" if metric in OPINIONS else "lower"


def asked(result: Result, names: tuple[str, ...]) -> bool:
    """Whether the experiment asks for one of these metrics, or the run has one."""
    experiment = result.experiment
    wanted = {str(m) for part in experiment.get("quality") or [] for m in part["metrics"]}
    wanted |= {str(entry["metric"]) for entry in experiment.get("gates") or []}
    return bool(wanted & set(names)) or bool(result.summary["metric"].isin(names).any())


def times_audio(result: Result) -> bool:
    """Whether the run has a latency stage, or asked for one."""
    calls = result.calls["stage"].isin(("sweep", "latency"))
    return "latency" in result.experiment or bool(calls.any())


def misses(check: Mapping[str, Any], own: Gate | None = None) -> bool:
    """Whether a gate's figure itself is on the wrong side or missing, which is what keeps a variant
    from being selected (harness/decide/selection.py): no bound is asked for there, for who is
    chosen is proved on fresh data. `own`: the gate, where code of the user's may be run."""
    observed = float(check["observed"])
    if not math.isfinite(observed) or check["status"] == Status.NOT_MEASURED.value:
        return True
    if own is None and check["kind"] not in plugins.names("gates"):
        return bool(check["status"] == Status.FAIL.value)
    gate: Gate = own or plugins.load("gates", check["kind"])
    return answer(gate, float(check["limit"]), observed) is Status.FAIL


def family(result: Result) -> Family | Any | None:
    """The family (or system) that the experiment is about; None for one of the user's own."""
    name = str((result.experiment.get("model") or {}).get("family") or "")
    return plugins.load("families", name) if name in plugins.names("families") else None


def takes_text(result: Result) -> bool:
    """Whether the model says texts, and does not hear audio."""
    found = family(result)
    return found is not None and found.takes == "text"


def transcripts(result: Result, dataset: str) -> str:
    """ "none" for a data set in which nobody speaks, "unknown" where what is said is not known."""
    row = queries.row(result.datasets, dataset=dataset)
    return str(queries.parsed(row["notes"] if row else "").get("transcripts", ""))


def nobody_speaks(result: Result, dataset: str) -> bool:
    """Whether a data set's items are sounds, and no utterances."""
    return transcripts(result, dataset) == "none"


def many_sets(result: Result) -> bool:
    """Whether a data set's name is needed to tell one gate from another."""
    return len(result.experiment.get("quality") or []) > 1


def data_sets(result: Result, names: tuple[str, ...]) -> Iterator[tuple[str, pd.DataFrame]]:
    """(data set, its summary rows of these metrics), in the order in which they were measured.

    A metric that was asked of another data set only is shown where it says something.
    """
    stage = queries.rows(result.summary, stage="quality", replica=0)
    for name in stage["workload"].unique():
        here = queries.rows(stage, workload=name)
        here = here[here["metric"].isin(names)]
        own = here["metric"].isin(queries.asked(result, str(name)))
        here = here[own | here["value"].notna()]
        if len(here):
            yield str(name), here


def only_spoken(result: Result, name: str) -> bool:
    """Whether a data set has speech that was made, and no transcripts with errors to count."""
    metrics = set(queries.asked(result, name))
    return bool(metrics & {*OPINIONS, *HEARD, *SPOKEN}) and not metrics & {"wer", "cer", "ser"}


def judged(result: Result) -> tuple[Measure | None, Measure | None]:
    """(opinion, round trip) that a figure of synthesised speech shows."""
    return _first(result, OPINIONS), _first(result, HEARD)


def approves(result: Result, line: queries.Line, panels: tuple[Measure, Measure]) -> bool:
    """Whether an opinion takes a line's speech for good: fair, or near the baseline's, unless the
    round trip does not understand that one either. `panels`: (opinion, round trip)."""
    liked, heard = panels
    row, base = liked.of(result, line), queries.Line(queries.baseline(result), "default", "")
    if row is None or row["value"] >= FAIR:
        return row is not None
    usual, understood = liked.of(result, base), heard.of(result, base)
    if usual is None or (understood is not None and understood["value"] >= GIBBERISH):
        return False
    return bool(row["value"] >= usual["value"] - NEAR)


def own_model(result: Result, variant: str) -> dict[str, Any]:
    """The model of a variant as the experiment keeps it: its own one, or else everyone's."""
    for entry in result.experiment.get("variants") or []:
        if entry["name"] == variant and entry.get("model"):
            return dict(entry["model"])
    return dict(result.experiment.get("model") or {})


def without_line(error: str) -> str:
    """What is wrong with a line of a file, whichever it is, so that such lines can be counted."""
    return _LINE.sub("", str(error))


def loops(result: Result, line: queries.Line) -> bool:
    """Whether some transcript of speech loops or spends its token budget, with this variant."""
    found = queries.rows(result.summary, stage="quality", variant=line.variant, replica=0)
    found = found[found["metric"].isin(("loops", "budget_exhausted")) & (found["value"] > 0)]
    return not all(nobody_speaks(result, str(name)) for name in found["workload"])


def cells(here: pd.DataFrame) -> Iterator[tuple[queries.Line, pd.DataFrame]]:
    """(variant and session, its rows of the summary) of one data set."""
    for cell, group in here.groupby(["variant", "session"], sort=False):
        yield queries.Line(str(cell[0]), str(cell[1]), ""), group


def by_difference(metric: str) -> bool:
    """Whether variants are compared by a metric's difference: shares and opinions, not times."""
    unit = unit_of(metric)
    return unit in SHARES or unit == "MOS"


def normaliser(result: Result, dataset: str) -> str:
    """Name of the rule by which texts of a data set were compared; "" where it is not known."""
    for part in result.experiment.get("quality") or []:
        if part["name"] == dataset:
            return str(part["normaliser"])
    return ""
