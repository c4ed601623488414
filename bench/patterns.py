"""STIX patterns side by side with the peers, in one run; part of `make bench`.

Writes patterns and observations to target/bench/patterns/, lets `cargo bench -p stix --bench patterns` and each peer read the same files, and prints one JSON object for each
figure and a table. Real patterns come from the folder that ENTENTE_CORPUS names; without it all are generated, and the table says so.

  patterns.py [--ours-only]
"""
import argparse
import gzip
import json
import os
import random
import re
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "bench" / "patterns"
VENV = ROOT / ".venv-bench-patterns"
PINS = Path(__file__).parent / "peers" / "requirements-patterns.txt"
FOLDERS = ["stix20", "stix21-attack", "stix21-knowledge", "stix21-reports", "stix21-small"]
PATTERNS, OBSERVATIONS = 10_000, 10_000
# Of the patterns, each of five kinds that the real ones hardly have is one in so many.
RARE_EVERY = 50
SEED = 6


def real_patterns():
    """Patterns of the indicators in the corpus, each once."""
    corpus = Path(os.environ.get("ENTENTE_CORPUS", ROOT / ".." / "shared" / "data"))
    found = {}
    for path in sorted(p for folder in FOLDERS if (corpus / folder).is_dir() for p in (corpus / folder).rglob("*") if p.is_file()):
        raw = gzip.open(path).read() if path.suffix == ".gz" else path.read_bytes()
        if b'"indicator"' not in raw:
            continue
        try:
            objects = json.loads(raw).get("objects", [])
        except (ValueError, AttributeError):
            continue
        for thing in objects:
            if isinstance(thing, dict) and thing.get("type") == "indicator" and thing.get("pattern_type", "stix") == "stix" and "pattern" in thing:
                found.setdefault(thing["pattern"])
    return list(found)


def generated(rng, i):
    """A pattern of a common kind."""
    text = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(12))
    digest = "".join(rng.choice("0123456789abcdef") for _ in range(64))
    return [f"[domain-name:value = '{text}.example']", f"[file:hashes.'SHA-256' = '{digest}']", f"[url:value = 'https://{text}.example/{i}']",
            f"[ipv4-addr:value = '{rng.randrange(1, 224)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}']"][i % 4]


def rare(rng, i):
    """A pattern of a kind that exchanges rarely carry."""
    word = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(7))
    net = f"{rng.randrange(1, 224)}.{rng.randrange(256)}.{rng.randrange(256)}.0/24"
    return [f"[domain-name:value LIKE '%{word}.example']", f"[network-traffic:dst_ref.value ISSUBSET '{net}' AND network-traffic:dst_port > 1024]",
            f"[url:value MATCHES '^https?://{word}[0-9]+\\\\.example/']", f"([file:name = '{word}.exe'] FOLLOWEDBY [ipv4-addr:value ISSUBSET '{net}']) WITHIN 300 SECONDS",
            f"[process:command_line LIKE '%{word}%'] REPEATS 3 TIMES WITHIN 60 SECONDS"][i % 5]


def mutated(rng, pattern):
    """The same pattern with other letters and digits in its strings."""
    def other(match):
        return "'" + re.sub(r"[a-z0-9]", lambda m: rng.choice("abcdef") if m[0].isalpha() else rng.choice("0123456789"), match[1]) + "'"
    return re.sub(r"(?<=[=] )'((?:[^'\\]|\\.)*)'", other, re.sub(r"\s*=\s*'", " = '", pattern))


def patterns():
    rng, real = random.Random(SEED), real_patterns()
    result = real[:]
    while len(result) < PATTERNS:
        i = len(result)
        if i % RARE_EVERY < 5:
            result.append(rare(rng, i))
        else:
            result.append(mutated(rng, rng.choice(real)) if real else generated(rng, i))
    return result[:PATTERNS], len(real)


