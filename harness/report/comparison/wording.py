"""The words of a comparison in each language."""

from __future__ import annotations

from collections.abc import Mapping

OUTCOMES: Mapping[str, Mapping[str, str]] = {
    "es": {
        "regression": "REGRESIÓN",
        "improvement": "mejora",
        "unchanged": "sin cambio",
        "undecided": "sin decidir",
        "drift": "deriva",
        "steady": "estable",
    },
    "en": {
        "regression": "REGRESSION",
        "improvement": "improvement",
        "unchanged": "unchanged",
        "undecided": "undecided",
        "drift": "drift",
        "steady": "steady",
    },
}

# why a row is undecided, whatever the size of its change
WHY: Mapping[str, Mapping[str, str]] = {
    "es": {
        "few": "muestras independientes insuficientes para una cota",
        "broken": "sin números con los que comparar",
        "constant": "valores que no varían nada, y así no se sabe cuánto varían",
        "peak": "un máximo no tiene intervalo",
        "control": "la máquina pudo ser otra ese día: no hay línea base común por la que dividir",
        "twin": "sin gemelo A/A no se sabe qué distingue la máquina",
        "failed": "más del 1 % de las llamadas se quedó sin resultado",
    },
    "en": {
        "few": "too few independent samples for a bound",
        "broken": "no numbers to compare",
        "constant": "the values never vary, so they do not tell how they vary",
        "peak": "a peak has no interval",
        "control": "the machine may have been another that day: no common baseline to divide by",
        "twin": "without an A/A twin it is unknown what the machine can tell apart",
        "failed": "more than 1% of the calls have no result",
    },
}

TEXTS: Mapping[str, Mapping[str, str]] = {
    "es": {
        "title": "Comparación de {before} con {after}",
        "days": "Medidos el {one} y el {other}.",
        "forced": "NO COMPARABLES, forzado con --force: las cifras dependen de",
        "same": "No consta ninguna otra diferencia entre las dos ejecuciones.",
        "other": "Lo que es distinto en la segunda",
        "counts": (
            "Regresiones: {regression}. Mejoras: {improvement}. Sin cambio: {unchanged}."
            " Sin decidir: {undecided}, y {powerless} que con estos datos no se pueden decidir."
        ),
        "control": (
            "Los tiempos se dividen por los de {baseline}, medida en ambas ejecuciones: lo que la"
            " máquina (o el código común) cambió entre un día y otro se cancela, y está en las"
            " filas de {baseline}: {drift}."
        ),
        "drift": "{n} de {all} cambian, la mediana ×{typical}",
        "steady": "ninguna de {all} cambia, la mediana ×{typical}",
        "uncontrolled": (
            "Los tiempos son cocientes sin más: se da por hecho que la máquina no ha cambiado."
        ),
        "method": (
            "Intervalos del 95 %; p corregida (Holm) para todas las filas de textos y, aparte, de"
            " tiempos. Un tiempo solo cambia si todo su intervalo queda más allá del ruido, que es"
            " hasta donde llega el mismo cociente para los gemelos A/A de ambas ejecuciones."
        ),
        "headers": "Resultado|Métrica|Variante|Dónde|Antes|Después|Cambio|Sin dividir|Ruido|p",
        "undecidable": "No se puede decidir",
        "alone": "Solo en una de las dos",
        "before": "falta en la primera",
        "after": "falta en la segunda",
        "cells": "{n} celdas",
        "cell": "1 celda",
        "left_out": "{n} frases solo en una",
        "nothing": "Ninguna celda está en ambas con datos que permitan decidir.",
    },
    "en": {
        "title": "{before} compared with {after}",
        "days": "Measured on {one} and on {other}.",
        "forced": "NOT COMPARABLE, forced with --force: figures depend on",
        "same": "Nothing else is known to differ between the two runs.",
        "other": "What is another in the second",
        "counts": (
            "Regressions: {regression}. Improvements: {improvement}. Unchanged: {unchanged}."
            " Undecided: {undecided}, and {powerless} that these data cannot decide."
        ),
        "control": (
            "Times are divided by those of {baseline}, which both runs measured: what the machine"
            " (or shared code) changed between the days cancels out, and stands in the rows of"
            " {baseline}: {drift}."
        ),
        "drift": "{n} of {all} changed, the median ×{typical}",
        "steady": "none of {all} changed, the median ×{typical}",
        "uncontrolled": "Times are plain ratios: the machine is taken to be unchanged.",
        "method": (
            "95% intervals; p corrected (Holm) for all rows of texts and, apart, of times. A time"
            " has changed only if its whole interval lies beyond the noise, which is as far as the"
            " same ratio reaches for the A/A twins of both runs."
        ),
        "headers": "Outcome|Metric|Variant|Where|Before|After|Change|Undivided|Noise|p",
        "undecidable": "Cannot be decided",
        "alone": "In one of the two only",
        "before": "missing in the first",
        "after": "missing in the second",
        "cells": "{n} cells",
        "cell": "1 cell",
        "left_out": "{n} utterances in one only",
        "nothing": "No cell is in both with data that could decide anything.",
    },
}
