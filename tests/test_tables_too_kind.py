"""Tables that used to be read too kindly, by hand: what each row says, or why it says nothing."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from harness import spec
from harness.contracts import Dataset
from harness.errors import AssetError
from harness.plugins.datasets import common_voice, manifest, sentences
from harness.plugins.datasets._corpus import numbered, shown, tags
from harness.plugins.datasets.hub import columns

HEADER = "audio_filepath,text\n"


def read(folder: Path, name: str, text: str, **params: object) -> Dataset:
    for n in range(6):
        (folder / f"c{n}.wav").write_bytes(b"%d" % n)
    (folder / name).write_bytes(text.encode("utf-8"))
    return manifest.load(manifest.Params(str(folder / name), **params), Path)  # type: ignore[arg-type]


def told(data: Dataset) -> list[str]:
    """The text of each row, or `!` and the first words of its reason."""
    out = []
    for one in data.utterances:
        reason = one.error.partition(f" of {data.notes['manifest']} ")
        out.append(f"! {reason[0]} {reason[2]}"[:38] if one.error else one.text)
    return out


MARK = "! line {} opens a quotation mark that i"
AFTER = "! line {} goes on after a closing quota"


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ('c0.wav,"uno\nc1.wav,dos\n', [MARK.format(2), "dos"]),
        ('c0.wav,uno\nc1.wav,"dos', ["uno", MARK.format(3)]),
        ('c0.wav,"uno\nc1.wav,"dos\nc2.wav,tres\n', [MARK.format(2), MARK.format(3), "tres"]),
        ('c0.wav,"uno\nc1.wav,dos"\nc2.wav,tres\n', [MARK.format(2), 'dos"', "tres"]),
        ('c0.wav,"uno" dos\nc1.wav,tres\n', [AFTER.format(2), "tres"]),
        ('c0.wav,"uno"" dos\nc1.wav,tres\n', [MARK.format(2), "tres"]),
        ('"c0.wav,uno\nc1.wav,tres\n', [MARK.format(2), "tres"]),
        ('c0.wav,"uno\ndos"\nc1.wav,tres\n', ["uno\ndos", "tres"]),
        ('c0.wav,"uno\r\n\r\ndos, y"\r\nc1.wav,tres\r\n', ["uno\n\ndos, y", "tres"]),
        ('c0.wav,"uno, ""dos"""\nc1.wav,tres\n', ['uno, "dos"', "tres"]),
        ('c0.wav,12" de largo\n', ['12" de largo']),
        ("c0.wav,uno,dos\nc1.wav,tres\n", ["! line 2 has 3 fields instead of 2.", "tres"]),
        ("c0.wav\nc1.wav,tres\n", ["! line 2 has 1 fields instead of 2.", "tres"]),
        ("c0.wav,a\rc1.wav,tres\n", ["! line 2 is no well-formed CSV: new-li"]),
        ("c0.wav,a\0\nc1.wav,tres\n", ["! line 2 holds a NUL character.", "tres"]),
        (f"c0.wav,{'a' * 1_000_001}\nc1.wav,tres\n", ["! line 2 is longer than 1,000,000 byte", "tres"]),  # noqa: E501
        (f"c0.wav,{'a' * 900_000}\nc1.wav,tres\n", ["a" * 900_000, "tres"]),
        (",uno\nc1.wav,tres\n", ["! line 2 has no audio_filepath.", "tres"]),
        ("c1.wav,uno\nc1.wav,tres\n", ["uno", "! line 3 lists c1.wav again; its first"]),
        ("\n\nc1.wav,tres\n\n", ["tres"]),
    ],
)  # fmt: skip
def test_each_row_of_a_csv_is_what_it_says_or_why_not(
    tmp_path: Path, body: str, rows: list[str]
) -> None:
    data = read(tmp_path, "m.csv", HEADER + body)
    assert told(data) == rows
    assert int(data.notes["rows"]) == len(rows)
    assert int(data.notes["left_out"]) == sum(row.startswith("!") for row in rows)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('"""Hola"" dijo."', '"Hola" dijo.'),
        ('"Él dijo ""no"""', 'Él dijo "no"'),
        ('"Hola', '"Hola'),
        ('Hola"', 'Hola"'),
        ('"Hola"', '"Hola"'),
        ('"Hola" y "adiós"', '"Hola" y "adiós"'),
        ('""Hola""', '""Hola""'),
        ('Hola ""dijo""', 'Hola ""dijo""'),
        ('""""', '"'),
        ("“Hola” dijo", "“Hola” dijo"),
    ],
)
def test_a_tsv_gives_a_sentence_as_it_was_meant(tmp_path: Path, cell: str, text: str) -> None:
    data = read(tmp_path, "m.tsv", f"audio_filepath\ttext\nc0.wav\t{cell}\nc1.wav\tfin\n")
    assert [one.text for one in data.utterances] == [text, "fin"]
    (tmp_path / "s.tsv").write_text(f"id\ttext\n1\t{cell}\n", encoding="utf-8")
    said = sentences.load(sentences.Params(str(tmp_path / "s.tsv"), column="text"), Path)
    assert [one.text for one in said.utterances] == [text]


