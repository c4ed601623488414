"""The conformance suite (`tests/conformance`) against a node of ours, where everything passes, and against the reference server, where just the known deviations fail."""

import json
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
import requests

from own_node import PARTNER_IDENTITY, OwnNode, indicator

SUITE = Path(__file__).resolve().parents[1] / "conformance"
# TLP:CLEAR and TLP:RED of TLP 2.0.
CLEAR, RED = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
# Octets of a body that the node under test takes at the most: small, so that the edge is cheap to try.
CONTENT_BYTES_MAX = 1_048_576
# Rows that the suite asks for; the others of the 144 are a client's, or show only from inside.
ROWS_MIN = 120
# How long the reference server may take to start and to end, in seconds.
PATIENCE_S = 60


class Subject(OwnNode):
    """A node whose partner has one collection of each kind, and may never see one object of the first."""

    def __init__(self, home: Path, tls: bool = False):
        self.tls = tls
        self.collections = {kind: str(uuid.uuid4()) for kind in ("read_write", "read_only", "write_only", "none")}
        super().__init__(home)
        self.hidden = indicator("hidden") | {"object_marking_refs": [RED]}
        self.load([self.hidden], "TLP:RED", "read-write")
        self.other = self.command("user", "add", "japan-other", "--partner", "japan")["password"]
        self.agree_with("nobody", give=(), accept=())
        self.apply()
        self.nobody = self.command("user", "add", "nobody-tool", "--partner", "nobody")["password"]

    def _answers(self) -> bool:
        if not self.tls:
            return super()._answers()
        self.base = self.base.replace("http://", "https://")
        try:
            return requests.get(self.base + "/healthz", timeout=2, verify=str(self.dir / "tls.pem")).ok
        except requests.ConnectionError:
            return False

    def agree(self, **_) -> None:
        settings = self.dir / "node.toml"
        text = f"max_content_length = {CONTENT_BYTES_MAX}\n" + settings.read_text()
        if self.tls:
            names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
            made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", *names]
            subprocess.run([*made, "-keyout", str(self.dir / "tls.key"), "-out", str(self.dir / "tls.pem")], check=True, capture_output=True)
            text = text.replace("[listen]", '[listen]\ncertificate = "tls.pem"\nkey = "tls.key"')
        for kind, identifier in self.collections.items():
            text += f'\n[[collection]]\nid = "{identifier}"\nalias = "{kind.replace("_", "-")}"\ntitle = "Of the kind {kind}"\n'
        settings.write_text(text)
        self.agree_with("japan", give=("read-write", "read-only"), accept=("read-write", "write-only"))

    def agree_with(self, partner: str, give, accept) -> None:
        identity = PARTNER_IDENTITY if partner == "japan" else f"identity--{uuid.uuid4()}"
        lines = [f'agreement = "giver-{partner}-1"', f'partner = "{partner}"', f'identity = "{identity}"', 'tlp = ["CLEAR"]']
        if give:
            lines += ["[[give]]", f"collections = {json.dumps(give)}", 'kinds = ["*"]']
        if accept:
            lines += ["[[accept]]", f"collections = {json.dumps(accept)}", f'identities = ["{PARTNER_IDENTITY}"]']
        (self.dir / "agreements" / f"{partner}.toml").write_text("\n".join(lines) + "\n")

    def profile(self) -> dict:
        return {
            "url": self.base,
            "root": "/live/",
            "accounts": {
                "main": {"user": "japan-tool", "password": self.password},
                "other": {"user": "japan-other", "password": self.other},
                "nobody": {"user": "nobody-tool", "password": self.nobody},
            },
            "collections": self.collections,
            "marking": CLEAR,
            "creator": PARTNER_IDENTITY,
            "hidden_id": self.hidden["id"],
            "decisions": True,
            "cafile": str(self.dir / "tls.pem") if self.tls else None,
        }


