"""Signs that one cannot see, or that move what one sees, written out: `\\x1b`, `\\u202e`."""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import Any, TextIO

from harness.errors.limits import TERMINAL_LINE

_LETTERS_UNSEEN = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u180b\u180c\u180d\u180f"
_BREAKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"
_BREAK = re.compile(f"[{_BREAKS}]+")
# nothing outside these ranges is ever unseen: most texts are settled by one search
_SUSPECT = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160"
    "\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\uf8ff"
    "\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000110bd-\U0010ffff]"
)


_NOBODYS = re.compile("[\ufdd0-\ufdef]")


def unseen(sign: str) -> bool:
    """Whether a sign is a control, a direction, a joiner, half a pair or nobody's letter."""
    return sign in _LETTERS_UNSEEN or unicodedata.category(sign) in ("Cc", "Cf", "Co", "Cs", "Cn")


def spelt(sign: str) -> str:
    """The sign as Python writes it: \\x1b, \\u202e, \\U000e0041."""
    code = ord(sign)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str) -> str:
    """One line in which every unseen sign is written out; line ends and tabs become a space.

    The marks of `escaping.markdown`, which nobody sees either, stay."""
    if not _SUSPECT.search(text):
        return text
    return _SUSPECT.sub(_spelt, _BREAK.sub(" ", text))


def _spelt(found: re.Match[str]) -> str:
    return spelt(found[0]) if unseen(found[0]) else found[0]


def cut(text: str, most: int, more: str = "…") -> str:
    """At most so many characters of a text, `more` (with {n}, all of them) behind its start."""
    if len(text) <= most:
        return text
    return text[:most] + more.format(n=f"{len(text):,}")


def terminal(text: str) -> str:
    """Text for a terminal or a log: its lines stay, no sign in them steers, none is endless."""
    lines = (visible(cut(line, TERMINAL_LINE)) for line in text.split("\n"))
    return _NOBODYS.sub(lambda found: spelt(found[0]), "\n".join(lines))


def printed(*parts: Any, file: TextIO | None = None) -> None:
    """`print`, for text that may hold what others wrote."""
    stream = file if file is not None else sys.stdout
    line = terminal(" ".join(str(part) for part in parts)) + "\n"
    stream.write(
        line.encode(stream.encoding or "utf-8", "backslashreplace").decode(
            stream.encoding or "utf-8"
        )
    )
