"""A local server with OpenAI's POST /v1/audio/transcriptions and /v1/chat/completions, whose
answers a test decides."""

from __future__ import annotations

import base64
import contextlib
import email.parser
import email.policy
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """`body` as it is, or as JSON; `promised` is a Content-Length that is not kept, `hang` seconds
    pass before the answer, `drop` closes the connection instead of one, `drip` sends the body a
    byte at a time, that many seconds apart, `drip_head` so the headers. `parts` come instead of a
    body, `gap` seconds apart, in chunks of which the last is the end unless `cut`."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int = 0
    hang: float = 0.0
    drop: bool = False
    drip: float = 0.0
    drip_head: float = 0.0
    parts: Iterable[bytes] = ()
    gap: float = 0.0
    cut: bool = False

    @property
    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Asked:
    """A request: its form fields or, of a chat, its JSON; the audio file's bytes, its headers."""

    fields: Mapping[str, Any]
    audio: bytes
    headers: Mapping[str, str]


class Server(ThreadingHTTPServer):
    """`url` is the base URL; `asked` all transcriptions so far; `connections` those ever made."""

    daemon_threads = True

    def __init__(self, answer: Callable[[Asked], Reply], models: Reply | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer, self.models = answer, models or Reply(404)
        self.url = f"http://127.0.0.1:{self.server_port}/v1"
        self.asked: list[Asked] = []
        self.connections: list[socket.socket] = []
        self.over = threading.Event()

    def handle_error(self, *_: Any) -> None:
        """A client that went away is what some tests are about."""

    def end(self) -> None:
        """Also for those who are connected: hanging answers are let go."""
        self.over.set()
        self.shutdown()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body go out in two writes, else 40 ms apart
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.connections.append(self.connection)

    def do_GET(self) -> None:
        self._send(self.server.models)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        chat = self.path == "/v1/chat/completions"
        asked = (read_chat if chat else read)(body, self.headers)
        self.server.asked.append(asked)
        known = chat or self.path == "/v1/audio/transcriptions"
        self._send(self.server.answer(asked) if known else Reply(404))

    def _send(self, reply: Reply) -> None:
        self.server.over.wait(reply.hang)
        self.close_connection = self.close_connection or reply.drop or bool(reply.promised)
        if reply.drop:
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        length = ("Content-Length", str(reply.promised or len(reply.raw)))
        self.send_header(*(("Transfer-Encoding", "chunked") if reply.parts else length))
        head, self._headers_buffer = b"".join([*self._headers_buffer, b"\r\n"]), []
        self._write(head, reply.drip_head)
        if reply.parts:
            self._stream(reply)
            return
        self._write(reply.raw, reply.drip)

    def _stream(self, reply: Reply) -> None:
        for part in reply.parts:
            if self.server.over.is_set():
                return
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            self.server.over.wait(reply.gap)
        self.close_connection = self.close_connection or reply.cut
        if not reply.cut:
            self.wfile.write(b"0\r\n\r\n")

    def _write(self, content: bytes, drip: float) -> None:
        step = 1 if drip else len(content) or 1
        for at in range(0, len(content), step):
            self.wfile.write(content[at : at + step])
            self.server.over.wait(drip)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextlib.contextmanager
def serving(answer: Callable[[Asked], Reply], models: Reply | None = None) -> Iterator[Server]:
    """A server on a free port of this machine until the block ends."""
    server = Server(answer, models)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.end()
        thread.join()


def read(body: bytes, headers: Any) -> Asked:
    """A multipart form, by the standard library's reader of mail."""
    head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    fields, audio = {}, b""
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if name == "file":
            audio = content
        else:
            fields[name] = content.decode()
    return Asked(fields, audio, dict(headers.items()))


def read_chat(body: bytes, headers: Any) -> Asked:
    """A chat's request, and the audio in its first part."""
    fields = json.loads(body)
    sound = fields["messages"][0]["content"][0]["input_audio"]
    assert sound["format"] == "wav"
    return Asked(fields, base64.b64decode(sound["data"], validate=True), dict(headers.items()))
