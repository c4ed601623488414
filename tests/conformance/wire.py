"""One HTTP request at a time over a connection of its own: exactly the bytes that a check means, and the reply as it came."""

import base64
import http.client
import json
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

TAXII = "application/taxii+json;version=2.1"
# Seconds to wait for a reply. A server that needs longer fails the check.
PATIENCE_S = 60
# Octets of a reply that are read at the most.
REPLY_BYTES_MAX = 256 * 1024 * 1024


class Fault(Exception):
    """What a server did against the standard, in one sentence."""


def expect(truth: bool, otherwise: str) -> None:
    if not truth:
        raise Fault(otherwise)


def strict_json(text: bytes):
    """One I-JSON value (T-001): UTF-8, no member name twice, no NaN or Infinity, no lone surrogates, numbers inside double precision."""

    def members(pairs):
        names = [name for name, _ in pairs]
        expect(len(set(names)) == len(names), f"T-001: a member name occurs twice: {names}")
        return dict(pairs)

    def refuse(word):
        raise Fault(f"T-001: `{word}` is no JSON number")

    def whole(digits):
        number = int(digits)
        expect(abs(number) <= 2**53 - 1, f"T-004: the integer {digits} is outside -(2^53)+1 .. (2^53)-1")
        return number

    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=members, parse_constant=refuse, parse_int=whole)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (UnicodeError, json.JSONDecodeError) as error:
        raise Fault(f"T-001: the body is no JSON in UTF-8: {error}: {text[:120]!r}") from error
    return value


@dataclass(frozen=True)
class Reply:
    """Status, header fields in order, body."""

    request: str
    status: int
    fields: list
    body: bytes

    def all(self, name: str) -> list:
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def header(self, name: str):
        values = self.all(name)
        return values[0] if values else None

    def json(self):
        value = strict_json(self.body)
        expect(isinstance(value, dict), f"T-001: {self.request}: the body is no JSON object")
        return value

    def is_(self, *statuses: int) -> "Reply":
        """The reply has one of these status codes, and the one content type that every TAXII reply has (T-014)."""
        wanted = " or ".join(map(str, statuses))
        expect(self.status in statuses, f"{self.request}: {self.status} where {wanted} is due: {self.body[:200]!r}")
        return self

    def resource(self, *statuses: int) -> dict:
        return self.is_(*statuses).json()


class Wire:
    """Where the server is, and which certificate authority signed for it."""

    def __init__(self, url: str, cafile=None, insecure: bool = False):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SystemExit(f"`{url}` is no http or https URL")
        self.secure, self.host = parts.scheme == "https", parts.hostname
        self.port = parts.port or (443 if self.secure else 80)
        self.cafile, self.insecure = cafile, insecure
        self.requests = 0

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.cafile)
        if self.insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    def send(self, method: str, target: str, headers: dict, body=None, chunked: bool = False) -> Reply:
        """`target` goes out as it stands, so that a check can send what no client would."""
        self.requests += 1
        if self.secure:
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=PATIENCE_S, context=self.context())
        else:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE_S)
        name = f"{method} {target}"
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for field, value in headers.items():
                connection.putheader(field, value)
            if body is not None:
                connection.putheader("Transfer-Encoding", "chunked") if chunked else connection.putheader("Content-Length", str(len(body)))
            try:
                connection.endheaders()
                for start in range(0, len(body or b""), 65_536):
                    piece = body[start : start + 65_536]
                    connection.send(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
                if body is not None and chunked:
                    connection.send(b"0\r\n\r\n")
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before all was sent; the reply may be there all the same
            got = connection.getresponse()
            return Reply(name, got.status, got.getheaders(), got.read(REPLY_BYTES_MAX))
        except (OSError, http.client.HTTPException) as error:
            raise Fault(f"{name}: no reply: {error!r}") from error
        finally:
            connection.close()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
