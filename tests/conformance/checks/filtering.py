"""added_after, limit, next and the match fields: sections 4 and 5 of the requirements."""

import uuid
from datetime import datetime, timedelta, timezone

import resources
from checks.requests import _instant
from registry import check
from subject import ids
from wire import expect

# Every type of STIX 2.1 that can stand in a collection (T-050, T-051).
TYPES = """attack-pattern campaign course-of-action grouping identity incident indicator infrastructure intrusion-set location malware malware-analysis note
observed-data opinion report threat-actor tool vulnerability relationship sighting language-content marking-definition extension-definition artifact
autonomous-system directory domain-name email-addr email-message file ipv4-addr ipv6-addr mac-addr mutex network-traffic process software url user-account
windows-registry-key x509-certificate""".split()


def bad(s, query: str, *whats) -> None:
    for what in whats or ("objects/", "manifest/"):
        resources.error(s.get(s.collection() + what, query).is_(400))


@check("T-030")
def malformed_parameters_are_400(s):
    for query in ("added_after=yesterday", "added_after=2024-13-01T00:00:00Z", "limit=x", "limit=0", "limit=-1", "limit=1.5", "limit=", "match[version]=foo", "next=%21broken"):
        bad(s, query)


@check("T-031", "T-055")
def no_parameter_means_everything_in_its_latest_version(s):
    mine = {one["id"]: one for one in [*s.five, s.versioned[-1], *s.mixed.values()]}
    found, _ = s.walk("objects/", [])
    for one in found:
        if one["id"] in mine:
            wanted = mine.pop(one["id"])
            expect(one.get("modified") == wanted.get("modified"), f"{one['id']} in version {one.get('modified')}, the latest is {wanted.get('modified')}")
    expect(not mine, f"a walk without parameters missed {sorted(mine)}")


@check("T-032")
def added_after_twice_is_refused(s):
    at = "added_after=2024-01-01T00:00:00.000000Z"
    bad(s, f"{at}&{at}")
    bad(s, f"{at},2025-01-01T00:00:00.000000Z")


@check("T-033")
def added_after_means_strictly_later(s):
    records = s.records([ids(*s.five)])
    for at, record in enumerate(records):
        left = [one["id"] for one in s.objects([ids(*s.five), ("added_after", record["date_added"])])]
        wanted = [one["id"] for one in records[at + 1 :]]
        expect(left == wanted, f"added_after={record['date_added']} gives {len(left)} objects, not the {len(wanted)} later ones")


@check("T-033", title="added_after is about arrival, not about the object's own times")
def added_after_is_no_time_of_stix(s):
    old = s.object(modified="1999-06-01T00:00:00.000Z")
    before = s.records([ids(*s.five)])[-1]["date_added"]
    s.put(old)
    expect(bool(s.objects([ids(old), ("added_after", before)])), "an object with old times that came later is not found by added_after")


