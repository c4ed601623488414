"""What a partner learns from the doors that stay shut: nothing. And what an error looks like."""

import uuid

import pytest
import requests

from client import TAXII, same_reply
from coalition import Coalition


def test_each_partner_is_shown_the_collections_of_its_agreement_and_no_other(coalition: Coalition):
    """T-076, T-100, T-103, T-105, rule 7 of the client contract, L-156."""
    shut = 0
    for giver, account, about in coalition.accounts():
        node, partner = coalition.nodes[giver], coalition.partner(giver, account)
        readable = coalition.readable(giver, about["partner"])
        shown = {c.alias for c in partner.collections()}
        # A peer is told what is taken back from it, also once its agreement is over, as that of Korea and the CERT is.
        over = (giver, account) in {("korea", "cert-node"), ("cert", "korea-node")}
        told = {"withdrawals"} if about["peer"] and (readable or over) else set()
        assert {c.alias for c in partner.collections() if c.can_read} == readable | told, (giver, account, shown)
        nowhere = partner.get(f"{node['root']}collections/{uuid.uuid4()}/objects/")
        assert nowhere.status_code == 404
        for alias in set(node["collections"]) - shown:
            for end in ("", "objects/", "manifest/", f"objects/indicator--{uuid.uuid4()}/"):
                for segment in (node["collections"][alias], alias):
                    reply = partner.get(f"{node['root']}collections/{segment}/{end}")
                    assert same_reply(reply, nowhere) is None, (giver, account, alias, end)
                    shut += 1
    assert shut > 20, "no partner has a door that stays shut"


def test_a_hidden_id_answers_exactly_like_an_unknown_one(coalition: Coalition):
    """I1, T-066, T-113, T-126, TD-15, L-131."""
    asked = 0
    for line in coalition.lines():
        partner, objects = coalition.partner(line.giver, line.account), coalition.url(line) + "objects/"
        for hidden in coalition.hidden(line)[:8]:
            unknown = f"{hidden.split('--')[0]}--{uuid.uuid4()}"
            for end in ("/", "", "/versions/", "/?match[version]=all", "/?match[version]=first,last", "/?added_after=2020-01-01T00:00:00Z&limit=1"):
                there, nowhere = partner.get(f"{objects}{hidden}{end}"), partner.get(f"{objects}{unknown}{end}")
                assert nowhere.status_code == 404 and same_reply(there, nowhere) is None, (line, hidden, end, there.text)
                asked += 1
            for listing in (objects, coalition.url(line) + "manifest/"):
                there, nowhere = (partner.get(listing, params={"match[id]": i, "match[version]": "all"}) for i in (hidden, unknown))
                assert nowhere.status_code == 200 and nowhere.json() == {} and same_reply(there, nowhere) is None, (line, hidden)
                asked += 1
    assert asked > 100


def test_another_partners_cursor_is_of_no_use(coalition: Coalition):
    """T-042, rule 9 of the client contract."""
    lines = [line for line in coalition.lines(peer=False) if line.giver == "nato" and len(coalition.latest(line)) > 2]
    by_alias = [line for line in lines if line.alias == lines[0].alias]
    mine, theirs = by_alias[0], by_alias[1]
    given = coalition.partner(mine.giver, mine.account).get(coalition.url(mine) + "objects/", params={"limit": 1}).json()["next"]
    spoilt = given[:-2] + ("AA" if not given.endswith("AA") else "BB")
    reader = coalition.partner(theirs.giver, theirs.account)
    replies = [reader.get(coalition.url(theirs) + "objects/", params={"limit": 1, "next": cursor}) for cursor in (given, spoilt, "x" * len(given))]
    assert [reply.status_code for reply in replies] == [400, 400, 400]
    assert all(same_reply(reply, replies[0]) is None for reply in replies)
    # The one it was given to may use it, with another limit and without repeating anything (C-006).
    again = coalition.partner(mine.giver, mine.account).get(coalition.url(mine) + "objects/", params={"limit": 2, "next": given})
    assert again.status_code == 200 and len(again.json()["objects"]) == 2


def _is_error(reply: requests.Response, status: int) -> None:
    assert reply.status_code == status, (reply.url, reply.status_code, reply.text)
    assert reply.headers["Content-Type"] == TAXII, reply.url
    body = reply.json()
    assert body["title"] and body["http_status"] == str(status), reply.url


def test_every_error_is_a_taxii_error_of_the_taxii_type(coalition: Coalition):
    """T-011, T-014, T-018, T-023, T-030, T-046, T-057, T-063, T-065, T-098, T-138, C-003, C-004."""
    line = next(line for line in coalition.lines(peer=False) if coalition.oracle(line))
    partner, url, node = coalition.partner(line.giver, line.account), coalition.url(line), coalition.nodes[line.giver]
    for wrong in ("added_after=yesterday", "limit=0", "limit=-1", "limit=1.5", "limit=x", "match[version]=foo", "match[version]=all,last",
                  "match[type]=a&match[type]=b", "next=broken", "limit=1&limit=1"):  # fmt: skip
        _is_error(partner.get(f"{url}objects/?{wrong}"), 400)
    unsigned = requests.get(url, headers={"Accept": TAXII}, timeout=30)
    _is_error(unsigned, 401)
    assert unsigned.headers["WWW-Authenticate"].startswith("Basic ")
    _is_error(requests.get(node["discovery"], auth=(line.account, "wrong"), timeout=30), 401)
    _is_error(requests.get(node["discovery"], auth=("nobody", "wrong"), timeout=30), 401)
    for nowhere in (node["root"] + "nothing/", node["discovery"] + "nothing/", node["root"][:-1] + "-not/"):
        _is_error(partner.get(nowhere), 404)
    _is_error(requests.put(url, auth=(partner.account, partner.password), timeout=30), 405)
    for accept in ("text/html", "application/taxii+json;version=2.0"):
        _is_error(partner.get(node["discovery"], headers={"Accept": accept}), 406)


@pytest.mark.parametrize(
    "accept",
    [TAXII, "application/taxii+json", "application/taxii+json; version=2.1", "application/json", "application/*", "*/*", None,
     "text/html, application/taxii+json;q=0.5", "application/taxii+json;version=2.1,application/stix+json;version=2.1"],  # fmt: skip
)
def test_every_usual_accept_header_is_served_with_and_without_trailing_slash(coalition: Coalition, accept: str | None):
    """T-014 to T-016, C-003, C-004."""
    line = next(line for line in coalition.lines(peer=False) if coalition.oracle(line))
    partner = coalition.partner(line.giver, line.account)
    for url in (coalition.nodes[line.giver]["discovery"], coalition.url(line) + "objects/"):
        for spelling in (url, url[:-1]):
            reply = partner.get(spelling, headers={"Accept": accept})
            assert reply.status_code == 200 and reply.headers["Content-Type"] == TAXII, (spelling, accept)
