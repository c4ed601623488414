"""Nodes of our own: made with the command itself, started, ended by process id."""
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from peer import ROOT, START_S, Server, free_port

# One organisation, two partners with two accounts each (another Entente node, and an ordinary tool), two collections: ten reader lines.
NODE = """name = "bench"
title = "Benchmark"
identity = "identity--856ab104-80f9-424a-8700-8a008f228fc9"
policies = ["public", "nato-demo"]
catalogue = "catalogue.json"

[listen]
taxii = "127.0.0.1:{taxii}"
operator = "127.0.0.1:{operator}"
requests_per_s = 0

[operator]
tlp = ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT"]

[[operator.clearance]]
policy = "NATO"
classifications = ["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET"]
categories = {{ "Context" = ["NATO", "Releasable"], "Releasable To" = ["NATO"], "Only" = ["NATO", "CAN", "GBR", "USA"], "Special Category Designators" = ["BOHEMIA"] }}

[[operator.clearance]]
policy = "PUBLIC"
classifications = ["UNMARKED"]

[[collection]]
id = "{knowledge}"
alias = "knowledge"
title = "Public knowledge"
default_label = "PUBLIC"
open_references = true

[[collection]]
id = "{intel}"
alias = "intel"
title = "Labelled intelligence"
"""
KNOWLEDGE, INTEL = "d8a31978-5470-4aab-aade-2ebaa3bc6f64", "3187edd2-8655-41b0-b167-390c829d5f2e"

AGREEMENT = """agreement = "bench-{partner}"
partner = "{partner}"
identity = "identity--{identity}"
from = "2025-01-01T00:00:00Z"
until = "2045-01-01T00:00:00Z"
tlp = [{tlp}]

[[clearance]]
policy = "PUBLIC"
classifications = ["UNMARKED"]
{clearance}
[[give]]
collections = ["knowledge", "intel"]
kinds = ["*"]

[[accept]]
collections = ["knowledge"]
identities = ["identity--c78cb6e5-0c4b-4611-8297-d1b8b55e40b5", "identity--856ab104-80f9-424a-8700-8a008f228fc9"]
"""
# Alpha may see all labels that occur, beta only what is PUBLIC.
ALPHA_CLEARANCE = """
[[clearance]]
policy = "NATO"
classifications = ["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET"]
categories = { "Context" = ["NATO", "Releasable"], "Releasable To" = ["JPN", "AUS"], "Special Category Designators" = ["BOHEMIA"] }
"""
PARTNERS = {
    "alpha": {"identity": "c244fc3d-5a87-4294-aab1-3df720007965", "tlp": '"CLEAR", "GREEN"', "clearance": ALPHA_CLEARANCE},
    "beta": {"identity": "2504e60e-537d-41de-b612-5f48d01cf86e", "tlp": "", "clearance": ""},
}

# Runs a command and prints its seconds, its exit code and its peak of resident memory. A small process of its own, because a child's peak counts from what its parent had at the fork.
MEASURE = """
import json, os, subprocess, sys, time
started = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
seconds = time.perf_counter() - started
print(json.dumps({"seconds": seconds, "code": os.waitstatus_to_exitcode(status), "peak_mb": usage.ru_maxrss / 1024, "cpu_s": usage.ru_utime + usage.ru_stime}))
"""


class Site:
    """A configuration directory with an empty store and its accounts; copied for every run that starts from empty."""

    def __init__(self, binary, directory):
        self.binary, self.directory = str(binary), Path(directory)
        self.passwords = {}
        self.port = None

    @classmethod
    def new(cls, binary, directory):
        site = cls(binary, directory)
        shutil.rmtree(directory, ignore_errors=True)
        Path(directory).parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([site.binary, "init", directory, "--name", "bench", "--title", "Benchmark", "--policy", "public,nato-demo"], check=True, capture_output=True)
        shutil.copyfile(ROOT / "demo" / "nato" / "catalogue.json", site.directory / "catalogue.json")
        for partner, rights in PARTNERS.items():
            text = AGREEMENT.format(partner=partner, **rights)
            (site.directory / "agreements" / f"{partner}.toml").write_text(text, encoding="utf-8")
        site._listen()
        for partner in PARTNERS:
            for account, peer in ((f"{partner}-node", ["--peer"]), (f"{partner}-tool", [])):
                site.passwords[account] = site.run("user", "add", account, "--partner", partner, *peer)["password"]
        return site

    def copy(self, directory):
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(self.directory, directory)
        site = Site(self.binary, directory)
        site.passwords = dict(self.passwords)
        site._listen()
        return site

    def _listen(self):
        self.port = free_port()
        text = NODE.format(taxii=self.port, operator=free_port(), knowledge=KNOWLEDGE, intel=INTEL)
        (self.directory / "node.toml").write_text(text, encoding="utf-8")

    def command(self, *arguments):
        return [self.binary, "--dir", str(self.directory), "--json", *map(str, arguments)]

    def run(self, *arguments):
        """Runs a command to its end; the JSON value that it prints."""
        done = subprocess.run(self.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise SystemExit(f"`entente {' '.join(map(str, arguments))}` ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def measure(self, *arguments):
        """Runs a command to its end: seconds, peak of resident memory in MB, CPU seconds."""
        done = subprocess.run([sys.executable, "-I", "-c", MEASURE, *self.command(*arguments)], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        measured = json.loads(done.stdout)
        if measured["code"] != 0:
            raise SystemExit(f"`entente {' '.join(map(str, arguments))}` ended with {measured['code']}: {done.stderr.decode(errors='replace')[-2000:]}")
        return measured

    def collection(self, identifier):
        return f"/live/collections/{identifier}/"

    def serve(self):
        return Node(self)


class Node(Server):
    """A running node. `ready_s` is the time from its start until `/healthz` answered 200; `ready_mb` what it held in memory then."""

    def __init__(self, site):
        self.site, self.port = site, site.port
        started = time.perf_counter()
        super().__init__([site.binary, "--dir", str(site.directory), "serve"], site.directory / "log")
        self._wait(started)
        self.ready_s = time.perf_counter() - started
        self.ready_mb = self.resident_mb()

    def _wait(self, started):
        while time.perf_counter() - started < START_S:
            if self.process.poll() is not None:
                raise SystemExit(f"the node ended by itself, see {self.log.name}")
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=START_S) as s:
                    s.sendall(b"GET /healthz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
                    if s.recv(64).startswith(b"HTTP/1.1 200 "):
                        return
            except ConnectionRefusedError:
                pass
            time.sleep(0.001)
        self.stop()
        raise SystemExit(f"the node was not ready within {START_S} s, see {self.log.name}")

    def resident_mb(self, field="VmRSS"):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            line = next(line for line in status if line.startswith(field + ":"))
        return int(line.split()[1]) / 1024

    def kill(self):
        """SIGKILL: nothing is flushed, nothing is said."""
        self.stop(signal.SIGKILL)
