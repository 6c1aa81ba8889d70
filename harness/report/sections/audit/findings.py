"""What the replay shows, a line each, with its evidence."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator

from harness.decide import stats
from harness.decide.protocol import LEVEL, TAIL, Configuration, Paired, Repeat, Replayed
from harness.report import markdown, wording
from harness.report.sections.audit.texts import TEXTS


def lines(replayed: Replayed, best: Configuration, number: int, language: str) -> list[str]:
    """All findings; `best` is the winner of the first repeat that ran, whose `number` it is."""
    repeat = best.repeats[number]
    return [
        *_winner(replayed, language),
        *_gains(replayed, language),
        *_drift(replayed, language),
        *_mixed(best, repeat, language),
        _tail(repeat, language),
        *_options(replayed, language),
        *_graphs(replayed, language),
        *_support(replayed, language),
    ]


def percent(value: float, language: str) -> str:
    return markdown.quantity(value, "share", language)


def paired(ours: Paired, language: str) -> str:
    return markdown.estimate(ours.ratio, "share", language)


def ms(value: float, language: str) -> str:
    return markdown.quantity(value, "ms", language)


def _coded(names: list[str]) -> str:
    return ", ".join(markdown.code(name) for name in names)


def _winner(replayed: Replayed, language: str) -> Iterator[str]:
    texts, winners = TEXTS[language], replayed.winners
    won = []
    for place, one in winners.items():
        gain = 1 - one.over(replayed.first)[place]
        names = {"n": place + 1, "name": one.name, "first": replayed.first.name}
        how = "won_first" if one is replayed.first else "won"
        won.append(texts[how].format(**names, gain=percent(gain, language)))
    key = "winner_same" if len(set(winners.values())) == 1 else "winner_other"
    verdict = texts[key if len(winners) > 1 else "winner_once"]
    yield texts["winner"].format(list="; ".join(won), verdict=verdict)


def _gains(replayed: Replayed, language: str) -> Iterator[str]:
    """The gain of every winner in one line: each has its own verdict."""
    texts, band = TEXTS[language], replayed.resolution.band
    said = []
    for one in dict.fromkeys(replayed.winners.values()):
        if one is not replayed.first:
            verdict, ratio = texts[f"gain_{one.ours.reads}"], paired(one.ours, language)
            told = {
                "name": one.name,
                "first": replayed.first.name,
                "ratio": ratio,
                "verdict": verdict,
            }
            said.append(texts["gain"].format(**told))
    if said:
        ends = {"low": percent(band[0], language), "high": percent(band[1], language)}
        yield texts["gains"].format(list="; ".join(said), **ends)


def _drift(replayed: Replayed, language: str) -> Iterator[str]:
    texts, drifts = TEXTS[language], sorted(replayed.drifts)
    if not drifts:
        return
    known = {"least": drifts[0], "most": drifts[-1], "middle": statistics.median(drifts)}
    said = texts["drifts"].format(**{k: percent(v, language) for k, v in known.items()})
    claimed = replayed.plan.claimed_gain
    if claimed is not None:
        n = sum(drift >= claimed for drift in drifts)
        said += " " + texts["claimed_less" if n else "claimed_more"].format(
            source=markdown.escape(replayed.plan.source),
            claimed=markdown.given(claimed, "share", language),
            n=n,
            all=len(drifts),
        )
    yield said


def _mixed(one: Configuration, repeat: Repeat, language: str) -> Iterator[str]:
    pooled, lengths = repeat.pooled, repeat.lengths
    if len(lengths) < 2:
        return
    top = max(lengths, key=lambda part: part.slowest)
    ends = sorted(part.p50 for part in lengths)
    yield TEXTS[language]["mixed"].format(
        name=one.name,
        n=pooled.n,
        p50=ms(pooled.p50, language),
        shortest=ms(ends[0], language),
        longest=ms(ends[-1], language),
        tail=pooled.slowest,
        most=top.slowest,
        length=wording.workload(f"{top.seconds:g} s", language),
    )


def _tail(repeat: Repeat, language: str) -> str:
    texts, pooled, bound = TEXTS[language], repeat.pooled, repeat.p99_high
    reach = math.floor(1000 * (1 - LEVEL) ** (1 / pooled.n)) / 10
    shown = ms(bound, language) if math.isfinite(bound) else texts["nothing"]
    return texts["tail"].format(
        n=pooled.n,
        chance=percent(TAIL**pooled.n, language),
        p99=ms(pooled.p99, language),
        largest=ms(pooled.largest, language),
        bound=shown,
        needed=stats.needed_calls(TAIL, LEVEL),
        reach=markdown.number(reach, language, 1),
    )


def _options(replayed: Replayed, language: str) -> Iterator[str]:
    option, plan = replayed.option, replayed.plan
    if option is None or plan.unchecked is None or not option.added.probes:
        return
    texts, one, base = TEXTS[language], option.added, option.base
    asked = plan.unchecked.provider_options
    read = {k: v for seen in one.probes.values() for k, v in seen["provider_options"].items()}
    credited = [_change(x - 1, language) for x in one.over(base)]
    yield texts["options"].format(
        options=", ".join(f"{key}: {value}" for key, value in asked.items()),
        read=texts["read"].format(options=read),
        same=len(set(one.graphs) & set(base.graphs)),
        graphs=len(one.graphs),
        list=", ".join(credited),
        name=one.name,
        base=base.name,
        ratio=paired(option.ours, language),
        verdict=texts[option.ours.reads],
    )


def _change(value: float, language: str) -> str:
    """A relative change with its sign: "+1,2 %"."""
    return ("+" if value > 0 else "") + percent(value, language)


def _graphs(replayed: Replayed, language: str) -> Iterator[str]:
    groups: dict[object, list[str]] = {}
    for one in replayed.configurations:
        if one.graphs:
            groups.setdefault(one.graphs, []).append(one.name)
    shared = [_coded(names) for names in groups.values() if len(names) > 1]
    if shared:
        texts = TEXTS[language]
        yield texts["graphs"].format(
            count=sum(map(len, groups.values())),
            different=len(groups),
            list="; ".join(texts["together"].format(list=names) for names in shared),
        )


def _support(replayed: Replayed, language: str) -> Iterator[str]:
    texts, first = TEXTS[language], replayed.first.name
    others = replayed.configurations[1:]
    large = [one for one in others if one.ours.supported]
    said = [
        texts["effect"].format(
            name=one.name,
            first=first,
            said=", ".join(percent(x, language) for x in one.over(replayed.first)),
            ratio=paired(one.ours, language),
        )
        for one in large
    ]
    listed = "; ".join(said)
    yield texts["supported"].format(list=listed) if said else texts["supported_none"]
    rest = [one.name for one in others if one not in large]
    if rest:
        yield texts["unsupported"].format(list=_coded(rest), first=first)
