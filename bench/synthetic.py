"""Labelled objects from a seeded generator: the same bytes on every machine."""
import json
import random
import uuid
from pathlib import Path

SEED = 20260101
# Objects in one file, and so in one batch of an import.
FILE_OBJECTS = 20_000
# One object in so many is PUBLIC; all others carry one of LABELS.
PUBLIC_EVERY = 100
LABELS = [
    "NATO UNCLASSIFIED",
    "NATO RESTRICTED",
    "NATO UNCLASSIFIED Releasable to Australia, Japan, Korea, Republic of, New Zealand",
    "NATO RESTRICTED Releasable to Japan, Korea, Republic of",
    "NATO CONFIDENTIAL Releasable to Japan",
    "NATO CONFIDENTIAL BOHEMIA Releasable to Australia, Japan",
    "NATO SECRET",
    "NATO SECRET Releasable to Australia, Japan, Korea, Republic of, New Zealand",
    "TLP:GREEN",
]
WORDS = ("relay beacon harbour terminal signal gateway turbine substation firmware sample campaign session token payload loader report analyst sensor "
         "network segment operator schedule vessel cargo reference finding observed likely moderate confidence first later same again").split()
IDENTITY = "identity--856ab104-80f9-424a-8700-8a008f228fc9"


def catalogue_ids(path):
    """Name to id of every marking definition of a catalogue."""
    objects = json.loads(Path(path).read_text(encoding="utf-8"))["objects"]
    return {o["name"]: o["id"] for o in objects}


def objects(count, markings):
    """`count` objects of some 1.3 KB: indicators, and relationships between earlier ones of the same label. Every PUBLIC_EVERY-th is PUBLIC."""
    rnd = random.Random(SEED)
    ids = []
    for i in range(count):
        place = i % PUBLIC_EVERY
        label = "PUBLIC" if place == 0 else LABELS[place % len(LABELS)]
        at = f"2026-{1 + i % 9:02}-{1 + i % 28:02}T{i % 24:02}:{i % 60:02}:00.{i % 1000:03}Z"
        related = (i // PUBLIC_EVERY) % 5 == 4
        kind = "relationship" if related else "indicator"
        ids.append(f"{kind}--{uuid.UUID(int=rnd.getrandbits(128), version=4)}")
        text = " ".join(rnd.choices(WORDS, k=100))
        o = {"type": kind, "spec_version": "2.1", "id": ids[i], "created_by_ref": IDENTITY, "created": at, "modified": at, "object_marking_refs": [markings[label]]}
        if related:
            o |= {"relationship_type": "related-to", "source_ref": ids[i - PUBLIC_EVERY], "target_ref": ids[i - 2 * PUBLIC_EVERY]}
        else:
            address = f"203.0.113.{i % 256}"
            o |= {"name": f"Observation {i}", "pattern": f"[ipv4-addr:value = '{address}' AND network-traffic:dst_port = {rnd.randrange(1, 65536)}]",
                  "pattern_type": "stix", "valid_from": at, "indicator_types": ["malicious-activity"]}
        o |= {"description": text, "labels": [f"case-{i % 997}"], "external_references": [{"source_name": "bench", "external_id": f"B-{i}"}]}
        yield o


def write(folder, count, markings):
    """Bundles of FILE_OBJECTS in `folder`, the author first. Nothing is written again if it is there already."""
    folder = Path(folder)
    done = folder / f"{SEED}-{count}-{FILE_OBJECTS}.done"
    if done.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    author = {"type": "identity", "spec_version": "2.1", "id": IDENTITY, "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
              "name": "Benchmark", "identity_class": "organization", "object_marking_refs": [markings["PUBLIC"]]}
    batch, number = [author], 0
    for i, o in enumerate(objects(count, markings), 1):
        batch.append(o)
        if i % FILE_OBJECTS == 0 or i == count:
            bundle = {"type": "bundle", "id": f"bundle--{uuid.UUID(int=number, version=4)}", "objects": batch}
            (folder / f"{number:05}.json").write_text(json.dumps(bundle, separators=(",", ":")), encoding="utf-8")
            batch, number = [], number + 1
    done.touch()
