"""Parquet data sets: local folders, and the hub's own clients against a server that plays it."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import math
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from harness.contracts import Dataset
from harness.errors import AssetError
from harness.io import network
from harness.plugins.datasets import hub
from harness.plugins.datasets.hub import files, finding
from harness.speech import audio

COMMIT = "c" * 40


def wav(seconds: float) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.full(round(16_000 * seconds), 0.1), 16_000, format="WAV")
    return buffer.getvalue()


def parquet(first: int, count: int, group: int = 10, **columns: Any) -> bytes:
    """Rows in FLEURS' columns; the clip of row i lasts (1 + i % 7) / 10 s."""
    rows = range(first, first + count)
    table = {
        "id": list(rows),
        "num_samples": [1600 * (1 + i % 7) for i in rows],
        "audio": [{"bytes": wav((1 + i % 7) / 10), "path": f"{i:04}.wav"} for i in rows],
        "transcription": [f"frase {i}" for i in rows],
        "speaker_id": [i % 3 for i in rows],
        **columns,
    }
    content = pa.table({name: values for name, values in table.items() if values is not None})
    features = {"audio": {"sampling_rate": 16_000, "_type": "Audio"}}
    known = {"huggingface": json.dumps({"info": {"features": features}})}
    buffer = io.BytesIO()
    pq.write_table(content.replace_schema_metadata(known), buffer, row_group_size=group)
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def written(folder: Path, **files: bytes) -> Path:
    (folder / "set").mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / "set" / f"{name.replace('_', '-')}.parquet").write_bytes(content)
    return folder / "set"


def load(**params: Any) -> Dataset:
    return hub.load(
        hub.Params(**{k: str(v) if k == "path" else v for k, v in params.items()}), Path
    )


def test_what_unpacks_to_far_more_than_it_is_packed_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "ARCHIVE_FREE_BYTES", 10_000)
    monkeypatch.setattr(files, "ARCHIVE_RATIO", 5)  # what packs these goes to 20
    monkeypatch.setattr(files._Keep, "rows", None)  # nothing is read
    for column in ("transcription", "speaker_id", "accent"):  # a dictionary's value, once for all
        content = parquet(0, 8, **{column: ["a" * 1_000_000] * 8})
        folder = written(tmp_path, test_0=content)
        with pytest.raises(AssetError, match=r"unpacks to \d+ MB from .*, more than 5 times"):
            load(path=folder)


def test_a_row_group_that_is_larger_than_memory_should_hold_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = written(tmp_path, test_0=parquet(0, 20, group=20))
    monkeypatch.setattr(files, "ROW_GROUP_BYTES", 10_000)
    monkeypatch.setattr(files._Keep, "rows", None)
    with pytest.raises(AssetError, match=r"row group of test-0.parquet unpacks to .* smaller"):
        load(path=folder)


@pytest.mark.parametrize(
    ("rows", "megabytes", "together"),
    [
        (100, 30, 16),  # of clips of 300 kB
        (100, 100, 5),
        (1_000, 1_900, 1),  # of any row, a value as large as a dictionary may hold
        (1_000_000, 100, 21),  # of texts: not a step for each
        (0, 0, 16),
    ],
)
def test_rows_are_read_together_as_their_group_is_large(
    rows: int, megabytes: int, together: int
) -> None:
    assert files._Group(rows, 0, megabytes * 10**6).at_once(16) == together


@pytest.mark.parametrize("column", ["transcription", "accent", "path", "speaker_id"])
def test_a_row_with_texts_that_no_table_holds_says_so(
    column: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "ROW_BYTES", 3_000)
    long = [f"{i} {'ñ' * (900 * (i == 1))}" for i in range(3)]  # 6 bytes each, as JSON writes it
    clips = [{"bytes": wav(0.1), "path": long[i]} for i in range(3)]
    changed = {"audio": clips} if column == "path" else {column: long}
    data = load(path=written(tmp_path, test_0=parquet(0, 3, **changed)))
    errors = [utterance.error for utterance in data.utterances]
    if column == "accent":  # is shown, and cut
        assert errors == ["", "", ""]
    else:
        assert errors == ["", "row 1 holds texts of more than 3,000 bytes.", ""]


