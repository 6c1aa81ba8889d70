"""Result -> one markdown report: the title, then every file of sections/ in its order.

Nothing but the result goes in (no clock, no host, no path), so equal tables give equal bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from harness import plugins
from harness.contracts import Locate, Result, Section
from harness.decide import own_metrics
from harness.errors.limits import SHOWN_TITLE
from harness.io.escaping import cut, settled
from harness.io.escaping.results import for_report
from harness.report import captions, markdown, metric_names, stand_in, words
from harness.report.captions import Placed
from harness.report.markdown import escape, paragraphs
from harness.spec import load_plugin

LAST = 10_000  # the order of a section of which nothing was stored
TEXTS = words.table("document")


def render(result: Result, language: str, drawn: Collection[str] = ()) -> str:
    """The whole report; figures are referred to as `figures/<name>.png`. `drawn`: the names of
    those that lie there, by which one that no section places itself is shown.

    Raises: SpecError for a language that the report is not written in.
    """
    shown = for_report(
        result, markdown.TEXTS[language]["cut"]
    )  # what a section makes of its names is never markdown
    parts = [_heading(shown, language)]
    figures = captions.placed(shown, language, drawn)
    with metric_names.naming(shown):
        for name, section in sections(result):
            body = section.render(shown, language).strip()
            body = paragraphs(body, *_standing(figures, name, body))
            body = stand_in.captioned(shown, body, language)
            if body:
                heading = section.heading(shown, language) if section.heading else ""
                parts += [f"## {heading or words.title(name, section.title, language)}", body]
    for one in figures:
        if not one.section:
            parts += [f"## {one.title}", one.text]
    return settled(paragraphs(*parts) + "\n")


def _standing(figures: Iterable[Placed], section: str, body: str) -> list[str]:
    """Those that stand at the end of a section, but for what it has placed itself."""
    return [
        one.text
        for one in figures
        if one.section == section and f"]({markdown.picture(one.name)})" not in body
    ]


def sections(result: Result) -> list[tuple[str, Section]]:
    """Those that the experiment names, else every file of sections/, by order and then name; each
    with its name."""
    asked = result.experiment.report.sections
    names = asked or plugins.names("sections")
    found = [(name, _section(name, result)) for name in names]
    return sorted(found, key=lambda pair: (pair[1].order, pair[0]))


def _section(name: str, result: Result) -> Section:
    """One of ours; of the user's own what it said when the run was published."""
    if not name.endswith(".py"):
        found: Section = plugins.load("sections", name)
        return found
    kept = own_metrics.stored(result.facts.own, "sections").get(name) or {
        "order": LAST,
        "title": {},
        "text": {},
    }
    title, text = ({k: str(v) for k, v in kept[part].items()} for part in ("title", "text"))
    return Section(int(kept["order"]), title, lambda _, language: _stored(name, text, language))


def _stored(name: str, text: Mapping[str, str], language: str) -> str:
    """What a section said in that language, else in English."""
    said = text.get(language, text.get(words.ENGLISH))
    return TEXTS[language]["lacking"].format(name) if said is None else said


def own_sections(result: Result, locate: Locate) -> dict[str, Any]:
    """What the sections of the user's own say of a result, to be stored with it: order, headings
    and texts in every language that has a title. Their code is run here."""
    report = result.experiment.report
    known = {*words.languages(), report.language}
    found = {}
    for name in (name for name in report.sections if name.endswith(".py")):
        section: Section = load_plugin("sections", name, locate)
        spoken = [language for language in section.title if language in known] or [words.ENGLISH]
        titles = {
            language: (section.heading(result, language) if section.heading else "")
            or section.title.get(language, name)
            for language in spoken
        }
        texts = {language: str(section.render(result, language)) for language in spoken}
        found[name] = {"order": int(section.order), "title": titles, "text": texts}
    return found


def _heading(result: Result, language: str) -> str:
    texts, environment = TEXTS[language], result.environment
    title = result.experiment.title or result.experiment.name
    facts = [str(environment.get("cpu") or "")]
    if environment.get("measured_on"):
        day = markdown.date(str(environment["measured_on"]), language)
        facts.insert(0, f"{texts['measured']} {day}")
    if environment.get("commit"):
        dirty = "+" if environment.get("dirty") else ""  # as history marks a tree with changes
        facts.append(f"{texts['version']} {str(environment['commit'])[:10]}{dirty}")
    line = " · ".join(escape(fact) for fact in facts if fact)
    about = escape(result.experiment.description)
    heading = escape(cut(title, SHOWN_TITLE))
    return paragraphs(f"# {heading}: {texts['title']}", about, line)
