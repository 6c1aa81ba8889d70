"""Transcripts from a server: what is sent, what each failure becomes, and our own model served."""

from __future__ import annotations

import email.utils
import gzip
import io
import json
import re
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from asr_server import Asked, Reply, Server, serving
from pydantic import TypeAdapter, ValidationError

from harness.contracts import notes
from harness.errors import AssetError, AudioError, OutputError, SpecError
from harness.plugins.families.http import Params, client, family, identity, replies
from harness.plugins.families.http.model import wav
from harness.plugins.families.http.watchdog import Watchdog
from harness.run.worker import server as worker
from harness.runtime.session import SessionConfig

RATE = 16_000
CLIP = np.random.default_rng(5).integers(-9000, 9000, RATE // 2).astype(np.float32) / 32768
KEY = "a-key-that-nobody-may-see"
MODELS = {"object": "list", "data": [{"id": "base", "owned_by": "us", "created": 17, "root": "w"}]}

Start = Callable[..., Server]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT_SECONDS", 0.01)


@pytest.fixture(autouse=True)
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The connections of a test's clients end with it."""
    made: list[client.Client] = []
    kept = client.Client.__init__

    def init(self: client.Client, params: Params, key: str) -> None:
        kept(self, params, key)
        made.append(self)

    monkeypatch.setattr(client.Client, "__init__", init)
    yield
    for one in made:
        one._http.close()


@pytest.fixture
def start() -> Iterator[Start]:
    """start(reply, reply ...): a server that gives them in turn, the last one for ever."""
    running: list[Any] = []

    def begin(*replies: Reply, models: Reply | None = None) -> Server:
        left = list(replies)
        server = serving(lambda _: left.pop(0) if len(left) > 1 else left[0], models)
        running.append(server)
        return server.__enter__()

    yield begin
    for server in running:
        server.__exit__(None, None, None)


def opened(server: Server, **params: Any) -> Any:
    given = Params(**{"url": server.url, "model": "base", "timeout_seconds": 5.0, **params})
    return family.open(Path(), _no_session, given)


def _no_session(path: Path) -> Any:
    raise AssertionError("a server needs no session")


def call(server: Server, **params: Any) -> Any:
    return opened(server, **params).prepare("pipeline", CLIP)()


# ------------------------------------------------------------------------------------- what is sent
def test_the_server_gets_16_bit_wav_and_the_fields_of_openai(start: Start) -> None:
    server = start(Reply(body={"text": " Hola, mundo. "}))
    said = call(server, language="es")
    (asked,) = server.asked
    assert said.text == "Hola, mundo."
    assert str(said.tokens) == "nan"
    assert said.figures == {"retries": 0.0, "waited_seconds": 0.0}
    assert said.notes == ""
    assert asked.fields == {
        "model": "base", "language": "es", "response_format": "json", "temperature": "0",
    }  # fmt: skip
    heard, rate = soundfile.read(io.BytesIO(asked.audio), dtype="float32")
    assert (rate, soundfile.info(io.BytesIO(asked.audio)).subtype) == (RATE, "PCM_16")
    np.testing.assert_array_equal(heard, CLIP)  # they were 16 bit: nothing is lost
    assert "Authorization" not in asked.headers


def test_without_a_language_none_is_sent(start: Start) -> None:
    server = start(Reply(body={"text": ""}))
    assert call(server, language="").text == ""
    assert "language" not in server.asked[0].fields


def test_samples_beyond_full_scale_are_clipped_not_wrapped() -> None:
    heard, _ = soundfile.read(io.BytesIO(wav(np.array([1.5, -1.5, 0.25]))), dtype="int16")
    assert heard.tolist() == [32767, -32768, 8192]


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros((2, 3)), np.array([np.nan])])
def test_samples_that_are_no_audio_are_not_sent(samples: np.ndarray) -> None:
    with pytest.raises(AudioError):
        wav(samples)


def test_all_calls_share_one_connection_that_opening_made(start: Start) -> None:
    server = start(Reply(body={"text": "a"}))
    again = opened(server).prepare("pipeline", CLIP)
    assert [again().text for _ in range(3)] == ["a"] * 3
    assert len(server.connections) == 1
    assert len({asked.audio for asked in server.asked}) == 1


