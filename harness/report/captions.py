"""Which figures a report shows, where each stands, and what is said of it to who cannot see it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness import plugins
from harness.contracts import Figure, Result
from harness.decide import own_metrics
from harness.io.escaping import unmarked
from harness.report import markdown, words

FIGURES = "figures"  # among what a run keeps of the user's own
TEXTS = words.table("document")


def asked(result: Result, name: str) -> bool:
    """Whether the experiment asks for the figure: for all unless it names some."""
    named = result.experiment.report.figures
    return not named or name in named


def shown(result: Result, name: str, language: str, source: str = "") -> str:
    """A figure of ours where a section places it, with the line below that says what it is made of;
    "" where the experiment asks for others only."""
    if not asked(result, name):
        return ""
    figure: Figure = plugins.load("figures", name)
    title = words.caption(name, figure.title, language)
    return markdown.paragraphs(markdown.figure(name, title), source)


@dataclass(frozen=True)
class Placed:
    """A figure that no section places itself: its markdown, its heading, and where it stands."""

    name: str
    title: str
    section: str
    order: int
    text: str


def placed(result: Result, language: str, drawn: Collection[str]) -> list[Placed]:
    """Figures as the document places them, by their order; `drawn`: the names of files, without
    folder and ending, that lie beside the report."""
    found = [*_ours(result, language, drawn), *_own(result, language, drawn)]
    return sorted(found, key=lambda one: (one.order, one.name))


def _ours(result: Result, language: str, drawn: Collection[str]) -> Iterator[Placed]:
    for name in plugins.names("figures"):
        if asked(result, name) and name in drawn:
            figure: Figure = plugins.load("figures", name)
            title = words.caption(name, figure.title, language)
            text = _markdown(name, title, figure.tables, language)
            yield Placed(name, title, figure.section, figure.order, text)


def _own(result: Result, language: str, drawn: Collection[str]) -> Iterator[Placed]:
    for name in (one for one in result.experiment.report.figures if one.endswith(".py")):
        kept = stored(result).get(name)
        known: Mapping[str, Any] = kept if isinstance(kept, Mapping) else {}
        said = {str(key): str(text) for key, text in dict(known.get("title") or {}).items()}
        title = words.caption(name, said, language)
        text = _stored(name, title, known, (language, drawn))
        if text:
            order = int(known.get("order") or 0)
            yield Placed(name, title, str(known.get("section") or ""), order, text)


def _stored(
    name: str, title: str, known: Mapping[str, Any], means: tuple[str, Collection[str]]
) -> str:
    """The picture of a figure of the user's own, in the language or in English or in the one that
    there is; a line where it was not stored; "" where the run had nothing for it."""
    language, drawn = means
    pictures = known.get("pictures")
    if not isinstance(pictures, Mapping):
        return TEXTS[language]["undrawn"].format(name)
    said = [pictures.get(one) for one in (language, words.ENGLISH)] + [*pictures.values()]
    first = next((one for one in said if isinstance(one, Mapping)), None)
    if first is None:
        return ""
    stem = unmarked(str(first.get("file"))).rpartition("/")[2].removesuffix(".png")
    if stem not in drawn:
        return TEXTS[language]["undrawn"].format(name)
    tables = [str(table) for table in known.get("tables") or []]
    return _markdown(stem, title, tables, language)


def _markdown(stem: str, title: str, tables: Collection[str], language: str) -> str:
    source = markdown.source(language, *tables) if tables else ""
    return markdown.paragraphs(markdown.figure(stem, title), source)


def stored(result: Result) -> Mapping[str, Any]:
    """Figure of the user's own -> what its run stored of it."""
    return own_metrics.stored(result.facts.own, FIGURES)
