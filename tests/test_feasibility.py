"""What can be decided before anything is measured: sample sizes, budgets, published anchors."""

from __future__ import annotations

import csv
import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import spec
from harness.app import cli
from harness.preflight import feasibility
from harness.preflight.feasibility import anchors, costs, gates, wording
from harness.preflight.feasibility.anchors import Scope
from harness.preflight.feasibility.gates import Decidability
from harness.report.wording import limit_of
from harness.spec import At, Budget, Claim, Experiment, GateSpec

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "experiments" / "whisper_base_es.yaml"
RUN = Path(__file__).parent / "frozen" / "whisper_base_es"  # what it measured on 2026-11-22
LOCATE = spec.locator(SHIPPED)
DATA = "cv-es-prompts"
AT_5_S = At(audio_seconds=5.0)


@pytest.fixture(scope="module")
def shipped() -> Experiment:
    """The shipped experiment on its speech alone."""
    read = spec.load(SHIPPED)
    gates = tuple(one for one in read.gates if one.at.dataset in ("", DATA))
    return replace(read, quality=read.quality[:1], gates=gates)


def gate(metric: str, limit: float, kind: str = "max", **more: Any) -> GateSpec:
    where = At(dataset=DATA) if metric in ("wer", "cer", "rtf") else AT_5_S
    where = At() if metric == "size_mb" else where
    fields = {"at": where, "operation": "pipeline", "variants": ("int8",), "name": "the gate"}
    return GateSpec(metric, kind, limit, **{**fields, **more})


def foresee(
    experiment: Experiment,
    call_seconds: float = 0.5,
    utterances: float = 100,
    before: costs.Earlier = costs.NOTHING,
) -> feasibility.Forecast:
    known = costs.Costs(experiment, before, call_seconds, cores=2)
    return feasibility.assess(experiment, known, {DATA: utterances}, LOCATE)


def finding(
    experiment: Experiment, asked: GateSpec, minutes: float = 10.0, **how: Any
) -> Decidability:
    only = replace(experiment, gates=(asked,), claims=(), budget=Budget(minutes))
    (found,) = foresee(only, **how).findings
    return found


def table_of_the_run(name: str) -> list[dict[str, str]]:
    path = RUN / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# ---------------------------------------------------------------------------------- sample sizes
@pytest.mark.parametrize(
    ("sd", "distance", "level", "expected"),
    [
        # z(0.95) + z(0.8) = 1.6449 + 0.8416 = 2.4865
        (0.079, 0.005, 0.95, 1544),  # (2.4865 * 15.8)^2 = 39.286^2 = 1543.4
        (0.079, 0.02, 0.95, 97),  # a sixteenth of it: 96.5
        (0.12, 0.10, 0.95, 9),  # (2.4865 * 1.2)^2 = 8.9
        (0.079, 0.005, 0.975, 1960),  # z(0.975) = 1.9600: (2.8016 * 15.8)^2 = 1959.4
        (0.079, 0.0, 0.95, math.inf),  # on the limit itself nothing helps
    ],
)
def test_a_sample_size_is_the_square_of_spread_over_distance(
    sd: float, distance: float, level: float, expected: float
) -> None:
    assert gates.samples(sd, distance, level) == expected


def test_the_chance_at_the_needed_sample_is_the_power() -> None:
    needed = gates.samples(0.079, 0.005, 0.95)
    assert gates.chance(0.079, 0.005, needed, 0.95) == pytest.approx(0.8, abs=1e-3)
    # sqrt(100) * 0.005 / 0.079 = 0.633; normal cdf at 0.633 - 1.645 is 0.156
    assert gates.chance(0.079, 0.005, 100, 0.95) == pytest.approx(0.156, abs=2e-3)


