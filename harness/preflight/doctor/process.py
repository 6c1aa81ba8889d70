"""What in the state of this moment and this process disturbs: load, variables, Python, versions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.preflight.doctor.facts import Facts
from harness.preflight.doctor.finding import Finding, note, warning
from harness.preflight.doctor.trial import ASKED_ROUNDS
from harness.runtime.session.keys import RELEASES

BUSY_PER_CORE = 0.5
WIDE = 0.05  # a reach beyond which a gain of 5 %, what tuning a session may give, stays unseen
ALIKE = 0.5


def load(facts: Facts) -> Iterator[Finding]:
    """Other work: load over the last minute, programs that computed during the trial."""
    now, cores = facts.machine.get("load"), facts.machine.get("logical_cpus")
    named = ", ".join(f"{name} ({share:.0%} of a core)" for name, share in facts.others[:5])
    if now is not None and cores and now > BUSY_PER_CORE * cores:
        yield warning(
            "load",
            f"The load over the last minute is {now:.1f} on {cores} processors.",
            "Other programs take turns with the model: latencies grow and spread. What you ran "
            "yourself within the last minute counts too.",
            (f"End what computes now: {named}." if named else "Wait a minute and look again.")
            + " Do not build, test or browse while you measure.",
        )
    elif named:
        yield warning(
            "busy programs",
            f"Other programs computed during the trial: {named}.",
            "They take turns with the model and share its caches.",
            "End them while you measure.",
        )


def steadiness(facts: Facts) -> Iterator[Finding]:
    """What the trial says of differences that can be seen here."""
    trial = facts.trial
    if trial.reach > WIDE:
        yield warning(
            "unsteady",
            f"Two equal cells of {ASKED_ROUNDS} rounds may differ by about {trial.reach:.0%} here.",
            "A true gain smaller than that cannot be told from nothing.",
            "Mend what is listed here first; then take more rounds: four times as many halve it.",
        )
    if trial.lag1 > ALIKE:
        yield note(
            "calls alike",
            f"Calls resemble the one before them (correlation {trial.lag1:.2f}).",
            "Many calls in a row tell little more than one: a mean over them looks far surer than "
            "it is.",
            "Take few calls per block and many rounds; bounds here take blocks as the unit.",
        )


def variables(facts: Facts) -> Iterator[Finding]:
    """Environment variables that reach the processes that are measured."""
    if facts.variables:
        names = ", ".join(facts.variables)
        yield warning(
            "variables",
            f"Set in this shell: {names}.",
            "They change threads, memory or the interpreter of the processes that are measured, "
            "and are not part of the experiment: nobody can repeat it from the YAML.",
            f"`unset {' '.join(facts.variables)}`, and write threads into the sessions.",
        )


def interpreter(facts: Facts) -> Iterator[Finding]:
    """A slow Python, or one that others go before."""
    if facts.slow_python:
        yield warning(
            "slow Python",
            f"Python runs as {' and '.join(facts.slow_python)}.",
            "The loop around the decoder runs in Python and is slowed down with it, INT8 and FP32 "
            "alike, so that differences look smaller than they are.",
            "Use a release build of Python without tracing.",
        )
    if facts.nice > 0:
        yield warning(
            "nice",
            f"This shell has a niceness of {facts.nice}.",
            "Every other process goes before the ones that are measured.",
            "Start from a shell that was not started with `nice`.",
        )


def versions(facts: Facts) -> Iterator[Finding]:
    """An onnxruntime whose options were not looked at; code that has no commit."""
    installed, (oldest, newest) = str(facts.machine.get("onnxruntime") or ""), RELEASES
    if installed and not _release(oldest) <= _release(installed) <= _release(newest):
        yield warning(
            "onnxruntime",
            f"onnxruntime {installed} is outside of {oldest} to {newest}, which the table of "
            "session options was made from.",
            "An option that this release no longer reads, or reads otherwise, is accepted by "
            "onnxruntime without a word.",
            f"Install onnxruntime {newest} (as the lock file does), or check session/keys.py "
            "against the new release.",
        )
    if facts.machine.get("dirty"):
        yield note(
            "dirty",
            "The harness's own code has changes that are in no commit.",
            "The run's record names a commit that is not what measured.",
            "Commit before a run that others should be able to repeat.",
        )


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


RULES = (load, steadiness, variables, interpreter, versions)
