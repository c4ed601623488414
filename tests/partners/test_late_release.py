"""I5: what becomes visible late arrives on the reader's next ordinary poll, with the unmodified client.

The partner polls the way common clients do: `added_after` set to the last `X-TAXII-Date-Added-Last` that it was given, and nothing else.
"""

import time
from datetime import datetime, timedelta, timezone

import requests
from taxii2client.v21 import Collection

from own_node import OwnNode, indicator, instant


class Poller:
    """A client that only ever asks for what was added after its mark."""

    def __init__(self, node: OwnNode, alias: str = "intel", limit: int = 1000):
        self.partner = node.partner()
        self.limit, self.mark = limit, "2000-01-01T00:00:00Z"
        self.collection: Collection = self.partner.collection(alias)

    def poll(self) -> list[str]:
        """Names of the objects that came, in their order."""
        got = self.partner.pull(self.collection, self.limit, added_after=self.mark)
        self.mark = self.partner.replies[-1].headers["X-TAXII-Date-Added-Last"]
        return [g.parsed["name"] for g in got]

    def status(self) -> int:
        """The bare status of a poll, where the collection may have gone."""
        return self.partner.get(self.collection.objects_url, params={"added_after": self.mark}).status_code


def test_a_relabelled_object_arrives_on_the_next_poll(own_node: OwnNode):
    """I5 by a label; C-014; L-005 (a label that the node assigned)."""
    old, seen = indicator("old and hidden"), indicator("visible")
    own_node.load([old, seen], "TLP:AMBER")
    own_node.load([indicator("clear")], "TLP:CLEAR")
    client = Poller(own_node)
    assert client.poll() == ["clear"]
    assert client.poll() == []
    told = own_node.command("relabel", old["id"], "--label", "TLP:CLEAR")
    assert [(line["account"], line["released"], line["withdrawn"]) for line in told["lines"] if line["account"] == "japan-tool"] == [("japan-tool", 1, 0)]
    assert client.poll() == ["old and hidden"]
    assert client.poll() == []


def test_a_stricter_label_withdraws_and_a_second_relabel_delivers_again(own_node: OwnNode):
    """I5 after withdrawal and new grant; T-122; slots never move."""
    first, second, third = (indicator(name) for name in ("first", "second", "third"))
    own_node.load([first, second, third], "TLP:CLEAR")
    client = Poller(own_node)
    assert client.poll() == ["first", "second", "third"]
    dates = {r["id"]: r["date_added"] for r in client.collection.get_manifest()["objects"]}
    own_node.command("relabel", second["id"], "--label", "TLP:AMBER")
    assert client.poll() == []
    assert client.partner.get(f"{client.collection.objects_url}{second['id']}/").status_code == 404
    left = {r["id"]: r["date_added"] for r in client.collection.get_manifest()["objects"]}
    assert left == {i: d for i, d in dates.items() if i != second["id"]}, "a slot moved"
    own_node.command("relabel", second["id"], "--label", "TLP:CLEAR")
    assert client.poll() == ["second"]
    again = {r["id"]: r["date_added"] for r in client.collection.get_manifest()["objects"]}
    assert again.pop(second["id"]) > max(dates.values()) and again == left


def test_a_changed_agreement_delivers_old_objects_on_the_next_poll(own_node: OwnNode):
    """I5 by an agreement: file changed, `agreement preview` tells, `agreement apply` does."""
    own_node.load([indicator("amber one"), indicator("amber two")], "TLP:AMBER")
    own_node.load([indicator("clear")], "TLP:CLEAR")
    client = Poller(own_node)
    assert client.poll() == ["clear"]
    own_node.agree(tlp=("CLEAR", "AMBER"))
    assert client.poll() == [], "a file that is not applied changes nothing"
    changes = own_node.apply()
    assert sum(change["released"] for change in changes) == 2 and not any(change["withdrawn"] for change in changes)
    assert client.poll() == ["amber one", "amber two"]
    assert client.poll() == []


def test_an_agreement_taken_back_and_given_again_delivers_again(own_node: OwnNode):
    """I5 after withdrawal and new grant, by the agreement."""
    own_node.load([indicator("amber")], "TLP:AMBER")
    own_node.load([indicator("clear")], "TLP:CLEAR")
    own_node.agree(tlp=("CLEAR", "AMBER"))
    own_node.apply()
    client = Poller(own_node)
    assert client.poll() == ["clear", "amber"]
    own_node.agree(tlp=("CLEAR",))
    own_node.apply()
    assert client.poll() == []
    assert [r["version"] for r in client.collection.get_manifest()["objects"]] == ["2024-05-01T08:00:00.000Z"]
    own_node.agree(tlp=("CLEAR", "AMBER"))
    own_node.apply()
    assert client.poll() == ["amber"]


def test_a_date_in_the_agreement_delivers_by_itself(own_node: OwnNode):
    """I5 by the clock: an agreement that begins, and ends, without any command at that moment."""
    own_node.load([indicator("before")], "TLP:CLEAR")
    client = Poller(own_node)
    assert client.poll() == ["before"]
    now = datetime.now(timezone.utc).replace(microsecond=0)
    begins, ends = now + timedelta(seconds=4), now + timedelta(seconds=7)
    own_node.agree(since=instant(begins), until=instant(ends))
    own_node.apply()
    own_node.load([indicator("meanwhile")], "TLP:CLEAR")
    assert datetime.now(timezone.utc) < begins, "the machine is too slow for this test's dates"
    # Before the agreement begins, the collection is for writing at most, and nothing can be read.
    assert client.status() in (403, 404)
    _sleep_until(begins)
    assert client.poll() == ["before", "meanwhile"]
    assert client.poll() == []
    _sleep_until(ends)
    assert client.status() in (403, 404)


