"""Common Voice release folders: the sample data, and every way in which a table can be odd."""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import os
import tarfile
import threading
from pathlib import Path

import pytest

from harness.contracts import Dataset, Utterance
from harness.errors import AssetError
from harness.io import hashes
from harness.plugins.datasets import common_voice
from harness.plugins.datasets._corpus import stock
from harness.plugins.datasets.common_voice import Params

HEADER = "client_id\tpath\tsentence_id\tsentence\tlocale"


def load(folder: Path, **params: object) -> Dataset:
    return common_voice.load(Params(path=str(folder), **params), Path)  # type: ignore[arg-type]


def release(folder: Path, *rows: str, clips: str = "a b c", header: str = HEADER) -> Path:
    """A release folder with one split; rows as lines of the table."""
    language = folder / "cv-corpus-99.0" / "es"
    (language / "clips").mkdir(parents=True)
    for name in clips.split():
        (language / "clips" / f"{name}.mp3").write_bytes(name.encode())
    text = "\n".join([header, *rows]) + "\n"
    (language / "test.tsv").write_bytes(text.encode("utf-8"))
    return language.parent


def row(path: str, sentence: str = "hola", speaker: str = "s1") -> str:
    return f"{speaker}\t{path}\tid-{path}\t{sentence}\tes"


def only(data: Dataset) -> Utterance:
    (one,) = data.utterances
    return one


def test_the_sample_data_is_read_whole(root: Path) -> None:
    data = load(root / "data" / "cv-es-prompts")
    found = list(data.utterances)
    table = root / "data" / "cv-es-prompts" / "es" / "test.tsv"
    clips = [line.split("\t")[1] for line in table.read_text("utf-8").splitlines()[1:]]
    assert data.notes == {
        "release": "cv-es-prompts",
        "locale": "es",
        "split": "test",
        "rows": "100",
        "used": "100",
        "left_out": "0",
        "table_sha256": hashlib.sha256(table.read_bytes()).hexdigest(),
        "clips_sha256": hashlib.sha256("".join(f"{c}\n" for c in clips).encode()).hexdigest(),
    }
    assert len(found) == len({one.id for one in found}) == 100
    assert not any(one.error for one in found)
    assert len({one.speaker for one in found}) == 1
    # shell: awk over clip_durations.tsv for the test split: 1.3 to 29 s (the data's README)
    assert 1.2 < min(one.seconds for one in found) < max(one.seconds for one in found) < 30
    assert list(data.utterances) == found  # it can be walked again
    assert len(data.utterances) == 100
    assert [data.utterances[i] for i in (99, 0, 41, -1)] == [found[i] for i in (99, 0, 41, -1)]
    assert data.utterances[3:6] == found[3:6]
    with pytest.raises(IndexError):
        data.utterances[100]


def test_the_language_folder_itself_will_do_as_well(root: Path) -> None:
    data = load(root / "data" / "cv-es-prompts" / "es", split="dev")
    assert data.name == "cv-es-prompts"
    assert data.notes["rows"] == "16"


def test_calibration_and_evaluation_share_no_utterance(root: Path) -> None:
    folder = root / "data" / "cv-es-prompts"
    test, dev = (
        {(one.id, one.sentence) for one in load(folder, split=split).utterances}
        for split in ("test", "dev")
    )
    assert not test & dev


@pytest.mark.parametrize(
    "sentence",
    [
        '"Hola", dijo',
        '"una comilla que no cierra',
        "NA",
        "null",
        "1,5",
        "niño — ¿sí?",
        "con\u2028separador y \u00a0 espacio",
        "\ufeffcon marca",
        "nueva\x0blínea\x85de otros\x0c",
    ],
)
def test_a_sentence_comes_out_as_it_was_written(tmp_path: Path, sentence: str) -> None:
    folder = release(tmp_path, row("a.mp3", sentence), row("b.mp3", "siguiente"))
    assert [one.text for one in load(folder).utterances] == [sentence, "siguiente"]


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_table(tmp_path: Path) -> None:
    table = release(tmp_path, row("a.mp3")) / "es" / "test.tsv"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b"\n", b"\r\n") + b"\r\n")
    one = only(load(table.parent))
    assert (one.speaker, one.text, one.error) == ("s1", "hola", "")


