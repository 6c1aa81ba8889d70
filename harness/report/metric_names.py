"""What metrics, purposes of an approval and verdicts are called, in each language."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

METRICS: Mapping[str, Mapping[str, str]] = {
    "es": {
        "latency_ms": "Latencia",
        "size_mb": "Tamaño",
        "wer": "WER",
        "cer": "CER",
        "rtf": "RTF",
        "speedup": "Aceleración",
        "peak_memory_mb": "Memoria máxima",
        "load_ms": "Carga del modelo",
        "first_call_ms": "Primera llamada",
        "tokens_per_second": "Tokens por segundo",
        "tokens": "Tokens",
        "ser": "SER (frases con error)",
        "wer_no_accents": "WER sin tildes",
        "wer_basic": "WER, normalizador básico de Whisper",
        "wer_raw": "WER sin normalizar",
        "loops": "Frases con bucle",
        "repeated_words": "Palabras repetidas",
        "output_rate": "Ritmo de salida",
        "budget_exhausted": "Cortadas por tope o repetición",
        "hallucinations": "Texto donde nadie habla",
        "hallucinated_words": "Palabras donde nadie habla",
        "mos": "MOS de oyentes",
        "dnsmos_ovrl": "DNSMOS OVRL",
        "dnsmos_sig": "DNSMOS SIG",
        "dnsmos_bak": "DNSMOS BAK",
        "dnsmos_p808": "DNSMOS P.808",
        "plcmos": "PLCMOS",
        "utmos": "UTMOS",
        "round_trip_wer": "WER de ida y vuelta",
        "round_trip_cer": "CER de ida y vuelta",
        "spoken_seconds": "Duración de lo dicho",
        "clipping": "Audio saturado",
        "first_audio_ms": "Primer sonido",
        "used_slow": "Hizo falta el lento",
    },
    "en": {
        "latency_ms": "Latency",
        "size_mb": "Size",
        "wer": "WER",
        "cer": "CER",
        "rtf": "RTF",
        "speedup": "Speed-up",
        "peak_memory_mb": "Peak memory",
        "load_ms": "Model load",
        "first_call_ms": "First call",
        "tokens_per_second": "Tokens per second",
        "tokens": "Tokens",
        "ser": "SER (utterances with errors)",
        "wer_no_accents": "WER without accents",
        "wer_basic": "WER, Whisper's basic normaliser",
        "wer_raw": "WER, not normalised",
        "loops": "Utterances with a loop",
        "repeated_words": "Repeated words",
        "output_rate": "Output rate",
        "budget_exhausted": "Cut off by budget or repetition",
        "hallucinations": "Text where nobody speaks",
        "hallucinated_words": "Words where nobody speaks",
        "mos": "Listeners' MOS",
        "dnsmos_ovrl": "DNSMOS OVRL",
        "dnsmos_sig": "DNSMOS SIG",
        "dnsmos_bak": "DNSMOS BAK",
        "dnsmos_p808": "DNSMOS P.808",
        "plcmos": "PLCMOS",
        "utmos": "UTMOS",
        "round_trip_wer": "Round-trip WER",
        "round_trip_cer": "Round-trip CER",
        "spoken_seconds": "Length of what was said",
        "clipping": "Clipped audio",
        "first_audio_ms": "First sound",
        "used_slow": "Needed the slow one",
    },
}


def stem(name: str) -> str:
    """A metric's name without the folder and the ending of a file of the user's own."""
    return PurePosixPath(name).stem if name.endswith(".py") else name


# what an approval is for (`purpose:` of an experiment)
PURPOSES: Mapping[str, Mapping[str, str]] = {
    "es": {
        "replacement": "una sustitución",
        "size": "el tamaño",
        "latency": "la latencia",
        "memory": "la memoria",
        "robustness": "la robustez",
    },
    "en": {"replacement": "a replacement"},
}

VERDICTS: Mapping[str, Mapping[str, str]] = {
    "es": {
        "APPROVED": "✅ APROBADO",
        "APPROVED WITH WAIVERS": "⚠️ APROBADO CON EXCEPCIONES",
        "REJECTED": "❌ RECHAZADO",
        "INSUFFICIENT EVIDENCE": "❔ PRUEBAS INSUFICIENTES",
    },
    "en": {
        "APPROVED": "✅ APPROVED",
        "APPROVED WITH WAIVERS": "⚠️ APPROVED WITH WAIVERS",
        "REJECTED": "❌ REJECTED",
        "INSUFFICIENT EVIDENCE": "❔ INSUFFICIENT EVIDENCE",
    },
}
