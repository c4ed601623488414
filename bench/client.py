"""A TAXII 2.1 client that costs next to nothing: one keep-alive socket, the clock stops at the last byte of the body, nothing is parsed while it runs."""
import base64
import json
import socket
import time
from urllib.parse import quote

MEDIA_TYPE = "application/taxii+json;version=2.1"
# Seconds before a server counts as hung.
TIMEOUT_S = 600
# Bytes of one reply that are accepted.
REPLY_BYTES_MAX = 256 * 1024 * 1024


class Reply:
    """What came back, and how many seconds it took from the first byte sent to the last byte received."""

    def __init__(self, status, headers, body, seconds):
        self.status, self.headers, self.body, self.seconds = status, headers, body, seconds


class Client:
    """One connection. Opened when needed; a server that closes after each reply (gunicorn's plain workers do) is connected to again within the time taken."""

    def __init__(self, port, user=None, password=None):
        self.port = port
        self.authorization = ""
        if user is not None:
            token = base64.b64encode(f"{user}:{password}".encode()).decode()
            self.authorization = f"Authorization: Basic {token}\r\n"
        self.socket = None
        self.buffer = bytearray(4 * 1024 * 1024)

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def _connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path):
        return self.ask("GET", path, None)

    def post(self, path, body):
        return self.ask("POST", path, body)

    def ask(self, method, path, body):
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAccept: {MEDIA_TYPE}\r\n{self.authorization}"
        if body is not None:
            head += f"Content-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
        message = head.encode() + b"\r\n"
        kept = self.socket is not None
        started = time.perf_counter()
        try:
            return self._exchange(message, body, started)
        except (ConnectionError, EOFError):
            # A kept connection may have been closed by the server meanwhile; a fresh one may not.
            self.close()
            if not kept:
                raise
            return self._exchange(message, body, started)

    def _exchange(self, message, body, started):
        if self.socket is None:
            self._connect()
        self.socket.sendall(message)
        if body is not None:
            self.socket.sendall(body)
        filled, end = 0, -1
        while end < 0:
            filled += self._receive(filled)
            end = self.buffer.find(b"\r\n\r\n", 0, filled)
        lines = bytes(self.buffer[:end]).decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ", 2)[1])
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        start = end + 4
        if "content-length" not in headers:
            raise SystemExit(f"a reply without Content-Length: {lines}")
        stop = start + int(headers["content-length"])
        if stop > REPLY_BYTES_MAX:
            raise SystemExit(f"a reply of {stop} bytes")
        if stop > len(self.buffer):
            self.buffer.extend(bytes(stop - len(self.buffer)))
        while filled < stop:
            filled += self._receive(filled)
        seconds = time.perf_counter() - started
        reply = Reply(status, headers, bytes(self.buffer[start:stop]), seconds)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return reply

    def _receive(self, filled):
        if filled == len(self.buffer):
            self.buffer.extend(bytes(len(self.buffer)))
        with memoryview(self.buffer) as view:
            got = self.socket.recv_into(view[filled:])
        if got == 0:
            raise EOFError("the server closed the connection")
        return got


def post_all(client, collection, envelopes):
    """POSTs the envelopes one after the other; the seconds of each. Anything but 202 ends the run."""
    seconds = []
    for envelope in envelopes:
        reply = client.post(f"{collection}objects/", envelope)
        if reply.status != 202:
            raise SystemExit(f"POST answered {reply.status}: {reply.body[:300]!r}")
        status = json.loads(reply.body)
        if status.get("failure_count") or status.get("failures"):
            raise SystemExit(f"POST failed for some objects: {reply.body[:300]!r}")
        seconds.append(reply.seconds)
    return seconds


class Walk:
    """A collection page by page. Parsing the pages is done between the requests and is not timed."""

    def __init__(self, client, collection, limit, match=""):
        self.client, self.collection, self.limit, self.match = client, collection, limit, match
        self.next, self.done = None, False

    def page(self):
        """The next page: (seconds, ids in it, bytes of the body)."""
        path = f"{self.collection}objects/?limit={self.limit}{self.match}"
        if self.next is not None:
            path += f"&next={quote(self.next, safe='')}"
        reply = self.client.get(path)
        if reply.status not in (200, 206):
            raise SystemExit(f"GET {path} answered {reply.status}: {reply.body[:300]!r}")
        envelope = json.loads(reply.body)
        self.next = envelope.get("next")
        self.done = not envelope.get("more", False)
        return reply.seconds, [o["id"] for o in envelope.get("objects", [])], len(reply.body)


def walk(client, collection, limit, expected):
    """A whole walk: (seconds of each page, objects, bytes in all). It must show the ids `expected`, and beside them at most marking definitions that the server made."""
    steps, seconds, ids, size = Walk(client, collection, limit), [], set(), 0
    while not steps.done:
        took, page, length = steps.page()
        seconds.append(took)
        ids.update(page)
        size += length
    missing, extra = expected - ids, {i for i in ids - expected if not i.startswith("marking-definition--")}
    if missing or extra:
        raise SystemExit(f"the walk left out {len(missing)} objects and showed {len(extra)} that were not sent")
    return seconds, len(ids), size
