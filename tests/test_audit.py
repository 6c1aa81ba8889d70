"""Another's protocol replayed: what is measured in which order, and what the report reads in it."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import filed
import invented_run
import onnx
import pytest
from test_pipeline import YAML, Local, finished, lay_out, measured_again, prepare, run
from tiny_graphs import model, save

from harness import plugins, spec, store
from harness.app import api
from harness.contracts import Result
from harness.decide import protocol, replays
from harness.decide.entry import Entry
from harness.errors import ModelError, SpecError, WorkerError
from harness.report import markdown, words
from harness.run import audit
from harness.run.pool import Pool
from harness.runtime import session
from harness.runtime.session import SessionConfig
from harness.runtime.session.probing import probe
from harness.spec import Audit, Unchecked
from harness.store import tables

__all__ = ["finished"]  # a fixture: a copy of what `ran_once` gives here

ASKED = """\
audit:
  source: a summary
  operation: encoder
  audio_seconds: [1, 2]
  iterations: 3
  rounds: 6
  sessions: [default, one-thread]
  unchecked: {session: one-thread, provider_options: {arena_size: 268435456}}
  claimed_gain: 0.0065
"""
ADDED = "one-thread+arena_size"


# ---------------------------------------- the whole of it, with a fake model
@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Path:
    folder = tmp_path / "project"
    lay_out(folder)
    (folder / "x.yaml").write_text(YAML.replace("gates:", f"{ASKED}gates:"), encoding="utf-8")
    prepare(folder, monkeypatch, request.node.name)
    return folder


@pytest.fixture(scope="module")
def ran_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ran") / "project"
    lay_out(folder)
    (folder / "x.yaml").write_text(YAML.replace("gates:", f"{ASKED}gates:"), encoding="utf-8")
    with pytest.MonkeyPatch.context() as monkeypatch:
        prepare(folder, monkeypatch, "")
        run(folder)
    return folder


@pytest.mark.slow
def test_a_protocol_is_replayed_in_its_order_and_then_measured_in_rounds(ran_once: Path) -> None:
    result = api.load(ran_once / "out")
    calls = result.calls[result.calls["stage"] == "audit"]
    warm = calls[calls["warm"]]
    # 2 repeats x 3 configurations x 2 lengths x 3 iterations
    assert len(warm) == 36
    assert set(warm["variant"]) == {"fast"}  # the candidate
    assert set(warm["operation"]) == {"encoder"}
    order = warm.drop_duplicates(["round", "block"])
    assert order["session"].tolist() == ["default", "one-thread", ADDED] * 2
    assert order["round"].tolist() == [0, 0, 0, 1, 1, 1]
    assert warm["order"].tolist() == [0, 1, 2] * 12
    assert (warm.groupby(["round", "block", "audio_seconds"])["item"].nunique() == 1).all()
    loads = calls[calls["operation"] == "load"]
    assert len(loads) == 6  # a process for each configuration, opened anew in each repeat
    cold = calls[~calls["warm"] & (calls["operation"] == "encoder")]
    assert len(cold) == 12  # one for each length of each of them
    rounds = result.calls[(result.calls["stage"] == "audit_rounds") & result.calls["warm"]]
    assert len(rounds) == 6 * 2 * (3 + 1)  # rounds, lengths, configurations and the twin
    assert set(rounds.loc[rounds["replica"] == 1, "session"]) == {"default"}
    report = (ran_once / "out" / "report.md").read_text(encoding="utf-8")
    assert "## What the reference protocol can support" in report
    assert "reports that it read `{}` of it; 1 of 1 graphs are the same" in report


@pytest.mark.slow
def test_what_onnxruntime_made_of_each_configuration_is_a_row(ran_once: Path) -> None:
    calls = api.load(ran_once / "out").calls
    probes = calls[calls["operation"] == audit.PROBE]
    assert probes["session"].tolist() == ["default", "one-thread", ADDED]
    seen = [json.loads(note) for note in probes["note"]]
    assert [one["asked"] for one in seen] == [{}, {}, {"arena_size": "268435456"}]
    assert [one["provider_options"] for one in seen] == [{}, {}, {}]
    assert len({one["graph"] for one in seen}) == 1
    assert not probes["warm"].any()
    assert probes["seconds"].isna().all()


def test_an_older_run_has_its_audit_made_when_it_is_read(finished: Path) -> None:
    folder = finished / "out"
    ran = api.load(folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name in ("audit_repeats", "audit_rounds"):
        del manifest["files"][f"{name}.csv"]
        (folder / f"{name}.csv").unlink()
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    loaded = api.load(folder)
    # 3 configurations x 2 runs x (2 lengths and both pooled); the twin, 2 others and the option
    assert (len(loaded.audit_repeats), len(loaded.audit_rounds)) == (18, 4)
    assert loaded.audit_repeats.equals(ran.audit_repeats)
    assert loaded.audit_rounds.equals(ran.audit_rounds)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("claimed_gain: 0.0065", "claimed_gain: 0.1", set()),
        ("  rounds: 6\n", "  rounds: 7\n", {"audit_rounds"}),
        ("iterations: 3", "iterations: 2", {"audit"}),
        ("arena_size: 268435456", "arena_size: 1", {"audit", "audit_rounds"}),
    ],
)
def test_only_what_depends_on_a_changed_field_is_measured_again(
    finished: Path, old: str, new: str, again: set[str]
) -> None:
    text = (finished / "x.yaml").read_text(encoding="utf-8")
    assert old in text
    assert measured_again(finished, text.replace(old, new)) == again


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_after_the_last_whole_configuration(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = Local.ask

    def dies(self: Local, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]:
        if "block" in request and request["block"]["calls"] == 5:  # iterations
            asked.append(self.label)
            if len(asked) == 4:
                raise KeyboardInterrupt
        return real(self, request, limit_seconds)

    text = (
        (project / "x.yaml").read_text(encoding="utf-8").replace("iterations: 3", "iterations: 5")
    )
    (project / "x.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(Local, "label", "", raising=False)
    monkeypatch.setattr(Local, "ask", dies)
    with pytest.raises(KeyboardInterrupt):
        run(project)
    result = run(project)
    # of twelve blocks of five calls the second configuration's two were lost, and done again
    assert len(asked) == 4 + 10
    warm = result.calls[(result.calls["stage"] == "audit") & result.calls["warm"]]
    assert len(warm) == 60
    assert (warm.groupby(["round", "block"]).size() == 10).all()


@pytest.mark.slow
def test_a_variant_that_is_no_model_is_rows_with_the_reason(project: Path) -> None:
    (project / "fast" / "model.onnx").write_bytes(b"not a model")
    result = run(project)
    calls = result.calls[result.calls["stage"] == "audit"]
    assert (calls["error"] != "").all()
    assert len(calls[calls["operation"] == "encoder"]) == 36
    report = (project / "out" / "report.md").read_text(encoding="utf-8")
    assert "Not measured: the protocol was never replayed." in report


# ---------------------------------------- failures, at the pool
class Scripted:
    """Answers at once, but for what its script says of a label: an error for its blocks or all."""

    def __init__(self, label: str, script: Mapping[str, Exception]) -> None:
        self.label, self.script = label, script

    def ask(self, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]:
        kind, body = next(iter(request.items()))
        failure = self.script.get(self.label)
        if isinstance(failure, ModelError) or (isinstance(failure, WorkerError) and kind != "open"):
            raise failure
        if kind == "open":
            return {"seconds": 0.5, "rss_bytes": 1.0}
        if kind == "probe":
            return {"graphs": {"encoder": {"provider_options": {}, "graph": "a1"}}}
        call = {"seconds": 0.2, "cpu_seconds": 0.2, "tokens": None, "text": "", "note": ""}
        shared = {"steal": 0.0, "load": 0.0, "rss_bytes": 1.0}
        return {"calls": [call] * body["calls"], **shared}

    def close(self) -> None:
        pass


class Heard:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, float, str, float]] = []
        self.lines: list[str] = []

    def line(self, text: str) -> None:
        self.lines.append(text)

    def step(self, stage: str, done: float, text: str, left: float) -> None:
        self.steps.append((stage, done, text, left))


def entry(name: str) -> Entry:
    return Entry("int8", SessionConfig(name), Path("int8"), "whisper", {})


def measured(folder: Path, script: Mapping[str, Exception], **changes: Any) -> tuple[Any, Heard]:
    (folder / store.WORK).mkdir(exist_ok=True)
    asked = Audit("x", ("a", "b"), (1.0, 2.0), "encoder", iterations=4, rounds=2)
    asked = dataclasses.replace(asked, **changes)
    clips = {1.0: [("c", "1.npy"), ("d", "1d.npy")], 2.0: [("c", "2.npy")]}
    plan = audit.AuditPlan(asked, (entry("a"), entry("b")), clips, seed=1)
    units = {name: store.Unit(folder, name, "k") for name in (audit.REPLAY, audit.ROUNDS)}
    tell = Heard()
    with Pool(lambda label: Scripted(label, script)) as pool:
        audit.measure(units, plan, pool, tell)
    return units[audit.REPLAY].table(), tell


@pytest.mark.parametrize(
    "failure", [ModelError("int8/b: cannot be opened"), WorkerError("int8/b: killed (signal 9)")]
)
def test_every_call_of_a_configuration_that_fails_is_a_row_and_the_others_go_on(
    tmp_path: Path, failure: Exception
) -> None:
    calls, _ = measured(tmp_path, {"int8/b": failure})
    warm = calls[calls["warm"]]
    bad, good = (warm[warm["session"] == name] for name in ("b", "a"))
    assert len(bad) == len(good) == 2 * 2 * 4
    assert (bad["error"] != "").all()
    assert good["error"].unique().tolist() == [""]
    probes = calls[calls["operation"] == audit.PROBE]
    assert (probes["error"] != "").tolist() == [False, True]


def test_what_is_wrong_with_the_experiment_ends_the_run(tmp_path: Path) -> None:
    class Wrong(Scripted):
        def ask(self, request: Mapping[str, Any], limit_seconds: float) -> dict[str, Any]:
            raise SpecError("int8/a: context: takes 30 s only")

    asked = Audit("x", ("a",), (1.0,), "encoder")
    plan = audit.AuditPlan(asked, (entry("a"),), {1.0: [("c", "1.npy")]}, seed=1)
    (tmp_path / store.WORK).mkdir()
    units = {name: store.Unit(tmp_path, name, "k") for name in (audit.REPLAY, audit.ROUNDS)}
    with Pool(lambda label: Wrong(label, {})) as pool, pytest.raises(SpecError):
        audit.measure(units, plan, pool, Heard())


def test_whoever_watches_hears_how_far_it_is_and_what_is_left(tmp_path: Path) -> None:
    _, tell = measured(tmp_path, {})
    # 2 repeats x 2 configurations x 2 lengths x 4 iterations
    assert tell.lines[0].startswith("audit: 32 calls of the protocol, beyond the budget")
    steps = [step for step in tell.steps if step[0] == "audit"]
    assert [done for _, done, _, _ in steps] == [0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6]
    assert steps[0][2] == "options and graph, int8/a"
    assert steps[-1][2] == "repeat 2 of 2, int8/b"
    assert all(left >= 0 for *_, left in steps[3:])


def test_without_warm_up_every_call_counts(tmp_path: Path) -> None:
    calls, _ = measured(tmp_path, {}, warmup=0)
    assert calls.loc[calls["operation"] == "encoder", "warm"].all()


# ---------------------------------------- the deliberate door
def test_an_option_that_nobody_checked_comes_in_by_its_own_door_only() -> None:
    config = SessionConfig("fast", (("intra_op_num_threads", 1),))
    door = session.unchecked(config, "fast+arena_size", {"arena_size": 268435456})
    assert door.provider_options == (("arena_size", "268435456"),)
    assert door.options == config.options
    assert config.provider_options == ()
    with pytest.raises(Exception, match="reads none, so 'arena_size' would be ignored"):
        session.parse([{"name": "x", "provider_options": {"arena_size": 1}}], "sessions")


NODES = (("Identity", "x", "a"), ("Relu", "a", "y"))  # optimizing leaves the first one out


def test_onnxruntime_reads_nothing_of_arena_size_and_says_nothing(tmp_path: Path) -> None:
    """Source: CreateExecutionProviderInstance passes the CPU provider `enable_cpu_mem_arena`."""
    path = tmp_path / "model.onnx"
    save(model([onnx.helper.make_node(name, [x], [y]) for name, x, y in NODES], []), path)
    plain = SessionConfig("plain")
    asked = session.unchecked(plain, "asked", {"arena_size": 268435456, "banana": "yes"})
    one, two = probe(path, plain), probe(path, asked)
    assert one.provider_options == two.provider_options == {}
    assert one.graph == two.graph
    off = SessionConfig("off", (("graph_optimization_level", "disable_all"),))
    assert probe(path, off).graph != one.graph  # so that the same hash tells something


# ---------------------------------------- what the report reads in it
PLAN = {
    "source": "a summary",
    "operation": "encoder",
    "audio_seconds": [1.0, 2.0],
    "iterations": 50,
    "repeats": 2,
    "rounds": 16,
    "warmup": 1,
    "sessions": ["default", "quick", "slow"],
    "unchecked": {"session": "quick", "provider_options": {"arena_size": 5}},
    "claimed_gain": 0.03,
}
# configuration -> (time in repeat 1, in repeat 2, in our rounds, hash of its graph)
INVENTED = {
    "default": (1.00, 1.05, 1.0, "g1"),
    "quick": (0.90, 1.10, 1.0, "g2"),
    "slow": (2.00, 2.00, 2.0, "g1"),
    "quick+arena_size": (0.97, 0.99, 1.0, "g2"),
}


def rows(asked: Mapping[str, Any] = PLAN) -> list[dict[str, Any]]:
    """50 calls of 100.0, 100.2 ... 109.8 ms for 1 s of audio and 100 ms more for 2 s, times the
    configuration's factor; in our rounds 100 and 200 ms, and 1 % more or less in turn."""
    out = []
    for place, (name, (*factors, ours, graph)) in enumerate(INVENTED.items()):
        cell = {"variant": "int8", "session": name, "operation": "encoder", "stage": "audit"}
        note = json.dumps({"asked": {}, "provider_options": {}, "graph": graph})
        out.append({**cell, "operation": "probe", "round": -1, "item": "encoder", "note": note})
        call = {**cell, "warm": True, "block": place, "item": "clip"}
        for repeat, factor in enumerate(factors[: asked["repeats"]]):
            for length in (1, 2):
                for order in range(50):
                    milliseconds = 100 * length + 0.2 * order
                    spent = {"seconds": milliseconds * factor / 1000, "audio_seconds": length}
                    out.append({**call, **spent, "round": repeat, "order": order})
        for replica in (0, 1) if name == "default" else (0,):
            for number in range(16):  # each cell has eight rounds of either, no two the same eight
                sign = (number ^ number >> 1 if replica else number >> place) & 1
                wobble = 1.01 if sign else 0.99
                for length in (1, 2):
                    spent = {"seconds": 0.1 * length * ours * wobble, "audio_seconds": length}
                    where = {"stage": "audit_rounds", "round": number, "replica": replica}
                    out.append({**call, **spent, **where})
    return out


