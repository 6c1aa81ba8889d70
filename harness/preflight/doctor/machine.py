"""What in the machine itself disturbs: processor, cores and quota, clock, memory, power."""

from __future__ import annotations

from collections.abc import Iterator

from harness.preflight.doctor.facts import Facts
from harness.preflight.doctor.finding import Finding, note, warning

VNNI = frozenset({"avx512_vnni", "avx_vnni", "avx_vnni_int8", "amx_int8"})
DOT = frozenset({"asimddp", "i8mm", "sme"})
X86 = ("x86_64", "amd64", "i686", "x86")
ARM = ("aarch64", "arm64")
GOOD_CLOCKS = ("tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter", "")
LITTLE_BYTES = 4e9  # nine processes of Whisper base in FP32 and INT8
SWAP_BYTES = 50e6


def saturates(facts: Facts) -> bool:
    """Whether INT8 kernels here add products of 8-bit weights in 16 bits: x86 without VNNI.

    Windows tells nobody of VNNI: False there (`instructions` says so).
    """
    isa = set(str(facts.machine.get("isa") or "").split())
    x86 = str(facts.machine.get("machine")).lower() in X86
    return x86 and bool(isa) and not isa & VNNI and facts.machine.get("system") != "Windows"


def instructions(facts: Facts) -> Iterator[Finding]:
    """No fast INT8 product."""
    isa = set(str(facts.machine.get("isa") or "").split())
    kind = str(facts.machine.get("machine")).lower()
    if saturates(facts):
        yield note(
            "no VNNI",
            "The processor has no VNNI instructions.",
            "INT8 products of signed 8-bit weights are added in 16 bits and saturate: WER rises, "
            "most of all with per_channel; and INT8 gains less time than on a CPU with VNNI.",
            "Quantize with reduce_range: true (or weight_type: uint8), and compare latencies with "
            "machines of the same ISA only.",
        )
    elif kind in X86 and facts.machine.get("system") == "Windows" and not isa & VNNI:
        yield note(
            "VNNI unknown",
            "Windows does not tell whether the processor has VNNI.",
            "Without it 8-bit weights saturate in INT8 products, most of all with per_channel.",
            "Look the model up; if in doubt, quantize with reduce_range: true.",
        )
    elif kind in ARM and isa and not isa & DOT:
        yield note(
            "no dot product",
            "The processor has no INT8 dot-product instructions (asimddp, i8mm).",
            "INT8 may be no faster than FP32 here.",
            "Judge speed on a processor like the one that the model will run on.",
        )


def quota(facts: Facts) -> Iterator[Finding]:
    """A CPU quota that is smaller than the processors shown, or not whole."""
    limit, allowed = facts.machine.get("quota_cpus"), facts.machine.get("affinity_cpus")
    if limit is None or not allowed:
        return
    fraction = float(limit) != int(limit)
    if float(limit) < float(allowed):
        yield warning(
            "quota below affinity",
            f"The container shows {allowed} processors and may use {limit:g} of them on average.",
            "Programs start a thread per processor; once the quota of a period (mostly 100 ms) is "
            "spent, all of them stand still until the next one: a tail that is not the model's.",
            "Pin processors instead of a share (docker run --cpuset-cpus=0-1 in place of --cpus), "
            "or write intra_op_num_threads: cores in the sessions.",
        )
    if fraction:
        yield warning(
            "fractional quota",
            f"The CPU quota is {limit:g}, not a whole number.",
            "Whatever the number of threads, either a part of the quota is left or threads stop.",
            f"Ask for a whole number of processors ({max(1, int(limit))} or {int(limit) + 1}).",
        )
    if facts.throttled_now:
        yield warning(
            "throttled",
            f"The quota stopped this process {facts.throttled_now} times in the last seconds"
            f" ({facts.throttled} in all).",
            "Each stop lasts up to a period, mostly 100 ms, and falls on some call or other.",
            "Pin processors instead of a quota, or use fewer threads than the quota has CPUs.",
        )


