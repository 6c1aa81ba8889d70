"""What the section says, in each language."""

from __future__ import annotations

from harness.report import words

TEXTS = words.table("sections.audit.texts")
