"""What the doctor looks at: the machine's record, and the state of this moment and this process."""

from __future__ import annotations

import itertools
import os
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from harness.preflight.doctor.trial import Trial, run
from harness.runtime import environment

# what changes threads, memory or the interpreter of everything that is started from this shell
VARIABLES = (
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "OMP_PROC_BIND",
    "GOMP_CPU_AFFINITY",
    "KMP_AFFINITY",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "LD_PRELOAD",
    "DYLD_INSERT_LIBRARIES",
    "MALLOC_ARENA_MAX",
    "PYTHONMALLOC",
    "PYTHONDEVMODE",
    "PYTHONTRACEMALLOC",
    "PYTHONPROFILEIMPORTTIME",
)
CLOCK_READINGS = 2000
BUSY = 0.1  # of a core


@dataclass(frozen=True)
class Facts:
    """Everything that the findings are made from; a test fills in what it is about."""

    machine: Mapping[str, Any]  # environment.describe
    variables: tuple[str, ...] = ()  # those of VARIABLES that are set
    slow_python: tuple[str, ...] = ()  # what slows the interpreter
    nice: int = 0
    on_battery: bool = False
    throttled: int | None = None  # periods in which the quota stopped us, so far
    throttled_now: int | None = None  # those during the trial
    clock_step_seconds: float = 1e-7
    steal: float = float("nan")  # during the trial, when there is something to steal
    others: tuple[tuple[str, float], ...] = ()  # (program, cores that it kept busy meanwhile)
    trial: Trial = field(default_factory=Trial.nothing)


def gather(root: Path = environment.ROOT, trial: Callable[[], Trial] = run) -> Facts:
    """Read everything; takes as long as the trial does, about three seconds."""
    machine = environment.describe(root)  # before the trial, which is a load of its own
    throttled, steal = environment.throttled_periods(root), environment.read_steal(root)
    busy, started = _cpu_seconds(), time.monotonic()
    measured = trial()
    seconds = max(time.monotonic() - started, 1e-3)
    after = environment.throttled_periods(root)
    return Facts(
        machine=machine,
        variables=tuple(name for name in VARIABLES if os.environ.get(name)),
        slow_python=_slow_python(),
        nice=_nice(),
        on_battery=_on_battery(),
        throttled=after,
        throttled_now=None if throttled is None or after is None else after - throttled,
        clock_step_seconds=_clock_step(time.perf_counter),
        steal=environment.read_steal(root).share_since(steal),
        others=_others(busy, _cpu_seconds(), seconds),
        trial=measured,
    )


Process = tuple[int, float]  # its number and when it began, since numbers are used again
Spent = Mapping[Process, tuple[str, float]]  # -> (program, CPU seconds so far)


def _cpu_seconds() -> Spent:
    """Every other process that may be looked at."""
    found = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            times = process.cpu_times()
            spent = times.user + times.system
            found[process.pid, process.create_time()] = (process.name(), spent)
    return {key: value for key, value in found.items() if key[0] != os.getpid()}


def _others(before: Spent, after: Spent, seconds: float) -> tuple[tuple[str, float], ...]:
    """Programs that kept at least BUSY of a core busy, the busiest first."""
    cores: dict[str, float] = {}
    for key, (name, spent) in after.items():
        earlier = before.get(key, (name, 0.0))[1]
        cores[name] = cores.get(name, 0.0) + (spent - earlier) / seconds
    busy = [(name, share) for name, share in cores.items() if share >= BUSY]
    return tuple(sorted(busy, key=lambda pair: -pair[1]))


def _clock_step(clock: Callable[[], float]) -> float:
    """The smallest step, in seconds, that readings in a row showed; infinite if it never moved."""
    readings = [clock() for _ in range(CLOCK_READINGS)]
    steps = [b - a for a, b in itertools.pairwise(readings)]
    return min((step for step in steps if step > 0), default=float("inf"))


def _slow_python() -> tuple[str, ...]:
    signs = {
        "a debug build": bool(sysconfig.get_config_var("Py_DEBUG")),
        "development mode (-X dev)": sys.flags.dev_mode,
        "a tracer or debugger": sys.gettrace() is not None,
        "a profiler": sys.getprofile() is not None,
    }
    return tuple(name for name, there in signs.items() if there)


def _nice() -> int:
    return 0 if sys.platform == "win32" else os.nice(0)


def _on_battery() -> bool:
    if not hasattr(psutil, "sensors_battery"):
        return False
    battery = psutil.sensors_battery()
    return battery is not None and battery.power_plugged is False