def observations(texts):
    """Bundles of STIX 2.1, one for each observation, a second apart; one in a hundred shows a value of some pattern, another a part of one that takes several observations."""
    rng = random.Random(SEED + 1)
    known = [m.groups() for m in (re.match(r"\[([a-z0-9-]+):(value|name) = '([^'\\]+)'\]$", t) for t in texts) if m]
    parts = [m[1] for m in (re.match(r"\(\[file:name = '([a-z]+\.exe)'\] FOLLOWEDBY", t) for t in texts) if m]
    parts += [m[1] for m in (re.match(r"\[process:command_line LIKE '%([a-z]+)%'\] REPEATS", t) for t in texts) if m]
    result = []
    for i in range(OBSERVATIONS):
        at = f"2024-01-01T{i // 3600 % 24:02}:{i // 60 % 60:02}:{i % 60:02}Z"
        word = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(8))
        ip = [f"{rng.randrange(1, 224)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}" for _ in range(2)]
        ident = lambda kind, n: f"{kind}--00000000-0000-4000-8000-{i:08x}{n:04x}"
        things = [
            [{"type": "network-traffic", "id": ident("network-traffic", 0), "src_ref": ident("ipv4-addr", 1), "dst_ref": ident("ipv4-addr", 2), "src_port": rng.randrange(1024, 65536),
              "dst_port": rng.choice([53, 80, 443, 8443]), "protocols": ["ipv4", "tcp"]},
             {"type": "ipv4-addr", "id": ident("ipv4-addr", 1), "value": ip[0]}, {"type": "ipv4-addr", "id": ident("ipv4-addr", 2), "value": ip[1]}],
            [{"type": "domain-name", "id": ident("domain-name", 0), "value": f"{word}.example", "resolves_to_refs": [ident("ipv4-addr", 1)]},
             {"type": "ipv4-addr", "id": ident("ipv4-addr", 1), "value": ip[0]}],
            [{"type": "file", "id": ident("file", 0), "name": f"{word}.exe", "size": rng.randrange(10**6),
              "hashes": {"MD5": f"{rng.getrandbits(128):032x}", "SHA-256": f"{rng.getrandbits(256):064x}"}}],
            [{"type": "url", "id": ident("url", 0), "value": f"https://{word}.example/{i}"}],
            [{"type": "process", "id": ident("process", 0), "pid": i, "command_line": f"/usr/bin/{word} --flag {i}", "image_ref": ident("file", 1)},
             {"type": "file", "id": ident("file", 1), "name": word, "hashes": {"SHA-256": f"{rng.getrandbits(256):064x}"}}],
        ][rng.choice([0, 0, 0, 1, 1, 2, 3, 4])]
        if known and i % 100 == 0:
            kind, name, value = rng.choice(known)
            things.append({"type": kind, "id": ident(kind, 9), name: value})
        if parts and i % 100 < 4:
            part = parts[i // 100 % len(parts)]
            things.append({"type": "file", "id": ident("file", 8), "name": part} if part.endswith(".exe") else
                          {"type": "process", "id": ident("process", 8), "pid": i, "command_line": f"/bin/{part} {i}"})
        for thing in things:
            thing["spec_version"] = "2.1"
        seen = {"type": "observed-data", "spec_version": "2.1", "id": ident("observed-data", 0), "created": at, "modified": at, "first_observed": at, "last_observed": at,
                "number_observed": 1, "object_refs": [thing["id"] for thing in things]}
        result.append({"type": "bundle", "id": ident("bundle", 0), "objects": [seen, *things]})
    return result


PEERS = r'''
import json, sys, time
from pathlib import Path
work = Path(sys.argv[1])
patterns = json.loads((work / "patterns.json").read_text())
lines = (work / "observations.jsonl").read_text().splitlines()
bundles = [json.loads(line) for line in lines]
single = json.loads((work / "single.json").read_text())

def told(figure, subject, value, **more):
    print(json.dumps({"figure": figure, "subject": subject, "value": value, **more}), flush=True)

from stix2patterns.v21.pattern import Pattern
sample = patterns[::10]
for text in sample[:100]:
    Pattern(text)
begin, done = time.perf_counter(), 0
for text in sample:
    try:
        Pattern(text)
        done += 1
    except Exception:
        pass
spent = time.perf_counter() - begin
told("parse", "stix2-patterns 2.1.2", len(sample) / spent, unit="patterns/s", sample=len(sample), read=done)

from stix2matcher.matcher import Pattern as Matcher
rates = []
for text in single:
    pattern = Matcher(text, "2.1")
    begin = time.perf_counter()
    matched, _ = pattern.match(bundles), None
    rates.append(len(bundles) / (time.perf_counter() - begin))
told("single", "stix2-matcher 3.0.0", len(rates) / sum(1 / r for r in rates), unit="pairs/s", each=[round(r) for r in rates])
few = bundles[:1000]
begin, done = time.perf_counter(), 0
for text in patterns[::200]:
    try:
        pattern = Matcher(text, "2.1")
    except Exception:
        continue
    try:
        pattern.match(few)
    except Exception:
        pass
    done += 1
rate = done * len(few) / (time.perf_counter() - begin)
told("set", "stix2-matcher 3.0.0", rate / len(patterns), unit="observations/s", pairs_per_s=rate, sample=f"{done} patterns over {len(few)} observations, extrapolated to {len(patterns)} patterns")

try:
    import stix
    engine = stix.Engine()
    documents = [engine.parse_bundle(line) for line in lines]
    rates = []
    for text in single:
        pattern = engine.parse_pattern(text)
        begin = time.perf_counter()
        for document in documents:
            engine.match_bundle(pattern, document)
        rates.append(len(documents) / (time.perf_counter() - begin))
    told("single", "stix-rust 0.2.0", len(rates) / sum(1 / r for r in rates), unit="pairs/s", each=[round(r) for r in rates])
    begin = time.perf_counter()
    done = 0
    for text in patterns:
        try:
            engine.parse_pattern(text)
            done += 1
        except Exception:
            pass
    told("parse", "stix-rust 0.2.0", len(patterns) / (time.perf_counter() - begin), unit="patterns/s", sample=len(patterns), read=done)
except Exception as error:
    told("single", "stix-rust 0.2.0", 0, error=str(error)[:200])
'''
# None matches, so that all observations are looked at; the last asks what no filter of texts can answer.
SINGLE = ["[domain-name:value = 'nothing.example']", "[file:hashes.'SHA-256' = 'none' OR file:name = 'none']", "[network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 443]",
          "[process:command_line LIKE '%--never%']"]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--ours-only", action="store_true")
    options = options.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    texts, real = patterns()
    (WORK / "patterns.json").write_text(json.dumps(texts))
    (WORK / "single.json").write_text(json.dumps(SINGLE))
    (WORK / "observations.jsonl").write_text("\n".join(map(json.dumps, observations(texts))) + "\n")
    lines = run([os.environ.get("CARGO", "cargo"), "bench", "--locked", "-q", "-p", "stix", "--bench", "patterns", "--", str(WORK)])
    if not options.ours_only:
        if not (VENV / "pinned.txt").exists() or (VENV / "pinned.txt").read_text() != PINS.read_text():
            venv.create(VENV, with_pip=True, clear=True)
            subprocess.run([VENV / "bin" / "pip", "install", "-q", "--disable-pip-version-check", "-r", PINS], check=True)
            (VENV / "pinned.txt").write_text(PINS.read_text())
        lines += run([VENV / "bin" / "python", "-c", PEERS, str(WORK)])
    table(lines, real)


def run(command):
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(output, end="", flush=True)
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def table(lines, real):
    value = {(line["figure"], line["subject"]): line["value"] for line in lines}
    rows = ["| figure | Entente | peer | ratio | target | met |", "|---|---|---|---|---|---|"]
    for figure, unit, peer, target in [("parse", "patterns/s", "stix2-patterns 2.1.2", 200), ("parse", "patterns/s", "stix-rust 0.2.0", None), ("single", "pairs/s", "stix2-matcher 3.0.0", 100), ("single", "pairs/s", "stix-rust 0.2.0", 100),
                                       ("set", "observations/s", "stix2-matcher 3.0.0", 10_000)]:
        ours, theirs = value.get((figure, "entente"), 0), value.get((figure, peer), 0)
        if theirs:
            met = "" if target is None else "yes" if ours / theirs >= target else "**no**"
            rows.append(f"| {figure} | {ours:,.0f} {unit} | {peer}: {theirs:,.1f} | {ours / theirs:,.{1 if ours < 10 * theirs else 0}f} | {target or ''} | {met} |")
    for figure, unit, target, met in [("set", "observations/s", 100_000, lambda v, t: v >= t), ("add", "µs", 1_000, lambda v, t: v < t), ("memory", "MB", 500, lambda v, t: v < t)]:
        ours = value.get((figure, "entente"), 0)
        rows.append(f"| {figure} | {ours:,.1f} {unit} | | | {target:,} | {'yes' if met(ours, target) else '**no**'} |")
    rows += ["", f"{PATTERNS:,} patterns: {real:,} real ones, the rest made from them with other letters and digits, each of five rarer kinds one in fifty. {OBSERVATIONS:,} observations."]
    text = "\n".join(rows) + "\n"
    (WORK.parent / "patterns.md").write_text(text)
    print("\n" + text)


if __name__ == "__main__":
    sys.exit(main())
