"""What metrics, purposes of an approval and verdicts are called, in each language.

A metric's file says what it is called (`title`); here those are collected.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from harness import plugins
from harness.contracts import Result
from harness.decide import own_metrics

LANGUAGES = ("es", "en")
_OWN: ContextVar[Mapping[str, Any]] = ContextVar("own_titles", default=MappingProxyType({}))


def _titles(language: str) -> dict[str, str]:
    """Metric -> what its file says that it is called; the others go by their names."""
    found = ((name, plugins.load("metrics", name).title) for name in plugins.names("metrics"))
    return {name: title[language] for name, title in found if language in title}


METRICS: Mapping[str, Mapping[str, str]] = {language: _titles(language) for language in LANGUAGES}


@contextlib.contextmanager
def naming(result: Result) -> Iterator[None]:
    """Inside, the metrics of the user's own are called what their run stored of them."""
    before = _OWN.set(own_metrics.stored(result.experiment))
    try:
        yield
    finally:
        _OWN.reset(before)


def own_title(name: str, language: str) -> str:
    """What a metric of the user's own calls itself; "" for one that says nothing."""
    kept = _OWN.get().get(name)
    title = kept.get("title") if isinstance(kept, Mapping) else None
    return str(title.get(language) or "") if isinstance(title, Mapping) else ""


def stem(name: str) -> str:
    """A metric's name without the folder and the ending of a file of the user's own."""
    return PurePosixPath(name).stem if name.endswith(".py") else name


# what an approval is for (`purpose:` of an experiment)
PURPOSES: Mapping[str, Mapping[str, str]] = {
    "es": {
        "replacement": "una sustitución",
        "size": "el tamaño",
        "latency": "la latencia",
        "memory": "la memoria",
        "robustness": "la robustez",
    },
    "en": {"replacement": "a replacement"},
}

VERDICTS: Mapping[str, Mapping[str, str]] = {
    "es": {
        "APPROVED": "✅ APROBADO",
        "APPROVED WITH WAIVERS": "⚠️ APROBADO CON EXCEPCIONES",
        "REJECTED": "❌ RECHAZADO",
        "INSUFFICIENT EVIDENCE": "❔ PRUEBAS INSUFICIENTES",
    },
    "en": {
        "APPROVED": "✅ APPROVED",
        "APPROVED WITH WAIVERS": "⚠️ APPROVED WITH WAIVERS",
        "REJECTED": "❌ REJECTED",
        "INSUFFICIENT EVIDENCE": "❔ INSUFFICIENT EVIDENCE",
    },
}
