"""A new thing is one file and no other edit: dropped into an empty folder, or into a copy of the
package, it is found everywhere it belongs."""

from __future__ import annotations

import functools
import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import filed
import invented_run
import invented_speech
import pandas as pd
import pytest
from test_own_figures import BARS

from harness import plugins, spec, store
from harness.app import api, cli
from harness.contracts import Evidence, Gate, Judge, Metric, Result, Status
from harness.decide import comparison, decision, families, gate_rules, measures, own_metrics
from harness.decide.comparison.cells import FigurePlace, RunCells
from harness.decide.comparison.rows import Pair, _margin
from harness.decide.stats import Resampling
from harness.plugins import kinds
from harness.preflight.feasibility import costs
from harness.report import document, metric_names, wording, words
from harness.report.comparison import writing
from harness.report.sections.speech import tables as speech_tables
from harness.store import queries

ROOT = Path(__file__).resolve().parents[1]
HEAD = "from harness.contracts import Metric\n"
METRICS = {
    "slips": """metric = Metric(unit="fraction", better="lower", measure=lambda call: (0.0, 1.0),
    needs_reference=True, title={"en": "Slips", "es": "Deslices"})""",
    "warmth": """metric = Metric(unit="MOS", better="higher", measure=lambda call: (3.0, 1.0),
    judge="ears", title={"en": "Warmth", "es": "Calidez"})""",
    "wait_ms": """metric = Metric(unit="ms", better="lower", fold="quantile",
    measure=lambda call: (call.seconds, 1.0), title={"en": "Wait", "es": "Espera"})""",
    "stutter": """metric = Metric(unit="fraction", better="lower", fold="share", kind="symptom",
    measure=lambda call: (0.0, 1.0), needs_reference=True,
    title={"en": "Stutters", "es": "Tartamudeos"})""",
    "pitch": """metric = Metric(unit="dB", better="neither", kind="symptom",
    measure=lambda call: (0.0, 1.0), title={"en": "Pitch", "es": "Tono"})""",
}
TITLES = {"slips": ("Slips", "Deslices"), "warmth": ("Warmth", "Calidez"),
          "wait_ms": ("Wait", "Espera"), "stutter": ("Stutters", "Tartamudeos"),
          "pitch": ("Pitch", "Tono")}  # fmt: skip
LIKE = {"slips": "cer", "warmth": "dnsmos_ovrl", "wait_ms": "rtf", "stutter": "loops",
        "pitch": "spoken_seconds"}  # fmt: skip
SECTION = {"slips": "## Quality", "warmth": "## Synthesised speech", "wait_ms": "## Quality",
           "stutter": "## Loops and hallucinations", "pitch": "## Synthesised speech"}  # fmt: skip
WRITTEN_BY = {"## Quality": "quality", "## Synthesised speech": "speech",
              "## Loops and hallucinations": "loops"}  # fmt: skip
OF_SPEECH = {"warmth", "pitch"}


@functools.cache
def recogniser() -> Result:
    return invented_run.build()


@functools.cache
def synthesiser() -> Result:
    return invented_speech.build()


def with_metric(result: Result, name: str, like: str, metric: Metric) -> Result:
    """The run with a metric that has the figures of another one, as its own file tells it."""
    tables = dict(result.tables)
    for table in ("summary", "changes", "scores"):
        rows = queries.rows(tables[table], metric=like)
        rows = rows.assign(metric=name, **({} if table == "scores" else unit_of(table, metric)))
        tables[table] = pd.concat([tables[table], rows], ignore_index=True)
    quality = [
        {**part, "metrics": [*part["metrics"], name]} if like in part["metrics"] else part
        for part in filed.data_of(result)["quality"]
    ]
    return replace(filed.changed(result, quality=quality), tables=tables)


def unit_of(table: str, metric: Metric) -> dict[str, str]:
    return {"unit": metric.unit} if table == "summary" else {}


