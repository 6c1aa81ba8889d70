"""What the budget cut short: the rounds and utterances asked for, and how many were measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness import reading
from harness.contracts import Result
from harness.markdown import count, given

TEXTS = {
    "es": {
        "all": (
            "Se midió menos de lo pedido: {list}. El presupuesto ({minutes}) no dio para más; lo "
            "que falta ensancha los intervalos."
        ),
        "sweep": "{done} de {asked} rondas de barrido",
        "latency": "{done} de {asked} rondas de latencia",
        "quality": "{done} de {asked} frases de `{workload}`",
    },
    "en": {
        "all": (
            "Less was measured than asked for: {list}. The budget ({minutes}) held no more; what "
            "is missing widens the intervals."
        ),
        "sweep": "{done} of {asked} rounds of the sweep",
        "latency": "{done} of {asked} rounds of latency",
        "quality": "{done} of {asked} utterances of `{workload}`",
    },
}
ASKED = {"sweep": "sweep_rounds", "latency": "rounds"}  # stage -> key of the experiment's `latency`


@dataclass(frozen=True)
class Cut:
    """A stage that got less than was asked for, though nothing there was decided early."""

    stage: str
    workload: str  # the data set; "" where rounds are counted
    asked: int
    done: int


def cuts(result: Result) -> Iterator[Cut]:
    """By what the experiment asks for, and how far each pipeline came by `stops`."""
    stops = reading.rows(result.stops, operation="pipeline", replica=0)
    stops = stops[stops["why"] != "decided"]
    latency = result.experiment.get("latency") or {}
    for stage, key in ASKED.items():
        done = reading.rows(stops, stage=stage)["done"]
        if key in latency and len(done) and done.min() < latency[key]:
            yield Cut(stage, "", int(latency[key]), int(done.min()))
    ended = reading.rows(stops, stage="quality", why="budget")
    for name, group in ended.groupby("workload", sort=False):
        row = reading.row(result.datasets, dataset=name)
        if row and group["done"].min() < row["planned"]:
            yield Cut("quality", str(name), int(row["planned"]), int(group["done"].min()))


def told(result: Result, language: str) -> str:
    """One line about all of them; "" where everything asked for was measured."""
    texts = TEXTS[language]
    listed = [
        texts[cut.stage].format(
            done=count(cut.done, language), asked=count(cut.asked, language), workload=cut.workload
        )
        for cut in cuts(result)
    ]
    minutes = float((result.experiment.get("budget") or {}).get("minutes", "nan"))
    shown = given(minutes, "min", language)
    return texts["all"].format(list="; ".join(listed), minutes=shown) if listed else ""
