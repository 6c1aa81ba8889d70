"""A synthesiser's Result from a seeded generator: no latency stage, judges, listeners, a server and
a variant that says gibberish; every row is invented."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filed
import numpy as np
import pandas as pd
from invented_run import ENVIRONMENT, SENTENCES, paired

from harness.contracts import Result
from harness.store import tables

SET = "sentences-es"
SIZE = {"fp32": 325_600_000, "int8": 92_400_000, "english-voice": 325_600_000, "server": 0}
OPINION = {"fp32": 3.31, "int8": 3.12, "english-voice": 3.34, "server": 3.22}  # DNSMOS OVRL
LISTENED = {"fp32": 4.2, "int8": 3.6}
WRONG = {"fp32": 0.05, "int8": 0.08, "english-voice": 1.07, "server": 0.06}
SPEED = {"fp32": 0.62, "int8": 0.41, "english-voice": 0.61, "server": 0.2}  # RTF
LENGTH = {"fp32": 1.0, "int8": 1.02, "english-voice": 0.91, "server": 1.06}
UNITS = {"rtf": "", "spoken_seconds": "s", "clipping": "share", "first_audio_ms": "ms"}
UNITS |= {"round_trip_wer": "fraction", "round_trip_cer": "fraction", "size_mb": "MB"}
METRICS = [
    "rtf",
    "dnsmos_ovrl",
    "dnsmos_sig",
    "dnsmos_bak",
    "dnsmos_p808",
    "mos",
    "round_trip_wer",
    "round_trip_cer",
    "spoken_seconds",
    "clipping",
    "first_audio_ms",
]
RECOGNISER = {"family": "whisper", "source": {"asset": "whisper-base"}, "language": "es"}
SERVER = {"family": "./spoken_server.py", "url": "http://localhost:8000/v1", "model": "kokoro-82m"}
SERVER |= {"timeout_seconds": 60.0, "retries": 3, "concurrency": 1}
RESENT = 6  # sentence that the server was asked for twice
ROUND_TRIP = {"use": "round_trip", "parts": {"recogniser": RECOGNISER}}

EXPERIMENT: dict[str, Any] = {
    "name": "kokoro_es",
    "title": "Kokoro INT8 en español",
    "model": {"family": "kokoro", "source": {"asset": "kokoro-82m-int8"}, "voice": "ef_dora"},
    "variants": [
        {"name": "fp32"},
        {"name": "int8", "quantize": {"use": "dynamic_int8", "op_types": ["MatMul", "Conv"]}},
        {
            "name": "english-voice",
            "model": {
                "family": "kokoro",
                "source": {"asset": "kokoro-82m-int8"},
                "voice": "af_heart",
            },
        },
        {"name": "server", "model": SERVER},
    ],
    "recorded": [{"name": "otra-voz", "rtf": 0.9, "dnsmos_ovrl": 3.0, "source": "su propia ficha"}],
    "baseline": "fp32",
    "candidate": "int8",
    "sessions": [
        {
            "name": "default",
            "options": {},
            "provider": "CPUExecutionProvider",
            "provider_options": {},
            "note": "",
        }
    ],
    "quality": [
        {
            "name": SET,
            "dataset": {"use": "sentences", "path": "data/sentences-es"},
            "metrics": METRICS,
            "judges": [
                ROUND_TRIP,
                {"use": "mos_ratings", "path": "ratings.csv"},
                {"use": "dnsmos"},
            ],
            "normaliser": "spanish",
        }
    ],
    "gates": [
        {"metric": "round_trip_wer", "over": "fp32", "max_increase": 0.05},
        {"metric": "dnsmos_ovrl", "min": 3.0},
    ],
    "claims": [{"metric": "mos", "value": 4.3, "tolerance": 0.1, "source": "resumen"}],
    "budget": {"minutes": 10},
    "report": {"language": "es", "sections": []},
    "seed": 7,
    "beside": ".",
}


def build(folder: Path = Path("kokoro_es"), seed: int = 20261122, heard: bool = True) -> Result:
    """The run; the same seed gives the same rows. `heard`: with listeners."""
    rng = np.random.default_rng(seed)
    calls = tables.frame("calls", _calls(rng))
    judged = tables.frame("judged", [*_judged(rng, calls), *(_rated(rng) if heard else ())])
    scores = _scores(calls, judged)
    summary = tables.frame("summary", [*_folded(scores), *_sizes()])
    changes = tables.frame("changes", _changes(scores))
    data = {name: tables.frame(name, []) for name in tables.TABLES}
    data |= {
        "calls": calls,
        "judged": judged,
        "scores": scores,
        "summary": summary,
        "changes": changes,
        "judges": tables.frame("judges", _judges(heard)),
        "datasets": tables.frame("datasets", [_dataset()]),
        "variants": tables.frame("variants", _variants()),
        "checks": tables.frame("checks", _checks(summary, changes)),
        "claims": tables.frame("claims", [_claim(summary)]),
    }
    verdict = {"verdict": "APPROVED", "exit_code": 0, "candidate": "int8", "session": "default"}
    verdict |= {"reasons": [], "waivers": []}
    return paired(filed.result(folder, EXPERIMENT, ENVIRONMENT, verdict, data))


# ---------------------------------------- calls and what was said of them
def _calls(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for place, sentence in enumerate(SENTENCES):
        length = 0.5 + 0.34 * len(sentence.split()) * float(rng.lognormal(0, 0.04))
        for variant in SIZE:
            item = f"sentence-{place:03d}"
            row = {"stage": "quality", "variant": variant, "session": "default", "replica": 0}
            row |= {"operation": "pipeline", "warm": True, "dataset": SET, "item": item}
            row |= {"reference": sentence, "round": place, "order": place}
            if (variant, place) == ("int8", 13):
                yield {**row, "error": "the model's output is not a number (at sample 0)"}
                continue
            said = length * LENGTH[variant]
            path = f"{SET}/{variant}/{item}.flac"
            clipped = 0.002 if variant == "int8" and place % 5 == 0 else 0.0
            figures = {"spoken_seconds": said, "clipped_share": clipped, "peak": 0.9}
            if variant == "server":
                figures["retries"] = float(place == RESENT)
            else:
                figures["first_audio_seconds"] = 0.3 * SPEED[variant] * said
            seconds = SPEED[variant] * said * float(rng.lognormal(0, 0.05))
            row |= {"audio_seconds": said, "seconds": seconds, "figures": json.dumps(figures)}
            sha = hashlib.sha256(path.encode()).hexdigest()
            yield {**row, "audio": path, "audio_sha256": sha}


def _judged(rng: np.random.Generator, calls: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for call in calls[calls["error"] == ""].to_dict("records"):
        variant = call["variant"]
        kept = ("variant", "session", "replica", "dataset", "item", "round", "reference")
        row = {key: call[key] for key in kept} | {"audio_sha256": call["audio_sha256"]}
        level = OPINION[variant] + float(rng.normal(0, 0.09))
        figures = {"dnsmos_ovrl": level, "dnsmos_sig": level + 0.3, "dnsmos_bak": level + 0.75}
        figures["dnsmos_p808"] = level + 0.4
        if (variant, call["round"]) == ("int8", 4):
            yield {**row, "judge": "dnsmos", "version": "1", "error": "under 0.1 s of sound"}
        else:
            yield {**row, "judge": "dnsmos", "version": "1", "figures": json.dumps(figures)}
        text = _understood(rng, call["reference"], WRONG[variant])
        yield {**row, "judge": "round_trip", "version": "1", "text": text}


def _understood(rng: np.random.Generator, sentence: str, wrong: float) -> str:
    if wrong > 1:
        noise = ["so", "this", "on", "a", "thing", "we", "may", "of", "hum"]
        return " ".join(rng.choice(noise, size=len(sentence.split()) + 1))
    words = [w[:-1] if rng.random() < wrong else w for w in sentence.split()]
    return " ".join(words).capitalize() + "."


def _rated(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for rater in range(8):
        shift = float(rng.normal(0, 0.3))
        for variant, level in LISTENED.items():
            for place in range(10):
                score = float(np.clip(round(level + shift + rng.normal(0, 0.5)), 1, 5))
                row = {"variant": variant, "session": "default", "dataset": SET}
                row |= {"item": f"sentence-{place:03d}", "round": place, "rater": f"r{rater}"}
                row |= {"judge": "mos_ratings", "version": "ratings.csv"}
                flat = "rater r7 gave every item the same score" if rater == 7 else ""
                flat = flat and f"line {81 + 10 * (variant == 'int8') + place}: {flat}"
                yield {**row, "figures": json.dumps({"mos": score}), "error": flat}


def _scores(calls: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    shared = ("variant", "session", "replica", "item", "round")
    for call in calls[calls["error"] == ""].to_dict("records"):
        figures = json.loads(call["figures"])
        row = {key: call[key] for key in shared}
        rows.append(
            {**row, "metric": "rtf", "value": call["seconds"], "weight": call["audio_seconds"]}
        )
        rows.append({**row, "metric": "spoken_seconds", "value": figures["spoken_seconds"]})
        rows.append({**row, "metric": "clipping", "value": figures["clipped_share"]})
        if "first_audio_seconds" in figures:
            value = 1000 * figures["first_audio_seconds"]
            rows.append({**row, "metric": "first_audio_ms", "value": value})
    for look in judged[judged["error"] == ""].to_dict("records"):
        row = {key: look[key] for key in shared}
        for name, value in json.loads(look["figures"] or "{}").items():
            rows.append({**row, "metric": name, "value": value})
        if look["judge"] == "round_trip":
            rows += _edits(row, look)
    where = {"stage": "quality", "operation": "pipeline", "workload": SET}
    return tables.frame("scores", ({"weight": 1.0, **where, **row} for row in rows))


def _edits(row: dict[str, Any], look: dict[str, Any]) -> Iterator[dict[str, Any]]:
    from harness.speech import text

    texts = [text.spanish(look[key]) for key in ("reference", "text")]
    for name, count in (("wer", text.word_edits), ("cer", text.character_edits)):
        value, weight = count(*texts)
        yield {**row, "metric": f"round_trip_{name}", "value": value, "weight": weight}


# ---------------------------------------- derived tables
def _folded(scores: pd.DataFrame) -> Iterator[dict[str, Any]]:
    keys = ["variant", "session", "metric"]
    for key, group in scores.groupby(keys, sort=False):
        cell = dict(zip(keys, key, strict=True))
        value = group["value"].sum() / group["weight"].sum()
        each = group["value"] / group["weight"].mean()
        spread = 1.96 * float(each.std()) / np.sqrt(len(group))
        failed = 1 if cell["variant"] == "int8" else 0
        row = {"value": value, "low": value - spread, "high": value + spread, "n": len(group)}
        row |= {"unit": UNITS.get(cell["metric"], "MOS"), "errors": failed, "method": "bootstrap"}
        yield {**cell, **row, "stage": "quality", "operation": "pipeline", "workload": SET}


def _sizes() -> Iterator[dict[str, Any]]:
    for variant, size in SIZE.items():
        value = size / 1e6 if size else np.nan
        row = {"variant": variant, "metric": "size_mb", "unit": "MB", "method": "exact", "n": 1}
        yield {**row, "value": value, "low": value, "high": value}


def _changes(scores: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for metric, group in scores.groupby("metric", sort=False):
        keys = {"index": "item", "columns": "variant", "aggfunc": "mean"}
        wide = group.assign(each=group["value"] / group["weight"]).pivot_table(
            values="each", **keys
        )
        for variant in wide.columns:
            if variant == "fp32":
                continue
            pairs = wide[["fp32", variant]].dropna()
            each, base = pairs[variant] - pairs["fp32"], pairs["fp32"].mean()
            delta, spread = each.mean(), 1.96 * each.std() / np.sqrt(len(each))
            ratio, wide_by = (1 + delta / base, spread / base) if base else (np.nan, np.nan)
            yield {
                "stage": "quality",
                "variant": variant,
                "session": "default",
                "operation": "pipeline",
                "workload": SET,
                "metric": metric,
                "baseline": "fp32",
                "baseline_session": "default",
                "delta": delta,
                "delta_low": delta - spread,
                "delta_high": delta + spread,
                "ratio": ratio,
                "ratio_low": ratio - wide_by,
                "ratio_high": ratio + wide_by,
                "n": len(pairs),
                "method": "paired bootstrap by sentence",
                "resolved": abs(delta) > spread,
            }


def _judges(heard: bool) -> Iterator[dict[str, Any]]:
    yield {
        "dataset": SET,
        "judge": "dnsmos",
        "version": "DNSMOS P.835 and P.808 (Microsoft, MIT), speechmos 0.0.1.1",
        "about": json.dumps(
            {
                "es": "Vale para el ruido y los defectos de un canal; no mide la naturalidad.",
                "en": "Valid for noise and what a channel damages; it does not tell naturalness.",
            }
        ),
        "parameters": "{}",
        "notes": "{}",
    }
    yield {
        "dataset": SET,
        "judge": "round_trip",
        "version": "whisper",
        "about": json.dumps(
            {
                "es": "Vale para saber si se entiende lo que se dijo.",
                "en": "Valid for whether what was said can be understood.",
            }
        ),
        "parameters": "{}",
        "notes": json.dumps({"recogniser": "whisper, asset whisper-base, 3f2a9c0d11e8"}),
    }
    if heard:
        yield {
            "dataset": SET,
            "judge": "mos_ratings",
            "version": "ratings.csv, sha256 0f3a",
            "about": json.dumps({"es": "Opinión de oyentes.", "en": "What listeners say."}),
            "notes": json.dumps({"screened": "raters with one score for everything"}),
        }


def _dataset() -> dict[str, Any]:
    one = {"dataset": SET, "source": "sentences", "fingerprint": "77c0de77c0de77c0de"}
    notes = {"sentences": "20 of data/sentences-es", "seed": "7"}
    return {**one, "planned": 20, "unusable": 0, "notes": json.dumps(notes)}


def _variants() -> Iterator[dict[str, Any]]:
    for name, size in SIZE.items():
        files = {"kokoro.onnx": size} if size else {}
        row = {"variant": name, "size_bytes": size, "files": json.dumps(files)}
        row |= {"method": "dynamic_int8" if name == "int8" else "", "parameters": "{}"}
        yield {**row, "operators": json.dumps({"kokoro": {"Conv": 88}} if name == "int8" else {})}


def _checks(summary: pd.DataFrame, changes: pd.DataFrame) -> Iterator[dict[str, Any]]:
    here = {"variant": "int8", "session": "default", "operation": "pipeline", "workload": SET}
    here |= {"severity": "fail", "status": "PASS", "reason_code": "within", "level": 0.95, "n": 19}
    for change in changes.to_dict("records"):
        if (change["variant"], change["metric"]) == ("int8", "round_trip_wer"):
            bounds = {"observed": change["delta"], "low": change["delta_low"]}
            bounds |= {"high": change["delta_high"], "limit": 0.1, "unit": "fraction"}
            gate = {"gate": "round_trip_wer", "metric": "round_trip_wer", "over": "fp32"}
            yield {**here, **gate, **bounds, "kind": "max_increase"}
    for row in summary.to_dict("records"):
        if (row["variant"], row["metric"]) == ("int8", "dnsmos_ovrl"):
            bounds = {"observed": row["value"], "low": row["low"], "high": row["high"]}
            gate = {"gate": "dnsmos_ovrl", "metric": "dnsmos_ovrl", "kind": "min", "limit": 3.0}
            yield {**here, **gate, **bounds, "unit": "MOS"}


def _claim(summary: pd.DataFrame) -> dict[str, Any]:
    row = {"metric": "mos", "variant": "int8", "workload": SET, "claimed": 4.3, "tolerance": 0.1}
    row |= {"source": "resumen", "unit": "MOS"}
    found = summary[(summary["variant"] == "int8") & (summary["metric"] == "mos")]
    if found.empty:
        return {**row, "status": "not measured"}
    one = found.iloc[0]
    bounds = {"observed": one["value"], "low": one["low"], "high": one["high"]}
    return {**row, **bounds, "status": "refuted"}