def own_run(folder: Path, name: str) -> tuple[Result, str]:
    """An invented run that measured a metric of the user's own, and that metric's path."""
    (folder / f"{name}.py").write_text(HEAD + METRICS[name], encoding="utf-8")
    path = f"./{name}.py"
    named = plugins.find_metric(path, folder)
    build = synthesiser if name in OF_SPEECH else recogniser
    result = with_metric(build(), path, LIKE[name], named.metric)
    told = own_metrics.facts([named], lambda one: folder / one)
    return filed.changed(result, own={"metrics": told}), path


def alone(result: Result, name: str) -> Result:
    """The run without the other metrics that could stand in its figure."""
    others = {"wer", "cer", "ser", "round_trip_wer", "round_trip_cer", "dnsmos_ovrl", "mos"}
    kept = {
        table: data[~data["metric"].isin(others - {name})] if "metric" in data else data
        for table, data in result.tables.items()
    }
    return replace(result, tables=kept)


def judged_by(result: Result, name: str) -> Result:
    """The run with a judge that says of itself what its own file says."""
    judge: Judge = plugins.load("judges", name)
    told = {"dataset": invented_speech.SET, "judge": name, "version": judge.version}
    row = {**told, "about": json.dumps(judge.about), "parameters": "{}", "notes": "{}"}
    judges = pd.concat([result.judges, pd.DataFrame([row])], ignore_index=True)
    return replace(result, tables={**result.tables, "judges": judges})


def write_catalan(path: Path) -> None:
    """A language that is not ours: Portuguese words, told apart by its head and one of its own."""
    text = (plugins.PACKAGE / "report" / "words" / "pt.yaml").read_text(encoding="utf-8")
    found = text.replace("locale: pt", "locale: ca", 1).replace(
        "relatório de validação", "informe de validació"
    )
    path.write_text(found, encoding="utf-8")


def headers(text: str, section: str) -> str:
    body = text.split(section, 1)[1].split("\n## ", 1)[0]
    return "\n".join(line for line in body.splitlines() if line.startswith("|"))


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_of_the_users_own_is_named_in_both_languages_and_stands_in_its_table(
    name: str, tmp_path: Path
) -> None:
    result, _ = own_run(tmp_path, name)
    report = {**filed.data_of(result)["report"], "sections": [WRITTEN_BY[SECTION[name]]]}
    result = filed.changed(result, report=report)
    english, spanish = TITLES[name]
    with plugins.data_only():
        assert english in headers(document.render(result, "en"), SECTION[name])
        assert f" {spanish} " in document.render(result, "es")


@pytest.mark.parametrize(("name", "figure"), [("warmth", "speech"), ("slips", "tradeoff")])
def test_a_metric_of_the_users_own_alone_is_what_its_figure_shows(
    name: str, figure: str, tmp_path: Path
) -> None:
    """Without the metrics of ours beside it: a predictor that a list forgot was shown nowhere."""
    result, path = own_run(tmp_path, name)
    run = alone(result, path)
    shown = measures.judged(run)[0] if name == "warmth" else measures.qualities(run)[0]
    assert shown is not None
    assert shown.metric == path
    assert plugins.load("figures", figure).draw(run, "en") is not None


@pytest.mark.parametrize("name", ["slips", "warmth"])
def test_a_metric_of_the_users_own_is_compared_by_its_name_without_its_code(
    name: str, tmp_path: Path
) -> None:
    result, path = own_run(tmp_path, name)
    with plugins.data_only():
        known = {named.name: named for named in decision.stored_metrics(result)}
        found = comparison.compare(
            result, result, known, comparison.CompareOptions(force=True, draws=50)
        )
    assert path in {row.place.metric for row in found.rows}
    for place, language in enumerate(("en", "es")):
        assert f"  {TITLES[name][place]}  " in writing.plain(found, language, everything=True)


def test_what_stands_beside_an_opinion_follows_from_its_kind() -> None:
    mine = Metric(unit="MOS", better="higher", measure=lambda call: (1.0, 1.0), judge="x")
    assert kinds.beside(mine) == ("spoken_seconds", "clipping")
    assert kinds.table_of(mine) == "opinions"
    assert kinds.beside(replace(mine, beside=())) == ()


@pytest.mark.parametrize("name", plugins.names("metrics"))
def test_each_metric_of_ours_has_a_title_in_each_language(name: str) -> None:
    assert set(plugins.load("metrics", name).title) >= {"en", "es"}
    assert all(metric_names.title(name, language) for language in words.languages())