# ---------------------------------------------------------------------------------- local folders
def test_a_local_folder_gives_its_split_in_order(tmp_path: Path) -> None:
    files = {"test_0": parquet(0, 25), "test_1": parquet(25, 15), "train_0": parquet(900, 5)}
    data = load(path=written(tmp_path, **files))
    found = list(data.utterances)
    assert [one.id for one in found] == [f"{i:04}" for i in range(40)]
    assert [one.text for one in found] == [f"frase {i}" for i in range(40)]
    assert [one.speaker for one in found[:4]] == ["0", "1", "2", "0"]
    assert [one.seconds for one in found[:3]] == [0.1, 0.2, 0.3]  # num_samples / 16 kHz
    assert isinstance(found[26].audio, Path)
    assert len(audio.decode(found[26].audio, 16_000)) == 1600 * (1 + 26 % 7)
    assert (data.name, data.notes["folder"], data.notes["split"]) == ("set", "set", "test")
    assert (data.notes["rows"], data.notes["used"], data.notes["left_out"]) == ("40", "40", "0")
    assert load(path=tmp_path / "set", split="train").utterances[0].id == "0900"


def test_of_a_sample_only_its_clips_are_copied_and_once(tmp_path: Path, cache: Path) -> None:
    folder = written(tmp_path, test_0=parquet(0, 200, group=20))
    data = load(path=folder, limit=20, seed=1)
    clips = sorted(cache.rglob("*.wav"))
    assert len(clips) == len(data.utterances) == 20
    assert data.notes["drawn"] == "stratified strata=10"
    again = load(path=folder, limit=20, seed=1)
    assert (again.fingerprint, again.notes) == (data.fingerprint, data.notes)
    assert load(path=folder, limit=20, seed=2).fingerprint != data.fingerprint


def test_rows_that_cannot_be_used_say_why_and_the_rest_is_used(tmp_path: Path) -> None:
    clips = [
        {"bytes": wav(0.1), "path": "a.wav"},
        {"bytes": None, "path": "b.wav"},
        {"bytes": b"", "path": None},
        {"bytes": wav(0.1), "path": "a.wav"},
        {"bytes": wav(0.1), "path": "../../../out.wav"},
        None,
    ]
    texts = ["uno", "dos", "tres", "", "cinco", "seis"]
    more = {"audio": clips, "transcription": texts, "num_samples": None, "speaker_id": None}
    data = load(path=written(tmp_path, test_0=parquet(0, 6, **more)))
    assert [one.error for one in data.utterances] == [
        "",
        "row 1 holds no audio, only the name of a file.",
        "row 2 holds no audio.",
        "row 3 has no transcript.",
        "",
        "row 5 holds no audio.",
    ]
    assert [one.id for one in data.utterances] == ["a", "b", "row-2", "a#2", "out", "row-5"]
    assert data.notes["left_out"] == "4"
    assert all(math.isnan(one.seconds) for one in data.utterances)
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize(
    ("columns", "params", "says"),
    [
        ({"audio": None}, {}, r"no column with encoded audio; it has id, num_samples, transcr"),
        ({"transcription": None}, {}, "which column is the text"),
        ({}, {"text": "words"}, "no column words; it has id, num_samples, audio"),
        ({}, {"audio": "id"}, "no column with encoded audio"),
        ({}, {"split": "dev"}, r"no split dev; there is: test\."),
        ({"num_samples": None}, {"minutes": 1}, "minutes: no length of a clip is known"),
    ],
)
def test_what_is_not_there_is_one_clear_line(
    tmp_path: Path, columns: dict[str, Any], params: dict[str, Any], says: str
) -> None:
    folder = written(tmp_path, test_0=parquet(0, 12, **columns))
    with pytest.raises(AssetError, match=says) as caught:
        load(path=folder, **params)
    assert "\n" not in str(caught.value)


def test_two_columns_of_audio_are_two_data_sets_whose_clips_share_nothing(tmp_path: Path) -> None:
    def said(level: float) -> list[dict[str, Any]]:
        buffer = io.BytesIO()
        soundfile.write(buffer, np.full(1600, level), 16_000, format="WAV")
        return [{"bytes": buffer.getvalue(), "path": "a.wav"}]

    folder = written(tmp_path, test_0=parquet(0, 1, audio=said(0.1), studio=said(0.5)))

    def level(data: Dataset) -> float:
        clip = data.utterances[0].audio
        assert isinstance(clip, Path)
        return float(audio.decode(clip, 16_000).max())

    first, second = load(path=folder, audio="audio"), load(path=folder, audio="studio")
    assert level(first) == pytest.approx(0.1, abs=1e-4)  # files of the same size
    assert level(second) == pytest.approx(0.5, abs=1e-4)
    assert first.fingerprint != second.fingerprint


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"transcription": None}, r"^set: test-1\.parquet has no column transcription, as others"),
        ({"speaker_id": None}, r"^set: test-1\.parquet has no column speaker_id"),
        ({"num_samples": None}, r"^set: test-1\.parquet has no column num_samples"),
        ({"audio": None}, r"^set: test-1\.parquet has no column audio"),
        ({"audio": ["a", "b", "c"]}, r"^set: test-1\.parquet holds no encoded audio in audio"),
    ],
)
def test_a_second_file_that_lacks_a_column_is_one_clear_line(
    tmp_path: Path, columns: dict[str, Any], says: str
) -> None:
    folder = written(tmp_path, test_0=parquet(0, 12), test_1=parquet(12, 3, **columns))
    for sample in ({}, {"limit": 4}):
        with pytest.raises(AssetError, match=says) as caught:
            load(path=folder, **sample)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PAR1 no parquet PAR1", parquet(0, 12)[:-500]])