def test_a_tab_in_a_sentence_costs_that_row_only(tmp_path: Path) -> None:
    data = load(release(tmp_path, row("a.mp3", "hola\tmundo"), row("b.mp3"), "\n", "s1\tc.mp3"))
    first, second, third = data.utterances
    assert first.error == (
        "line 2 of test.tsv has 6 fields instead of 5; is there a tab in the sentence?"
    )
    assert first.audio is None
    assert second.error == ""
    assert "has 2 fields instead of 5" in third.error
    assert data.notes["left_out"] == "2"


def test_missing_double_and_impossible_clips_become_rows_with_their_reason(tmp_path: Path) -> None:
    names = ["a.mp3", "gone.mp3", "a.mp3", "../test.tsv", "b"]
    data = load(release(tmp_path, *(row(name) for name in names)))
    found = list(data.utterances)
    assert [one.error for one in found] == [
        "",
        "gone.mp3 is missing in clips/.",
        "a.mp3 is listed more than once; its first row counts.",
        "'../test.tsv' is not the name of a clip.",
        "",
    ]
    assert len({one.id for one in found}) == len(found)
    assert found[4].audio == tmp_path / "cv-corpus-99.0" / "es" / "clips" / "b.mp3"
    assert data.notes["left_out"] == "3"


@pytest.mark.parametrize("sentence", ["", " ", "\u00a0"])
def test_an_utterance_without_a_transcript_is_a_row_with_its_reason(
    tmp_path: Path, sentence: str
) -> None:
    data = load(release(tmp_path, row("a.mp3", sentence), row("b.mp3")))
    assert [one.error for one in data.utterances] == ["a.mp3 has no transcript.", ""]
    assert (data.notes["used"], data.notes["left_out"]) == ("2", "1")


def test_a_clip_listed_twice_is_told_anywhere_in_the_table(tmp_path: Path) -> None:
    names = [f"c{i:03}" for i in range(50)]
    listed = [*names, "c007", "c007", "c049"]
    folder = release(tmp_path, *(row(f"{n}.mp3") for n in listed), clips=" ".join(names))
    data = load(folder)
    assert [one.id for one in data.utterances][50:] == ["c007#2", "c007#3", "c049#2"]
    assert [bool(one.error) for one in data.utterances] == [False] * 50 + [True] * 3
    assert data.notes["left_out"] == "3"


def test_a_name_that_no_file_can_have_is_a_row_with_its_reason(tmp_path: Path) -> None:
    data = load(release(tmp_path, row("x" * 5000), row("a\x00.mp3"), row(".."), row("a.mp3")))
    assert [bool(one.error) for one in data.utterances] == [True, True, True, False]


def test_lengths_come_from_the_release_where_it_has_them(tmp_path: Path) -> None:
    folder = release(tmp_path, row("a.mp3"), row("b.mp3"))
    assert all(math.isnan(one.seconds) for one in load(folder).utterances)
    long = f"c.mp3\t{'9' * 400}\nd.mp3\t{'9' * 5000}\n"  # as a number: infinite, or a ValueError
    table = f"clip\tduration[ms]\na.mp3\t1500\nb.mp3\tx\nother.mp3\t9\n{long}"
    (folder / "es" / "clip_durations.tsv").write_text(table)
    first, second = load(folder).utterances
    assert first.seconds == 1.5
    assert math.isnan(second.seconds)


def test_a_sample_is_drawn_by_its_seed_and_keeps_the_order(tmp_path: Path) -> None:
    names = [f"c{i:03}" for i in range(60)]
    folder = release(tmp_path, *(row(f"{n}.mp3") for n in names), clips=" ".join(names))
    ids = [one.id for one in load(folder, limit=20, seed=7).utterances]
    assert ids == sorted(ids)
    assert len(set(ids)) == 20
    assert ids == [one.id for one in load(folder, limit=20, seed=7).utterances]
    assert ids != [one.id for one in load(folder, limit=20, seed=8).utterances]
    data = load(folder, limit=20, seed=7)
    assert (data.notes["rows"], data.notes["used"], data.notes["seed"]) == ("60", "20", "7")
    assert data.notes["drawn"] == "at_random"
    assert "seed" not in load(folder, limit=60).notes


