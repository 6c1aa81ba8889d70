"""What disturbs a measurement while it runs: stolen time and load; and the kernel's clock."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.runtime.environment.files import ROOT, read


@dataclass(frozen=True)
class CpuTimes:
    """Jiffies of all processors since boot, NaN where they cannot be read."""

    steal: float
    total: float

    def share_since(self, before: CpuTimes) -> float:
        """Share of CPU time that the hypervisor gave to others since `before`, 0 to 1 or NaN."""
        total = self.total - before.total
        return (self.steal - before.steal) / total if total > 0 else float("nan")


def read_steal(root: Path = ROOT) -> CpuTimes:
    """proc(5): user nice system idle iowait irq softirq steal; guest time is in user already."""
    first = read(root / "proc/stat").partition("\n")[0].split()
    if len(first) < 9 or first[0] != "cpu":
        return CpuTimes(float("nan"), float("nan"))
    jiffies = [float(number) for number in first[1:9]]
    return CpuTimes(steal=jiffies[7], total=sum(jiffies))


def load_average(root: Path = ROOT) -> float:
    """Runnable processes over the last minute; NaN on Windows, which counts none."""
    first = read(root / "proc/loadavg").partition(" ")[0]
    if first:
        return float(first)
    if sys.platform == "win32":
        return float("nan")
    return os.getloadavg()[0]


def clock_source(root: Path = ROOT) -> str:
    """What the kernel tells the time by: tsc, kvm-clock, hpet ...; "" where it cannot be read."""
    return read(root / "sys/devices/system/clocksource/clocksource0/current_clocksource")
