"""Requests, media types, headers: sections 2, 3 and 6 of the requirements."""

import json
import uuid

import resources
from registry import NotRun, check
from subject import ids
from wire import TAXII, expect

def every_get(s):
    """Each endpoint that the profile makes reachable, with the shape of its resource."""
    at, one = s.collection(), s.versioned[0]["id"]
    yield "/taxii2/", "discovery"
    yield s.root, "api-root"
    yield f"{s.root}collections/", "collections"
    yield at, "collection"
    yield f"{at}objects/", "envelope"
    yield f"{at}manifest/", "manifest"
    yield f"{at}objects/{one}/", "envelope"
    yield f"{at}objects/{one}/versions/", "versions"


def refusals(s):
    """A reply of each kind of refusal that every server can give."""
    at = s.collection()
    yield s.get(f"{at}objects/", "limit=0")
    yield s.get(f"{s.root}status/{uuid.uuid4()}/")
    yield s.get(f"{at}objects/", headers={"Accept": "application/taxii+json;version=2.0"})
    yield s.post_raw(b"{}", headers={"Content-Type": "application/x-www-form-urlencoded"})
    yield s.post_raw(b"{")
    yield s.send("PATCH", f"{at}objects/")
    if s.signs_in:
        yield s.get(f"{at}objects/", account=None)


@check("T-001", "T-002", "T-005", "T-007", "T-008", "T-010", "T-128")
def every_endpoint_answers_with_the_resource_of_its_kind(s):
    for path, kind in every_get(s):
        resources.shape(kind, s.get(path).resource(200))


@check("T-014")
def every_reply_has_exactly_the_taxii_media_type(s):
    replies = [s.get(path) for path, _ in every_get(s)]
    replies += [s.post_raw(b'{"objects":[1]}'), *refusals(s)]
    for reply in replies:
        found = reply.all("content-type")
        expect(found == [TAXII], f"{reply.request}: {reply.status} with Content-Type {found}")


@check("T-011", "T-063", "T-064", "T-065")
def a_refusal_that_carries_json_carries_an_error_resource(s):
    """A body of another kind is the fault of T-014 alone."""
    seen = 0
    for reply in refusals(s):
        expect(400 <= reply.status < 500, f"{reply.request}: {reply.status} where a 4xx is due")
        if reply.header("content-type") == TAXII:
            seen += 1
            resources.error(reply)
    expect(seen > 0, "no refusal carries an error resource")


@check("T-001")
def a_body_with_a_member_twice_is_refused(s):
    one = s.object()
    twice = f'{{"objects":[{{"type":"indicator","type":"malware","id":"{one["id"]}"}}]}}'
    for body in (twice.encode(), b'{"objects":[],"objects":[]}'):
        reply = s.post_raw(body)
        if reply.status == 202:  # taken, and the object is a failure
            expect(s.completed(reply.json())["success_count"] == 0, "an object with a member twice was taken")
        else:
            reply.is_(400, 422)


@check("T-015")
def accept_without_a_version_means_the_highest(s):
    s.get("/taxii2/", headers={"Accept": "application/taxii+json"}).is_(200)


@check("T-016")
def accept_in_any_spelling_that_names_the_type_is_met(s):
    for accept in (
        TAXII,
        "application/taxii+json; version=2.1",
        "application/taxii+json ; version=2.1",
        'application/taxii+json;version="2.1"',
        "application/taxii+json",
        "APPLICATION/TAXII+JSON;version=2.1",
        "application/taxii+json;version=2.1;q=0.5",
        "text/html, application/taxii+json;version=2.1;q=0.1",
        "application/taxii+json;version=2.0, application/taxii+json;version=2.1",
        "application/taxii+json;version=2.1,application/stix+json;version=2.1",
    ):
        for path in ("/taxii2/", s.root, f"{s.collection()}objects/"):
            s.get(path, headers={"Accept": accept}).is_(200)


@check("T-018")
def accept_of_something_else_is_served_or_refused(s):
    s.get("/taxii2/", headers={"Accept": "text/html"}).is_(200, 406)


@check("T-018", title="accept: wildcards and nothing at all are served, something else is 406 (C-004)")
def accept_as_decided(s):
    s.decided()
    for accept in ("*/*", "application/*", "application/json", None):
        s.get(f"{s.collection()}objects/", headers={"Accept": accept}).is_(200)
    resources.error(s.get("/taxii2/", headers={"Accept": "text/html"}).is_(406))


@check("T-023")
def another_taxii_version_alone_cannot_be_met(s):
    for accept in ("application/taxii+json;version=2.0", "application/taxii+json;version=9.9"):
        s.get("/taxii2/", headers={"Accept": accept}).is_(406)


@check("T-017")
def content_type_with_and_without_version_is_taken(s):
    for media in (TAXII, "application/taxii+json", "application/taxii+json; version=2.1"):
        s.post_raw(_envelope(s.object()), headers={"Content-Type": media}).is_(202)


@check("T-019")
def content_type_of_something_else_is_taken_or_415(s):
    s.post_raw(_envelope(s.object()), headers={"Content-Type": "text/plain"}).is_(202, 415)


@check("T-019", title="content type: STIX types are taken, others are 415 (C-005)")
def content_type_as_decided(s):
    s.decided()
    for media in ("application/stix+json;version=2.1", "application/stix+json", "application/vnd.oasis.stix+json"):
        s.post_raw(_envelope(s.object()), headers={"Content-Type": media}).is_(202)
    for media in ("application/json", "text/plain", "application/taxii+json;version=2.0"):
        resources.error(s.post_raw(_envelope(s.object()), headers={"Content-Type": media}).is_(415))
    s.post_raw(_envelope(s.object()), headers={"Content-Type": None}).is_(400, 415)


