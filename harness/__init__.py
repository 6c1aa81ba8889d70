"""Tells whether a quantized ONNX speech model may replace the original, and proves it.

    from harness import load, run
    result = run("experiments/whisper_base_es.yaml")     # measure, decide, write the report
    result = load("reports/whisper_base_es")             # what an earlier run left
    result.summary                                       # every table is a DataFrame

The map, from the doors down; a room imports only from rooms on floors below its own (a test keeps
it so). A new metric, gate, judge, quantizer, family, data set, section, figure or export is one
file in its folder. Words mean what docs/glossary.md says.

7  app/        the doors: command line, Python API, progress; the only printer
6  preflight/  before a run: a first experiment (starting), what its budget can decide
              (feasibility), what disturbs it (doctor)
   run/        measures: models made, processes, rounds, utterances, judges; the only clocks
   report/     says: stored tables -> markdown (sections/) and pictures (figures/); no statistics
5  decide/     decides: stats/, scoring/, verdict/, comparison/, plan and schedule; pure
4  spec/       YAML <-> Experiment, its JSON schema
3  plugins/    name -> file -> value; families/ quantize/ datasets/ judges/ metrics/ gates/
   assets/     models and data by path, hub or pinned package (entries/ names them), checked
   store/      what lies on disk: the run folder, its tables, how they are asked, history
2  io/         disk and network: where things are kept, hashes, strict YAML, servers
   speech/     sound and words: text/, audio, mel filters, phonemes
   runtime/    the machine (environment/), onnxruntime sessions (session/), ONNX graphs
1  contracts/  one page: what each plugin file exports; an Experiment and a run's Result
   errors/     every error that a user can cause, every bound that he can meet
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
