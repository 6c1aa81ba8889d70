"""A complete, plausible Result from a seeded generator: nothing is run, every row is invented."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import filed
import jiwer
import numpy as np
import pandas as pd

from harness import plugins
from harness.contracts import Evidence, Gate, Result
from harness.decide import decision
from harness.decide.scoring.sessions import twin_reach
from harness.decide.scoring.transcripts import matched_segments
from harness.store import tables

LENGTHS = (1, 2, 5, 10, 29)
MAIN = 5
AT_MAIN: dict[str, Any] = {"at": {"audio_seconds": MAIN}}
PARTS = ("features", "encoder", "decoder_step")
FACTOR = {"fp32": 1.0, "int8": 0.575, "int8-qdq": 0.56}
SIZE = {"fp32": 290_400_000, "int8": 104_300_000, "int8-qdq": 106_900_000}
WRONG = {"fp32": 0.055, "int8": 0.056, "int8-qdq": 0.42}  # share of words misheard
SESSIONS: dict[str, tuple[dict[str, Any], float]] = {
    "default": ({}, 1.0),
    "spin-stop": ({"session.force_spinning_stop": "1"}, 0.88),
    "no-spinning": ({"session.intra_op.allow_spinning": "0"}, 0.93),
    "no-arena": ({"enable_cpu_mem_arena": False}, 1.01),
    "parallel": ({"execution_mode": "parallel", "inter_op_num_threads": 2}, 1.02),
    "no-prepacking": ({"session.disable_prepacking": "1"}, 1.29),
    "one-thread": ({"intra_op_num_threads": 1}, 1.86),
    "denormals-zero": ({"session.set_denormal_as_zero": "1"}, 1.0),
}
BEST = "spin-stop"
PLAIN = str.maketrans("áéíóú", "aeiou")
UNITS = {"rtf": "", "output_rate": "chars/s", "hallucinated_words": "words/min"}
LOOPING = {("int8-qdq", 33), ("int8-qdq", 57)}  # utterances that end in a loop
CROWDED = (8, 9)  # rounds of the latency stage in which another program ran
CRASH = "the child process ended with signal 9 after 1.2 s (out of memory?)"

EXPERIMENT: dict[str, Any] = {
    "name": "whisper_base_es",
    "title": "Whisper base INT8 en español",
    "model": {"family": "whisper", "source": {"asset": "whisper-base"}},
    "variants": [
        {"name": "fp32"},
        {
            "name": "int8",
            "quantize": {
                "use": "dynamic_int8",
                "op_types": ["MatMul", "Gather"],
                "per_channel": True,
            },
        },
        {"name": "int8-qdq", "quantize": {"use": "static_qdq", "calibration": "minmax"}},
    ],
    "recorded": [
        {
            "name": "modelo-30b-int8",
            "latency_p50_ms": 10660.0,
            "source": "SARAi v2.16.1, resumen de validación",
        },
        {
            "name": "qwen2.5-omni-int8",
            "latency_p50_ms": 260.9,
            "size_mb": 96.0,
            "wer": 0.02,
            "source": "SARAi v2.16.1, resumen de validación",
        },
    ],
    "baseline": "fp32",
    "candidate": "int8",
    "sessions": [
        {
            "name": name,
            "options": options,
            "provider": "CPUExecutionProvider",
            "provider_options": {},
            "note": "",
        }
        for name, (options, _) in SESSIONS.items()
    ],
    "latency": {"audio_seconds": list(LENGTHS), "sweep_seconds": MAIN},
    "quality": [
        {
            "name": "cv-es-prompts",
            "dataset": {"use": "common_voice", "path": "data/cv-es-prompts", "split": "test"},
            "metrics": ["wer", "cer", "ser", "rtf", "loops", "repeated_words", "output_rate"],
            "normaliser": "spanish",
        },
        {
            "name": "silence",
            "dataset": {"use": "no_speech"},
            "metrics": ["hallucinations", "hallucinated_words"],
            "normaliser": "spanish",
        },
    ],
    "calibration": {
        "dataset": {"use": "common_voice", "path": "data/cv-es-prompts", "split": "dev"},
    },
    "gates": [
        {"name": f"latency_p50_ms@{MAIN} s", "metric": "latency_p50_ms", **AT_MAIN, "max": 240.0},
        {"name": f"latency_p99_ms@{MAIN} s", "metric": "latency_p99_ms", **AT_MAIN, "max": 350.0},
        {"name": "size_mb", "metric": "size_mb", "max": 200.0},
        {
            "name": "wer@cv-es-prompts",
            "metric": "wer",
            "at": {"dataset": "cv-es-prompts"},
            "over": "fp32",
            "max_increase": 0.03,
        },
        {
            "name": "speedup",
            "metric": "speedup",
            **AT_MAIN,
            "over": "modelo-30b-int8",
            "min": 10.0,
        },
        {"name": "cer", "metric": "cer", "max": 0.03, "severity": "warn"},
        {"name": "ser", "metric": "ser", "max": 0.4, "severity": "warn"},
    ],
    "waivers": [
        {
            "gate": "latency_p50_ms@5 s",
            "up_to": 265.0,
            "until": "2027-06-30",
            "because": "20 ms no se perciben en conversación",
        }
    ],
    "claims": [
        {"metric": "wer", "value": 0.02, "tolerance": 0.005, "source": "resumen de validación"},
        {"metric": "size_mb", "value": 96.0, "tolerance": 10.0, "source": "resumen de validación"},
        {"metric": "ser", "value": 0.2, "tolerance": 0.05, "source": "resumen de validación"},
        {"metric": "mos", "value": 4.3, "tolerance": 0.1, "source": "resumen de validación"},
    ],
    "budget": {"minutes": 10},
    "report": {"language": "es", "sections": []},
    "seed": 20261122,
    "beside": ".",
}

ENVIRONMENT: dict[str, Any] = {
    "affinity_cpus": 2,
    "commit": "a1c87e5d366b49996a2df771bd62a29c45ca39f5",
    "cores": 2,
    "cpu": "AMD EPYC 7B13",
    "dirty": False,
    "governor": "",
    "isa": "avx2",
    "jiwer": "4.0.0",
    "machine": "x86_64",
    "measured_on": "2026-11-22",
    "memory_bytes": 8589934592,
    "numpy": "2.4.6",
    "onnxruntime": "1.31.1",
    "python": "3.11.9",
    "quota_cpus": None,
    "system": "Linux",
}

SENTENCES = """ese agente ya ha sido autenticado
por favor ingrese su número de agente seguido por la tecla de número
contraseña incorrecta por favor ingrese su contraseña de nuevo
la conferencia está cerrada y no admite más participantes
usted es la única persona en la conferencia
el líder de la conferencia ha salido
su llamada es muy importante para nosotros
todas las líneas están ocupadas intente más tarde
el número marcado no está disponible en este momento
grabe su mensaje después del tono y cuelgue al terminar
no tiene mensajes nuevos en su buzón de voz
para escuchar el menú de opciones marque la tecla asterisco
la grabación ha sido guardada en la carpeta principal
introduzca la extensión de la persona con quien desea hablar
el volumen de su micrófono ha sido reducido
un técnico revisará la conexión mañana por la mañana
su posición en la cola es la número cinco
gracias por su paciencia en breve será atendido
el servicio al que intenta acceder no existe
si desea cancelar la operación oprima la tecla cero""".splitlines()
MISHEARD = {
    "ingrese": "ingresa",
    "está": "esta",
    "oprima": "prima",
    "grabe": "grave",
    "cola": "hola",
}


def build(folder: Path = Path("whisper_base_es"), seed: int = 20261122) -> Result:
    """The run; the same seed gives the same rows."""
    rng = np.random.default_rng(seed)
    calls = tables.frame("calls", [*_sweep(rng), *_latency(rng), *_cold(rng), *_quality(rng)])
    calls = pd.concat([calls, tables.frame("calls", _silence(rng))], ignore_index=True)
    scores = _scores(calls)
    summary = tables.frame("summary", [*_folded(scores), *_sizes()])
    data = {
        "calls": calls,
        "judged": tables.frame("judged", []),
        "datasets": tables.frame("datasets", _datasets()),
        "judges": tables.frame("judges", []),
        "stops": tables.frame("stops", _stops(calls)),
        "scores": _by_quantile(scores),
        "summary": summary,
        "changes": matched_segments(tables.frame("changes", _changes(summary)), calls),
        "sessions": tables.frame("sessions", _sessions(calls, summary)),
        "variants": tables.frame("variants", _variants()),
        "changed": tables.frame("changed", _changed(calls)),
    }
    data["checks"] = tables.frame("checks", _checks(data["summary"], data["changes"]))
    data["claims"] = tables.frame("claims", _claims(data["summary"]))
    return paired(filed.result(folder, EXPERIMENT, ENVIRONMENT, _verdict(data["checks"]), data))


def paired(result: Result) -> Result:
    """With the tables that are made of others: candidate against each other variant, twins."""
    known = {name: data for name, data in result.tables.items() if name not in ("versus", "twins")}
    return decision.completed(replace(result, tables=known))


def _stops(calls: pd.DataFrame) -> list[dict[str, Any]]:
    """Every cell of the latency stage got its rounds; nothing was stopped early."""
    timed = calls[(calls["stage"] == "latency") & calls["warm"]]
    place = ["stage", "variant", "session", "replica", "operation", "audio_seconds"]
    rounds = timed.groupby(place, sort=False)["round"].nunique()
    return [
        {
            **dict(zip(place[:-1], cell[:-1], strict=True)),
            "workload": f"{cell[-1]:g} s",
            "done": int(done),
            "level": 0.95,
            "allowance": 0.0,
            "why": "budget",
        }
        for cell, done in rounds.items()
    ]


# ---------------------------------------- calls
def _call(stage: str, cell: tuple[str, str, int], **fields: Any) -> dict[str, Any]:
    variant, session, replica = cell
    made = {"stage": stage, "variant": variant, "session": session, "replica": replica}
    return {"warm": True, "operation": "pipeline", "steal": 0.001, "load": 1.1, **made, **fields}


def _seconds(variant: str, operation: str, length: float) -> float:
    """FP32 medians in seconds: the encoder is flat (30 s window), the decoder grows with words."""
    whole = {"features": 0.012, "encoder": 0.35, "decoder_step": 0.0065}
    factor = 1.0 if operation == "features" else FACTOR[variant]
    if operation != "pipeline":
        return whole[operation] * factor
    tokens = 4 + 3 * length
    return 0.012 + FACTOR[variant] * (0.35 + 0.0065 * tokens)


def _drift(rng: np.random.Generator) -> tuple[float, float]:
    """(factor, steal) of a block: 3 % between blocks, now and then a neighbour."""
    disturbed = rng.random() < 0.04
    return float(rng.lognormal(0, 0.03) * (1.12 if disturbed else 1)), 0.06 if disturbed else 0.002


def _sweep(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    cells = [(variant, name, 0) for variant in ("fp32", "int8") for name in SESSIONS]
    for turn in range(20):
        for cell in [*cells, ("fp32", "default", 1)]:
            if cell[1] == "denormals-zero":
                if turn == 0:
                    yield _call("sweep", cell, audio_seconds=MAIN, round=19, error=CRASH)
                continue
            shift, steal = _drift(rng)
            spent = _seconds(cell[0], "pipeline", MAIN) * SESSIONS[cell[1]][1] * shift
            where = {"round": turn, "block": turn, "order": 0, "steal": steal}
            yield _call("sweep", cell, audio_seconds=MAIN, seconds=spent, **where)


def _latency(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    full = [("fp32", "default", 0), ("int8", BEST, 0)]
    brief = [("fp32", "default", 1), ("int8", "default", 0), ("int8-qdq", "default", 0)]
    for turn in range(20):
        for cell in full:
            for length in LENGTHS:
                repeats = 16 if length == MAIN else 3
                yield from _block(rng, cell, length, "pipeline", (turn, repeats))
        for cell in brief:
            yield from _block(rng, cell, MAIN, "pipeline", (turn, 3))
    for turn, cell, operation, length in itertools.product(range(7), full, PARTS, LENGTHS):
        yield from _block(rng, cell, length, operation, (3 * turn, 1))


def _block(
    rng: np.random.Generator,
    cell: tuple[str, str, int],
    length: float,
    operation: str,
    size: tuple[int, int],
) -> Iterator[dict[str, Any]]:
    turn, repeats = size
    shift, steal = _drift(rng)
    factor = shift * (SESSIONS[cell[1]][1] if operation == "pipeline" else 1)
    for order in range(repeats):
        spent = _seconds(cell[0], operation, length) * factor * float(rng.lognormal(0, 0.025))
        yield _call(
            "latency",
            cell,
            operation=operation,
            audio_seconds=length,
            seconds=spent * (1.35 if rng.random() < 0.006 else 1),
            cpu_seconds=spent * 1.9,
            tokens=4 + 3 * length if operation == "pipeline" else np.nan,
            rss_bytes=SIZE[cell[0]] * 1.6 + 3e8,
            item=f"dev-{length}",
            round=turn,
            block=turn,
            order=order,
            steal=steal,
            load=3.6 if turn in CROWDED else 2.1,
        )


def _cold(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    cells = [("fp32", "default", 0), ("int8", "default", 0), ("int8-qdq", "default", 0)]
    for cell in [*cells, ("int8", BEST, 0)]:
        for turn in range(3):
            for operation, whole in (("load", 0.62), ("first_call", 0.71)):
                spent = whole * (0.45 + 0.55 * FACTOR[cell[0]]) * float(rng.lognormal(0, 0.05))
                fields = {"round": turn, "block": turn, "audio_seconds": MAIN, "seconds": spent}
                yield _call("latency", cell, operation=operation, warm=False, **fields)


def _quality(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for place in range(100):
        reference = SENTENCES[place % 20]
        heard = _heard(rng, reference, WRONG["fp32"])
        length = 0.6 + 0.42 * len(reference.split())
        for variant in ("fp32", "int8", "int8-qdq"):
            text = heard
            if variant == "int8-qdq" or (variant == "int8" and rng.random() < 0.22):
                text = _heard(rng, reference, WRONG[variant])
            fields: dict[str, Any] = {"item": f"clip-{place:03d}", "speaker": "f3d6", "text": text}
            fields |= {"sentence": f"s{place % 20:02d}", "reference": reference}
            if (variant, place) in LOOPING:
                looped = " ".join([*heard.split()[:3], *["la tecla de"] * 14])
                fields |= {"text": looped, "note": "token budget spent"}
            if (variant, place) == ("int8-qdq", 41):
                fields |= {"text": "", "error": "the decoder's output is not a number (step 3)"}
            spent = _seconds(variant, "pipeline", length) * float(rng.lognormal(0, 0.05))
            fields |= {"audio_seconds": length, "seconds": spent, "order": place}
            session = BEST if variant == "int8" else "default"
            yield _call("quality", (variant, session, 0), dataset="cv-es-prompts", **fields)


def _silence(rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Clips without speech, on which the worse variants write what is not there."""
    often = {"fp32": 0.05, "int8": 0.1, "int8-qdq": 0.7}
    for place, variant in itertools.product(range(20), often):
        text = "¡Gracias por ver el vídeo!" if rng.random() < often[variant] else ""
        spent = _seconds(variant, "pipeline", 4.0) * float(rng.lognormal(0, 0.05))
        yield _call(
            "quality",
            (variant, BEST if variant == "int8" else "default", 0),
            dataset="silence",
            item=f"{'noise' if place % 2 else 'silence'}-{place:02d}",
            speaker="noise" if place % 2 else "silence",  # the kind of sound, as no_speech has it
            text=text,
            audio_seconds=4.0,
            seconds=spent,
            order=place,
        )


