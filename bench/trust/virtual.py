"""A family for bench/trust whose calls take what a noise says, on a clock of its own: a whole run
of ten minutes passes in seconds. What it recognises is what was said."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.contracts import Family, Feeds, OpenSession, Output

if TYPE_CHECKING:
    from trust.noises import Noise

CALL_SECONDS, OPEN_SECONDS = 0.4, 1.5
FACTOR = {"baseline": 1.5, "candidate": 1.0}
SAID = "hola mundo"
POINTS = 20_000  # of a level, over as many run lengths as are foreseen
FORESEEN = 3.0


@dataclass
class Machine:
    """One run's machine: the noise, drawn with a seed, and how far its clock is."""

    noise: Noise
    seconds: float  # of a run, which a level is stretched over
    seed: int
    now: float = 0.0
    random: np.random.Generator = field(init=False)
    level: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng([self.seed, self.noise.seed])
        times = np.linspace(0.0, FORESEEN, POINTS)
        self.level = self.noise.level(self.random, 1, times)[0]

    def clip(self, samples: np.ndarray, baseline: bool) -> float:
        """What a clip's calls share, drawn from what it holds: the same whenever it comes."""
        random = np.random.default_rng([self.seed, zlib.crc32(samples.tobytes())])
        own = float(self.noise.drawn(self.noise.clip, random, (1,))[0])
        ratio = self.noise.between * float(random.standard_normal())
        return own if baseline else own + ratio

    def so_far(self) -> np.ndarray:
        """The level over the run, shape (points,)."""
        place = int(self.now / self.seconds / FORESEEN * (POINTS - 1))
        return self.level[: max(min(place, POINTS - 1), 2)]

    def pass_call(self, shared: float, baseline: bool) -> None:
        """One call on the clock; `shared`: what it has in common with those beside it."""
        drawn = float(self.noise.drawn(self.noise.call, self.random, (1,))[0])
        shock = 1.5 if baseline and self.random.random() < self.noise.shocks else 1.0
        log = self.so_far()[-1] + drawn + shared
        role = "baseline" if baseline else "candidate"
        self.now += CALL_SECONDS * FACTOR[role] * shock * float(np.exp(log))


@dataclass(frozen=True)
class Params:
    language: str = "es"


@dataclass(frozen=True)
class VirtualModel:
    """A process: what it drew once, and which side it is on."""

    machine: Machine
    baseline: bool
    process: float

    def prepare(self, operation: str, samples: np.ndarray) -> Callable[[], Output]:
        machine = self.machine
        block = float(machine.noise.drawn(machine.noise.block, machine.random, (1,))[0])
        shared = block + machine.clip(samples, self.baseline) + self.process

        def call() -> Output:
            machine.pass_call(shared, self.baseline)
            return Output(text=SAID, tokens=2.0)

        return call


MACHINE: list[Machine] = []  # the one that runs


def build(source: Path, target: Path) -> None:
    for name in ("model.onnx", "role"):
        (target / name).write_bytes((source / name).read_bytes())


def graphs(folder: Path) -> dict[str, Path]:
    return {"model": folder / "model.onnx"}


def open_model(folder: Path, open_session: OpenSession, params: Params) -> VirtualModel:
    machine = MACHINE[-1]
    machine.now += OPEN_SECONDS
    baseline = (folder / "role").read_text(encoding="utf-8") == "baseline"
    process = machine.noise.process * float(machine.random.standard_normal())
    return VirtualModel(machine, baseline, process)


def feeds(
    folder: Path, open_session: OpenSession, params: Params, clips: Iterable[np.ndarray]
) -> Iterator[tuple[str, Feeds]]:
    for clip in clips:
        yield "model", {"x": clip}


family = Family(
    Params=Params,
    sample_rate=16_000,
    operations=("pipeline",),
    build=build,
    graphs=graphs,
    open=open_model,
    feeds=feeds,
)
