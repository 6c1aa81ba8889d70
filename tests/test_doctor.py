"""The doctor: invented machines in, findings out; and what the trial makes of known series."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import spec
from harness.app import cli
from harness.preflight import doctor
from harness.preflight.doctor import Facts, Trial
from harness.preflight.doctor.trial import CALLS, ROUNDS, run
from harness.runtime import environment

CPUS = "sys/devices/system/cpu"
CLOCK = "sys/devices/system/clocksource/clocksource0/current_clocksource"
V2 = {"proc/self/cgroup": "0::/box\n"}
BOX = "sys/fs/cgroup/box"
QUIET = Trial(cv=0.01, lag1=0.1, blocks=0.01, reach=0.004, rounds=20)
ISA = "fpu avx2 avx512f avx512_vnni"


def machine(root: Path, isa: str = ISA, threads: int = 1, **files: str) -> Path:
    """Two x86 cores with `threads` each, 16 GB, load 0.1, nothing that disturbs; `files` on top."""
    processors = [
        f"processor\t: {n}\nmodel name\t: Some CPU\nphysical id\t: 0\n"
        f"core id\t\t: {n // threads}\nflags\t\t: {isa}"
        for n in range(2 * threads)
    ]
    tree = {
        "proc/cpuinfo": "\n\n".join(processors),
        "proc/self/status": f"Cpus_allowed_list:\t0-{2 * threads - 1}\n",
        "proc/loadavg": "0.10 0.20 0.30 1/100 12345\n",
        "proc/meminfo": meminfo(available=15e9, swapped=0),
        CLOCK: "tsc\n",
        f"{CPUS}/cpu0/cpufreq/scaling_governor": "performance\n",
        f"{CPUS}/intel_pstate/no_turbo": "1\n",
        **files,
    }
    for name, text in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def meminfo(available: float, swapped: float) -> str:
    sizes = {"MemTotal": 16e9, "MemAvailable": available, "SwapTotal": 4e9}
    sizes["SwapFree"] = 4e9 - swapped
    return "".join(f"{name}: {int(size / 1024)} kB\n" for name, size in sizes.items())


def facts(root: Path, **now: Any) -> Facts:
    """An x86 Linux with this tree; `now` is what is not read from files."""
    described = environment.describe(root)
    fixed = {"machine": "x86_64", "system": "Linux", "onnxruntime": "1.31.1", "dirty": False}
    return replace(Facts({**described, **fixed}, trial=QUIET), **now)


def found(facts: Facts) -> dict[str, str]:
    return {finding.name: finding.severity for finding in doctor.examine(facts)}


@pytest.mark.parametrize(
    ("files", "findings"),
    [
        ({}, {}),
        ({"proc/loadavg": "1.30 0.2 0.3 1/100 1\n"}, {"load": "warning"}),
        ({"proc/loadavg": "1.00 0.2 0.3 1/100 1\n"}, {}),  # half of each core is still nothing
        ({**V2, f"{BOX}/cpu.max": "200000 100000\n"}, {}),
        ({**V2, f"{BOX}/cpu.max": "100000 100000\n"}, {"quota below affinity": "warning"}),
        (
            {**V2, f"{BOX}/cpu.max": "150000 100000\n"},
            {"quota below affinity": "warning", "fractional quota": "warning"},
        ),
        ({**V2, f"{BOX}/cpu.max": "250000 100000\n"}, {"fractional quota": "warning"}),
        ({f"{CPUS}/cpu0/cpufreq/scaling_governor": "powersave\n"}, {"governor": "warning"}),
        ({f"{CPUS}/cpu0/cpufreq/scaling_governor": ""}, {}),  # a virtual machine shows none
        ({f"{CPUS}/intel_pstate/no_turbo": "0\n"}, {"turbo": "note"}),
        ({CLOCK: "hpet\n"}, {"clock source": "warning"}),
        ({CLOCK: "acpi_pm\n"}, {"clock source": "warning"}),
        ({CLOCK: "xen\n"}, {"clock source": "note"}),
        ({CLOCK: "kvm-clock\n"}, {}),
        ({"proc/meminfo": meminfo(available=2e9, swapped=0)}, {"little memory": "warning"}),
        ({"proc/meminfo": meminfo(available=9e9, swapped=1e9)}, {"swap": "warning"}),
        (
            {**V2, f"{BOX}/memory.max": "3000000000\n", f"{BOX}/memory.current": "1000000000\n"},
            {"little memory": "warning"},  # 15 GB are free, but not for this container
        ),
        ({**V2, f"{BOX}/memory.max": "max\n"}, {}),
        ({"sys/devices/cpu_core/x": "", "sys/devices/cpu_atom/x": ""}, {"unlike cores": "note"}),
        (
            {f"sys/devices/system/node/node{n}/cpulist": f"{n}\n" for n in (0, 1)},
            {"NUMA": "note"},
        ),
        ({"sys/hypervisor/type": "xen\n"}, {"virtual machine": "note"}),
    ],
)
def test_what_disturbs_is_found_and_nothing_else(
    tmp_path: Path, files: dict[str, str], findings: dict[str, str]
) -> None:
    assert found(facts(machine(tmp_path, **files))) == findings


@pytest.mark.parametrize(
    ("isa", "findings"),
    [
        ("fpu avx2", {"no VNNI": "note"}),
        ("fpu avx2 avx512f", {"no VNNI": "note"}),
        ("fpu avx2 avx_vnni", {}),
        ("fpu avx2 avx512_vnni hypervisor", {"virtual machine": "note"}),
    ],
)
def test_the_instructions_for_int8_are_looked_at(
    tmp_path: Path, isa: str, findings: dict[str, str]
) -> None:
    assert found(facts(machine(tmp_path, isa))) == findings


def test_an_arm_without_dot_product_is_told(tmp_path: Path) -> None:
    seen = facts(machine(tmp_path))
    for isa, findings in (("sve", {"no dot product": "note"}), ("asimddp", {})):
        arm = {**seen.machine, "machine": "aarch64", "isa": isa}
        assert found(replace(seen, machine=arm)) == findings


def test_hyperthreads_are_told(tmp_path: Path) -> None:
    assert found(facts(machine(tmp_path, threads=2))) == {"hyperthreads": "note"}


@pytest.mark.parametrize(
    ("now", "findings"),
    [
        ({"steal": 0.03}, {"stolen time": "warning"}),
        ({"steal": 0.005}, {}),
        ({"steal": math.nan}, {}),
        ({"variables": ("OMP_NUM_THREADS",)}, {"variables": "warning"}),
        ({"slow_python": ("a debug build",)}, {"slow Python": "warning"}),
        ({"nice": 10}, {"nice": "warning"}),
        ({"on_battery": True}, {"battery": "warning"}),
        ({"clock_step_seconds": 15.6e-3}, {"coarse clock": "warning"}),  # Windows' old timer
        ({"clock_step_seconds": 2e-6}, {"coarse clock": "note"}),
        ({"clock_step_seconds": math.inf}, {"coarse clock": "warning"}),  # it never moved
        ({"others": (("updatedb", 0.8),)}, {"busy programs": "warning"}),
        ({"trial": replace(QUIET, reach=0.12)}, {"unsteady": "warning"}),
        ({"trial": replace(QUIET, lag1=0.76)}, {"calls alike": "note"}),
        ({"trial": Trial.nothing()}, {}),
    ],
)
def test_the_state_of_the_moment_is_looked_at(
    tmp_path: Path, now: dict[str, Any], findings: dict[str, str]
) -> None:
    assert found(facts(machine(tmp_path), **now)) == findings


@pytest.mark.parametrize(
    ("version", "findings"),
    [
        ("1.23.0", {}),
        ("1.31.9", {}),
        ("1.22.1", {"onnxruntime": "warning"}),
        ("1.32.0", {"onnxruntime": "warning"}),
        ("", {}),
    ],
)
def test_an_onnxruntime_that_the_option_table_does_not_describe_is_told(
    tmp_path: Path, version: str, findings: dict[str, str]
) -> None:
    seen = facts(machine(tmp_path))
    assert found(replace(seen, machine={**seen.machine, "onnxruntime": version})) == findings


def test_a_quota_that_stopped_the_trial_is_told(tmp_path: Path) -> None:
    root = machine(tmp_path, **V2, **{f"{BOX}/cpu.max": "200000 100000\n"})
    assert found(facts(root, throttled=40, throttled_now=0)) == {}
    assert found(facts(root, throttled=40, throttled_now=3)) == {"throttled": "warning"}


def test_every_finding_says_what_why_and_what_to_do(tmp_path: Path) -> None:
    """All at once: one machine that has everything."""
    files = {**V2, f"{BOX}/cpu.max": "150000 100000\n", "proc/loadavg": "9 9 9 1/1 1\n"}
    files |= {CLOCK: "hpet\n", "proc/meminfo": meminfo(1e9, 2e9)}
    now = {"steal": 0.2, "variables": ("OMP_NUM_THREADS",), "on_battery": True, "nice": 5}
    now |= {"trial": replace(QUIET, reach=0.2, lag1=0.9), "throttled_now": 4}
    findings = doctor.examine(facts(machine(tmp_path, "avx2", 2, **files), **now))
    assert len(findings) >= 12
    for finding in findings:
        assert all(text.endswith(".") for text in (finding.what, finding.why)), finding
        assert min(len(finding.what), len(finding.why), len(finding.mend)) > 10
    order = [finding.severity for finding in findings]
    assert order == sorted(order, reverse=True)  # warnings first


# ---------------------------------------- experiments
EXPERIMENT = """
name: x
model: {{family: whisper, source: {{asset: whisper-base}}, language: es}}
variants:
  - {{name: fp32}}
  - {{name: int8, quantize: {quantize}}}
