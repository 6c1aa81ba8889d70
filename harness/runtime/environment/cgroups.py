"""What the control groups of this process allow (v1 and v2): CPU time and memory, throttling."""

from __future__ import annotations

from pathlib import Path

from harness.runtime.environment.files import ROOT, number, read

V1_NO_LIMIT = 2**60  # memory.limit_in_bytes without a limit is LONG_MAX rounded down to a page


def quota_cpus(root: Path = ROOT) -> float | None:
    """CPUs per wall second that the cgroup (v2 or v1) and those above it allow; None: no limit."""
    limits = [_v2_quota(folder) for folder in _folders(root, "")]
    limits += [_v1_quota(folder) for folder in _folders(root, "cpu")]
    return min((limit for limit in limits if limit is not None), default=None)


def throttled_periods(root: Path = ROOT) -> int | None:
    """How often the cgroup's threads were stopped because its quota was used up; None: no quota."""
    found = [
        int(value)
        for folder in [*_folders(root, ""), *_folders(root, "cpu")]
        for key, _, value in (line.partition(" ") for line in read(folder / "cpu.stat").split("\n"))
        if key == "nr_throttled"
    ]
    return max(found) if found and quota_cpus(root) is not None else None


def memory_limit(root: Path = ROOT) -> int | None:
    """Bytes that the cgroup and those above it allow; None: no limit."""
    return min((limit for limit, _ in _memory(root)), default=None)


def memory_left(root: Path = ROOT) -> int | None:
    """Bytes that the fullest of them still has before its limit; None: no limit."""
    return min((max(0, limit - used) for limit, used in _memory(root)), default=None)


def _v2_quota(folder: Path) -> float | None:
    quota, _, period = read(folder / "cpu.max").partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period else None


def _v1_quota(folder: Path) -> float | None:
    quota = read(folder / "cpu.cfs_quota_us")
    period = read(folder / "cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None  # -1: none


def _memory(root: Path) -> list[tuple[int, int]]:
    """(limit, used) in bytes of each group that has a limit; used includes the page cache."""
    names = {"": ("memory.max", "memory.current")}
    names["memory"] = ("memory.limit_in_bytes", "memory.usage_in_bytes")
    found = []
    for controller, (limit, used) in names.items():
        for folder in _folders(root, controller):
            most = number(read(folder / limit))
            if most is not None and most < V1_NO_LIMIT:
                found.append((most, number(read(folder / used)) or 0))
    return found


def _folders(root: Path, controller: str) -> list[Path]:
    """The process's cgroup folder and all above it; in a container the path in /proc may be the
    host's, so that only the mount itself is there. `controller` "" means v2.
    """
    mount = root / "sys/fs/cgroup"
    for line in read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller not in controllers.split(","):
            continue
        base = mount / controllers if controller else mount
        inside = Path(path.lstrip("/"))
        return [base / part for part in (inside, *inside.parents) if ".." not in part.parts]
    return []