def test_a_file_that_is_no_parquet_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(AssetError, match=r"^set: .") as caught:
        load(path=written(tmp_path, test_0=content))
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_a_folder_without_parquet_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "test.csv").write_text("a,b\n1,2\n")
    with pytest.raises(AssetError, match=r"test\.csv is not Parquet"):
        load(path=tmp_path / "set")


@pytest.mark.parametrize("params", [{}, {"repository": "a/b", "path": "x"}])
def test_one_of_repository_and_path_is_given(params: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="exactly one of repository, path"):
        hub.Params(**params)


def test_a_repository_that_cannot_be_one_is_told_as_that() -> None:
    from huggingface_hub.utils import validate_repo_id

    with pytest.raises(ValueError, match="Repo id") as caught:
        validate_repo_id("not a name!")
    assert network.says(caught.value) == "is no owner/name"


def test_a_split_without_a_row_is_refused(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "test.parquet").write_bytes(parquet(0, 0))
    with pytest.raises(AssetError, match=r"^set: the split test holds no row\.$"):
        load(path=tmp_path / "set")


# -------------------------------------------------------------------------------------------- hub
README = b"""---
configs:
- config_name: es_419
  data_files:
  - split: test
    path: es_419/test-*.parquet
  - split: train
    path: es_419/train-*.parquet
---
"""


class Hub(http.server.BaseHTTPRequestHandler):
    """What the clients ask of a hub, for repositories of different behaviour."""

    protocol_version = "HTTP/1.1"
    files: ClassVar[dict[str, dict[str, bytes]]]
    asked: ClassVar[list[str]]

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        name, rest = self.repository()
        status, content, headers = 404, b"{}", {"X-Error-Code": "EntryNotFound"}
        if name == "busy":
            status, headers = 429, {}
        elif name not in self.files:
            headers = {"X-Error-Code": "RepoNotFound"}
        elif rest.startswith("resolve/"):
            content = self.files[name].get(rest.partition(f"resolve/{COMMIT}/")[2], b"")
            status, headers = (200, {"ETag": f'"{sha1(content)}"'}) if content else (404, headers)
        else:
            status, content, headers = 200, self.api(name, rest), {}
        if status == 200 and "Range" in self.headers:
            status, content, headers = self.part(content, headers)
        self.send(status, content, {**headers, "X-Repo-Commit": COMMIT})

    def repository(self) -> tuple[str, str]:
        path = self.path.partition("?")[0].removeprefix("/api").removeprefix("/datasets/")
        _, name, rest = [*path.split("/", 2), "", ""][:3]
        return name, rest

    def api(self, name: str, rest: str) -> bytes:
        files = self.files[name]
        if not rest.startswith("tree/"):
            siblings = [{"rfilename": path} for path in files]
            facts = {"id": f"me/{name}", "sha": COMMIT, "siblings": siblings, "tags": []}
            return json.dumps(facts).encode()
        folder = rest.removeprefix(f"tree/{COMMIT}").strip("/")
        inside = {p for p in files if p.startswith(f"{folder}/" if folder else "")}
        here = len(folder.split("/")) if folder else 0
        out = [
            {"type": "file", "path": p, "size": len(files[p]), "oid": sha1(files[p])}
            for p in inside
            if len(p.split("/")) == here + 1
        ]
        folders = {"/".join(p.split("/")[: here + 1]) for p in inside if p.count("/") > here}
        out += [{"type": "directory", "path": p, "size": 0, "oid": "d" * 40} for p in folders]
        return json.dumps(out).encode()

    def part(self, content: bytes, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
        end = min(int(last or len(content)), len(content) - 1)
        said = {"Content-Range": f"bytes {first}-{end}/{len(content)}"}
        return 206, content[int(first) : end + 1], headers | said

    def send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_args: object) -> None:
        """Quiet."""


