"""The Spanish table case by case: its own examples, what must meet, what must stay apart."""

from __future__ import annotations

import re

import pytest

from harness.speech import text

EXAMPLES = re.findall(r"`([^`]+)` → `([^`]+)`", text.__doc__ or "")


def test_each_row_of_the_table_has_examples() -> None:
    rows = re.findall(r"^(?! |-|what)(\S.*?)  +\S", text.__doc__ or "", flags=re.MULTILINE)
    assert len(rows) == 29
    assert len(EXAMPLES) > 2 * len(rows)


@pytest.mark.parametrize(("raw", "expected"), EXAMPLES)
def test_the_examples_of_the_table_hold(raw: str, expected: str) -> None:
    assert text.spanish(raw) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # RAE, Ortografía de la lengua española 2010, VIII: numbers
        ("1.234", "mil doscientos treinta y cuatro"),
        ("1\u202f234\u202f567", "1.234.567"),
        ("3,5", "tres coma cinco"),
        ("200 personas", "doscientas personas"),
        ("21 libros", "veintiún libros"),
        ("21 horas", "veintiuna horas"),
        ("21.000", "veintiún mil"),
        ("101 000 000".replace(" ", "."), "ciento un millones"),
        ("31 noches", "treintaiuna noches"),
        ("1001 noches", "mil una noches"),
        ("en 1998", "en mil novecientos noventa y ocho"),
        ("1.º", "primero"),
        ("1.ª", "primera"),
        ("1.er premio", "primer premio"),
        ("13.º", "decimotercero"),
        ("13.ª", "décima tercera"),
        ("13.os", "decimoterceros"),
        ("45.º", "cuadragesimoquinto"),
        ("las 15:30", "las quince treinta"),
        ("las 15:30 h", "las 15.30 h"),
        ("50 %", "50%"),
        ("50 %", "cincuenta por ciento"),
        # the same, V: abbreviations, acronyms, symbols
        ("EE. UU.", "Estados Unidos"),
        ("EE.UU.", "EEUU"),
        ("a. m.", "a.m."),
        ("S. A.", "SA"),
        ("D.ª Ana", "doña Ana"),
        ("n.º 7", "número siete"),
        ("nº 7", "Núm. 7"),
        ("120 km/h", "ciento veinte kilómetros por hora"),
        ("1 kg", "un kilogramo"),
        ("1 h", "una hora"),
        ("44 a. C.", "cuarenta y cuatro antes de Cristo"),
        ("el siglo XXI", "el siglo veintiuno"),
        ("2.500 €", "€2500"),
        ("-4 °C", "menos cuatro grados Celsius"),
        # the Academy's spelling of foreign or typed variants
        ("1ro", "primero"),
        ("Johnson & Johnson", "Johnson y Johnson"),
        ("I V R", "IVR"),
        ("I-V-R", "I.V.R."),
        ("la P B X nueva", "la PBX nueva"),
        ("Sí, eh, claro", "Sí, claro"),
        ("Presione 1, o 8", "presione uno o ocho"),
    ],
)
def test_ways_to_write_the_same_words_meet(one: str, other: str) -> None:
    assert text.spanish(one) == text.spanish(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # other words, whatever they sound like: no rule may forgive the error
        ("si no", "sino"),
        ("a ver", "haber"),
        ("esté", "este"),
        ("año", "ano"),
        ("pingüino", "pinguino"),
        ("un", "uno"),
        ("un", "una"),
        ("1 hora", "un hora"),
        ("la 1", "la una"),
        ("compra un libro y una revista", "compra una libro y un revista"),
        ("por ciento una", "por ciento un"),
        ("primer", "primero"),
        ("primero", "primera"),
        ("segundo", "dos"),
        ("ciento", "cien"),
        # the traps of joining and of compatibility forms
        ("entre 5 y 10, 200 personas", "entre 5 y 10.200 personas"),
        ("10 200", "10.200"),
        ("2 3", "23"),
        ("91 523", "91.523"),
        ("treinta y dos", "treinta dos"),
        ("1º", "1o"),
        ("1ª", "1a"),
        ("½", "1/2"),
        ("m²", "m"),
        # where a sign or a spelling can be said in two ways, one of them
        ("3.5", "3,5"),
        ("1.000", "1,000"),
        ("3:30", "tres y media"),
        ("5 kg", "cinco kilos"),
        ("$ 5", "cinco pesos"),
        ("12/05/2024", "doce de mayo de dos mil veinticuatro"),
        ("5G", "5 g"),
        ("1.º", "1"),
        # letters and names of letters
        ("PBX", "pe be equis"),
        ("vitamina A o B", "vitamina AOB"),
        ("te", "T"),
        ("UD Las Palmas", "Ud. Las Palmas"),
        ("ah", ""),
        ("este", ""),
        ("3 mm", "3"),
    ],
)
def test_what_is_not_the_same_is_never_credited(one: str, other: str) -> None:
    assert text.spanish(one) != text.spanish(other)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("¿Qué tal, señor? ¡Adiós!", "qué tal señor adiós"),
        ("d'Artagnan, O’Higgins", "dartagnan ohiggins"),
        ("hola,mundo.fin", "hola mundo fin"),
        ("(en voz baja) [sic] hola", "en voz baja sic hola"),
        ("—No… 5 –dijo–.", "no cinco dijo"),
        ("nin\u0303o esta\u0301", "niño está"),  # NFD, as macOS writes it
        ("entre 5 y 10, 200 personas", "entre cinco y diez doscientos personas"),
        ("1,2,3 y ya", "uno dos tres y ya"),
        ("192.168.1.1", "ciento noventa y dos punto ciento sesenta y ocho punto uno punto uno"),
        ("1 2 3", "uno dos tres"),
        ("10:15:20", "diez quince veinte"),
        ("15h30", "quince horas treinta"),
        ("las 12.000", "las doce mil"),
        ("0,5 %", "cero coma cinco por ciento"),
        ("US$3 mil", "tres mil dólares"),
        ("21 €", "veintiuno euros"),
        ("un €, 101 km", "un euro ciento uno kilómetros"),
        ("por km", "por km"),
        ("2.ºB", "dos ºb"),
        ("5no", "cinco no"),
        ("C++", "c más más"),
        ("J. K. Rowling", "jk rowling"),
        ("siglos X al XII", "siglos x al xii"),
        ("３ ٣", "tres tres"),  # full-width and Arabic-Indic digits
        ("3 millones €", "tres millones de euros"),
        ("un millón de € y 2.000.000 km", "un millón de euros y dos millones de kilómetros"),
        ("siglo I d. C.", "siglo i después de cristo"),
        ("siglo XI a.C.", "siglo once antes de cristo"),
        ("siglos V y IV a. C.", "siglos v y iv antes de cristo"),
        ("1 a. C.", "uno antes de cristo"),
        ("X a. C. o V S. A.", "x ac o v sa"),
        ("un DC, una AC/DC", "un dc una ac dc"),
        ("1.° y 3.ª", "primero y tercera"),
        ("0.°, 20°", "cero º veinte grados"),
        ("los 1.os, 13.as y 4tos", "los primeros décimas terceras y cuartos"),
        ("3os", "tres os"),
        ("Es para Ud.", "es para usted"),
        ("ES PARA UD.", "es para usted"),
        ("Con la UD. Las Palmas", "con la usted las palmas"),
        ("u$sm² 5 u$s", "dólares metros cuadrados cinco dólares"),
        ("eh", ""),
        ("...", ""),
        ("", ""),
    ],
)
def test_cases_beside_the_table(raw: str, expected: str) -> None:
    assert text.spanish(raw) == expected