def _sleep_until(at: datetime) -> None:
    time.sleep(max(0.0, (at - datetime.now(timezone.utc)).total_seconds()) + 0.05)


def test_a_collection_added_to_the_agreement_delivers_what_lies_in_it(own_node: OwnNode):
    """I5 by a collection."""
    own_node.load([indicator("an old report")], "TLP:CLEAR", collection="reports")
    own_node.load([indicator("intel")], "TLP:CLEAR")
    client = Poller(own_node)
    assert client.poll() == ["intel"]
    assert "reports" not in {c.alias for c in client.partner.collections()}
    own_node.agree(give=("intel", "reports"))
    own_node.apply()
    mark = client.mark
    client = Poller(own_node, alias="reports")
    client.mark = mark
    assert client.poll() == ["an old report"]
    assert client.poll() == []


def test_a_new_collection_made_while_the_node_runs_is_nobodys_until_an_agreement_names_it(own_node: OwnNode):
    """L-156, I5."""
    own_node.command("collection", "add", "--alias", "projects", "--title", "Joint projects")
    own_node.load([indicator("plan")], "TLP:CLEAR", collection="projects")
    partner = own_node.partner()
    assert "projects" not in {c.alias for c in partner.collections()}
    own_node.agree(give=("intel", "projects"))
    own_node.apply()
    assert Poller(own_node, alias="projects").poll() == ["plan"]


def test_thousands_that_become_visible_at_once_all_arrive_across_page_borders(own_node: OwnNode):
    """I5, T-039, T-111, C-006, C-007: each object exactly once, in order, with pages that divide nothing evenly."""
    names = [f"amber {number}" for number in range(3_000)]
    own_node.load([indicator("clear before")], "TLP:CLEAR")
    own_node.load([indicator(name) for name in names], "TLP:AMBER")
    own_node.load([indicator("clear after")], "TLP:CLEAR")
    wide, narrow = Poller(own_node), Poller(own_node, limit=211)
    assert wide.poll() == narrow.poll() == ["clear before", "clear after"]
    own_node.agree(tlp=("CLEAR", "AMBER"))
    own_node.apply()
    assert wide.poll() == names
    assert narrow.poll() == names
    assert wide.poll() == narrow.poll() == []


def test_a_release_in_the_middle_of_a_paged_read_comes_at_its_end(own_node: OwnNode):
    """I5, T-041, C-014: what is released while a client pages lies behind every page that it has."""
    hidden = [indicator(f"amber {number}") for number in range(5)]
    own_node.load([indicator(f"clear {number}") for number in range(6)], "TLP:CLEAR")
    own_node.load(hidden, "TLP:AMBER")
    client = Poller(own_node)
    page = client.collection.get_objects(limit=4)
    assert [o["name"] for o in page["objects"]] == [f"clear {n}" for n in range(4)] and page["more"]
    own_node.agree(tlp=("CLEAR", "AMBER"))
    own_node.apply()
    rest = client.collection.get_objects(limit=100, next=page["next"])
    assert [o["name"] for o in rest["objects"]] == ["clear 4", "clear 5"] + [o["name"] for o in hidden]
    assert not rest.get("more")


def test_a_disabled_account_is_shut_out_at_once_and_an_enabled_one_gets_the_rest(own_node: OwnNode):
    """I5 by an account; credentials remembered by the node are dropped at once."""
    own_node.load([indicator("one")], "TLP:CLEAR")
    client = Poller(own_node)
    assert client.poll() == ["one"]
    own_node.command("user", "disable", "japan-tool")
    assert client.status() == 401
    own_node.load([indicator("two")], "TLP:CLEAR")
    own_node.command("user", "enable", "japan-tool")
    assert client.status() == 200
    assert "two" in client.poll()


def test_who_has_and_explain_agree_with_what_the_client_was_given(own_node: OwnNode):
    """I6, L-155: a delivery is in the log before its first byte leaves, and `explain` says why the other one stays."""
    given, kept = indicator("given"), indicator("kept")
    own_node.load([given], "TLP:CLEAR")
    own_node.load([kept], "TLP:AMBER")
    client = Poller(own_node)
    assert client.poll() == ["given"]
    has = own_node.command("who-has", given["id"])["versions"][0]["deliveries"]
    assert {(d["account"], d["partner"], d["channel"]) for d in has} == {("japan-tool", "japan", "taxii:objects")}
    assert own_node.command("who-has", kept["id"])["versions"][0]["deliveries"] == []
    explained = own_node.command("explain", given["id"], "--to", "japan-tool")
    assert explained["released"] is True and explained["instances"][0]["steps"]
    assert client.poll() == []
    has = own_node.command("who-has", given["id"])["versions"][0]["deliveries"]
    assert {d["state"] for d in has} == {"confirmed"}, "the next cursor confirms the page before"


def test_the_node_answers_health_and_nothing_else_without_credentials(own_node: OwnNode):
    """T-098, T-138."""
    assert requests.get(own_node.base + "/healthz", timeout=5).content == b"ok\n"
    for path in ("/", "/taxii2/", "/live/", "/live/collections/", "/metrics"):
        assert requests.get(own_node.base + path, timeout=5).status_code == 401, path
