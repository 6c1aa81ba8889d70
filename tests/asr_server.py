"""A local server with OpenAI's POST /v1/audio/transcriptions, whose answers a test decides."""

from __future__ import annotations

import contextlib
import email.parser
import email.policy
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """`body` as it is, or as JSON; `promised` is a Content-Length that is not kept, `hang` seconds
    pass before the answer, `drop` closes the connection instead of one, `drip` sends the body a
    byte at a time, that many seconds apart, `drip_head` so the headers."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int = 0
    hang: float = 0.0
    drop: bool = False
    drip: float = 0.0
    drip_head: float = 0.0

    @property
    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Asked:
    """A request: its form fields, the audio file's bytes, its headers."""

    fields: Mapping[str, str]
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
        asked = read(body, self.headers)
        self.server.asked.append(asked)
        known = self.path == "/v1/audio/transcriptions"
        self._send(self.server.answer(asked) if known else Reply(404))

    def _send(self, reply: Reply) -> None:
        self.server.over.wait(reply.hang)
        self.close_connection = self.close_connection or reply.drop or bool(reply.promised)
        if reply.drop:
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(reply.promised or len(reply.raw)))
        head, self._headers_buffer = b"".join([*self._headers_buffer, b"\r\n"]), []
        self._write(head, reply.drip_head)
        self._write(reply.raw, reply.drip)

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