# ---------------------------------------------------------------------------------------- gates
@pytest.mark.parametrize(
    ("metric", "call_seconds", "minutes", "decidable"),
    [
        # 0.99^299 = 0.0495: 299 calls at the very least, which is 150 s of a budget of 60 s
        ("latency_p99_ms", 0.5, 1.0, "no"),
        # an hour holds 7,200 calls of 0.5 s; four times 315 are 1,260
        ("latency_p99_ms", 0.5, 60.0, "yes"),
        # calls of 10 ms are nothing, but fresh processes take a second each
        ("latency_p99_ms", 0.01, 4.0, "yes"),
        # 0.9^29 = 0.047, and with 0.5 s a call ten minutes leave hundreds
        ("latency_p90_ms", 0.5, 10.0, "yes"),
        ("latency_p50_ms", 0.5, 10.0, "yes"),  # 0.5^5 = 0.031: 5 calls, 20 as they come
        ("latency_p99_9_ms", 0.5, 10.0, "no"),  # 0.999^2995 = 0.04997: 2,995 calls, 25 minutes
    ],
)
def test_a_quantile_takes_calls_that_fit_or_do_not(
    shipped: Experiment, metric: str, call_seconds: float, minutes: float, decidable: str
) -> None:
    found = finding(shipped, gate(metric, 700), minutes, call_seconds=call_seconds, utterances=1)
    assert found.decidable == decidable
    enough = found.calls_fit >= found.calls_needed
    assert enough == (decidable == "yes")


def test_a_p99_takes_four_times_315_calls_at_the_last_looks_level(shipped: Experiment) -> None:
    found = finding(shipped, gate("latency_p99_ms", 700), 0.5)
    # three looks may reject before: level 0.9575, ln 0.0425 / ln 0.99 = 314.2, times 4
    assert found.calls_needed == 4 * 315
    assert found.minutes_needed == pytest.approx(4 * 315 * 0.5 / 60)


@pytest.mark.parametrize(
    ("limit", "utterances", "decidable"),
    [
        (0.005, 100, "no"),  # 1,544 utterances at a spread of 0.079
        (0.005, 2000, "yes"),  # with looks on the way, at 0.975 in the end: 1,960
        (0.02, 100, "yes"),  # 97
        (0.02, 60, "unknown"),  # sqrt(60) * 0.02 / 0.079 - 1.645 = 0.316: 62 % likely
        (0.02, 4, "no"),  # under five there is no interval
        (0.02, math.nan, "unknown"),  # nobody knows how large the set is
    ],
)
def test_a_wer_margin_takes_utterances(
    shipped: Experiment, limit: float, utterances: float, decidable: str
) -> None:
    asked = gate("wer", limit, "max_increase", over="fp32")
    found = finding(shipped, asked, utterances=utterances)
    assert found.decidable == decidable
    assert "0.079" in found.why  # the assumption is in the sentence
    assert "Measured by this project" in found.why  # and whose it is


def test_a_wer_limit_is_held_against_what_is_published_of_this_very_model(
    shipped: Experiment,
) -> None:
    found = finding(shipped, gate("wer", 0.9))
    assert found.decidable == "yes"
    assert "0.196" in found.why
    near = finding(shipped, gate("wer", 0.2))  # 0.004 from 0.196: (2.4865 * 0.142 / 0.004)^2
    assert near.calls_needed == pytest.approx(7792, abs=2)
    assert near.decidable == "no"
    assert "a miss" in finding(shipped, gate("wer", 0.1)).why


@pytest.mark.parametrize("metric", ["size_mb", "peak_memory_mb"])
def test_what_has_no_interval_is_always_decided(shipped: Experiment, metric: str) -> None:
    assert finding(shipped, gate(metric, 500), 0.1).decidable == "yes"


def test_a_processs_start_is_one_sample_a_run(shipped: Experiment) -> None:
    found = finding(shipped, gate("first_call_ms", 900, operation="first_call"), 60)
    assert (found.decidable, found.calls_needed, found.calls_fit) == ("no", 5, 1)


def test_a_paired_median_takes_rounds(shipped: Experiment) -> None:
    asked = gate("latency_p50_ms", 0.95, "max_ratio", over="fp32")
    assert finding(shipped, asked, 60).decidable == "yes"
    key = ("int8", "pipeline", "5 s", "latency_p50_ms", "ratio")
    near = costs.Earlier(day="2026-01-01", folder="r", paired={key: costs.Sample(0.945, 0.12)})
    found = finding(shipped, asked, 10, before=near)
    assert found.decidable == "no"  # (2.4865 * 0.12 / 0.005)^2 = 3,561 rounds of two calls
    assert "measured on 2026-01-01 (r)" in found.why


