"""Is our pipeline as fast as others on the same job? Same weights, clips, threads and padding.

    python bench/peers.py [--clips 24] [--rounds 2] [--fp32] [--out docs/peers.md]

Every system runs in a process of its own, and they take turns clip by clip in random order, with a
pause before each call: idle threads of one spin for a while and would slow the next one down. A
twin of our pipeline tells how far two equal systems differ here. Needs the packages of
bench/requirements.lock; exits with 1 where a system could not be run.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import math
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

import material
import numpy as np
from comparison import Pair, Row, pairs_table, systems_table
from material import ROOT, SAMPLE_RATE, Clip

from harness import plugins
from harness.runtime import environment
from harness.runtime.session import SessionConfig, open_session, session_options

THREADS = 2
PAUSE_SECONDS = 0.1
CLOSING_SECONDS = 5.0
LIMIT_SECONDS = 300.0  # for one answer: opening a model included
SPIN_STOP = ("session.force_spinning_stop", "1")
LANGUAGE = "es"
PACKAGES = ("onnxruntime", "faster-whisper", "ctranslate2", "onnx-asr", "numpy", "jiwer")

Transcribe = Callable[[np.ndarray], str]


@dataclass(frozen=True)
class System:
    """What is timed: a runtime on a model folder. `options` are onnxruntime's, beside threads."""

    name: str
    runtime: str
    folder: Path
    precision: str
    options: tuple[tuple[str, str], ...] = ()

    @property
    def session(self) -> SessionConfig:
        return SessionConfig("peers", (("intra_op_num_threads", THREADS), *self.options))


# ------------------------------------------------------------------------------ the child's side
def harness_pipeline(system: System) -> Transcribe:
    """Our pipeline with the family's defaults, which pad to 30 s."""
    family = plugins.load("families", "whisper")
    model = family.open(
        system.folder,
        lambda path: open_session(path, system.session),
        family.Params(language=LANGUAGE),
    )
    return lambda samples: str(model.prepare("pipeline", samples)().text)


def faster_whisper(system: System) -> Transcribe:
    """Greedy, one temperature (so no fallback), no timestamps, no voice activity detection."""
    from faster_whisper import WhisperModel

    model = WhisperModel(
        str(system.folder), device="cpu", compute_type=system.precision, cpu_threads=THREADS
    )
    how: dict[str, Any] = {
        "language": LANGUAGE,
        "beam_size": 1,
        "temperature": 0.0,
        "compression_ratio_threshold": None,
        "log_prob_threshold": None,
        "no_speech_threshold": None,
        "condition_on_previous_text": False,
        "without_timestamps": True,
        "vad_filter": False,
    }

    def transcribe(samples: np.ndarray) -> str:
        segments, _ = model.transcribe(samples, **how)  # a generator: the work is in the walk
        return " ".join(segment.text.strip() for segment in segments)

    return transcribe


def onnx_asr(system: System) -> Transcribe:
    """Its Whisper for exports with a merged decoder: greedy, no suppressed tokens."""
    import onnx_asr

    options = session_options(system.session)
    providers = [system.session.provider]
    model = onnx_asr.load_model("whisper", system.folder, sess_options=options, providers=providers)
    return lambda samples: str(model.recognize(samples, sample_rate=SAMPLE_RATE, language=LANGUAGE))


RUNTIMES = {"harness": harness_pipeline, "faster-whisper": faster_whisper, "onnx-asr": onnx_asr}


def serve(pipe: Connection, system: System) -> None:
    """Open the system, then answer samples with (seconds, text) until None comes."""
    transcribe = RUNTIMES[system.runtime](system)
    pipe.send("open")
    while (samples := pipe.recv()) is not None:
        gc.collect()
        gc.disable()
        started = time.perf_counter()
        text = transcribe(samples)
        seconds = time.perf_counter() - started
        gc.enable()
        pipe.send((seconds, text))


# ----------------------------------------------------------------------------- the parent's side
class Child:
    """A system in a process of its own. Raises ChildProcessError where that ends or hangs."""

    def __init__(self, system: System) -> None:
        context = multiprocessing.get_context("spawn")
        self.name = system.name
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, system), daemon=True)
        self._process.start()
        theirs.close()  # so that the end of the child is seen as the end of the pipe
        self._answer()

    def ask(self, clip: Clip) -> tuple[float, str]:
        self._pipe.send(clip.samples)
        seconds, text = self._answer()
        return float(seconds), str(text)

    def close(self) -> None:
        """Let it end by itself; kill it where it does not."""
        with contextlib.suppress(OSError):
            self._pipe.send(None)
        self._process.join(CLOSING_SECONDS)
        self._process.kill()
        self._process.join()

    def _answer(self) -> Any:
        try:
            if self._pipe.poll(LIMIT_SECONDS):
                return self._pipe.recv()
            self.close()
        except (EOFError, ConnectionError):
            self._process.join()
        raise ChildProcessError(
            f"{self.name}: no answer, exit code {self._process.exitcode} (its error is above)"
        )


def systems(fp32: bool) -> list[System]:
    """Everything that is timed; makes the model folders where they are not cached yet."""
    plain, exported, published = material.ours(), material.export(), material.published()[0]
    small, small_export = material.int8(plain).folder, material.int8(exported).folder
    found = [
        System("ours INT8", "harness", small, "int8"),
        System("ours INT8, twin", "harness", small, "int8"),
        System("ours INT8, spin stop", "harness", small, "int8", (SPIN_STOP,)),
        System("faster-whisper INT8", "faster-whisper", published, "int8"),
        System("onnx-asr INT8", "onnx-asr", small_export, "int8"),
        System("onnx-asr INT8, spin stop", "onnx-asr", small_export, "int8", (SPIN_STOP,)),
    ]
    if fp32:
        found += [
            System("ours FP32", "harness", plain.folder, "float32"),
            System("ours FP32, spin stop", "harness", plain.folder, "float32", (SPIN_STOP,)),
            System("faster-whisper FP32", "faster-whisper", published, "float32"),
            System("onnx-asr FP32", "onnx-asr", exported.folder, "float32"),
        ]
    return found


