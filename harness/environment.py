"""The machine as a witness: CPU and ISA, cores and quota, governor, versions, commit, steal, load.

Files are read below a `root`, so that tests bring a tree of their own. Nothing here names the
host, the user or a folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

ROOT = Path("/")
PACKAGES = (
    "onnxruntime",
    "onnx",
    "numpy",
    "pandas",
    "scipy",
    "jiwer",
    "datasets",
    "soundfile",
    "tokenizers",
    "harness",
)
# what INT8 kernels choose by: x86 names as in /proc/cpuinfo, then ARM's
ISA = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx_vnni",
    "avx_vnni_int8",
    "amx_int8",
    "asimddp",
    "i8mm",
    "sve",
    "sme",
)
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


# ------------------------------------------------------------------------------------------ cores
def cores(root: Path = ROOT) -> int:
    """How many threads can compute at once: physical cores that this process may use, and no more
    than its cgroup's CPU quota (rounded down, at least 1).
    """
    count = physical_cores(root)
    limit = quota_cpus(root)
    return count if limit is None else max(1, min(count, int(limit)))


def affinity(root: Path = ROOT) -> frozenset[int]:
    """The logical processors that this process may run on."""
    allowed = _fields(_read(root / "proc/self/status")).get("Cpus_allowed_list", "")
    if allowed:
        return frozenset(_ranges(allowed))
    if sys.platform == "win32":
        return frozenset(psutil.Process().cpu_affinity() or ())
    return frozenset(range(os.cpu_count() or 1))


def physical_cores(root: Path = ROOT) -> int:
    """Physical cores among the processors of `affinity`: two hyperthreads of one count once."""
    allowed = affinity(root)
    found = {
        (block.get("physical id"), block["core id"])
        for block in _processors(root)
        if "core id" in block and int(block["processor"]) in allowed
    }
    if found:
        return len(found)
    if _processors(root):  # ARM and some virtual machines: no core ids, no hyperthreads shown
        return len(allowed)
    return min(len(allowed), psutil.cpu_count(logical=False) or len(allowed))


def quota_cpus(root: Path = ROOT) -> float | None:
    """CPUs per wall second that the cgroup (v2 or v1) and those above it allow; None: no limit."""
    limits = [_v2_quota(folder) for folder in _cgroup_folders(root, "")]
    limits += [_v1_quota(folder) for folder in _cgroup_folders(root, "cpu")]
    return min((limit for limit in limits if limit is not None), default=None)


def _v2_quota(folder: Path) -> float | None:
    quota, _, period = _read(folder / "cpu.max").partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period else None


def _v1_quota(folder: Path) -> float | None:
    quota = _read(folder / "cpu.cfs_quota_us")
    period = _read(folder / "cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None  # -1: none


def _cgroup_folders(root: Path, controller: str) -> list[Path]:
    """The process's cgroup folder and all above it; in a container the path in /proc may be the
    host's, so that only the mount itself is there. `controller` "" means v2.
    """
    mount = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller not in controllers.split(","):
            continue
        base = mount / controllers if controller else mount
        inside = Path(path.lstrip("/"))
        return [base / part for part in (inside, *inside.parents) if ".." not in part.parts]
    return []


# ------------------------------------------------------------------------------------- what it is
def describe(root: Path = ROOT) -> dict[str, Any]:
    """Flat, JSON-able; "" for a text and None for a number that cannot be read."""
    allowed = affinity(root)
    return {
        "cpu": _cpu_model(root),
        "isa": " ".join(_isa(root)),
        "machine": platform.machine(),
        "system": platform.system(),
        "release": platform.release(),
        "python": platform.python_version(),
        "python_minor": ".".join(platform.python_version_tuple()[:2]),
        "cores": cores(root),
        "logical_cpus": len(_processors(root)) or os.cpu_count(),
        "physical_cores": physical_cores(root),
        "affinity": ",".join(map(str, sorted(allowed))),
        "affinity_cpus": len(allowed),
        "quota_cpus": quota_cpus(root),
        "governor": _read(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "turbo": _turbo(root),
        "memory_bytes": psutil.virtual_memory().total,
        **{name: version(name) for name in PACKAGES},
        **_commit(),
    }


def fingerprint(env: Mapping[str, Any]) -> str:
    """SHA-256 over what must be equal for timings of two runs to be comparable."""
    text = json.dumps([env.get(key) for key in COMPARABLE])
    return hashlib.sha256(text.encode()).hexdigest()


def different(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """(key, value in a, value in b) of each thing that makes their timings incomparable."""
    return [(key, a.get(key), b.get(key)) for key in COMPARABLE if a.get(key) != b.get(key)]


def onnxruntime_version() -> str:
    """Read from the package's metadata where that is there, since importing takes long."""
    found = version("onnxruntime")
    if found:
        return found
    import onnxruntime  # builds under another name, such as onnxruntime-openvino

    return str(onnxruntime.__version__)


