"""Side by side with the peers, in one run: `make bench`.

Prints one JSON object for each measured series and at the end a table, and writes both to target/bench/results.jsonl and results.md. Every figure is the median of its runs.
Load goes over loopback only, and is bounded in count and time; every process that is started is ended by its id. Needs Python 3.11, nothing else.

  run.py [--entente target/release/entente] [--only import,post,pages,polls,bare,visible,start,load] [--peers-only] [--build]
"""
import argparse
import gzip
import json
import multiprocessing
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import entente
import peer
import synthetic
from client import Client, Walk, post_all, walk

ROOT = peer.ROOT
WORK = ROOT / "target" / "bench"
ATTACK = "stix21-attack/enterprise-attack-18.1.json.gz"
# Objects in an envelope and on a page: the most that both servers give.
PAGE_OBJECTS = 1_000
RUNS, IMPORT_RUNS = 5, 3
# Clients that poll with nothing new, and that ask for one and the same page, each on a connection of its own; seconds that they do.
POLLERS, SAME_CLIENTS, SAME_S = 4, 4, 5
# A small collection: medallion's cost of a page grows with the square of what its collection holds, and OpenTAXII's with its size.
SMALL_OBJECTS = 1_000
SYNTHETIC_OBJECTS = 200_000
# Pairs of pages that are compared, one of each reader in turn.
PAIRS = 200
CLIENTS, LOAD_S, LOAD_LIMIT = 8, 10, 100


