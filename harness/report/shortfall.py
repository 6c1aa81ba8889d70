"""What the budget cut short, and what overran it: by how much, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.contracts import Result
from harness.errors.limits import FEWEST_UTTERANCES, MINIMUM_ROUNDS, NO_ANSWER, OVERRUN
from harness.report import words
from harness.report.markdown import count, given
from harness.store import queries

TEXTS = words.table("shortfall")
STAGES = words.table("shortfall", "stages")
ROUNDS = ("sweep", "latency")  # stages that are counted in rounds


@dataclass(frozen=True)
class Cut:
    """A stage that got less than was asked for, though nothing there was decided early."""

    stage: str
    workload: str  # the data set; "" where rounds are counted
    asked: int
    done: int


def cuts(result: Result) -> Iterator[Cut]:
    """By what the experiment asks for, and how far each pipeline came by `stops`."""
    stops = queries.rows(result.stops, operation="pipeline", replica=0)
    stops = stops[stops["why"] != "decided"]
    latency = result.experiment.latency
    asked = {"sweep": latency.sweep_rounds, "latency": latency.rounds} if latency else {}
    for stage, rounds in asked.items():
        done = queries.rows(stops, stage=stage)["done"]
        done = done[done > 0] if (done > 0).any() else done  # some are not compared in a sweep
        if len(done) and done.min() < rounds:
            yield Cut(stage, "", rounds, int(done.min()))
    ended = queries.rows(stops, stage="quality", why="budget")
    for name, group in ended.groupby("workload", sort=False):
        row = queries.row(result.datasets, dataset=name)
        if row and group["done"].min() < row["planned"]:
            yield Cut("quality", str(name), int(row["planned"]), int(group["done"].min()))


def told(result: Result, language: str) -> str:
    """One line about what the budget cut short, and one about what overran it; "" for neither."""
    return " ".join(filter(None, (_cut(result, language), _over(result, language))))


def _cut(result: Result, language: str) -> str:
    texts = TEXTS[language]
    listed = [
        texts[cut.stage].format(
            done=count(cut.done, language), asked=count(cut.asked, language), workload=cut.workload
        )
        for cut in cuts(result)
    ]
    shown = given(result.experiment.budget.minutes, "min", language)
    return texts["all"].format(list="; ".join(listed), minutes=shown) if listed else ""


def _over(result: Result, language: str) -> str:
    """Of a run in which it was written down what the stages took."""
    texts, budget = TEXTS[language], result.experiment.budget.minutes
    spent = {name: seconds / 60 for name, seconds in result.facts.spent_seconds.items()}
    taken = sum(spent.values())
    if not taken > budget * (1 + OVERRUN):
        return ""
    stages = (
        texts["stage"].format(stage=STAGES[language][name], taken=_given(minutes, language))
        for name, minutes in spent.items()
    )
    return texts["over"].format(
        taken=_given(taken, language),
        minutes=given(budget, "min", language),
        more=given(round(100 * (taken / budget - 1)), "%", language),
        stages=", ".join(stages),
        why=" ".join(_why(result, language)),
    )


def _why(result: Result, language: str) -> Iterator[str]:
    texts = TEXTS[language]
    hung = int(result.calls["error"].str.contains(NO_ANSWER, regex=False).sum())
    if hung:
        yield texts["hung"].format(count=count(hung, language))
    stops = queries.rows(result.stops, replica=0)
    utterances = stops["stage"] == "quality"
    least = (utterances & (stops["done"] <= FEWEST_UTTERANCES)) | (
        stops["stage"].isin(ROUNDS) & (stops["done"] <= MINIMUM_ROUNDS)
    )
    if least.any():
        shown = count(FEWEST_UTTERANCES, language)
        yield texts["least"].format(rounds=MINIMUM_ROUNDS, utterances=shown)
    if not hung:
        yield texts["slow"]


def _given(minutes: float, language: str) -> str:
    return given(round(minutes, 1), "min", language)
