"""The family of the server in an invented run: it says texts elsewhere; nobody asks it anything."""

from __future__ import annotations

from dataclasses import dataclass

from harness.contracts import Family


@dataclass(frozen=True)
class Params:
    url: str
    model: str
    timeout_seconds: float
    retries: int
    concurrency: int


family = Family(
    Params=Params,
    sample_rate=24_000,
    operations=("pipeline",),
    build=print,
    graphs=lambda folder: {},
    open=print,
    feeds=print,
    takes="text",
    gives=("audio",),
    has_files=False,
    identify=lambda params: {"model": params.model},
)
