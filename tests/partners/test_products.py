"""The request sequences of products, replayed as `taxii-clients.md` records them (headers, paths, order, and what each reads without looking first).

Each of them, in every line of the coalition that is no peer's, ends with exactly the ids that the oracle names. Where a product would stop or lose something, so does its replay.
"""

from urllib.parse import urljoin, urlsplit

import pytest
import requests

from coalition import Coalition, Line

TIMEOUT_S = 30
PAGE = 7


class Session:
    """A product's HTTP: its own headers, no redirects (they cost the account or the method), no retries."""

    def __init__(self, coalition: Coalition, line: Line, scheme: str | None = None, **headers: str):
        node = coalition.nodes[line.giver]
        self.line, self.root, self.base = line, node["root"], "{0.scheme}://{0.netloc}".format(urlsplit(node["root"]))
        self.collection = node["collections"][line.alias]
        self.http = requests.Session()
        self.http.headers.clear()
        self.http.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
        self.http.auth = (line.account, node["accounts"][line.account]["password"])
        self.scheme = scheme

    def get(self, url: str, **parameters) -> requests.Response:
        request = self.http.prepare_request(requests.Request("GET", url, params={k: v for k, v in parameters.items() if v is not None}))
        if self.scheme:
            request.headers["Authorization"] = self.scheme + request.headers["Authorization"].removeprefix("Basic")
        reply = self.http.send(request, timeout=TIMEOUT_S, allow_redirects=False)
        assert reply.status_code in (200, 206), (self.line, url, reply.status_code, reply.text)
        return reply

    @property
    def objects(self) -> str:
        return f"{self.root}collections/{self.collection}/objects/"


def elastic(coalition: Coalition, line: Line) -> list[str]:
    """The whole objects URL; `next` without `added_after`; `objects` read unguarded; the last header is the cursor of the next interval (C-001, C-002)."""
    session = Session(coalition, line, Accept="application/taxii+json;version=2.1", User_Agent="Elastic-Filebeat/8.15.0 (linux; amd64)")
    ids, cursor = [], "2000-01-01T00:00:00Z"
    for _interval in range(2):
        parameters = {"added_after": cursor, "limit": PAGE}
        while True:
            reply = session.get(session.objects, **parameters)
            body = reply.json()
            ids += [one["id"] for one in body["objects"]]
            cursor = reply.headers["X-TAXII-Date-Added-Last"]
            if not body.get("more"):
                break
            parameters = {"next": body["next"], "limit": PAGE}
    return ids


def opencti_feed(coalition: Coalition, line: Line) -> list[str]:
    """API root and collection id; one page a tick; `added_after` and `next` together; at the end the header, or "now" if it is missing, which would lose what comes meanwhile."""
    session = Session(coalition, line, Accept="application/taxii+json;version=2.1", User_Agent="opencti/6.4")
    ids, added_after, following = [], None, None
    for _tick in range(1_000):
        reply = session.get(session.objects, added_after=added_after, next=following)
        body = reply.json()
        ids += [one["id"] for one in body.get("objects", [])]
        if body.get("more") and body.get("next"):
            following = body["next"]
            continue
        if not body.get("objects"):
            # Zero objects resets the cursor: the feed ends here.
            return ids
        following, added_after = None, reply.headers["X-TAXII-Date-Added-Last"]
    raise AssertionError(f"{line}: no end")


def opencti_connector(coalition: Coalition, line: Line) -> list[str]:
    """Discovery; the root by the last segment of its path, the collection by title; drops `added_after` once it has `next`; `more` without `next` never ends."""
    session = Session(coalition, line, Accept="application/taxii+json;version=2.1", User_Agent="python-requests/2.32")
    roots = session.get(f"{session.base}/taxii2/").json()["api_roots"]
    segment = session.root.rstrip("/").rsplit("/", 1)[1]
    root = next(urljoin(session.base, root) for root in roots if root.rstrip("/").rsplit("/", 1)[1] == segment)
    shown = session.get(f"{root}collections/").json()["collections"]
    title = next(one["title"] for one in shown if one["id"] == session.collection)
    chosen = [one for one in shown if one["title"] == title]
    assert len(chosen) == 1, "a title names one collection"
    ids, parameters = [], {"added_after": "2000-01-01T00:00:00.000000Z", "limit": PAGE}
    for _page in range(1_000):
        body = session.get(f"{root}collections/{chosen[0]['id']}/objects/", **parameters).json()
        ids += [one["id"] for one in body.get("objects", [])]
        if not body.get("more"):
            return ids
        parameters = {"next": body["next"], "limit": PAGE}
    raise AssertionError(f"{line}: no end")


