"""The way from what was recorded elsewhere, over the baseline, to the best configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.contracts import Result, Section
from harness.decide import measures, versus
from harness.decide.resolution import Resolution
from harness.report import markdown, wording, words
from harness.store import queries

NAN = float("nan")
UNTIMED = measures.Measure("latency_p50_ms", "", "", "ms", "lower")
UNSCORED = measures.Measure("wer", "", "", "fraction", "lower")
TEXTS = words.table("sections.evolution")


def render(result: Result, language: str) -> str:
    texts, speed = TEXTS[language], measures.speed(result) or UNTIMED
    qualities = measures.qualities(result) or [UNSCORED]
    steps = [*_recorded(result, speed, qualities), *_measured(result, speed, qualities)]
    if not steps:
        return texts["none"]
    shown = wording.workload(speed.workload, language) or markdown.UNKNOWN
    name = wording.metric(speed.metric, language)
    headers = [texts["step"], texts["latency"].format(metric=name, workload=shown)]
    headers += [texts["times"].format(baseline=f"`{queries.baseline(result)}`")]
    headers += [texts["size"], *(_named(each, language) for each in qualities)]
    base = next((s["latency"][0] for s in steps if s["role"] == "baseline"), NAN)
    units = (speed.unit, [each.unit for each in qualities])
    rows = [_row(step, base, units, language) for step in steps]
    where = {"stage": speed.stage, "workload": speed.workload} if speed.workload else {}
    align = "lrrr" + "r" * len(qualities) + "l"
    return markdown.paragraphs(
        markdown.table([*headers, texts["origin"]], rows, align),
        markdown.source(language, "summary", **where),
        *_totals(result, steps, speed, language),
    )


def _named(quality: measures.Measure, language: str) -> str:
    """The metric and the data set that it is of: another may have another figure."""
    name = wording.metric(quality.metric, language)
    return f"{name} ({markdown.escape(quality.workload)})" if quality.workload else name


def _recorded(
    result: Result, speed: measures.Measure, qualities: list[measures.Measure]
) -> Iterator[dict[str, Any]]:
    for entry in result.experiment.recorded:
        yield {
            "name": entry.name,
            "role": "recorded",
            "latency": (entry.metrics.get(speed.metric, NAN), NAN, NAN),
            "size": entry.metrics.get("size_mb", NAN),
            "quality": [(entry.metrics.get(each.metric, NAN), NAN, NAN) for each in qualities],
            "source": entry.source,
        }


def _measured(
    result: Result, speed: measures.Measure, qualities: list[measures.Measure]
) -> Iterator[dict[str, Any]]:
    broken = versus.broken(result)
    for line in queries.lines(result):
        size = queries.row(result.summary, variant=line.variant, metric="size_mb")
        yield {
            "name": line.label,
            "role": line.role,
            "latency": queries.bounds(speed.of(result, line)),
            "change": speed.change(result, line),
            "size": queries.bounds(size)[0],
            "quality": [queries.bounds(each.of(result, line)) for each in qualities],
            "source": "",
            "broken": broken.get(line.variant, ""),
        }


def _row(
    step: Mapping[str, Any], base: float, units: tuple[str, list[str]], language: str
) -> list[str]:
    texts, value = TEXTS[language], step["latency"][0]
    recorded = step["role"] == "recorded"
    strong = "**" if step["role"] == "candidate" else ""
    mark = "*" if recorded else strong
    origin = texts["measured"]
    if recorded:
        origin = texts["recorded"].format(source=markdown.escape(step["source"]))
    elif step["broken"]:
        origin = texts["broken"].format(why=markdown.escape(step["broken"]))
    return [
        f"{mark}{markdown.escape(step['name'])}{mark}",
        f"{strong}{markdown.estimate(step['latency'], units[0], language)}{strong}",
        _against(step, value / base if base else NAN, language),
        markdown.quantity(step["size"], "MB", language),
        *(
            markdown.estimate(value, unit, language)
            for value, unit in zip(step["quality"], units[1], strict=True)
        ),
        origin,
    ]


def _against(step: Mapping[str, Any], plain: float, language: str) -> str:
    """Paired by rounds where it was measured here; else one figure over the other."""
    found = step.get("change")
    if not found:
        return markdown.quantity(plain, "ratio", language)
    return markdown.estimate(_ratio(found), "ratio", language)


def _ratio(change: Mapping[str, Any]) -> tuple[float, float, float]:
    return float(change["ratio"]), float(change["ratio_low"]), float(change["ratio_high"])


def _totals(
    result: Result, steps: list[dict[str, Any]], speed: measures.Measure, language: str
) -> Iterator[str]:
    texts, unit = TEXTS[language], speed.unit
    known = [step for step in steps if step["latency"][0] == step["latency"][0]]
    last = next((s for s in reversed(known) if s["role"] == "candidate"), None)
    for role, key in (("recorded", "total"), ("baseline", "own")):
        first = next((step for step in known if step["role"] == role), None)
        if first is None or last is None or (key == "own" and not last["change"]):
            continue
        before, after = first["latency"][0], last["latency"][0]
        change = last["change"] or {"ratio": NAN, "ratio_low": NAN, "ratio_high": NAN}
        yield texts[key].format(
            first=first["name"],
            last=last["name"],
            before=markdown.quantity(before, unit, language),
            after=markdown.quantity(after, unit, language),
            times=markdown.number(before / after if after else NAN, language),
            paired=texts["items" if speed.stage == "quality" else "rounds"],
            ratio=markdown.estimate(_ratio(change), "share", language),
            noise=texts.get(_told(result, speed, last["change"]), ""),
        )


def _told(result: Result, speed: measures.Measure, change: Mapping[str, Any] | None) -> str:
    """same | unknown where nothing is shown: by the A/A twin of that stage, if there was one, and
    by the change's own interval."""
    if not change:
        return ""
    said = Resolution().side(_ratio(change))
    twins = queries.rows(result.calls, stage=speed.stage)["replica"] > 0
    return "same" if said in ("less", "more") and twins.any() and not change["resolved"] else said


section = Section(order=20, title={"es": "Evolución", "en": "Evolution"}, render=render)