def test_an_unknown_cost_is_said_and_not_guessed(shipped: Experiment) -> None:
    other = replace(
        shipped, model=replace(shipped.model, source=spec.Origin(path="models/own")), claims=()
    )
    forecast = foresee(other, call_seconds=math.nan)
    assert forecast.plan.sources == ("unknown: no earlier run, and no anchor for this model",)
    assert math.isnan(forecast.plan.seconds)
    text = "\n".join(forecast.lines())
    assert "  ?" in text


def test_the_budget_is_cut_as_the_runner_cuts_it(shipped: Experiment) -> None:
    forecast = foresee(replace(shipped, budget=Budget(8.75)), call_seconds=1.0)
    sweep, latency, quality = forecast.plan.stages
    # 8.75 min less the utterances' 200 s is 325 s, 130 s of it for the sweep: the candidate in 4
    # sessions, its twin, the baseline; 6 rounds of 5 calls and 8 of 4, then 6 pairs of 2 x 4 calls
    assert (sweep.cells, sweep.calls, quality.calls, quality.seconds) == (6, 110, 200, 200.0)
    # and 18 processes, each a second to start and a call to warm up
    assert sweep.seconds == pytest.approx(110 + 18 * 2)
    assert latency.fits == pytest.approx(325 - 146)
    # (2.571 + 0.842) sqrt(2 (1.57 0.08^2 / 4 + 0.01^2) / 6) = 0.101, and 1 - exp(-0.101)
    assert forecast.plan.gain == pytest.approx(0.096, abs=0.001)
    assert "names a gain of" in "\n".join(forecast.lines())


# ------------------------------------------------------------------------------------- anchors
@pytest.mark.parametrize("anchor", anchors.known(), ids=lambda a: f"{a.kind}-{a.metric}-{a.about}")
def test_every_anchor_says_where_it_is_from(anchor: anchors.Anchor) -> None:
    source = anchor.source
    assert source.title
    assert source.quote
    assert 1990 < source.year < 2100
    assert source.url.startswith("https://") or source.title.startswith("Measured by this project")
    assert anchor.about
    assert math.isnan(anchor.value) == (anchor.kind == "note")


def test_a_file_that_an_anchor_names_is_there() -> None:
    urls = {a.source.url for a in anchors.known()} - {""}
    local = {url for url in urls if not url.startswith("https://")}
    assert {path.split("/")[0] for path in local} == {"reports"}
    assert all((RUN.parent / path.split("/", 1)[1]).is_file() for path in local)  # a copy of it


@pytest.mark.parametrize(
    ("size_mb", "best"),
    [
        # Whisper tiny 39 M, base 74 M, FastConformer 115 M, Parakeet 600 M parameters, at a byte
        (50, 0.1959),
        (110, 0.1353),
        (200, 0.05),
        (700, 0.0341),
        (math.inf, 0.0341),
    ],
)
def test_the_best_known_depends_on_the_size_that_is_allowed(size_mb: float, best: float) -> None:
    found = anchors.best(Scope("wer", "common_voice data/cv-es", "es", size_mb))
    assert found is not None
    assert found.value == best


def test_nothing_is_known_outside_an_anchors_scope() -> None:
    assert anchors.best(Scope("wer", "common_voice", "gl")) is None
    assert anchors.best(Scope("wer", "./own_calls", "es")) is None
    assert anchors.best(Scope("latency_p50_ms", "common_voice", "es")) is None


def test_the_spread_of_an_utterance_is_that_of_the_run_that_it_names() -> None:
    # changes.csv: -0.01636 to 0.01537 with 95 % from 100 utterances; 0.01586 / 1.96 * 10 = 0.081
    spread = next(a for a in anchors.find("spread", "wer") if a.operation == "difference")
    row = next(r for r in table_of_the_run("changes") if r["metric"] == "wer")
    half = (float(row["delta_high"]) - float(row["delta_low"])) / 2
    assert half / 1.96 * math.sqrt(int(row["n"])) == pytest.approx(spread.value, rel=0.25)


# ------------------------------------------------------------------------------------- targets
def warned(experiment: Experiment) -> Mapping[str, str]:
    return {one.target: one.text for one in foresee(experiment).warnings}