def test_the_fingerprint_sees_texts_clips_and_choice_but_not_the_place(tmp_path: Path) -> None:
    rows = (row("a.mp3"), row("b.mp3"))
    one, two = release(tmp_path / "x", *rows), release(tmp_path / "y", *rows)
    first = load(one).fingerprint
    assert load(two).fingerprint == first
    assert load(two, limit=1).fingerprint != first
    (two / "es" / "clips" / "a.mp3").write_bytes(b"A")  # same size
    assert load(two).fingerprint != first
    (two / "es" / "clips" / "a.mp3").write_bytes(b"a")
    assert load(two).fingerprint == first
    table = two / "es" / "test.tsv"
    table.write_text(table.read_text().replace("hola", "HOLA", 1))
    assert load(two).fingerprint != first


def test_a_clip_of_a_large_set_counts_with_its_bytes_and_not_with_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    clip = tmp_path / "a.wav"
    large = [Utterance(str(i), clip, "hola") for i in range(1001)]

    def fingerprint(content: bytes, seconds: float) -> str:
        clip.write_bytes(content)
        os.utime(clip, (seconds, seconds))
        return stock(large).fingerprint

    first = fingerprint(b"one", 1e9)
    assert fingerprint(b"two", 1e9 + 60) != first
    assert fingerprint(b"one", 1.1e9) == first  # as another clone of the same data
    monkeypatch.setattr(hashes, "sha256_of", None)
    assert stock(large).fingerprint == first  # nothing is read again


def test_old_releases_without_speaker_or_sentence_ids_are_read(tmp_path: Path) -> None:
    folder = release(tmp_path, "a.mp3\thola", "b.mp3\thola", header="path\tsentence")
    first, second = load(folder).utterances
    assert first.speaker == ""
    assert first.sentence == second.sentence  # the same sentence, told by its text
    assert first.error == ""


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"split": "train"}, r"no train\.tsv, neither there nor in es/; there is: test\."),
        ({"locale": "fr"}, "there is: no table at all"),
    ],
)
def test_a_split_that_is_not_there_is_one_clear_line(
    tmp_path: Path, params: dict[str, str], says: str
) -> None:
    with pytest.raises(AssetError, match=says):
        load(release(tmp_path, row("a.mp3")), **params)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"path\ttext\na.mp3\thola\n", r"test\.tsv: no column sentence; it has path, text\."),
        (b"", r"test\.tsv: no column path, sentence; it has nothing\."),
        (b"path\tsentence\n", r"test\.tsv holds no row\.$"),
        (b"path\tsentence\ra.mp3\thola\r", r"test\.tsv holds no row; does it end its lines with"),
        ("path\tsentence\na.mp3\taño\n".encode("latin-1"), r"test\.tsv is not UTF-8: line 2, "),
    ],
)
def test_a_table_that_is_none_is_one_clear_line(tmp_path: Path, content: bytes, says: str) -> None:
    folder = release(tmp_path)
    (folder / "es" / "test.tsv").write_bytes(content)
    with pytest.raises(AssetError, match=says):
        load(folder)


def test_nothing_is_written_beside_the_data_and_odd_folder_names_are_fine(tmp_path: Path) -> None:
    folder = release(tmp_path / "data [v1] * ñ", row("a.mp3"))
    before = sorted(tmp_path.rglob("*"))
    assert only(load(folder)).text == "hola"
    assert sorted(tmp_path.rglob("*")) == before