def invented(found: list[dict[str, Any]], plan: Mapping[str, Any] = PLAN) -> Result:
    result = invented_run.build()
    blank = {name: tables.frame(name, []) for name in tables.TABLES}
    calls = tables.frame("calls", found)
    called = replace(filed.changed(result, audit=dict(plan)), tables={**blank, "calls": calls})
    return replace(called, tables={**called.tables, **replays.made(called)})


@pytest.fixture(scope="module")
def whole() -> Result:
    return invented(rows())


def said(result: Result, language: str = "en") -> str:
    body: str = plugins.load("sections", "audit").render(result, language)
    return body.replace(markdown.NBSP, " ")


@pytest.mark.parametrize(
    "line",
    [
        # 0.90 against 1.00, then 0.99 against 1.05: 5.7 % less
        "in run 1, `quick`, 10.0% under `default`; in run 2, `quick+arena_size`, 5.7% under",
        "it names different winners",
        # from 2.00 and 2.00 to 0.90 and 1.10; of 0, 2.06, 5 and 22.2 % the median is 3.5
        "moved by 0.0% to 22.2% from one run to another (median, 3.5%)",
        "claims is 3%: 2 of 4 configurations moved by as much against themselves",
        # half way between 109.8 and 200 ms, times 0.9; medians of 104.9 and 204.9
        "the P50 of the 100 calls pooled is 139 ms, and by length it goes from 94.4 ms to 184 ms",
        "of the 5 slowest calls, which make the P99, 5 are of 2 s",
        # 0.99^100 = 0.366; 0.99^299 = 0.0495; 0.05^(1/100) = 0.9705
        "probability 36.6%",
        "is 189 ms. The 95% upper bound, even if every call were independent: none",
        "takes at least 299; with 100, the highest that can be bounded is the P97.0",
        # 0.97 / 0.90 and 0.99 / 1.10
        "credit it with +7.8%, −10.0% of the P50; paired within rounds, `quick+arena_size` takes",
        "reports that it read `{}` of it; 1 of 1 graphs are the same",
        "4 configurations give 2 different optimized graphs: `default`, `slow` share theirs; "
        "`quick`, `quick+arena_size` share theirs",
        # 2.00 / 1.00 and 2.00 / 1.05, each beyond a drift of 22 %
        "`slow` (200.0%, 190.5% of the time of `default`; our way, 200.0%",
        "**What it cannot.** The differences of `quick`, `quick+arena_size` from `default`.",
    ],
)
def test_the_report_says_what_the_invented_replay_holds(whole: Result, line: str) -> None:
    assert line in said(whole)


