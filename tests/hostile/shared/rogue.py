"""A recogniser that says the right text and does in each call what `do` in its facts.json says."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass

from harness.contracts import Family, Output
from harness.errors import ModelError


@dataclass(frozen=True)
class Params:
    language: str = "es"


class Rogue:
    def __init__(self, facts):
        self.facts = facts

    def prepare(self, operation, samples):
        def call():
            right = Output(text=self.facts["texts"].get(str(len(samples)), ""))
            known = {"os": os, "sys": sys, "time": time, "Output": Output, "said": right}
            known |= {"count": len(samples)}
            exec(compile(self.facts["do"], "do.py", "exec"), known)
            return known["said"]

        return call


def build(source, target):
    import shutil

    for path in source.iterdir():
        shutil.copyfile(path, target / path.name)


def graphs(folder):
    if not (folder / "facts.json").is_file():
        raise ModelError(f"{folder}: no facts.json")
    return {"model": folder / "model.onnx"}


def open_model(folder, open_session, params):
    return Rogue(json.loads((folder / "facts.json").read_text("utf-8")))


def feeds(folder, open_session, params, clips):
    yield from ()


family = Family(
    Params=Params,
    sample_rate=16_000,
    operations=("pipeline",),
    build=build,
    graphs=graphs,
    open=open_model,
    feeds=feeds,
)
