"""What the report says of synthesised speech, of loops, of a selection and of listeners' claims."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import filed
import invented_run
import invented_speech
import numpy as np
import pandas as pd
import pytest

from harness import plugins
from harness.contracts import Result
from harness.decide import measures
from harness.report import markdown, metric_names, wording, words
from harness.report.sections import quality
from harness.report.sections.speech import judged
from harness.store import queries, tables

SET = invented_speech.SET
HEARD = invented_run.build()
SPOKEN = invented_speech.build()
UNHEARD = invented_speech.build(heard=False)


def said(name: str, result: Result, language: str = "en") -> str:
    text: str = plugins.load("sections", name).render(result, language)
    return text.replace(markdown.NBSP, " ")


def having(result: Result, **changed: pd.DataFrame) -> Result:
    return replace(result, tables={**result.tables, **changed})


# ---------------------------------------- one hypothesis, several rules
def test_the_gap_between_strict_and_accent_insensitive_wer_is_in_points():
    """Of `fp32`, 5.0 % and 4.6 %: the gap is taken before either is rounded."""
    rows = queries.rows(HEARD.summary, stage="quality", variant="fp32", workload="cv-es-prompts")
    strict, plain = (
        float(queries.row(rows, metric=name)["value"]) for name in ("wer", "wer_no_accents")
    )
    gap = markdown.quantity(strict - plain, "fraction", "en", difference=True)
    line = next(r for r in said("quality", HEARD).splitlines() if "| fp32 |" in r and "pp" in r)
    assert gap.replace(markdown.NBSP, " ") in line


def test_the_companions_of_wer_are_no_columns_of_the_main_table():
    lines = said("quality", HEARD).splitlines()
    header = next(line for line in lines if line.startswith("| Variant | WER |"))
    assert "accents" not in header
    assert "basic" not in header


def test_without_companions_there_is_no_second_table():
    kept = HEARD.summary[~HEARD.summary["metric"].isin(quality.RULES[1:])]
    assert "other rules" not in said("quality", having(HEARD, summary=kept))


def test_a_data_set_that_is_not_asked_for_wer_is_not_compared_by_rules():
    """Metrics are scored on every data set; on clips without speech a WER means nothing."""
    silent = queries.rows(HEARD.summary, workload="silence", metric="hallucinations")
    extra = [silent.assign(metric=name, value=np.nan) for name in ("wer", *quality.RULES[1:])]
    text = said("quality", having(HEARD, summary=pd.concat([HEARD.summary, *extra])))
    assert "transcripts of `silence`" not in text
    assert "transcripts of `cv-es-prompts`" in text


# ---------------------------------------- loops
def test_the_worst_loop_is_shown_cut_with_its_number_of_words():
    text = said("loops", HEARD)
    assert "| int8-qdq | clip-033 | 4.80 s | loop; token budget spent |" in text
    assert "… (45 words)" in text  # three words, and fourteen times "la tecla de"


def test_text_where_nobody_speaks_is_shown_as_it_was_written():
    row = next(r for r in said("loops", HEARD).splitlines() if "noise-" in r)
    assert "| nobody speaks | *(nothing)* | ¡Gracias por ver el vídeo! |" in row


def test_scores_are_left_out_for_three_kinds_of_reasons_at_most():
    rated = SPOKEN.judged["rater"] == "r7"
    kinds = [f"line {n}: {kind}" for n, kind in enumerate(["a"] * 8 + ["b"] * 6 + ["c"] * 4)]
    judged = SPOKEN.judged.copy()
    judged.loc[rated, "error"] = [*kinds, "d", "e"]
    text = said("speech", having(SPOKEN, judged=judged))
    assert "20 scores are left out: a (8); b (6); c (4); …." in text


def test_many_utterances_that_fail_alike_are_one_row_of_the_errors():
    text = said("errors", SPOKEN)
    assert "| `mos_ratings` | fp32 | r7 | 10 | rater r7 gave every item the same score |" in text
    calls = SPOKEN.calls.copy()
    calls.loc[calls["variant"] == "server", "error"] = "no answer"
    text = said("errors", having(SPOKEN, calls=calls))
    first = "sentence-000, sentence-001, sentence-002 … (20 in all)"
    assert f"| quality | server | {first} | 20 | no answer |" in text


def test_a_run_without_any_loop_says_so():
    quiet = HEARD.scores.copy()
    quiet.loc[quiet["metric"].isin(("loops", "hallucinations")), "value"] = 0.0
    found = said("loops", having(HEARD, scores=quiet))
    assert "No utterance loops or has text where nobody speaks." in found
    nobody = quiet.assign(weight=quiet["weight"].mask(quiet["metric"] == "loops", 0.0))
    found = said("loops", having(HEARD, scores=nobody))
    assert "No utterance has text where nobody speaks." in found


def test_a_metric_that_means_nothing_on_a_data_set_is_not_shown_there():
    """`hallucinations` is NaN on clips with speech, since all of them are left out."""
    rows = queries.rows(HEARD.summary, metric="loops", workload="cv-es-prompts")
    summary = pd.concat([HEARD.summary, rows.assign(metric="hallucinations", value=np.nan)])
    first = said("loops", having(HEARD, summary=summary)).split("On `silence`")[0]
    assert "nobody speaks" not in first.split("On `cv-es-prompts`")[1]


# ---------------------------------------- synthesised speech
def test_every_opinion_stands_beside_its_round_trip():
    blocks = said("speech", SPOKEN).split("\n\n")
    for block in blocks:
        header = block.splitlines()[0]
        if header.startswith("|") and any(f" {name} " in header for name in ("DNSMOS OVRL",)):
            assert "Round-trip WER" in header


def test_gibberish_that_a_predictor_likes_is_called_out():
    text = said("speech", SPOKEN)
    assert "⚠️ `english-voice`: DNSMOS OVRL 3.31, and yet a round-trip WER of 111.4%" in text
    assert "⚠️ `int8`" not in text


@pytest.mark.parametrize(
    ("opinion", "base", "told"),
    [
        (3.0, 4.5, "The predictor approves what the recogniser does not understand"),  # fair
        (2.95, 3.2, "The predictor approves what the recogniser does not understand"),  # near
        (2.8, 3.2, "does not understand what was said, and DNSMOS OVRL 2.80 does not approve it"),
        (2.8, math.nan, "and DNSMOS OVRL 2.80 does not approve it either"),
    ],
)
def test_a_predictor_is_said_to_approve_only_what_it_does(opinion: float, base: float, told: str):
    wanted = {"english-voice": opinion, "fp32": base}
    mine = SPOKEN.summary["metric"] == "dnsmos_ovrl"
    changed = SPOKEN.summary["variant"].map(wanted).where(mine)
    if math.isnan(base):
        kept = SPOKEN.summary[~(mine & (SPOKEN.summary["variant"] == "fp32"))]
    else:
        kept = SPOKEN.summary
    summary = kept.assign(value=changed.fillna(SPOKEN.summary["value"]))
    assert told in said("speech", having(SPOKEN, summary=summary))


def test_opinions_without_a_round_trip_are_said_to_stand_alone():
    kept = SPOKEN.summary[~SPOKEN.summary["metric"].isin(("round_trip_wer", "round_trip_cer"))]
    text = said("speech", having(SPOKEN, summary=kept))
    assert "a predictor alone approves gibberish too, so these MOS do not tell" in text


def test_a_judge_is_named_with_its_version_and_what_it_is_valid_for():
    assert (
        "- `dnsmos`: DNSMOS P.835 and P.808 (Microsoft, MIT), speechmos 0.0.1.1. Valid for noise "
        "and what a channel damages; it does not tell naturalness."
    ) in said("speech", SPOKEN)
    assert "no mide la naturalidad" in said("speech", SPOKEN, "es")


def test_listeners_are_counted_and_those_left_out_with_their_reason():
    """8 raters, 2 systems, 10 items each; one of the raters is screened out: 7 x 20 and 20."""
    text = said("speech", SPOKEN)
    assert "140 scores by 7 listeners of 10 sentences" in text
    assert "20 scores are left out: rater r7 gave every item the same score (20)." in text
    assert "Recogniser: whisper, asset whisper-base, 3f2a9c0d11e8." in text
    assert "listeners" not in said("speech", UNHEARD)


def test_audio_is_linked_where_it_lies_with_the_start_of_its_hash():
    call = queries.rows(SPOKEN.calls, variant="int8").iloc[0]
    assert (
        f"[sentence-000.flac](audio/sentences-es/int8/sentence-000.flac) | "
        f"`{call['audio_sha256'][:12]}` |"
    ) in said("speech", SPOKEN)


def test_a_path_with_blanks_is_still_a_link():
    calls = SPOKEN.calls.assign(audio="my set/fp32/a b.flac")
    assert "[a b.flac](audio/my%20set/fp32/a%20b.flac)" in said(
        "speech", having(SPOKEN, calls=calls)
    )


def test_length_is_told_as_a_ratio_to_the_baseline():
    text = said("speech", SPOKEN)
    made = text.split("How it was said:")[1]
    rows = [line for line in made.splitlines() if line.endswith(" | 1 |")]
    assert rows[0].startswith("| fp32 |")
    assert "1.02× [1.02, 1.02] |" in text


def test_a_spoken_turn_shows_what_each_half_takes():
    """Medians of 0.2 s and 0.5 s."""
    halves = json.dumps({"recogniser_seconds": 0.2, "synthesiser_seconds": 0.5})
    text = said("speech", having(SPOKEN, calls=SPOKEN.calls.assign(figures=halves)))
    assert "| Recognising (P50) | Synthesising (P50) |" in text
    assert "| 200 ms | 500 ms |" in text


def test_the_halves_of_a_turn_are_of_warm_calls_and_a_time_that_was_seen():
    """A cold call of 9 s is left out; of 0.2 and 0.4 s the median is the lower, as any P50 here."""
    mine = SPOKEN.calls[SPOKEN.calls["error"] == ""].groupby("variant").head(2)
    each = [0.2 + 0.2 * (place % 2) for place in mine.groupby("variant").cumcount()]
    told = [json.dumps({"recogniser_seconds": n, "synthesiser_seconds": n}) for n in each]
    warm = mine.assign(figures=told)
    cold = mine.assign(
        warm=False, figures=json.dumps({"recogniser_seconds": 9.0, "synthesiser_seconds": 9.0})
    )
    text = said("speech", having(SPOKEN, calls=pd.concat([cold, warm])))
    assert "| 200 ms | 200 ms |" in text


def test_every_opinion_that_is_asked_for_or_within_a_limit_is_compared_with_the_baseline():
    header = next(r for r in said("speech", SPOKEN).split("Difference from")[1].splitlines()[2:])
    names = ["DNSMOS OVRL", "DNSMOS SIG", "DNSMOS BAK", "DNSMOS P.808", "Round-trip WER"]
    places = [header.index(name) for name in names]
    assert places == sorted(places)
    gate = {"metric": "dnsmos_p808", "over": "fp32", "max_decrease": 0.1, "at": {"dataset": SET}}
    part = {**filed.data_of(SPOKEN)["quality"][0], "metrics": ["dnsmos_ovrl", "round_trip_wer"]}
    about = filed.changed(SPOKEN, quality=[part])
    for gates, is_there in (
        ([gate], True),
        ([], False),
        ([{**gate, "at": {"dataset": "x"}}], False),
    ):
        text = said("speech", filed.changed(about, gates=gates))
        header = text.split("Difference from")[1].splitlines()[2]
        assert ("DNSMOS P.808" in header) == is_there
        assert "DNSMOS SIG" not in header


def test_what_is_no_part_of_ovrl_is_not_called_one():
    text = said("speech", SPOKEN, "es")
    assert "Otras notas de DNSMOS (SIG, BAK y P.808):" in text
    kept = SPOKEN.summary[~SPOKEN.summary["metric"].isin(("dnsmos_sig", "dnsmos_bak"))]
    assert "Other scores of DNSMOS (P.808):" in said("speech", having(SPOKEN, summary=kept))


def test_a_variant_that_could_not_be_made_is_no_row_of_dashes():
    row = queries.rows(SPOKEN.summary, variant="int8", metric="rtf", stage="quality")
    lost = row.assign(variant="int4", metric="", value=np.nan, low=np.nan, high=np.nan)
    text = said("speech", having(SPOKEN, summary=pd.concat([SPOKEN.summary, lost])))
    assert "int4" not in text
    assert "|  |" not in text


@pytest.mark.parametrize(("share", "limits", "shown"), [
    (0.999, [], False),
    (0.4, [], True),  # a voice that streams
    (0.999, [{"metric": "first_audio_ms", "max": 900.0}], True),
])  # fmt: skip
def test_a_first_sound_at_the_end_of_the_call_is_no_column(
    share: float, limits: list[dict[str, Any]], shown: bool
):
    first = queries.rows(SPOKEN.summary, metric="first_audio_ms")
    rest = SPOKEN.summary[SPOKEN.summary["metric"] != "first_audio_ms"]
    latency = first.assign(metric="latency_p50_ms", unit="ms")
    first = first.assign(value=first["value"] * share)
    about = filed.changed(SPOKEN, gates=[*filed.data_of(SPOKEN)["gates"], *limits])
    text = said("speech", having(about, summary=pd.concat([rest, latency, first])))
    assert ("| First sound |" in text) == shown
    assert ("gives all of its audio at once" in text) == (not shown)


# ---------------------------------------- claims of listeners
def test_no_predictor_confirms_what_listeners_are_said_to_think():
    text = said("claims", UNHEARD)
    assert "A MOS of 4.3 is that of listeners, and none was asked here" in text
    assert "DNSMOS OVRL 3.15 is not what they would say" in text
    assert "it takes a listening test" in said("next_steps", UNHEARD)


def test_without_a_predictor_a_listeners_claim_asks_for_a_listening_test_alone():
    text = said("claims", HEARD)
    assert "it would take a listening test" in text
    assert "neither confirms" not in text


def test_listeners_who_were_asked_decide_the_claim():
    assert "listening test" not in said("claims", SPOKEN)
    assert "❌ not reproduced" in said("claims", SPOKEN)


# ---------------------------------------- what a run without a latency stage says
@pytest.mark.parametrize("name", ["parts", "cold", "sessions", "noise"])
def test_sections_about_a_latency_stage_that_nobody_asked_for_are_left_out(name: str):
    assert said(name, SPOKEN) == ""
    assert said(name, HEARD)


def test_latency_says_where_the_times_are():
    assert "stands beside the quality (RTF, First sound)" in said("latency", SPOKEN)


def test_transcripts_are_no_topic_where_none_are_made():
    assert said("changed", filed.changed(SPOKEN, model={"family": "piper"})) == ""


def test_evolution_is_by_what_was_measured():
    table = said("evolution", SPOKEN)
    assert (
        "| Step | RTF (sentences-es) | Against `fp32` | Size | Round-trip WER (sentences-es) | "
        "DNSMOS OVRL (sentences-es) |" in table
    )
    server = next(line for line in table.splitlines() if line.startswith("| server |"))
    assert "| — | 4.0%" in server  # a server has no size
    assert "paired by utterances" in table


def test_a_variant_without_files_has_no_session_to_open():
    about = replace(SPOKEN, verdict={**SPOKEN.verdict, "candidate": "server"})
    text = said("best_configuration", about)
    assert "does not run here" in text
    assert "- `url`: `http://localhost:8000/v1`" in text


def test_what_a_variant_sets_of_its_own_stands_beside_its_session():
    about = replace(SPOKEN, verdict={**SPOKEN.verdict, "candidate": "english-voice"})
    text = said("best_configuration", about)
    assert "Parameters of the model that `english-voice` was measured with" in text
    assert "- `voice`: `af_heart`" in text
    assert "source" not in text  # the same as everyone's
    assert "Parameters" not in said("best_configuration", SPOKEN)


def test_a_system_shows_its_threshold_and_each_of_its_parts():
    parts = {"fast": {"family": "whisper", "context": {"min_seconds": 10}}, "slow": {"family": "x"}}
    model = {"family": "two_speed", "unsure_below": -0.5, "parts": parts}
    variants = [{"name": "fp32"}, {"name": "int8", "model": model}]
    about = filed.changed(HEARD, variants=variants)
    text = said("best_configuration", about)
    assert "- `unsure_below`: `-0.5`" in text
    assert '- `parts.fast`: `{"context": {"min_seconds": 10}, "family": "whisper"}`' in text
    assert "- `parts.slow`: " in text


def test_a_server_is_told_with_its_limits_and_how_often_it_was_asked_again():
    text = said("validated", SPOKEN)
    assert (
        "`server` is a server: `http://localhost:8000/v1`, model `kokoro-82m`, up to 60 s" in text
    )
    assert "Of 20 answered calls, 1 were sent more than once." in text
    assert "is a server" not in said("validated", HEARD)


def test_parts_that_name_their_files_alike_are_told_apart():
    files = json.dumps({"fast/encoder.onnx": 1, "slow/encoder.onnx": 1})
    about = having(HEARD, variants=HEARD.variants.assign(files=files))
    text = said("best_configuration", about)
    assert "fast_encoder = ort.InferenceSession('fast/encoder.onnx'" in text
    assert "slow_encoder = ort.InferenceSession('slow/encoder.onnx'" in text


# ---------------------------------------- what was validated
def test_a_data_set_is_named_with_source_fingerprint_and_how_it_was_drawn():
    text = said("validated", HEARD)
    assert "`cv-es-prompts` was read with `common_voice`, fingerprint `9f2c4477d1e0`" in text
    assert "split: test; seed: 20261122" in text


def test_what_is_left_out_is_counted_with_its_reasons():
    text = said("validated", HEARD)
    assert "Of `cv-es-prompts`, 1 of 100 utterances have no result with some variant (1.0%)" in text
    assert "the decoder's output is not a number (step 3) (1)" in text


# ---------------------------------------- a candidate that was selected
SELECTION = {"metric": "rtf", "dataset": "cv-es-prompts", "among": ["int8", "int8-qdq"]}


def chosen(both: bool = False, **checks: Any) -> Result:
    """int8 chosen of two on one data set, and measured again on another; `both` miss the gate."""
    again = queries.rows(HEARD.summary, metric="rtf", workload="cv-es-prompts", variant="int8")
    again = again.assign(workload="fresh", value=0.07, low=0.06, high=0.08)
    change = queries.rows(HEARD.changes, metric="rtf", workload="cv-es-prompts", variant="int8")
    change = change.assign(workload="fresh", ratio=0.6, ratio_low=0.55, ratio_high=0.65)
    failed = {"variant": "int8-qdq", "workload": "cv-es-prompts", "metric": "loops", "kind": "max"}
    failed |= {"gate": "loops@cv-es-prompts", "severity": "warn"}
    failed |= {"observed": 0.02, "low": 0.01, "high": 0.05, "limit": 0.005, "unit": "fraction"}
    rows = [failed | {"status": "FAIL"} | checks]
    rows += [{**rows[0], "variant": "int8"}] if both else []
    found = having(
        HEARD,
        summary=pd.concat([HEARD.summary, again]),
        changes=pd.concat([HEARD.changes, change]),
        checks=pd.concat([HEARD.checks, tables.frame("checks", rows)]),
    )
    return filed.changed(found, selection=SELECTION)


def test_a_selection_shows_who_was_out_by_which_gate_and_the_fresh_figure():
    text = said("selection", chosen())
    assert "| int8-qdq | 0.0629" in text
    assert "Utterances with a loop: 2.0% [1.0, 5.0], ≤ 0.5% | out: one gate not met |" in text
    assert "| **chosen** |" in text
    row = queries.row(
        HEARD.changes, metric="rtf", workload="cv-es-prompts", variant="int8", stage="quality"
    )
    before = f"{row['ratio']:.3f}×"
    assert (
        "on `fresh`, which it was not chosen by. RTF against `fp32`: 0.600× [0.550, 0.650]; when "
        f"chosen, {before}"
    ) in text
    assert "0.0700" not in text  # its value there is not comparable with that on another data set
    assert "on `silence`" not in text


def test_a_gate_that_the_winner_misses_too_ruled_nobody_out():
    """Gates there are stored as warnings once a winner that misses none is found: so was this one
    from the start."""
    text = said("selection", chosen(both=True))
    assert "| misses none, and " in text
    assert "Utterances with a loop *(warning)*: 2.0% [1.0, 5.0], ≤ 0.5%" in text
    assert "out: " not in text


@pytest.mark.parametrize(
    ("observed", "said_of_it"),
    [(0.004, "misses none, and "), (0.006, "out: one gate not met |")],
)
def test_the_figure_itself_decides_who_may_be_selected(observed: float, said_of_it: str):
    """As harness/decide/selection.py has it: with a limit of 0.005, whatever the bounds are."""
    text = said("selection", chosen(status="INCONCLUSIVE", observed=observed))
    assert f"| {said_of_it}" in text


def test_a_winner_that_was_not_measured_again_is_said_to_flatter():
    about = filed.changed(HEARD, selection=SELECTION)
    assert "was not measured again on other utterances" in said("selection", about)
    assert said("selection", HEARD) == ""


# ---------------------------------------- names and units
def test_every_metric_of_the_package_has_a_name_in_both_languages():
    for name in plugins.names("metrics"):
        for language in words.languages():
            assert metric_names.title(name, language), name


@pytest.mark.parametrize(
    ("value", "unit", "spanish", "english"),
    [
        (3.294, "MOS", "3,29 MOS", "3.29 MOS"),
        (12.34, "characters/s", "12,3 caracteres/s", "12.3 characters/s"),
        (3.75, "words/min", "3,75 palabras/min", "3.75 words/min"),
    ],
)
def test_units_that_are_words_are_written_in_the_readers_language(
    value: float, unit: str, spanish: str, english: str
):
    assert markdown.quantity(value, unit, "es").replace(markdown.NBSP, " ") == spanish
    assert markdown.quantity(value, unit, "en").replace(markdown.NBSP, " ") == english


@pytest.mark.parametrize(
    ("text", "spanish"),
    [
        ("repetition guard stopped after 36 tokens", "cortada por repetición tras 36 tokens"),
        ("token budget of 64 exhausted", "agotó su tope de 64 tokens"),
        ("slow; the clip is silence", "hizo falta el lento; el clip es silencio"),
        ("stratified by length in 10 strata", "estratificada por duración en 10 estratos"),
        ("whisper, language es, c342d18364a3", "whisper, idioma es, c342d18364a3"),
        (
            "sent 2 times after 503, 1.5 s of waits counted",
            "enviada 2 veces tras 503; cuentan 1,5 s de espera",
        ),
        ("screened: all 10 ratings are 3.", "criba: las 10 puntuaciones son 3"),
        ("a note of somebody else", "a note of somebody else"),
        ("", ""),
    ],
)
def test_what_a_run_noted_is_told_in_spanish(text: str, spanish: str):
    assert wording.note(text, "es") == spanish
    assert wording.note(text, "en") == text


def test_versions_of_the_judges_of_the_package_are_told_in_spanish():
    for name in plugins.names("judges"):
        version = plugins.load("judges", name).version
        told = {judged._version(name, version, language) for language in words.languages()}
        assert len(told) == len(words.languages()), name
        assert version in told  # in English
        assert judged._version(name, f"{version} of before", "es") == f"{version} of before"
    assert judged._version("./mine.py", "mine 1.0", "es") == "mine 1.0"


def test_only_the_packages_own_words_in_notes_are_translated():
    found = {"transcripts": "none", "release": "unknown", "left_out": "0", "shade": "none"}
    assert wording.notes(found, "es") == {
        "transcripciones": "ninguna",
        "versión": "unknown",
        "descartadas": "0",
        "shade": "none",
    }


def test_of_clips_in_which_nobody_speaks_it_says_sounds():
    silent = HEARD.datasets.assign(notes=json.dumps({"transcripts": "none"}))
    quiet = having(HEARD, datasets=silent)
    assert not measures.nobody_speaks(HEARD, "cv-es-prompts")
    assert measures.nobody_speaks(quiet, "cv-es-prompts")
    method = "Clopper-Pearson by speaker"
    assert wording.how(method, "es", spoken=True) == "Clopper-Pearson, exacto, por locutores"
    assert wording.how(method, "es", spoken=False) == "Clopper-Pearson, exacto, por sonidos"


@pytest.mark.parametrize(
    ("gate", "metric", "own"),
    [
        ("wer@cv", "wer", ""),
        ("size_mb", "size_mb", ""),
        ("latency_p50_ms:encoder@5s", "latency_p50_ms", ""),
        ("no longer than fp32", "spoken_seconds", "no longer than fp32"),
        ("wer of the old one", "wer", "wer of the old one"),
    ],
)
def test_a_gate_is_shown_with_the_name_that_the_experiment_gives_it(
    gate: str, metric: str, own: str
):
    check = {"gate": gate, "metric": metric, "over": "fp32", "workload": ""}
    assert wording.given_name(check) == own
    assert (f" “{own}”" if own else "over fp32") in wording.gate_name(check, "en")
    assert not own or wording.gate_name(check, "es").endswith(f" frente a fp32 «{own}»")


def test_a_gate_names_its_data_set_only_where_there_are_many():
    check = {"metric": "wer", "over": "fp32", "workload": "cv"}
    assert wording.gate_name(check, "en") == "WER over fp32"
    assert wording.gate_name(check, "en", many_sets=True) == "WER over fp32 (cv)"
