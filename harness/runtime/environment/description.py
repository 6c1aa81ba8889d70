"""The whole description of a machine, and which parts of it make timings comparable."""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness import __version__
from harness.runtime.environment import cpu
from harness.runtime.environment.cgroups import quota_cpus
from harness.runtime.environment.disturbance import clock_source, load_average
from harness.runtime.environment.files import ROOT, read
from harness.runtime.environment.processors import affinity, cores, logical_cpus, physical_cores
from harness.runtime.environment.ram import memory
from harness.runtime.environment.versions import PACKAGES, commit, version

# timings of two runs can be compared when these are equal
COMPARABLE = (
    "cpu",
    "isa",
    "machine",
    "system",
    "cores",
    "affinity_cpus",
    "quota_cpus",
    "onnxruntime",
    "python_minor",
)


def describe(root: Path = ROOT) -> dict[str, Any]:
    """Flat, JSON-able; "" for a text and None for a number that cannot be read.

    Load, clock and free memory are those of the moment: of the beginning, in a run's record.
    """
    allowed, load = affinity(root), load_average(root)
    now, most = cpu.megahertz(root)
    return {
        "cpu": cpu.model(root),
        "isa": " ".join(cpu.isa(root)),
        "machine": platform.machine(),
        "system": platform.system(),
        "release": platform.release(),
        "virtual": cpu.virtual(root),
        "python": platform.python_version(),
        "python_minor": ".".join(platform.python_version_tuple()[:2]),
        "cores": cores(root),
        "logical_cpus": logical_cpus(root),
        "physical_cores": physical_cores(root),
        "hyperthreads": cpu.hyperthreads(root),
        "unlike_cores": cpu.unlike_cores(root),
        "numa_nodes": _numa_nodes(root),
        "affinity": ",".join(map(str, sorted(allowed))),
        "affinity_cpus": len(allowed),
        "quota_cpus": quota_cpus(root),
        "governor": cpu.governor(root),
        "turbo": cpu.turbo(root),
        "mhz": now,
        "mhz_max": most,
        "clock_source": clock_source(root),
        "load": None if math.isnan(load) else load,
        **memory(root),
        **{name: version(name) for name in PACKAGES},
        "harness": __version__,  # of this code; the index has another project of that name
        **commit(),
    }


def fingerprint(env: Mapping[str, Any]) -> str:
    """SHA-256 over what must be equal for timings of two runs to be comparable."""
    text = json.dumps([env.get(key) for key in COMPARABLE])
    return hashlib.sha256(text.encode()).hexdigest()


def different(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """(key, value in a, value in b) of each thing that makes their timings incomparable."""
    return [(key, a.get(key), b.get(key)) for key in COMPARABLE if a.get(key) != b.get(key)]


def _numa_nodes(root: Path) -> int | None:
    found = list((root / "sys/devices/system/node").glob("node[0-9]*"))
    held = [path for path in found if read(path / "cpulist")]  # a node of memory only has no CPUs
    return len(held) or None
