"""The candidate's variant and session as Python that runs, and what the choice rests on."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

from harness.contracts import Result, Section
from harness.contracts.plain import filed
from harness.report import markdown, words
from harness.runtime import session
from harness.store import queries

TEXTS = words.table("sections.best_configuration")


def render(result: Result, language: str) -> str:
    texts = TEXTS[language]
    variant, name = queries.candidate(result)
    known = {config.name: config for config in reversed(result.experiment.sessions)}
    if not variant or name not in known:
        return texts["none"]
    files = _files(result, variant)
    if not files and queries.row(result.variants, variant=variant):
        told = texts["elsewhere"].format(variant=variant)
        return markdown.paragraphs(told, *_parameters(result, variant, language))
    source = session.python_code(known[name], files)
    return markdown.paragraphs(
        texts["intro"].format(variant=variant, session=name),
        f"```python\n{source.strip()}\n```",
        _kept(result, variant, language),
        *_parameters(result, variant, language),
        _ground(result, language),
    )


def heading(result: Result, language: str) -> str:
    """Only what was approved is a choice."""
    approved = str(result.verdict.get("verdict") or "").startswith("APPROVED")
    return TEXTS[language]["chosen" if approved else "measured"]


def _kept(result: Result, variant: str, language: str) -> str:
    """Which files were measured, and where they are."""
    row = queries.row(result.variants, variant=variant)
    if row is None or not row["fingerprint"]:
        return ""
    listed = [
        f"{markdown.code(name)}, {_size(size, language)}"
        for name, size in sorted(queries.parsed(row["files"]).items())
    ]
    if not listed:
        return ""
    parts = result.experiment.model_of(variant).parts
    return TEXTS[language]["files"].format(
        variant=variant,
        list="; ".join(listed),
        fingerprint=row["fingerprint"],
        of=TEXTS[language]["of_parts" if parts else "of_files"],
    )


def _size(size: float, language: str) -> str:
    small = size < 1e6
    return markdown.quantity(size / (1e3 if small else 1e6), "kB" if small else "MB", language)


def _parameters(result: Result, variant: str, language: str) -> list[str]:
    """What the variant's model sets otherwise than the experiment's; all of another family's, and
    the parts and thresholds of a system."""
    texts, asked = TEXTS[language], result.experiment
    own = asked.model_of(variant)
    alone = own.family != asked.model.family or (own == asked.model and own.parts)
    model, shared = filed(own), {} if alone else filed(asked.model)
    rows = [
        f"- `{key}`: {markdown.code(_text(value)) or texts['without']}"
        for name, value in model.items()
        if value != shared.get(name)
        for key, value in _flat(name, value)
    ]
    rows += [f"- `{name}`: {texts['without']}" for name in shared if name not in model]
    return [texts["parameters"].format(variant=variant), "\n".join(rows)] if rows else []


def _flat(name: str, value: Any) -> list[tuple[str, Any]]:
    """A system's parts each on a line of their own."""
    if name != "parts":
        return [(name, value)]
    return [(f"parts.{role}", part) for role, part in value.items()]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _files(result: Result, variant: str) -> dict[str, str]:
    """Role -> file of the variant's graphs, the role being the file's name without its ending;
    with its folder for a system whose parts name their files alike."""
    kept = queries.row(result.variants, variant=variant)
    files = [
        name for name in queries.parsed(kept["files"] if kept else "") if name.endswith(".onnx")
    ]
    short = {PurePosixPath(name).stem: name for name in sorted(files)}
    if len(short) == len(files):
        return short
    return {str(PurePosixPath(name).with_suffix("")): name for name in sorted(files)}


def _ground(result: Result, language: str) -> str:
    texts = TEXTS[language]
    variant, name = queries.candidate(result)
    if name == "default":
        tried = set(queries.rows(result.sessions, variant=variant)["session"]) - {name}
        return texts["default" if tried else "untried"]
    row = queries.row(result.sessions, session=name, variant=variant)
    if row is None:
        return ""
    swept = markdown.estimate(queries.bounds(row, "ratio"), "share", language)
    told = texts["unconfirmed"].format(swept=swept)
    if row["confirmed"] == row["confirmed"]:
        fresh = (row["confirmed"], row["confirmed_low"], row["confirmed_high"])
        shown = markdown.estimate(fresh, "share", language)
        told = texts["gain"].format(swept=swept, fresh=shown)
        told += "" if row["holds"] else " " + texts["lost"].format(session=name)
    return markdown.paragraphs(
        told,
        markdown.source(language, "sessions", session=name, variant=variant),
    )


section = Section(
    order=30,
    title={"es": "Configuración medida", "en": "Measured configuration"},
    render=render,
    heading=heading,
)
