"""What an experiment asks for that this machine disturbs: saturation, too many threads, memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import assets
from harness.decide.plan import sweep_cells
from harness.preflight.doctor.facts import Facts
from harness.preflight.doctor.finding import Finding, note, warning
from harness.preflight.doctor.machine import VNNI, saturates
from harness.spec import Experiment, Variant

PRODUCTS = frozenset({"MatMul", "Gemm", "Conv", "ConvTranspose", "Attention", "LSTM"})
# A process of Whisper base (145 MB as published) peaks at 0.6 to 1.1 GB: graphs in FP32, a second
# copy while they are prepacked, activations, and Python with its libraries.
TIMES_MODEL, PROCESS_BYTES = 4, 250e6


def saturation(facts: Facts, experiment: Experiment) -> Iterator[Finding]:
    """Weights of 8 bits where INT8 products saturate, and 7 bits where they need not be."""
    isa = set(str(facts.machine.get("isa") or "").split())
    for variant in experiment.variants:
        params: Any = variant.quantize.params if variant.quantize is not None else None
        if not _signed_products(params):
            continue
        if saturates(facts) and not params.reduce_range:
            yield _saturating(experiment, variant, bool(getattr(params, "per_channel", False)))
        elif isa & VNNI and params.reduce_range:
            yield note(
                "reduced range",
                f"{experiment.name}: variant {variant.name} keeps weights to 7 bits.",
                "This processor has VNNI and adds in 32 bits: a bit of every weight is given away.",
                "Leave reduce_range out, unless the model is to run on CPUs without VNNI too.",
            )


def _signed_products(params: Any) -> bool:
    """Whether these are parameters of signed 8-bit weights in matrix products."""
    signed = getattr(params, "weight_type", "") == "int8" and hasattr(params, "reduce_range")
    return signed and bool(PRODUCTS & set(getattr(params, "op_types", ())))


def _saturating(experiment: Experiment, variant: Variant, per_channel: bool) -> Finding:
    kind = "per channel " if per_channel else ""
    return (warning if per_channel else note)(
        "saturation",
        f"{experiment.name}: variant {variant.name} has 8-bit weights {kind}without reduce_range.",
        "Without VNNI the products are added in 16 bits and saturate: its WER here is not that of "
        "a CPU with VNNI"
        + (
            ", and scales per channel use the whole range of every row."
            if per_channel
            else "; one scale for all leaves most rows room, so it may pass."
        ),
        "Add reduce_range: true (or weight_type: uint8) to its quantize.",
    )


def threads(facts: Facts, experiment: Experiment) -> Iterator[Finding]:
    """Sessions that start more threads than can compute at once."""
    cores = int(facts.machine.get("cores") or 0)
    for session in experiment.sessions:
        options = dict(session.options)
        asked = max(
            int(options.get(name) or 0) for name in ("intra_op_num_threads", "inter_op_num_threads")
        )
        if cores and asked > cores:
            yield warning(
                "too many threads",
                f"{experiment.name}: session {session.name} asks for {asked} threads, and {cores} "
                "can compute at once.",
                "Threads wait for each other, idle ones spin in the time of the others.",
                "Write `cores` in place of the number.",
            )


def memory(facts: Facts, experiment: Experiment) -> Iterator[Finding]:
    """Processes of a sweep, all open at once, that do not fit."""
    left, size = facts.machine.get("memory_available_bytes"), _model_bytes(experiment)
    if not left or not size or experiment.latency is None:
        return
    processes = len(sweep_cells(experiment))
    needed = processes * (TIMES_MODEL * size + PROCESS_BYTES)
    if needed > left:
        yield warning(
            "memory of the sweep",
            f"{experiment.name}: {processes} processes may take {needed / 1e9:.1f} GB together, "
            f"and {left / 1e9:.1f} GB are free for use.",
            "They are open at the same time, so that rounds can go from one to the next; what does "
            "not fit is swapped or killed.",
            "Sweep fewer sessions, or free memory.",
        )


def scripts(_: Facts, experiment: Experiment) -> Iterator[Finding]:
    """Models that a script of the user's own makes."""
    models = [experiment.model, *(v.model for v in experiment.variants if v.model is not None)]
    origins = [*(m.source for m in models), *(v.source for v in experiment.variants)]
    for script in dict.fromkeys(one.script for one in origins if one is not None and one.script):
        yield note(
            "script",
            f"{experiment.name}: a run starts {script}, which makes the model's files.",
            "It is your code and may do all that your account may; it runs before anything is "
            "measured, in a process of its own, and again only when what it depends on changes.",
            "Read it first if it is somebody else's. Name what it reads under `inputs:`.",
        )


def _model_bytes(experiment: Experiment) -> int:
    """The model as published; 0 where that is not known without fetching it."""
    source = experiment.model.source
    if source is None:
        return 0
    if source.asset and source.asset in assets.names():
        return sum(file.bytes for file in assets.load_asset(source.asset).files.values())
    folder = Path(source.path)
    if source.path and folder.is_dir():
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return 0


RULES = (saturation, threads, memory, scripts)
