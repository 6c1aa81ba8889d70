"""The machine as a witness, read from invented /proc, /sys and cgroup trees."""

from __future__ import annotations

import getpass
import json
import math
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from harness.runtime import environment
from harness.runtime.environment import CpuTimes

FOUR_OF_TWO = ((0, 0), (0, 0), (0, 1), (0, 1))  # (physical id, core id): two cores, hyperthreaded


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def machine(root: Path, allowed: str = "0-3", **files: str) -> Path:
    """Two hyperthreaded x86 cores; `allowed` is the affinity, `files` more of the tree."""
    blocks = [
        f"processor\t: {n}\nmodel name\t: Some CPU @ 2 GHz\nphysical id\t: {package}\n"
        f"core id\t\t: {core}\nflags\t\t: fpu avx2 avx512f avx512_vnni amx_int8"
        for n, (package, core) in enumerate(FOUR_OF_TWO)
    ]
    status = f"Name:\tpython\nVmHWM:\t  2048 kB\nCpus_allowed_list:\t{allowed}\n"
    return tree(root, {"proc/cpuinfo": "\n\n".join(blocks), "proc/self/status": status, **files})


MEMINFO = "MemTotal: 16000 kB\nMemAvailable: 9000 kB\nSwapTotal: 4000 kB\nSwapFree: 3000 kB\n"
V2 = {"proc/self/cgroup": "0::/box/inner\n"}
V1 = {"proc/self/cgroup": "3:cpuset:/\n2:cpu,cpuacct:/docker/abc\n0::/\n"}


@pytest.mark.parametrize(
    ("files", "quota", "cores"),
    [
        ({}, None, 2),
        ({**V2, "sys/fs/cgroup/box/inner/cpu.max": "150000 100000\n"}, 1.5, 1),
        ({**V2, "sys/fs/cgroup/box/inner/cpu.max": "max 100000\n"}, None, 2),
        ({**V2, "sys/fs/cgroup/box/cpu.max": "50000 100000\n"}, 0.5, 1),  # of the group above
        ({**V2, "sys/fs/cgroup/cpu.max": "800000 100000\n"}, 8.0, 2),  # inside a container
        (
            {
                **V1,
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "120000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            1.2,
            1,
        ),
        (
            {
                **V1,
                "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000\n",
            },
            None,
            2,
        ),
    ],
)
def test_cores_are_held_down_by_the_cgroup_quota(
    tmp_path: Path, files: dict[str, str], quota: float | None, cores: int
) -> None:
    root = machine(tmp_path, **files)
    assert environment.quota_cpus(root) == quota
    assert environment.cores(root) == cores


@pytest.mark.parametrize(
    ("allowed", "logical", "cores"),
    [("0-3", {0, 1, 2, 3}, 2), ("0,2", {0, 2}, 2), ("0-1", {0, 1}, 1), ("3", {3}, 1)],
)
def test_cores_are_the_physical_ones_that_the_affinity_allows(
    tmp_path: Path, allowed: str, logical: set[int], cores: int
) -> None:
    root = machine(tmp_path, allowed)
    assert environment.affinity(root) == logical
    assert environment.cores(root) == cores


def test_processors_without_core_ids_count_as_cores(tmp_path: Path) -> None:
    arm = "processor\t: {}\nFeatures\t: fp asimd asimddp i8mm\nCPU implementer\t: 0x41\n"
    files = {
        "proc/cpuinfo": "\n".join(arm.format(n) + "CPU part\t: 0xd40\n" for n in range(3)),
        "proc/self/status": "Cpus_allowed_list:\t0-2\n",
    }
    described = environment.describe(tree(tmp_path, files))
    assert described["cores"] == 3
    assert described["isa"] == "asimddp i8mm"
    assert described["cpu"] == "ARM implementer 0x41 part 0xd40"


def test_a_machine_without_proc_still_has_cores(tmp_path: Path) -> None:
    assert 1 <= environment.cores(tmp_path) <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("files", "governor", "turbo"),
    [
        ({}, "", ""),
        ({"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n"}, "powersave", ""),
        ({"sys/devices/system/cpu/intel_pstate/no_turbo": "1\n"}, "", "off"),
        ({"sys/devices/system/cpu/intel_pstate/no_turbo": "0\n"}, "", "on"),
        ({"sys/devices/system/cpu/cpufreq/boost": "1\n"}, "", "on"),
    ],
)
def test_governor_and_turbo_are_read_where_they_are(
    tmp_path: Path, files: dict[str, str], governor: str, turbo: str
) -> None:
    described = environment.describe(machine(tmp_path, **files))
    assert (described["governor"], described["turbo"]) == (governor, turbo)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, {"virtual": False, "hyperthreads": None, "unlike_cores": False, "numa_nodes": None}),
        ({"sys/hypervisor/type": "xen\n"}, {"virtual": True}),
        ({"sys/devices/system/cpu/smt/active": "1\n"}, {"hyperthreads": True}),
        ({"sys/devices/system/cpu/smt/active": "0\n"}, {"hyperthreads": False}),
        (
            {f"sys/devices/cpu_{kind}/cpus": "0\n" for kind in ("core", "atom")},
            {"unlike_cores": True},
        ),
        (
            {f"sys/devices/system/cpu/cpu{n}/cpu_capacity": f"{512 + 512 * n}\n" for n in (0, 1)},
            {"unlike_cores": True},  # ARM big.LITTLE
        ),
        ({f"sys/devices/system/node/node{n}/cpulist": f"{n}\n" for n in (0, 1)}, {"numa_nodes": 2}),
        (
            {
                "sys/devices/system/node/node0/cpulist": "0-3\n",
                "sys/devices/system/node/node1/cpulist": "\n",
            },
            {"numa_nodes": 1},
        ),  # memory only
        (
            {
                "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "2100000\n",
                "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "3400000\n",
            },
            {"mhz": 2100, "mhz_max": 3400},
        ),
        (
            {"sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n"},
            {"clock_source": "tsc"},
        ),
        ({"proc/loadavg": "1.25 0.5 0.2 2/300 4000\n"}, {"load": 1.25}),
        (
            {"sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n"},
            {"huge_pages": "madvise"},
        ),
        (
            {"proc/meminfo": MEMINFO},
            {
                "memory_bytes": 16_000 * 1024,
                "memory_available_bytes": 9_000 * 1024,
                "swap_bytes": 4_000 * 1024,
                "swap_used_bytes": 1_000 * 1024,
                "memory_limit_bytes": None,
            },
        ),
    ],
)
def test_what_else_disturbs_is_recorded(
    tmp_path: Path, files: dict[str, str], expected: dict[str, object]
) -> None:
    described = environment.describe(machine(tmp_path, **files))
    assert {key: described[key] for key in expected} == expected


V1_MEMORY = {"proc/self/cgroup": "4:memory:/box\n"}


@pytest.mark.parametrize(
    ("files", "limit", "available"),
    [
        (V2, None, 9_000 * 1024),
        ({**V2, "sys/fs/cgroup/box/memory.max": "max\n"}, None, 9_000 * 1024),
        (
            {
                **V2,
                "sys/fs/cgroup/box/memory.max": "5000000\n",
                "sys/fs/cgroup/box/memory.current": "2000000\n",
            },
            5_000_000,
            3_000_000,
        ),
        (  # the group above is fuller
            {
                **V2,
                "sys/fs/cgroup/box/inner/memory.max": "4000000\n",
                "sys/fs/cgroup/box/memory.max": "5000000\n",
                "sys/fs/cgroup/box/memory.current": "4900000\n",
            },
            4_000_000,
            100_000,
        ),
        (
            {
                **V1_MEMORY,
                "sys/fs/cgroup/memory/box/memory.limit_in_bytes": "3000000\n",
                "sys/fs/cgroup/memory/box/memory.usage_in_bytes": "1000000\n",
            },
            3_000_000,
            2_000_000,
        ),
        (  # LONG_MAX in whole pages: no limit
            {**V1_MEMORY, "sys/fs/cgroup/memory/box/memory.limit_in_bytes": f"{2**63 - 4096}\n"},
            None,
            9_000 * 1024,
        ),
    ],
)
def test_memory_is_what_the_container_leaves(
    tmp_path: Path, files: dict[str, str], limit: int | None, available: int
) -> None:
    described = environment.describe(machine(tmp_path, **{"proc/meminfo": MEMINFO, **files}))
    assert described["memory_limit_bytes"] == limit
    assert described["memory_available_bytes"] == available


@pytest.mark.parametrize(
    ("files", "periods"),
    [
        ({}, None),
        ({"sys/fs/cgroup/box/cpu.stat": "usage_usec 9\nnr_throttled 7\n"}, None),  # no quota
        (
            {
                "sys/fs/cgroup/box/cpu.max": "100000 100000\n",
                "sys/fs/cgroup/box/cpu.stat": "nr_periods 90\nnr_throttled 7\nthrottled_usec 5\n",
            },
            7,
        ),
    ],
)
def test_periods_that_the_quota_cut_off_are_counted(
    tmp_path: Path, files: dict[str, str], periods: int | None
) -> None:
    assert environment.throttled_periods(machine(tmp_path, **V2, **files)) == periods


def test_the_machine_key_of_an_earlier_record_stays_the_same() -> None:
    """The keys of measured units rest on it: the shipped run's record gives what it always gave."""
    record = {"cpu": "AMD EPYC", "isa": "avx2", "machine": "x86_64", "system": "Linux"}
    record |= {"cores": 2, "affinity_cpus": 2, "quota_cpus": None}
    record |= {"onnxruntime": "1.31.1", "python_minor": "3.11"}
    expected = "df9ea9c162df74eaf5d441a42f6c10001685cd83e44d17ca413f0c403ca97aa2"
    assert environment.fingerprint({**record, "load": 3.0, "virtual": True}) == expected


def test_the_description_is_flat_json_without_host_user_or_folder() -> None:
    described = environment.describe()
    text = json.dumps(described, allow_nan=False)
    assert all(isinstance(v, str | int | float | bool | None) for v in described.values())
    assert str(Path(environment.__file__).parents[2]) not in text
    words = {str(value) for value in described.values()}
    assert not words & {platform.node(), getpass.getuser()}
    assert described["onnxruntime"]
    assert described["python_minor"]


def test_isa_names_what_int8_kernels_choose_by(tmp_path: Path) -> None:
    assert environment.describe(machine(tmp_path))["isa"] == "avx2 avx512f avx512_vnni amx_int8"


def test_runs_on_unlike_machines_differ_by_key_and_both_values(tmp_path: Path) -> None:
    a = environment.describe(machine(tmp_path / "a"))
    b = {**a, "isa": "avx2", "quota_cpus": 1.5, "governor": "powersave", "pandas": "0"}
    assert environment.different(a, b) == [
        ("isa", "avx2 avx512f avx512_vnni amx_int8", "avx2"),
        ("quota_cpus", None, 1.5),
    ]
    assert environment.fingerprint(a) != environment.fingerprint(b)
    assert environment.fingerprint(a) == environment.fingerprint({**a, "governor": "other"})


def test_stolen_time_is_a_share_of_all_cpu_time_between_two_readings(tmp_path: Path) -> None:
    # user nice system idle iowait irq softirq steal guest guest_nice, as in proc(5)
    first = tree(tmp_path / "a", {"proc/stat": "cpu  100 0 50 800 10 0 5 35 20 0\ncpu0 1 2\n"})
    then = tree(tmp_path / "b", {"proc/stat": "cpu  160 0 60 810 10 0 5 55 80 0\ncpu0 1 2\n"})
    before, after = environment.read_steal(first), environment.read_steal(then)
    assert before == CpuTimes(steal=35, total=1000)
    assert after.share_since(before) == pytest.approx(20 / 100)  # guest time is user time already


def test_stolen_time_is_not_a_number_where_it_cannot_be_read(tmp_path: Path) -> None:
    nothing = environment.read_steal(tmp_path)
    assert math.isnan(nothing.share_since(nothing))
    assert math.isnan(CpuTimes(1, 10).share_since(CpuTimes(1, 10)))


def test_peak_memory_is_the_high_water_mark_of_this_program(tmp_path: Path) -> None:
    assert environment.peak_rss_bytes(machine(tmp_path)) == 2048 * 1024
    assert environment.peak_rss_bytes() > 1_000_000
    assert environment.rss_bytes() > 1_000_000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is inherited on Linux")
def test_peak_memory_of_a_child_does_not_begin_at_its_parents() -> None:
    ballast = bytearray(200_000_000)
    code = "from harness.runtime import environment; print(environment.peak_rss_bytes())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < len(ballast)


def test_load_is_a_number_or_not_known() -> None:
    load = environment.load_average()
    assert load >= 0 or math.isnan(load)
