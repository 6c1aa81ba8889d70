"""Phonemes and clauses through eSpeak NG: as other programs get them, and what users mistype."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ExtraError, SpecError, TextError
from harness.speech import phonemes
from harness.speech.phonemes import Clause, clauses

# phonemes, mark and sentence end as Piper's own bridge to eSpeak NG gives them (piper-tts 1.8.0,
# espeakbridge.get_phonemes, run once); it writes "" for an ellipsis and ; for a dash
ENGLISH = (
    "Hello, world. Dr. Smith paid $3.50 for 1,000 apples! Really? Yes: it is; well — okay... end"
)
SPANISH = "¿Qué hora es? ¡Son las 3,5! Hola, tú; bien: sí. El Sr. Pérez… luego «cita» y (nota) fin"
CASES = [
    (
        "en-us",
        ENGLISH,
        [
            ("həlˈoʊ", ",", False),
            ("wˈɜːld", ".", True),
            ("dˈɑːktɚ", ".", True),
            (
                "smˈɪθ pˈeɪd dˈɑːlɚ θɹˈiː pɔɪnt fˈaɪv zˈiəɹoʊ fɔːɹ wˈʌn θˈaʊzənd ˈæpəlz",
                "!",
                True,
            ),
            ("ɹˈiəli", "?", True),
            ("jˈɛs", ":", False),
            ("ɪɾ ˈɪz", ";", False),
            ("wˈɛl", "—", False),
            ("oʊkˈeɪ", "...", False),
            ("ˈɛnd", "", True),
        ],
    ),
    (
        "es-419",
        SPANISH,
        [
            ("kˈe ˈoɾa ˈes", "?", True),
            ("sˈon las tɾˈes koma sˈinko", "!", True),
            ("ˈola", ",", False),
            ("tˈu", ";", False),
            ("bjˈen", ":", False),
            ("sˈi", ".", True),
            ("el seɲˈoɾ", ".", True),
            ("pˈeɾes", "…", False),
            ("luˈeɣo sˈita i nˈota fˈin", "", True),
        ],
    ),
    ("en-us", "Wait,what?No.Yes", [("wˈeɪt wˈʌtnoʊ dˈɑːt jˈɛs", "", True)]),
    (
        "en-us",
        'He said: "Stop!" Then (quietly), "go." OK?!',
        [
            ("hiː sˈɛd", ":", False),
            ("stˈɑːp", "!", True),
            ("ðˈɛn kwˈaɪətli", ",", False),
            ("ɡˈoʊ", ".", True),
            ("ˌoʊkˈeɪ", "?!", True),
        ],
    ),
    (
        "es",
        'Dijo:"hola", y se fue',
        [("dˈixo", ":", False), ("ˈola", ",", False), ("i se fwˈe", "", True)],
    ),
    ("en-us", "One\n\nTwo", [("wˌʌn", "", True), ("tˈuː", "", True)]),
]


@pytest.mark.parametrize(("language", "text", "expected"), CASES)
def test_clauses_and_their_marks_are_those_that_piper_gets(
    language: str, text: str, expected: list[tuple[str, str, bool]]
) -> None:
    assert clauses(text, language) == [Clause(*one) for one in expected]


def test_a_tie_marks_the_letters_of_one_phoneme() -> None:
    # espeak-ng -v es -q --ipa=3 --tie=^ writes the same
    (clause,) = clauses("chico auto rey", "es", tie="^")
    assert clause.phonemes == "t^ʃˈiko ˈa^ʊto rˈe^ɪ"


def test_a_word_of_another_language_leaves_no_flag() -> None:
    (clause,) = clauses("El weekend.", "fr")
    assert "(" not in clause.phonemes
    assert clause.phonemes


@pytest.mark.parametrize("text", ["", "   ", "...", "¿? ¡!", "\n\n", "«»", "\0"])
def test_a_text_without_a_sound_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(TextError, match=r"^nothing to say in '.*': it has no sound in es\.$"):
        clauses(text, "es")


def test_half_a_character_is_refused() -> None:
    with pytest.raises(TextError, match="no Unicode character"):
        clauses("hola \ud83d", "es")


@pytest.mark.parametrize("language", ["es-49", "zz", "", "inglés"])
def test_an_unknown_language_names_what_there_is(language: str) -> None:
    with pytest.raises(
        SpecError, match=r"^language: eSpeak NG has no .* There is: af, am, "
    ) as found:
        phonemes.require_language(language)
    assert "\n" not in str(found.value)
    assert ("Did you mean 'es-419'?" in str(found.value)) == (language == "es-49")


def test_a_mistake_does_not_change_the_language_of_the_next_text() -> None:
    before = clauses("cielo", "es")
    with pytest.raises(SpecError):
        clauses("cielo", "zz")
    assert clauses("cielo", "es") == before == [Clause("θjˈelo", "", True)]


def test_threads_do_not_disturb_each_other() -> None:
    said: dict[str, set[str]] = {"es": set(), "es-419": set()}

    def speak(language: str) -> None:
        for _ in range(50):
            said[language].add(clauses("La ciudad.", language)[0].phonemes)

    threads = [threading.Thread(target=speak, args=(one,)) for one in said]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == {"es": {"la θjuðˈad"}, "es-419": {"la sjuðˈad"}}


@settings(max_examples=examples(60), deadline=None)
@given(st.text(alphabet='abcdeñáí ,.;:!?¿¡«»()…—"\n1234567890€', max_size=60))
def test_a_text_says_the_same_whatever_was_said_before(text: str) -> None:
    def read() -> list[Clause]:
        try:
            return clauses(text, "es")
        except TextError:
            return []

    first = read()
    clauses("Otra cosa, antes. ¿Y bien?", "es")
    assert read() == first
    assert not first or first[-1].ends_sentence


@pytest.mark.slow
def test_without_the_extra_the_line_says_how_to_get_it() -> None:
    code = (
        "import sys; sys.modules['espeakng_loader'] = None\n"
        "from harness.speech import phonemes\n"
        "try: phonemes.clauses('hola', 'es')\n"
        "except phonemes.ExtraError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "no eSpeak NG, which turns text into phonemes: "
        'pip install "onnx-speech-harness[tts]" brings it.\n'
    )


def test_data_that_is_not_there_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Library:
        class _Function:
            def __call__(self, *_: object) -> int:
                return -1

        espeak_TextToPhonemes = espeak_Info = espeak_ListVoices = _Function()  # noqa: N815
        espeak_Initialize = _Function()  # noqa: N815

    with pytest.raises(ExtraError, match="cannot read its data"):
        phonemes._Engine(Library(), str(tmp_path))  # type: ignore[arg-type]