@check("T-033", title="added_after with fewer digits, as real clients send it (TD-05)")
def added_after_with_fewer_digits(s):
    for text in ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5Z", "2024-01-01T00:00:00.123Z", "2024-01-01T00:00:00.123456Z"):
        s.listing("objects/", [("added_after", text), ("limit", 1)])
    future = (datetime.now(timezone.utc) + timedelta(days=365)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    expect(s.objects([("added_after", future)]) == [], "something was added in a year from now")


@check("T-034")
def without_added_after_the_oldest_comes_first(s):
    first = s.listing("objects/", [ids(*s.five), ("limit", 1)]).json()["objects"][0]
    expect(first["id"] == s.five[0]["id"], "the first page does not begin with the oldest")


@check("T-035")
def a_limit_that_is_no_positive_integer_is_400(s):
    for limit in ("0", "-5", "1e3", "%20", "999999999999999999999999x"):
        bad(s, f"limit={limit}")


@check("T-036", "T-037", "T-039")
def limit_and_more_agree_with_what_matches(s):
    one = s.versioned[0]["id"]
    for what, query, member, total in (
        ("objects/", [ids(*s.five)], "objects", 5),
        ("manifest/", [ids(*s.five)], "objects", 5),
        (f"objects/{one}/", [("match[version]", "all")], "objects", 3),
        (f"objects/{one}/versions/", [], "versions", 3),
    ):
        for limit in range(1, total + 3):
            page = s.listing(what, [*query, ("limit", limit)]).json()
            count = len(page.get(member, []))
            expect(count <= limit, f"{what} limit={limit}: {count}")
            expect(limit < total or count == total, f"{what} limit={limit}: {count} of {total} matches that fit one page")
            more = page.get("more", False)
            expect(more is (count < total), f"{what} limit={limit}: {count} of {total}, and more is {more}")


@check("T-038")
def a_limit_beyond_the_servers_own_is_served(s):
    s.listing("objects/", [ids(*s.five), ("limit", 100_000)])
    s.listing("objects/", [ids(*s.five), ("limit", 2**31)])


@check("T-040", "T-041", "T-111")
def a_walk_by_next_gives_everything_once_and_in_order(s):
    for what, query, member in (("objects/", [ids(*s.five)], "objects"), ("manifest/", [ids(*s.five)], "objects")):
        for limit in (1, 2, 3, 4):
            found, pages = s.walk(what, [*query, ("limit", limit)], member)
            expect([one["id"] for one in found] == [tool["id"] for tool in s.five], f"{what} limit={limit}: {len(found)} in {len(pages)} pages")
            expect(all(page.get(member) for _, page in pages), f"{what} limit={limit}: an empty page on the way (C-007)")


@check("T-111", title="a walk over the whole collection meets no object twice")
def a_walk_over_everything(s):
    s.put(*[s.object("tool") for _ in range(40)])
    found, _ = s.walk("manifest/", [("limit", 7), ("match[version]", "all")])
    keys = [(record["id"], record["version"], record.get("media_type")) for record in found]
    expect(len(set(keys)) == len(keys), f"{len(keys) - len(set(keys))} records came twice")
    added = [record["date_added"] for record in found]
    expect(added == sorted(added), "date_added does not ascend over the pages")


@check("T-041", title="next goes with another limit, and with or without the filters repeated (C-006)")
def next_with_another_limit(s):
    s.decided()
    page = s.listing("objects/", [ids(*s.five), ("limit", 2)]).json()
    for query in ([("next", page["next"]), ("limit", 10)], [ids(*s.five), ("next", page["next"]), ("limit", 10)], [("next", page["next"])]):
        found = [one["id"] for one in s.objects(query)]
        expect(found == [tool["id"] for tool in s.five[2:]], f"`next` with {[k for k, _ in query]} gives {len(found)} of 3")


@check("T-042")
def a_next_that_was_tampered_with_is_refused(s):
    page = s.listing("objects/", [ids(*s.five), ("limit", 2)]).json()
    text = page["next"]
    for place in (0, len(text) // 2, len(text) - 2):
        other = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        reply = s.get(s.collection() + "objects/", [ids(*s.five), ("next", other)])
        if reply.status == 200:
            # Not refused: then at least nothing outside the query may come.
            expect({one["id"] for one in reply.json().get("objects", [])} <= {tool["id"] for tool in s.five}, "a forged `next` gave objects outside the query")
        else:
            reply.is_(400, 404)


@check("T-042", title="next with another filter gives nothing outside that filter")
def next_with_another_filter(s):
    page = s.listing("objects/", [ids(*s.five), ("limit", 2)]).json()
    reply = s.get(s.collection() + "objects/", [("match[type]", "malware"), ("next", page["next"])])
    if reply.is_(200, 400, 404).status == 200:
        expect(all(one["type"] == "malware" for one in reply.json().get("objects", [])), "`next` gave objects that the filter sent with it excludes")


@check("T-042", title="another account's next gives it nothing of the first account's")
def next_of_another_account(s):
    s.account("other")
    page = s.listing("objects/", [ids(*s.five), ("limit", 2)]).json()
    reply = s.get(s.collection() + "objects/", [ids(*s.five), ("next", page["next"])], account="other")
    if reply.is_(200, 400, 403, 404).status == 200:
        allowed = {one["id"] for one in s.objects([ids(*s.five)], account="other")}
        expect({one["id"] for one in reply.json().get("objects", [])} <= allowed, "another account's `next` gave objects that this one may not have")


@check("T-043")
def paging_by_added_after_alone_gives_everything_once(s):
    found, after = [], []
    for _ in range(20):
        reply = s.listing("objects/", [ids(*s.five), ("limit", 2), *after])
        page = reply.json()
        found += [one["id"] for one in page.get("objects", [])]
        if not page.get("more", False):
            break
        after = [("added_after", reply.header("X-TAXII-Date-Added-Last"))]
    expect(found == [tool["id"] for tool in s.five], f"paging by X-TAXII-Date-Added-Last gives {len(found)} of 5, {len(set(found))} different")


@check("T-044")
def what_is_deleted_between_two_pages_ends_the_walk_without_error(s):
    tools = s.put(*[s.object("tool") for _ in range(4)])
    page = s.listing("objects/", [ids(*tools), ("limit", 2)]).json()
    for tool in tools[2:]:
        s.send("DELETE", f"{s.collection()}objects/{tool['id']}/").is_(200)
    rest = s.listing("objects/", [ids(*tools), ("limit", 2), ("next", page["next"])]).json()
    expect(rest.get("objects", []) == [] and not rest.get("more", False), f"after all was deleted: {rest!r:.200}")


@check("T-021", "T-045", "T-049")
def match_id(s):
    two = [s.five[1], s.five[3]]
    for found in (s.objects([ids(*two)]), s.records([ids(*two)])):
        expect({one["id"] for one in found} == {one["id"] for one in two}, "match[id] of two gives others")
    expect(s.objects([("match[id]", f"tool--{uuid.uuid4()}")]) == [], "match[id] of an unknown id gives something")


@check("T-046")
def a_match_field_twice_is_400(s):
    for query in ("match[type]=tool&match[type]=malware", "match[version]=last&match[version]=first", "match[spec_version]=2.1&match[spec_version]=2.0"):
        bad(s, query)


@check("T-046", title="different match fields are joined by AND")
def match_fields_are_joined_by_and(s):
    expect(s.objects([("match[type]", "malware"), ids(*s.five)]) == [], "match[type]=malware with the ids of tools gives something")
    found = s.objects([("match[type]", "tool"), ids(*s.five, s.mixed["sdo"])])
    expect(len(found) == 5, f"five tools and one malware by id, with match[type]=tool: {len(found)}")


@check("T-045", "T-047", "T-050", "T-062")
def match_type(s):
    mine = ids(*s.five, *s.mixed.values())
    for wanted in ("tool", "malware", "domain-name", "marking-definition", "tool,malware"):
        for what, query in (("objects/", [mine, ("match[type]", wanted)]), ("manifest/", [mine, ("match[type]", wanted)])):
            found = {one["id"].split("--")[0] for one in s.listing(what, query).json().get("objects", [])}
            expect(found == set(wanted.split(",")), f"{what} match[type]={wanted} gives {sorted(found)}")


@check("T-051")
def no_type_of_stix_is_an_error(s):
    for kind in TYPES:
        s.listing("objects/", [("match[type]", kind), ("match[id]", f"{kind}--{uuid.uuid4()}")])


@check("T-052")
def a_type_outside_stix_is_served(s):
    s.listing("objects/", [("match[type]", "x-acme-thing")])


@check("T-048")
def an_unknown_match_field_is_ignored(s):
    plain = s.objects([ids(*s.five)])
    expect(s.objects([ids(*s.five), ("match[x_unknown]", "y")]) == plain, "match[x_unknown] changes the answer")


@check("T-045", "T-053", "T-054")
def match_spec_version(s):
    old, new = s.twin
    for query, wanted in (
        ([], [new]),
        ([("match[spec_version]", "2.1")], [new]),
        ([("match[spec_version]", "2.0")], [old]),
        ([("match[spec_version]", "2.0,2.1"), ("match[version]", "all")], [old, new]),
    ):
        for what, extra in (("objects/", [ids(new)]), (f"objects/{new['id']}/", [])):
            found = s.objects([*extra, *query], what)
            expect(sorted(one["modified"] for one in found) == sorted(one["modified"] for one in wanted), f"{what} {query}: {[one['modified'] for one in found]}")
            expect(all(("spec_version" in one) == (one["modified"] == new["modified"]) for one in found), f"{what} {query}: a form of another specification version")


@check("T-045", "T-055", "T-056")
def match_version(s):
    first, middle, last = (one["modified"] for one in s.versioned)
    one = s.versioned[0]["id"]
    for value, wanted in (
        (None, [last]),
        ("last", [last]),
        ("first", [first]),
        ("all", [first, middle, last]),
        (middle, [middle]),
        ("first,last", [first, last]),
        (f"first,{middle},last", [first, middle, last]),
        (f"first,{first}", [first]),
        ("2001-01-01T00:00:00.000Z", []),
    ):
        query = [("match[version]", value)] if value else []
        for what, extra in (("objects/", [ids(s.versioned[0])]), (f"objects/{one}/", [])):
            found = [_instant(o["modified"]) for o in s.objects([*extra, *query], what)]
            expect(found == [_instant(w) for w in wanted], f"{what} match[version]={value}: {found}")
        listed = [_instant(r["version"]) for r in s.records([ids(s.versioned[0]), *query])]
        expect(listed == [_instant(w) for w in wanted], f"manifest match[version]={value}: {listed}")


@check("T-057")
def match_version_that_contradicts_itself_is_400(s):
    at = s.versioned[0]["modified"]
    for value in ("all,last", "last,last", "first,first", f"{at},{at}", "all,all"):
        bad(s, f"match[version]={value}")


@check("T-058")
def versions_are_compared_as_instants(s):
    whole = s.versioned[0]["modified"].replace(".000Z", "Z")
    for text in (whole, whole.replace("Z", ".0Z"), whole.replace("Z", ".000Z"), whole.replace("Z", ".000000Z")):
        expect(len(s.objects([ids(s.versioned[0]), ("match[version]", text)])) == 1, f"match[version]={text} does not find {s.versioned[0]['modified']}")


@check("T-059")
def the_version_of_what_has_only_created_is_that(s):
    marking = s.mixed["marking"]
    expect(len(s.objects([ids(marking), ("match[version]", marking["created"])])) == 1, "a marking definition is not found by its `created`")


@check("T-060", "T-109")
def the_version_of_what_has_no_time_is_the_same_everywhere(s):
    sco = s.mixed["sco"]
    record = s.records([ids(sco)])[0]
    listed = s.listing(f"objects/{sco['id']}/versions/").json()["versions"]
    expect(listed == [record["version"]], f"manifest says {record['version']}, versions {listed}")
    expect(len(s.objects([ids(sco), ("match[version]", record["version"])])) == 1, "an SCO is not found by the version that its manifest record names")
    for kind, time in (("sdo", "modified"), ("marking", "created")):
        record = s.records([ids(s.mixed[kind])])[0]
        expect(_instant(record["version"]) == _instant(s.mixed[kind][time]), f"the version of a {kind} is {record['version']}, not its `{time}`")


@check("T-070", "T-107")
def nothing_found_is_an_empty_object(s):
    unknown = ("match[id]", f"tool--{uuid.uuid4()}")
    for what in ("objects/", "manifest/"):
        reply = s.listing(what, [unknown])
        page = reply.json()
        expect("objects" not in page and not page.get("more", False), f"{what}: {reply.body!r:.80} where nothing matches")


@check("T-144")
def an_expensive_query_is_bounded(s):
    many = ",".join(f"tool--{uuid.uuid4()}" for _ in range(1_000))
    s.get(s.collection() + "objects/", [("match[id]", many)]).is_(200, 400, 413, 414, 431)