def pairs(fp32: bool) -> list[Pair]:
    """What the second table compares: onnx-asr, where it can be, in the same session as ours."""
    found = [
        Pair("ours INT8, twin", "ours INT8"),
        Pair("ours INT8, spin stop", "ours INT8"),
        Pair("ours INT8", "faster-whisper INT8", 0.70),
        Pair("ours INT8, spin stop", "faster-whisper INT8", 0.70),
        Pair("ours INT8", "onnx-asr INT8", 1.00),
        Pair("ours INT8, spin stop", "onnx-asr INT8, spin stop", 1.00),
    ]
    if fp32:
        found += [
            Pair("ours INT8", "ours FP32"),
            Pair("ours FP32", "faster-whisper FP32"),
            Pair("ours FP32, spin stop", "faster-whisper FP32"),
            Pair("ours FP32", "onnx-asr FP32"),
        ]
    return found


def opened(wanted: Iterable[System], warm_up: Sequence[Clip]) -> Iterator[Child]:
    """One child after the other, each warmed up; one that cannot be opened is told and left out."""
    for system in wanted:
        tell(f"opening {system.name}")
        try:
            child = Child(system)
            for clip in warm_up:
                child.ask(clip)
        except ChildProcessError as error:
            tell(str(error))
        else:
            yield child


def measure(children: Sequence[Child], clips: Sequence[Clip], rounds: int, seed: int) -> list[Row]:
    """Every system on every clip, `rounds` times, in random order."""
    random, rows = Random(seed), []
    for turn in range(rounds):
        for done, clip in enumerate(random.sample(clips, len(clips))):
            tell(f"round {turn + 1} of {rounds}, clip {done + 1} of {len(clips)}")
            for child in random.sample(children, len(children)):
                time.sleep(PAUSE_SECONDS)
                rows.append(Row(child.name, clip.id, turn, *child.ask(clip)))
    return rows


# ---------------------------------------------------------------------------------------- the page
def surroundings(load: float) -> str:
    """One line on the machine and the versions; no host name and no folder."""
    found = environment.describe()
    versions = [f"{name} {environment.version(name)}" for name in PACKAGES]
    busy = "" if math.isnan(load) else f", load average {load:.1f} at the start"
    machine = f"{found['cpu']} ({found['isa']}), {found['cores']} cores, {found['system']}{busy}"
    return f"{machine}; Python {found['python']}, {', '.join(versions)}."


NOTES = f"""\
Whisper base, Spanish forced, greedy, {THREADS} threads each, padded to 30 s by all. All run the
weights of one CTranslate2 file: faster-whisper opens it as it is and quantizes it by itself; ours
and onnx-asr get ONNX graphs made from it, quantized by the recipe of the shipped experiment's
candidate. The graphs for onnx-asr have the usual export's layout but our operators (fused
attention, which plain exports lack): between us and onnx-asr the layout and the loop
differ. onnx-asr suppresses no tokens and has no token budget; faster-whisper and we suppress
Whisper's usual ones.

Clock: samples at 16 kHz in, text out, model open and warm. Every system has a process of its own;
they take turns clip by clip in random order, with a pause of {PAUSE_SECONDS:g} s before each call.
Ratios are paired (calls of one clip in one round): geometric mean over clips, Student's 95 %
interval over clips. `met`: the whole interval is within the aim (yes), beyond it (no), or neither
(open). `spin stop` is `session.force_spinning_stop=1`. The twin is the same system again: as far as
its ratio is from 1, this measurement cannot tell two systems apart."""


def page(rows: Sequence[Row], names: Sequence[str], clips: Sequence[Clip], load: float) -> str:
    """The whole document."""
    rounds = max(row.turn for row in rows) + 1
    compared = [p for p in pairs("ours FP32" in names) if {p.ours, p.other} <= set(names)]
    return f"""# Peers: the same job in other runtimes

{len(clips)} clips of the test split of `data/cv-es-prompts`, rounds: {rounds}.
{surroundings(load)}
Made by `python bench/peers.py`.

{systems_table(rows, names, clips)}

{pairs_table(rows, compared)}

{NOTES}
"""


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--fp32", action="store_true", help="also every system in FP32")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "peers.md")
    parser.add_argument("--seed", type=int, default=0, help="of the random order")
    asked = parser.parse_args()
    load = environment.load_average()
    # numpy's and CTranslate2's own threads; read when a child starts
    os.environ |= {"OMP_NUM_THREADS": str(THREADS), "OPENBLAS_NUM_THREADS": str(THREADS)}
    clips = material.clips(asked.clips)
    by_length = sorted(clips, key=lambda clip: clip.seconds)
    wanted = systems(asked.fp32)
    children = list(opened(wanted, [by_length[-1], by_length[0]]))
    if not children:
        return 1
    try:
        rows = measure(children, clips, asked.rounds, asked.seed)
    finally:
        for child in children:
            child.close()
    text = page(rows, [child.name for child in children], clips, load)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(text, encoding="utf-8", newline="\n")
    print(text)
    return int(len(children) < len(wanted))


if __name__ == "__main__":
    sys.exit(main())