def version(package: str) -> str:
    """The installed version of a package, "" where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _cpu_model(root: Path) -> str:
    for block in _processors(root):
        if "model name" in block:
            return block["model name"]
        if "CPU part" in block:  # ARM gives numbers only
            return f"ARM implementer {block.get('CPU implementer')} part {block['CPU part']}"
    if sys.platform == "darwin":
        return _run("sysctl", "-n", "machdep.cpu.brand_string")
    return platform.processor()


def _isa(root: Path) -> list[str]:
    for block in _processors(root):
        flags = block.get("flags") or block.get("Features")
        if flags:
            return [name for name in ISA if name in flags.split()]
    if sys.platform == "darwin":
        return _mac_isa()
    return _windows_isa() if sys.platform == "win32" else []


def _mac_isa() -> list[str]:
    names = {"FEAT_DotProd: 1": "asimddp", "FEAT_I8MM: 1": "i8mm", "AVX2": "avx2"}
    names |= {"AVX512F": "avx512f", "AVX512VNNI": "avx512_vnni"}
    said = _run("sysctl", "hw.optional.arm", "machdep.cpu.leaf7_features")
    return [name for text, name in names.items() if re.search(rf"\b{text}\b", said)]


def _windows_isa() -> list[str]:
    """IsProcessorFeaturePresent; winnt.h has no number for VNNI or AMX."""
    found: list[str] = []
    if sys.platform == "win32":
        import ctypes

        numbers = {40: "avx2", 41: "avx512f", 43: "asimddp"}
        present = ctypes.windll.kernel32.IsProcessorFeaturePresent
        found = [name for number, name in numbers.items() if present(number)]
    return found


def _turbo(root: Path) -> str:
    cpu = root / "sys/devices/system/cpu"
    no_turbo = _read(cpu / "intel_pstate/no_turbo")
    if no_turbo:
        return "off" if no_turbo == "1" else "on"
    return {"0": "off", "1": "on"}.get(_read(cpu / "cpufreq/boost"), "")


def _commit() -> dict[str, Any]:
    """The commit of this package's own code, if it lies in a git checkout that tracks it; dirty
    tells of its folder only, since a run writes reports beside it.
    """
    here = Path(__file__).parent
    tracked = _run("git", "-C", str(here), "ls-files", "--error-unmatch", "__init__.py")
    if not tracked:
        return {"commit": "", "dirty": None}
    commit = _run("git", "-C", str(here), "rev-parse", "HEAD")
    changed = _run(
        "git", "--no-optional-locks", "-C", str(here), "status", "--porcelain", "--", "."
    )
    return {"commit": commit, "dirty": bool(changed)}


def _run(*command: str) -> str:
    """A program's output, "" where there is no such program or it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


# ------------------------------------------------------------------------------- what disturbs it
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
    first = _read(root / "proc/stat").partition("\n")[0].split()
    if len(first) < 9 or first[0] != "cpu":
        return CpuTimes(float("nan"), float("nan"))
    jiffies = [float(number) for number in first[1:9]]
    return CpuTimes(steal=jiffies[7], total=sum(jiffies))


def load_average() -> float:
    """Runnable processes over the last minute; NaN on Windows, which counts none."""
    if sys.platform == "win32":
        return float("nan")
    return os.getloadavg()[0]


def rss_bytes() -> int:
    """Resident memory of this process now."""
    return int(psutil.Process().memory_info().rss)


def peak_rss_bytes(root: Path = ROOT) -> int:
    """Largest resident memory of this process so far.

    Linux: VmHWM, because ru_maxrss of a fresh child begins at its parent's size.
    """
    high = _fields(_read(root / "proc/self/status")).get("VmHWM", "")
    if high:
        return int(high.split()[0]) * 1024
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


# ------------------------------------------------------------------------------------ small files
def _read(path: Path) -> str:
    """A file's text without blanks around it, "" where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _fields(text: str) -> dict[str, str]:
    """`key: value` lines."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _processors(root: Path) -> list[dict[str, str]]:
    blocks = _read(root / "proc/cpuinfo").split("\n\n")
    return [fields for fields in map(_fields, blocks) if "processor" in fields]


def _ranges(text: str) -> list[int]:
    """Linux's list format: "0-2,5" is 0, 1, 2, 5."""
    numbers: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers
