"""The machine as a witness: CPU and ISA, cores and quota, clock, memory, versions, commit, noise.

description   all of it in one flat record, and what makes two records comparable
cpu           model, instructions for INT8, governor, turbo, clock, hypervisor
processors    affinity, physical cores, how many threads can compute at once
cgroups       quota, throttling and memory limit of the container
ram           memory and swap of the machine, what this process holds
disturbance   stolen time, load, the kernel's clock
versions      packages, commit
files         small files of the kernel

Files are read below a `root`, so that tests bring a tree of their own. Nothing here names the
host, the user or a folder.
"""

from harness.runtime.environment.cgroups import memory_limit, quota_cpus, throttled_periods
from harness.runtime.environment.cpu import ISA
from harness.runtime.environment.description import COMPARABLE, describe, different, fingerprint
from harness.runtime.environment.disturbance import CpuTimes, clock_source, load_average, read_steal
from harness.runtime.environment.files import ROOT
from harness.runtime.environment.processors import affinity, cores, physical_cores
from harness.runtime.environment.ram import memory, peak_rss_bytes, rss_bytes
from harness.runtime.environment.versions import PACKAGES, onnxruntime_version, version

__all__ = [
    "COMPARABLE",
    "ISA",
    "PACKAGES",
    "ROOT",
    "CpuTimes",
    "affinity",
    "clock_source",
    "cores",
    "describe",
    "different",
    "fingerprint",
    "load_average",
    "memory",
    "memory_limit",
    "onnxruntime_version",
    "peak_rss_bytes",
    "physical_cores",
    "quota_cpus",
    "read_steal",
    "rss_bytes",
    "throttled_periods",
    "version",
]
