"""What the section on synthesised speech says, in both languages."""

from __future__ import annotations

from harness.report import words

TEXTS = words.table("sections.speech.words")
