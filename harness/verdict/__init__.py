"""Gates, waivers and claims -> checks -> verdict: pure functions of tables and of today's date."""

from harness.verdict.case import Case
from harness.verdict.checks import checks
from harness.verdict.claims import claims
from harness.verdict.decision import verdict

__all__ = ["Case", "checks", "claims", "verdict"]
