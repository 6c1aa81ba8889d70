"""How many threads can compute at once: affinity, physical cores, the quota of the cgroup."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil

from harness.runtime.environment.cgroups import quota_cpus
from harness.runtime.environment.files import ROOT, fields, processors, ranges, read


def cores(root: Path = ROOT) -> int:
    """How many threads can compute at once: physical cores that this process may use, and no more
    than its cgroup's CPU quota (rounded down, at least 1).
    """
    count = physical_cores(root)
    limit = quota_cpus(root)
    return count if limit is None else max(1, min(count, int(limit)))


def affinity(root: Path = ROOT) -> frozenset[int]:
    """The logical processors that this process may run on."""
    allowed = fields(read(root / "proc/self/status")).get("Cpus_allowed_list", "")
    if allowed:
        return frozenset(ranges(allowed))
    if sys.platform == "win32":
        return frozenset(psutil.Process().cpu_affinity() or ())
    return frozenset(range(os.cpu_count() or 1))


def physical_cores(root: Path = ROOT) -> int:
    """Physical cores among the processors of `affinity`: two hyperthreads of one count once."""
    allowed = affinity(root)
    found = {
        (block.get("physical id"), block["core id"])
        for block in processors(root)
        if "core id" in block and int(block["processor"]) in allowed
    }
    if found:
        return len(found)
    if processors(root):  # ARM and some virtual machines: no core ids, no hyperthreads shown
        return len(allowed)
    return min(len(allowed), psutil.cpu_count(logical=False) or len(allowed))


def logical_cpus(root: Path = ROOT) -> int:
    """The processors of the whole machine, also those that this process may not use."""
    return len(processors(root)) or os.cpu_count() or 1