@pytest.mark.parametrize("name", plugins.names("families"))
def test_each_family_of_ours_names_its_operations_in_each_language(name: str) -> None:
    family = plugins.load("families", name)
    for language in words.languages():
        for operation in set(family.operations) - {"pipeline"}:
            assert words.of_family(name, operation, family.words, language)
    assert set(family.words) in (set(), {"en", "es"})
    assert len({frozenset(texts) for texts in family.words.values()}) <= 1


def test_a_stored_metric_that_tells_nonsense_is_data_and_no_harm(tmp_path: Path) -> None:
    result, path = own_run(tmp_path, "slips")
    kept = result.facts.own["metrics"][path]
    for wrong in (
        {"table": "cellar"},
        {"order": "x"},
        {"title": ["x"]},
        {"kind": 3},
        {"beside": 1},
    ):
        strange = filed.changed(result, own={"metrics": {path: {**kept, **wrong}}})
        assert measures.table_of(strange, path) == "quality"
        with metric_names.naming(strange):
            assert wording.metric(path, "en") in ("Slips", "slips")


# ---------------------------------------- gates
def at_least(limit: float, evidence: Evidence) -> Status:
    return plugins.load("gates", "min").check(limit, evidence)


@pytest.mark.parametrize("kind", plugins.names("gates"))
def test_a_gate_says_the_side_that_it_checks(kind: str) -> None:
    gate: Gate = plugins.load("gates", kind)
    assert gate.side == kinds.side_of(replace(gate, side=None), 0.5)


@pytest.mark.parametrize(
    ("gate", "limit", "value", "share"),
    [
        (Gate("value", at_least, "≥"), 10.0, 20.0, 0.5),
        (Gate("value", at_least, "≥"), 10.0, 5.0, 2.0),
        (Gate("ratio", at_least, "≥ ×"), 0.8, 1.6, 0.5),
        (Gate("difference", lambda n, e: at_least(-n, e), "≥", lambda n: -n), 0.1, -0.05, 0.5),
        (Gate("value", lambda n, e: Status.PASS, "≈"), 0.1, 0.05, math.nan),
    ],
)
def test_a_kind_of_gate_that_nobody_knows_uses_the_share_of_its_own_side(
    gate: Gate, limit: float, value: float, share: float
) -> None:
    experiment = filed.experiment({"gates": [{"metric": "x", "./mine.py": limit}]})
    told = gate_rules.facts(experiment, lambda _: gate)
    rule = gate_rules.of_kind({"gates": told}, "./mine.py", limit)
    assert rule is not None
    assert rule.share(value) == pytest.approx(share, nan_ok=True)


@pytest.mark.parametrize(
    "kept", [None, 3, {}, {"on": "x"}, {"on": "value", "sign": "<", "limits": [{"limit": 1.0}]}]
)
def test_a_gate_of_which_nothing_is_known_is_not_drawn_as_a_maximum(kept: Any) -> None:
    own = {"gates": {"./mine.py": kept}}
    assert gate_rules.of_kind(own, "./mine.py", 1.0) is None
    result = recogniser()
    checks = result.checks.assign(kind="./mine.py")
    strange = replace(result, tables={**result.tables, "checks": checks})
    assert plugins.load("figures", "gates").draw(strange, "en") is None
    assert math.isnan(measures.most(strange, "latency_p50_ms", "5 s"))


# ---------------------------------------- the margin of `compare`
ELSEWHERE = {"dataset": "silence"}
HERE = {"dataset": "cv-es-prompts"}


