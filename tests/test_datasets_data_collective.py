"""Mozilla Data Collective: its own SDK against a server that plays the platform, well and badly."""

from __future__ import annotations

import gc
import hashlib
import http.server
import json
import re
import tarfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from harness import spec
from harness.contracts import Dataset
from harness.errors import AssetError, ExtraError, SpecError
from harness.plugins.datasets import data_collective
from harness.plugins.datasets.data_collective import Params

pytest.importorskip("datacollective")
# the SDK leaves the answer open that it refuses
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@dataclass
class Platform:
    """What the server has and how it behaves; the requests that came."""

    archive: bytes
    details: dict[str, Any]
    status: dict[str, int] = field(default_factory=dict)  # path's end -> HTTP status
    body: dict[str, bytes] = field(default_factory=dict)  # path's end -> another answer
    short: dict[str, int] = field(default_factory=dict)  # path's end -> bytes that are sent
    hangs: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    port: int = 0
    over: threading.Event = field(default_factory=threading.Event)


class Answers(http.server.BaseHTTPRequestHandler):
    platform: ClassVar[Platform]

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def answer(self) -> None:
        it, end = self.platform, self.path.rpartition("/")[2]
        it.asked.append(f"{self.command} {self.path} {self.headers.get('Authorization', '')}")
        if end in it.hangs:
            it.over.wait(20)
            return
        status, content = self.content(end)
        self.send_response(it.status.get(end, status))
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=")[:-1])
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : it.short.get(end, len(content))])

    def content(self, end: str) -> tuple[int, bytes]:
        it = self.platform
        if end in it.body:
            return 200, it.body[end]
        if end == "download":
            if self.headers.get("Authorization") != "Bearer good":
                return 401, b'{"error": "bad key"}'
            plan = {
                "downloadUrl": f"http://127.0.0.1:{it.port}/files/archive",
                "sizeBytes": it.details["sizeBytes"],
                "checksum": it.details["checksum"],
            }
            return 200, json.dumps(plan).encode()
        if end == "cv-es":
            return 200, json.dumps(it.details).encode()
        return (200, it.archive) if end == "archive" else (404, b"{}")

    def log_message(self, *_args: object) -> None:
        """Quiet."""


def archive(folder: Path) -> bytes:
    """A release of thirty clips as the platform packs it."""
    language = folder / "cv-corpus-24.0" / "es"
    (language / "clips").mkdir(parents=True)
    rows = ["client_id\tpath\tsentence\n"]
    for i in range(30):
        (language / "clips" / f"c{i:02}.mp3").write_bytes(b"%d" % i)
        rows.append(f"s{i % 3}\tc{i:02}.mp3\tfrase {i}\n")
    (language / "test.tsv").write_text("".join(rows), encoding="utf-8")
    path = folder / "packed.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(folder / "cv-corpus-24.0", "cv-corpus-24.0")
    return path.read_bytes()


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    content = archive(tmp_path / "source")
    details = {
        "id": "cv-es",
        "name": "Common Voice Scripted Speech 24.0 - Spanish",
        "licenseAbbreviation": "CC0-1.0",
        "filename": "cv-es-24.tar.gz",
        "sizeBytes": len(content),
        "checksum": hashlib.sha256(content).hexdigest(),
    }
    it = Platform(content, details)
    handler = type("Handler", (Answers,), {"platform": it})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    it.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("MDC_API_URL", f"http://127.0.0.1:{it.port}/api")
    monkeypatch.setenv("MDC_API_KEY", "good")
    monkeypatch.setenv("MDC_DOWNLOAD_PATH", str(tmp_path / "downloads"))
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    yield it
    it.over.set()
    server.shutdown()
    server.server_close()
    thread.join()
    gc.collect()


def load(**params: object) -> Dataset:
    return data_collective.load(Params("cv-es", **params), Path)  # type: ignore[arg-type]


def refusal(**params: object) -> str:
    """What loading ends with."""
    with pytest.raises(AssetError) as caught:
        load(**params)
    return str(caught.value)


def is_plain(text: str) -> bool:
    """Whether it is one line that says whose, and names no address of a file and no key."""
    secrets = ("\n", "/files/", "good")
    return text.startswith("Mozilla Data Collective") and not any(one in text for one in secrets)


def test_the_archive_is_fetched_once_and_a_sample_is_read_from_it(
    platform: Platform, tmp_path: Path
) -> None:
    data = load(limit=5, seed=2)
    assert data.name == "cv-corpus-24.0"
    assert len(data.utterances) == 5
    assert not any(one.error for one in data.utterances)
    assert {one.speaker for one in data.utterances} <= {"s0", "s1", "s2"}
    assert data.notes["name"] == "Common Voice Scripted Speech 24.0 - Spanish"
    assert data.notes["licenseAbbreviation"] == "CC0-1.0"
    assert data.notes["archive_sha256"] == platform.details["checksum"]
    assert [path.name for path in (tmp_path / "downloads").iterdir()] == ["cv-es-24.tar.gz"]
    assert platform.asked[0] == "GET /api/datasets/cv-es "  # a public question, without the key
    before = len([one for one in platform.asked if "archive" in one])
    assert load(limit=5, seed=2).fingerprint == data.fingerprint
    assert len([one for one in platform.asked if "archive" in one]) == before == 1


