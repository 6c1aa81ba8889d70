"""WER, CER and RTF per variant with intervals, their change against the baseline, and the "
"trade-off."""

from __future__ import annotations

from collections.abc import Iterator

from harness import markdown, reading, wording
from harness.contracts import Result, Section

TEXTS = {
    "es": {
        "none": "Sin medir: no se evaluó ningún conjunto de datos.",
        "intro": (
            "Sobre `{dataset}`, con las ediciones y las palabras sumadas en todo el corpus (no la "
            "media "
            "de las frases), tras pasar todo por el mismo normalizador, `{normaliser}`."
        ),
        "speakers": (
            "Hay un solo locutor: los intervalos valen para su voz y su micrófono, no para otros "
            "hablantes."
        ),
        "variant": "Variante",
        "change": "Diferencia de {metric} con {baseline}",
        "n": "Frases",
        "errors": "Errores",
        "tradeoff": "Compromiso entre calidad, latencia y tamaño",
        "utterances": "Ediciones por frase de cada variante frente a la base",
    },
    "en": {
        "none": "Not measured: no data set was evaluated.",
        "intro": (
            "On `{dataset}`, with edits and words summed over the corpus (not the mean of the "
            "utterances), all texts through the same normaliser, `{normaliser}`."
        ),
        "speakers": (
            "There is a single speaker: the intervals hold for this voice and microphone, not for "
            "other people."
        ),
        "variant": "Variant",
        "change": "{metric} difference from {baseline}",
        "n": "Utterances",
        "errors": "Errors",
        "tradeoff": "Trade-off between quality, latency and size",
        "utterances": "Edits per utterance of each variant against the baseline",
    },
}


def render(result: Result, language: str) -> str:
    stage = reading.rows(result.summary, stage="quality", replica=0)
    figures = _figures(result, language)
    if stage.empty:
        return markdown.paragraphs(TEXTS[language]["none"], *figures)
    parts = [_data_set(result, str(name), language) for name in stage["workload"].unique()]
    return markdown.paragraphs(*parts, *figures)


def _data_set(result: Result, name: str, language: str) -> str:
    texts, base = TEXTS[language], reading.baseline(result)
    here = reading.rows(result.summary, stage="quality", replica=0, workload=name)
    asked = [part for part in result.experiment.get("quality") or [] if part["name"] == name]
    metrics = [
        str(metric) for metric in (asked[0]["metrics"] if asked else here["metric"].unique())
    ]
    headers = [texts["variant"], *(wording.metric(metric, language) for metric in metrics)]
    first = wording.metric(metrics[0], language) if metrics else ""
    headers.append(texts["change"].format(metric=first, baseline=f"`{base}`"))
    headers += [texts["n"], texts["errors"]]
    called = reading.rows(result.calls, stage="quality", dataset=name)
    alone = called["speaker"].nunique() == 1
    return markdown.paragraphs(
        texts["intro"].format(dataset=name, normaliser=asked[0]["normaliser"] if asked else "—")
        + (" " + texts["speakers"] if alone else ""),
        markdown.table(headers, list(_rows(result, name, metrics, language)), "l"),
        markdown.source(language, "summary", stage="quality", workload=name),
    )


def _rows(result: Result, name: str, metrics: list[str], language: str) -> Iterator[list[str]]:
    here = reading.rows(result.summary, stage="quality", replica=0, workload=name)
    for cell, group in here.groupby(["variant", "session"], sort=False):
        variant, session = (str(part) for part in cell)
        found = [reading.row(group, metric=metric) for metric in metrics]
        cells = [
            markdown.estimate(reading.bounds(row), str(row["unit"]) if row else "", language)
            for row in found
        ]
        counted = found[0] if found else None
        line = reading.Line(variant, session, "")
        yield [
            markdown.escape(line.label),
            *cells,
            _change(result, (variant, session, name), metrics, language),
            markdown.count(counted["n"], language) if counted else markdown.UNKNOWN,
            markdown.count(counted["errors"], language) if counted else markdown.UNKNOWN,
        ]


def _change(result: Result, cell: tuple[str, str, str], metrics: list[str], language: str) -> str:
    variant, session, name = cell
    keys = {"stage": "quality", "variant": variant, "session": session, "workload": name}
    row = reading.row(result.changes, **keys, metric=metrics[0]) if metrics else None
    if row is None:
        return markdown.UNKNOWN
    unit = reading.row(result.summary, **keys, metric=metrics[0])
    values = (row["delta"], row["delta_low"], row["delta_high"])
    return markdown.estimate(values, str(unit["unit"]) if unit else "", language, difference=True)


def _figures(result: Result, language: str) -> Iterator[str]:
    texts = TEXTS[language]
    if reading.can_trade(result):
        yield markdown.figure("tradeoff", texts["tradeoff"])
        yield markdown.source(language, "summary", metric="wer | latency_p50_ms | size_mb")
    if len(reading.edits(result)):
        yield markdown.figure("utterances", texts["utterances"])
        yield markdown.source(language, "calls", stage="quality")


section = Section(order=50, title={"es": "Calidad", "en": "Quality"}, render=render)
