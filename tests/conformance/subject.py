"""The server under test: where it is, who asks, which collections there are, and the objects that the suite puts there."""

import json
import time
import uuid
from functools import cached_property
from urllib.parse import quote, urlencode

import resources
from registry import NotRun
from wire import TAXII, Reply, Wire, basic, expect

TLP_CLEAR = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
# Seconds until a pending status must be complete, and between two looks at it.
STATUS_PATIENCE_S, STATUS_PAUSE_S = 60, 0.5
# Pages of one walk at the most: a server that never ends fails.
WALK_PAGES_MAX = 20_000


class Subject:
    def __init__(self, profile: dict):
        self.profile = profile
        self.wire = Wire(profile["url"], profile.get("cafile"), profile.get("insecure", False))
        self.marking = profile.get("marking", TLP_CLEAR)
        self.creator = profile.get("creator")
        self.run = uuid.uuid4()

    # Who asks, and where.

    def account(self, name: str = "main") -> dict:
        """Header fields that sign an account in."""
        given = self.profile.get("accounts", {}).get(name)
        if given is None:
            if name == "main":
                return {}
            raise NotRun(f"the profile names no account `{name}`")
        if "authorization" in given:
            return {"Authorization": given["authorization"]}
        return {"Authorization": basic(given["user"], given["password"])}

    @property
    def signs_in(self) -> bool:
        return "main" in self.profile.get("accounts", {})

    def send(self, method: str, target: str, *, account="main", headers=None, body=None, chunked=False) -> Reply:
        """A good request unless told otherwise; a header of None is left out."""
        fields = {"Host": f"{self.wire.host}:{self.wire.port}", "Accept": TAXII, "User-Agent": "entente-conformance/1.0"}
        fields |= self.account(account) if account else {}
        fields |= headers or {}
        return self.wire.send(method, target, {name: value for name, value in fields.items() if value is not None}, body, chunked)

    def get(self, target: str, query=None, **options) -> Reply:
        """`query` is a list of pairs, a mapping, or the raw text."""
        if query:
            target += "?" + (query if isinstance(query, str) else urlencode(query, quote_via=quote))
        return self.send("GET", target, **options)

    @cached_property
    def root(self) -> str:
        """Path of the API root under test: as the profile says, else the default of discovery, else its first."""
        if "root" in self.profile:
            return self.profile["root"]
        found = self.get("/taxii2/").resource(200)
        url = found.get("default") or (found.get("api_roots") or [None])[0]
        if url is None:
            raise NotRun("discovery names no API root, nor does the profile")
        return self.path_of(url)

    @staticmethod
    def path_of(url: str) -> str:
        return "/" + url.split("://", 1)[-1].split("/", 1)[-1] if "://" in url else url

    def collection(self, kind: str = "read_write") -> str:
        """Path of a collection: `read_write`, `read_only`, `write_only` or `none`, as the main account sees it."""
        given = self.profile.get("collections", {}).get(kind)
        if given is None:
            raise NotRun(f"the profile names no `{kind}` collection")
        return f"{self.root}collections/{given}/"

    @property
    def decisions(self) -> bool:
        """Whether the project's own decisions (C-, TD-) are asked for beside the standard."""
        return bool(self.profile.get("decisions"))

    def decided(self) -> None:
        if not self.decisions:
            raise NotRun("a decision of Entente, asked for with --decisions")

    # Objects of our own.

    def object(self, kind: str = "indicator", modified: str = "2024-05-01T08:00:00.000Z", **more) -> dict:
        """A valid object of STIX 2.1, marked as the profile says."""
        stix = {
            "type": kind,
            "spec_version": "2.1",
            "id": f"{kind}--{uuid.uuid4()}",
            "created": "1999-01-01T00:00:00.000Z",
            "modified": modified,
            "name": f"conformance {self.run}",
            "object_marking_refs": [self.marking],
        }
        if kind == "indicator":
            stix |= {"pattern": "[ipv4-addr:value = '198.51.100.7']", "pattern_type": "stix", "valid_from": "2024-01-01T00:00:00Z"}
        if kind == "malware":
            stix |= {"is_family": False}
        if self.creator:
            stix["created_by_ref"] = self.creator
        return stix | more

    def observable(self) -> dict:
        """An SCO: neither `created` nor `modified`. Its id is the one that its value gives."""
        value = f"{self.run}.example"
        named = uuid.uuid5(uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7"), json.dumps({"value": value}, separators=(",", ":")))
        return {"type": "domain-name", "spec_version": "2.1", "id": f"domain-name--{named}", "value": value, "object_marking_refs": [self.marking]}

    def post_raw(self, body: bytes, collection: str = "read_write", **options) -> Reply:
        headers = {"Content-Type": TAXII} | options.pop("headers", {})
        return self.send("POST", self.collection(collection) + "objects/", body=body, headers=headers, **options)

    def post(self, *objects: dict, **options) -> dict:
        """Posts an envelope and gives its status once it is complete."""
        reply = self.post_raw(json.dumps({"objects": list(objects)}).encode(), **options)
        return self.completed(resources.status(reply.resource(202)))

    def completed(self, status: dict) -> dict:
        """T-091."""
        until = time.monotonic() + STATUS_PATIENCE_S
        while status["status"] == "pending":
            expect(time.monotonic() < until, f"a status is still pending after {STATUS_PATIENCE_S} s")
            time.sleep(STATUS_PAUSE_S)
            status = resources.status(self.get(f"{self.root}status/{status['id']}/").resource(200))
        return status

    def put(self, *objects: dict) -> tuple:
        """Posts objects that must be taken."""
        status = self.post(*objects)
        expect(status["success_count"] == len(objects), f"valid objects were not taken: {status!r:.600}")
        return objects

    # What a collection says.

    def listing(self, what: str, query=None, collection: str = "read_write", **options) -> Reply:
        """`what` is `objects/`, `manifest/`, `objects/{id}/` or `objects/{id}/versions/`."""
        return self.get(self.collection(collection) + what, query, **options).is_(200)

    def objects(self, query=None, what: str = "objects/", **options) -> list:
        """The objects of one page."""
        return resources.shape("envelope", self.listing(what, query, **options).json()).get("objects", [])

    def records(self, query=None) -> list:
        """The records of one page of the manifest."""
        return resources.shape("manifest", self.listing("manifest/", query).json()).get("objects", [])

    def walk(self, what: str, query: list, member: str = "objects") -> tuple:
        """All of a listing by `next`: its members in order, and its pages."""
        members, pages, after = [], [], []
        for _ in range(WALK_PAGES_MAX):
            reply = self.listing(what, query + after)
            page = reply.json()
            pages.append((reply, page))
            members += page.get(member, [])
            if not page.get("more", False):
                return members, pages
            expect(isinstance(page.get("next"), str) and page["next"] != "", "T-040: `more` without `next`: clients that page by it loop for ever (TK-23)")
            after = [("next", page["next"])]
        raise NotRun(f"a walk did not end within {WALK_PAGES_MAX} pages")

    @cached_property
    def five(self) -> list:
        """Five tools, each posted by itself, with times of STIX that run backward."""
        tools = [self.object("tool", modified=f"200{9 - n}-01-01T00:00:00.000Z") for n in range(5)]
        for tool in tools:
            self.put(tool)
        return tools

    @cached_property
    def versioned(self) -> list:
        """One indicator in three versions, oldest first, each posted by itself."""
        first = self.object()
        versions = [first | {"modified": f"2024-0{n}-01T00:00:00.000Z", "name": f"version {n}"} for n in (1, 2, 3)]
        for version in versions:
            self.put(version)
        return versions

    @cached_property
    def mixed(self) -> dict:
        """One object of each way to have a version: SDO, marking-definition (`created` alone), SCO (neither)."""
        statement = {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": f"marking-definition--{uuid.uuid4()}",
            "created": "2024-06-01T00:00:00.000Z",
            "definition_type": "statement",
            "definition": {"statement": f"Conformance run {self.run}."},
            "object_marking_refs": [self.marking],
        }
        if self.creator:
            statement["created_by_ref"] = self.creator
        made = {"sdo": self.object("malware"), "marking": statement, "sco": self.observable()}
        self.put(*made.values())
        return made

    @cached_property
    def twin(self) -> tuple:
        """One id in both specification versions, STIX 2.0 first."""
        new = self.object(modified="2024-02-01T00:00:00.000Z")
        old = {k: v for k, v in new.items() if k not in ("spec_version", "pattern_type")}
        old |= {"modified": "2024-01-01T00:00:00.000Z", "labels": ["malicious-activity"]}
        self.put(old)
        self.put(new)
        return old, new


def ids(*objects: dict) -> tuple:
    """The filter for these objects alone, whatever else a collection holds."""
    return ("match[id]", ",".join(one["id"] for one in objects))
