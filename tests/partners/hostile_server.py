"""A TAXII server on loopback that does as a script says: honest, broken, or lying. Replies are written octet by octet, since the point is what no library would send."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

TAXII = "application/taxii+json;version=2.1"
COLLECTION = "00000000-0000-4000-8000-00000000feed"
# Longest time that a connection is kept for a client that says nothing, in seconds.
IDLE_S = 20


@dataclass
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    path: str = ""
    query: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        parts = urlsplit(self.target)
        self.path = parts.path
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}


def slot(n: int) -> str:
    """`date_added` of the n-th object."""
    return f"2024-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.000000Z"


def number(n: int) -> dict:
    """The n-th object, spelled so that two of them differ."""
    at = f"2023-05-01T08:00:00.{n % 1000:03}Z"
    return {"type": "tool", "spec_version": "2.1", "id": f"tool--00000000-0000-4000-8000-{n:012}", "created": at, "modified": at, "name": f"tool {n}"}


def envelope(numbers, **more) -> bytes:
    objects = [number(n) for n in numbers]
    return json.dumps(more | ({"objects": objects} if objects else {})).encode()


def reply(body: bytes, status: int = 200, kind: str | None = TAXII, length: int | None = None, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Something", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"Content-Type: {kind}"] if kind else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def page(numbers, **more) -> bytes:
    """A page with its header."""
    numbers = list(numbers)
    headers = {"X_TAXII_Date_Added_Last": slot(numbers[-1])} if numbers else {}
    return reply(envelope(numbers, **more), **headers)


def honest(count: int, size: int = 3) -> Callable[[Request], bytes]:
    """A whole collection of `count` objects in pages of `size`."""

    def answer(request: Request) -> bytes:
        if not request.query.get("next", "0").isdigit():
            return reply(b'{"title":"that is no next of ours"}', 400)
        after = request.query.get("added_after", "")
        shown = [n for n in range(int(request.query.get("next", "0")), count) if slot(n) > after]
        now, rest = shown[:size], shown[size:]
        return page(now, more=True, next=str(rest[0])) if rest else page(now)

    return answer


class HostileServer:
    """Discovery, API root and collections are in order unless the script says otherwise; `script` answers what is asked for objects and statuses.

    A script gives the octets of a reply, or a function that is given the socket.
    """

    def __init__(self, script, context: ssl.SSLContext | None = None, front=None):
        self.script, self.front, self.asked, self.context = script, front, [], context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.base = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._listen, daemon=True).start()

    def objects_asked(self) -> list[Request]:
        return [request for request in self.asked if "/objects/" in request.path]

    def end(self) -> None:
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(IDLE_S)
        try:
            with self.context.wrap_socket(connection, server_side=True) if self.context else connection as stream:
                reader = stream.makefile("rb")
                while (request := self._read(reader)) is not None:
                    self.asked.append(request)
                    answer = self._answer(request)
                    if callable(answer):
                        answer(stream)
                        return
                    stream.sendall(answer)
        except (OSError, ValueError):
            pass

    @staticmethod
    def _read(reader) -> Request | None:
        start = reader.readline().decode("latin-1").split()
        if len(start) < 2:
            return None
        headers = {}
        while line := reader.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return Request(start[0], start[1], headers, reader.read(int(headers.get("content-length", 0))))

    def _answer(self, request: Request):
        if self.front and (said := self.front(request)) is not None:
            return said
        if request.path == "/taxii2/":
            return reply(b'{"title":"hostile","api_roots":["/api/"]}')
        if request.path == "/api/":
            return reply(json.dumps({"title": "hostile", "versions": [TAXII], "max_content_length": 1_000_000}).encode())
        if request.path == "/api/collections/":
            one = {"id": COLLECTION, "title": "feed", "can_read": True, "can_write": True}
            return reply(json.dumps({"collections": [one]}).encode())
        return self.script(request)


def silence(_: socket.socket) -> None:
    time.sleep(IDLE_S / 2)


def trickle(head: bytes, octet: bytes = b" ") -> Callable[[socket.socket], None]:
    """The head, and then one octet at a time."""

    def send(stream: socket.socket) -> None:
        stream.sendall(head)
        until = time.monotonic() + IDLE_S
        while time.monotonic() < until:
            stream.sendall(octet)
            time.sleep(0.2)

    return send


def flood(head: bytes, chunk: bytes = b" " * 1_048_576) -> Callable[[socket.socket], None]:
    """The head, and then octets for as long as somebody reads."""

    def send(stream: socket.socket) -> None:
        stream.sendall(head)
        while True:
            stream.sendall(chunk)

    return send


def cut_off(octets: bytes) -> Callable[[socket.socket], None]:
    """These octets, and the end."""
    return lambda stream: stream.sendall(octets)
