"""Tells whether a quantized ONNX speech model may replace the original, and proves it.

    from harness import load, run
    result = run("experiments/whisper_base_es.yaml")     # measure, decide, write the report
    result = load("reports/whisper_base_es")             # what an earlier run left
    result.summary                                       # every table is a DataFrame

The map: each file imports only from those above it (a test keeps it so).

errors       every error that a user can cause
nearest      the nearest of the known names
limits       every bound on what comes from elsewhere
faults       an error that nobody foresaw -> one line with its place
places       where this machine keeps what was fetched or made
hashes       SHA-256 of files and folders; what has not changed is not read again
made         what was made of each variant, and its row
network      questions to a server that may be away, slow or odd: an answer or one line
stats        quantiles, tail tests, bootstrap; knows no metric
sampling     which items of a data set are used: seed, strata by length, so many or so long
text         normalisers of transcripts
repeats      blocks of words said over and over in a transcript
audio        encoded clip -> samples at a rate; real speech cut to a length
mel          the mel filters of Whisper and DNSMOS
garbage      the collector, held back
contracts    one page: what each plugin folder's files export
corpus       data sets on disk a row at a time: tables, releases, archives
figures      metrics that are a judge's figure as it is
ruling       the rule that every gate decides by
kinds        what a metric is about, which show quality, and limits that ask for nothing
plugins      name -> file -> the exported value
escaping     foreign text made harmless: for a report, a figure, a terminal, a CSV
stored       metrics of the user's own as a result keeps them
markdown, metric_names, noted, wording, reading   pieces of a report: tables, words, look-ups
replayed     another's protocol: what it says, and what the same configurations show in rounds
findings     what gates leave unsaid, in words
row_text     a row of a table as a cell says it
measures     which metrics belong together, and which stand for speed and quality
noise        which blocks were measured under stolen time or load
shortfall    what the budget cut short
graph        ONNX graphs: read, name, count what is quantized, write the same bytes
modelfiles   JSON beside the graphs, a folder taken over into another one
environment  CPU, cores, versions, git commit, stolen time
session      session configurations; the only place that opens an onnxruntime session
phonemes     text -> IPA phonemes by clause, through eSpeak NG
synthesis    a text said piece by piece, when its first sound was there; files of a voice
spec         YAML -> frozen Experiment; the only reader of experiments
tables       columns, dtypes and schema version of every table
assets       models and data by path, hub or pinned package (catalogue/ names them)
variants     model source -> FP32 folder -> quantized folders, each with a record
store        the run folder: journal, lock, resume, publish, load
worker       one child process: opens a cell, measures blocks, answers
runner       plan, rounds, utterances; drives the workers
feasibility  what the budget can decide, and targets beyond what is known, before anything runs
scoring      calls -> scores -> summary -> changes
rivals       the candidate against each other variant, paired
verdict      gates, waivers, claims -> checks -> verdict
deciding     measured calls -> every table and the verdict
looking      which gates a look at a run under way leaves open
selecting    the candidate of several variants, by what one data set says of them
setting      what a run knows before it measures: models made, data sets and judges opened
comparing    two runs -> what changed between them, or why that cannot be told
history      a line per run of a folder, and a metric over them
pipeline     experiment -> variants, sweep, latency, quality -> measured calls
plots        result -> figures
report       result -> one markdown string
progress     what runs now and how much is left
doctor       what on this machine disturbs a measurement, and what to do about it
api          run, load, render
exits        what a command leaves with; the guard around every command
cli          the commands; the only printer

Plugins, one file each: families datasets quantize metrics gates sections
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

# onnxruntime reads it when it is imported, and whatever process we start inherits it: without it,
# each of them has a thread more, writes a database into the home folder and uploads graph names.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"
__all__ = ["Result", "load", "run"]

if TYPE_CHECKING:
    from harness.app.api import load, run
    from harness.contracts import Result


def __getattr__(name: str) -> Any:
    """Import the API when it is asked for, so that `harness --help` stays quick."""
    if name == "Result":
        from harness import contracts

        return contracts.Result
    if name in __all__:
        from harness.app import api

        return getattr(api, name)
    raise AttributeError(f"module 'harness' has no attribute {name!r}")