def test_the_table_shows_each_repeat_with_its_winner_beside_our_ratio(whole: Result) -> None:
    line = next(x for x in said(whole).splitlines() if x.startswith("| `quick` |"))
    # 154.9 ms (numpy between the 50th and the 51st of 100 calls) times 0.90 and 1.10;
    # its 99th percentile: 209.6 + 0.01 x 0.2 = 209.602 ms
    assert "**139 ms · 189 ms** (wins) | 170 ms · 231 ms | 22.2% | 100.0% [" in line
    assert line.endswith("| cannot be told apart |")


def test_a_winner_that_our_rounds_do_not_find_faster_has_shown_no_gain(whole: Result) -> None:
    [gains] = [line for line in said(whole).splitlines() if "measured again" in line]
    shown = gains.count("cannot be told apart, so that no gain is shown")
    assert shown == 2  # one for each winner
    first = plugins.load("sections", "result").render(whole, "en")
    assert "2 times with nothing changed, named as winner `quick`, `quick+arena_size`" in first
    assert "measured again in rounds, no gain holds" in first


def test_a_gain_that_is_there_holds() -> None:
    found = rows()
    for row in found:
        if row["session"] == "quick" and row["stage"] == "audit_rounds":
            row["seconds"] *= 0.8
    assert "the gain holds" in said(invented(found))