def test_a_whole_endpoint_as_url_is_understood(start: Start) -> None:
    server = start(Reply(body={"text": "a"}))
    assert call(server, url=server.url + "/audio/transcriptions/").text == "a"


# ------------------------------------------------------------------------------- asking again
@pytest.mark.parametrize(
    ("first", "why"),
    [
        (Reply(429), "429"),
        (Reply(503, headers={"Retry-After": "0"}), "503"),
        (Reply(drop=True), "no answer (Server disconnected without sending a response.)"),
    ],
)
def test_a_busy_server_is_asked_again_and_it_shows(start: Start, first: Reply, why: str) -> None:
    server = start(first, Reply(body={"text": "hola"}))
    said = call(server)
    assert said.text == "hola"
    assert said.figures["retries"] == 1
    assert said.notes == notes.written("repeated", times=2, why=why, seconds="0.0")
    assert server.asked[0].audio == server.asked[1].audio


def test_the_wait_that_a_server_asks_for_is_kept_and_counted(start: Start) -> None:
    server = start(Reply(429, headers={"Retry-After": "1"}), Reply(body={"text": "hola"}))
    ready = opened(server).prepare("pipeline", CLIP)
    started = time.monotonic()
    said = ready()
    assert time.monotonic() - started >= 1.0
    assert said.figures["waited_seconds"] == 1.0


def test_retry_after_may_be_a_date() -> None:
    # RFC 9110, 10.2.3: either an HTTP date or a number of seconds
    soon = email.utils.formatdate(time.time() + 100, usegmt=True)
    assert replies.retry_after(soon) == pytest.approx(100, abs=5)
    assert replies.retry_after("Fri, 31 Dec 1999 23:59:59 GMT") == 0
    assert replies.retry_after("120") == 120
    assert replies.retry_after("Wed, 21 Oct 2015 07:28:00 -0000") == 0
    assert replies.retry_after("soon") is None
    assert replies.retry_after("") is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5.5", 6), ("0.2", 1), (" 7 ", 7), ("3.", 3), ("0", 0), ("0.0", 0),
        ("9" * 400, 86_400), ("1" + "0" * 30, 86_400), ("172800.5", 86_400),
        ("-1", None), ("-0.5", None), ("1e400", None), ("inf", None), ("nan", None), ("5,5", None),
        ("Mon, 99 Foo 2020", None), ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400), ("½", None),
    ],
)  # fmt: skip
def test_retry_after_is_rounded_up_and_bounded(header: str, seconds: float | None) -> None:
    assert replies.retry_after(header) == seconds


@pytest.mark.parametrize(("retries", "sent", "times"), [(2, 3, "3 times"), (0, 1, "once")])
def test_429_for_ever_becomes_one_line(start: Start, retries: int, sent: int, times: str) -> None:
    server = start(Reply(429, body={"error": {"message": "slow down"}}))
    with pytest.raises(OutputError, match=f"sent {times}, answered 429: .*slow down"):
        call(server, retries=retries)
    assert len(server.asked) == sent


def test_a_wait_beyond_the_timeout_is_not_begun(start: Start) -> None:
    server = start(Reply(429, headers={"Retry-After": "3600"}))
    with pytest.raises(OutputError, match="again in 3600 s, beyond timeout_seconds 5"):
        call(server)


