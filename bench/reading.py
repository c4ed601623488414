"""Reading and validating STIX side by side with the peers, in one run; part of `make bench`.

Ours are the figures of `cargo bench -p stix --bench read`. The peers: stix2-validator 3.2.0 and stix2 3.0.2 in Python, from the environment that `make venv` makes with
its pins; the crates stix2 0.1.1 and stix-rust 0.2.0, from the workspace `bench/crates`. All read ATT&CK Enterprise 18.1 from the folder that ENTENTE_CORPUS names, on one
core each, one after the other; every time is the time on a processor. Prints one JSON object for each figure and a table, and writes both to
target/bench/reading.jsonl and reading.md.

  reading.py [--ours-only]
"""
import argparse
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "bench"
ATTACK = "stix21-attack/enterprise-attack-18.1.json.gz"
CARGO = os.environ.get("CARGO", "cargo")
RUNS = 5
# Every so many-th object is given to the validator, which takes two minutes for all, and to stix2.
VALIDATED_EVERY, PARSED_EVERY = 20, 2

PEERS = r'''
import json, sys, time, logging
from importlib.metadata import version
bundle, validated_every, parsed_every = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
objects = json.load(open(bundle, encoding="utf-8"))["objects"]
logging.disable(logging.CRITICAL)

def told(figure, subject, sample, work):
    work(sample[0])
    begin, done = time.process_time(), 0
    for thing in sample:
        done += work(thing)
    spent = time.process_time() - begin
    print(json.dumps({"figure": figure, "subject": subject, "unit": "objects/s", "median": len(sample) / spent, "sample": len(sample), "accepted": done}), flush=True)

import stix2
def parse(thing):
    try:
        stix2.parse(thing, version="2.1", allow_custom=True)
        return True
    except Exception:
        return False
told("parse", f"stix2 {version('stix2')}", objects[::parsed_every], parse)

from stix2validator import ValidationOptions, validate_instance
options = ValidationOptions(version="2.1")
told("validate", f"stix2-validator {version('stix2-validator')}", objects[::validated_every], lambda thing: validate_instance(thing, options).is_valid)
'''


def run(command, **more):
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, **more).stdout
    print(output, end="", flush=True)
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--ours-only", action="store_true")
    options = options.parse_args()
    corpus = Path(os.environ.get("ENTENTE_CORPUS", ROOT.parent / "shared" / "data"))
    if not (corpus / ATTACK).is_file():
        print(f"SKIPPED figures of reading: {ATTACK} is missing", file=sys.stderr)
        return
    WORK.mkdir(parents=True, exist_ok=True)
    bundle = WORK / "attack.json"
    bundle.write_bytes(gzip.decompress((corpus / ATTACK).read_bytes()))
    lines = run([CARGO, "bench", "--locked", "-q", "-p", "stix", "--bench", "read"], env={**os.environ, "ENTENTE_CORPUS": str(corpus.resolve())})
    if not options.ours_only:
        crates = ROOT / "bench" / "crates"
        subprocess.run([CARGO, "build", "-q", "--release", "--locked", "--manifest-path", crates / "Cargo.toml", "--target-dir", ROOT / "target" / "bench" / "crates"], check=True)
        lines += run([WORK / "crates" / "release" / "peer-crates", bundle, str(RUNS)])
        lines += run([ROOT / ".venv" / "bin" / "python", "-c", PEERS, bundle, str(VALIDATED_EVERY), str(PARSED_EVERY)])
    (WORK / "reading.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    table(lines)


def table(lines):
    ours = {line["figure"]: line for line in lines if "subject" not in line}
    peers = [line for line in lines if "subject" in line]

    def rate(figure):
        return ours[figure]["objects"] / ours[figure]["median"]

    def megabytes(figure):
        return ours[figure]["bytes"] / ours[figure]["median"] / 1e6

    rows = ["| figure | Entente | peer | ratio | target | met |", "|---|---|---|---|---|---|"]

    def row(figure, value, peer, ratio, target, met):
        rows.append(f"| {figure} | {value} | {peer} | {ratio:,.{2 if ratio < 10 else 0}f} | {target} | {'yes' if met else '**no**'} |")

    for line in peers:
        kind = {"validate": ("whole, fully validated", 400), "parse": ("whole, fully validated", 20), "read": ("stream, typed view and digest", 1)}
        figure, target = kind[line["figure"]]
        # Crates tell seconds, Python objects a second.
        theirs = line["read"] / line["median"] if line["unit"] == "s" else line["median"]
        row(figure, f"{rate(figure):,.0f} objects/s", f"{line['subject']}: {theirs:,.0f}/s", rate(figure) / theirs, f"{target} times" if target > 1 else "faster", rate(figure) / theirs >= target)
    value = ours["serde_json to Value"]["median"]
    validated = ours["whole, fully validated"]["median"]
    row("whole, fully validated, time", f"{validated:.3f} s", f"serde_json to Value: {value:.3f} s", validated / value, "at most 2.5", validated / value <= 2.5)
    typed = megabytes("stream, typed view and digest")
    bound = megabytes("serde_json, tokens only")
    row("stream, typed view and digest", f"{typed:,.0f} MB/s a core", f"serde_json, tokens only: {bound:,.0f} MB/s", typed / bound, "250 MB/s", typed >= 250)
    text = "\n".join(rows) + "\n"
    (WORK / "reading.md").write_text(text)
    print("\n" + text)


if __name__ == "__main__":
    sys.exit(main())