def cores(facts: Facts) -> Iterator[Finding]:
    """Hyperthreads, unlike cores, several memory nodes."""
    allowed, physical = facts.machine.get("affinity_cpus"), facts.machine.get("physical_cores")
    if allowed and physical and allowed > physical:
        yield note(
            "hyperthreads",
            f"{allowed} processors are {physical} cores: two hyperthreads share one.",
            "A thread is faster or slower by what its sibling does, also if that is another user.",
            "Keep to one thread per core (`taskset` one of each pair; `cores` in sessions counts "
            "cores), or switch SMT off in the firmware.",
        )
    if facts.machine.get("unlike_cores"):
        yield note(
            "unlike cores",
            "The processor mixes fast and slow cores.",
            "The system moves threads between them, and the same call takes two different times.",
            "Pin the run to cores of one kind (`taskset`; on macOS keep it in the foreground).",
        )
    nodes = facts.machine.get("numa_nodes")
    if nodes and nodes > 1:
        yield note(
            "NUMA",
            f"The machine has {nodes} memory nodes.",
            "Threads that reach for memory of the other node wait longer, by where they happen to "
            "be started.",
            "Run inside one node: `numactl --cpunodebind=0 --membind=0 harness run ...`.",
        )


def clock_speed(facts: Facts) -> Iterator[Finding]:
    """Governor and turbo."""
    governor = facts.machine.get("governor")
    if governor not in ("performance", "", None):
        yield warning(
            "governor",
            f"The clock is governed by `{governor}`.",
            "The clock rises only after work has begun, so that first calls and short calls are "
            "slower, by what ran before them.",
            "`sudo cpupower frequency-set -g performance` while you measure.",
        )
    if facts.machine.get("turbo") == "on":
        yield note(
            "turbo",
            "Turbo (boost) is on.",
            "The clock depends on heat and on how many cores work: a run slows down as it warms "
            "up.",
            "Leave it on if it is on where the model will run; for the steadiest figures write 1 "
            "to intel_pstate/no_turbo or 0 to cpufreq/boost under /sys/devices/system/cpu.",
        )


def host(facts: Facts) -> Iterator[Finding]:
    """A virtual machine and what its host takes."""
    steal = facts.steal
    if steal > 0.01:
        yield warning(
            "stolen time",
            f"The hypervisor took {steal:.0%} of the CPU time during the trial.",
            "Neighbours on the host compute in our time; blocks that lose over 5 % are marked in "
            "the report.",
            "Measure at another hour, or on an instance with CPUs of its own (dedicated, not "
            "burstable).",
        )
    elif facts.machine.get("virtual"):
        yield note(
            "virtual machine",
            "This is a virtual machine.",
            "Neighbours on the host come and go unseen: they share caches, memory and clock, also "
            "where no time is stolen.",
            "Trust ratios within this run more than milliseconds; an A/A twin is measured in each.",
        )


def memory(facts: Facts) -> Iterator[Finding]:
    """Little memory, swap in use."""
    left, used = facts.machine.get("memory_available_bytes"), facts.machine.get("swap_used_bytes")
    if left is not None and left < LITTLE_BYTES:
        yield warning(
            "little memory",
            f"{left / 1e9:.1f} GB of memory are free for use.",
            "Each variant and session is a process with its own copy of the model (0.7 to 1.2 GB "
            "for Whisper base in FP32); what does not fit is swapped or killed.",
            "Close other programs, raise the container's limit, or sweep fewer sessions.",
        )
    if used and used > SWAP_BYTES:
        yield warning(
            "swap",
            f"{used / 1e9:.1f} GB are swapped out.",
            "Pages that come back from disk in the middle of a call make tails of seconds.",
            "Free memory, then `sudo swapoff -a && sudo swapon -a`.",
        )


def power(facts: Facts) -> Iterator[Finding]:
    """Running on a battery."""
    if facts.on_battery:
        yield warning(
            "battery",
            "The machine runs on its battery.",
            "To save power the clock is held down, the more the emptier it is.",
            "Plug it in.",
        )


def clock_source(facts: Facts) -> Iterator[Finding]:
    """A clock that is slow to read or coarse."""
    source, step = str(facts.machine.get("clock_source") or ""), facts.clock_step_seconds
    if source not in GOOD_CLOCKS:
        yield (warning if source in ("hpet", "acpi_pm", "jiffies") else note)(
            "clock source",
            f"The kernel tells the time by `{source}`.",
            "Reading it takes about a microsecond or more, and all cores queue for it; the kernel "
            "falls back to it when it no longer trusts the processor's own counter.",
            "Boot with clocksource=tsc tsc=reliable if the processor's counter is sound, or change "
            "the machine.",
        )
    if step > 1e-6:
        shown = f"{step * 1e6:.0f} microseconds" if step < 1 else "more than a second"
        yield (warning if step > 1e-4 else note)(
            "coarse clock",
            f"The clock moves in steps of {shown}.",
            "Parts of a call that are not much longer are measured in whole steps.",
            "Trust no figure below a hundred steps; another system or clock source may be finer.",
        )


RULES = (
    instructions, quota, cores, clock_speed, host, memory, power, clock_source,
)  # fmt: skip
