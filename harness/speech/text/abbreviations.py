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
    "depto": "departamento", "eeuu": "estados unidos", "ctra": "carretera", "atte": "atentamente",
    "excmo": "excelentísimo", "excma": "excelentísima", "ilmo": "ilustrísimo",
    "ilma": "ilustrísima", "hnos": "hermanos", "admón": "administración", "tfno": "teléfono",
    "tlf": "teléfono", "telf": "teléfono", "izqda": "izquierda", "izda": "izquierda",
    "plza": "plaza", "apdo": "apartado", "fdez": "fernández", "dcha": "derecha",
}  # fmt: skip
# only with their dot
DOTTED = {
    "ud": "usted", "vd": "usted",  # UD is a sports club
    "av": "avenida", "art": "artículo", "tel": "teléfono", "gral": "general", "prof": "profesor",
    "sto": "santo", "sta": "santa", "aprox": "aproximadamente", "cap": "capítulo",
    "pza": "plaza", "urb": "urbanización", "izq": "izquierda", "párr": "párrafo",
    "fig": "figura", "vol": "volumen",
    "cía": "compañía", "vda": "viuda", "mons": "monseñor",
}  # fmt: skip
PAIRS = {("ee", "uu"): "estados unidos", ("p", "ej"): "por ejemplo"}
NAMED = {"d.ª": "doña", "m.ª": "maría", "dª": "doña", "mª": "maría",
         "p.º": "paseo", "pº": "paseo"}  # fmt: skip

# eh, ehm, em, hm, mmm, as long as they are drawn; `mm` is one unless a number stands before it
FILLER = re.compile(r"e+h+m*|e+m+|h+m+|m{3,}")

SIGNS = {
    "%": "por ciento", "‰": "por mil", "&": "y", "@": "arroba", "+": "más", "×": "por",
    "=": "igual a",
}  # fmt: skip
# before a number, and behind another or a letter
COMPARED = {
    "<": "menor que", ">": "mayor que", "≤": "menor o igual que", "≥": "mayor o igual que",
}  # fmt: skip
# within an address of the web or of a mailbox
ADDRESS_SIGNS = {
    ".": "punto", "@": "arroba", "/": "barra", ":": "dos puntos", "-": "guion", "_": "guion bajo",
}  # fmt: skip


class Noun(NamedTuple):
    """What a unit or a currency is called after one and after any other number."""

    one: str
    many: str
    feminine: bool = False


def _noun(one: str, feminine: bool = False) -> Noun:
    first, _, rest = one.partition(" ")
    many = first + ("s" if first[-1] in "aeiou" else "es")
    if rest and rest[-1] in "aeiou":
        rest += "s"
    return Noun(one, f"{many} {rest}" if rest else many, feminine)


DOLLAR = Noun("dólar", "dólares")
REAL = Noun("real", "reales")
MONEY = {
    "$": DOLLAR, "us$": DOLLAR, "u$s": DOLLAR, "€": _noun("euro"), "£": _noun("libra", True),
    "¥": Noun("yen", "yenes"), "r$": REAL, "mx$": _noun("peso mexicano"),
    "mex$": _noun("peso mexicano"),
}  # fmt: skip
# after a number, in digits or in words
UNITS = {
    "km": _noun("kilómetro"), "cm": _noun("centímetro"), "mm": _noun("milímetro"),
    "kg": _noun("kilogramo"), "mg": _noun("miligramo"), "ml": _noun("mililitro"),
    "cl": _noun("centilitro"), "min": _noun("minuto"), "seg": _noun("segundo"),
    "gb": _noun("gigabyte"), "mb": _noun("megabyte"), "kw": _noun("kilovatio"),
    "kwh": Noun("kilovatio hora", "kilovatios hora"), "kb": _noun("kilobyte"),
    "tb": _noun("terabyte"), "kcal": _noun("kilocaloría"),
    "mph": Noun("milla por hora", "millas por hora", feminine=True),
    # symbols have no plural, but people write one
    "kgs": _noun("kilogramo"), "kms": _noun("kilómetro"), "cms": _noun("centímetro"),
    "mms": _noun("milímetro"), "mts": _noun("metro"), "mt": _noun("metro"), "gr": _noun("gramo"),
    "grs": _noun("gramo"), "mgs": _noun("miligramo"), "lt": _noun("litro"), "lts": _noun("litro"),
    "mls": _noun("mililitro"), "hs": _noun("hora", True), "hr": _noun("hora", True),
    "hrs": _noun("hora", True), "mins": _noun("minuto"), "segs": _noun("segundo"),
    "eur": _noun("euro"), "usd": DOLLAR, "brl": REAL, "mxn": _noun("peso mexicano"),
    "gbp": _noun("libra", True),
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
