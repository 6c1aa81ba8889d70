"""Says in plain words what on this machine disturbs a measurement, why, and how to mend it.

facts        everything that is looked at, read once
trial        three seconds of timing one thing as if it were two
machine      findings about processor, cores, quota, clock, memory, power
process      findings about this moment and this process: load, variables, Python, versions
experiment   findings about an experiment on this machine
finding      one finding

Facts in, findings out: nothing below `gather` looks at the machine.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.preflight.doctor import experiment as asked
from harness.preflight.doctor import machine, process
from harness.preflight.doctor.facts import Facts, gather
from harness.preflight.doctor.finding import Finding
from harness.preflight.doctor.trial import ASKED_ROUNDS, Trial
from harness.spec import Experiment

__all__ = ["Facts", "Finding", "Trial", "examine", "gather", "steady"]


def examine(facts: Facts, experiments: Sequence[Experiment] = ()) -> list[Finding]:
    """All findings, warnings first."""
    found = [finding for rule in (*machine.RULES, *process.RULES) for finding in rule(facts)]
    for each in experiments:
        found += [finding for rule in asked.RULES for finding in rule(facts, each)]
    return sorted(found, key=lambda finding: finding.severity != "warning")


def steady(trial: Trial) -> str:
    """What the trial showed, in one sentence; "" without one."""
    if not trial.rounds:
        return ""
    return (
        f"Two equal cells of {ASKED_ROUNDS} rounds may differ by about {trial.reach:.1%} here "
        f"(calls vary by {trial.cv:.1%}, blocks by {trial.blocks:.1%}; each call correlates "
        f"{trial.lag1:.2f} with the next)."
    )
