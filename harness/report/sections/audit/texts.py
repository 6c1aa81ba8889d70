"""What the section says, in each language."""

from __future__ import annotations

TEXTS = {
    "es": {
        "none": "Sin medir: el protocolo no llegó a repetirse.",
        "intro": (
            "El protocolo de {source}, repetido con este modelo y en este equipo: {count} "
            "configuraciones una tras otra, cada una en un proceso nuevo; {iterations} llamadas "
            "seguidas ({operation}) de cada una de {lengths} duraciones ({list}); percentiles "
            "interpolados sobre las {n} llamadas juntas; gana el P50 más bajo. Se hizo {repeats} "
            "veces sin cambiar nada. Las mismas configuraciones se midieron después a nuestro "
            "modo: {rounds} rondas intercaladas en orden sorteado, con un gemelo A/A. Nada de esta "
            "sección decide el veredicto."
        ),
        "alt": "Cada configuración según el protocolo en cada repetición, y a nuestro modo",
        "configuration": "Configuración, en su orden",
        "pass": "P50 · P99, {n}.ª vez",
        "drift": "Deriva del P50",
        "ours": "A nuestro modo, frente a `{first}` [95 %]",
        "reading": "Lectura",
        "reference": "referencia",
        "failed": "falló: {error}",
        "wins": "**{value}** (gana)",
        "faster": "más rápida",
        "slower": "más lenta",
        "same": "no se distingue",
        "unknown": "sin medir",
        "length": "Audio",
        "longest": "Máx.",
        "pooled": "todas juntas",
        "winner": "**El ganador:** {list}. {verdict}",
        "won": "la {n}.ª vez, `{name}`, con un {gain} menos que `{first}`",
        "won_first": "la {n}.ª vez, `{name}`, el punto de partida, así que no hay mejora",
        "winner_once": "El protocolo se hizo una sola vez: no se sabe si se repetiría.",
        "winner_same": "Cada vez nombra al mismo; si gana algo, lo dice la línea siguiente.",
        "winner_other": (
            "Con el mismo programa y el mismo equipo nombra a ganadores distintos: el nombre del "
            "ganador no es un resultado."
        ),
        "gains": (
            "**La ganancia, medida de nuevo,** emparejada por rondas: {list}. El gemelo A/A abarca "
            "del {low} al {high}."
        ),
        "gain": "`{name}` tarda el {ratio} de lo que tarda `{first}`: {verdict}",
        "gain_faster": "la ganancia se sostiene",
        "gain_slower": "es más lenta, lo contrario de lo que dice el protocolo",
        "gain_same": "no se distingue, así que la ganancia no queda demostrada",
        "gain_unknown": "no se pudo medir de nuevo",
        "drifts": (
            "**La deriva.** Sin cambiar nada, el P50 de una misma configuración cambió de una "
            "vez a otra entre un {least} y un {most} (mediana, {middle})."
        ),
        "claimed_less": (
            "La mejora que afirma {source} es del {claimed}: {n} de {all} configuraciones "
            "cambiaron al menos eso consigo mismas, así que este protocolo no puede mostrarla."
        ),
        "claimed_more": (
            "La mejora que afirma {source} es del {claimed}, más de lo que cambió consigo misma "
            "cualquiera de las {all} configuraciones."
        ),
        "mixed": (
            "**Un percentil de duraciones mezcladas.** En `{name}`, el P50 de las {n} llamadas "
            "juntas es {p50}, y por duración va de {shortest} a {longest}; de las {tail} llamadas "
            "más lentas, que hacen el P99, {most} son de {length}. Con otra mezcla de duraciones "
            "saldrían otras cifras del mismo modelo."
        ),
        "tail": (
            "**El P99 de {n} llamadas.** La más lenta de {n} queda por debajo del verdadero P99 "
            "con probabilidad {chance} (0,99 elevado a {n}). NumPy interpola {p99} con un máximo "
            "visto de {largest}. La cota superior del 95 %, aun si cada llamada fuera "
            "independiente: {bound}. Hacen falta al menos {needed}; con {n}, lo más alto que se "
            "acota es el P{reach}."
        ),
        "nothing": "no hay",
        "options": (
            "**La opción `{options}`.** onnxruntime la acepta sin aviso y de ella dice haber leído "
            "{read}; {same} de {graphs} grafos quedan iguales byte a byte tras optimizar con ella "
            "y sin ella. El protocolo le atribuiría {list} en el P50; emparejada por rondas, "
            "`{name}` tarda el {ratio} de lo que tarda `{base}`: {verdict}."
        ),
        "read": "`{options}`",
        "graphs": (
            "**Grafos.** {count} configuraciones dan {different} grafos optimizados distintos: "
            "{list}. Las que comparten grafo calculan lo mismo; solo cambian hilos, memoria y "
            "orden."
        ),
        "together": "{list} comparten el suyo",
        "supported": (
            "**Lo que este protocolo sí puede sostener.** Efectos mayores que cualquier deriva, "
            "del mismo lado cada vez y que nuestras rondas confirman: {list}."
        ),
        "effect": "`{name}` ({said} de lo que tarda `{first}`; a nuestro modo, {ratio})",
        "unsupported": "**Lo que no.** Las diferencias de {list} con `{first}`.",
        "supported_none": (
            "**Lo que este protocolo sí puede sostener.** Aquí, nada: ninguna diferencia supera la "
            "deriva, cae del mismo lado cada vez y se confirma en nuestras rondas."
        ),
    },
    "en": {
        "none": "Not measured: the protocol was never replayed.",
        "intro": (
            "The protocol of {source}, replayed with this model on this machine: {count} "
            "configurations one after the other, each in a fresh process; {iterations} calls in a "
            "row ({operation}) of each of {lengths} lengths ({list}); interpolated percentiles of "
            "the {n} calls pooled; the smallest P50 wins. It was done {repeats} times with nothing "
            "changed. The same configurations were then measured our way: {rounds} interleaved "
            "rounds in random order, with an A/A twin. Nothing in this section decides the verdict."
        ),
        "alt": "Each configuration by the protocol in each repeat, and our way",
        "configuration": "Configuration, in its order",
        "pass": "P50 · P99, run {n}",
        "drift": "Drift of the P50",
        "ours": "Our way, against `{first}` [95%]",
        "reading": "Reading",
        "reference": "reference",
        "failed": "failed: {error}",
        "wins": "**{value}** (wins)",
        "faster": "faster",
        "slower": "slower",
        "same": "cannot be told apart",
        "unknown": "not measured",
        "length": "Audio",
        "longest": "Max.",
        "pooled": "all pooled",
        "winner": "**The winner:** {list}. {verdict}",
        "won": "in run {n}, `{name}`, {gain} under `{first}`",
        "won_first": "in run {n}, `{name}`, the starting point, so that nothing is gained",
        "winner_once": "The protocol was run once only: whether it repeats is unknown.",
        "winner_same": "Each time it names the same one; whether that gains, the next line says.",
        "winner_other": (
            "With the same program on the same machine it names different winners: the winner's "
            "name is no result."
        ),
        "gains": (
            "**The gain, measured again,** paired within rounds: {list}. The A/A twin reaches from "
            "{low} to {high}."
        ),
        "gain": "`{name}` takes {ratio} of the time of `{first}`: {verdict}",
        "gain_faster": "the gain holds",
        "gain_slower": "it is slower, the opposite of what the protocol says",
        "gain_same": "it cannot be told apart, so that no gain is shown",
        "gain_unknown": "it could not be measured again",
        "drifts": (
            "**Drift.** With nothing changed, the P50 of one and the same configuration moved by "
            "{least} to {most} from one run to another (median, {middle})."
        ),
        "claimed_less": (
            "The gain that {source} claims is {claimed}: {n} of {all} configurations moved by as "
            "much against themselves, so this protocol cannot show it."
        ),
        "claimed_more": (
            "The gain that {source} claims is {claimed}, more than any of the {all} configurations "
            "moved against itself."
        ),
        "mixed": (
            "**A percentile of mixed lengths.** For `{name}`, the P50 of the {n} calls pooled is "
            "{p50}, and by length it goes from {shortest} to {longest}; of the {tail} slowest "
            "calls, which make the P99, {most} are of {length}. Another mix of lengths would give "
            "the same model other figures."
        ),
        "tail": (
            "**The P99 of {n} calls.** The slowest of {n} lies below the true P99 with probability "
            "{chance} (0.99 to the power of {n}). NumPy interpolates {p99} where the largest seen "
            "is {largest}. The 95% upper bound, even if every call were independent: {bound}. It "
            "takes at least {needed}; with {n}, the highest that can be bounded is the P{reach}."
        ),
        "nothing": "none",
        "options": (
            "**The option `{options}`.** onnxruntime accepts it without a word and reports that it "
            "read {read} of it; {same} of {graphs} graphs are the same byte by byte when optimized "
            "with it and without. The protocol would credit it with {list} of the P50; paired "
            "within rounds, `{name}` takes {ratio} of the time of `{base}`: {verdict}."
        ),
        "read": "`{options}`",
        "graphs": (
            "**Graphs.** {count} configurations give {different} different optimized graphs: "
            "{list}. Those that share one compute the same; only threads, memory and order differ."
        ),
        "together": "{list} share theirs",
        "supported": (
            "**What this protocol can support.** Effects beyond any drift, on the same side each "
            "time, that our rounds confirm: {list}."
        ),
        "effect": "`{name}` ({said} of the time of `{first}`; our way, {ratio})",
        "unsupported": "**What it cannot.** The differences of {list} from `{first}`.",
        "supported_none": (
            "**What this protocol can support.** Here, nothing: no difference is beyond the drift, "
            "on the same side each time and confirmed by our rounds."
        ),
    },
}
