"""`stix2`'s own `TAXIICollectionStore` and `TAXIICollectionSource` against the coalition."""

import json
import uuid

import pytest
from stix2 import Filter, TAXIICollectionSource, TAXIICollectionStore
from stix2.v21 import Identity, Indicator
from stix2.datastore import DataSourceError

from coalition import Coalition
from own_node import PARTNER_IDENTITY


def _sources(coalition: Coalition):
    for line in coalition.lines(peer=False):
        partner = coalition.partner(line.giver, line.account)
        yield line, TAXIICollectionSource(partner.collection(line.alias))


def test_get_finds_the_visible_and_gives_none_for_hidden_and_unknown(coalition: Coalition):
    """C-001, T-112, T-113, I1."""
    hidden_asked = 0
    for line, source in _sources(coalition):
        for object_id in sorted(coalition.latest(line))[:10]:
            found = source.get(object_id)
            assert found is not None and found["id"] == object_id, (line, object_id)
        for hidden in coalition.hidden(line)[:5]:
            assert source.get(hidden) is None, (line, hidden)
            hidden_asked += 1
        assert source.get(f"indicator--{uuid.uuid4()}") is None, line
    assert hidden_asked > 10


def test_all_versions_gives_each_version_that_the_oracle_names(coalition: Coalition):
    """T-056, C-013."""
    several = 0
    for line, source in _sources(coalition):
        count: dict[str, int] = {}
        for row in coalition.oracle(line):
            # The library itself merges what has one id and no `modified`.
            count[row["id"]] = count.get(row["id"], 0) + (row["version"] is not None)
        for object_id, versions in count.items():
            if versions > 1:
                assert len(source.all_versions(object_id)) == versions, (line, object_id)
                several += 1
        for hidden in coalition.hidden(line)[:3]:
            assert source.all_versions(hidden) == [], (line, hidden)
    assert several


def test_query_pages_through_everything_and_filters(coalition: Coalition):
    """C-006 (the library asks for 5,000), T-049, T-050, T-070."""
    for line, source in _sources(coalition):
        wanted = set(coalition.latest(line))
        assert {o["id"] for o in source.query()} == wanted, line
        reports = {o["id"] for o in source.query([Filter("type", "=", "report")])}
        assert reports == {i for i in wanted if i.startswith("report--")}, line
        for one in sorted(wanted)[:3]:
            assert [o["id"] for o in source.query([Filter("id", "=", one)])] == [one], line
        assert source.query([Filter("id", "=", f"tool--{uuid.uuid4()}")]) == [], line
        for hidden in coalition.hidden(line)[:3]:
            assert source.query([Filter("id", "=", hidden)]) == [], (line, hidden)


def test_pages_of_three_hold_the_same_as_one_page(coalition: Coalition):
    """T-111, C-006."""
    line = max(coalition.lines(peer=False), key=lambda line: len(coalition.latest(line)))
    source = TAXIICollectionSource(coalition.partner(line.giver, line.account).collection(line.alias), items_per_page=3)
    assert {o["id"] for o in source.query()} == set(coalition.latest(line))


def test_add_writes_where_the_agreement_lets_it_and_reads_back_the_same(own_node):
    """C-005 (a bundle under the TAXII type), C-010, T-115, T-116, design: a contributor sees what it brought."""
    partner = own_node.partner()
    collection = partner.collection("intel")
    store = TAXIICollectionStore(collection)
    organisation = Identity(id=PARTNER_IDENTITY, name="Partner", identity_class="organization")
    finding = Indicator(name="watering hole", pattern="[domain-name:value = 'portal.example.org']", pattern_type="stix", created_by_ref=PARTNER_IDENTITY)
    store.add([organisation, finding])
    assert store.get(finding.id).serialize() == finding.serialize()
    newer = finding.new_version(name="watering hole, confirmed")
    store.add(newer)
    store.add(newer)
    assert store.get(finding.id).name == "watering hole, confirmed"
    assert len(store.all_versions(finding.id)) == 2
    # Nobody labelled it and the collection has no default: it waits for the operator, and nobody else is shown it.
    assert {row["id"] for row in own_node.command("quarantine", "list")} >= {finding.id}


def test_add_is_refused_where_the_agreement_does_not_let_it(own_node):
    """T-103, T-106, T-117, T-118, I4 (speaking for a creator that the agreement does not list)."""
    own_node.agree(give=("intel", "reports"), accept=("intel",))
    own_node.apply()
    partner = own_node.partner()
    with pytest.raises(DataSourceError):
        TAXIICollectionStore(partner.collection("reports"))
    foreign = Indicator(name="not mine", pattern="[ipv4-addr:value = '192.0.2.1']", pattern_type="stix", created_by_ref=f"identity--{uuid.uuid4()}")
    own = Indicator(name="mine", pattern="[ipv4-addr:value = '192.0.2.2']", pattern_type="stix")
    body = {"objects": [json.loads(o.serialize()) for o in (foreign, own)]}
    status = partner.collection("intel").add_objects(body)
    assert (status.status, status.total_count, status.success_count, status.failure_count) == ("complete", 2, 1, 1)
    assert status.failures[0]["id"] == foreign.id and status.failures[0]["message"]
    assert partner.roots[0].get_status(status.id).success_count == 1
    source = TAXIICollectionSource(partner.collection("intel"))
    assert source.get(foreign.id) is None and source.get(own.id) is not None
