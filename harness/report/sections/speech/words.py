"""What the section on synthesised speech says, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: Mapping[str, Mapping[str, str]] = {
    "es": {
        "none": "Sin medir: no hay audio sintetizado, ni juez u oyente que diga algo de él.",
        "set": "Lo dicho con los textos de `{dataset}`:",
        "parts": "Otras notas de DNSMOS ({names}):",
        "and": " y ",
        "paired": "Diferencia con `{baseline}`, emparejada frase a frase:",
        "made": "Cómo se dijo:",
        "at_once": (
            "Cada voz entrega todo su audio de una vez: el primer sonido llega al acabar la "
            "llamada, y su tiempo es la latencia."
        ),
        "variant": "Variante",
        "n": "Frases",
        "errors": "Errores",
        "drift": "Duración respecto a {baseline}",
        "recogniser_seconds": "Reconocer (P50)",
        "synthesiser_seconds": "Sintetizar (P50)",
        "own": (
            "El WER de ida y vuelta compara el texto con lo que entiende un reconocedor, e incluye "
            "los errores de este: se lee frente a la base, no frente a cero."
        ),
        "beside": ("Va junto a cada MOS porque un predictor, solo, también aprueba un galimatías."),
        "alone": (
            "No se midió la ida y vuelta (decir, reconocer y comparar con el texto): un predictor, "
            "solo, también aprueba un galimatías, así que estos MOS no dicen si se entiende algo."
        ),
        "gibberish": (
            "⚠️ `{line}`: {opinion} y, sin embargo, un WER de ida y vuelta del {heard}. El "
            "predictor aprueba lo que el reconocedor no entiende; vale la ida y vuelta."
        ),
        "lost": (
            "⚠️ `{line}`: un WER de ida y vuelta del {heard}; el reconocedor no entiende lo dicho, "
            "y {opinion} tampoco lo aprueba."
        ),
        "recogniser": "Reconocedor: {value}.",
        "judges": "Qué mide cada juez, y para qué vale:",
        "listeners": (
            "MOS de oyentes: {scores} puntuaciones de {raters} oyentes a {items} frases, y su "
            "intervalo cuenta con otros oyentes y otras frases."
        ),
        "screened": "Quedan fuera {n} puntuaciones: {why}.",
        "times": "{why} ({n})",
        "listen": (
            "Para escuchar, las primeras frases de cada variante. Las demás no se guardan con el "
            "informe: la medición las hace de nuevo en `audio/`, y su SHA-256 está en "
            "`calls.parquet`."
        ),
        "item": "Frase",
        "text": "Texto",
        "audio": "Audio",
        "hash": "SHA-256",
        "worst": "Las {n} frases de `{variant}` que peor se entienden:",
        "wrong": "`{item}`, WER de ida y vuelta del {wer}",
        "alt": "MOS de cada variante, su diferencia con la base y su WER de ida y vuelta",
    },
    "en": {
        "none": "Not measured: there is no synthesised audio, or no judge or listener to tell.",
        "set": "What was said of the texts of `{dataset}`:",
        "parts": "Other scores of DNSMOS ({names}):",
        "and": " and ",
        "paired": "Difference from `{baseline}`, paired sentence by sentence:",
        "made": "How it was said:",
        "at_once": (
            "Every voice gives all of its audio at once: the first sound is there when the call "
            "ends, and its time is the latency."
        ),
        "variant": "Variant",
        "n": "Sentences",
        "errors": "Errors",
        "drift": "Length against {baseline}",
        "recogniser_seconds": "Recognising (P50)",
        "synthesiser_seconds": "Synthesising (P50)",
        "own": (
            "Round-trip WER compares the text with what a recogniser understands, and includes the "
            "recogniser's own errors: read it against the baseline, not against zero."
        ),
        "beside": "It stands beside each MOS because a predictor alone approves gibberish too.",
        "alone": (
            "The round trip (say, recognise, compare with the text) was not measured: a predictor "
            "alone approves gibberish too, so these MOS do not tell whether anything can be "
            "understood."
        ),
        "gibberish": (
            "⚠️ `{line}`: {opinion}, and yet a round-trip WER of {heard}. The predictor approves "
            "what the recogniser does not understand; the round trip is the one to go by."
        ),
        "lost": (
            "⚠️ `{line}`: a round-trip WER of {heard}; the recogniser does not understand what was "
            "said, and {opinion} does not approve it either."
        ),
        "recogniser": "Recogniser: {value}.",
        "judges": "What each judge measures, and what that is valid for:",
        "listeners": (
            "Listeners' MOS: {scores} scores by {raters} listeners of {items} sentences; its "
            "interval allows for other listeners and other sentences."
        ),
        "screened": "{n} scores are left out: {why}.",
        "times": "{why} ({n})",
        "listen": (
            "To listen to, the first sentences of each variant. The rest is not kept with the "
            "report: a run makes it again in `audio/`, and its SHA-256 is in `calls.parquet`."
        ),
        "item": "Sentence",
        "text": "Text",
        "audio": "Audio",
        "hash": "SHA-256",
        "worst": "The {n} sentences of `{variant}` that are understood worst:",
        "wrong": "`{item}`, round-trip WER of {wer}",
        "alt": "MOS of each variant, its difference from the baseline, and its round-trip WER",
    },
}
