"""Result -> one markdown report: the title, then every file of sections/ in its order.

Nothing but the result goes in (no clock, no host, no path), so equal tables give equal bytes.
"""

from __future__ import annotations

from harness import plugins
from harness.contracts import Result, Section
from harness.errors import SpecError
from harness.escaping import cut, settled
from harness.escaping.results import for_report
from harness.limits import SHOWN_TITLE
from harness.markdown import LANGUAGES, escape, paragraphs
from harness.spec import load_plugin, locator

TEXTS = {
    "es": {"title": "informe de validación", "measured": "Medido el", "version": "versión"},
    "en": {"title": "validation report", "measured": "Measured on", "version": "version"},
}


def render(result: Result, language: str) -> str:
    """The whole report; figures are referred to as `figures/<name>.png`.

    Raises: SpecError for a language that the report is not written in.
    """
    if language not in LANGUAGES:
        raise SpecError(f"report.language: no {language!r}. There is: {', '.join(LANGUAGES)}.")
    shown = for_report(result, language)  # what a section makes of its names is never markdown
    parts = [_heading(shown, language)]
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
    beside = result.folder / str(result.experiment.get("beside") or ".") / "experiment.yaml"
    found = [(name, load_plugin("sections", name, locator(beside))) for name in names]
    return [section for _, section in sorted(found, key=lambda pair: (pair[1].order, pair[0]))]


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