def xsoar(coalition: Coalition, line: Line) -> list[str]:
    """Discovery; the default root, else the first; pages of 100; stops at the first page without objects even if there is more (C-007)."""
    session = Session(coalition, line, Accept="application/taxii+json;version=2.1", User_Agent="taxii2-client/2.3.0")
    told = session.get(f"{session.base}/taxii2/").json()
    assert told["title"] and (told.get("default") is None or told["default"] in told["api_roots"])
    ids, following = [], None
    while True:
        body = session.get(session.objects, limit=100, next=following).json()
        if not body.get("objects"):
            return ids
        ids += [one["id"] for one in body["objects"]]
        if not body.get("more"):
            return ids
        following = body["next"]


def sentinel(coalition: Coalition, line: Line) -> list[str]:
    """API root URL and collection id, no discovery; polls on an interval with what it saw last; its paths have no slash at the end (C-003)."""
    session = Session(coalition, line, Accept="application/taxii+json;version=2.1")
    session.get(session.root.rstrip("/"))
    session.get(f"{session.root}collections/{session.collection}")
    ids, added_after = [], "2000-01-01T00:00:00.000Z"
    for _poll in range(1_000):
        following = None
        while True:
            reply = session.get(session.objects.rstrip("/"), added_after=added_after, limit=PAGE, next=following)
            body = reply.json()
            ids += [one["id"] for one in body.get("objects", [])]
            following = body.get("next")
            if not body.get("more"):
                break
        if not body.get("objects"):
            return ids
        added_after = reply.headers["X-TAXII-Date-Added-Last"]
    raise AssertionError(f"{line}: no end")


def misp(coalition: Coalition, line: Line) -> list[str]:
    """Keeps the last segment of each root and puts it below the base URL; `basic` in lower case; a Content-Type on GET; `limit=50` and a `next` that may be empty."""
    session = Session(coalition, line, "basic", Accept="application/taxii+json;version=2.1", Content_Type="application/taxii+json;version=2.1")
    roots = session.get(f"{session.base}/taxii2/").json()["api_roots"]
    segments = {root.rstrip("/").rsplit("/", 1)[1] for root in roots}
    assert len(segments) == len(roots), "last segments are unique"
    segment = session.root.rstrip("/").rsplit("/", 1)[1]
    assert segment in segments
    root = f"{session.base}/{segment}/"
    assert session.collection in [one["id"] for one in session.get(f"{root}collections/").json()["collections"]]
    ids, following = [], ""
    while True:
        body = session.get(f"{root}collections/{session.collection}/objects/", limit=50, next=following).json()
        ids += [one["id"] for one in body.get("objects", [])]
        following = body.get("next", "")
        if not body.get("more"):
            return ids


@pytest.mark.parametrize("product", [elastic, opencti_feed, opencti_connector, xsoar, sentinel, misp], ids=lambda product: product.__name__)
def test_a_product_ends_with_exactly_the_oracles_set(product, coalition: Coalition):
    """I1, C-001, C-002, C-003, C-004, C-006, C-007, C-016, T-015, T-033, T-043."""
    wrong, lines, objects = [], 0, 0
    for line in coalition.lines(peer=False):
        ids, wanted = product(coalition, line), coalition.latest(line)
        lines, objects = lines + 1, objects + len(ids)
        if len(set(ids)) != len(ids) or set(ids) != set(wanted):
            wrong.append(f"{line}: lacks {sorted(set(wanted) - set(ids))}, beyond {sorted(set(ids) - set(wanted))}, {len(ids) - len(set(ids))} twice")
    assert not wrong, "\n".join(wrong)
    assert lines >= 10 and objects > 100, (lines, objects)


def test_a_whole_round_of_polls_with_nothing_new_brings_nothing(coalition: Coalition):
    """C-002: the header of an empty reply is the caller's own time, so that nobody jumps to "now"."""
    line = next(coalition.lines(peer=False))
    session = Session(coalition, line, Accept="application/taxii+json;version=2.1")
    for asked in ("2090-01-01T00:00:00.123456Z", "2090-01-01T00:00:00.000000Z"):
        reply = session.get(session.objects, added_after=asked)
        assert reply.headers["X-TAXII-Date-Added-First"] == reply.headers["X-TAXII-Date-Added-Last"] == asked
        assert reply.json() == {}