class Results:
    """Series as they are measured, and the rows of the table at the end."""

    def __init__(self):
        WORK.mkdir(parents=True, exist_ok=True)
        self.lines = open(WORK / "results.jsonl", "w", encoding="utf-8")
        self.rows = []

    def series(self, figure, subject, unit, values, **more):
        """Records a series and answers its median. Long series are told by their percentiles."""
        median, ordered = statistics.median(values), sorted(values)
        told = {"runs": [round(v, 4) for v in values]}
        if len(values) > 10:
            told = {"n": len(values), "p10": round(ordered[len(values) // 10], 4), "p90": round(ordered[len(values) * 9 // 10], 4)}
        line = {"figure": figure, "subject": subject, "median": round(median, 4), "unit": unit, **told, "load1": round(os.getloadavg()[0], 2), **more}
        for out in (sys.stdout, self.lines):
            print(json.dumps(line), file=out, flush=True)
        return median

    def row(self, what, ours, theirs="", ratio="", target="", met=None):
        self.rows.append((what, ours, theirs, ratio, target, {None: "", True: "yes", False: "**no**"}[met]))

    def table(self, notes):
        head = ("figure", "Entente", "peer", "ratio", "target", "met")
        lines = ["| " + " | ".join(cells) + " |" for cells in (head, ("---",) * len(head), *self.rows)]
        text = "\n".join(lines + [""] + notes) + "\n"
        (WORK / "results.md").write_text(text, encoding="utf-8")
        print("\n" + text)


def thousands(value):
    return f"{value:,.0f}"


class Data:
    """ATT&CK as released and as envelopes; if it is not there, as many synthetic objects."""

    def __init__(self):
        corpus = Path(os.environ.get("ENTENTE_CORPUS", ROOT.parent / "shared" / "data"))
        self.file = corpus / ATTACK
        self.name = "ATT&CK"
        if not self.file.is_file():
            print(f"SKIPPED {ATTACK}: corpus missing; synthetic objects stand in for it", file=sys.stderr)
            self.name = "24,771 synthetic objects"
            self.file = WORK / "stand-in.json.gz"
            WORK.mkdir(parents=True, exist_ok=True)
            markings = synthetic.catalogue_ids(ROOT / "demo" / "nato" / "catalogue.json")
            stand_in = [{**o, "object_marking_refs": [markings["PUBLIC"]]} for o in synthetic.objects(24_771, markings)]
            with gzip.open(self.file, "wt", encoding="utf-8") as f:
                json.dump({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000", "objects": stand_in}, f)
        objects = json.loads(gzip.decompress(self.file.read_bytes()))["objects"]
        self.total = len(objects)
        # Marking definitions have no `modified`; the peers refuse such objects. Ours holds them beforehand.
        self.markings = [o for o in objects if "modified" not in o]
        self.objects = [o for o in objects if "modified" in o]

    def ids(self, count=None):
        return {o["id"] for o in self.objects[:count]}

    def envelopes(self, count=None):
        chosen = self.objects[:count]
        cut = [chosen[i : i + PAGE_OBJECTS] for i in range(0, len(chosen), PAGE_OBJECTS)]
        return [json.dumps({"objects": part}, separators=(",", ":"), ensure_ascii=False).encode() for part in cut]


class Bench:
    def __init__(self, arguments):
        self.only = set(arguments.only.split(",")) if arguments.only else None
        self.ours, self.peers = not arguments.peers_only, not arguments.entente_only
        self.binary = Path(arguments.entente).resolve()
        self.results = Results()
        self.data = Data()
        self.site = None
        if self.ours:
            if not self.binary.is_file():
                raise SystemExit(f"{self.binary} is not there; run `cargo build --release` first")
            self.site = entente.Site.new(self.binary, WORK / "site")

    def wants(self, figure):
        return self.only is None or figure in self.only

    def client(self, node, account):
        return Client(node.port, account, node.site.passwords[account])

    # One import, offline: process start, opening the store, parsing, labelling, durable commit.
    def imports(self):
        measured = []
        for _ in range(RUNS):
            site = self.site.copy(WORK / "node")
            measured.append(site.measure("import", self.data.file, "--collection", "knowledge", "--label", "PUBLIC"))
        seconds = self.results.series("import", "entente", "s", [m["seconds"] for m in measured], cpu_s=[round(m["cpu_s"], 3) for m in measured])
        peak = self.results.series("import, peak memory", "entente", "MB", [m["peak_mb"] for m in measured])
        what = f"import of {self.data.name}, {thousands(self.data.total)} objects"
        self.results.row(what, f"{seconds:.2f} s", target="< 2 s", met=seconds < 2)
        self.results.row(f"{what}: peak of resident memory", f"{peak:.0f} MB", target="< 250 MB", met=peak < 250)

    # The same envelopes by one client into an empty store; then the collection is walked, and read by several clients at once.
    def posts_and_pages(self):
        rates = {}
        if self.peers:
            rates["opentaxii"] = self.server_side("opentaxii")
            rates["medallion"] = self.server_side("medallion", SMALL_OBJECTS)
            rates["opentaxii, small"] = self.server_side("opentaxii", SMALL_OBJECTS)
        if self.ours:
            rates["entente"] = self.our_side()
            rates["entente, small"] = self.our_side(SMALL_OBJECTS)
        ours, small = rates.get("entente", {}), rates.get("entente, small", {})
        theirs, reference, best = rates.get("opentaxii", {}), rates.get("medallion", {}), rates.get("opentaxii, small", {})
        name = self.data.name
        self.compare(f"POST of {name} in envelopes of {PAGE_OBJECTS}, objects/s", ours.get("post"), theirs.get("post"), 20)
        self.compare(f"pages of {PAGE_OBJECTS}, whole walk of {name} as posted, ordinary account, objects/s", ours.get("tool"), theirs.get("tool"), 40)
        self.compare(f"pages of {PAGE_OBJECTS}, whole walk of {name} as posted, Entente peer, objects/s", ours.get("node"), theirs.get("tool"), 40)
        for peer_name, rate in (("OpenTAXII", best), ("medallion", reference)):
            small_one = f"of {SMALL_OBJECTS} objects in an empty collection, objects/s (peer: {peer_name})"
            self.compare(f"one POST {small_one}", small.get("post"), rate.get("post"))
            self.compare(f"one page {small_one.replace('in an empty', 'of such a')}", small.get("page"), rate.get("page"), 40 if rate is best else None)
        for server, rate in small.get("served", {}).items():
            self.compare(f"one page with the same bytes, {server}, no sign-in, no decision, objects/s (peer: OpenTAXII)", rate, best.get("page"))
        self.compare(f"{CLIENTS} clients for {LOAD_S} s, pages of {LOAD_LIMIT}, pages/s", ours.get("load"), theirs.get("load"))

    def compare(self, what, ours, theirs, target=None):
        if ours is None and theirs is None:
            return
        ratio = ours / theirs if ours and theirs else None
        met = ratio >= target if ratio and target else None
        cells = [thousands(ours) if ours else "", thousands(theirs) if theirs else "", f"{ratio:.1f}" if ratio else "", f"≥ {target} times" if target else ""]
        self.results.row(what, *cells, met)

    def server_side(self, name, count=None):
        """A peer: POST of `count` objects (all) into an empty collection IMPORT_RUNS times; on the last one the pages and the load."""
        start, subject = getattr(peer, name), f"{name}, small" if count else name
        envelopes, total = self.data.envelopes(count), len(self.data.objects[:count])
        posts, out = [], {}
        for run in range(IMPORT_RUNS):
            with start(WORK / name) as server:
                client = Client(server.port, server.user, server.password)
                if self.wants("post"):
                    posts.append(total / sum(post_all(client, server.collection, envelopes)))
                elif run < IMPORT_RUNS - 1:
                    continue
                else:
                    post_all(client, server.collection, envelopes)
                if run < IMPORT_RUNS - 1:
                    continue
                server.settle()
                if self.wants("pages"):
                    out["tool"], out["page"] = self.walks(subject, server, client, server.collection, count)
                if self.wants("load") and subject == "opentaxii":
                    replies, latencies = load(server.port, server.collection, [(server.user, server.password)] * CLIENTS)
                    out["load"] = self.results.series("load", name, "pages/s", [replies / LOAD_S], limit=LOAD_LIMIT, clients=CLIENTS, **latencies)
        if posts:
            out["post"] = self.results.series("post", subject, "objects/s", posts, objects=total)
        return out

    def our_side(self, count=None):
        subject = "entente, small" if count else "entente"
        envelopes, total = self.data.envelopes(count), len(self.data.objects[:count])
        posts, out = [], {}
        for run in range(IMPORT_RUNS):
            last = run == IMPORT_RUNS - 1
            if not last and not self.wants("post"):
                continue
            site = self.site.copy(WORK / "node")
            with site.serve() as node:
                collection = site.collection(entente.KNOWLEDGE)
                client = self.client(node, "alpha-tool")
                client.get("/taxii2/")
                if self.data.markings:
                    post_all(client, collection, [json.dumps({"objects": self.data.markings}).encode()])
                posts.append(total / sum(post_all(client, collection, envelopes)))
                if not last:
                    continue
                if self.wants("pages"):
                    for account in ("node", "tool"):
                        reader = self.client(node, f"beta-{account}")
                        out[account], out["page"] = self.walks(f"{subject}, {account}", node, reader, collection, count)
                    if count:
                        out["served"] = self.served(subject, reader, collection)
                if self.wants("polls") and not count:
                    self.polls(site, node, collection)
                if self.wants("bare") and not count:
                    self.bare(site, node, collection)
                if self.wants("load") and not count:
                    accounts = [(f"{p}-tool", site.passwords[f"{p}-tool"]) for p in entente.PARTNERS] * (CLIENTS // 2)
                    out["load"] = self.load_and_kill(node, collection, accounts)
        if self.wants("post"):
            out["post"] = self.results.series("post", subject, "objects/s", posts, objects=total)
        return out

    def walks(self, subject, server, client, collection, count):
        """A whole walk RUNS times after one that does not count: objects per second of waiting for pages, over the walk and on its median page."""
        rates, pages, asked = [], [], 0
        expected = self.data.ids(count)
        walk(client, collection, PAGE_OBJECTS, expected)
        spent = server.cpu_s()
        for _ in range(RUNS):
            seconds, shown, size = walk(client, collection, PAGE_OBJECTS, expected)
            rates.append(shown / sum(seconds))
            asked += len(seconds)
            # The last page of a walk is seldom full.
            pages += [s * 1e3 for s in seconds[:-1] or seconds]
        spent = (server.cpu_s() - spent) / asked * 1e3
        page = self.results.series("page", subject, "ms", pages, limit=PAGE_OBJECTS, server_cpu_ms=round(spent, 2))
        rate = self.results.series("walk", subject, "objects/s", rates, objects=shown, limit=PAGE_OBJECTS, mb=round(size / 1e6, 1))
        return rate, PAGE_OBJECTS / page * 1e3

    def polls(self, site, node, collection):
        """What a client does all day: a poll with nothing new, a page of the manifest, and the whole collection with our own client, stored durably."""
        client = self.client(node, "beta-tool")
        first = client.get(f"{collection}objects/?limit={PAGE_OBJECTS}")
        if first.status != 200:
            raise SystemExit(f"GET answered {first.status}")
        idle = f"{collection}objects/?added_after={quote('2040-01-01T00:00:00.000000Z')}"
        reply = client.get(idle)
        if reply.status != 200 or len(reply.body) > 100:
            raise SystemExit(f"a poll with nothing new answered {reply.status}, {len(reply.body)} octets")
        account = "beta-tool", site.passwords["beta-tool"]
        for subject, accounts in (("one connection", [account]), (f"{POLLERS} connections", [account] * POLLERS)):
            asked = [asks(node, idle, accounts) for _ in range(RUNS)]
            per_core = self.results.series("idle polls, per core-second of the node", subject, "requests", [a["per_core"] for a in asked])
            rate = self.results.series("idle polls", subject, "requests/s", [a["rate"] for a in asked])
            met = per_core >= 20_000 if len(accounts) > 1 else None
            self.results.row(f"poll by `added_after` with nothing new, {subject}, requests per core-second of the node", thousands(per_core), target="20,000" if len(accounts) > 1 else "", met=met)
            self.results.row("the same, requests/s (with the clients on the same processors)", thousands(rate))
        pages = []
        for _ in range(20 * RUNS):
            reply = client.get(f"{collection}manifest/?limit={PAGE_OBJECTS}")
            pages.append(reply.seconds * 1e3)
        page = self.results.series("manifest", "entente", "ms", pages, limit=PAGE_OBJECTS)
        self.results.row(f"manifest page of {PAGE_OBJECTS}, ms", f"{page:.2f}", target="2", met=page < 2)
        whole = []
        for run in range(RUNS):
            folder = WORK / f"pulled-{run}"
            shutil.rmtree(folder, ignore_errors=True)
            command = [site.binary, "--json", "pull", f"http://127.0.0.1:{node.port}", "--user", "beta-tool", "--collection", "knowledge", "--output", str(folder)]
            started = time.perf_counter()
            done = subprocess.run(command, env=os.environ | {"ENTENTE_PASSWORD": site.passwords["beta-tool"]}, check=True, capture_output=True)
            whole.append(time.perf_counter() - started)
            taken = json.loads(done.stdout)["collections"][0]["new"]
        sync = self.results.series("sync", "entente", "s", whole, objects=taken)
        self.results.row(f"`entente pull` of {thousands(taken)} objects, stored durably, s", f"{sync:.2f}", target="1.5", met=sync < 1.5)

    def served(self, subject, client, collection):
        """What the same client gets of the same page from servers that do nothing else: objects per second of each. No TAXII server passes them."""
        file = WORK / "small.json"
        file.write_bytes(client.get(f"{collection}objects/?limit={PAGE_OBJECTS}").body)
        rates = {}
        for name, start in self.idle_servers(file):
            with start() as server:
                plain = Client(server.port)
                pages = [plain.get("/page").seconds * 1e3 for _ in range(20 * RUNS)]
            page = self.results.series("page", f"{subject}, the same bytes by {name}", "ms", pages, limit=PAGE_OBJECTS)
            rates[name] = PAGE_OBJECTS / page * 1e3
        return rates

    def idle_servers(self, file):
        """Those that are here, of the two that serve a file and do nothing else."""
        program = self.binary.parent / "examples" / "bare"
        if program.is_file():
            yield "axum, from memory", lambda: peer.Bare(program, file)
        else:
            print(f"SKIPPED the bare handler: {program} is not there; `cargo build --release -p web --example bare`", file=sys.stderr)
        if peer.nginx_program():
            yield "nginx, static file", lambda: peer.Nginx(file)
        else:
            print("SKIPPED nginx: it is not installed", file=sys.stderr)

    def bare(self, site, node, collection):
        """One and the same page of PAGE_OBJECTS objects: from the node, which signs in, reads, decides and records each time; from a handler that has its bytes in memory; and
        from nginx with a static file."""
        path = f"{collection}objects/?limit={PAGE_OBJECTS}"
        account = "beta-tool", site.passwords["beta-tool"]
        page = self.client(node, "beta-tool").get(path)
        if page.status != 200:
            raise SystemExit(f"GET answered {page.status}")
        file = WORK / "page.json"
        file.write_bytes(page.body)
        rates = {}

        def measure(subject, server, path):
            asked = [asks(server, path, [account] * SAME_CLIENTS) for _ in range(RUNS)]
            rates[subject] = self.results.series(f"one page of {PAGE_OBJECTS}", subject, "pages/s", [a["rate"] for a in asked], clients=SAME_CLIENTS, mb=round(len(page.body) / 1e6, 2))
            self.results.series(f"one page of {PAGE_OBJECTS}, per core-second of the server", subject, "pages", [a["per_core"] for a in asked])

        measure("entente", node, path)
        for name, start in self.idle_servers(file):
            with start() as server:
                measure(name, server, "/page")
        for subject, target in (("axum, from memory", 0.5), ("nginx, static file", None)):
            if theirs := rates.get(subject):
                ratio = rates["entente"] / theirs
                what = f"one page of {PAGE_OBJECTS}, {SAME_CLIENTS} clients, pages/s (peer: {subject}, no sign-in, no decision)"
                self.results.row(what, thousands(rates["entente"]), thousands(theirs), f"{ratio:.2f}", f"≥ {target} times" if target else "", ratio >= target if target else None)

    def load_and_kill(self, node, collection, accounts):
        """Readers in parallel, then SIGKILL: whatever a client received completely must have its receipt in the store that is opened again."""
        before = node.site.run("status")["figures"]["receipts"]
        replies, latencies = load(node.port, collection, accounts)
        node.kill()
        after = node.site.run("status")["figures"]["receipts"]
        rate = self.results.series("load", "entente", "pages/s", [replies / LOAD_S], limit=LOAD_LIMIT, clients=CLIENTS, receipts=after - before, **latencies)
        self.results.row(f"receipts in the store after SIGKILL, of {thousands(replies)} pages received", thousands(after - before), target="none missing", met=after - before >= replies)
        return rate

    # ATT&CK as released: the imported bytes, four spaces of indentation included.
    def imported(self):
        site = self.site.copy(WORK / "node")
        site.run("import", self.data.file, "--collection", "knowledge", "--label", "PUBLIC")
        if self.wants("start"):
            self.starts(site, f"{self.data.name}")
        if self.wants("pages"):
            with site.serve() as node:
                for account in ("tool", "node"):
                    rate, _ = self.walks(f"entente, imported, {account}", node, self.client(node, f"beta-{account}"), site.collection(entente.KNOWLEDGE), None)
                    self.results.row(f"pages of {PAGE_OBJECTS}, whole walk of {self.data.name} as released and imported, beta-{account}, objects/s", thousands(rate))

    def starts(self, site, name):
        seconds, resident, later = [], [], []
        for _ in range(RUNS):
            with site.serve() as node:
                seconds.append(node.ready_s)
                resident.append(node.ready_mb)
                # The first turn of the job loop belongs to the start.
                time.sleep(1.5)
                later.append(node.resident_mb("VmHWM"))
        ready = self.results.series("start", f"entente, {name}", "s", seconds)
        self.results.series("start, resident when ready", f"entente, {name}", "MB", resident)
        peak = self.results.series("start, peak in the first 1.5 s", f"entente, {name}", "MB", later)
        self.results.row(f"start with {name}: ready", f"{ready:.3f} s", target="< 1 s", met=ready < 1)
        self.results.row(f"start with {name}: peak of resident memory", f"{peak:.0f} MB", target="< 100 MB", met=peak < 100)

    # Two readers of one store: one sees all of it, the other one object in a hundred.
    def visible(self):
        markings = synthetic.catalogue_ids(self.site.directory / "catalogue.json")
        folder = WORK / "synthetic"
        synthetic.write(folder, SYNTHETIC_OBJECTS, markings)
        site = self.site.copy(WORK / "node")
        site.run("import", site.directory / "catalogue.json", "--collection", "intel")
        started = time.perf_counter()
        site.run("import", folder, "--collection", "intel")
        self.results.series("import of synthetic objects", "entente", "objects/s", [SYNTHETIC_OBJECTS / (time.perf_counter() - started)], objects=SYNTHETIC_OBJECTS)
        if self.wants("start"):
            self.starts(site, f"{thousands(SYNTHETIC_OBJECTS)} synthetic objects")
        if not self.wants("visible"):
            return
        with site.serve() as node:
            collection = site.collection(entente.INTEL)
            public = {o["id"] for i, o in enumerate(synthetic.objects(SYNTHETIC_OBJECTS, markings)) if i % synthetic.PUBLIC_EVERY == 0}
            self.check_few(self.client(node, "beta-tool"), collection, public)
            everything, few = [], []
            all_walk = few_walk = None
            readers = self.client(node, "alpha-tool"), self.client(node, "beta-tool")
            for pair in range(-10, PAIRS):
                all_walk, all_s = full_page(all_walk, readers[0], collection)
                few_walk, few_s = full_page(few_walk, readers[1], collection)
                if pair >= 0:
                    everything.append(all_s * 1e3)
                    few.append(few_s * 1e3)
        full = self.results.series("page, everything visible", "entente", "ms", everything, limit=PAGE_OBJECTS, objects=SYNTHETIC_OBJECTS)
        little = self.results.series("page, 1 % visible", "entente", "ms", few, limit=PAGE_OBJECTS, objects=SYNTHETIC_OBJECTS)
        ratio = little / full
        self.results.row(f"page of {PAGE_OBJECTS} of {thousands(SYNTHETIC_OBJECTS)} objects, p50: 1 % visible against everything visible", f"{little:.2f} ms against {full:.2f} ms", ratio=f"{ratio:.2f}", target="within 20 %", met=ratio <= 1.2)

    def check_few(self, client, collection, public):
        """The reader that sees 1 % gets exactly that."""
        steps, seen = Walk(client, collection, PAGE_OBJECTS), set()
        while not steps.done:
            seen.update(steps.page()[1])
        extra = {i for i in seen - public if not i.startswith(("identity--", "marking-definition--"))}
        if extra or public - seen:
            raise SystemExit(f"the reader of 1 % got {len(extra)} objects too many and {len(public - seen)} too few")

    def build(self):
        target = WORK / "build"
        shutil.rmtree(target, ignore_errors=True)
        started = time.perf_counter()
        subprocess.run(["cargo", "build", "--release", "--locked"], cwd=ROOT, check=True, env={**os.environ, "CARGO_TARGET_DIR": str(target)}, stdout=sys.stderr)
        seconds = self.results.series("build from nothing", "entente", "s", [time.perf_counter() - started], cpus=os.cpu_count())
        shutil.rmtree(target, ignore_errors=True)
        self.results.row("`cargo build --release` from nothing", f"{seconds / 60:.1f} min", target="< 8 min", met=seconds < 480)

    def run(self, build):
        if self.ours and self.wants("import"):
            self.imports()
        if any(self.wants(f) for f in ("post", "pages", "polls", "bare", "load")):
            self.posts_and_pages()
        if self.ours and (self.wants("start") or self.wants("pages")):
            self.imported()
        if self.ours and (self.wants("visible") or self.wants("start")):
            self.visible()
        if build:
            self.build()
        versions = "OpenTAXII 0.9.3 (SQLite, gunicorn, 2 workers), medallion 3.0.0 (memory, gunicorn, 8 threads)"
        notes = [f"Measured {time.strftime('%Y-%m-%d')} on {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the end. Peers: {versions}.",
                 f"Medians of {RUNS} runs (POST: {IMPORT_RUNS}; load test: one run of {LOAD_S} s). One client, one keep-alive connection over loopback; the clock stops at the last byte of the body."]
        self.results.table(notes)


def full_page(steps, client, collection):
    """The next full page of an endless walk: (the walk, seconds)."""
    while True:
        if steps is None or steps.done:
            steps = Walk(client, collection, PAGE_OBJECTS)
        seconds, ids, _ = steps.page()
        if len(ids) == PAGE_OBJECTS:
            return steps, seconds


NEXT = re.compile(rb'"next":\s*"([^"]*)"')


def reader(port, collection, user, password, until, pipe):
    """Walks round and round until the time is up; only complete replies count."""
    client, milliseconds, following = Client(port, user, password), [], None
    while time.monotonic() < until:
        path = f"{collection}objects/?limit={LOAD_LIMIT}"
        if following is not None:
            path += f"&next={quote(following, safe='')}"
        reply = client.get(path)
        if reply.status not in (200, 206):
            raise SystemExit(f"GET answered {reply.status}: {reply.body[:300]!r}")
        milliseconds.append(reply.seconds * 1e3)
        # At one end of the envelope or the other; the objects between are not looked at.
        found = NEXT.search(reply.body[:2048]) or NEXT.search(reply.body[-2048:])
        following = found and found[1].decode()
    pipe.send(milliseconds)


def load(port, collection, accounts):
    """One process for each account, LOAD_S seconds: (pages received, their p50 and p99 in milliseconds)."""
    context = multiprocessing.get_context("spawn")
    until = time.monotonic() + 2 + LOAD_S
    running = []
    for user, password in accounts:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=reader_from, args=(until - LOAD_S, port, collection, user, password, until, theirs), daemon=True)
        process.start()
        running.append((process, ours))
    everything = []
    for process, pipe in running:
        if not pipe.poll(LOAD_S + 60):
            raise SystemExit("a client of the load test did not end")
        everything += pipe.recv()
        process.join(10)
    everything.sort()
    at = lambda share: round(everything[int((len(everything) - 1) * share)], 2)
    return len(everything), {"p50_ms": at(0.5), "p99_ms": at(0.99)}


def asker(port, path, user, password, pipe):
    """Says that it is ready, is told when to begin and to end, asks for the same thing again and again, and says how often it was answered."""
    client, answered = Client(port, user, password), 0
    pipe.send(client.get(path).status)
    start, until = pipe.recv()
    time.sleep(max(0, start - time.monotonic()))
    while time.monotonic() < until:
        if client.get(path).status != 200:
            raise SystemExit("not answered with 200")
        answered += 1
    pipe.send(answered)


def asks(server, path, accounts):
    """One process for each account, SAME_S seconds: requests per second, and per second of a processor that the server spent."""
    context = multiprocessing.get_context("spawn")
    running = []
    for user, password in accounts:
        ours, theirs = context.Pipe()
        process = context.Process(target=asker, args=(server.port, path, user, password, theirs), daemon=True)
        process.start()
        running.append((process, ours))

    def heard(pipe):
        if not pipe.poll(SAME_S + 60):
            raise SystemExit("a client that asks for the same thing says nothing")
        return pipe.recv()

    if any(heard(pipe) != 200 for _, pipe in running):
        raise SystemExit("not answered with 200")
    start = time.monotonic() + 0.2
    for _, pipe in running:
        pipe.send((start, start + SAME_S))
    time.sleep(max(0, start - time.monotonic()))
    spent = server.cpu_s()
    answered = sum(heard(pipe) for _, pipe in running)
    spent = server.cpu_s() - spent
    for process, _ in running:
        process.join(10)
    return {"rate": answered / SAME_S, "per_core": answered / max(spent, 0.01)}


def reader_from(start, *arguments):
    time.sleep(max(0, start - time.monotonic()))
    reader(*arguments)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entente", default=ROOT / "target" / "release" / "entente", help="the program to measure")
    parser.add_argument("--only", help="figures, comma-separated: import, post, pages, polls, bare, visible, start, load")
    parser.add_argument("--peers-only", action="store_true", help="measure the peers alone")
    parser.add_argument("--entente-only", action="store_true", help="measure Entente alone")
    parser.add_argument("--build", action="store_true", help="also time `cargo build --release` from nothing")
    arguments = parser.parse_args()
    # An end from outside unwinds, so that every server is ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    Bench(arguments).run(arguments.build)


if __name__ == "__main__":
    main()
