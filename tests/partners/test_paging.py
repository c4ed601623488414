"""Paging while everything changes: inserts, relabels, agreement changes and deletes between the pages of several readers, with random limits, by `next` and by `added_after`.

Every object that a reader may see from the first page to the last comes exactly once; none comes while it is hidden; times grow from page to page. The seed is printed; ENTENTE_PAGING_SEED repeats a run.
"""

import os
import random
import uuid

import requests

from own_node import PARTNER_IDENTITY, OwnNode, indicator
from test_conformance import CLEAR

TAXII = "application/taxii+json;version=2.1"
# Acts of one run, and walks that go on at once.
ACTS, WALKS = int(os.environ.get("ENTENTE_PAGING_ACTS", "150")), 4
COLLECTIONS = ("intel", "reports")


class World:
    """What the partner may see, as the acts say; knows nothing of how the node finds it."""

    def __init__(self, node: OwnNode, chance: random.Random):
        self.node, self.chance = node, chance
        self.clear: dict[str, bool] = {}
        self.where: dict[str, str] = {}
        # What the partner brought and not deleted; what the node labelled itself, and may relabel.
        self.mine: set[str] = set()
        self.own: list[str] = []
        self.given = set(COLLECTIONS)

    def visible(self, collection: str) -> set[str]:
        if collection not in self.given:
            return set()
        return {one for one, clear in self.clear.items() if clear and self.where[one] == collection}

    def insert(self) -> None:
        collection, clear = self.chance.choice(COLLECTIONS), self.chance.random() < 0.7
        objects = [indicator(str(uuid.uuid4())) for _ in range(self.chance.randint(1, 6))]
        self.node.load(objects, "TLP:CLEAR" if clear else "TLP:RED", collection)
        for one in objects:
            self.clear[one["id"]], self.where[one["id"]] = clear, collection
            self.own.append(one["id"])

    def relabel(self) -> None:
        if self.own:
            one = self.chance.choice(self.own)
            self.clear[one] = not self.clear[one]
            self.node.command("relabel", one, "--label", "TLP:CLEAR" if self.clear[one] else "TLP:RED")

    def agree(self) -> None:
        self.given = set(self.chance.choice([("intel", "reports"), ("intel",), ("reports",), ("intel", "reports")]))
        self.node.agree(give=sorted(self.given), accept=("intel",))
        self.node.apply()

    def post(self) -> None:
        one = indicator(str(uuid.uuid4())) | {"object_marking_refs": [CLEAR]}
        reply = requests.post(f"{self.node.base}/live/collections/intel/objects/", json={"objects": [one]}, auth=("japan-tool", self.node.password), headers={"Accept": TAXII, "Content-Type": TAXII}, timeout=30)
        assert reply.status_code == 202 and reply.json()["success_count"] == 1, reply.text
        self.clear[one["id"]], self.where[one["id"]] = True, "intel"
        self.mine.add(one["id"])

    def delete(self) -> None:
        # Only what may be read can be deleted.
        if self.mine and "intel" in self.given:
            one = self.chance.choice(sorted(self.mine))
            reply = requests.delete(f"{self.node.base}/live/collections/intel/objects/{one}/", auth=("japan-tool", self.node.password), headers={"Accept": TAXII}, timeout=30)
            assert reply.status_code == 200, reply.text
            self.mine.discard(one)
            self.clear[one] = False

    def act(self) -> str:
        name = self.chance.choices(["insert", "relabel", "agree", "post", "delete"], [4, 6, 1, 3, 2])[0]
        getattr(self, name)()
        return name


class Walk:
    """One reader's way through a collection."""

    def __init__(self, world: World, account: tuple[str, str]):
        self.world, self.account = world, account
        self.collection = world.chance.choice(COLLECTIONS)
        self.by_next = world.chance.random() < 0.7
        self.throughout = world.visible(self.collection)
        self.came: list[str] = []
        self.query: dict[str, str] = {}
        self.last = ""
        self.over = self.broken = False

    def seen(self) -> None:
        """After each act: what is hidden now was not visible throughout."""
        self.throughout &= self.world.visible(self.collection)

    def page(self) -> None:
        limit = self.world.chance.randint(1, 7)
        url = f"{self.world.node.base}/live/collections/{self.collection}/objects/"
        reply = requests.get(url, params=self.query | {"limit": str(limit)}, auth=self.account, headers={"Accept": TAXII}, timeout=30)
        visible = self.world.visible(self.collection)
        if reply.status_code in (403, 404):
            assert not visible, "refused though the agreement gives it"
            # Without the collection there is nothing to go on with: the reader begins again another time.
            self.over = self.broken = True
            return
        assert reply.status_code == 200, reply.text
        body = reply.json()
        ids = [one["id"] for one in body.get("objects", [])]
        assert len(ids) <= limit and set(ids) <= visible, f"hidden: {set(ids) - visible}"
        assert ids or not body.get("more"), "C-007"
        assert ("next" in body) == body.get("more", False)
        if ids:
            first, last = reply.headers["X-TAXII-Date-Added-First"], reply.headers["X-TAXII-Date-Added-Last"]
            assert self.last < first and (first < last or len(ids) == 1), (self.last, first, last)
            self.last = last
        self.came += ids
        if not body.get("more"):
            self.over = True
        else:
            self.query = {"next": body["next"]} if self.by_next else {"added_after": self.last}

    def check(self) -> None:
        for one in self.throughout if not self.broken else ():
            assert self.came.count(one) == 1, f"{one} came {self.came.count(one)} times"


def test_what_is_visible_throughout_comes_once_and_what_is_hidden_never(own_node: OwnNode):
    """I1, I5, T-028, T-033, T-036, T-039, T-041, T-044, T-111, T-122, C-006, C-007, C-014."""
    seed = int(os.environ.get("ENTENTE_PAGING_SEED", random.SystemRandom().randint(0, 1 << 31)))
    print(f"ENTENTE_PAGING_SEED={seed}")
    chance = random.Random(seed)
    world = World(own_node, chance)
    own_node.agree(give=COLLECTIONS, accept=("intel",))
    own_node.apply()
    accounts = [("japan-tool", own_node.password)]
    accounts += [(name, own_node.command("user", "add", name, "--partner", "japan")["password"]) for name in ("japan-two", "japan-three")]
    for _ in range(6):
        world.insert()
    walks, ended, pages = [Walk(world, chance.choice(accounts)) for _ in range(WALKS)], 0, 0
    for _ in range(ACTS):
        world.act()
        for walk in walks:
            walk.seen()
        for n, walk in enumerate(walks):
            for _ in range(chance.randint(0, 2)):
                if not walk.over:
                    walk.page()
                    pages += 1
            if walk.over:
                walk.check()
                ended += not walk.broken
                walks[n] = Walk(world, chance.choice(accounts))
    assert ended > ACTS / 10 and pages > ACTS, (ended, pages)
    assert own_node.command("doctor")["sound"] is True
