"""JUnit XML, which CI systems read: the verdict and each gate of the candidate as a test case.

Only PASS is a pass. A gate that failed, is inconclusive or was not measured is a failure; a waived
one, and one that only warns, is skipped, each with a message: status, figure, interval, limit, why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from harness.contracts import Export, Result, Status
from harness.decide import gate_rules
from harness.io.escaping.signs import spelt, visible
from harness.report import wording
from harness.store import queries

NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SIGN = b'<testsuites name="harness"'


def render(result: Result) -> bytes:
    """The file: a suite of the run with its test cases."""
    candidate = queries.candidate(result)[0]
    checks = gate_rules.records(result, queries.own_checks(result))
    top = ElementTree.Element("testsuites", name="harness")
    name = result.experiment.name
    suite = ElementTree.SubElement(top, "testsuite", name=_plain(name))
    _verdict(suite, result, name)
    for check in checks:
        _gate(suite, check, f"{name}.{candidate}")
    for element in (top, suite):
        element.set("tests", str(len(checks) + 1))
        for kind, plural in (("failure", "failures"), ("skipped", "skipped")):
            element.set(plural, str(len(suite.findall(f"testcase/{kind}"))))
        element.set("errors", "0")
    ElementTree.indent(top)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(top) + b"\n"


def _verdict(suite: ElementTree.Element, result: Result, name: str) -> None:
    """A run without gates, or one that decided nothing, is no success either."""
    said = str(result.verdict.get("verdict") or "no verdict")
    case = _case(suite, name, "verdict")
    if not result.passed:
        reasons = "; ".join(map(str, result.verdict.get("reasons") or []))
        _mark(case, "failure", said, f"{said}: {reasons}" if reasons else said)


def _gate(suite: ElementTree.Element, check: Mapping[str, Any], group: str) -> None:
    case, status = _case(suite, group, str(check["gate"])), str(check["status"])
    if status == Status.PASS.value:
        return
    open_ = check["severity"] == "warn" or status == Status.WAIVED.value
    _mark(case, "skipped" if open_ else "failure", status, _told(check))


def _told(check: Mapping[str, Any]) -> str:
    """ "INCONCLUSIVE: 2.1% [0.9%; 3.4%], limit ≤ 3% (the bounds lie on both sides)"."""
    figure, limit = wording.gate_observed(check, "en"), wording.gate_limit(check, "en")
    why = wording.why(check, "en")
    told = f"{check['status']}: {figure}, limit {limit}"
    told += f" ({why})" if why else ""
    return told + ("; it warns and does not decide" if check["severity"] == "warn" else "")


def _case(suite: ElementTree.Element, group: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=_plain(group), name=_plain(name))


def _mark(case: ElementTree.Element, tag: str, kind: str, message: str) -> None:
    ElementTree.SubElement(case, tag, type=_plain(kind), message=_plain(message))


def _plain(text: str) -> str:
    """On one line, with each sign that XML cannot hold written out."""
    return NOT_XML.sub(lambda found: spelt(found[0]), visible(text))


export = Export(suffix=".xml", render=render, sign=SIGN)
