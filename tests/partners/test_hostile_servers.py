"""`entente pull` and `entente push` against servers that break, lie, or never come to an end.

Whatever happens: it ends, it says what is wrong, and once the server is honest again the next run into the same folder holds every object once: nothing is lost, nothing stands there twice.
"""

import gzip
import json
import os
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from envelope import raw_objects
from hostile_server import COLLECTION, TAXII, HostileServer, Request, cut_off, envelope, flood, honest, number, page, reply, silence, slot, trickle
from process import program
from test_tls import self_signed

# Objects that the honest server has.
COUNT = 8
# Seconds of one exchange, as the command is told; and what a whole run may take besides.
EXCHANGE_S, RUN_S = 2, 30
# `--patience`: seconds that a run may wait because a server asks for it.
PATIENCE_S = 3
PASSWORD = "only for this test"


def command(*arguments: str) -> tuple[int, str, dict | None]:
    """Exit code, all that was said, and the JSON."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ENTENTE_")} | {"ENTENTE_PASSWORD": PASSWORD}
    limits = ["--user", "hub", "--timeout", str(EXCHANGE_S), "--patience", str(PATIENCE_S)]
    run = subprocess.run([program(), "--json", *arguments, *limits], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_S)
    assert "panicked" not in run.stderr, run.stderr
    assert PASSWORD not in run.stdout + run.stderr
    return run.returncode, run.stdout + run.stderr, json.loads(run.stdout) if run.stdout.strip() else None


def pull(server: HostileServer, folder: Path, *more: str) -> tuple[int, str, dict | None]:
    return command("pull", server.base, "--output", str(folder), *more)


def held(folder: Path) -> list[int]:
    """Numbers of the objects in the folder's bundles, in order; each is byte for byte what the server has."""
    numbers = []
    for file in sorted(folder.glob(f"{COLLECTION}/0*.json")):
        for raw in raw_objects(file.read_bytes()):
            parsed = json.loads(raw)
            numbers.append(int(parsed["id"].rsplit("-", 1)[1]))
            assert parsed == number(numbers[-1])
    return numbers


@dataclass
class Case:
    """`serve` is asked (request, how many requests for objects came before)."""

    name: str
    serve: object
    # What is said about it; None: the pull comes to its end.
    said: str | None = None
    # What is held afterwards.
    got: list[int] = field(default_factory=list)
    # Requests for objects at the most.
    asked_max: int = 12
    front: object = None


def always(answer):
    return lambda request, n: answer


def after_a_page(answer):
    """A good page, and then this."""
    return lambda request, n: page(range(3), more=True, next="3") if n == 0 else answer


def overlapping(request: Request, n: int) -> bytes:
    start = n * 2
    return page(range(start, min(start + 4, COUNT)), **({"more": True, "next": f"p{n}"} if start + 4 < COUNT else {}))


def by_header(request: Request, n: int) -> bytes:
    after = request.query.get("added_after", "")
    shown = [k for k in range(COUNT) if slot(k) > after]
    return page(shown[:3], **({"more": True} if len(shown) > 3 else {}))


def changing_sizes(request: Request, n: int) -> bytes:
    start = int(request.query.get("next", "0"))
    size = [1, 4, 2, 1][n]
    return page(range(start, min(start + size, COUNT)), **({"more": True, "next": str(start + size)} if start + size < COUNT else {}))


def more_then_429(wait: str):
    return lambda request, n: reply(b'{"title":"slow down"}', 429, Retry_After=wait) if n == 0 else honest(COUNT)(request)


BOMB = gzip.compress(b'{"objects":[' + b" " * 600_000_000, 1)
HEAD = reply(b"", length=1_000_000_000)

