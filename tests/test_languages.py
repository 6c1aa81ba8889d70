"""Model, data and normaliser of one language: `harness check` says where they are not, and English
works as Spanish does."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import spec
from harness.app import cli
from harness.preflight.feasibility import languages
from harness.speech import text

ROOT = Path(__file__).resolve().parents[1]
YAML = """name: said
model: {family: whisper, source: SOURCE, LANGUAGE}
variants: [{name: fp32}]
quality:
  - dataset: {use: common_voice, path: PATH, locale: LOCALE, limit: 4}
    metrics: [wer]
    normaliser: NORMALISER
gates: [{metric: wer, max: 0.5}]
"""
BASE = "{asset: whisper-base}"


def written(folder: Path, locale: str, language: str, normaliser: str, source: str = BASE) -> Path:
    path = {"es": "cv-es-prompts", "en": "cv-en-prompts"}[locale]
    made = YAML.replace("PATH", str(ROOT / "data" / path)).replace("LOCALE", locale)
    made = made.replace("LANGUAGE", language).replace("NORMALISER", normaliser)
    (folder / "x.yaml").write_text(made.replace("SOURCE", source), encoding="utf-8")
    return folder / "x.yaml"


HUB = "{hub: org/whisper-base.en, revision: a123456789012345678901234567890123456789}"


@pytest.mark.parametrize(
    ("locale", "language", "normaliser", "source", "told"),
    [
        ("es", "language: es", "spanish", BASE, []),
        ("en", "language: en", "english", BASE, []),
        ("en", "language: en", "generic", BASE, []),
        ("en", "language: en", "none", BASE, []),
        ("en", "language: en", "english", HUB, []),
        ("es", "task: translate", "generic", BASE, []),
        ("en", "language: en", "spanish", BASE, ["`spanish` is for es, and its texts are en; take "
                                                 "`english`"]),
        ("es", "language: es", "english", BASE, ["`english` is for en, and its texts are es; take "
                                                 "`spanish`"]),
        ("en", "language: es", "english", BASE, ["its speech is en, and a model is told to hear es;"
                                                 " write `language: en`"]),
        ("es", "language: en", "spanish", HUB, ["is es, and a model is told to hear en"]),
        ("es", "language: es", "spanish", HUB, ["whisper-base.en is an English-only model by its "
                                                "name, and is told to hear es"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(
    tmp_path: Path, locale: str, language: str, normaliser: str, source: str, told: list[str]
) -> None:
    path = written(tmp_path, locale, language, normaliser, source)
    found = languages.told(spec.load(path), spec.locator(path))
    assert len(found) == len(told), found
    for line, expected in zip(found, told, strict=True):
        assert expected in line


def test_check_warns_and_does_not_refuse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["check", str(written(tmp_path, "en", "language: en", "spanish"))])
    said = " ".join(capsys.readouterr().out.split())
    assert code == 0
    assert "cv-en-prompts: the normaliser `spanish` is for es" in said


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("whisper-base.en", True), ("models/whisper-tiny.en/onnx", True), ("base.en-int8", True),
        ("whisper-base", False), ("voice.english", False), ("my.ensemble", False),
    ],
)  # fmt: skip
def test_an_english_only_model_is_known_by_its_name(name: str, expected: bool) -> None:
    assert languages.english_only(spec.Origin(path=name)) is expected


def test_the_shipped_experiments_fit(root: Path) -> None:
    for path in sorted((root / "experiments").glob("*.yaml")):
        found = languages.told(spec.load(path), spec.locator(path))
        assert found == [], path.name


def test_the_schema_says_which_language_a_normaliser_is_for() -> None:
    entry = spec.schema()["properties"]["quality"]["items"]["properties"]["normaliser"]
    said = dict(zip(entry["enum"], entry["enumDescriptions"], strict=True))
    assert list(said) == list(text.NORMALISERS)
    assert said["english"] == "for texts in en"
    assert said["basic"] == "for any language"


def test_the_english_speech_is_read_as_a_release(root: Path) -> None:
    from harness.plugins.datasets.common_voice import Params, load

    whole = {split: load(Params("data/cv-en-prompts", "en", split), lambda name: root / name)
             for split in ("test", "dev")}  # fmt: skip
    assert {split: len(one.utterances) for split, one in whole.items()} == {"test": 129, "dev": 30}
    said = [text.english(one.text) for data in whole.values() for one in data.utterances]
    assert all(said)
    assert not any(one.error for data in whole.values() for one in data.utterances)


@pytest.mark.model
def test_whisper_hears_english(whisper_fp32: Path, root: Path) -> None:
    """Ten clips: of clear speech Whisper base gets more than three words of four."""
    from harness.plugins.datasets.common_voice import Params, load
    from harness.plugins.families.whisper import family
    from harness.runtime.session import SessionConfig, open_session
    from harness.speech import audio

    def start(path: Path) -> object:
        return open_session(path, SessionConfig("default"))

    heard = family.open(whisper_fp32, start, family.Params(language="en"))  # type: ignore[arg-type]
    data = load(Params("data/cv-en-prompts", "en", limit=10), lambda name: root / name)
    edits = words = 0
    for one in data.utterances:
        assert isinstance(one.audio, Path)
        said = heard.prepare("pipeline", audio.decode(one.audio, 16_000))().text
        wrong, count = text.word_edits(text.english(one.text), text.english(said))
        edits, words = edits + wrong, words + count
    assert edits / words < 0.25
