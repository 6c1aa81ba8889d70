"""What metrics, operations, purposes of an approval and verdicts are called, in each language.

A metric's file says what it is called (`title`), a family's what its operations are (`words`); here
those are collected. Of the user's own, what their run stored is said while `naming` lasts.
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
from harness.decide import families, own_metrics
from harness.report import words

_OWN: ContextVar[Mapping[str, Any]] = ContextVar("own_names", default=MappingProxyType({}))


def title(name: str, language: str) -> str:
    """What a metric of ours is called; "" for one that has no file."""
    found = _titles().get(name)
    return "" if found is None else words.metric(name, found, language)


@functools.cache
def _titles() -> Mapping[str, Mapping[str, str]]:
    return {name: plugins.load("metrics", name).title for name in plugins.names("metrics")}


def naming(result: Result) -> contextlib.AbstractContextManager[None]:
    """Inside, what the user's own plugins name is called what their run stored of it."""
    return calling(result.facts.own)


@contextlib.contextmanager
def calling(own: Mapping[str, Any]) -> Iterator[None]:
    """As `naming`, by what is stored of plugins of the user's own: kind -> name -> its facts."""
    before = _OWN.set(own)
    try:
        yield
    finally:
        _OWN.reset(before)


def own_title(name: str, language: str) -> str:
    """What a metric of the user's own calls itself; "" for one that says nothing."""
    kept = own_metrics.stored(_OWN.get()).get(name)
    said = kept.get("title") if isinstance(kept, Mapping) else None
    return str(said.get(language) or "") if isinstance(said, Mapping) else ""


def operation(name: str, language: str) -> str:
    """What a family calls an operation of its own; "" where none says."""
    own = families.stored(_OWN.get())
    for family, said in (*((key, families.words_of(one)) for key, one in own.items()), *_said()):
        text = words.of_family(family, name, said, language)
        if text:
            return text
    return ""


@functools.cache
def _said() -> tuple[tuple[str, Mapping[str, Mapping[str, str]]], ...]:
    """(family of ours, its words)."""
    found = plugins.names(families.FAMILIES)
    return tuple((name, plugins.load(families.FAMILIES, name).words) for name in found)


def stem(name: str) -> str:
    """A metric's name without the folder and the ending of a file of the user's own."""
    return PurePosixPath(name).stem if name.endswith(".py") else name


# what an approval is for (`purpose:` of an experiment)
PURPOSES = words.table("metric_names", "purposes")

VERDICTS = words.table("metric_names", "verdicts")