def test_the_shipped_claim_of_two_per_cent_contradicts_what_is_known(shipped: Experiment) -> None:
    found = foresee(shipped).warnings
    (one,) = (w for w in found if w.target == "claim wer 0.02")
    assert "best known within 101 MB" in one.text  # 96 MB claimed, 5 MB tolerance
    assert "0.1353" in one.text
    assert "https://huggingface.co/zuazo/whisper-base-es" in one.source


@pytest.mark.parametrize("size_mb", [80, 110, 199])
def test_two_per_cent_is_contradicted_for_any_size_under_200_mb(
    shipped: Experiment, size_mb: float
) -> None:
    claims = tuple(c for c in shipped.claims if c.metric == "wer")
    asked = (gate("size_mb", size_mb),)
    assert "claim wer 0.02" in warned(replace(shipped, gates=asked, claims=claims))


def test_a_claim_within_its_tolerance_of_the_best_known_is_not_contradicted(
    shipped: Experiment,
) -> None:
    claim = next(c for c in shipped.claims if c.metric == "wer")
    modest = replace(claim, value=0.13, tolerance=0.01)  # up to 0.14, where 0.1353 is known
    assert warned(replace(shipped, claims=(modest,))) == {}


def test_the_shipped_p99_cannot_be_decided_within_its_budget(shipped: Experiment) -> None:
    before = costs.Earlier("2026-11-22", "reports/whisper_base_es", dict(MEASURED))
    found = {f.gate: f for f in foresee(shipped, math.nan, before=before).findings}
    assert found["latency_p99_ms@5s"].decidable == "no"
    assert found["latency_p50_ms@5s"].decidable == "yes"
    assert found["size_mb"].decidable == "yes"


# the shipped run: seconds of a call, int8 and fp32
MEASURED = {
    (variant, "default", "pipeline", workload): seconds
    for variant, times in (("int8", (0.74, 0.8, 0.86, 0.9, 1.36, 0.79)),
                           ("fp32", (0.96, 1.01, 1.18, 1.3, 2.16, 1.05)))
    for workload, seconds in zip(("1 s", "2 s", "5 s", "10 s", "29 s", DATA), times, strict=True)
}  # fmt: skip


def test_a_size_below_the_bytes_of_its_weights_cannot_be_reached(shipped: Experiment) -> None:
    text = warned(replace(shipped, gates=(gate("size_mb", 60),), claims=()))["gate the gate"]
    assert "74 M parameters take 74 MB" in text
    assert warned(replace(shipped, gates=(gate("size_mb", 80),), claims=())) == {}


def test_a_latency_below_the_machines_arithmetic_is_told(shipped: Experiment) -> None:
    # 204 ms on 2 cores for the INT8 encoder's products alone
    text = warned(replace(shipped, gates=(gate("latency_p50_ms", 150),), claims=()))
    assert "204 ms on 2 cores" in text["gate the gate"]
    assert warned(replace(shipped, gates=(gate("latency_p50_ms", 210),), claims=())) == {}


def test_a_predictor_cannot_confirm_listeners() -> None:
    (note,) = anchors.find("note", "mos")
    assert "not naturalness" in note.about
    best = anchors.best(Scope("mos", "", "es"))
    assert best is not None
    assert best.value == 4.58


# ----------------------------------------------------------------------------------- costs
def test_costs_of_an_earlier_run_are_used_on_the_same_machine_only(
    shipped: Experiment, tmp_path: Path
) -> None:
    folder = tmp_path / "reports" / "whisper_base_es"
    shutil.copytree(RUN, folder)
    machine = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    found = costs.earlier(folder, shipped, machine)
    known = costs.Costs(shipped, found)
    cost = known.of("int8", "default", "pipeline", "5 s")
    here = {"stage": "latency", "variant": "int8", "session": "default", "workload": "5 s"}
    here |= {"operation": "pipeline", "metric": "latency_p50_ms", "replica": "0"}
    row = next(r for r in table_of_the_run("summary") if here.items() <= r.items())
    assert cost.seconds == float(row["value"]) / 1e3
    assert cost.source == f"measured on {machine['measured_on']} (reports/whisper_base_es)"
    assert costs.earlier(folder, shipped, {**machine, "cpu": "another"}) == costs.NOTHING
    assert costs.earlier(tmp_path / "none", shipped, machine) == costs.NOTHING


