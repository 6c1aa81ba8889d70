"""Gates, waivers and claims -> checks -> verdict: pure functions of tables and of today's date."""

from harness.decide.verdict.case import Case
from harness.decide.verdict.checks import checks
from harness.decide.verdict.claims import claims
from harness.decide.verdict.decision import exit_code, name_of_verdict, verdict
from harness.decide.verdict.showing import shown

__all__ = [
    "Case",
    "checks",
    "claims",
    "exit_code",
    "name_of_verdict",
    "shown",
    "verdict",
]