def _datasets() -> Iterator[dict[str, Any]]:
    drawn = {"release": "cv-es-prompts 1.0", "split": "test", "seed": "20261122"}
    drawn |= {"drawn": "100 of 180 clips, in equal parts of five lengths"}
    one = {"dataset": "cv-es-prompts", "source": "common_voice", "planned": 100, "unusable": 0}
    yield {**one, "fingerprint": "9f2c4477d1e05b6a", "notes": json.dumps(drawn)}
    made = {"made": "10 of silence and 10 of white noise, 4 s each", "seed": "20261122"}
    made |= {"transcripts": "none"}
    one = {"dataset": "silence", "source": "no_speech", "planned": 20, "unusable": 0}
    yield {**one, "fingerprint": "51b0aa7e93c2d8f4", "notes": json.dumps(made)}


def _heard(rng: np.random.Generator, reference: str, wrong: float) -> str:
    words: list[str] = []
    for word in reference.split():
        luck = rng.random()
        if luck < wrong * 0.7:
            words.append(MISHEARD.get(word, word[:-1] + ("o" if word.endswith("a") else "a")))
        elif luck < wrong * 0.9:
            continue
        else:
            words += [word, "de"] if luck < wrong else [word]
    return " ".join(words)


# ---------------------------------------- derived tables
def _scores(calls: pd.DataFrame) -> pd.DataFrame:
    good = calls[calls["error"] == ""]
    place = good["audio_seconds"].map("{:g} s".format)
    good = good.assign(workload=good["dataset"].where(good["dataset"] != "", place))
    timed = good[good["warm"] & (good["stage"] != "quality")]
    parts = [timed.assign(metric="latency_ms", value=timed["seconds"] * 1000, weight=1.0)]
    for operation, metric in (("load", "load_ms"), ("first_call", "first_call_ms")):
        cold = good[good["operation"] == operation]
        parts.append(cold.assign(metric=metric, value=cold["seconds"] * 1000, weight=1.0))
    heard = good[good["stage"] == "quality"]
    parts += _strange(heard)
    spoken = heard[heard["reference"] != ""]
    parts += _compared(spoken)
    for metric, process in (("wer", jiwer.process_words), ("cer", jiwer.process_characters)):
        pairs = zip(spoken["reference"], spoken["text"], strict=True)
        counted = [_edits(process(reference, text)) for reference, text in pairs]
        edits, sizes = zip(*counted, strict=True)
        parts.append(spoken.assign(metric=metric, value=edits, weight=sizes))
    parts.append(
        spoken.assign(metric="rtf", value=spoken["seconds"], weight=spoken["audio_seconds"])
    )
    data = pd.concat(parts)[list(tables.TABLES["scores"])]
    return tables.check("scores", data.reset_index(drop=True))