@pytest.mark.parametrize(
    ("metric", "gates", "margin"),
    [
        ("wer", [{"max_increase": 0.03}], 0.03),
        ("wer", [{"at": ELSEWHERE, "max_increase": 0.9}, {"at": HERE, "max_increase": 0.02}], 0.02),
        ("wer", [{"at": ELSEWHERE, "max_increase": 0.9}], math.nan),
        ("wer", [{"max_increase": 0.03}, {"max_increase": 0.01}], 0.01),
        ("wer", [{"variants": ["int8-qdq"], "max_increase": 0.03}], math.nan),
        ("wer", [{"max_decrease": 0.03}], math.nan),
        ("wer", [{"max": 0.03}, {"max_ratio": 1.1}], math.nan),
        ("utmos", [{"max_decrease": 0.1}], 0.1),
        ("utmos", [{"max_increase": 0.1}], math.nan),
    ],
)
def test_the_margin_of_compare_is_of_its_data_set_and_of_the_side_that_is_worse(
    metric: str, gates: list[dict[str, Any]], margin: float
) -> None:
    made = recogniser()
    run = RunCells.of(filed.changed(made, gates=[{"metric": metric, **gate} for gate in gates]))
    pair = Pair(run, run, {metric: plugins.find_metric(metric)}, Resampling(seed=1), False)
    place = FigurePlace(metric, "int8", "default", "pipeline", "cv-es-prompts", "quality")
    assert _margin(pair, place) == pytest.approx(margin, nan_ok=True)


# ---------------------------------------- quantizers
@pytest.mark.parametrize(
    ("bits", "known"), [("8", 8), ("4", 4), ("lambda params: params.width", 2), ("None", 0)]
)
def test_the_forecast_knows_the_bits_of_a_quantizer_of_the_users_own(
    bits: str, known: int, tmp_path: Path
) -> None:
    text = f"""from dataclasses import dataclass
from harness.contracts import Method
@dataclass(frozen=True)
class Params:
    width: int = 2
method = Method(Params=Params, apply=print, bits={bits})
"""
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    method = plugins.load("quantize", "./mine.py", tmp_path)
    variant = spec.Variant("x", quantize=spec.Use("./mine.py", method.Params()))
    assert costs.bits_of(variant, lambda name: tmp_path / name) == known


@pytest.mark.parametrize("name", plugins.names("quantize"))
def test_each_quantizer_of_ours_says_its_bits(name: str) -> None:
    assert plugins.load("quantize", name).bits


# ---------------------------------------- families
def test_a_family_of_the_users_own_is_described_by_its_words_without_its_code(
    tmp_path: Path,
) -> None:
    (tmp_path / "tongue.py").write_text(FAMILY, encoding="utf-8")
    made = recogniser()
    mine = filed.changed(made, model={"family": "./tongue.py"}, variants=[])
    told = families.facts(mine.experiment, lambda name: plugins.load("families", name, tmp_path))
    calls = made.calls.assign(operation=made.calls["operation"].replace("encoder", "murmur"))
    summary = made.summary.assign(operation=made.summary["operation"].replace("encoder", "murmur"))
    run = replace(
        filed.changed(mine, own={"families": told}),
        tables={**made.tables, "calls": calls, "summary": summary},
    )
    with plugins.data_only():
        for language, title, remark in (
            ("en", "the murmur", "It murmurs first."),
            ("es", "el murmullo", "Primero murmura."),
        ):
            with metric_names.naming(run):
                text = plugins.load("sections", "parts").render(run, language)
            assert title in text
            assert remark in text
        family = measures.family(run)
    assert family is not None
    assert (family.takes, family.gives) == ("audio", ("text",))
    assert measures.family(filed.changed(run, own={})) is None


@pytest.mark.parametrize(
    "kept",
    [
        None, 3, {}, {"takes": "x", "gives": []}, {"takes": "audio", "gives": 3},
        {"takes": ["audio"], "gives": []},
    ],
)  # fmt: skip
def test_a_family_of_which_nothing_fit_was_stored_is_unknown(kept: Any) -> None:
    own = {"families": {"./tongue.py": kept}}
    assert families.of_model(spec.ModelSpec("./tongue.py", {}), own) is None


@pytest.mark.parametrize(
    ("titles", "said"),
    [(("Ease A", "Ease B"), "Other scores of Ease (A and B):"),
     (("Ease", "Warmth"), "Other scores (Ease and Warmth):")],
)  # fmt: skip
def test_parts_of_a_predictor_stand_under_its_name(
    titles: tuple[str, str], said: str, tmp_path: Path
) -> None:
    """Whoever it is: the heading said DNSMOS of any of them."""
    own = {"metrics": {f"./{n}.py": {"title": {"en": title}} for n, title in enumerate(titles)}}
    with metric_names.naming(filed.changed(synthesiser(), own=own)):
        assert speech_tables._scales(["./0.py", "./1.py"], "en") == said