CASES = [
    Case("more without next, by header", by_header, None, list(range(COUNT))),
    Case("more without next or header", lambda r, n: reply(envelope(range(3), more=True)), "neither `next`"),
    Case("the same next for ever", lambda r, n: page([n], more=True, next="a"), "same `next`", [0], 2),
    Case("nexts in a circle", lambda r, n: page([n], more=True, next="abc"[n % 3]), "`next` that it gave before", [0, 1, 2], 4),
    Case("ever new nexts, one page", lambda r, n: page(range(3), more=True, next=f"h{n}"), "a page that it gave before", [0, 1, 2], 2),
    Case("pages in a circle", lambda r, n: page([n % 3], more=True, next=f"h{n}"), "a page that it gave before", [0, 1, 2], 4),
    Case("empty pages for ever", lambda r, n: reply(b'{"more":true,"next":"h%d"}' % n), "nothing but empty pages", [], 10),
    Case("empty page in the middle", lambda r, n: [page(range(3), more=True, next="a"), reply(b'{"more":true,"next":"b"}'), page(range(3, COUNT))][n], None, list(range(COUNT))),
    Case("empty page, more, no next", always(reply(b'{"more":true}')), "empty page without `next`", [], 1),
    Case("more, then nothing (T-044)", lambda r, n: [page(range(3), more=True, next="a"), reply(b"{}")][n], None, [0, 1, 2]),
    Case("a portal's page", always(reply(b"<html>Sign in</html>", kind="text/html")), "text/html"),
    Case("plain JSON", always(reply(envelope(range(3)), kind="application/json")), "application/json"),
    Case("no content type", always(reply(envelope(range(3)), kind=None)), "not TAXII"),
    Case("TAXII 2.0 replies", always(reply(b'{"type":"bundle"}', kind="application/vnd.oasis.stix+json; version=2.0")), "not TAXII 2.1"),
    Case("TAXII 2.0 discovery", None, "speaks TAXII 2.0", front=lambda r: reply(b'{"title":"old"}', kind="application/vnd.oasis.taxii+json; version=2.0")),
    Case("TAXII 2.0, 406", None, "does not speak TAXII 2.1", front=lambda r: reply(b"{}", 406, kind="application/vnd.oasis.taxii+json; version=2.0")),
    Case("one object many times on a page", lambda r, n: page([0, 0, 1, 1, 0, 2]), None, [0, 1, 2]),
    Case("pages that overlap", overlapping, None, list(range(COUNT))),
    Case("limit is not kept to", lambda r, n: page(range(3_000)), None, list(range(3_000))),
    Case("pages of ever other sizes", changing_sizes, None, list(range(COUNT))),
    Case("body breaks off", after_a_page(cut_off(reply(envelope(range(3, 6)))[:-40])), "failed", [0, 1, 2]),
    Case("chunks break off", after_a_page(cut_off(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{" % TAXII.encode())), "failed", [0, 1, 2]),
    Case("chunk of a nonsense size", after_a_page(cut_off(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}" % TAXII.encode())), "failed", [0, 1, 2]),
    Case("less JSON than was announced to be", after_a_page(reply(envelope(range(3, 6))[:-40])), "not JSON", [0, 1, 2]),
    Case("octets behind the body", lambda r, n: cut_off(reply(envelope(range(COUNT)), length=len(envelope(range(COUNT)))) + b"HTTP/1.1 200 OK\r\n\r\nmore of it"), None, list(range(COUNT))),
    Case("one octet at a time", after_a_page(trickle(HEAD)), "no reply within", [0, 1, 2]),
    Case("one octet of the head at a time", after_a_page(trickle(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a")), "no reply within", [0, 1, 2]),
    Case("silence", after_a_page(silence), "no reply within", [0, 1, 2]),
    Case("no reply at all", after_a_page(cut_off(b"")), "failed", [0, 1, 2]),
    Case("no HTTP", after_a_page(cut_off(b"220 smtp.example.org ready\r\n")), "failed", [0, 1, 2]),
    Case("headers without end", after_a_page(flood(b"HTTP/1.1 200 OK\r\n", b"X-Pad: aaaaaaaaaaaaaaaa\r\n" * 1_000)), "failed", [0, 1, 2]),
    Case("a page without end", after_a_page(flood(reply(b"", length=1 << 40))), "longer than allowed", [0, 1, 2]),
    Case("a compression bomb", after_a_page(reply(BOMB, Content_Encoding="gzip")), "longer than allowed", [0, 1, 2]),
    Case("gzip that is none", after_a_page(reply(envelope(range(3)), Content_Encoding="gzip")), "failed", [0, 1, 2]),
    Case("redirects in a circle", always(reply(b"", 302, Location="/api/collections/")), "redirects to", [], 1),
    Case("a permanent redirect of everything", None, "redirects to", front=lambda r: reply(b"", 308, Location="/taxii2/")),
    Case("JSON of 100,000 levels", after_a_page(reply(b'{"objects":' + b"[" * 100_000)), "envelope", [0, 1, 2]),
    Case("an array", after_a_page(reply(b"[]")), "not a JSON object", [0, 1, 2]),
    Case("a bundle", after_a_page(reply(json.dumps({"type": "bundle", "objects": [number(3)]}).encode())), "T-067", [0, 1, 2]),
    Case("more as text", after_a_page(reply(b'{"more":"yes","objects":[]}')), "another type", [0, 1, 2]),
    Case("more twice", after_a_page(reply(b'{"more":true,"more":false}')), "repeated", [0, 1, 2]),
    Case("not UTF-8", after_a_page(reply(b'{"objects":[{"id":"\xff"}]}')), "envelope", [0, 1, 2]),
    Case("objects as an object", after_a_page(reply(b'{"objects":{}}')), "another type", [0, 1, 2]),
    Case("a header that goes back", lambda r, n: [page(range(3), more=True, next="a"), reply(envelope(range(3, COUNT)), X_TAXII_Date_Added_Last="2001-01-01T00:00:00Z")][n], None, list(range(COUNT))),
    Case("a header that is no time", lambda r, n: reply(envelope(range(3)), X_TAXII_Date_Added_Last="now"), None, [0, 1, 2]),
    Case("a header far ahead", lambda r, n: reply(envelope(range(3)), X_TAXII_Date_Added_Last="9999-12-31T23:59:59.999999Z"), None, [0, 1, 2]),
    Case("429 for 31,000 years", more_then_429("999999999999"), "429", [], 1),
    Case("429 until a date", more_then_429("Wed, 21 Oct 2099 07:28:00 GMT"), "429", [], 1),
    Case("429 for a second", more_then_429("1"), None, list(range(COUNT))),
    Case("429 for no time, for ever", always(reply(b"{}", 429, Retry_After="0")), "429", [], PATIENCE_S + 2),
    Case("503 that says when", lambda r, n: reply(b"{}", 503, Retry_After="1") if n == 0 else honest(COUNT)(r), None, list(range(COUNT))),
    Case("500", after_a_page(reply(b"<h1>Oops</h1>", 500, kind="text/html")), "500", [0, 1, 2]),
    Case("206", after_a_page(reply(envelope(range(3, 6)), 206)), "206", [0, 1, 2]),
    Case("204", after_a_page(cut_off(b"HTTP/1.1 204 None\r\n\r\n")), "204", [0, 1, 2]),
    Case("the account is gone in the middle", after_a_page(reply(b'{"title":"no"}', 401)), "401", [0, 1, 2]),
    Case("the collection is gone in the middle", after_a_page(reply(b'{"title":"no"}', 404)), "404", [0, 1, 2]),
    Case("a hundred thousand API roots", None, "more than 256 API roots", front=lambda r: reply(json.dumps({"title": "x", "api_roots": [f"/{n}/" for n in range(100_000)]}).encode())),
    Case("an API root without a host", None, "neither absolute nor relative", front=lambda r: reply(b'{"title":"x","api_roots":["//evil.example/api/"]}')),
    Case("an API root over plain HTTP elsewhere", None, "plain HTTP is refused", front=lambda r: reply(b'{"title":"x","api_roots":["http://192.0.2.1/api/"]}')),
    Case("discovery that is none", None, "discovery", front=lambda r: reply(b'{"api_roots":17}') if r.path == "/taxii2/" else reply(b"{}", 404)),
    Case("nothing that this account may read", None, "no collection that it may read", front=lambda r: reply(b"{}") if "collections" in r.path else None),
    Case("discovery without roots", None, "names no API root", front=lambda r: reply(b'{"title":"x"}') if r.path == "/taxii2/" else None),
    Case("one collection twice", None, "occurs in two collections", front=lambda r: reply(json.dumps({"collections": [{"id": COLLECTION, "title": t, "can_read": True, "can_write": False} for t in "ab"]}).encode()) if "collections" in r.path else None),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whatever_a_server_does_the_pull_ends_says_so_and_the_next_one_heals_it(case: Case, tmp_path: Path):
    """I2, T-041, T-043, T-044, T-069, T-078, T-079, T-080, C-006."""
    seen = []

    def script(request: Request):
        seen.append(request)
        return case.serve(request, len(seen) - 1)

    server = HostileServer(script, front=case.front)
    started = time.monotonic()
    code, said, _ = pull(server, tmp_path)
    took = time.monotonic() - started
    assert took < RUN_S, f"{took} s"
    assert len(seen) <= case.asked_max, f"{len(seen)} requests"
    assert held(tmp_path) == case.got, said
    if case.said is None:
        assert code == 0, said
    else:
        assert code != 0 and case.said in said, said
    # The server is mended, and has two more.
    count = max([COUNT, *(n + 1 for n in case.got)]) + 2
    server.front, server.script = None, honest(count)
    code, said, _ = pull(server, tmp_path)
    assert code == 0, said
    assert sorted(held(tmp_path)) == list(range(count)), "nothing lost, nothing twice"
    assert pull(server, tmp_path)[2]["collections"][0]["new"] == 0
    server.end()


def test_there_are_enough_misbehaviours():
    assert len(CASES) >= 50 and len({case.name for case in CASES}) == len(CASES)


def test_the_url_of_an_api_root_will_do(tmp_path: Path):
    server = HostileServer(honest(COUNT))
    server.base += "/api/"
    code, said, _ = pull(server, tmp_path)
    assert code == 0 and held(tmp_path) == list(range(COUNT)), said
    server.end()


def test_a_feed_without_end_stops_where_it_is_told_and_goes_on_there(tmp_path: Path):
    def endless(request: Request) -> bytes:
        start = int(request.query.get("next", "0"))
        return page(range(start, start + 10), more=True, next=str(start + 10))

    server = HostileServer(endless)
    code, said, told = pull(server, tmp_path, "--objects-max", "50")
    assert code == 0 and told["collections"][0]["more"] is True, said
    assert held(tmp_path) == list(range(50))
    pull(server, tmp_path, "--objects-max", "20")
    assert held(tmp_path) == list(range(70))
    server.end()


def test_credentials_stay_with_the_server_that_they_are_for(tmp_path: Path):
    """T-080: neither a redirect nor an API root of another origin is shown the account."""
    thief = HostileServer(lambda r: reply(b"{}"), front=lambda r: reply(json.dumps({"collections": []}).encode()))
    roots = json.dumps({"title": "x", "api_roots": ["/api/", f"{thief.base}/api/"]}).encode()
    server = HostileServer(honest(COUNT), front=lambda r: reply(roots) if r.path == "/taxii2/" else None)
    code, said, _ = pull(server, tmp_path)
    assert code == 0 and held(tmp_path) == list(range(COUNT)), said
    # The root is asked, as it says, but as nobody.
    assert thief.asked and all("authorization" not in request.headers for request in thief.asked)
    assert all("authorization" in request.headers for request in server.asked)
    thief.asked.clear()
    server.script = lambda r: reply(b"", 307, Location=f"{thief.base}/api/collections/{COLLECTION}/objects/")
    assert pull(server, tmp_path / "other")[0] != 0
    assert all("/objects/" not in request.path for request in thief.asked), "a redirect was followed"
    server.end()
    thief.end()


def tls(home: Path, name: str, *more: str, days: int = 2) -> tuple[Path, ssl.SSLContext]:
    key, certificate = home / f"{name}.key", home / f"{name}.pem"
    if more:
        new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run(["openssl", *new, *more], check=True, capture_output=True)
    else:
        self_signed(key, certificate, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


def test_a_server_that_cannot_prove_who_it_is_gets_nothing(tmp_path: Path):
    """T-132, T-133, T-139, T-140: unknown issuer, another one's certificate, another name, too old a protocol, none at all; and a certificate that is pinned."""
    pinned, context = tls(tmp_path, "right")
    other, _ = tls(tmp_path, "other")
    server = HostileServer(honest(COUNT), context)
    for what, more in (("unknown issuer", []), ("another is pinned", ["--ca", str(other)])):
        code, said, _ = pull(server, tmp_path / "none", *more)
        assert code != 0 and "certificate" in said, (what, said)
    assert server.asked == [], "the account was not shown"
    code, said, _ = pull(server, tmp_path / "out", "--ca", str(pinned))
    assert code == 0 and held(tmp_path / "out") == list(range(COUNT)), said
    server.end()

    certificate, context = tls(tmp_path, "named", "-days", "2", "-addext", "subjectAltName=DNS:elsewhere.example")
    server = HostileServer(honest(COUNT), context)
    code, said, _ = pull(server, tmp_path / "none", "--ca", str(certificate))
    assert code != 0 and "certificate" in said and server.asked == [], said
    server.end()

    _, context = tls(tmp_path, "old")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    old = HostileServer(honest(COUNT), context)
    assert pull(old, tmp_path / "none", "--ca", str(tmp_path / "old.pem"))[0] != 0 and old.asked == []
    old.end()

    plain = HostileServer(honest(COUNT))
    plain.base = plain.base.replace("http:", "https:")
    assert pull(plain, tmp_path / "none")[0] != 0
    assert all(request.method not in ("GET", "POST") for request in plain.asked)
    plain.end()


class Proxy(HostileServer):
    """An HTTP proxy by CONNECT that asks for an account."""

    def __init__(self):
        super().__init__(None, front=self._connect)

    def _connect(self, request: Request):
        if request.headers.get("proxy-authorization") != "Basic aHViOnNlY3JldA==":
            return reply(b"", 407, Proxy_Authenticate="Basic")
        host, port = request.target.split(":")

        def pipe(stream: socket.socket) -> None:
            stream.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            with socket.create_connection((host, int(port))) as far:

                def copy(one, other):
                    while octets := one.recv(65_536):
                        other.sendall(octets)

                threading.Thread(target=copy, args=(far, stream), daemon=True).start()
                copy(stream, far)

        return pipe


def test_a_proxy_is_used_when_it_is_named_and_never_otherwise(tmp_path: Path, monkeypatch):
    certificate, context = tls(tmp_path, "behind")
    server, proxy = HostileServer(honest(COUNT), context), Proxy()
    where = proxy.base.replace("http://", "http://hub:secret@")
    code, said, _ = pull(server, tmp_path / "out", "--ca", str(certificate), "--proxy", where)
    assert code == 0 and held(tmp_path / "out") == list(range(COUNT)), said
    assert proxy.asked and all(request.method == "CONNECT" for request in proxy.asked)
    code, said, _ = pull(server, tmp_path / "refused", "--ca", str(certificate), "--proxy", proxy.base)
    assert code != 0 and held(tmp_path / "refused") == []
    assert "secret" not in pull(server, tmp_path / "x", "--proxy", "nonsense://hub:secret@host")[1]
    asked = len(proxy.asked)
    for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, where)
    assert pull(server, tmp_path / "direct", "--ca", str(certificate))[0] == 0
    assert len(proxy.asked) == asked
    server.end()
    proxy.end()


def test_a_pull_that_is_killed_again_and_again_loses_nothing_and_counts_nothing_twice(tmp_path: Path):
    """I2. The page waits a little, so that the kills fall everywhere: while it comes, while the bundle is written, between bundle and state."""
    count, kills = 300, 0
    full = honest(count, 5)

    def slowly(request: Request) -> bytes:
        time.sleep(0.01)
        return full(request)

    server = HostileServer(slowly)
    for turn in range(200):
        arguments = [program(), "--json", "pull", server.base, "--user", "hub", "--output", str(tmp_path)]
        run = subprocess.Popen(arguments, env=os.environ | {"ENTENTE_PASSWORD": PASSWORD}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            run.wait(0.06 + 0.013 * (turn % 11))
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()
            kills += 1
            continue
        assert run.returncode == 0
        break
    else:
        raise AssertionError("it never came to an end")
    assert kills >= 5, "killed too seldom to mean anything"
    assert held(tmp_path) == list(range(count))
    state = json.loads((tmp_path / COLLECTION / "state.json").read_text())
    assert (state["objects"], state["bundles"]) == (count, count // 5)
    server.end()


class Receiver:
    """A script for a collection that is written to: what came, and what is said about it."""

    def __init__(self, answer):
        self.answer, self.posts, self.statuses = answer, [], 0

    def __call__(self, request: Request):
        if request.method == "POST":
            ids = [one["id"] for one in json.loads(request.body)["objects"]]
            self.posts.append(ids)
            return self.answer(self, request, ids)
        self.statuses += 1
        return self.answer(self, request, self.posts[-1])


def status(ids, failed=(), pending=(), state="complete", **more) -> bytes:
    def details(which):
        return [{"id": one, "version": number(int(one[-12:]))["modified"], "message": "no"} for one in which]

    body = {
        "id": "11111111-1111-4111-8111-111111111111",
        "status": state,
        "total_count": len(ids),
        "success_count": len(ids) - len(failed) - len(pending),
        "failure_count": len(failed),
        "pending_count": len(pending),
    }
    body |= {name: details(which) for name, which in (("failures", failed), ("pendings", pending)) if which}
    return json.dumps(body | more).encode()


def push(receiver: Receiver, tmp_path: Path, count: int = 4) -> tuple[int, str, dict | None, list[str]]:
    file = tmp_path / "bundle.json"
    objects = [number(n) for n in range(count)]
    file.write_text(json.dumps({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": objects}))
    server = HostileServer(receiver)
    outcome = command("push", server.base, str(file), "--collection", "feed")
    server.end()
    return *outcome, [one["id"] for one in objects]


def test_a_pending_status_is_asked_for_until_it_is_complete_and_not_again(tmp_path: Path):
    """T-090, T-091, T-114, T-020."""
    states = iter([("pending", 4), ("pending", 2), ("pending", 1), ("complete", 0)])

    def answer(receiver, request, ids):
        state, left = next(states)
        return reply(status(ids, pending=ids[:left], state=state), 202 if request.method == "POST" else 200)

    receiver = Receiver(answer)
    code, said, told, ids = push(receiver, tmp_path)
    assert code == 0 and (told["sent"], told["taken"], told["failed"]) == (4, 4, []), said
    assert receiver.posts == [ids] and receiver.statuses == 3


def test_only_what_failed_is_sent_again(tmp_path: Path):
    def answer(receiver, request, ids):
        return reply(status(ids, failed=ids[1:3] if len(receiver.posts) == 1 else ids[:1]), 202)

    receiver = Receiver(answer)
    code, said, told, ids = push(receiver, tmp_path)
    assert receiver.posts == [ids, ids[1:3]]
    assert code == 1 and (told["sent"], told["taken"]) == (4, 3), said
    assert [failed["id"] for failed in told["failed"]] == [ids[1]]


def test_an_envelope_that_is_too_long_after_all_is_halved(tmp_path: Path):
    """T-086, T-087: it takes less than its max_content_length says."""
    receiver = Receiver(lambda receiver, request, ids: reply(b"{}", 413) if len(ids) > 1 else reply(status(ids), 202))
    code, said, told, ids = push(receiver, tmp_path)
    assert code == 0 and told["taken"] == 4, said
    assert sorted(one for post in receiver.posts if len(post) == 1 for one in post) == sorted(ids)


PUSHES = [
    ("pending for ever", lambda v, r, ids: reply(status(ids, pending=ids, state="pending"), 202 if r.method == "POST" else 200), "still pending"),
    ("a status that is gone", lambda v, r, ids: reply(status(ids, pending=ids, state="pending"), 202) if r.method == "POST" else reply(b"{}", 404), "404"),
    ("more taken than sent", lambda v, r, ids: reply(status(ids * 250), 202), "speaks of 1000 objects"),
    ("fewer than sent", lambda v, r, ids: reply(status(ids[:1]), 202), "speaks of 1 objects"),
    ("complete, and nothing counted", lambda v, r, ids: reply(status([]), 202), "speaks of 0 objects"),
    ("counts that do not add up", lambda v, r, ids: reply(status(ids, success_count=9), 202), "sum of the other counts"),
    ("failures that are not named", lambda v, r, ids: reply(status(ids, failed=ids[:2], failures=[]), 202), "and not which"),
    ("failures of other objects", lambda v, r, ids: reply(status(ids, failed=[number(99)["id"]]), 202), "and not which"),
    ("200 instead of 202", lambda v, r, ids: reply(status(ids), 200), "200"),
    ("no status at all", lambda v, r, ids: reply(b"", 202), "not a JSON object"),
    ("a status in another state", lambda v, r, ids: reply(status(ids, state="done"), 202), "neither `complete` nor `pending`"),
    ("413 for everything", lambda v, r, ids: reply(b"{}", 413), "413"),
    ("422", lambda v, r, ids: reply(b"{}", 422), "422"),
    ("403 after all", lambda v, r, ids: reply(b"{}", 403), "403"),
    ("a redirect of the POST", lambda v, r, ids: reply(b"", 307, Location="/elsewhere/"), "redirects to"),
    ("silence", lambda v, r, ids: silence, "no reply within"),
    ("429 for ever", lambda v, r, ids: reply(b"{}", 429, Retry_After="1"), "429"),
]


@pytest.mark.parametrize(("name", "answer", "expected"), PUSHES, ids=[name for name, *_ in PUSHES])
def test_a_push_is_never_called_whole_when_it_is_not(name, answer, expected, tmp_path: Path):
    """I2, T-092 to T-097 as a client meets them."""
    receiver = Receiver(answer)
    code, said, *_ = push(receiver, tmp_path)
    assert code != 0 and expected in said, said
    assert len(receiver.posts) <= 8 and receiver.statuses <= 8