def _by_quantile(scores: pd.DataFrame) -> pd.DataFrame:
    """As the tables have them: a call's latency once for each quantile that is folded from it."""
    timed = scores["metric"] == "latency_ms"
    names = [f"latency_p{digits}_ms" for digits in (50, 90, 99)]
    parts = [scores[~timed], *(scores[timed].assign(metric=name) for name in names)]
    return tables.check("scores", pd.concat(parts, ignore_index=True))


def _compared(spoken: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """WER by other rules. The invented texts are lower case already, so that `wer_basic` is `wer`;
    the raw reference begins with a capital and ends with a full stop."""
    for metric, rule in (
        ("wer_no_accents", lambda text: text.translate(PLAIN)),
        ("wer_basic", str),
        ("wer_raw", None),
    ):
        counted = []
        for reference, text in zip(spoken["reference"], spoken["text"], strict=True):
            ours = reference.capitalize() + "." if rule is None else rule(reference)
            counted.append(_edits(jiwer.process_words(ours, rule(text) if rule else text)))
        edits, sizes = zip(*counted, strict=True)
        yield spoken.assign(metric=metric, value=edits, weight=sizes)


def _strange(heard: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Loops on speech, text on silence."""
    spoken, silent = (heard[heard["dataset"] == name] for name in ("cv-es-prompts", "silence"))
    words = spoken["text"].str.split().str.len()
    looped = words > 40
    yield spoken.assign(metric="loops", value=looped.astype(float), weight=1.0)
    yield spoken.assign(metric="repeated_words", value=words.where(looped, 0.0), weight=words)
    sizes = spoken["text"].str.len().astype(float)
    yield spoken.assign(metric="output_rate", value=sizes, weight=spoken["audio_seconds"])
    written = silent["text"].str.split().str.len().astype(float)
    yield silent.assign(metric="hallucinations", value=(written > 0).astype(float), weight=1.0)
    minutes = silent["audio_seconds"] / 60
    yield silent.assign(metric="hallucinated_words", value=written, weight=minutes)


def _edits(output: Any) -> tuple[float, float]:
    edits = output.substitutions + output.deletions + output.insertions
    return float(edits), float(output.hits + output.substitutions + output.deletions)


def _folded(scores: pd.DataFrame) -> Iterator[dict[str, Any]]:
    keys = ["stage", "variant", "session", "replica", "operation", "workload", "metric"]
    for key, group in scores.groupby(keys, sort=False):
        cell = dict(zip(keys, key, strict=True))
        values = np.sort(group["value"].to_numpy())
        if cell["metric"] == "latency_ms":
            for digits in (50, 90, 99):
                yield {**cell, "metric": f"latency_p{digits}_ms", **_quantile(values, digits / 100)}
        elif cell["metric"].endswith("_ms"):
            yield {**cell, **_quantile(values, 0.5)}
        else:
            yield {**cell, **_ratio(values, group)}


def _quantile(values: np.ndarray, quantile: float) -> dict[str, Any]:
    n = len(values)
    spread = 1.96 * np.sqrt(n * quantile * (1 - quantile))
    left, right = int(np.floor(n * quantile - spread)), int(np.ceil(n * quantile + spread))
    return {
        "value": np.quantile(values, quantile, method="inverted_cdf"),
        "low": values[left] if left >= 0 else -np.inf,
        "high": values[min(right, n - 1)] if n * (1 - quantile) >= 2.99 else np.inf,
        "n": n,
        "unit": "ms",
        "method": "binomial tail over blocks",
    }


def _ratio(values: np.ndarray, group: pd.DataFrame) -> dict[str, Any]:
    total = group["value"].sum() / group["weight"].sum()
    spread = 1.96 * group["value"].std() / group["weight"].mean() / np.sqrt(len(group))
    unit = UNITS.get(str(group["metric"].iloc[0]), "fraction")
    found = {"value": total, "low": total - spread, "high": total + spread, "n": len(group)}
    planned = 20 if (group["workload"] == "silence").all() else 100
    return {**found, "errors": planned - len(group), "unit": unit, "method": "bootstrap"}


def _sizes() -> Iterator[dict[str, Any]]:
    for variant, size in SIZE.items():
        megabytes = {"value": size / 1e6, "low": size / 1e6, "high": size / 1e6, "n": 1}
        cell = {"stage": "", "variant": variant, "session": "", "metric": "size_mb", "unit": "MB"}
        yield {**cell, **megabytes}
        peak = SIZE[variant] * 1.6 / 1e6 + 300
        session = BEST if variant == "int8" else "default"
        cell = {"stage": "latency", "variant": variant, "session": session, "unit": "MB"}
        yield {**cell, "metric": "peak_memory_mb", "value": peak, "low": peak, "high": peak, "n": 1}


def _changes(summary: pd.DataFrame) -> Iterator[dict[str, Any]]:
    keys = ["stage", "operation", "workload", "metric"]
    base = summary[(summary["variant"] == "fp32") & (summary["replica"] == 0)]
    base = base[base["session"].isin(["default", ""])].set_index(keys).sort_index()
    for entry in summary.to_dict("records"):
        key = tuple(entry[name] for name in keys)
        itself = entry["variant"] == "fp32" and entry["replica"] == 0
        if itself or entry["stage"] == "sweep" or key not in base.index:
            continue
        yield _change(entry, base.loc[key].to_dict(), keys)


def _change(entry: dict[str, Any], base: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    spread = max(1e-6, 0.35 * (entry["high"] - entry["low"]))
    spread = spread if np.isfinite(spread) else 0.2 * entry["value"]
    delta = entry["value"] - base["value"]
    ratio = entry["value"] / base["value"] if base["value"] else np.nan
    wide = spread / base["value"] if base["value"] else np.nan
    return {
        **{name: entry[name] for name in [*keys, "variant", "session", "n"]},
        "baseline": "fp32",
        "baseline_session": base["session"],
        "delta": delta,
        "delta_low": delta - spread,
        "delta_high": delta + spread,
        "ratio": ratio,
        "ratio_low": ratio - wide,
        "ratio_high": ratio + wide,
        "p": 0.5 if abs(delta) < spread else 0.001,
        "resolved": abs(delta) > spread and abs(ratio - 1) > 0.02,
    }


def _sessions(calls: pd.DataFrame, summary: pd.DataFrame) -> Iterator[dict[str, Any]]:
    swept = calls[(calls["stage"] == "sweep") & (calls["error"] == "") & (calls["replica"] == 0)]
    medians = swept.groupby(["variant", "session", "round"])["seconds"].median()
    reach = twin_reach(calls[(calls["stage"] == "sweep") & (calls["operation"] == "pipeline")])
    for variant in ("fp32", "int8"):
        for name, (options, _) in SESSIONS.items():
            config = _config(options)
            row = {"session": name, "variant": variant, "options": config, "reach": reach}
            if name == "denormals-zero":
                yield {**row, "error": CRASH, "reason": "failed"}
                continue
            ratios = medians[variant, name] / medians[variant, "default"]
            ratio, spread = float(ratios.median()), 2.4 * float(ratios.std()) / np.sqrt(20)
            spread = 0.0 if name == "default" else spread
            row |= {"ratio": ratio, "low": ratio - spread, "high": ratio + spread, "n": 20}
            if (variant, name) == ("int8", BEST):
                fresh = {"confirmed": 0.884, "confirmed_low": 0.872, "confirmed_high": 0.897}
                row |= {"chosen": True, "holds": True, **fresh}
            yield row


def _config(options: dict[str, Any]) -> str:
    shared = {"provider": "CPUExecutionProvider", "provider_options": {}, "note": ""}
    return json.dumps({"options": options, **shared})


def _variants() -> Iterator[dict[str, Any]]:
    for entry in EXPERIMENT["variants"]:
        name = entry["name"]
        how = dict(entry.get("quantize", {}))
        quantized = {"encoder": {"MatMul": 36}, "decoder": {"MatMul": 61, "Gather": 1}}
        yield {
            "variant": name,
            "method": how.pop("use", ""),
            "parameters": json.dumps(how) if how else "{}",
            "size_bytes": SIZE[name],
            "files": json.dumps(
                {"encoder.onnx": SIZE[name] * 3 // 10, "decoder.onnx": SIZE[name] * 7 // 10}
            ),
            "operators": json.dumps(quantized if name != "fp32" else {}),
            "versions": json.dumps({"onnxruntime": "1.31.1"}),
            "fingerprint": f"{name}-0011",
        }


def _changed(calls: pd.DataFrame) -> Iterator[dict[str, Any]]:
    spoken = calls[(calls["dataset"] == "cv-es-prompts") & (calls["error"] == "")]
    base = spoken[spoken["variant"] == "fp32"].set_index("item")["text"]
    for call in spoken[spoken["variant"] != "fp32"].to_dict("records"):
        before = base[call["item"]]
        if before == call["text"]:
            continue
        edits = [
            _edits(jiwer.process_words(call["reference"], t))[0] for t in (before, call["text"])
        ]
        yield {
            "dataset": "cv-es-prompts",
            "variant": call["variant"],
            "baseline": "fp32",
            "item": call["item"],
            "reference": call["reference"],
            "baseline_text": before,
            "variant_text": call["text"],
            "baseline_edits": int(edits[0]),
            "variant_edits": int(edits[1]),
            "words": len(call["reference"].split()),
        }


# ---------------------------------------- checks and verdict
def _value(summary: pd.DataFrame, metric: str, session: str, workload: str) -> dict[str, Any]:
    found = summary[(summary["variant"] == "int8") & (summary["metric"] == metric)]
    found = found[(found["session"] == session) & (found["workload"] == workload)]
    entry = found[found["stage"] != "sweep"].iloc[0].to_dict()
    return {
        "observed": entry["value"],
        **{name: entry[name] for name in ("low", "high", "n", "unit")},
    }


def _checks(summary: pd.DataFrame, changes: pd.DataFrame) -> Iterator[dict[str, Any]]:
    at = f"{MAIN} s"
    here = {"variant": "int8", "session": BEST, "operation": "pipeline", "severity": "fail"}
    median = _value(summary, "latency_p50_ms", BEST, at)
    binomial = {"kind": "max", "method": "binomial tail over blocks", "units": 20, "workload": at}
    row = {
        **here,
        **binomial,
        "gate": "latency_p50_ms@5 s",
        "metric": "latency_p50_ms",
        "limit": 240.0,
    }
    yield {
        **row,
        **median,
        "status": "WAIVED",
        "waiver": "latency_p50_ms@5 s",
        "reason": "over the limit",
    }
    tail = _value(summary, "latency_p99_ms", BEST, at)
    row = {
        **here,
        **binomial,
        "gate": "latency_p99_ms@5 s",
        "metric": "latency_p99_ms",
        "limit": 350.0,
    }
    yield {**row, **tail, "status": _status("max", row["limit"], tail)}
    size = _value(summary, "size_mb", "", "")
    row = {**here, "gate": "size_mb", "metric": "size_mb", "kind": "max", "limit": 200.0}
    yield {**row, **size, "operation": "", "method": "exact", "status": "PASS"}
    keys = (changes["variant"] == "int8") & (changes["metric"] == "wer")
    change = changes[keys].iloc[0]
    row = {
        **here,
        "gate": "wer@cv-es-prompts",
        "metric": "wer",
        "kind": "max_increase",
        "over": "fp32",
    }
    row |= {"observed": change["delta"], "low": change["delta_low"], "high": change["delta_high"]}
    row |= {"n": 100, "unit": "fraction", "limit": 0.03, "workload": "cv-es-prompts"}
    yield {**row, "method": "paired bootstrap by sentence", "status": "PASS", "units": 20}
    speed = 10660.0 / median["observed"]
    row = {**here, "gate": "speedup", "metric": "speedup", "kind": "min", "over": "modelo-30b-int8"}
    row |= {"observed": speed, "low": 10660 / median["high"], "high": 10660 / median["low"]}
    row |= {"n": median["n"], "unit": "x", "limit": 10.0, "workload": at}
    yield {**row, "method": "binomial tail over blocks", "status": "PASS"}
    letters = _value(summary, "cer", BEST, "cv-es-prompts")
    row = {**here, "gate": "cer", "metric": "cer", "kind": "max", "limit": 0.03, "severity": "warn"}
    row |= {**letters, "low": 0.009, "high": 0.034, "workload": "cv-es-prompts"}
    yield {**row, "method": "bootstrap by sentence", "units": 20, "reason_code": "straddles"} | {
        "status": "INCONCLUSIVE",
        "needs": 180.0,
    }
    row = {**here, "gate": "ser", "metric": "ser", "kind": "max", "limit": 0.4, "severity": "warn"}
    row |= {"unit": "fraction", "workload": "cv-es-prompts"}
    yield {**row, "status": "NOT MEASURED", "reason_code": "nothing"}


def _claims(summary: pd.DataFrame) -> Iterator[dict[str, Any]]:
    source = "resumen de validación"
    words = _value(summary, "wer", BEST, "cv-es-prompts") | {"n": None}
    size = _value(summary, "size_mb", "", "") | {"n": None}
    row = {"variant": "int8", "source": source}
    yield {
        **row,
        "metric": "wer",
        "claimed": 0.02,
        "tolerance": 0.005,
        **words,
        "status": "refuted",
    }
    yield {
        **row,
        "metric": "size_mb",
        "claimed": 96.0,
        "tolerance": 10.0,
        **size,
        "status": "confirmed",
    }
    yield {**row, "metric": "ser", "claimed": 0.2, "tolerance": 0.05, "status": "not measured"}
    yield {**row, "metric": "mos", "claimed": 4.3, "tolerance": 0.1, "status": "not measured"}


def _status(kind: str, limit: float, bounds: dict[str, Any]) -> str:
    """As the gate itself says of these bounds."""
    figure = [float(bounds[name]) for name in ("observed", "low", "high")]
    gate: Gate = plugins.load("gates", kind)
    return gate.check(limit, Evidence(*figure, n=int(bounds["n"]), method="exact")).value


def _verdict(checks: pd.DataFrame) -> dict[str, Any]:
    """What follows from the checks: some seeds draw a tail that no bound can hold."""
    hard = checks[checks["severity"] == "fail"]
    proved = bool(hard["status"].isin(("PASS", "WAIVED")).all())
    return {
        "verdict": "APPROVED WITH WAIVERS" if proved else "INSUFFICIENT EVIDENCE",
        "exit_code": 0 if proved else 3,
        "candidate": "int8",
        "session": BEST,
        "reasons": ["latency_p50_ms is over its limit and inside its waiver"],
        "waivers": [{"gate": "latency_p50_ms@5 s", "state": "used"}],
    }
