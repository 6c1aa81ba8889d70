"""Why onnxruntime does not open a graph, in words; other reasons stay as it says them."""

from __future__ import annotations

import re

_IR = re.compile(r"Unsupported model IR version: (\d+), max supported IR version: (\d+)")
_OPSET = re.compile(r"Opset (\d+) is under development.*for domain (\S+) is till opset (\d+)")
_OPERATOR = re.compile(r"(?:Fatal error: )?(\S+?)\(-?\d+\) is not a registered function/op")


def plainly(said: str) -> str:
    """`said` is onnxruntime's own text on one line."""
    if found := _IR.search(said):
        return (
            f"its IR version {found[1]} is newer than this onnxruntime reads ({found[2]} at most): "
            "save the graph with an older one, or install a newer onnxruntime"
        )
    if found := _OPSET.search(said):
        return (
            f"its opset {found[1]} of {found[2]} is newer than this onnxruntime has ({found[3]} at "
            "most): export the graph with an older one, or install a newer onnxruntime"
        )
    if found := _OPERATOR.search(said):
        return (
            f"this onnxruntime has no operator {found[1]}: a custom operator needs its library, "
            "and none is loaded here; export the graph without it"
        )
    return said
