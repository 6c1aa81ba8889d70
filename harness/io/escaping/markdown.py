"""Signs that markdown reads, marked in foreign text and written out where the text ends up.

How a sign is made harmless depends on where it stands: a backslash before it in a sentence, nothing
in a code span, a longer fence for a backtick. Only the finished report tells where. So each such
sign of a foreign text is first replaced by a mark, one of the 32 code points that Unicode keeps for
use inside a program (U+FDD0 to U+FDEF), which no section and no template reads as markdown; the
last step of a report turns marks into what their place needs. Text that holds such code points
itself has them written out before.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from harness.io.escaping.signs import spelt, visible

_MARKED = "\\`*_[]<>|~#$&:@.-+=)!"
_MARK = {sign: chr(0xFDD0 + place) for place, sign in enumerate(_MARKED)}
_SIGN = {ord(mark): sign for sign, mark in _MARK.items()}
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_TEXT = {ord(mark): _ENTITIES.get(sign, f"\\{sign}") for sign, mark in _MARK.items()}
_PYTHON = {**_SIGN, ord(_MARK["\\"]): "\\\\"}  # as the quoted texts of a program have it
_ANY_MARK = re.compile(f"[{_MARK[chr(92)]}-{_MARK['!']}]")

_NOBODYS = re.compile("[\ufdd0-\ufdef]")  # what only this file may put into a text
_WORD = "[^\\W_]"
_ACTIVE = re.compile(
    rf"""
      [\\`*\[\]<>|~\#$&]
    | (?<!{_WORD}) _ | _ (?!{_WORD})     # inside a word it is read as itself
    | ! (?=\[)
    | : (?=//) | (?<=mailto) : | (?<=xmpp) :
    | (?<=www) \.
    | @ (?=\w)
    | (?: ^|(?<=^\s)) [-+] (?=\s|$|-)    # lists, rules and headings begin a line
    | ^ \s* =
    | (?<= ^[0-9]) [.)] (?=\s|$) | (?<= ^[0-9]{{2}}) [.)] (?=\s|$) | (?<= ^[0-9]{{3}}) [.)] (?=\s|$)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_INDENTED = re.compile(r"^\s{2,}")
_FENCE = re.compile(r" {0,3}```")
_SPAN = re.compile(r"(?<![\\`])(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_LONG_TICKS = re.compile(_MARK["`"] + "{3,}")


def marked(text: str) -> str:
    """Foreign text on one line, which nothing reads as markdown until it is `settled`."""
    own = _NOBODYS.sub(lambda found: spelt(found[0]), text)
    line = _INDENTED.sub(" ", visible(own))
    return _ACTIVE.sub(lambda found: "".join(_MARK.get(sign, sign) for sign in found[0]), line)


def unmarked(text: str) -> str:
    """Text as it was before it was marked (with what cannot be seen written out)."""
    return text.translate(_SIGN) if _ANY_MARK.search(text) else text


def inert(text: str) -> str:
    """Foreign text as a piece of a sentence or of a cell that is finished."""
    return settled(marked(text))


def settled(text: str) -> str:
    """A whole report, with each mark written as the place where it stands needs it."""
    if not _ANY_MARK.search(text):
        return text
    lines, fenced = [], False
    for line in text.split("\n"):
        bar = bool(_FENCE.match(line))
        lines.append(_program(line) if fenced or bar else _sentence(line))
        fenced ^= bar
    return "\n".join(lines)


def _program(line: str) -> str:
    """A line of a fenced block, which no run of backticks in it can end."""
    return _LONG_TICKS.sub(lambda run: "ˋ" * len(run[0]), line).translate(_PYTHON)


def _sentence(line: str) -> str:
    if not _ANY_MARK.search(line):
        return line
    write: Callable[[str], str] = _in_table if line.startswith("|") else unmarked
    out, end = [], 0
    for span in _SPAN.finditer(line):
        out += [line[end : span.start()].translate(_TEXT), _span(span, write)]
        end = span.end()
    return "".join([*out, line[end:].translate(_TEXT)])


def _in_table(text: str) -> str:
    """A code span's text in a table, where a bar ends the cell unless a backslash precedes it."""
    bar, slash = _MARK["|"], _MARK["\\"]
    return unmarked(text.replace(slash + bar, slash + "\\x7c").replace(bar, "\\|"))


def _span(span: re.Match[str], write: Callable[[str], str]) -> str:
    if not _ANY_MARK.search(span[2]):
        return span[0]
    text = write(span[2])
    ticks = max((len(run) for run in re.findall("`+", text)), default=0)
    if not ticks:
        return f"{span[1]}{text}{span[1]}"
    fence = "`" * (ticks + 1)
    return f"{fence} {text.strip()} {fence}"