def test_the_folder_for_archives_is_beside_the_experiment_as_every_other_path(
    platform: Platform, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    (project / "archives").mkdir(parents=True)
    locate = spec.locator(project / "x.yaml")
    data_collective.load(Params("cv-es", folder="archives"), locate)
    assert [path.name for path in (project / "archives").iterdir()] == ["cv-es-24.tar.gz"]
    with pytest.raises(SpecError, match="no 'elsewhere' beside the experiment file"):
        data_collective.load(Params("cv-es", folder="elsewhere"), locate)


@pytest.mark.parametrize("key", ["", "  "])
def test_no_key_is_one_clear_line_and_no_question(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("MDC_API_KEY", key)
    text = refusal()
    assert "MDC_API_KEY is not set; create a key" in text
    assert is_plain(text)
    assert platform.asked == []


def test_a_wrong_key_is_one_clear_line(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDC_API_KEY", "stale")
    text = refusal()
    assert "The API key in `MDC_API_KEY` is invalid, expired or revoked" in text
    assert is_plain(text)


@pytest.mark.parametrize(
    ("end", "status", "says"),
    [
        ("cv-es", 404, "Resource not found"),
        ("cv-es", 429, r"too many requests \(HTTP 429\); try again later"),
        ("cv-es", 500, "the server answered with HTTP 500"),
        ("download", 403, "Access denied"),
        ("download", 429, r"too many requests \(HTTP 429\)"),
        ("download", 410, "Resource no longer available"),
        ("archive", 429, r"too many requests \(HTTP 429\)"),
        ("archive", 403, "Access denied|access is denied"),
        ("archive", 503, "the server answered with HTTP 503"),
    ],
)
def test_a_refusal_is_one_clear_line(platform: Platform, end: str, status: int, says: str) -> None:
    platform.status[end] = status
    if end == "archive":
        with pytest.raises(AssetError, match=says) as caught:
            load()
        assert "\n" not in str(caught.value)
    else:
        text = refusal()
        assert re.search(says, text)
        assert is_plain(text)


@pytest.mark.parametrize(
    ("end", "body", "says"),
    [
        ("cv-es", b'{"id": "cv-es", "fil', "the server's answer is cut off or no JSON"),
        ("cv-es", b"<html>maintenance</html>", "the server's answer is cut off or no JSON"),
        ("cv-es", b'{"name": "no id"}', "the server's answer is not as expected"),
        ("cv-es", b'{"id": "cv-es"}', "did not include an archive filename"),
        ("download", b'{"downloadUrl": "http://127', "the server's answer is cut off or no JSON"),
        ("download", b'{"sizeBytes": 4}', "the server's answer is not as expected"),
    ],
)
def test_half_an_answer_is_one_clear_line(
    platform: Platform, end: str, body: bytes, says: str
) -> None:
    platform.body[end] = body
    text = refusal()
    assert re.search(says, text)
    assert is_plain(text)


@pytest.mark.parametrize("end", ["cv-es", "download", "archive"])
def test_a_server_that_hangs_is_given_up_on(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(data_collective, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(data_collective, "STALL_SECONDS", 1.0)
    platform.hangs.add(end)
    started = time.monotonic()
    text = refusal()
    assert "did not answer within 1 s" in text
    assert is_plain(text)
    assert time.monotonic() - started < 10  # the SDK's own limit is sixty


def test_a_closed_port_is_one_clear_line(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MDC_API_URL", "http://127.0.0.1:1/api")
    text = refusal()
    assert "the server cannot be reached" in text
    assert is_plain(text)


def test_a_download_that_breaks_off_goes_on_where_it_was(
    platform: Platform, tmp_path: Path
) -> None:
    platform.short["archive"] = len(platform.archive) // 2
    text = refusal()
    assert "the server's answer ends before its end" in text
    assert is_plain(text)
    platform.short.clear()
    assert load().notes["archive_sha256"] == platform.details["checksum"]


def test_an_archive_of_another_size_or_content_is_refused(platform: Platform) -> None:
    platform.archive = platform.archive[:-1] + b"x"
    with pytest.raises(AssetError, match=r"SHA-256 is not the announced one|is damaged"):
        load()


def test_an_archive_that_is_longer_than_announced_is_refused(
    platform: Platform, tmp_path: Path
) -> None:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    (downloads / "cv-es-24.tar.gz").write_bytes(platform.archive + b"more")
    size = len(platform.archive)
    with pytest.raises(AssetError, match=rf"has {size + 4} bytes instead of {size}; remove it"):
        load()


def test_the_sdk_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "datacollective", None)
    with pytest.raises(ExtraError, match=r'pip install "onnx-speech-harness\[data-collective\]"'):
        load()
