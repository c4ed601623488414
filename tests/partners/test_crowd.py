"""Many pollers at once while somebody writes: no error, nobody lacks or repeats anything, memory stays bounded. Small in `make test`; `make soak` makes it 200 pollers for a minute."""

import base64
import http.client
import json
import multiprocessing
import os
import random
import threading
import time
import uuid
from pathlib import Path
from urllib.parse import quote, urlsplit


from own_node import PARTNER_IDENTITY, OwnNode, indicator
from test_conformance import CLEAR

POLLERS = int(os.environ.get("ENTENTE_POLLERS", "24"))
CROWD_S = int(os.environ.get("ENTENTE_CROWD_S", "5"))
# Pollers of one process of the load, accounts among which they are shared, and objects of one POST.
THREADS, ACCOUNTS, BATCH = 25, 10, 20
# Longest pause of a poller between two polls, in seconds.
PAUSE_S = 0.5
# Growth of the resident memory under load that is still bounded, in MiB; what the store maps of its file counts, too.
MEMORY_MB = 600
TAXII = "application/taxii+json;version=2.1"


class Connection:
    """One kept-alive connection of one account."""

    def __init__(self, address: str, account: str, password: str, source: str = "127.0.0.1"):
        self.http = http.client.HTTPConnection(address, timeout=60, source_address=(source, 0))
        token = base64.b64encode(f"{account}:{password}".encode()).decode()
        self.headers = {"Authorization": f"Basic {token}", "Accept": TAXII}

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, http.client.HTTPMessage, bytes]:
        self.http.request(method, path, body, self.headers | ({"Content-Type": TAXII} if body else {}))
        reply = self.http.getresponse()
        return reply.status, reply.headers, reply.read()


def poll(address: str, path: str, account: tuple[str, str], source: str, stop, found: list) -> None:
    """Polls by `added_after` until `stop`, then once more to the end: what came, in order, how long each poll took, and what was wrong."""
    ids, took, wrong, after = [], [], [], "2000-01-01T00:00:00Z"
    connection = Connection(address, *account, source)
    ending = False
    try:
        while True:
            started = time.perf_counter()
            status, headers, body = connection.ask("GET", f"{path}?added_after={quote(after)}&limit=500")
            took.append(time.perf_counter() - started)
            if status != 200:
                wrong.append(f"{status} {body[:200]!r}")
                break
            page = json.loads(body)
            ids += [one["id"] for one in page.get("objects", [])]
            after = headers["X-TAXII-Date-Added-Last"]
            if page.get("more"):
                continue
            if ending:
                break
            ending = stop.is_set()
            if not ending:
                time.sleep(random.random() * PAUSE_S)
    except (OSError, http.client.HTTPException) as error:
        wrong.append(repr(error))
    found.append((ids, took, wrong))


def crowd(address: str, path: str, accounts: list[tuple[str, str]], source: str, stop, results) -> None:
    found: list = []
    threads = [threading.Thread(target=poll, args=(address, path, account, source, stop, found)) for account in accounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(found)


def resident_mb(pid: int, what: str = "VmRSS") -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(what)).split()[1]) / 1024


def test_a_crowd_of_pollers_and_a_writer_lack_nothing_and_repeat_nothing(own_node: OwnNode):
    """I2, T-028, T-033, T-144, C-014, rule 18 of the client contract."""
    accounts = []
    for n in range(ACCOUNTS):
        name = f"poller-{n}"
        accounts.append((name, own_node.command("user", "add", name, "--partner", "japan")["password"]))
    address, path = urlsplit(own_node.base).netloc, "/live/collections/intel/objects/"
    before = resident_mb(own_node.pid)
    stop, results = multiprocessing.Event(), multiprocessing.Queue()
    shares = [[accounts[n % ACCOUNTS] for n in range(start, min(start + THREADS, POLLERS))] for start in range(0, POLLERS, THREADS)]
    # From addresses of their own, as a crowd does: 128 connections are all that one address gets.
    sources = [f"127.0.0.{2 + n}" for n in range(len(shares))]
    processes = [multiprocessing.Process(target=crowd, args=(address, path, share, source, stop, results)) for share, source in zip(shares, sources)]
    for process in processes:
        process.start()
    # Whom the objects name must be there to be seen (L-127).
    organisation = {"type": "identity", "spec_version": "2.1", "id": PARTNER_IDENTITY, "created": "2024-05-01T08:00:00.000Z", "modified": "2024-05-01T08:00:00.000Z", "name": "Partner", "object_marking_refs": [CLEAR]}
    own_node.load([organisation], "TLP:CLEAR")
    writer, written = Connection(address, "japan-tool", own_node.password), set()
    peak, own, until = before, 0.0, time.monotonic() + CROWD_S
    while time.monotonic() < until:
        objects = [indicator(f"{uuid.uuid4()}") | {"object_marking_refs": [CLEAR], "created_by_ref": PARTNER_IDENTITY} for _ in range(BATCH)]
        status, _, body = writer.ask("POST", path, json.dumps({"objects": objects}).encode())
        assert status == 202 and json.loads(body)["failure_count"] == 0, body
        written |= {one["id"] for one in objects}
        peak, own = max(peak, resident_mb(own_node.pid)), max(own, resident_mb(own_node.pid, "RssAnon"))
        time.sleep(0.05)
    stop.set()
    found = [one for _ in processes for one in results.get(timeout=180)]
    for process in processes:
        process.join(60)
    wrong = [what for _, _, all_wrong in found for what in all_wrong]
    assert not wrong, f"{len(wrong)} errors, the first: {wrong[:3]}"
    assert len(found) == POLLERS
    known = set(found[0][0])
    assert written <= known
    for ids, _, _ in found:
        assert len(ids) == len(set(ids)), "given twice"
        assert set(ids) == known, "pollers end with different sets"
    took = sorted(seconds for _, seconds, _ in found for seconds in seconds)
    print(f"{POLLERS} pollers for {CROWD_S} s, {len(written)} objects written: {len(took)} polls, median {took[len(took) // 2] * 1000:.1f} ms, p99 {took[len(took) * 99 // 100] * 1000:.1f} ms, memory {before:.0f} to {peak:.0f} MiB, of its own {own:.0f}")
    assert peak - before < MEMORY_MB, f"{before:.0f} to {peak:.0f} MiB"
