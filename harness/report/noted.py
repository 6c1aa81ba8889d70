"""What runs note in English (of data sets, calls and judges), and how a Spanish report says it.

Stored tables keep the English text, which metrics and comparisons read; only reports translate.
"""

from __future__ import annotations

from collections.abc import Mapping

KEYS: Mapping[str, Mapping[str, str]] = {
    "es": {
        "rows": "filas",
        "used": "usadas",
        "left_out": "descartadas",
        "drawn": "extracción",
        "seed": "semilla",
        "release": "versión",
        "locale": "idioma",
        "language": "idioma",
        "split": "partición",
        "column": "columna",
        "name": "nombre",
        "folder": "carpeta",
        "made": "hecho",
        "sounds": "sonidos",
        "seconds": "segundos",
        "transcripts": "transcripciones",
        "cut_to_seconds": "cortadas a segundos",
        "sentences": "frases",
        "clips_sha256": "SHA-256 de los clips",
        "table_sha256": "SHA-256 de la tabla",
        "archive_sha256": "SHA-256 del archivo",
        "ratings": "puntuaciones",
        "raters": "oyentes",
        "items": "frases",
        "systems": "sistemas",
        "other_systems": "otros sistemas",
        "screening": "criba",
        "screened": "cribados",
        "screened raters": "oyentes cribados",
        "invalid": "no válidas",
        "warning": "aviso",
    },
    "en": {
        "left_out": "left out",
        "cut_to_seconds": "cut to seconds",
        "clips_sha256": "SHA-256 of the clips",
        "table_sha256": "SHA-256 of the table",
        "archive_sha256": "SHA-256 of the archive",
        "other_systems": "other systems",
    },
}

WORDED = frozenset(
    ("made", "drawn", "transcripts", "ratings", "raters", "screening", "screened", "warning")
)
"""Keys whose values are the package's own words; under all others stands what the user named."""

# each part of a note (between "; ") as a regular expression, and what stands for it
SPANISH: tuple[tuple[str, str], ...] = (
    # of calls
    (r"repetition guard stopped after (\d+) tokens", r"cortada por repetición tras \1 tokens"),
    (r"token budget of (\d+) exhausted", r"agotó su tope de \1 tokens"),
    (r"the clip is silence", "el clip es silencio"),
    (r"nothing was heard, so nothing was said", "no se oyó nada, así que nada se dijo"),
    (r"slow", "hizo falta el lento"),
    (
        r"sent (\d+) times after (.+), (\d+)\.(\d) s of waits counted",
        r"enviada \1 veces tras \2; cuentan \3,\4 s de espera",
    ),
    (r"`text` was empty, taken from its (\w+)", r"`text` venía vacío, se tomó de \1"),
    (r"taken from subtitles", "tomada de subtítulos"),
    (
        r"markup that is no words left out: (.+)",
        r"sin marcas, que no son palabras: \1",
    ),
    # of data sets
    (r"by its seed: no file on disk", "con su semilla, sin archivo en disco"),
    (r"stratified by length in (\d+) strata", r"estratificada por duración en \1 estratos"),
    (
        r"plainly at random: no length of a clip is known",
        "al azar sin más: no se conoce la duración de ningún clip",
    ),
    (
        r"(\d+) of (\d+) lengths are unknown and rank last",
        r"\1 de \2 duraciones no se conocen y van al final",
    ),
    (r"none", "ninguna"),
    (r"unknown", "desconocidas"),
    # of judges
    (
        r"round trip through the recogniser that the experiment names",
        "ida y vuelta por el reconocedor que nombra el experimento",
    ),
    (
        r"DNSMOS P\.835 and P\.808 \(Microsoft; files of speechmos (\S+), MIT\)",
        r"DNSMOS P.835 y P.808 (Microsoft; archivos de speechmos \1, MIT)",
    ),
    (
        r"PLCMOS v2 \(Microsoft; file of speechmos (\S+), MIT\)",
        r"PLCMOS v2 (Microsoft; archivo de speechmos \1, MIT)",
    ),
    (
        r"UTMOS22 strong learner \(MIT\) by speechonnxmetrics; weights unpinned: what the hub has "
        r"on the day, or the file in `path`",
        "UTMOS22, modelo fuerte (MIT), de speechonnxmetrics; pesos sin fijar: los que el hub tenga "
        "ese día, o el archivo de `path`",
    ),
    (
        r"listeners' scores \(absolute category rating, ITU-T P\.800 or P\.808\)",
        "puntuaciones de oyentes (categorías absolutas, UIT-T P.800 o P.808)",
    ),
    (r"(\w[\w-]*), language (\w[\w-]*), ([0-9a-f]{12})", r"\1, idioma \2, \3"),
    (r"(\d+) of (\d+) count", r"cuentan \1 de \2"),
    (r"at least (\d+) ratings", r"al menos \1 puntuaciones"),
    (r"scores that vary", "puntuaciones que varían"),
    (
        r"correlation with the others of at least (\S+)",
        r"correlación con los demás de al menos \1",
    ),
    (
        r"one rater only: nothing can be said of other listeners",
        "un solo oyente: nada se puede decir de otros",
    ),
    # of scores that are left out
    (r"screened: (\d+) ratings, fewer than (\d+)\.", r"criba: \1 puntuaciones, menos de \2"),
    (r"screened: all (\d+) ratings are (\S+)\.", r"criba: las \1 puntuaciones son \2"),
    (
        r"screened: correlates (\S+) with the others, below (\S+)\.",
        r"criba: correlación de \1 con los demás, menor que \2",
    ),
    (r"(.+) scored this item of (.+) before\.", r"\1 ya había puntuado esta frase de \2"),
    (r"has no score\.", "no tiene puntuación"),
    (r"the score (.+) is not a number\.", r"la puntuación \1 no es un número"),
    (r"the score (.+) is not from (\S+) to (\S+)\.", r"la puntuación \1 no va de \2 a \3"),
    (
        r"on which scale\? line (.+): the score (.+) is not from 1 to 5; name it .+",
        r"¿en qué escala? línea \1: la puntuación \2 no va de 1 a 5; hay que decirla (`scale`), o "
        r"qué hay donde no se puntuó (`not_rated`)",
    ),
    (r"screened: not rated\.", "criba: sin puntuar"),
    (r"the system (.+) is not in `systems`\.", r"el sistema \1 no está en `systems`"),
)