def test_two_readers_at_once_see_the_same(tmp_path: Path) -> None:
    folder = release(tmp_path, row("a.mp3"), row("b.mp3"))
    found: list[str] = []
    readers = [
        threading.Thread(target=lambda: found.append(load(folder).fingerprint)) for _ in range(4)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def with_lengths(folder: Path, milliseconds: dict[str, int]) -> Path:
    lines = "".join(f"{name}.mp3\t{ms}\n" for name, ms in milliseconds.items())
    (folder / "es" / "clip_durations.tsv").write_text("clip\tduration[ms]\n" + lines)
    return folder


def test_a_sample_has_short_and_long_clips_in_equal_parts(tmp_path: Path) -> None:
    lengths = {f"c{i:03}": 1000 + 100 * i for i in range(60)}
    folder = release(tmp_path, *(row(f"{n}.mp3") for n in lengths), clips=" ".join(lengths))
    data = load(with_lengths(folder, lengths), limit=20, seed=3)
    tenths = [int(one.id[1:]) // 6 for one in data.utterances]
    assert [tenths.count(tenth) for tenth in range(10)] == [2] * 10
    assert data.notes["drawn"] == "stratified strata=10"


def test_minutes_are_filled_and_not_exceeded(tmp_path: Path) -> None:
    lengths = {f"c{i:03}": 6000 for i in range(60)}
    folder = release(tmp_path, *(row(f"{n}.mp3") for n in lengths), clips=" ".join(lengths))
    with_lengths(folder, lengths)
    assert load(folder, minutes=1).notes["used"] == "10"  # 10 * 6 s = 60 s
    assert load(folder, minutes=1.05).notes["used"] == "10"
    assert load(folder, minutes=1, limit=7).notes["used"] == "7"
    assert load(folder, minutes=6).notes["used"] == "60"
    assert "drawn" not in load(folder, minutes=7).notes


def test_minutes_without_lengths_are_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="minutes: no length of a clip is known; use limit"):
        load(release(tmp_path, row("a.mp3")), minutes=1)


# ---------------------------------------------------------------------------------------- tar.gz
@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def packed(folder: Path, *more: tarfile.TarInfo, name: str = "cv.tar.gz") -> Path:
    """The release folder as a tar.gz beside it, with more members (their content is "x")."""
    path = folder.parent / name
    with tarfile.open(path, "w:gz") as tar:
        tar.add(folder, folder.name)
        for member in more:
            member.size = 1 if member.isreg() else 0
            tar.addfile(member, io.BytesIO(b"x"))
    return path


def test_a_tar_gz_gives_what_its_folder_gives(tmp_path: Path, cache: Path) -> None:
    names = [f"c{i:03}" for i in range(30)]
    rows = [*(row(f"{n}.mp3") for n in names), row("gone.mp3"), row("c001.mp3")]
    folder = release(tmp_path, *rows, clips=" ".join(names))
    archive = packed(folder)
    plain, data = load(folder), load(archive)
    assert data.fingerprint == plain.fingerprint
    assert data.name == "cv-corpus-99.0"
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert data.notes == {**plain.notes, "archive_sha256": digest}
    assert [one.error for one in data.utterances] == [one.error for one in plain.utterances]
    assert isinstance(data.utterances[4].audio, Path)
    assert data.utterances[4].audio.read_bytes() == b"c004"


def test_of_a_tar_gz_only_tables_and_wanted_clips_are_copied(tmp_path: Path, cache: Path) -> None:
    names = [f"c{i:03}" for i in range(30)]
    folder = release(tmp_path, *(row(f"{n}.mp3") for n in names), clips=" ".join(names))
    archive = packed(folder)
    data = load(archive, limit=4, seed=1)
    copied = {path.stem for path in cache.rglob("*.mp3")}
    assert copied == {one.id for one in data.utterances}
    assert len(copied) == 4
    archive_time = archive.stat()
    archive.write_bytes(b"gone" * (archive_time.st_size // 4 + 1))  # what is kept is not read again
    with archive.open("r+b") as file:
        file.truncate(archive_time.st_size)
    os.utime(archive, ns=(archive_time.st_atime_ns, archive_time.st_mtime_ns))
    assert load(archive, limit=4, seed=1).fingerprint == data.fingerprint


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (member("../outside.tsv"), "../outside.tsv"),
        (member("cv-corpus-99.0/../../outside.tsv"), "cv-corpus-99.0/../../outside.tsv"),
        (member("/etc/outside.tsv"), "/etc/outside.tsv"),
        (member("..\\outside.tsv"), "..\\outside.tsv"),
        (member("C:/outside.tsv"), "C:/outside.tsv"),
        (member("a/link", tarfile.SYMTYPE, "../../outside.tsv"), "../../outside.tsv"),
        (member("a/link", tarfile.SYMTYPE, "/etc/passwd"), "/etc/passwd"),
        (member("hard", tarfile.LNKTYPE, "../outside.tsv"), "../outside.tsv"),
    ],
)
def test_a_member_that_leaves_the_archives_folder_is_refused_in_one_line(
    tmp_path: Path, cache: Path, bad: tarfile.TarInfo, named: str
) -> None:
    archive = packed(release(tmp_path, row("a.mp3")), bad)
    before = {path for path in tmp_path.rglob("*") if cache not in path.parents and path != cache}
    with pytest.raises(AssetError) as caught:
        load(archive)
    assert str(caught.value) == (
        f"cv.tar.gz: the member {named!r} leaves the archive's folder; nothing of it is read."
    )
    after = {path for path in tmp_path.rglob("*") if cache not in path.parents and path != cache}
    assert after == before
    with pytest.raises(AssetError, match="leaves the archive's folder"):  # also the second time
        load(archive)


def test_a_link_that_stays_inside_is_no_reason_to_refuse(tmp_path: Path, cache: Path) -> None:
    link = member("cv-corpus-99.0/es/again.tsv", tarfile.SYMTYPE, "../es/test.tsv")
    assert load(packed(release(tmp_path, row("a.mp3")), link)).notes["left_out"] == "0"


def test_a_clip_that_is_a_hard_link_has_the_content_of_its_member(
    tmp_path: Path, cache: Path
) -> None:
    """GNU tar stores the second name of a file as a link to the first."""
    here = "cv-corpus-99.0/es/clips"
    rows = (row("a.mp3"), row("again.mp3"), row("chain.mp3"), row("other.mp3"), row("round.mp3"))
    archive = packed(
        release(tmp_path, *rows),
        member(f"{here}/again.mp3", tarfile.LNKTYPE, f"{here}/a.mp3"),
        member(f"{here}/chain.mp3", tarfile.LNKTYPE, f"{here}/again.mp3"),
        member(f"{here}/other.mp3", tarfile.LNKTYPE, f"./{here}/b.mp3"),  # b is in no table
        member(f"{here}/round.mp3", tarfile.LNKTYPE, f"{here}/trip.mp3"),
        member(f"{here}/trip.mp3", tarfile.LNKTYPE, f"{here}/round.mp3"),
        member("cv-corpus-99.0/es/dev.tsv", tarfile.LNKTYPE, "cv-corpus-99.0/es/test.tsv"),
    )
    for split in ("test", "dev"):
        found = list(load(archive, split=split).utterances)
        content = [one.audio.read_bytes() for one in found if isinstance(one.audio, Path)]
        assert content == [b"a", b"a", b"a", b"b"]
        assert [one.error for one in found] == [""] * 4 + ["round.mp3 is missing in clips/."]


def test_a_name_that_no_file_can_have_is_missing_in_a_tar_gz_too(
    tmp_path: Path, cache: Path
) -> None:
    """As where the columns of a row are shifted, and its sentence stands for the clip."""
    archive = packed(release(tmp_path, row("una frase " * 30), row("a.mp3")))
    for _ in range(2):
        first, second = load(archive).utterances
        assert first.error.endswith("is missing in clips/.")
        assert second.error == ""


@pytest.mark.parametrize("keep", [0.5, 0.98, -4])
def test_a_tar_gz_that_is_cut_off_is_one_clear_line(
    tmp_path: Path, cache: Path, keep: float
) -> None:
    archive = packed(release(tmp_path, row("a.mp3")))
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(len(whole) * keep) if keep > 0 else int(keep)])
    with pytest.raises(AssetError, match=r"^cv\.tar\.gz is damaged or not whole: .*\.$"):
        load(archive)


