"""What a child process answered, read with distrust: its models and plugins are anybody's."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from harness.errors import limits

Reply = dict[str, Any]

# what a row is about is known to whoever asked, and no answer may say otherwise
ASKED = {"stage", "variant", "session", "replica", "operation", "dataset", "item", "speaker"}
ASKED |= {"sentence", "reference", "round", "block", "order", "warm", "judge", "version", "rater"}
TEXTS = {"text", "note", "figures", "error", "audio", "audio_sha256"}
AMOUNTS = {"seconds", "cpu_seconds", "tokens", "audio_seconds", "load", "rss_bytes"}


class BrokenReplyError(ValueError):
    """It is no answer to what was asked; the text says why."""


def read(line: bytes, request: Mapping[str, Any], turn: int) -> Reply:
    """The answer to a request: whole, for this turn, of the shape that its kind has; a part of it
    is {"row": ...}. Raises: BrokenReplyError."""
    if len(line) > limits.REPLY_BYTES:
        raise BrokenReplyError(f"more than {limits.REPLY_BYTES} bytes in one answer")
    if not line.endswith(b"\n"):
        raise BrokenReplyError("it breaks off in the middle")
    try:
        reply = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BrokenReplyError("it is no JSON") from error
    if not isinstance(reply, dict) or reply.pop("turn", None) != turn:
        raise BrokenReplyError("it belongs to no question")
    kind = next(iter(request))
    if "kind" in reply:
        _need(_is_text(reply.get("kind")) and _is_text(reply.get("error")), "an error without text")
    elif "row" in reply:
        _row(reply["row"])
    else:
        _SHAPES[kind](reply, request[kind])
    return reply


def _opened(reply: Reply, _: Any) -> None:
    _need(_is_amount(reply.get("seconds")), "no seconds")
    _need(_is_amount(reply.get("rss_bytes", 0.0)), "no memory")


def _block(reply: Reply, body: Mapping[str, Any]) -> None:
    _rows(reply, body["calls"])
    _need({"steal", "load", "rss_bytes"} <= set(reply), "nothing about the machine")
    _need(all(_is_number(reply[name]) for name in ("steal", "load", "rss_bytes")), "no numbers")


def _utterances(reply: Reply, body: Mapping[str, Any]) -> None:
    _rows(reply, len(body["items"]))


def _rows(reply: Reply, count: int) -> None:
    calls = reply.get("calls")
    _need(isinstance(calls, list) and len(calls) == count, f"not {count} calls")
    for row in calls or ():
        _row(row)


def _row(row: Any) -> None:
    """One call: a time or an error, and nothing about what the call was of."""
    _need(isinstance(row, dict) and "seconds" in row, "a call without seconds")
    _need(row["seconds"] is not None or bool(row.get("error")), "neither a time nor an error")
    for name, value in row.items():
        _need(name not in ASKED, f"{name} is not for it to say")
        if name in TEXTS:
            _need(_is_text(value), f"{name} is no text")
        elif name in AMOUNTS:
            amount = value is None or _is_amount(value)
            _need(amount or (value != value and name != "seconds"), f"{name} is no amount")
        else:
            _need(value is None or isinstance(value, str | int | float), f"{name} is no value")
    _figures(row.get("figures", ""))


def _judged(reply: Reply, _: Any) -> None:
    _need(_is_text(reply.get("figures")) and _is_text(reply.get("text")), "no figures")
    _figures(reply["figures"])


def _figures(text: str) -> None:
    """ "" or a JSON object of numbers."""
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError) as error:
        raise BrokenReplyError("figures that are no JSON") from error
    _need(isinstance(found, dict) and all(map(_is_number, found.values())), "no figures")


def _probed(reply: Reply, _: Any) -> None:
    graphs = reply.get("graphs")
    _need(isinstance(graphs, dict), "no graphs")
    _need(all(isinstance(seen, dict) for seen in (graphs or {}).values()), "no facts of a graph")


_SHAPES: Mapping[str, Callable[[Reply, Any], None]] = {
    "open": _opened,
    "open_judge": _opened,
    "block": _block,
    "utterances": _utterances,
    "reference": _utterances,
    "nearness": _utterances,
    "judge": _judged,
    "probe": _probed,
}


def _need(sound: bool, why: str) -> None:
    if not sound:
        raise BrokenReplyError(why)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_amount(value: Any) -> bool:
    return _is_number(value) and math.isfinite(value) and value >= 0
