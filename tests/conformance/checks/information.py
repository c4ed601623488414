"""Discovery, API roots, collections, status: sections 9 and 10 of the requirements."""

import uuid

import resources
from checks.requests import every_get
from registry import NotRun, check
from wire import TAXII, expect


@check("T-073", "T-074")
def discovery_is_at_its_place(s):
    resources.shape("discovery", s.get("/taxii2/").resource(200))


@check("T-075")
def the_default_root_is_among_the_roots(s):
    found = s.get("/taxii2/").resource(200)
    expect("default" not in found or found["default"] in found.get("api_roots", []), f"default {found.get('default')} is not among {found.get('api_roots')}")


@check("T-078", "T-079")
def root_urls_have_the_allowed_forms(s):
    for url in s.get("/taxii2/").resource(200).get("api_roots", []):
        absolute = url.startswith("https://") or (not s.wire.secure and url.startswith("http://"))
        relative = url.startswith("/") and not url.startswith("//")
        expect(absolute or relative, f"`{url}` is neither an absolute https URL nor relative with one `/`")
        expect("?" not in url and "../" not in url, f"`{url}` has a query or `../`")


@check("T-081")
def there_is_a_root_and_each_has_its_own_url(s):
    roots = s.get("/taxii2/").resource(200).get("api_roots", [])
    expect(len(roots) >= 1, "discovery names no API root to this account")
    expect(len(set(roots)) == len(roots), f"two roots share a URL: {roots}")


@check("T-083", "T-084", "T-085", "T-004")
def the_api_root_describes_itself(s):
    found = resources.shape("api-root", s.get(s.root).resource(200))
    expect(TAXII in found["versions"], f"versions {found['versions']} lack exactly `{TAXII}`")
    expect(found["max_content_length"] > 0, f"max_content_length is {found['max_content_length']}")


@check("T-100", "T-003", "T-104")
def collections_describe_themselves_alike_in_list_and_alone(s):
    listed = s.get(f"{s.root}collections/").resource(200).get("collections", [])
    expect(bool(listed), "no collection is listed for the main account")
    for one in listed:
        resources.shape("collection", one)
        resources.identifier(one["id"], "a collection id")
        alone = s.get(f"{s.root}collections/{one['id']}/").resource(200)
        expect(alone == one, f"collection {one['id']} differs between list and its own endpoint")
        for media in one.get("media_types", []):
            expect(media.startswith("application/"), f"`{media}` is no media type")


@check("T-101")
def no_two_collections_share_an_alias(s):
    aliases = [c["alias"] for c in s.get(f"{s.root}collections/").resource(200).get("collections", []) if "alias" in c]
    expect(len(set(aliases)) == len(aliases), f"an alias occurs twice: {aliases}")


@check("T-102")
def an_alias_stands_for_the_id(s):
    aliases = [c for c in s.get(f"{s.root}collections/").resource(200).get("collections", []) if "alias" in c]
    if not aliases:
        raise NotRun("no collection has an alias")
    for one in aliases:
        for what in ("", "objects/?limit=1", "manifest/?limit=1"):
            by_id, by_alias = (s.get(f"{s.root}collections/{name}/{what}") for name in (one["id"], one["alias"]))
            expect((by_id.status, by_id.body) == (by_alias.status, by_alias.body), f"{what or 'collection'} differs under the alias `{one['alias']}`")


@check("T-103")
def rights_are_those_of_the_caller(s):
    for kind, read, write in (("read_write", True, True), ("read_only", True, False), ("write_only", False, True)):
        if kind not in s.profile.get("collections", {}):
            continue
        found = s.get(s.collection(kind)).resource(200)
        expect((found["can_read"], found["can_write"]) == (read, write), f"the {kind} collection says can_read {found['can_read']}, can_write {found['can_write']}")


@check("T-105")
def what_may_not_be_read_is_refused(s):
    asked = 0
    for kind, statuses in (("write_only", (403, 404)), ("none", (403, 404))):
        if kind not in s.profile.get("collections", {}):
            continue
        asked += 1
        one = s.versioned[0]["id"]
        for what in ("objects/", "manifest/", f"objects/{one}/", f"objects/{one}/versions/"):
            s.get(s.collection(kind) + what).is_(*statuses)
    if not asked:
        raise NotRun("the profile names neither a `write_only` nor a `none` collection")


@check("T-106")
def what_may_not_be_written_is_refused(s):
    asked = 0
    for kind in ("read_only", "none"):
        if kind in s.profile.get("collections", {}):
            asked += 1
            s.post_raw(b'{"objects":[]}', kind).is_(403, 404)
    if not asked:
        raise NotRun("the profile names neither a `read_only` nor a `none` collection")