# --------------------------------------------------------------------------------- what goes wrong
WRONG = [
    (Reply(500, body=b"Traceback\n  boom"), "answered 500: Traceback boom"),
    (Reply(500), r"answered 500: \{\}"),
    (Reply(400, body=b""), r"answered 400\.$"),
    (Reply(401, body={"error": "no"}), r"wants a key: name it in api_key_env \(401\)"),
    (Reply(404, body=b"no"), r"has no /v1/audio/transcriptions, or no model 'base' \(404\): no"),
    (Reply(307, headers={"Location": "http://elsewhere"}), r"sends elsewhere \(307\)"),
    (Reply(body=b'{"text": "Muchas gra'), 'answered no JSON: {"text": "Muchas gra'),
    (Reply(body=b'{"text": "Muchas gra', promised=99), "its answer broke off"),
    (Reply(body=b""), r"answered no JSON\.$"),
    (Reply(body=b"\xff\xfe"), "answered no JSON"),
    (Reply(body=b"[" * 100_000), "answered no JSON"),
    (Reply(body=b'"no\x00 \x1b[31mred\x07"'), 'answered no JSON: "no\ufffd \ufffd.31mred\ufffd"'),
    # of over 4300 digits: Python 3.10.7 and later refuse it, before it is a number like any other
    (Reply(body=b'{"n": ' + b"9" * 5000 + b"}"), "(no JSON|JSON without `text`): .*99"),
    (Reply(body={"texto": "hola"}), "answered JSON without `text`"),
    (Reply(body={"text": None}), "answered JSON without `text`"),
    (Reply(body=["text"]), "answered JSON without `text`"),
    (Reply(body=b" " * (1 << 21)), "its answer is over 1 MB"),
]


@pytest.mark.parametrize(("reply", "told"), WRONG, ids=[told[:24] for _, told in WRONG])
def test_each_wrong_answer_is_one_line(start: Start, reply: Reply, told: str) -> None:
    server = start(reply, Reply(body={"text": "never asked again"}))
    with pytest.raises(OutputError, match=told) as caught:
        call(server)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "slow",
    [
        Reply(hang=30),
        Reply(body={"text": "x" * 99}, drip=0.05),
        Reply(hang=0.3, drip=30),  # a byte of the body just before the end, then nothing
        Reply(drip_head=0.1),  # each byte comes in time, all of them take over 10 s
    ],
    ids=["hangs", "drips", "stalls", "drips-headers"],
)
def test_a_server_that_hangs_is_left_after_the_timeout(start: Start, slow: Reply) -> None:
    server = start(slow, Reply(body={"text": "hola"}))
    model = opened(server, timeout_seconds=0.4)
    started = time.monotonic()
    with pytest.raises(OutputError, match=r"gave no answer within 0\.4 s"):
        model.prepare("pipeline", CLIP)()
    assert time.monotonic() - started < 5
    assert model.prepare("pipeline", CLIP)().text == "hola"  # the next call is none the worse


def test_the_time_of_a_call_that_is_sent_again_is_bounded_too(start: Start) -> None:
    slow = [Reply(429, headers={"Retry-After": "0"}, hang=0.3), Reply(drip_head=0.1)]
    model = opened(start(*slow, Reply(body={"text": "hola"})), timeout_seconds=0.6)
    started = time.monotonic()
    with pytest.raises(OutputError, match=r"gave no answer within 0\.6 s"):
        model.prepare("pipeline", CLIP)()
    assert time.monotonic() - started < 5
    assert model.prepare("pipeline", CLIP)().text == "hola"


def test_a_watchdog_ends_with_its_client() -> None:
    before = set(threading.enumerate())
    dog = Watchdog(0.01)
    (thread,) = set(threading.enumerate()) - before
    assert thread.is_alive()
    del dog
    thread.join(5)
    assert not thread.is_alive()


def test_a_server_whose_first_answer_trickles_is_left_after_the_timeout(start: Start) -> None:
    started = time.monotonic()
    with pytest.raises(AssetError, match=r"gave no answer within 0\.4 s"):
        opened(start(Reply(), models=Reply(drip_head=0.1)), timeout_seconds=0.4)
    assert time.monotonic() - started < 5


BOMB = gzip.compress(b'{"text": "' + b" " * 50_000_000 + b'"}')
PACKED = gzip.compress(b'{"text": "hola"}')


