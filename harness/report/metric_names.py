"""What metrics, purposes of an approval and verdicts are called, in each language.

A metric's file says what it is called (`title`); here those are collected.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from harness import plugins
from harness.contracts import Result
from harness.decide import own_metrics
from harness.report import words

METRICS = words.table("metric_names", "metrics")
_OWN: ContextVar[Mapping[str, Any]] = ContextVar("own_titles", default=MappingProxyType({}))


def titles(language: str) -> Mapping[str, str]:
    """Metric -> what the language calls it, else what its own file says that it is called."""
    return {**_of_files(language), **METRICS[language]}


@functools.lru_cache(maxsize=8)
def _of_files(language: str) -> Mapping[str, str]:
    found = ((name, plugins.load("metrics", name).title) for name in plugins.names("metrics"))
    return {name: title[language] for name, title in found if language in title}


def naming(result: Result) -> contextlib.AbstractContextManager[None]:
    """Inside, the metrics of the user's own are called what their run stored of them."""
    return calling(own_metrics.stored(result.experiment))


@contextlib.contextmanager
def calling(stored: Mapping[str, Any]) -> Iterator[None]:
    """Inside, metrics of the user's own are called what is stored of them: name -> its facts."""
    before = _OWN.set(stored)
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
PURPOSES = words.table("metric_names", "purposes")

VERDICTS = words.table("metric_names", "verdicts")