# ---------------------------------------- exports
def junit(folder: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> ElementTree.Element:
    assert cli.main(["export", str(folder), "--to", "junit", "--out", str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    return ElementTree.parse(out).getroot()


def published(folder: Path, **changes: Any) -> Path:
    store.publish(replace(recogniser(), folder=folder, **changes), "name: x\n")
    return folder


def test_only_a_gate_that_passed_is_a_pass_for_a_ci_system(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = published(tmp_path / "run")
    root = junit(folder, tmp_path / "x.xml", capsys)
    checks = api.load(folder).gates.set_index("gate")["status"]
    cases = {str(case.get("name")): case for case in root.iter("testcase")}
    assert set(cases) == {"verdict", *checks.index}
    passed = {name for name, case in cases.items() if len(case) == 0}
    assert passed == {"verdict", *checks.index[checks == "PASS"]}
    (told,) = cases["cer"]
    assert told.tag == "skipped"
    assert "1.5% [0.9, 3.4]" in str(told.get("message"))


@pytest.mark.parametrize("status", ["FAIL", "INCONCLUSIVE", "NOT MEASURED", "a new one"])
def test_a_gate_that_decides_and_did_not_pass_is_a_failure(status: str) -> None:
    made = recogniser()
    checks = made.checks.assign(status=status, severity="fail")
    verdict = {**made.verdict, "verdict": "INSUFFICIENT EVIDENCE"}
    run = replace(made, verdict=verdict, tables={**made.tables, "checks": checks})
    root = ElementTree.fromstring(plugins.load("exports", "junit").render(run))
    assert root.get("failures") == root.get("tests") == str(len(checks) + 1)
    assert {case[0].tag for case in root.iter("testcase")} == {"failure"}


def test_a_run_without_gates_is_no_success_for_a_ci_system() -> None:
    made = recogniser()
    run = replace(made, verdict={}, tables={**made.tables, "checks": made.checks.head(0)})
    root = ElementTree.fromstring(plugins.load("exports", "junit").render(run))
    assert root.get("failures") == root.get("tests") == "1"


@pytest.mark.parametrize(
    "sign", ["\x00", "\x1b[31m", "\ufffe", "\ud800", "</testsuites>", '"&', "\n"]
)
def test_no_sign_of_a_name_or_reason_breaks_the_xml(sign: str) -> None:
    made = recogniser()
    held = "" if sign == "\ud800" else sign  # no table holds half a sign; a name can
    checks = made.checks.assign(gate="g" + held, reason=held, reason_code="new", status="FAIL")
    run = replace(made, tables={**made.tables, "checks": checks})
    run = filed.changed(run, name="x" + sign)
    root = ElementTree.fromstring(plugins.load("exports", "junit").render(run))
    assert len(list(root.iter("testcase"))) == len(checks) + 1


def test_a_file_of_somebody_else_is_not_overwritten_and_an_own_export_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = published(tmp_path / "run")
    theirs = tmp_path / "theirs.xml"
    theirs.write_text("<x/>", encoding="utf-8")
    assert cli.main(["export", str(folder), "--to", "junit", "--out", str(theirs)]) == 2
    assert theirs.read_text(encoding="utf-8") == "<x/>"
    (tmp_path / "mine.py").write_text(
        "from harness.contracts import Export\n"
        "export = Export('.txt', lambda result: str(result.passed).encode())\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", str(folder), "--to", "./mine.py"]) == 0
    assert (tmp_path / "run.txt").read_bytes() == b"True"
    assert (
        cli.main(["export", str(folder), "--to", "./mine.py"]) == 2
    )  # no sign tells that it is ours
    capsys.readouterr()
    junit(folder, tmp_path / "again.xml", capsys)
    junit(folder, tmp_path / "again.xml", capsys)


# ---------------------------------------- in a copy of the package
EARS = """from dataclasses import dataclass
from harness.contracts import Judge
@dataclass(frozen=True)
class Params:
    scale: float = 1.0
judge = Judge(Params=Params, version="1", figures=("ease",), open=print,
    about={"en": "How easy it is to listen to.", "es": "Lo fácil que se escucha."})
"""
FAMILY = '''from dataclasses import dataclass
from harness.contracts import Family
@dataclass(frozen=True)
class Params:
    """None."""
family = Family(Params=Params, sample_rate=16000, operations=("pipeline", "murmur"), build=print,
    graphs=lambda folder: {}, open=print, feeds=print, remark=lambda params: "slow",
    words={"en": {"murmur": "the murmur", "slow": "It murmurs first."},
           "es": {"murmur": "el murmullo", "slow": "Primero murmura."}})
'''
DATA = '''from dataclasses import dataclass
from harness.contracts import Dataset, Source
@dataclass(frozen=True)
class Params:
    """None."""
source = Source(Params=Params, load=lambda params, locate: Dataset("x", (), "f"),
    look=lambda params, locate: 3.0)
'''
DROPPED = {
    **{f"plugins/metrics/{name}": '"""What slips."""\n' + HEAD + text
       for name, text in METRICS.items()},
    "plugins/metrics/disk_mb": HEAD + 'metric = Metric(unit="MB", better="lower",'
    ' of_variant=lambda row: row["size_bytes"] / 1e6, title={"en": "Disk", "es": "Disco"})',
    "plugins/gates/min_increase": "from harness.contracts import Gate\n"
    "from harness.plugins.gates._rule import at_least\n"
    'gate = Gate(on="difference", check=at_least, sign="≥ +")\n',
    "plugins/quantize/four_bits": "from dataclasses import dataclass\n"
    "from harness.contracts import Method\n@dataclass(frozen=True)\nclass Params:\n"
    '    """None."""\nmethod = Method(Params=Params, apply=print, bits=4)\n',
    "report/sections/hello": "from harness.contracts import Section\n"
    'section = Section(1, {"en": "Hello", "es": "Hola"}, lambda result, language: "A body.")\n',
    "plugins/judges/ears": EARS,
    "plugins/families/tongue": FAMILY,
    "plugins/datasets/three": DATA,
    "report/figures/bars": BARS % ', section="errors"',
    "report/exports/rows": "from harness.contracts import Export\n"
    'export = Export(".txt", lambda result: b"")\n',
}  # fmt: skip
LOOK = """
import json, sys
from harness import plugins, spec
from harness.report import document, wording
from harness.decide import gate_rules, measures
from harness.report import drawing, words
from test_one_file import LIKE, METRICS, OF_SPEECH, SECTION, TITLES, alone, headers, recogniser
from test_one_file import judged_by, synthesiser, with_metric
assert plugins.PACKAGE.parent.name == "copy", plugins.PACKAGE
schema = json.dumps(spec.schema())
for path in json.loads(sys.argv[1]):
    room, kind, name = path.split("/")
    assert name in plugins.names(kind), path
    if kind not in ("exports",):
        assert f'"{name}"' in schema, path
for name in METRICS:
    assert (wording.metric(name, "en"), wording.metric(name, "es")) == TITLES[name], name
    build = synthesiser if name in OF_SPEECH else recogniser
    run = with_metric(build(), name, LIKE[name], plugins.find_metric(name).metric)
    english = document.render(run, "en")
    assert TITLES[name][0] in headers(english, SECTION[name]), name
    assert "## Hello" in english
for language, said in (("en", "How easy it is"), ("es", "Lo fácil que se escucha")):
    assert said in document.render(judged_by(synthesiser(), "ears"), language)
run = alone(with_metric(synthesiser(), "warmth", LIKE["warmth"],
                        plugins.find_metric("warmth").metric), "warmth")
assert plugins.load("figures", "speech").draw(run, "en") is not None
english = document.render(recogniser(), "en", {"bars"})
assert "(figures/bars.png)" in english.split("## Errors")[1].split("## ")[0]
assert plugins.load("figures", "bars").draw(recogniser(), "en") is not None
assert "ca" in words.languages() and '"ca"' in schema
assert "informe de validació" in document.render(recogniser(), "ca")
rule = gate_rules.of_kind({}, "min_increase", 0.1)
assert rule.side == "lower" and rule.share(0.2) == 0.5
check = {"kind": "min_increase", "limit": 0.1, "unit": "fraction"}
told = wording.gate_limit(check, "es").replace(chr(160), " ")
assert told == "≥ +10 pp", told
assert wording.metric("disk_mb", "es") == "Disco"
assert wording.operation("murmur", "es") == "el murmullo"
from harness.app import cli
for kind in (*plugins.CONTRACTS, "languages"):
    assert cli.main(["list", kind]) == 0
"""


@pytest.mark.slow
def test_one_file_in_the_packages_folder_is_found_everywhere(tmp_path: Path) -> None:
    package = tmp_path / "copy" / "harness"
    shutil.copytree(plugins.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in DROPPED.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    write_catalan(package / "report" / "words" / "ca.yaml")
    way = os.pathsep.join([str(package.parent), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", LOOK, json.dumps(list(DROPPED))],
        env={**os.environ, "PYTHONPATH": way, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for name in (*(path.split("/")[2] for path in DROPPED), "ca"):
        assert f"\n{name} " in f"\n{done.stdout}"


# ---------------------------------------- in an empty folder, as `harness check` sees it
EXPERIMENT = """name: mine
model: {family: ./tongue.py, source: {path: .}}
variants:
  - {name: fp32}
  - {name: small, quantize: {use: ./four_bits.py}}
baseline: fp32
candidate: small
quality:
  - name: said
    dataset: {use: ./three.py}
    metrics: [./slips.py]
    normaliser: spanish
gates:
  - {metric: ./slips.py, ./rise.py: 0.1}
report: {sections: [./hello.py], figures: [./bars.py], language: ./ca.yaml}
"""
SPOKEN = """name: mine
model: {family: ./tongue.py, source: {path: .}}
variants:
  - {name: fp32}
  - {name: small, quantize: {use: ./four_bits.py}}
baseline: fp32
quality:
  - name: said
    dataset: {use: ./three.py}
    metrics: [./warmth.py]
gates:
  - {metric: ./warmth.py, over: fp32, max_decrease: 0.1}
"""


def test_a_folder_of_own_files_is_forecast(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Metric, gate, quantizer, family, data set, section, figure and language, by their paths."""
    own = {Path(name).name: text for name, text in DROPPED.items()}
    own["rise"] = own["min_increase"].replace("at_least", "at_most")
    used = ("slips", "rise", "four_bits", "tongue", "three", "hello", "bars")
    for name in used:
        (tmp_path / f"{name}.py").write_text(own[name], encoding="utf-8")
    write_catalan(tmp_path / "ca.yaml")
    file = tmp_path / "mine.yaml"
    file.write_text(EXPERIMENT, encoding="utf-8")
    assert cli.main(["check", str(file)]) == 0, capsys.readouterr().err
    told = capsys.readouterr().out
    for name in used:
        assert f"runs ./{name}.py" in told
    assert "in order" in told
    assert "./slips.py@said" in told
    assert " 3 " in told  # utterances, as the data set's own look counts them


def test_a_judge_of_the_users_own_is_forecast_by_the_metric_that_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speaking = FAMILY.replace("open=print", 'open=print, takes="text", gives=("audio",)')
    own = {"tongue": speaking, "ears": EARS, "three": DATA}
    own["four_bits"] = DROPPED["plugins/quantize/four_bits"]
    own["warmth"] = HEAD + METRICS["warmth"].replace("ears", "./ears.py")
    for name, text in own.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    file = tmp_path / "mine.yaml"
    file.write_text(SPOKEN, encoding="utf-8")
    (entry,) = spec.load(file).quality
    assert [judge.use for judge in entry.judges] == ["./ears.py"]
    assert cli.main(["check", str(file)]) == 0, capsys.readouterr().err
    told = capsys.readouterr().out
    assert told.count("runs ./ears.py: ") == 1  # which only the metric names
    assert "./warmth.py@said" in told