@pytest.mark.parametrize(
    ("headers", "body", "told"),
    [
        ({"Content-Encoding": "gzip"}, BOMB, "its answer is over 1 MB"),
        ({"Content-Encoding": "deflate"}, zlib.compress(b" " * 10_000_000), "over 1 MB"),
        ({"Content-Encoding": "gzip"}, b"no gzip", "its answer cannot be unpacked"),
        ({"Content-Encoding": "gzip"}, PACKED[:-8], "broke off: what is packed has no end"),
        ({"Content-Encoding": "gzip"}, PACKED[:-1], "broke off: what is packed has no end"),
        ({"Content-Encoding": "gzip"}, PACKED + PACKED, "goes on behind what is packed"),
        ({"Content-Encoding": "gzip"}, PACKED + b"x", "goes on behind what is packed"),
        ({"Content-Encoding": "deflate"}, zlib.compress(b'{"text": "hola"}')[:-2], "has no end"),
        ({"Content-Encoding": "br"}, b"xx", "answered in the encoding 'br'"),
        ({"Content-Encoding": "zstd, gzip"}, b"xx", "answered in the encoding 'zstd, gzip'"),
    ],
)
def test_what_is_packed_is_bounded_too(
    start: Start, headers: dict[str, str], body: bytes, told: str
) -> None:
    with pytest.raises(OutputError, match=told):
        call(start(Reply(body=body, headers=headers)))


def test_an_answer_that_is_packed_unasked_is_read(start: Start) -> None:
    server = start(Reply(body=PACKED, headers={"Content-Encoding": "gzip"}))
    assert call(server).text == "hola"
    assert server.asked[0].headers["Accept-Encoding"] == "identity"


def test_a_list_of_models_beyond_its_bound_is_not_read_and_that_is_told(start: Start) -> None:
    listed = {"data": [{"id": "base", "owned_by": "x" * 5_000_000}]}
    server = start(Reply(body={"text": "a"}), models=Reply(body=listed))
    found = identity(Params(url=server.url, model="base"))
    assert "over 4 MB" in found["list of models"]
    assert call(server).text == "a"


def test_what_a_server_says_of_a_model_is_one_short_printable_line(start: Start) -> None:
    own = {"id": "base", "root": "a\n\x1b[31mb", "owned_by": ["x"], "parent": "y" * 999}
    found = identity(Params(start(Reply(), models=Reply(body={"data": [own]})).url, "base"))
    assert found["listed_root"] == "a \ufffd[31mb"
    assert "listed_owned_by" not in found
    assert len(found["listed_parent"]) == client.SHOWN


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_key_never_follows_to_another_server(
    start: Start, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("THE_KEY", KEY)
    other = start(Reply(body={"text": "stolen"}))
    there = f"{other.url}/audio/transcriptions"
    server = start(Reply(status, headers={"Location": there}))
    with pytest.raises(OutputError, match=rf"sends elsewhere \({status}\)"):
        call(server, api_key_env="THE_KEY")
    assert other.connections == []


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"temperature": None}, {"model", "language", "response_format"}),
        ({"response_format": None}, {"model", "language", "temperature"}),
        ({"response_format": None, "temperature": None, "language": ""}, {"model"}),
        ({"response_format": "verbose_json"}, {"model", "language", "response_format",
                                               "temperature"}),
    ],
)  # fmt: skip
def test_fields_that_a_server_refuses_can_be_left_out(
    start: Start, given: dict[str, Any], sent: set[str]
) -> None:
    server = start(Reply(body={"text": "hola"}))
    made = TypeAdapter(Params).validate_python({"url": server.url, "model": "base", **given})
    assert family.open(Path(), _no_session, made).prepare("pipeline", CLIP)().text == "hola"
    assert set(server.asked[0].fields) == sent


def test_a_call_says_what_was_done_to_its_answer(start: Start) -> None:
    said = {"text": "", "segments": [{"text": " <|es|> Hola,"}, {"text": " mundo. [Música]"}]}
    found = call(start(Reply(429, headers={"Retry-After": "0"}), Reply(body=said)))
    assert found.text == "Hola, mundo."
    assert found.notes == (
        'text_taken where=segments; markup markup="tokens, remarks"; '
        "repeated times=2 why=429 seconds=0.0"
    )


def test_half_a_pair_of_surrogates_is_made_text(start: Start) -> None:
    server = start(Reply(body=rb'{"text": "hola \ud83d"}'))
    assert call(server).text == "hola ?"


def test_a_server_that_went_away_is_one_line_per_call(start: Start) -> None:
    with serving(lambda _: Reply(body={"text": "a"})) as server:
        model = opened(server)
    for _ in range(2):
        with pytest.raises(OutputError, match=r"cannot be reached|no answer"):
            model.prepare("pipeline", CLIP)()


