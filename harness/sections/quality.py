"""WER, CER and RTF per variant with intervals, their change against the baseline, its MAPSSWE p,
and the trade-off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from harness import markdown, reading, stats, wording
from harness.contracts import Result, Section

SMALLEST_P = 0.001  # that is printed as a number
TEXTS = {
    "es": {
        "none": "Sin medir: no se evaluó ningún conjunto de datos.",
        "intro": (
            "Sobre `{dataset}`, con las ediciones y las palabras sumadas en todo el corpus (no la "
            "media "
            "de las frases), tras pasar todo por el mismo normalizador, `{normaliser}`."
        ),
        "few": (
            "Hay {n} locutores, menos de los {enough} que harían falta para contar con otros: los "
            "intervalos valen para sus voces, no para otros hablantes."
        ),
        "unknown": (
            "No se sabe quién habla en cada frase: los intervalos las toman por independientes y "
            "son demasiado estrechos si son de pocos locutores."
        ),
        "speakers": (
            "Hay un solo locutor: los intervalos valen para su voz y su micrófono, no para otros "
            "hablantes."
        ),
        "variant": "Variante",
        "change": "Diferencia de {metric} con {baseline}",
        "n": "Frases",
        "errors": "Errores",
        "matched": "p de MAPSSWE",
        "about": (
            "MAPSSWE es la prueba de NIST para comparar reconocedores: corta las frases donde los "
            "dos aciertan dos palabras seguidas y compara los errores de cada trozo. Su p dice con "
            "qué frecuencia saldría una diferencia así, o mayor, si los dos fueran igual de buenos "
            "con estos locutores; una p grande no prueba que lo sean. Las puertas no la usan: "
            "deciden por el intervalo, que también cuenta con otros locutores donde los hay."
        ),
        "tradeoff": "Compromiso entre calidad, latencia y tamaño",
        "utterances": "Ediciones por frase de cada variante frente a la base",
    },
    "en": {
        "none": "Not measured: no data set was evaluated.",
        "intro": (
            "On `{dataset}`, with edits and words summed over the corpus (not the mean of the "
            "utterances), all texts through the same normaliser, `{normaliser}`."
        ),
        "few": (
            "There are {n} speakers, fewer than the {enough} that could stand for others: the "
            "intervals hold for these voices, not for other people."
        ),
        "unknown": (
            "It is not known who speaks: the intervals take the utterances for independent, and "
            "are too narrow if they are of few speakers."
        ),
        "speakers": (
            "There is a single speaker: the intervals hold for this voice and microphone, not for "
            "other people."
        ),
        "variant": "Variant",
        "change": "{metric} difference from {baseline}",
        "n": "Utterances",
        "errors": "Errors",
        "matched": "MAPSSWE p",
        "about": (
            "MAPSSWE is NIST's test for comparing recognisers: it cuts sentences where both have "
            "two words right in a row and compares the errors of each piece. Its p is how often "
            "such a difference, or a larger one, would come out if both were equally good with "
            "these speakers; a large p does not prove that they are. No gate uses it: gates decide "
            "by the interval, which also allows for other speakers where there are some."
        ),
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
    tested = len(_tested(result, name)) > 0
    headers += [texts["matched"]] * tested
    headers += [texts["n"], texts["errors"]]
    return markdown.paragraphs(
        " ".join(
            [
                texts["intro"].format(
                    dataset=name, normaliser=asked[0]["normaliser"] if asked else "—"
                ),
                *_limits(result, name, texts),
            ]
        ),
        markdown.table(headers, list(_rows(result, name, metrics, language)), "l"),
        markdown.source(language, "summary", stage="quality", workload=name),
        texts["about"] if tested else "",
    )


def _rows(result: Result, name: str, metrics: list[str], language: str) -> Iterator[list[str]]:
    tested = _tested(result, name)
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
            *[_p(tested, (variant, session), language)] * (len(tested) > 0),
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


def _limits(result: Result, name: str, texts: Mapping[str, str]) -> Iterator[str]:
    """For whom the intervals hold, where there are too few speakers to stand for others."""
    called = reading.rows(result.calls, stage="quality", dataset=name)
    speakers = set(called["speaker"]) - {""}
    if not speakers:
        yield texts["unknown"]
    elif len(speakers) == 1:
        yield texts["speakers"]
    elif len(speakers) < stats.FEWEST:
        yield texts["few"].format(n=len(speakers), enough=stats.FEWEST)


def _tested(result: Result, name: str) -> pd.DataFrame:
    """The rows of changes that have a p of MAPSSWE."""
    changes = reading.rows(result.changes, stage="quality", workload=name)
    return changes[changes["p_mapsswe"].notna()]


def _p(tested: pd.DataFrame, cell: tuple[str, str], language: str) -> str:
    row = reading.row(tested, variant=cell[0], session=cell[1])
    if row is None:
        return markdown.UNKNOWN
    least = row["p_mapsswe"] < SMALLEST_P
    shown = markdown.number(SMALLEST_P if least else row["p_mapsswe"], language, 3)
    return f"< {shown}" if least else shown


def _figures(result: Result, language: str) -> Iterator[str]:
    texts = TEXTS[language]
    if reading.can_trade(result):
        yield markdown.figure("tradeoff", texts["tradeoff"])
        yield markdown.source(language, "summary", metric="wer | latency_p50_ms | size_mb")
    if len(reading.edits(result)):
        yield markdown.figure("utterances", texts["utterances"])
        yield markdown.source(language, "calls", stage="quality")


section = Section(order=50, title={"es": "Calidad", "en": "Quality"}, render=render)
