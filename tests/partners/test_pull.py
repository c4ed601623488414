"""Every partner pulls every collection of every node with the unmodified `taxii2-client`; the oracle says what must come."""

from collections import Counter

import pytest

from client import Got
from coalition import Coalition, Line
from envelope import inserted, version_of


def _every_version(coalition: Coalition, line: Line, got: list[Got]) -> list[str]:
    """How what was received differs from every version that the oracle names."""
    came = Counter((g.parsed["id"], version_of(g.parsed), g.sha256) for g in got)
    wanted = Counter((r["id"], r["version"], r["sha256"]) for r in coalition.oracle(line))
    lacks = [f"{line} lacks {key}" for key in (wanted - came).elements()]
    return lacks + [f"{line} was given {key} beyond the oracle" for key in (came - wanted).elements()]


def _latest(coalition: Coalition, line: Line, got: list[Got]) -> list[str]:
    """How what was received differs from the latest versions that the oracle names."""
    wanted, came = coalition.latest(line), {g.parsed["id"]: g for g in got}
    wrong = [f"{line} was given {g.parsed['id']} twice" for g in got if came[g.parsed["id"]] is not g]
    wrong += [f"{line} lacks {i}" for i in wanted.keys() - came.keys()]
    wrong += [f"{line} was given {i} beyond the oracle" for i in came.keys() - wanted.keys()]
    for i in came.keys() & wanted.keys():
        if (version_of(came[i].parsed), came[i].sha256) not in [(row["version"], row["sha256"]) for row in wanted[i]]:
            wrong.append(f"{line} was given another version or other bytes of {i}")
    return wrong


def test_the_oracle_has_something_to_say(coalition: Coalition):
    """Guards the tests below against an empty comparison: several nodes, two accounts a partner, different sets."""
    lines = list(coalition.lines())
    assert len(coalition.nodes) == 6
    assert {line.peer for line in lines} == {True, False}
    sets = {(line.giver, line.alias): set() for line in lines}
    for line in lines:
        sets[line.giver, line.alias].add(frozenset(coalition.latest(line)))
    assert sum(len(coalition.oracle(line)) for line in lines) > 300
    assert any(len(different) > 1 for different in sets.values()), "no two partners are shown different things"
    assert any(coalition.hidden(line) for line in lines)


@pytest.mark.parametrize("limit", [7, 1000])
def test_a_peer_receives_exactly_the_oracles_set_byte_for_byte(coalition: Coalition, limit: int):
    """I1, I3, T-031, T-036, T-037, T-039, T-040, T-055, T-111, C-007, C-014."""
    wrong = []
    for line in coalition.lines(peer=True):
        partner = coalition.partner(line.giver, line.account)
        got = partner.pull(partner.collection(line.alias), limit)
        wrong += _latest(coalition, line, got)
    assert not wrong, "\n".join(wrong)


def test_a_peer_receives_every_version_that_the_oracle_names(coalition: Coalition):
    """T-056 (`all`), I1, I3."""
    wrong = []
    for line in coalition.lines(peer=True):
        partner = coalition.partner(line.giver, line.account)
        got = partner.pull(partner.collection(line.alias), 1000, version="all")
        wrong += _every_version(coalition, line, got)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_an_ordinary_client_receives_the_same_with_assigned_markings_added_and_nothing_else(coalition: Coalition, limit: int):
    """I3 with its one listed exception, T-036, T-039, C-006 (limit above ours), C-007."""
    wrong, labelled = [], 0
    for line in coalition.lines(peer=False):
        partner = coalition.partner(line.giver, line.account)
        got = partner.pull(partner.collection(line.alias), limit)
        as_peer = coalition.partner(line.giver, f"{line.partner}-node")
        received = as_peer.pull(as_peer.collection(line.alias), 1000)
        assigned = as_peer.assignments()
        before = {(g.parsed["id"], version_of(g.parsed), i): g for g, i in _numbered(received)}
        undone: list[Got] = []
        for g, i in _numbered(got):
            key = (g.parsed["id"], version_of(g.parsed))
            original = before.get((*key, i))
            if original is None:
                wrong.append(f"{line} was given {key}, which the peer account was not")
                continue
            piece = inserted(original.raw, g.raw)
            added = set(g.parsed.get("object_marking_refs", [])) - set(original.parsed.get("object_marking_refs", []))
            rest = {name: value for name, value in g.parsed.items() if name != "object_marking_refs"}
            rest_before = {name: value for name, value in original.parsed.items() if name != "object_marking_refs"}
            if piece is None or rest != rest_before or added != assigned.get(key, set()) - set(original.parsed.get("object_marking_refs", [])):
                wrong.append(f"{line}: {key}: more than the assigned markings was changed")
            labelled += bool(piece)
            undone.append(original)
        wrong += _latest(coalition, line, undone)
    assert not wrong, "\n".join(wrong)
    assert labelled, "no object of the demonstration has an assigned label: nothing was proved about the exception"


