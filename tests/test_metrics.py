"""Metrics: what one call gives, and that pooled counts are the corpus figures of jiwer."""

from __future__ import annotations

import math

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import plugins
from harness.contracts import Call, Metric

NAN = float("nan")
OF_TEXTS = {"wer", "cer", "ser", "wer_basic", "wer_no_accents", "wer_raw", "loops", "output_rate"}
OF_TEXTS |= {"repeated_words", "budget_exhausted", "hallucinations", "hallucinated_words"}
OF_TEXTS |= {"used_slow", "round_trip_wer", "round_trip_cer"}
OF_TEXTS |= {"changed", "newly_wrong", "newly_right"}
SENTENCES = st.lists(st.sampled_from(["año", "ano", "sí", "si", "que"]), max_size=7).map(" ".join)


def call(**changes: object) -> Call:
    values: dict[str, object] = {
        "operation": "pipeline",
        "seconds": 0.5,
        "audio_seconds": 2.0,
        "tokens": 12.0,
        "rss_bytes": 3e8,
        "text": "",
        "reference": "",
    }
    return Call(**{**values, **changes})  # type: ignore[arg-type]


def metric(name: str) -> Metric:
    found = plugins.load("metrics", name)
    assert isinstance(found, Metric)
    return found


def measured(name: str, **changes: object) -> tuple[float, float]:
    measure = metric(name).measure
    assert measure is not None
    return measure(call(**changes))


@pytest.mark.parametrize(
    ("reference", "text", "wer", "cer", "ser"),
    [
        ("", "", (0, 0), (0, 0), (0, 1)),
        ("", "gracias por ver", (3, 0), (15, 0), (1, 1)),  # a hallucination over silence
        ("hola mundo", "", (2, 2), (10, 10), (1, 1)),
        ("hola mundo", "hola mundo", (0, 2), (0, 10), (0, 1)),
        ("este año", "este ano", (1, 2), (1, 8), (1, 1)),
    ],
)
def test_error_counts_are_kept_apart_from_what_they_are_divided_by(
    reference: str, text: str, wer: tuple[int, int], cer: tuple[int, int], ser: tuple[int, int]
) -> None:
    texts = {"reference": reference, "text": text}
    found = tuple(measured(name, **texts) for name in ("wer", "cer", "ser"))
    assert found == (wer, cer, ser)


@pytest.mark.parametrize(("name", "theirs"), [("wer", jiwer.wer), ("cer", jiwer.cer)])
@given(pairs=st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=12))
def test_pooled_counts_are_jiwers_figure_to_the_last_digit(
    name: str, theirs: object, pairs: list[tuple[str, str]]
) -> None:
    counts = [measured(name, reference=reference, text=text) for reference, text in pairs]
    edits, weight = (sum(column) for column in zip(*counts, strict=True))
    if weight:  # without any reference jiwer gives the insertions; a ratio has no value there
        references, texts = (list(column) for column in zip(*pairs, strict=True))
        assert edits / weight == theirs(references, texts)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("latency_ms", (500.0, 1.0)),
        ("load_ms", (500.0, 1.0)),
        ("first_call_ms", (500.0, 1.0)),
        ("rtf", (0.5, 2.0)),
        ("peak_memory_mb", (300.0, 1.0)),
        ("tokens", (12.0, 1.0)),
        ("tokens_per_second", (12.0, 0.5)),
    ],
)
def test_what_a_call_gives(name: str, expected: tuple[float, float]) -> None:
    assert measured(name) == expected


@pytest.mark.parametrize(
    ("name", "field"), [("tokens", "tokens"), ("peak_memory_mb", "rss_bytes"), ("rtf", "seconds")]
)
def test_what_is_not_known_stays_unknown(name: str, field: str) -> None:
    assert math.isnan(measured(name, **{field: NAN})[0])


def test_size_and_speedup_are_figures_of_a_variant() -> None:
    size = metric("size_mb").of_variant
    assert size is not None
    assert size({"size_bytes": 104_500_000}) == 104.5
    assert plugins.find_metric(metric("speedup").ratio_of).quantile == 0.5


def test_quantiles_are_named_in_the_metric() -> None:
    assert plugins.find_metric("latency_p99_9_ms").quantile == pytest.approx(0.999)
    assert plugins.find_metric("rtf_p95").metric is metric("rtf")


@pytest.mark.parametrize("name", plugins.names("metrics"))
def test_each_metric_is_one_of_three_kinds(name: str) -> None:
    found = metric(name)
    assert sum(map(bool, (found.measure, found.of_variant, found.ratio_of))) == 1
    if not found.judge:  # what a judge says of a text that was spoken may need it too
        assert found.needs_reference == (name in OF_TEXTS)
