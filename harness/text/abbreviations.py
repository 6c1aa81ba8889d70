"""What Spanish abbreviations, signs and units stand for, where that is one thing only."""

from __future__ import annotations

import re
from typing import NamedTuple

# with or without their dot: none is a word by itself
ALWAYS = {
    "sr": "señor", "sra": "señora", "sres": "señores", "sras": "señoras", "srta": "señorita",
    "dr": "doctor", "dra": "doctora", "dña": "doña", "uds": "ustedes", "vds": "ustedes",
    "avda": "avenida", "etc": "etcétera", "pág": "página",
    "págs": "páginas", "núm": "número", "núms": "números", "dpto": "departamento",
    "depto": "departamento", "eeuu": "estados unidos",
}  # fmt: skip
# only with their dot
DOTTED = {
    "ud": "usted", "vd": "usted",  # UD is a sports club
    "av": "avenida", "art": "artículo", "tel": "teléfono", "gral": "general", "prof": "profesor",
    "sto": "santo", "sta": "santa", "aprox": "aproximadamente", "cap": "capítulo",
}  # fmt: skip
PAIRS = {("ee", "uu"): "estados unidos", ("p", "ej"): "por ejemplo"}
NAMED = {"d.ª": "doña", "m.ª": "maría"}

# eh, ehm, em, hm, mmm, as long as they are drawn; `mm` is one unless a number stands before it
FILLER = re.compile(r"e+h+m*|e+m+|h+m+|m{3,}")

SIGNS = {"%": "por ciento", "‰": "por mil", "&": "y", "@": "arroba", "+": "más", "×": "por"}


class Noun(NamedTuple):
    """What a unit or a currency is called after one and after any other number."""

    one: str
    many: str
    feminine: bool = False


def _noun(one: str, feminine: bool = False) -> Noun:
    first, _, rest = one.partition(" ")
    many = first + ("s" if first[-1] in "aeiou" else "es")
    return Noun(one, f"{many} {rest}" if rest else many, feminine)


DOLLAR = Noun("dólar", "dólares")
MONEY = {
    "$": DOLLAR, "us$": DOLLAR, "u$s": DOLLAR, "€": _noun("euro"), "£": _noun("libra", True),
    "¥": Noun("yen", "yenes"),
}  # fmt: skip
# after a number, in digits or in words
UNITS = {
    "km": _noun("kilómetro"), "cm": _noun("centímetro"), "mm": _noun("milímetro"),
    "kg": _noun("kilogramo"), "mg": _noun("miligramo"), "ml": _noun("mililitro"),
    "cl": _noun("centilitro"), "min": _noun("minuto"), "seg": _noun("segundo"),
    "gb": _noun("gigabyte"), "mb": _noun("megabyte"), "kw": _noun("kilovatio"),
    "kwh": Noun("kilovatio hora", "kilovatios hora"),
}  # fmt: skip
# after a number but un and una, or the numeral of a siglo
ERAS = {"ac": "antes de cristo", "dc": "después de cristo"}
# after digits only; "5g" may be a network and "5m" five millions, so all but h want their space
LETTER_UNITS = {
    "m": _noun("metro"), "g": _noun("gramo"), "l": _noun("litro"), "h": _noun("hora", True),
}  # fmt: skip
# wherever they stand
COMPOUND_UNITS = {
    "km/h": Noun("kilómetro por hora", "kilómetros por hora"),
    "m/s": Noun("metro por segundo", "metros por segundo"),
    "°": _noun("grado"),
    "c": Noun("grado celsius", "grados celsius"),
    "f": Noun("grado fahrenheit", "grados fahrenheit"),
} | {
    f"{prefix}m{power}": Noun(f"{name} {kind}", f"{name}s {kind}s")
    for prefix, name in (("", "metro"), ("k", "kilómetro"), ("c", "centímetro"))
    for powers, kind in (("2²", "cuadrado"), ("3³", "cúbico"))
    for power in powers
}  # fmt: skip