# ----------------------------------------------------------------------------------- at the opening
def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_server_that_is_not_there_is_one_line() -> None:
    with pytest.raises(
        AssetError, match=r"^127\.0\.0\.1:\d+ cannot be reached: .*refused"
    ) as caught:
        family.open(Path(), _no_session, Params(f"http://127.0.0.1:{free_port()}/v1", "m"))
    assert "\n" not in str(caught.value)


def test_a_server_without_tls_asked_by_tls_is_one_line(start: Start) -> None:
    server = start(Reply())
    with pytest.raises(AssetError, match=r"cannot be reached: .*SSL"):
        opened(server, url=server.url.replace("http:", "https:"))


@pytest.mark.parametrize(
    ("models", "told"),
    [
        (Reply(401), r"refuses the key in THE_KEY \(401\)"),
        (Reply(403), r"refuses the key in THE_KEY \(403\)"),
        (Reply(503, body=b"loading"), "answered 503: loading"),
        (Reply(302, headers={"Location": "/login"}), r"sends elsewhere \(302\)"),
        (Reply(hang=30), r"gave no answer within 0\.4 s"),
    ],
)
def test_a_server_that_lets_nobody_in_is_one_line(
    start: Start, models: Reply, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_KEY", KEY)
    with pytest.raises(AssetError, match=told):
        opened(start(Reply(), models=models), api_key_env="THE_KEY", timeout_seconds=0.4)


@pytest.mark.parametrize("models", [Reply(404), Reply(200, body=b"<html>"), Reply(200, body=[1])])
def test_a_server_without_a_list_of_models_is_opened(start: Start, models: Reply) -> None:
    assert call(start(Reply(body={"text": "a"}), models=models)).text == "a"


def test_the_identity_holds_what_stays_the_same(start: Start) -> None:
    server = start(Reply(), models=Reply(body=MODELS, headers={"Server": "vllm"}))
    found = identity(Params(url=server.url + "/", model="base"))
    assert found["server"].startswith("BaseHTTP")
    assert {k: v for k, v in found.items() if k != "server"} == {
        "url": server.url, "model": "base",
        "listed_id": "base", "listed_root": "w", "listed_owned_by": "us",
    }  # fmt: skip
    assert set(identity(Params(url=server.url, model="another"))) == {"url", "model", "server"}


# ------------------------------------------------------------------------------------------ the key
def test_the_key_is_sent_and_shows_nowhere(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("THE_KEY", f" {KEY}\n")  # as a file that was read into it may have left it
    echo = [
        Reply(401, body={"error": {"message": f"Incorrect API key provided: {KEY}"}}),
        Reply(400, body=b" " * 500 + KEY.encode() * 90),
        Reply(200, body={"text": f"your key is {KEY}"}),
        Reply(200, body=f'{{"txt": "{KEY}'.encode()),
        Reply(429, body=KEY.encode()),
    ]
    server = start(*echo, models=Reply(body={"data": [{"id": "base", "owned_by": KEY}]}))
    params = Params(url=server.url, model="base", api_key_env="THE_KEY", retries=1)
    child = worker.Server()
    opening = {"family": "http", "folder": "", "params": asdict(params)}
    child.answer({"open": {**opening, "session": SessionConfig("default").to_json()}})
    clip = tmp_path / "clip.wav"
    clip.write_bytes(wav(CLIP))
    rows = child.answer({"utterances": {"items": [{"path": str(clip)}] * len(echo)}})
    assert [bool(row.get("error")) for row in rows["calls"]] == [True] * 5
    assert rows["calls"][2]["error"].endswith("answered a transcript with the key in it.")
    told = json.dumps([opening, rows, identity(params), repr(params), repr(child._opened)])
    assert {asked.headers["Authorization"] for asked in server.asked} == {f"Bearer {KEY}"}
    assert KEY not in told
    assert KEY[:8] not in told
    assert told.count("***") >= 5


@pytest.mark.parametrize(("key", "told"), [("x", "***"), ("test", "x"), ("a" * 15, "x")])
def test_a_key_like_a_word_changes_no_transcript(
    start: Start, monkeypatch: pytest.MonkeyPatch, key: str, told: str
) -> None:
    monkeypatch.setenv("THE_KEY", key)
    said = f"el taxi, test y {'a' * 15}"
    server = start(Reply(body={"text": said}), Reply(400, body=b"no x"))
    ask = opened(server, api_key_env="THE_KEY").prepare("pipeline", CLIP)
    assert ask().text == said
    with pytest.raises(OutputError, match="answered 400: no " + re.escape(told)):
        ask()


@pytest.mark.parametrize("value", [None, "", "  ", "two words", "ñandú", "new\nline"])
def test_a_key_that_is_not_there_or_none_is_one_line(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("THE_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("THE_KEY", value)
    with pytest.raises(SpecError, match=r"THE_KEY (is not set|holds cannot be a key)") as caught:
        family.open(Path(), _no_session, Params("http://h/v1", "m", api_key_env="THE_KEY"))
    assert not value or not value.strip() or value not in str(caught.value)


# --------------------------------------------------------------------------------------- parameters
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"url": "localhost:8000/v1"}, "url should be the server's base URL"),
        ({"url": "http://"}, "url should be"),
        ({"url": "http://h:port/v1"}, "url should be"),
        ({"url": "ftp://h/v1"}, "url should be"),
        ({"url": f"http://me:{KEY}@h/v1"}, "url holds a user"),
        ({"url": f"http://h/v1?key={KEY}"}, "url holds a user"),
        ({"api_key_env": KEY}, "takes the NAME of an environment variable"),
        ({"api_key_env": "sk_lower"}, "takes the NAME"),
        ({"model": " "}, "model is empty"),
        ({"timeout_seconds": 0.0}, "timeout_seconds must be over 0"),
        ({"timeout_seconds": float("nan")}, "timeout_seconds must be over 0"),
        ({"retries": -1}, "retries must be from 0"),
        ({"temperature": 2.0}, "temperature must be"),
        ({"concurrency": 9}, "concurrency must be from 1 to 8, not 9"),
        ({"concurrency": 0}, "concurrency must be from 1 to 8, not 0"),
        ({"api": "chat", "response_format": "text"}, "response_format has no meaning with"),
        ({"prompt": "Write"}, "prompt has a meaning with `api: chat` only"),
        ({"max_tokens": 0}, "max_tokens must be from 1"),
    ],
)
def test_a_wrong_parameter_is_told_without_what_may_be_secret(
    given: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        Params(**{"url": "http://h/v1", "model": "m", **given})
    assert KEY not in str(caught.value)
    with pytest.raises(ValidationError):
        TypeAdapter(Params).validate_python({"url": "http://h/v1", "model": "m", **given})


def test_a_server_has_no_files(tmp_path: Path) -> None:
    family.build(tmp_path, tmp_path)
    assert not family.has_files
    assert family.graphs(tmp_path) == {}
    given = Params(url="http://h/v1", model="m")
    assert list(family.feeds(tmp_path, _no_session, given, [CLIP])) == []


# -------------------------------------------------------------------------------- our model, served
@pytest.mark.model
def test_our_whisper_behind_a_server_says_what_it_says_here(whisper_fp32: Path) -> None:
    import material

    from harness.plugins import load

    own = load("families", "whisper")
    context = {"min_seconds": 10.0, "extra_seconds": 1.0}
    given = TypeAdapter(own.Params).validate_python({"language": "es", "context": context})
    model = own.open(whisper_fp32, material.start, given)

    def answer(asked: Asked) -> Reply:
        samples, rate = soundfile.read(io.BytesIO(asked.audio), dtype="float32")
        assert (rate, asked.fields["language"]) == (RATE, "es")
        return Reply(body={"text": model.prepare("pipeline", samples)().text})

    with serving(answer) as server:
        remote = opened(server, timeout_seconds=60.0)
        for clip in material.clips(1):
            here = model.prepare("pipeline", clip.samples)().text
            assert len(here) > 10
            assert remote.prepare("pipeline", clip.samples)().text == here
