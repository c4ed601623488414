"""The unmodified `taxii2-client`, with its replies kept beside what it makes of them.

The hook is the `requests` library's own (`Session.hooks`); nothing of the client is replaced or patched.
"""

import hashlib
from dataclasses import dataclass

import requests
from taxii2client.v21 import ApiRoot, Collection, Server, as_pages

from envelope import raw_objects

TAXII = "application/taxii+json;version=2.1"


@dataclass(frozen=True)
class Got:
    """One object that a client received: as it understood it, and its bytes."""

    parsed: dict
    raw: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.raw).hexdigest()


class Partner:
    """A partner's program at one node's door."""

    def __init__(self, discovery: str, account: str, password: str):
        self.account, self.password, self.discovery = account, password, discovery
        self.replies: list[requests.Response] = []
        self.server = Server(discovery, user=account, password=password)
        self._keep(self.server)
        self.roots: list[ApiRoot] = self.server.api_roots
        for root in self.roots:
            self._keep(root)

    def _keep(self, endpoint) -> None:
        endpoint._conn.session.hooks["response"].append(lambda reply, *_, **__: self.replies.append(reply))

    def collections(self) -> list[Collection]:
        return [collection for root in self.roots for collection in root.collections]

    def collection(self, alias: str) -> Collection:
        return next(c for c in self.collections() if c.alias == alias)

    def pull(self, collection: Collection, limit: int, **filters) -> list[Got]:
        """Every object of a collection by `as_pages`. Pages keep to what was promised, and the bytes are those of the replies."""
        self.replies.clear()
        pages = list(as_pages(collection.get_objects, per_request=limit, **filters))
        assert len(pages) == len(self.replies)
        got: list[Got] = []
        for page, reply in zip(pages, self.replies, strict=True):
            parsed = page.get("objects", [])
            assert len(parsed) <= limit, "T-036: a page holds at most `limit` objects"
            assert page.get("more", False) is (reply is not self.replies[-1]), "T-039: `more` as long as more follows"
            assert parsed or not page.get("more"), "C-007: no empty page with `more`"
            assert ("next" in page) == page.get("more", False), "TD-06: `next` exactly when there is more"
            got.extend(Got(p, r) for p, r in zip(parsed, raw_objects(reply.content), strict=True))
        return got

    def assignments(self) -> dict[tuple[str, str | None], set[str]]:
        """Labels that the node assigned to objects of the last pull; only Entente peers are told."""
        told = (entry for reply in self.replies for entry in reply.json().get("x_entente_label_assignments", []))
        return {(entry["id"], entry.get("version")): set(entry["marking_refs"]) for entry in told}

    def get(self, url: str, **options) -> requests.Response:
        """A plain request beside the client, with the same credentials."""
        headers = {"Accept": TAXII} | options.pop("headers", {})
        return requests.get(url, auth=(self.account, self.password), headers=headers, timeout=30, allow_redirects=False, **options)


def same_reply(one: requests.Response, other: requests.Response) -> str | None:
    """None if two replies are equal in status, headers (`Date` apart) and bytes; else what differs (I1)."""
    def headers(reply: requests.Response) -> dict:
        return {name.lower(): value for name, value in reply.headers.items() if name.lower() != "date"}

    for what, left, right in (
        ("status", one.status_code, other.status_code),
        ("headers", headers(one), headers(other)),
        ("body", one.content, other.content),
    ):
        if left != right:
            return f"{what}: {left!r} against {right!r}"
    return None