@check("T-025")
def a_request_without_user_agent_is_served(s):
    s.get("/taxii2/", headers={"User-Agent": None}).is_(200)


@check("T-006", "T-026", "T-027")
def date_added_of_first_and_last_stand_in_the_headers(s):
    records = s.records([ids(*s.five)])
    added = {record["id"]: record["date_added"] for record in records}
    expect(len(added) == 5, f"the manifest has {len(added)} of five objects")
    for what, member in (("objects/", "objects"), ("manifest/", "objects")):
        for limit in (1, 2, 5):
            reply = s.listing(what, [ids(*s.five), ("limit", limit)])
            found = reply.json()[member]
            for header, one in (("X-TAXII-Date-Added-First", found[0]), ("X-TAXII-Date-Added-Last", found[-1])):
                resources.timestamp(reply.header(header), header)
                expect(reply.header(header) == added[one["id"]], f"{reply.request}: {header} is {reply.header(header)}, the object's date_added {added[one['id']]}")
    one = s.five[0]["id"]
    for what in (f"objects/{one}/", f"objects/{one}/versions/"):
        reply = s.listing(what)
        for header in ("X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"):
            expect(reply.header(header) == added[one], f"{reply.request}: {header} is {reply.header(header)}, not {added[one]}")


@check("T-026", title="an empty result repeats the caller's added_after, or has no such header (C-002)")
def headers_of_an_empty_result(s):
    s.decided()
    unknown = ("match[id]", f"indicator--{uuid.uuid4()}")
    for what in ("objects/", "manifest/"):
        bare = s.listing(what, [unknown])
        expect(bare.header("X-TAXII-Date-Added-Last") is None, "an empty result without added_after names a time")
        polled = s.listing(what, [unknown, ("added_after", "2020-01-01T00:00:00.000000Z")])
        for header in ("X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"):
            expect(polled.header(header) == "2020-01-01T00:00:00.000000Z", f"{header} of an empty poll is {polled.header(header)}")


@check("T-028")
def listings_are_in_the_order_of_arrival(s):
    wanted = [tool["id"] for tool in s.five]
    for found in (s.objects([ids(*s.five)]), s.records([ids(*s.five)])):
        expect([one["id"] for one in found] == wanted, "objects are not in the order in which they came")
    added = [record["date_added"] for record in s.records([ids(*s.five)])]
    expect(added == sorted(added), f"date_added does not ascend: {added}")
    one = s.versioned[0]["id"]
    found = s.listing(f"objects/{one}/versions/").json()["versions"]
    expect([_instant(v) for v in found] == [_instant(v["modified"]) for v in s.versioned], f"versions are not in the order of arrival: {found}")


@check("T-029")
def collections_have_the_same_order_every_time(s):
    seen = {tuple(c["id"] for c in s.get(f"{s.root}collections/").resource(200)["collections"]) for _ in range(20)}
    expect(len(seen) == 1, f"20 requests gave {len(seen)} orders")


@check("T-022", title="a wrong method is 405 with Allow, never served")
def wrong_methods(s):
    s.decided()
    for path, _ in every_get(s):
        for method in ("PUT", "PATCH"):
            reply = s.send(method, path).is_(405)
            expect(reply.header("allow") is not None, f"{reply.request}: 405 without Allow")
            resources.error(reply)


@check("T-022", title="HEAD is GET without a body")
def head(s):
    s.decided()
    for path, _ in every_get(s):
        got, headed = s.get(path), s.send("HEAD", path)
        expect(headed.status == got.status and headed.body == b"", f"HEAD {path}: {headed.status}, {len(headed.body)} octets")
        expect(headed.header("content-length") == got.header("content-length"), f"HEAD {path}: another length than GET's")


@check("T-009", title="a path without its slash is served like the one with it (C-003)")
def without_slash(s):
    s.decided()
    for path, _ in every_get(s):
        with_slash, without = s.get(path), s.get(path.rstrip("/"))
        expect((without.status, without.body) == (with_slash.status, with_slash.body), f"{path.rstrip('/')} differs from {path}")


@check("T-066")
def what_does_not_exist_is_refused_alike_everywhere(s):
    at = s.collection()
    for what in ("objects/{}/", "objects/{}/versions/"):
        unknown = [f"{kind}--{uuid.uuid4()}" for kind in ("indicator", "malware", "x-unknown")]
        replies = {s.get(at + what.format(one)).body.replace(one.encode(), b"ID") for one in unknown}
        expect(len(replies) == 1, "the refusals of three unknown ids differ in more than the id")


@check("T-066", title="an id hidden from the caller is refused like an unknown one")
def hidden_is_absent(s):
    hidden = s.profile.get("hidden_id")
    if hidden is None:
        raise NotRun("the profile names no `hidden_id`")
    at, absent = s.collection(), f"{hidden.split('--')[0]}--{uuid.uuid4()}"
    for what in ("objects/{}/", "objects/{}/versions/", "objects/?match[id]={}", "manifest/?match[id]={}"):
        left, right = s.get(at + what.format(hidden)), s.get(at + what.format(absent))
        fields = [[(n, v) for n, v in reply.fields if n.lower() != "date"] for reply in (left, right)]
        expect((left.status, left.body, fields[0]) == (right.status, right.body, fields[1]), f"{what}: a hidden id is answered otherwise than an unknown one")


def _envelope(*objects) -> bytes:
    return json.dumps({"objects": list(objects)}).encode()


def _instant(text: str) -> str:
    whole, _, fraction = text.rstrip("Z").partition(".")
    return whole + "." + fraction.ljust(6, "0")
