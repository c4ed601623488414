"""Accounts with quirks get what the oracle says: nothing that has no twin, and of everything else the bytes as they are kept, with what was asked for added and nothing else."""

from collections import Counter

from coalition import Coalition
from envelope import version_of

STRICT = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"


def test_an_account_with_quirks_gets_what_the_oracle_says(coalition: Coalition):
    """C-007, C-008, C-009, C-015, L-141, I3."""
    wrong, seen = [], Counter()
    for line in coalition.lines(quirks=True):
        wanted = {(row["id"], row["version"], row["sha256"]): row for row in coalition.given(line)}
        peer = coalition.partner(line.giver, f"{line.partner}-node")
        kept = {(g.parsed["id"], version_of(g.parsed), g.sha256): g.parsed for g in peer.pull(peer.collection(line.alias), 1000, version="all")}
        expected = Counter()
        for key, row in wanted.items():
            parsed = dict(kept[key])
            markings = parsed.get("object_marking_refs", []) + row["markings"]
            parsed |= {"object_marking_refs": sorted(markings)} if markings else {}
            parsed |= {"spec_version": "2.1"} if row["spec_version"] else {}
            expected[repr(sorted(parsed.items()))] += 1
            seen["twins"] += bool(row["markings"])
            seen["spec_version"] += row["spec_version"]
        seen["withheld"] += len(kept) - len(wanted)
        old = coalition.partner(line.giver, line.account)
        for limit in (1, 7, 1000):
            got = Counter()
            for one in old.pull(old.collection(line.alias), limit, version="all"):
                parsed = one.parsed | ({"object_marking_refs": sorted(one.parsed["object_marking_refs"])} if "object_marking_refs" in one.parsed else {})
                got[repr(sorted(parsed.items()))] += 1
                seen["strict"] += STRICT in one.raw.decode()
            wrong += [f"{line} by {limit} lacks {one:.300}" for one in expected - got]
            wrong += [f"{line} by {limit} has beyond the oracle {one:.300}" for one in got - expected]
        # The manifest and the single object know of no other.
        url = coalition.url(line)
        for identifier, version, sha256 in kept.keys() - wanted.keys():
            if not any(row[0] == identifier for row in wanted):
                assert old.get(f"{url}objects/{identifier}/").status_code == 404
        records = old.get(f"{url}manifest/?match[version]=all&limit=10000").json().get("objects", [])
        assert Counter(record["id"] for record in records) == Counter(key[0] for key in wanted), line
    assert not wrong, "\n".join(wrong[:20])
    assert all(seen[what] for what in ("twins", "spec_version", "withheld", "strict")), seen
