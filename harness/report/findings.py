"""What the gates of an experiment leave unsaid, in each language of the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.report import markdown, wording, words

# what the gates leave unsaid, by its code (harness/decide/verdict/showing.py)
FINDINGS = words.table("findings", "findings")


def finding(told: Mapping[str, Any], check: Mapping[str, Any] | None, language: str) -> str:
    """What a gate leaves unsaid, in the reader's words; `check` is the gate's row."""
    values = {k: markdown.number(v, language) for k, v in told.items() if isinstance(v, float)}
    values["purpose"] = wording.purpose_of(str(told.get("purpose", "")), language)
    if check is not None:
        values["gate"] = markdown.escape(
            wording.gate_name(check, language, bool(check["workload"]))
        )
        if told["code"] == "baseline":
            values["value"] = markdown.quantity(told["value"], check["unit"], language)
            values["limit"] = markdown.given(told["limit"], check["unit"], language)
        elif "limit" in told:
            values["limit"] = wording.gate_limit({**check, "limit": told["limit"]}, language)
    text = FINDINGS[language].get(told["code"], str(told["code"]))
    return text.format(**{k: markdown.escape(str(v)) for k, v in told.items()} | values)
