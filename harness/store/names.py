"""What the files of a run folder are called; no other name is written, read or removed there."""

from __future__ import annotations

import re

from harness.store import tables

WORK = ".work"
MANIFEST = "manifest.json"
REPORT = "report.md"
HISTORY = "history.jsonl"  # of all runs of a folder: no part of what one of them published
OWN_SCORES = "own_scores.parquet"  # of metrics of the user's own, whose code a reader has not
FACTS = ("experiment", "environment", "verdict")
MARK = f"{WORK}/run.json"
FINISHED = f"{WORK}/finished.json"
SWAP = f"{WORK}/swap.json"
NEXT = f"{WORK}/next"
SPOKEN = f"{WORK}/audio.json"  # audio that rows named once: file -> SHA-256
CLIPS = f"{WORK}/clips"
OUTPUTS = f"{WORK}/outputs"  # of the baseline, of the utterances that are compared just now

FIGURE = re.compile(r"figures/[A-Za-z0-9_]+\.png")
UNIT = re.compile(r"[\w.-]+-[0-9a-f]{16}\.(parquet|jsonl|json|stops\.json|noted\.json)")
PARTIAL = re.compile(r"\.[\w.-]+\.\d+\.partial|[\w.-]+\.partial")
CLIP = re.compile(r"[\d.e+-]+s-\d+\.npy")
OUTPUT = re.compile(r"\d+\.outputs(\.partial)?")


def table_file(name: str) -> str:
    """The file of a table."""
    return f"{name}.parquet" if name == "calls" else f"{name}.csv"


TABLES = {name: table_file(name) for name in tables.TABLES if name != "scores"}
PUBLISHED = frozenset(["experiment.yaml", *(f"{name}.json" for name in FACTS), *TABLES.values()])
LATER = frozenset(TABLES[name] for name in (*tables.MADE_WHEN_READ, *tables.LATER_TABLES))
REQUIRED = PUBLISHED - LATER  # in every manifest
RENDERED = re.compile(rf"{re.escape(REPORT)}|{FIGURE.pattern}")


def known(name: str) -> bool:
    """Whether a run publishes a file of that name."""
    plain = name in PUBLISHED or name in (MANIFEST, HISTORY, OWN_SCORES, *LATER)
    return plain or RENDERED.fullmatch(name) is not None
