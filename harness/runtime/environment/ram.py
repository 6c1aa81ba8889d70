"""Memory: what the machine has and has left, swap, and what this process holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import psutil

from harness.runtime.environment.cgroups import memory_left, memory_limit
from harness.runtime.environment.files import ROOT, chosen, fields, read


def memory(root: Path = ROOT) -> dict[str, Any]:
    """Bytes: in all, free for use now (no more than the cgroup leaves), swap and how much is used.

    `huge_pages`: whether the kernel backs large arrays with 2 MB pages, which moves timings by
    some percent (always | madvise | never, "" where it cannot be read).
    """
    seen, swap = _meminfo(root)
    limit, left = memory_limit(root), memory_left(root)
    return {
        "memory_bytes": seen[0],
        "memory_limit_bytes": limit,
        "memory_available_bytes": seen[1] if left is None else min(seen[1], left),
        "swap_bytes": swap[0],
        "swap_used_bytes": swap[1],
        "huge_pages": chosen(read(root / "sys/kernel/mm/transparent_hugepage/enabled")),
    }


def _meminfo(root: Path) -> tuple[tuple[int, int], tuple[int, int]]:
    """((total, available), (swap, swap used)): /proc/meminfo, psutil where there is none."""
    lines = fields(read(root / "proc/meminfo"))
    names = ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")
    if all(name in lines for name in names):
        total, available, swap, free = (int(lines[name].split()[0]) * 1024 for name in names)
        return (total, available), (swap, swap - free)
    here, paged = psutil.virtual_memory(), psutil.swap_memory()
    return (int(here.total), int(here.available)), (int(paged.total), int(paged.used))


def rss_bytes() -> int:
    """Resident memory of this process now."""
    return int(psutil.Process().memory_info().rss)


def peak_rss_bytes(root: Path = ROOT) -> int:
    """Largest resident memory of this process so far.

    Linux: VmHWM, because ru_maxrss of a fresh child begins at its parent's size.
    """
    high = fields(read(root / "proc/self/status")).get("VmHWM", "")
    if high:
        return int(high.split()[0]) * 1024
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
