"""How much of each limit is used, with its interval: the gate table at a glance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.contracts import Figure, Result
from harness.decide import gate_rules, measures
from harness.decide.gate_rules import Rule
from harness.report import wording, words
from harness.report.drawing import style
from harness.store import queries

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

Ends = tuple[float, float, float]
LEAST, WIDEST = -0.5, 1.5  # of the limit; what lies beyond is drawn at the edge
TEXTS = words.table("figures.gates")


def draw(result: Result, language: str) -> Picture | None:
    """One row per check of the candidate that was measured; None where there is none."""
    every = gate_rules.records(result, queries.own_checks(result))
    known = [(check, gate_rules.of_check(result, check)) for check in every][::-1]
    drawn = [(check, rule) for check, rule in known if rule and _used(check, rule) is not None]
    checks, ends = [check for check, _ in drawn], [_ends(check, rule) for check, rule in drawn]
    if not checks:
        return None
    texts = TEXTS[language]
    hard = [check for check in every if check["severity"] != "warn"]
    passed = sum(check["status"] == "PASS" for check in hard)
    title = texts["title"].format(n=passed, all=len(hard))
    figure, axes = style.new(title, texts["subtitle"], 1.5 + 0.38 * len(checks))
    left = min(0.0, *(max(LEAST, left) for left, _, _ in ends)) - 0.03
    axes.set(xlim=(left, WIDEST), ylim=(-0.6, len(checks) - 0.3), xlabel=texts["axis"])
    for place, check in enumerate(checks):
        _row(axes, (check, ends[place]), place, language)
    _waivers(axes, result, checks, language)
    axes.axvline(1, color=style.LIMIT, linewidth=1.6, zorder=1)
    axes.axvspan(1, WIDEST, color=style.LIMIT, alpha=0.06, linewidth=0)
    style.shown(axes, texts["limit"], (1, len(checks) - 0.45), color=style.LIMIT, offset=(4, 0))
    step = 0.5 if left < -0.2 else 0.25
    axes.set_xticks([k * step for k in range(math.ceil(left / step), int(WIDEST / step) + 1)])
    axes.xaxis.set_major_formatter(style.percent(language))
    axes.set_yticks(range(len(checks)))
    many = measures.many_sets(result)
    axes.set_yticklabels([_name(check, language, many) for check in checks])
    axes.tick_params(axis="y", labelcolor=style.INK)
    axes.spines["left"].set_visible(False)
    style.grid(axes)
    return figure


def _name(check: Mapping[str, Any], language: str, many: bool) -> str:
    """The gate's name; one that the experiment gives stands below the metric."""
    name, own = wording.gate_name(check, language, many), wording.given_name(check)
    quoted = wording.quoted(own, language)
    return f"{name.removesuffix(quoted).rstrip()}\n{quoted}" if own else name


def _used(check: Mapping[str, Any], rule: Rule) -> float | None:
    """The share of its limit that a check's observed value uses; None where there is none."""
    found = rule.share(float(check["observed"]))
    return None if math.isnan(found) else found


def _ends(check: Mapping[str, Any], rule: Rule) -> Ends:
    """(left, middle, right) in shares of the limit, ordered."""
    middle = _used(check, rule)
    assert middle is not None
    ends = [rule.share(float(end)) for end in (check["low"], check["high"])]
    ends = [0.0 if end == -math.inf else end for end in ends]
    known = sorted(end for end in ends if not math.isnan(end))
    return (known[0], middle, known[-1]) if known else (middle, middle, middle)


def _row(axes: Axes, drawn: tuple[Mapping[str, Any], Ends], place: int, language: str) -> None:
    check, ends = drawn
    ink = style.STATUS.get(check["status"], style.MUTED)
    left, middle, right = (min(max(end, LEAST), WIDEST) for end in ends)
    axes.plot([left, right], [place, place], color=ink, linewidth=6, alpha=0.35)
    inside = middle == ends[1]  # else its dot is at the edge and empty: it lies beyond
    face: dict[str, Any] = {"color": ink, "markeredgecolor": "white"} if inside else {"color": ink}
    face |= {} if inside else {"markerfacecolor": "white", "markeredgewidth": 1.5}
    axes.plot([middle], [place], "o", markersize=7.5, clip_on=inside, **face)
    for beyond, edge, sign in ((ends[2] > WIDEST, WIDEST, ">"), (ends[0] < LEAST, LEAST, "<")):
        if beyond:
            axes.plot([edge], [place], sign, color=ink, markersize=7, clip_on=False)
    status = wording.plain(wording.status(check["status"], language))
    text = f"{status}: {wording.gate_observed(check, language)}"
    style.shown(axes, text, (WIDEST, place), offset=(10, 0), color=ink)


def _waivers(axes: Axes, result: Result, checks: list[dict[str, Any]], language: str) -> None:
    bounds = {waiver.gate: waiver.up_to for waiver in result.experiment.waivers}
    for place, check in enumerate(checks):
        if check["waiver"] in bounds:
            rule = gate_rules.of_check(result, check)
            up_to = gate_rules.of_check(result, check, bounds[check["waiver"]])
            at = rule.share(up_to.bound) if rule and up_to else math.nan
            if not at <= WIDEST:
                continue  # beyond the picture; the waiver's own section gives it
            axes.plot([at, at], [place - 0.3, place + 0.3], ":", color=style.STATUS["WAIVED"])
            how = {"offset": (4, 0), "color": style.STATUS["WAIVED"]}
            style.shown(axes, TEXTS[language]["waiver"], (at, place), **how)


figure = Figure(
    title={
        "en": "How much of each limit is used, with its interval",
        "es": "Cuánto de cada límite se usa, con su intervalo",
    },
    draw=draw,
    section="result",
)