def sha1(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


@pytest.fixture
def server() -> Iterator[type[Hub]]:
    class Sets(Hub):
        files: ClassVar = {
            "fleurs": {
                "README.md": README,
                "es_419/test-00000-of-00002.parquet": parquet(0, 30),
                "es_419/test-00001-of-00002.parquet": parquet(30, 30),
                "es_419/train-00000-of-00001.parquet": parquet(90, 10),
            },
            "half": {"README.md": README, "es_419/test-0.parquet": parquet(0, 30)[:-700]},
            "script": {"script.py": b"import datasets"},
            "text": {"test.csv": b"a,b\n1,2\n"},
        }
        asked: ClassVar = []
        url: ClassVar = ""

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sets)
    listener.daemon_threads = True
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    Sets.url = f"http://127.0.0.1:{listener.server_port}"
    yield Sets
    listener.shutdown()
    listener.server_close()
    thread.join()


# the clients read HF_ENDPOINT once, when they are imported: a process of its own
CHILD = """
import json, sys
from pathlib import Path
from harness.plugins.datasets import hub
from harness.errors import HarnessError
for params in json.loads(sys.argv[1]):
    try:
        data = hub.load(hub.Params(**params), Path)
        found = {"name": data.name, "notes": dict(data.notes), "fingerprint": data.fingerprint,
                 "ids": [one.id for one in data.utterances],
                 "errors": [one.error for one in data.utterances if one.error]}
    except HarnessError as error:
        found = {"line": str(error)}
    print(json.dumps(found), flush=True)
"""


def children(tmp_path: Path, url: str, *cases: dict[str, Any]) -> list[dict[str, Any]]:
    own = {"HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps(cases)],
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(text) for text in done.stdout.splitlines()]


@pytest.mark.slow
def test_the_hubs_own_clients_stream_a_sample(tmp_path: Path, server: type[Hub]) -> None:
    fleurs = {"repository": "me/fleurs", "config": "es_419"}
    some, pinned, minutes, split, config, gone, busy, half, script, text = children(
        tmp_path,
        server.url,
        {**fleurs, "limit": 6, "seed": 1},
        {**fleurs, "limit": 6, "seed": 1, "revision": COMMIT},
        {**fleurs, "minutes": 0.1},
        {**fleurs, "split": "dev"},
        {**fleurs, "config": "es"},
        {"repository": "me/gone"},
        {"repository": "me/busy"},
        {**fleurs, "repository": "me/half"},
        {"repository": "me/script"},
        {"repository": "me/text"},
    )
    assert some["name"] == "me/fleurs/es_419"
    assert len(set(some["ids"])) == 6
    assert some["errors"] == []
    assert some["notes"]["commit"] == COMMIT
    assert (some["notes"]["rows"], some["notes"]["column"]) == ("60", "transcription")
    assert some["notes"]["drawn"] == "stratified strata=6"
    assert pinned == some
    assert 0.1 * 60 / 0.7 <= len(minutes["ids"]) <= 0.1 * 60 / 0.1  # of 0.1 to 0.7 s each
    assert split["line"] == "hub me/fleurs es_419: no split dev; there is: test, train."
    assert config["line"].startswith("hub me/fleurs es: BuilderConfig 'es' not found")
    assert gone["line"] == (
        "hub me/gone: there is no such data set, or it is not open to this account (HTTP 404)"
    )
    assert busy["line"] == "hub me/busy: too many requests (HTTP 429); try again later"
    assert half["line"].startswith("hub me/half es_419: ")
    assert script["line"].startswith("hub me/script: ")
    assert "revision: refs/convert/parquet" in text["line"]
    assert all("\n" not in found.get("line", "") for found in (half, script, config))
    assert not any("train-" in asked for asked in server.asked if "resolve" in asked)


@pytest.mark.slow
def test_with_a_commit_what_was_fetched_needs_no_network(tmp_path: Path, server: type[Hub]) -> None:
    pinned = {"repository": "me/fleurs", "config": "es_419", "revision": COMMIT, "limit": 4}
    (first,) = children(tmp_path, server.url, pinned)
    server.asked.clear()
    (again,) = children(tmp_path, "http://127.0.0.1:1", pinned)
    assert again == first
    assert server.asked == []


def test_a_hub_that_is_away_costs_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    started = time.monotonic()
    with pytest.raises(AssetError, match=r"^hub me/fleurs es_419: the server cannot be reached$"):
        load(repository="me/fleurs", config="es_419")
    assert time.monotonic() - started < finding.LIMIT_SECONDS + 5


def test_a_hub_that_hangs_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "ANSWER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(AssetError, match="hub me/x: the server does not answer"):
            load(repository="me/x")


def test_a_question_that_hangs_before_any_socket_is_given_up_on() -> None:
    place = finding.HubPlace("me/x", "", "test", "main")
    with pytest.raises(AssetError, match="hub me/x did not answer within 0 s"):
        finding.asked(lambda: time.sleep(1), place, 0.05)
