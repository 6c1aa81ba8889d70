"""The processor: model, the instructions that INT8 kernels choose by, how its clock is governed."""

from __future__ import annotations

import platform
import re
import sys
from pathlib import Path

import psutil

from harness.runtime.environment.files import CPUS, ROOT, number, processors, read, run

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
VIRTUAL = "hypervisor"  # CPUID leaf 1, ECX bit 31: set by the hypervisor, 0 on hardware


def model(root: Path = ROOT) -> str:
    """As the vendor writes it; ARM gives numbers only."""
    for block in processors(root):
        if "model name" in block:
            return block["model name"]
        if "CPU part" in block:
            return f"ARM implementer {block.get('CPU implementer')} part {block['CPU part']}"
    if sys.platform == "darwin":
        return run("sysctl", "-n", "machdep.cpu.brand_string")
    return platform.processor()


def isa(root: Path = ROOT) -> list[str]:
    """Those of ISA that this processor has and the system shows."""
    flags = _flags(root)
    if flags:
        return [name for name in ISA if name in flags]
    if sys.platform == "darwin":
        return _mac_isa()
    return _windows_isa() if sys.platform == "win32" else []


def virtual(root: Path = ROOT) -> bool | None:
    """Whether a hypervisor lies below; None where that cannot be read (ARM without DMI ...)."""
    flags = _flags(root)
    if VIRTUAL in flags or read(root / "sys/hypervisor/type"):
        return True
    if "fpu" in flags:  # an x86 line of flags, without the bit
        return False
    if sys.platform == "darwin" and not flags:
        return {"1": True, "0": False}.get(run("sysctl", "-n", "kern.hv_vmm_present"))
    return None


def governor(root: Path = ROOT) -> str:
    """The kernel's policy for the clock of processor 0; "" in most virtual machines."""
    return read(root / CPUS / "cpu0/cpufreq/scaling_governor")


def turbo(root: Path = ROOT) -> str:
    """on | off | "" where it cannot be read."""
    cpus = root / CPUS
    no_turbo = read(cpus / "intel_pstate/no_turbo")
    if no_turbo:
        return "off" if no_turbo == "1" else "on"
    return {"0": "off", "1": "on"}.get(read(cpus / "cpufreq/boost"), "")


def hyperthreads(root: Path = ROOT) -> bool | None:
    """Whether processors share cores; None where the kernel does not say."""
    return {"1": True, "0": False}.get(read(root / CPUS / "smt/active"))


def unlike_cores(root: Path = ROOT) -> bool:
    """Whether fast and slow cores are mixed (Intel hybrid, ARM big.LITTLE, Apple)."""
    if sys.platform == "darwin" and not processors(root):
        return (number(run("sysctl", "-n", "hw.nperflevels")) or 1) > 1
    kinds = {read(path) for path in (root / CPUS).glob("cpu[0-9]*/cpu_capacity")} - {""}
    hybrid = all((root / "sys/devices" / name).exists() for name in ("cpu_core", "cpu_atom"))
    return hybrid or len(kinds) > 1


def megahertz(root: Path = ROOT) -> tuple[float | None, float | None]:
    """(now, at most) of processor 0; None where it cannot be read."""
    if sys.platform in ("darwin", "win32") and not processors(root):
        seen = psutil.cpu_freq()
        return (seen.current or None, seen.max or None) if seen else (None, None)
    folder = root / CPUS / "cpu0/cpufreq"
    now = number(read(folder / "scaling_cur_freq"))
    most = number(read(folder / "cpuinfo_max_freq"))
    if now is None:  # virtual machines show the clock here, as the host had it at boot
        shown = (block.get("cpu MHz", "") for block in processors(root))
        return next((float(text) for text in shown if text), None), most and most / 1000
    return now / 1000, most and most / 1000


def _flags(root: Path) -> frozenset[str]:
    for block in processors(root):
        found = block.get("flags") or block.get("Features")
        if found:
            return frozenset(found.split())
    return frozenset()


def _mac_isa() -> list[str]:
    names = {"FEAT_DotProd: 1": "asimddp", "FEAT_I8MM: 1": "i8mm", "AVX2": "avx2"}
    names |= {"AVX512F": "avx512f", "AVX512VNNI": "avx512_vnni"}
    said = run("sysctl", "hw.optional.arm", "machdep.cpu.leaf7_features")
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