def test_a_tsv_that_quotes_its_header_quotes_all_of_its_fields(tmp_path: Path) -> None:
    data = read(tmp_path, "m.tsv", '"audio_filepath"\t"text"\n"c0.wav"\t"Hola"\n')
    assert [one.text for one in data.utterances] == ["Hola"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Pues [disfluency] sí.", "Pues sí."),
        ("[noise] [noise] sí", "sí"),
        ("sí <unk> no", "sí no"),
        ("<|es|> sí", "sí"),
        ("hola (inaudible), adiós", "hola, adiós"),
        ("{laugh} sí", "sí"),
        ("[RISAS]", ""),
        ("[ruido de fondo] sí", "sí"),
        ("la ONU (Naciones Unidas)", "la ONU (Naciones Unidas)"),
        ("estudió piano (música) y canto", "estudió piano (música) y canto"),
        ("[la] casa", "[la] casa"),
        ("3 < 5 y 6 > 2", "3 < 5 y 6 > 2"),
        ("sin  marcas", "sin  marcas"),
        ("Hola &amp; adi&oacute;s<br>", "Hola & adiós"),
        ("&lt;noise&gt; s&#237; y &#x6e;o", "sí y no"),
        ("AT&T; y &nada;", "AT&T; y &nada;"),
        ("NULL", ""),
        (" nan ", ""),
        ("None", "None"),
        ("null", "null"),
        ("-", ""),
        ("...", ""),
        ("%", "%"),
        ("5 €", "5 €"),
        ("日本語", "日本語"),
    ],
)
def test_tags_are_no_words_and_brackets_around_words_stay(written: str, said: str) -> None:
    assert tags.without(written) == said


@pytest.mark.parametrize(
    ("name", "unit"),
    [("duration", 1.0), ("duration_ms", 1e3), ("duration[ms]", 1e3), ("ms", 1e3), ("items", 1.0),
     ("length-milliseconds", 1e3), ("forms", 1.0)],
)  # fmt: skip
def test_a_columns_name_says_what_it_is_counted_in(name: str, unit: float) -> None:
    assert manifest.Params("m.csv", duration=name).per_second == unit


@pytest.mark.parametrize(("own", "seed"), [("", 7), (", seed: 3", 3), (", seed: 0", 0)])
def test_the_experiments_seed_draws_unless_a_data_set_says_its_own(
    root: Path, own: str, seed: int
) -> None:
    path = root / "experiments" / "smoke.yaml"
    text = path.read_text(encoding="utf-8").replace("\nname: smoke\n", "\nname: smoke\nseed: 7\n")
    assert text.count("limit: 12, seed: 0}") == 1
    text = text.replace("limit: 12, seed: 0}", f"limit: 12{own}}}")
    read_one = spec.parse(text, path)
    assert read_one.seed == 7
    assert getattr(read_one.quality[0].dataset.params, "seed", None) == seed


def test_rows_have_names_of_their_own() -> None:
    assert numbered("a", 1) == "a"
    assert numbered("a", 2) == "a#2"
    assert numbered("a#2", 1) == "a#2#1"
    assert numbered("line 3", 1) == "line 3#1"
    assert shown("a\nb\x1b") == "a?b?"
    assert shown("nin\u0303o") == "niño"
    assert len(shown("x" * 10_000)) < 140
    assert shown("x" * 10_000) != shown("x" * 10_001)


@pytest.mark.parametrize("split", ["../test", "a/b", "..", ""])
def test_a_split_is_a_name_and_no_path(tmp_path: Path, split: str) -> None:
    with pytest.raises(AssetError, match="is not the name of a split"):
        common_voice.load(common_voice.Params(str(tmp_path), split=split), Path)


def test_a_tar_member_beyond_the_bound_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.plugins.datasets._corpus import archive, packed

    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    with tarfile.open(tmp_path / "r.tar", "w") as tar:
        table = ("es/test.tsv", b"path\tsentence\na.mp3\thola\n")
        for name, data in (table, ("es/clips/a.mp3", b"x" * 9)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))

    def load() -> Dataset:
        return common_voice.load(common_voice.Params(str(tmp_path / "r.tar")), Path)

    for module, bound, says in (
        (packed, "ARCHIVE_MEMBERS", "has more than 1 members"),
        (archive, "TABLE_BYTES", "its tables have more than"),
        (archive, "CLIP_BYTES", "has 9 bytes; a clip has at most 1"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, bound, 1)
            with pytest.raises(AssetError, match=says):
                load()
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda _: type("U", (), {"free": 10})())
        with pytest.raises(AssetError, match=r"0 MB free.*make room or set"):
            load()
    assert load().notes["left_out"] == "0"


def test_of_two_columns_with_bytes_the_one_called_audio_is_taken() -> None:
    import pyarrow as pa

    clip = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    names = {"audio": "", "text": "", "speaker": ""}
    text = ("text", pa.string())
    both = pa.schema([("image", clip), ("audio", clip), text])
    assert columns.choose(both, names, "x").audio == "audio"
    assert columns.choose(pa.schema([("voice", clip), text]), names, "x").audio == "voice"
    with pytest.raises(AssetError, match="which column is the audio"):
        columns.choose(pa.schema([("one", clip), ("two", clip), text]), names, "x")
