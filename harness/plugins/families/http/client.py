"""Asks the server: one pooled connection, repetitions that it asks for, one line per failure."""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.errors import AssetError, HarnessError, OutputError, SpecError, limits
from harness.io.network import within
from harness.plugins.families.http import chat
from harness.plugins.families.http.answers import NoTranscriptError, transcript
from harness.plugins.families.http.params import ENDPOINT, Params
from harness.plugins.families.http.replies import (
    Answer,
    Reply,
    Said,
    printable,
    retry_after,
    server_seconds,
)
from harness.plugins.families.http.watchdog import Watchdog

if TYPE_CHECKING:
    import httpx2

OPEN_SECONDS = 10.0  # for the first answer, which no model is needed for
FIRST_WAIT_SECONDS = 0.5  # doubled each time, where the server does not say how long
MOST_WAIT_SECONDS = 8.0
ENCODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # -> wbits of zlib
LATER = (429, 503)  # the server asks to come again
SHOWN = 160  # characters of a wrong answer
KEY_SIGNS = 16  # from here on a key is no word that somebody says
# of a listed model; others ("created", "permission") are made anew for each answer by some servers
LISTED = ("id", "root", "parent", "owned_by", "max_model_len")


class Client:
    """Speaks to one server; what it says of itself and of errors is shown without the key."""

    def __init__(self, params: Params, key: str) -> None:
        import httpx2

        self._params, self._key = params, key
        self._where, self._began = urlsplit(params.base).netloc, 0.0
        self._watchdog = Watchdog(params.timeout_seconds)
        # asked for as it is: unpacking would be timed, and what is packed may be of any size
        headers = {"Accept-Encoding": "identity"}
        headers |= {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx2.Client(
            headers=headers,
            timeout=params.timeout_seconds,
            # the connection stays open for as long as the server keeps it
            limits=httpx2.Limits(max_connections=1, keepalive_expiry=None),
        )

    def close(self) -> None:
        """Ends the connection."""
        self._http.close()

    # -------------------------------------------------------------------------------- transcripts
    def request(self, wav: bytes) -> httpx2.Request:
        """The whole body, made before the clock starts; it can be sent again and again."""
        asked = self._params
        if asked.api == "chat":
            return self._http.build_request(
                "POST",
                asked.base + asked.endpoint,
                content=chat.body(asked, wav),
                headers={"Content-Type": "application/json"},
            )
        fields: dict[str, str] = {"model": asked.model}
        if asked.response_format is not None:
            fields["response_format"] = asked.response_format
        if asked.temperature is not None:
            fields["temperature"] = f"{asked.temperature:g}"
        if asked.language:
            fields["language"] = asked.language
        files = {"file": ("clip.wav", wav, "audio/wav")}
        made = self._http.build_request("POST", asked.base + ENDPOINT, data=fields, files=files)
        made.read()
        return made

    def transcribe(self, request: httpx2.Request) -> Answer:
        """Raises: OutputError, one line, for whatever is not a transcript."""
        self._began = time.monotonic()
        self._watchdog.until = deadline = self._began + self._params.timeout_seconds
        try:
            return self._answer(request, deadline)
        finally:
            self._watchdog.until = float("inf")

    def _answer(self, request: httpx2.Request, deadline: float) -> Answer:
        waited, why = 0.0, ""
        for sent in range(self._params.retries + 1):
            reply = self._send(request, deadline)
            if reply.status not in LATER and not reply.broken:
                return Answer(self._said(reply), sent, waited, server_seconds(reply), why)
            why = reply.broken or str(reply.status)
            if sent < self._params.retries:
                waited += self._wait(reply, sent, deadline)
        times = "once" if self._params.retries == 0 else f"{self._params.retries + 1} times"
        raise OutputError(self._clean(f"sent {times}, answered {why}{self._excerpt(reply)}"))

    def _send(self, request: httpx2.Request, deadline: float) -> Reply:
        """Raises: OutputError where time is over or the answer broke off."""
        import httpx2

        left = max(0.001, deadline - time.monotonic())
        seen, timeout = self._watchdog.seen, httpx2.Timeout(left).as_dict()
        request.extensions = {**request.extensions, "trace": seen, "timeout": timeout}
        try:
            with self._one_line(OutputError):
                found: Reply | OutputError = self._exchange(request)
        except OutputError as error:
            found = error
        if time.monotonic() >= deadline:  # what was found may be but a connection that was shut
            raise OutputError(self._clean(self._late()))
        if isinstance(found, OutputError):
            raise found
        return found

    def _exchange(self, request: httpx2.Request) -> Reply:
        import httpx2

        try:
            response = self._http.send(request, stream=True)
        except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError) as error:
            return Reply(broken=f"no answer ({_said(error)})")
        try:
            if self._params.stream and self._is_stream(response):
                return self._streamed(response)
            body = self._body(response, limits.ANSWER_BYTES)
        finally:
            response.close()
        return Reply(response.status_code, response.headers, body)

    def _is_stream(self, response: httpx2.Response) -> bool:
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        asked = self._params.api == "chat" and response.status_code == 200
        return bool(asked and kind == chat.STREAM)

    def _streamed(self, response: httpx2.Response) -> Reply:
        """A stream, read as it comes. Raises: OutputError for one that is no transcript."""
        stream = chat.Events(self._params)
        status, headers = response.status_code, response.headers
        try:
            for part in self._parts(response, limits.STREAM_BYTES):
                stream.feed(part, time.monotonic() - self._began)
            said = stream.said(time.monotonic() - self._began)
        except NoTranscriptError as error:
            raise self._none(error, Reply(status, headers, stream.shown)) from None
        return Reply(status, headers, stream.shown, said=said)

    def _body(self, response: httpx2.Response, most: int) -> bytes:
        """The whole body, unpacked. Raises: OutputError for one that is longer than `most`."""
        return b"".join(self._parts(response, most))

    def _parts(self, response: httpx2.Response, most: int) -> Iterator[bytes]:
        """The body as it comes, unpacked. Raises: as `_body`."""
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity", *ENCODINGS):
            raise OutputError(self._clean(f"answered in the encoding {encoding[:20]!a}"))
        unpack = zlib.decompressobj(ENCODINGS[encoding]) if encoding in ENCODINGS else None
        size = 0
        for part in response.iter_raw():
            try:
                plain = unpack.decompress(part, most + 1) if unpack else part
            except zlib.error as error:
                raise OutputError(self._clean(f"its answer cannot be unpacked: {error}")) from None
            size += len(plain)
            if size > most:
                raise OutputError(self._clean(f"its answer is over {most // limits.MEGABYTE} MB"))
            if unpack and unpack.unused_data:  # a second part, which would go unread
                raise OutputError(self._clean("its answer goes on behind what is packed"))
            yield plain
        if unpack and size and not unpack.eof:  # half a text looks like a whole one
            raise OutputError(self._clean("its answer broke off: what is packed has no end"))

    def _wait(self, reply: Reply, sent: int, deadline: float) -> float:
        """Seconds waited. Raises: OutputError where the server asks for more than is left."""
        asked = retry_after(reply.header("retry-after"))
        seconds = min(FIRST_WAIT_SECONDS * 2**sent, MOST_WAIT_SECONDS) if asked is None else asked
        if time.monotonic() + seconds > deadline:
            raise OutputError(
                self._clean(
                    f"answered {reply.broken or reply.status} and is to be asked again in "
                    f"{seconds:.0f} s, beyond timeout_seconds {self._params.timeout_seconds:g}"
                )
            )
        time.sleep(seconds)
        return seconds

    def _said(self, reply: Reply) -> Said:
        """Raises: OutputError for an answer that is no transcript, and where the key is in it."""
        if reply.status != 200:
            raise OutputError(self._clean(self._refusal(reply)))
        try:
            found = reply.said or self._whole(reply.body)
        except NoTranscriptError as error:
            raise self._none(error, reply) from None
        if len(self._key) >= KEY_SIGNS and self._key in found.text:
            raise OutputError(self._clean("answered a transcript with the key in it"))
        return found

    def _whole(self, body: bytes) -> Said:
        if self._params.api == "chat":
            return chat.whole(body, self._params)
        return transcript(body, self._params.response_format)

    def _none(self, error: NoTranscriptError, reply: Reply) -> OutputError:
        return OutputError(self._clean(f"{error}{self._excerpt(reply)}"))

    # ------------------------------------------------------------------------------- the server
    def greet(self) -> Mapping[str, Any]:
        """The server's list of models, {} where it has none; opens the connection.

        Raises: AssetError where it cannot be reached, or lets nobody in with this key.
        """
        timeout = min(OPEN_SECONDS, self._params.timeout_seconds)
        url, seen = f"{self._params.base}/models", {"trace": self._watchdog.seen}

        def ask() -> Reply:
            with (
                self._one_line(OutputError, timeout),
                self._http.stream("GET", url, timeout=timeout, extensions=seen) as response,
            ):
                status, headers = response.status_code, response.headers
                try:
                    return Reply(status, headers, self._body(response, limits.LISTED_BYTES))
                except OutputError as error:
                    return Reply(status, headers, broken=str(error))

        try:
            reply = within(timeout, ask, self._where)
        except OutputError as error:
            raise AssetError(str(error)) from None
        except AssetError:  # all in all it took too long
            self._watchdog.shut()
            raise AssetError(self._clean(self._late(timeout))) from None
        self._server, self._unread = (reply.headers or {}).get("server", ""), reply.broken
        if reply.status in (401, 403, *LATER) or 300 <= reply.status < 400:
            raise AssetError(self._clean(self._refusal(reply)))
        try:
            listed = json.loads(reply.body) if reply.status == 200 else {}
        except (ValueError, RecursionError):
            listed = {}
        return listed if isinstance(listed, dict) else {}

    def identity(self) -> dict[str, str]:
        """URL, model, the server's name, and what its list says of the model. Raises: `greet`."""
        data = self.greet().get("data")
        entries = [e for e in data if isinstance(e, dict)] if isinstance(data, list) else []
        own = next((e for e in entries if e.get("id") == self._params.model), {})
        told = {f"listed_{k}": self._shown(own.get(k)) for k in LISTED}
        return {
            "url": self._params.base,
            "model": self._params.model,
            "server": self._shown(self._server),
            **{name: text for name, text in told.items() if text},
            **({"list of models": f"not read: {self._unread}"} if self._unread else {}),
        }

    def _shown(self, value: Any) -> str:
        """A name or number as a server says it, in one short line; "" for what is neither."""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return ""
        return printable(self._hidden(str(value)))[:SHOWN]

    # -------------------------------------------------------------------------------- one line each
    @contextmanager
    def _one_line(self, kind: type[HarnessError], seconds: float | None = None) -> Iterator[None]:
        """What the HTTP client raises becomes one line without the key."""
        import httpx2

        try:
            yield
        except httpx2.TimeoutException:
            raise kind(self._clean(self._late(seconds))) from None
        except httpx2.ConnectError as error:
            raise kind(self._clean(f"cannot be reached: {_said(error)}")) from None
        except (httpx2.RequestError, httpx2.InvalidURL) as error:
            raise kind(self._clean(f"its answer broke off: {_said(error)}")) from None

    def _late(self, seconds: float | None = None) -> str:
        return f"gave no answer within {seconds or self._params.timeout_seconds:g} s"

    def _refusal(self, reply: Reply) -> str:
        status, excerpt = reply.status, self._excerpt(reply)
        if status in (401, 403):
            name = self._params.api_key_env
            how = f"refuses the key in {name}" if name else "wants a key: name it in api_key_env"
            return f"{how} ({status}){excerpt}"
        if 300 <= status < 400:
            return f"sends elsewhere ({status}): write the address of the server itself as url"
        if status == 404:
            model, path = self._params.model, urlsplit(self._params.base).path
            return f"has no {path}{self._params.endpoint}, or no model {model!r} (404){excerpt}"
        return f"answered {status}{excerpt}"

    def _excerpt(self, reply: Reply) -> str:
        """`: ...`, the beginning of what the server says, "" where that is nothing."""
        # hidden before it is cut, lest half a key be left
        text = printable(self._hidden(reply.body.decode("utf-8", "replace")))
        return f": {text[:SHOWN]}{'...' if len(text) > SHOWN else ''}" if text else ""

    def _clean(self, said: str) -> str:
        return f"{self._where} {self._hidden(said)}."

    def _hidden(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


def connect(params: Params) -> Client:
    """Raises: SpecError for a key that the environment does not hold, or that is none."""
    key = os.environ.get(params.api_key_env, "").strip() if params.api_key_env else ""
    if params.api_key_env and not key:
        raise SpecError(f"api_key_env: the environment variable {params.api_key_env} is not set.")
    if not key.isascii() or not all(sign.isprintable() and sign != " " for sign in key):
        raise SpecError(f"api_key_env: what {params.api_key_env} holds cannot be a key.")
    return Client(params, key)


def _said(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