def test_a_variant_that_is_made_in_another_way_has_no_cost_yet(
    shipped: Experiment, tmp_path: Path
) -> None:
    folder = RUN
    machine = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    changed = replace(
        shipped, variants=(shipped.variants[0], replace(shipped.variants[1], quantize=None))
    )
    found = costs.Costs(changed, costs.earlier(folder, changed, machine), cores=2)
    assert found.of("fp32", "default", "pipeline", "5 s").source.startswith("measured on")
    assert found.of("int8", "default", "pipeline", "5 s").source.startswith("a guess")


def test_a_guess_scales_whisper_bases_times_by_cores(shipped: Experiment) -> None:
    two, one = (costs.Costs(shipped, cores=cores) for cores in (2, 1))
    # 518 ms and 5 s * 4 tokens * 7.9 ms = 676 ms
    assert two.of("fp32", "default", "pipeline", "5 s").seconds == pytest.approx(0.676)
    assert one.of("fp32", "default", "pipeline", "5 s").seconds == pytest.approx(1.352)
    assert "scaled by 2" in one.of("fp32", "default", "pipeline", "5 s").source


def test_a_local_data_set_is_counted_and_an_absent_one_is_not_guessed(
    shipped: Experiment, tmp_path: Path
) -> None:
    (part,) = shipped.quality
    many = replace(
        part, dataset=replace(part.dataset, params=replace(part.dataset.params, limit=None))
    )
    assert costs.utterances(part, LOCATE) == 100
    assert costs.utterances(many, LOCATE) == 100  # the table's rows
    away = replace(part.dataset.params, path="data/elsewhere", limit=None)
    absent = replace(part, dataset=replace(part.dataset, params=away))
    assert math.isnan(costs.utterances(absent, LOCATE))


# ---------------------------------------------------------------------------------- commands
def test_check_prints_the_plan_and_stays_at_zero_for_warnings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["check", "--call-seconds", "0.5", str(SHIPPED)]) == 0
    printed = capsys.readouterr().out
    assert f"{SHIPPED}: in order" in printed
    assert "! claim wer 0.02: contradicts what is known" in printed
    assert "latency_p99_ms@5s" in printed
    assert "a call's time: as given" in printed


def test_check_exits_with_2_for_a_wrong_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: wrong\n", encoding="utf-8")
    assert cli.main(["check", str(wrong), str(SHIPPED)]) == 2
    assert "in order" in capsys.readouterr().out  # the other file is still looked at


def test_a_run_is_told_in_one_line_what_it_cannot_decide(shipped: Experiment) -> None:
    hopeless = finding(shipped, gate("latency_p99_ms", 700), 1.0)
    line = wording.undecidable(hopeless)
    assert "\n" not in line
    assert line.startswith("the gate: cannot be decided within the budget, needs 1,260,")


def test_the_rows_of_a_forecast_are_aligned(shipped: Experiment) -> None:
    lines = foresee(shipped).lines(limit_of)
    assert max(map(len, lines)) <= wording.WIDTH
    head = next(line for line in lines if line.startswith("  gate "))
    row = next(line for line in lines if line.startswith("  latency_p99_ms@5s"))
    assert row.index("1,") < head.index("fit")


def test_a_claim_needs_no_measured_metric(shipped: Experiment) -> None:
    claim = Claim("ser", 0.1, 0.0, "somebody", "int8", At(dataset=DATA), "pipeline")
    assert foresee(replace(shipped, gates=(), claims=(claim,))).warnings == ()


def test_a_budget_for_one_process_of_each_cell_decides_no_time(shipped: Experiment) -> None:
    """Enough calls would fit; how processes differ would be in no bound."""
    asked = gate("latency_p50_ms", 700.0)
    found = {minutes: finding(shipped, asked, minutes=minutes) for minutes in (3.0, 30.0)}
    assert found[3.0].calls_fit >= 6
    assert [one.decidable for one in found.values()] == ["no", "yes"]
    assert "one process of each cell" in found[3.0].why