@check("T-105", "T-106", title="a collection that the caller may know is 403, another 404")
def refusals_as_decided(s):
    s.decided()
    s.get(s.collection("write_only") + "objects/").is_(403)
    s.post_raw(b'{"objects":[]}', "read_only").is_(403)
    for what in ("", "objects/", "manifest/"):
        hidden, absent = s.get(s.collection("none") + what), s.get(f"{s.root}collections/{uuid.uuid4()}/{what}")
        expect((hidden.status, hidden.body) == (404, absent.body), f"{what}: a collection without rights is answered otherwise than an unknown one")


@check("T-098", "T-138")
def without_credentials_every_endpoint_is_401_with_a_challenge(s):
    if not s.signs_in:
        raise NotRun("the profile names no account; the server lets everybody in")
    for path, _ in every_get(s):
        for headers in ({}, {"Authorization": "Basic bm9ib2R5Om5vdGhpbmc="}, {"Authorization": "Basic !!!"}):
            reply = s.get(path, account=None, headers=headers).is_(401, 404)
            expect(reply.status != 401 or reply.header("www-authenticate"), f"{reply.request}: 401 without WWW-Authenticate")


@check("T-136")
def http_basic_works(s):
    given = s.profile.get("accounts", {}).get("main")
    if not given or "user" not in given:
        raise NotRun("the main account has no user and password")
    s.get("/taxii2/").is_(200)


@check("T-099", "T-076")
def an_account_without_rights_sees_no_collection(s):
    s.account("nobody")
    root = s.get(s.root, account="nobody")
    if root.status == 200:
        expect(s.get(f"{s.root}collections/", account="nobody").resource(200) == {}, "an account without rights sees collections")
    else:
        root.is_(403, 404)


@check("T-108", "T-110", "T-006")
def manifest_records_are_whole(s):
    listed = {c["id"]: c for c in s.get(f"{s.root}collections/").resource(200)["collections"]}
    here = s.get(s.collection()).resource(200)
    media_types = listed[here["id"]].get("media_types", ["application/stix+json"])
    records, _ = s.walk("manifest/", [("match[version]", "all")])
    mine = [record for record in records if record["id"] == s.versioned[0]["id"]]
    expect(len(mine) == 3, f"three versions have {len(mine)} records under match[version]=all")
    for record in records:
        resources.shape("manifest-record", record)
        resources.timestamp(record["date_added"], "date_added")
        expect(record.get("media_type", media_types[0]) in media_types, f"media_type {record.get('media_type')} is not among the collection's {media_types}")


@check("T-112", "T-113", "T-126")
def one_object_by_its_id(s):
    one, unknown = s.versioned[0]["id"], f"indicator--{uuid.uuid4()}"
    found = s.objects(None, f"objects/{one}/")
    expect([o["modified"] for o in found] == [s.versioned[-1]["modified"]], "the object by its id is not its latest version")
    expect(len(s.objects([("match[version]", "all")], f"objects/{one}/")) == 3, "match[version]=all on the object does not give three")
    for what in (f"objects/{unknown}/", f"objects/{unknown}/versions/"):
        resources.error(s.get(s.collection() + what).is_(404))


@check("T-113", title="an object whose versions the filters took away is an empty envelope (TD-01)")
def filtered_away(s):
    found = s.listing(f"objects/{s.versioned[0]['id']}/", [("match[version]", "2001-01-01T00:00:00Z")]).json()
    expect("objects" not in found, "filtered away, and objects are there")


@check("T-125")
def versions_of_one_object(s):
    for one, count in ((s.versioned[0], 3), (s.mixed["marking"], 1), (s.mixed["sco"], 1)):
        found = resources.shape("versions", s.listing(f"objects/{one['id']}/versions/").json())
        expect(len(found["versions"]) == count, f"{one['type']}: {found['versions']}")
        expect(all(isinstance(version, str) for version in found["versions"]), "a version is no string")


@check("T-067")
def objects_travel_in_an_envelope(s):
    for what in ("objects/", f"objects/{s.versioned[0]['id']}/"):
        found = s.listing(what, [("limit", 1)]).json()
        expect("type" not in found and "id" not in found, f"{what} answers with a bundle")


@check("T-089")
def an_unknown_status_is_404(s):
    resources.error(s.get(f"{s.root}status/{uuid.uuid4()}/").is_(404))
    resources.error(s.get(f"{s.root}status/no-uuid/").is_(404, 400))
