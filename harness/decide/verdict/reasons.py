"""Why a check came out as it did: a code that a report can translate, and one plain sentence."""

from __future__ import annotations

import math

from harness.contracts.experiment import Waiver
from harness.decide.verdict.case import AT_ONCE, FigureEvidence

MOST_FAILED = 0.01  # share of calls or utterances without a result that a gate still bears
NAMED = 3  # utterances that a sentence names

UNMEASURED = ("nothing", "broken", "failed")
SENTENCES = {
    "within": "the whole 95 % bound is within the limit",
    "beyond": "the whole 95 % bound is beyond the limit",
    "straddles": "the 95 % bounds lie on both sides of the limit",
    "one_process": "within the limit in one process; how processes differ is not known",
    "few": "too few independent samples for a 95 % bound",
    "constant": "the values never vary, so they do not tell how they vary",
    "broken": "a value is not a number, or there is none to compare with",
    "nothing": "nothing was measured",
    "failed": "{incomplete} of {planned} calls or utterances have no result, more than 1 %{names}",
    "confirmed": "the whole bound is within the tolerance of what was claimed",
    "refuted": "the whole bound is outside the tolerance of what was claimed",
    "undecided": "the bounds reach both inside and outside the tolerance",
    "waived": "beyond the limit and, with its whole bound, within the waiver up to {up_to}",
    "waiver_expired": "beyond the limit; its waiver ended on {until}",
    "waiver_exceeded": "beyond the limit, and its bound is not within the waiver up to {up_to}",
}


def unmeasured(evidence: FigureEvidence) -> str:
    """The code of why there is no figure to decide on; "" where there is one."""
    if evidence.planned and evidence.incomplete > MOST_FAILED * evidence.planned:
        return "failed"
    if evidence.interval.n == 0:
        return "nothing"
    return "broken" if math.isnan(evidence.interval.estimate) else ""


def sentence(code: str, evidence: FigureEvidence, waiver: Waiver | None = None) -> str:
    """One line: what decided it, on how many samples, and how."""
    names = ", ".join(evidence.unpaired[:NAMED])
    rest = len(evidence.unpaired) - NAMED
    more = f" and {rest} more" if rest > 0 else ""
    text = SENTENCES[code].format(
        incomplete=evidence.incomplete,
        planned=evidence.planned,
        names=f"; not in both: {names}{more}" if names else "",
        up_to=f"{waiver.up_to:g}" if waiver else "",
        until=waiver.until if waiver else "",
    )
    interval = evidence.interval
    if evidence.error and code in UNMEASURED:
        text = f"{text}: {evidence.error.rstrip('.')}"
    parts = [text]
    if interval.n and interval.method != "exact":
        units = f" in {interval.units} independent units" if interval.units != interval.n else ""
        parts.append(f"n = {interval.n}{units}")
    if evidence.look.level > AT_ONCE.level:
        parts.append(f"looked at more than once, so each bound holds at {evidence.look.level:.2%}")
    if evidence.look.allowance > 0:
        parts.append(f"stopped early, so {evidence.look.allowance:.1%} of drift are allowed for")
    parts += [part for part in (interval.method, *evidence.notes) if part]
    return "; ".join(parts) + "."