@pytest.mark.parametrize("table_first", [True, False])
def test_a_large_tar_gz_that_is_cut_off_inside_a_clip_is_one_clear_line(
    tmp_path: Path, cache: Path, table_first: bool
) -> None:
    table = ("es/test.tsv", b"path\tsentence\na.mp3\thola\n")
    clip = ("es/clips/a.mp3", os.urandom(5_000_000))
    path = tmp_path / "cv.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=0) as tar:
        for name, content in (table, clip) if table_first else (clip, table):
            info = member(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    assert only(load(path)).error == ""
    with path.open("r+b") as file:
        file.truncate(4_000_000)
    with pytest.raises(AssetError, match=r"^cv\.tar\.gz is damaged or not whole: "):
        load(path)


def test_a_cache_that_cannot_be_written_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").touch()
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "taken"))
    with pytest.raises(AssetError, match=r"cannot write to the cache folder .*set HARNESS_CACHE"):
        load(packed(release(tmp_path, row("a.mp3"))))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("cv.tar.gz", b"<html>sign in</html>", "is damaged or not whole"),
        ("cv.tar.gz", gzip.compress(b"no tar"), "is damaged or not whole"),
        ("cv.zip", b"PK", "is neither a release folder nor a tar.gz"),
    ],
)
def test_a_file_that_is_no_release_is_one_clear_line(
    tmp_path: Path, cache: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AssetError, match=says):
        load(tmp_path / name)
