"""Adding and deleting: section 11 of the requirements, and the limits of a body."""

import gzip
import json
import uuid

import resources
from registry import NotRun, check
from subject import ids
from wire import expect

# A server whose max_content_length is beyond this is not sent bodies at the edge.
EDGE_BYTES_MAX = 96 * 1024 * 1024


@check("T-092", "T-093", "T-095", "T-096", "T-097", "T-115")
def a_post_is_answered_with_its_status(s):
    four = [s.object("tool") for _ in range(3)] + [s.observable() | {"value": f"{uuid.uuid4()}.example", "id": f"domain-name--{uuid.uuid4()}"}]
    status = s.post(*four)
    expect(status["total_count"] == 4, f"four objects posted, total_count is {status['total_count']}")
    again = resources.status(s.get(f"{s.root}status/{status['id']}/").resource(200))
    expect(again["total_count"] == 4 and again["id"] == status["id"], "the status endpoint tells something else")


@check("T-094")
def a_complete_status_never_changes(s):
    status = s.post(s.object("tool"))
    bodies = {s.get(f"{s.root}status/{status['id']}/").is_(200).body for _ in range(3)}
    expect(len(bodies) == 1, "a complete status changed")


@check("T-088")
def a_status_answers_after_other_posts(s):
    first = s.post(s.object("tool"))
    for _ in range(20):
        s.post(s.object("tool"))
    s.get(f"{s.root}status/{first['id']}/").is_(200)


@check("T-116")
def the_same_object_again_is_no_error_and_stays_where_it_is(s):
    one = s.object("tool")
    s.put(one)
    before = s.records([ids(one)])
    status = s.post(one)
    expect((status["success_count"], status["failure_count"]) == (1, 0), f"a duplicate counts as {status['success_count']} success, {status['failure_count']} failure")
    expect(s.records([ids(one)]) == before, "a duplicate moved the object's date_added")


@check("T-118")
def one_bad_object_does_not_fail_its_siblings(s):
    good = [s.object("tool"), s.object("malware")]
    bad = [{"type": "indicator", "id": "not-an-id"}, {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": []}]
    status = s.post(good[0], *bad, good[1])
    expect((status["success_count"], status["failure_count"]) == (2, 2), f"two good and two bad: {status!r:.300}")
    expect({one["id"] for one in s.objects([ids(*good)])} == {one["id"] for one in good}, "a good object is not there")


@check("T-068")
def a_bundle_is_no_object(s):
    inner = s.object("tool")
    reply = s.post_raw(json.dumps({"objects": [{"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": [inner]}]}).encode())
    if reply.status == 202:
        expect(s.completed(reply.json())["success_count"] == 0, "a bundle inside an envelope counts as a success")
    else:
        reply.is_(400, 422)
    expect(s.objects([ids(inner)]) == [], "what a bundle inside an envelope held was added")


@check("T-117")
def what_cannot_be_understood_is_400_or_422(s):
    for body in (b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"objects":1}', b'{"objects":[]', b"null"):
        resources.error(s.post_raw(body).is_(400, 422))


@check("T-117", title="an empty envelope is 422 (TD-16)")
def an_empty_envelope(s):
    s.decided()
    for body in (b"{}", b'{"objects":[]}'):
        resources.error(s.post_raw(body).is_(422))


@check("T-129")
def custom_properties_of_an_envelope_are_ignored_or_422(s):
    one = s.object("tool")
    s.post_raw(json.dumps({"objects": [one], "x_conformance_note": {"a": 1}}).encode()).is_(202, 422)


def most_octets(s) -> int:
    """max_content_length, if bodies of that size are bearable."""
    most = s.get(s.root).resource(200)["max_content_length"]
    if most > EDGE_BYTES_MAX:
        raise NotRun(f"max_content_length is {most}; bodies beyond {EDGE_BYTES_MAX} octets are not sent")
    return most


def filled(one: dict, octets: int) -> bytes:
    """An envelope of exactly so many octets."""
    return json.dumps({"objects": [one]}).encode().ljust(octets)


@check("T-086")
def a_body_up_to_max_content_length_is_not_too_large(s):
    most = most_octets(s)
    for octets in (most - 1, most):
        s.post_raw(filled(s.object("tool"), octets)).is_(202)


@check("T-087")
def a_body_beyond_max_content_length_is_413_also_without_its_length(s):
    other, most = s.object("tool"), most_octets(s)
    for chunked in (False, True):
        s.post_raw(filled(other, most + 1), chunked=chunked).is_(413)
    expect(s.objects([ids(other)]) == [], "something of a body that was too large is there")


@check("T-087", title="a packed body counts by what it unpacks to")
def packed(s):
    s.decided()
    one = s.object("tool")
    reply = s.post_raw(gzip.compress(json.dumps({"objects": [one]}).encode()), headers={"Content-Encoding": "gzip"}).is_(202)
    expect(s.completed(reply.json())["success_count"] == 1, "an object in a gzip body was not taken")
    s.post_raw(gzip.compress(b" " * (most_octets(s) + 1)), headers={"Content-Encoding": "gzip"}).is_(413)
    s.post_raw(b"not gzip", headers={"Content-Encoding": "gzip"}).is_(400)
    s.post_raw(b"x", headers={"Content-Encoding": "compress"}).is_(415)


@check("T-120", "T-122")
def what_is_deleted_is_gone(s):
    one = s.object("tool")
    s.put(one)
    at = s.collection()
    reply = s.send("DELETE", f"{at}objects/{one['id']}/").is_(200)
    expect(reply.body == b"", "the reply of a DELETE has a body")
    for what in (f"objects/{one['id']}/", f"objects/{one['id']}/versions/"):
        s.get(at + what).is_(404)
    expect(s.objects([ids(one)]) == [] and s.records([ids(one)]) == [], "a deleted object is still listed")
    s.send("DELETE", f"{at}objects/{one['id']}/").is_(404)


@check("T-121")
def one_version_can_be_deleted(s):
    first = s.object("tool", modified="2024-01-01T00:00:00.000Z")
    second = first | {"modified": "2024-02-01T00:00:00.000Z"}
    s.put(first)
    s.put(second)
    s.send("DELETE", f"{s.collection()}objects/{first['id']}/?match[version]=first").is_(200)
    found = s.objects([("match[version]", "all")], f"objects/{first['id']}/")
    expect([one["modified"] for one in found] == [second["modified"]], f"after deleting the first version: {[one['modified'] for one in found]}")


@check("T-121", title="DELETE without a version takes all of them (TD-12)")
def delete_takes_all_versions(s):
    s.decided()
    first = s.object("tool", modified="2024-01-01T00:00:00.000Z")
    s.put(first)
    s.put(first | {"modified": "2024-02-01T00:00:00.000Z"})
    s.send("DELETE", f"{s.collection()}objects/{first['id']}/").is_(200)
    s.get(f"{s.collection()}objects/{first['id']}/", "match[version]=all").is_(404)


@check("T-119")
def delete_needs_both_rights(s):
    asked = 0
    for kind, status in (("none", 404), ("read_only", 403), ("write_only", 403)):
        if kind in s.profile.get("collections", {}):
            asked += 1
            s.send("DELETE", f"{s.collection(kind)}objects/tool--{uuid.uuid4()}/").is_(status)
    if not asked:
        raise NotRun("the profile names no collection without one of the rights")


@check("T-124")
def delete_of_an_unknown_object_is_404(s):
    resources.error(s.send("DELETE", f"{s.collection()}objects/tool--{uuid.uuid4()}/").is_(404))