def run(profile: dict, home: Path, *arguments: str) -> tuple[int, dict, str]:
    """One run of the suite: exit code, rows, and what it said beside."""
    file = home / "profile.json"
    file.write_text(json.dumps(profile))
    done = subprocess.run([sys.executable, str(SUITE / "run.py"), "--profile", str(file), "--json", *arguments], capture_output=True, text=True, timeout=600)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)["rows"], done.stderr


def failed(rows: dict) -> dict:
    return {row: outcome["why"] for row, outcome in rows.items() if outcome["result"] == "fail"}


@pytest.fixture(params=[False, True], ids=["http", "https"])
def subject(request, tmp_path: Path):
    running = Subject(tmp_path, request.param)
    yield running
    assert running.end() == 0, running.said()


def test_a_node_of_ours_passes_every_row(subject, tmp_path):
    code, rows, _ = run(subject.profile(), tmp_path)
    assert failed(rows) == {}
    assert code == 0
    # Only what needs TLS may be left out, and only over HTTP.
    assert {row for row, outcome in rows.items() if outcome["result"] == "not run"} == (set() if subject.tls else {"T-131", "T-132", "T-133", "T-135"})
    assert len(rows) >= ROWS_MIN


MEDALLION = """
import medallion
app = medallion.load_app({configuration!r})
"""


class Medallion:
    """medallion 3.0.0, the reference server, with its memory backend, under gunicorn; collections as above, but their rights are everybody's (TK-15)."""

    def __init__(self, home: Path):
        home.mkdir()
        self.collections = {kind: str(uuid.uuid4()) for kind in ("read_write", "read_only", "write_only", "none")}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.base, media = f"http://127.0.0.1:{port}", "application/taxii+json;version=2.1"
        collections = [
            {
                "id": identifier,
                "title": kind,
                "can_read": kind in ("read_write", "read_only"),
                "can_write": kind in ("read_write", "write_only"),
                "media_types": ["application/stix+json;version=2.1"],
                "objects": [],
                "manifest": [],
            }
            for kind, identifier in self.collections.items()
        ]
        root = f"{self.base}/api1/"
        data = {
            "/discovery": {"title": "reference", "default": root, "api_roots": [root]},
            "api1": {
                "information": {"title": "reference", "versions": [media], "max_content_length": CONTENT_BYTES_MAX},
                "status": [],
                "collections": collections,
            },
        }
        backend = {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend", "filename": str(home / "data.json")}
        users = {"main": "conformance-only", "other": "conformance-only"}
        (home / "data.json").write_text(json.dumps(data))
        (home / "configuration.json").write_text(json.dumps({"backend": backend, "users": users, "taxii": {"max_page_size": 1000}}))
        (home / "shim.py").write_text(MEDALLION.format(configuration=str(home / "configuration.json")))
        command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "4", "--chdir", str(home), "shim:app"]
        self._log = (home / "log").open("wb")
        self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                assert self._child.poll() is None and time.monotonic() < until, (home / "log").read_text()
                time.sleep(0.05)

    def profile(self) -> dict:
        accounts = {name: {"user": name, "password": "conformance-only"} for name in ("main", "other")}
        return {"url": self.base, "accounts": accounts, "collections": self.collections}

    def end(self) -> None:
        self._child.terminate()
        self._child.wait(PATIENCE_S)
        self._log.close()


@pytest.fixture
def medallion(tmp_path: Path):
    running = Medallion(tmp_path / "medallion")
    yield running
    running.end()


def test_the_reference_server_fails_just_where_its_deviations_are_known(medallion, tmp_path):
    """That these rows fail, each for the reason on the list (TK-), shows that the suite can fail."""
    code, rows, said = run(medallion.profile(), tmp_path, "--known", str(SUITE / "known-medallion.json"))
    assert code == 0, said + json.dumps(failed(rows), indent=1)
    assert len(failed(rows)) >= 10