def _numbered(got: list[Got]):
    """Objects with the how-manieth of their id and version they are: SCOs of one id have no version to tell them apart."""
    seen: Counter = Counter()
    for g in got:
        key = (g.parsed["id"], version_of(g.parsed))
        yield g, seen[key]
        seen[key] += 1


def test_the_manifest_names_what_the_objects_endpoint_gives_in_the_same_order(coalition: Coalition):
    """T-006, T-026, T-027, T-028, T-107 to T-110, C-013, C-014."""
    for line in coalition.lines(peer=False):
        partner = coalition.partner(line.giver, line.account)
        collection = partner.collection(line.alias)
        got = partner.pull(collection, 1000)
        first, last = (partner.replies[0].headers.get(f"X-TAXII-Date-Added-{end}") for end in ("First", "Last"))
        records = collection.get_manifest().get("objects", [])
        assert [r["id"] for r in records] == [g.parsed["id"] for g in got], line
        for record, g in zip(records, got, strict=True):
            assert record["version"] == (version_of(g.parsed) or record["date_added"]), line
            assert record["media_type"] in collection.media_types
        dates = [record["date_added"] for record in records]
        assert dates == sorted(set(dates)), f"{line}: `date_added` is not strictly increasing"
        assert all(len(date) == len("2026-01-01T00:00:00.000000Z") for date in dates)
        if dates:
            assert (first, last) == (dates[0], dates[-1]), line


def test_added_after_gives_what_is_later_and_nothing_else(coalition: Coalition):
    """T-033, T-034, C-002, rule 10 of the client contract."""
    cut = 0
    for line in coalition.lines(peer=False):
        partner = coalition.partner(line.giver, line.account)
        collection = partner.collection(line.alias)
        records = collection.get_manifest().get("objects", [])
        if not records:
            continue
        middle = records[len(records) // 2]["date_added"]
        later = [g.parsed["id"] for g in partner.pull(collection, 7, added_after=middle)]
        assert later == [r["id"] for r in records if r["date_added"] > middle], line
        end = records[-1]["date_added"]
        assert collection.get_objects(added_after=end) == {}, line
        empty = partner.replies[-1].headers
        assert empty["X-TAXII-Date-Added-First"] == empty["X-TAXII-Date-Added-Last"] == end, line
        cut += 1
    assert cut > 10


def test_a_filter_by_type_gives_those_types_and_all_of_them(coalition: Coalition):
    """T-045, T-047, T-050, T-051."""
    for line in coalition.lines(peer=False):
        partner = coalition.partner(line.giver, line.account)
        collection = partner.collection(line.alias)
        wanted = Counter(i for i in coalition.latest(line) if i.split("--")[0] in ("indicator", "report", "note"))
        got = partner.pull(collection, 7, type=["indicator", "report", "note"])
        assert Counter(g.parsed["id"] for g in got) == wanted, line
        assert collection.get_objects(type="x509-certificate", version="first").get("objects", []) == [], line


def test_versions_and_single_objects_agree_with_the_oracle(coalition: Coalition):
    """T-056, T-112, T-125, T-026."""
    several = 0
    for line in coalition.lines(peer=False):
        partner = coalition.partner(line.giver, line.account)
        collection = partner.collection(line.alias)
        by_id: dict[str, list] = {}
        for row in coalition.oracle(line):
            by_id.setdefault(row["id"], []).append(row["version"])
        # Every id with several versions, and a few of the others.
        chosen = [i for i, v in by_id.items() if len(v) > 1] + sorted(by_id)[:3]
        for object_id in chosen:
            listed = collection.object_versions(object_id)["versions"]
            assert len(listed) == len(by_id[object_id]), (line, object_id)
            known = [v for v in by_id[object_id] if v is not None]
            assert Counter(known) == Counter(listed if known else []), (line, object_id)
            every = collection.get_object(object_id, version="all")["objects"]
            assert len(every) == len(by_id[object_id]), (line, object_id)
            latest = collection.get_object(object_id)["objects"]
            assert [version_of(o) for o in latest] == [coalition.latest(line)[object_id][0]["version"]], (line, object_id)
            several += len(listed) > 1
    assert several, "no object of the demonstration shows several versions to anybody"
