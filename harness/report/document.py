"""Result -> one markdown report: the title, then every file of sections/ in its order.

Nothing but the result goes in (no clock, no host, no path), so equal tables give equal bytes.
"""

from __future__ import annotations

from typing import Any

from harness import plugins
from harness.contracts import Locate, Result, Section
from harness.decide.own_metrics import KEY
from harness.errors import SpecError
from harness.errors.limits import SHOWN_TITLE
from harness.io.escaping import cut, settled
from harness.io.escaping.results import for_report
from harness.report import metric_names
from harness.report.markdown import LANGUAGES, escape, paragraphs
from harness.spec import load_plugin

LAST = 10_000  # the order of a section of which nothing was stored
TEXTS = {
    "es": {
        "title": "informe de validación",
        "measured": "Medido el",
        "version": "versión",
        "lacking": "El texto de `{}` no se guardó con la ejecución; `harness run` lo guarda.",
    },
    "en": {
        "title": "validation report",
        "measured": "Measured on",
        "version": "version",
        "lacking": "The text of `{}` was not stored with the run; `harness run` stores it.",
    },
}


def render(result: Result, language: str) -> str:
    """The whole report; figures are referred to as `figures/<name>.png`.

    Raises: SpecError for a language that the report is not written in.
    """
    if language not in LANGUAGES:
        raise SpecError(f"report.language: no {language!r}. There is: {', '.join(LANGUAGES)}.")
    shown = for_report(result, language)  # what a section makes of its names is never markdown
    parts = [_heading(shown, language)]
    with metric_names.naming(shown):
        for section in sections(result):
            body = section.render(shown, language).strip()
            if body:
                heading = section.heading(shown, language) if section.heading else ""
                parts += [f"## {heading or section.title[language]}", body]
    return settled(paragraphs(*parts) + "\n")


def sections(result: Result) -> list[Section]:
    """Those that the experiment names, else every file of sections/, by order and then name."""
    asked = (result.experiment.get("report") or {}).get("sections")
    names = asked or plugins.names("sections")
    found = [(name, _section(str(name), result)) for name in names]
    return [section for _, section in sorted(found, key=lambda pair: (pair[1].order, pair[0]))]


def _section(name: str, result: Result) -> Section:
    """One of ours; of the user's own what it said when the run was published."""
    if not name.endswith(".py"):
        found: Section = plugins.load("sections", name)
        return found
    own = (result.experiment.get(KEY) or {}).get("sections") or {}
    kept = own.get(name) or {"order": LAST, "title": {}, "text": {}}
    title = {language: str(kept["title"].get(language) or name) for language in LANGUAGES}
    lacking = {language: TEXTS[language]["lacking"].format(name) for language in LANGUAGES}
    texts = {language: str(kept["text"].get(language, lacking[language])) for language in LANGUAGES}
    return Section(int(kept["order"]), title, lambda _, language: texts[language])


def own_sections(result: Result, locate: Locate) -> dict[str, Any]:
    """What the sections of the user's own say of a result, to be stored with it: order, headings
    and texts in every language. Their code is run here."""
    asked = (result.experiment.get("report") or {}).get("sections") or []
    found = {}
    for name in (str(name) for name in asked if str(name).endswith(".py")):
        section: Section = load_plugin("sections", name, locate)
        titles = {
            language: (section.heading(result, language) if section.heading else "")
            or section.title.get(language, name)
            for language in LANGUAGES
        }
        texts = {language: str(section.render(result, language)) for language in LANGUAGES}
        found[name] = {"order": int(section.order), "title": titles, "text": texts}
    return found


def _heading(result: Result, language: str) -> str:
    texts, environment = TEXTS[language], result.environment
    title = str(result.experiment.get("title") or result.experiment.get("name") or "harness")
    facts = [str(environment.get("cpu") or "")]
    if environment.get("measured_on"):
        facts.insert(0, f"{texts['measured']} {environment['measured_on']}")
    if environment.get("commit"):
        dirty = "+" if environment.get("dirty") else ""  # as history marks a tree with changes
        facts.append(f"{texts['version']} {str(environment['commit'])[:10]}{dirty}")
    line = " · ".join(escape(fact) for fact in facts if fact)
    about = escape(str(result.experiment.get("description") or ""))
    heading = escape(cut(title, SHOWN_TITLE))
    return paragraphs(f"# {heading}: {texts['title']}", about, line)
