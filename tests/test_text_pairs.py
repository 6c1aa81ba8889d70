"""Written and said: pairs that must normalise to the same text, each with the source of its rule.

RAE: Real Academia Española and ASALE, Ortografía de la lengua española (2010); DPD: Diccionario
panhispánico de dudas, appendices of abbreviations and symbols; Fundéu: fundeu.es; SI: Bureau
international des poids et mesures, SI brochure; ISO 4217: codes of currencies. The kinds of pair
are those of the public tests of NeMo text processing (Spanish); the pairs are our own.
"""

from __future__ import annotations

import pytest

from harness.speech.text import spanish

PAIRS = [
    # money: RAE VIII 4, DPD symbols
    ("Cuesta 12 €", "cuesta doce euros"),
    ("€12", "doce euros"),
    ("1 €", "un euro"),
    ("12,50 €", "doce coma cincuenta euros"),
    ("$40", "cuarenta dólares"),
    ("40 US$", "cuarenta dólares"),
    ("£1", "una libra"),
    ("21 £", "veintiuna libras"),
    ("500 ¥", "quinientos yenes"),
    ("R$ 30", "treinta reales"),
    ("R$1", "un real"),
    ("MX$200", "doscientos pesos mexicanos"),
    ("200 MXN", "doscientos pesos mexicanos"),  # ISO 4217
    ("15 EUR", "quince euros"),
    ("15 USD", "quince dólares"),
    ("2 BRL", "dos reales"),
    ("3 millones de €", "tres millones de euros"),
    # abbreviations: DPD, appendix 2
    ("La Sra. Gil", "la señora gil"),
    ("El Dr. Mas", "el doctor mas"),
    ("Dña. Inés", "doña inés"),
    ("D.ª Inés", "doña inés"),
    ("Dª Inés", "doña inés"),
    ("Mª Teresa", "maría teresa"),
    ("P.º de Gracia", "paseo de gracia"),
    ("Pº de la Castellana", "paseo de la castellana"),
    ("Plza. Mayor, 3.º izda.", "plaza mayor tercero izquierda"),
    ("Urb. Las Flores, s/n", "urbanización las flores sin número"),
    ("apdo. 12", "apartado doce"),
    ("en el km 12", "en el kilómetro doce"),
    ("10 km 5 minutos", "diez kilómetros cinco minutos"),
    # thousands: RAE VIII 2.3.1.2 (a space parts them, and no point)
    ("10 000 personas", "diez mil personas"),
    ("1 000 000 de euros", "un millón de euros"),
    ("10\u00a0500 km", "diez mil quinientos kilómetros"),
    ("1\u202f234,5", "mil doscientos treinta y cuatro coma cinco"),
    ("M.ª Teresa", "maría teresa"),
    ("Avda. del Puerto", "avenida del puerto"),
    ("C/ Luna", "calle luna"),
    ("c/ Luna", "calle luna"),
    ("Pza. Mayor", "plaza mayor"),
    ("Ctra. de Jaca", "carretera de jaca"),
    ("n.º 7", "número siete"),
    ("nº 7", "número siete"),
    ("núm. 7", "número siete"),
    ("pág. 9", "página nueve"),
    ("párr. 2", "párrafo dos"),
    ("tfno. 5", "teléfono cinco"),
    ("Excmo. Sr.", "excelentísimo señor"),
    ("Hnos. Ruiz", "hermanos ruiz"),
    ("EE. UU.", "estados unidos"),
    ("pan, leche, etc.", "pan leche etcétera"),
    ("p. ej. hoy", "por ejemplo hoy"),
    # units: SI; Fundéu «símbolos: sin plural», which people write all the same
    ("3 kg", "tres kilogramos"),
    ("3 kgs", "tres kilogramos"),
    ("1 kgs", "un kilogramo"),
    ("10 kms", "diez kilómetros"),
    ("80 cms", "ochenta centímetros"),
    ("15 mts", "quince metros"),
    ("2 lts", "dos litros"),
    ("200 grs", "doscientos gramos"),
    ("250 gr", "doscientos cincuenta gramos"),
    ("6 hs", "seis horas"),
    ("1 hr", "una hora"),
    ("90 km/h", "noventa kilómetros por hora"),
    ("55 mph", "cincuenta y cinco millas por hora"),
    ("70 m²", "setenta metros cuadrados"),
    ("4 m3", "cuatro metros cúbicos"),
    ("−3 °C", "menos tres grados celsius"),
    ("300 kcal", "trescientas kilocalorías"),
    ("8 %", "ocho por ciento"),
    ("2 ‰", "dos por mil"),
    # hours: RAE VIII 2.3
    ("15:30", "quince treinta"),
    ("8:05 h", "ocho cero cinco horas"),
    ("a las 9.15", "a las nueve quince"),
    ("8 a. m.", "ocho am"),
    ("21:00", "veintiuna"),
    # dates and fractions number by number
    ("1/2/2024", "uno dos dos mil veinticuatro"),
    ("3-5-1999", "tres cinco mil novecientos noventa y nueve"),
    ("1/2", "uno dos"),
    # decimals and thousands: RAE VIII 2.1
    ("3,5", "tres coma cinco"),
    ("3.5", "tres punto cinco"),
    ("2.000", "dos mil"),
    ("10-20", "diez veinte"),
    # ordinals: RAE VIII 3.2
    ("1.º", "primero"),
    ("2.ª", "segunda"),
    ("2ª", "segunda"),
    ("3er", "tercer"),
    ("11.º", "undécimo"),
    # Roman numerals: RAE VIII 2.2; of kings only as they are written
    ("siglo XXI", "siglo veintiuno"),
    ("Felipe VI", "felipe vi"),
    # telephones: in the groups that are written
    ("91 555 20 10", "noventa y uno quinientos cincuenta y cinco veinte diez"),
    ("+34 600", "más treinta y cuatro seiscientos"),
    ("600123456", "seis cero cero uno dos tres cuatro cinco seis"),
    # addresses: Fundéu «cómo se leen las direcciones», RAE DPD «punto», «arroba», «guion»
    ("www.x.com", "www punto x punto com"),
    ("Entra en www.rae.es.", "entra en www punto rae punto es"),
    ("https://fundeu.es", "https dos puntos barra barra fundeu punto es"),
    ("www.ine.es/datos", "www punto ine punto es barra datos"),
    ("hotel.com", "hotel punto com"),
    ("uned.edu.co", "uned punto edu punto co"),
    ("ana@correo.es", "ana arroba correo punto es"),
    ("luis.gil@x.org", "luis punto gil arroba x punto org"),
    ("eva_roca@x.net", "eva guion bajo roca arroba x punto net"),
    ("mi-web.com", "mi guion web punto com"),
    ("@marta", "arroba marta"),
    ("#Madrid", "madrid"),
    # signs of mathematics: DPD, appendix 4
    ("2 + 2 = 4", "dos más dos igual a cuatro"),
    ("2+2=4", "dos más dos igual a cuatro"),
    ("x = 7", "x igual a siete"),
    ("3 × 4", "tres por cuatro"),
    ("3x4", "tres por cuatro"),
    ("3 < 5", "tres menor que cinco"),
    ("9>1", "nueve mayor que uno"),
    ("≥ 18", "mayor o igual que dieciocho"),
    ("-5", "menos cinco"),
    # letters, acronyms
    ("los CD", "los cd"),
    ("O. N. U.", "onu"),
    ("COVID-19", "covid diecinueve"),
    ("I+D", "i más d"),
]


@pytest.mark.parametrize(("written", "said"), PAIRS)
def test_written_and_said_are_the_same_text(written: str, said: str) -> None:
    assert spanish(written) == spanish(said)


APART = [
    ("Ya.es tarde", "ya punto es tarde"),  # a space that is missing is no address
    ("Fin.Otra vez", "fin punto otra vez"),
    ("Llegó. Com o sea", "llegó punto com o sea"),
    ("<unk> sí", "menor que unk mayor que sí"),
    (">> Hola", "mayor que mayor que hola"),
    ("hola =)", "hola igual a"),
    ("5 kilos", "5 kg"),  # another word
    ("c/u", "calle u"),
    ("mº", "maría"),
    ("3 < 5", "3 > 5"),
]


@pytest.mark.parametrize(("one", "other"), APART)
def test_what_does_not_say_the_same_stays_apart(one: str, other: str) -> None:
    assert spanish(one) != spanish(other)


@pytest.mark.parametrize("written", [pair[0] for pair in PAIRS])
def test_a_second_pass_changes_nothing(written: str) -> None:
    assert spanish(spanish(written)) == spanish(written)
