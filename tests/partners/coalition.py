"""The demonstration coalition, running, and what its oracle says that every partner is shown."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from client import Partner
from process import Process


def _instant(version: str) -> datetime:
    return datetime.fromisoformat(version)


@dataclass(frozen=True)
class Line:
    """One account's view of one collection of one node."""

    giver: str
    account: str
    partner: str
    peer: bool
    alias: str
    # What changes objects for this account, if anything does.
    quirks: bool = False

    def __str__(self) -> str:
        return f"{self.account} at {self.giver}/{self.alias}"


class Coalition:
    """Six nodes on loopback, loaded and quiet."""

    def __init__(self, home: Path):
        described = home / "coalition.json"
        self.process = Process(["demo", "--small", "--describe", str(described)], home)
        self.process.wait_for(described.is_file)
        told = json.loads(described.read_text())
        self.nodes: dict[str, dict] = {node["name"]: node for node in told["nodes"]}
        self._all, self._given = told["shown"], told["given_with_quirks"]
        self._partners: dict[tuple[str, str], Partner] = {}

    def oracle(self, line: Line) -> list[dict]:
        """What the oracle says the line shows, every version: rows of id, version, sha256 of the bytes."""
        return self._all.get(line.giver, {}).get(line.partner, {}).get(line.alias, [])

    def latest(self, line: Line) -> dict[str, list[dict]]:
        """The latest version of each id (T-055). Contents of an observable have no version; the latest is the one that came last (C-013), which the oracle
        does not know: then each of them is listed, and one of them must come."""
        latest: dict[str, list[dict]] = {}
        for row in self.oracle(line):
            held = latest.setdefault(row["id"], [row])
            if row["version"] is None:
                held += [row] if row not in held else []
            # Fractions of a second may be spelled with more digits or fewer.
            elif _instant(row["version"]) > _instant(held[0]["version"]):
                held[0] = row
        return latest

    def readable(self, giver: str, partner: str) -> set[str]:
        """Aliases of the collections that the agreement lets the partner read."""
        return set(self._all.get(giver, {}).get(partner, {}))

    def given(self, line: Line) -> list[dict]:
        """What the oracle says an account with quirks gets: rows of id, version, sha256 of the bytes as they are kept, and what is added to them."""
        return self._given.get(line.giver, {}).get(line.account, {}).get(line.alias, [])

    def lines(self, peer: bool | None = None, quirks: bool = False) -> Iterator[Line]:
        """Every line of every account at every node; of peers' accounts only, or of ordinary clients' only, or of clients that need quirks, if asked."""
        for giver, node in self.nodes.items():
            for account, about in node["accounts"].items():
                if bool(about["quirks"]) == quirks and (peer is None or about["peer"] == peer):
                    for alias in sorted(self.readable(giver, about["partner"])):
                        yield Line(giver, account, about["partner"], about["peer"], alias, quirks)

    def accounts(self) -> Iterator[tuple[str, str, dict]]:
        """Every account: node, name, what is known of it."""
        for giver, node in self.nodes.items():
            for account, about in node["accounts"].items():
                yield giver, account, about

    def partner(self, giver: str, account: str) -> Partner:
        """That account's program, signed in once."""
        if (giver, account) not in self._partners:
            node = self.nodes[giver]
            self._partners[giver, account] = Partner(node["discovery"], account, node["accounts"][account]["password"])
        return self._partners[giver, account]

    def url(self, line: Line) -> str:
        """The collection's URL."""
        node = self.nodes[line.giver]
        return f"{node['root']}collections/{node['collections'][line.alias]}/"

    def hidden(self, line: Line) -> list[str]:
        """Ids that others are shown in this collection, and this line's partner is not."""
        others = self._all[line.giver].items()
        seen_by_others = {row["id"] for _, shown in others for row in shown.get(line.alias, [])}
        return sorted(seen_by_others - {row["id"] for row in self.oracle(line)})