@pytest.mark.slow
def test_one_repeat_tells_of_no_drift_and_supports_nothing() -> None:
    once = {**PLAN, "repeats": 1}
    text = said(invented(rows(once), once))
    assert "run once only" in text
    assert "**Drift.**" not in text
    assert "Here, nothing" in text


def test_a_configuration_that_failed_has_its_reason_and_never_wins() -> None:
    found = rows()
    for row in found:
        if row["session"] == "quick" and row["operation"] != "probe":
            row |= {"seconds": None, "error": "killed (signal 9)"}
    text = said(invented(found))
    assert re.search(r"\| `quick` \| — · — \| — · — \| — \| — \| failed: killed", text)
    assert "in run 1, `quick+arena_size`, 3.0% under" in text
    assert not re.search(r"\b(nan|inf)\b", text)


def test_a_clock_that_stands_still_gives_no_ratio() -> None:
    found = [row | {"seconds": 0.0} if row["operation"] != "probe" else row for row in rows()]
    text = said(invented(found))
    assert not re.search(r"\b(nan|inf)\b", text)
    assert "Here, nothing" in text


@pytest.mark.parametrize("language", words.languages())
def test_the_figure_is_there_where_the_section_shows_it(whole: Result, language: str) -> None:
    assert "](figures/audit.png)" in said(whole, language)
    assert plugins.load("figures", "audit").draw(whole, language) is not None


def test_an_experiment_that_asks_for_no_audit_has_no_section() -> None:
    result = invented_run.build()
    assert said(result) == ""
    assert protocol.read(result) is None
    assert plugins.load("figures", "audit").draw(result, "es") is None


# ---------------------------------------- the shipped one
def test_the_shipped_audit_replays_the_summarys_protocol(root: Path) -> None:
    asked = spec.load(root / "experiments" / "seed_audit.yaml").audit
    assert asked is not None
    assert (asked.iterations, len(asked.audio_seconds), asked.repeats) == (20, 5, 2)
    assert len(asked.sessions) + 1 == 6  # with the one that has the option
    given = {"arena_size": 256 * 1024 * 1024}
    assert asked.unchecked == Unchecked("sequential-extended", given)