baseline: fp32
sessions:
  - {{name: default}}
  - {{name: many, intra_op_num_threads: {threads}}}
latency: {{audio_seconds: [5]}}
quality:
  - dataset: {{use: common_voice, path: data, split: test}}
    metrics: [wer]
    normaliser: spanish
gates: [{{metric: size_mb, max: 110}}]
"""


def experiment(tmp_path: Path, quantize: str, threads: int = 2) -> spec.Experiment:
    (tmp_path / "data").mkdir(exist_ok=True)
    return spec.parse(EXPERIMENT.format(quantize=quantize, threads=threads), tmp_path / "x.yaml")


@pytest.mark.parametrize(
    ("isa", "quantize", "severity"),
    [
        ("fpu avx2", "{use: dynamic_int8, per_channel: true}", "warning"),
        ("fpu avx2", "{use: dynamic_int8}", "note"),
        ("fpu avx2", "{use: dynamic_int8, per_channel: true, reduce_range: true}", None),
        ("fpu avx2", "{use: dynamic_int8, per_channel: true, weight_type: uint8}", None),
        ("fpu avx2", "{use: dynamic_int8, op_types: [Gather]}", None),
        ("fpu avx2 avx_vnni", "{use: dynamic_int8, per_channel: true}", None),
    ],
)
def test_weights_that_saturate_here_are_told_per_variant(
    tmp_path: Path, isa: str, quantize: str, severity: str | None
) -> None:
    seen = facts(machine(tmp_path, isa))
    findings = doctor.examine(seen, [experiment(tmp_path, quantize)])
    assert {f.name: f.severity for f in findings}.get("saturation") == severity
    if severity:
        assert any("x: variant int8" in finding.what for finding in findings)


def test_seven_bits_where_eight_would_do_are_told(tmp_path: Path) -> None:
    asked = experiment(tmp_path, "{use: dynamic_int8, reduce_range: true}")
    findings = doctor.examine(facts(machine(tmp_path)), [asked])
    assert [finding.name for finding in findings] == ["reduced range"]


@pytest.mark.parametrize(("threads", "told"), [(2, False), (3, True)])
def test_more_threads_than_cores_are_told(tmp_path: Path, threads: int, told: bool) -> None:
    asked = experiment(tmp_path, "{use: dynamic_int8, weight_type: uint8}", threads)
    names = {finding.name for finding in doctor.examine(facts(machine(tmp_path)), [asked])}
    assert ("too many threads" in names) == told


def test_a_sweep_that_does_not_fit_into_memory_is_told(tmp_path: Path) -> None:
    """Two variants in two sessions and a twin: five processes of about 0.8 GB each."""
    asked = experiment(tmp_path, "{use: dynamic_int8, weight_type: uint8}")
    for free, told in ((9e9, False), (2e9, True)):
        root = machine(tmp_path, **{"proc/meminfo": meminfo(free, 0)})
        names = {finding.name for finding in doctor.examine(facts(root), [asked])}
        assert ("memory of the sweep" in names) == told


# ---------------------------------------- the trial
def test_the_trial_gives_the_spread_that_was_put_in() -> None:
    """Blocks with sd 5 %: ratios of two have sd 7.07 %, and t(9) = 2.262 over 10 rounds gives
    2.262 x 0.0707 / sqrt(10) = 5.1 %. 4,000 rounds make it sharp."""
    rng = np.random.default_rng(1)
    blocks = rng.lognormal(0, 0.05, (4000, 2, 1))
    found = Trial.of(0.02 * np.repeat(blocks, 3, axis=2))
    assert found.reach == pytest.approx(0.052, abs=0.002)
    assert found.blocks == pytest.approx(0.05, abs=0.003)
    assert found.lag1 == pytest.approx(2 / 3, abs=0.02)  # two of three neighbours share a block


def test_calls_of_one_length_are_steady_and_tell_no_correlation() -> None:
    still = Trial.of(np.full((20, 2, 3), 0.01))
    assert (still.reach, still.cv) == (0, 0)
    assert math.isnan(still.lag1)


@pytest.mark.parametrize("broken", [0.0, -1.0, math.nan, math.inf])
def test_a_clock_that_goes_backwards_gives_no_trial(broken: float) -> None:
    times = np.full((20, 2, 3), 0.01)
    times[3, 1, 2] = broken
    assert repr(Trial.of(times)) == repr(Trial.nothing())  # NaN equals nothing, itself neither
    assert doctor.steady(Trial.nothing()) == ""


def ticking(step: float) -> Callable[[], float]:
    def ticks() -> Iterator[float]:
        now = 0.0
        while True:
            yield now
            now += step

    source = ticks()
    return lambda: next(source)


@pytest.mark.slow
def test_the_trial_times_all_its_blocks_whatever_a_product_takes() -> None:
    """With a clock that moves 1 s per reading a product seems to take far longer than planned."""
    found = run(seconds=0.01, clock=ticking(1.0))
    assert (found.rounds, found.cv) == (ROUNDS, 0)
    assert CALLS > 1


# ---------------------------------------- the command
@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    root = machine(tmp_path / "root")
    monkeypatch.setattr(doctor, "gather", lambda: facts(root, steal=0.0))
    return root


def test_the_command_says_it_and_fails_only_where_asked(
    quick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["doctor", "--strict"]) == 0
    assert "may differ by about 0.4%" in capsys.readouterr().out
    (quick / CLOCK).write_text("hpet\n")
    assert cli.main(["doctor"]) == 0
    assert cli.main(["doctor", "--strict"]) == 1
    said = capsys.readouterr().out
    assert "warning: The kernel tells the time by `hpet`." in said
    assert "warnings: 1, notes: 0" in said


def test_a_broken_experiment_is_bad_input(quick: Path, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("name: x\n")
    assert cli.main(["doctor", str(tmp_path / "x.yaml")]) == 2


def test_facts_are_gathered_on_this_machine_too() -> None:
    seen = doctor.gather(trial=lambda: QUIET)
    assert seen.trial == QUIET
    assert seen.clock_step_seconds < 0.1
    assert all(share >= 0.1 for _, share in seen.others)
    doctor.examine(seen)
