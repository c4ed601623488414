"""A node of one's own: `entente init`, a directory with one agreement, `entente serve`, and the operator's commands while it runs."""

import json
import signal
import socket
import subprocess
import uuid
from datetime import datetime, timezone
from pathlib import Path

import requests

from client import Partner
from process import Process, program

PARTNER_IDENTITY = "identity--c244fc3d-5a87-4294-aab1-3df720007965"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def instant(at: datetime) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def indicator(name: str) -> dict:
    """An object that refers to nothing and carries no label."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid4()}",
        "created": "2024-05-01T08:00:00.000Z",
        "modified": "2024-05-01T08:00:00.000Z",
        "name": name,
        "pattern": "[ipv4-addr:value = '198.51.100.7']",
        "pattern_type": "stix",
        "valid_from": "2024-05-01T08:00:00Z",
    }


class OwnNode:
    """Collections `intel` and `reports`, an agreement with the partner `japan`, and its account `japan-tool`."""

    def __init__(self, home: Path):
        self.dir = home / "node"
        self._files = 0
        self.command("init", str(self.dir), "--name", "giver", "--title", "The giving node", node=False)
        taxii, operator = _free_port(), _free_port()
        settings = self.dir / "node.toml"
        text = settings.read_text().replace("127.0.0.1:8440", f"127.0.0.1:{taxii}").replace("127.0.0.1:8441", f"127.0.0.1:{operator}")
        settings.write_text(text + f'\n[[collection]]\nid = "{uuid.uuid4()}"\nalias = "reports"\ntitle = "Finished reports"\n')
        self.agree()
        self.base = f"http://127.0.0.1:{taxii}"
        self._process = Process(["--dir", str(self.dir), "serve"], home)
        self._process.wait_for(self._answers)
        self.password = self.command("user", "add", "japan-tool", "--partner", "japan")["password"]

    @property
    def pid(self) -> int:
        return self._process.child.pid

    def _answers(self) -> bool:
        try:
            return requests.get(self.base + "/healthz", timeout=2).ok
        except requests.ConnectionError:
            return False

    def command(self, *arguments: str, node: bool = True) -> dict | list:
        """One command of the operator; its JSON."""
        where = ["--dir", str(self.dir)] if node else []
        run = subprocess.run([program(), *where, "--json", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        assert run.returncode == 0, f"entente {' '.join(arguments)}: {run.returncode}\n{run.stderr}"
        return json.loads(run.stdout)

    def agree(self, tlp=("CLEAR",), give=("intel",), accept=("intel",), since: str = "2024-01-01T00:00:00Z", until: str = "2100-01-01T00:00:00Z") -> None:
        """Writes the agreement file. It is in force only after `apply`, or at a start."""
        lines = [
            'agreement = "giver-japan-1"',
            'partner = "japan"',
            f'identity = "{PARTNER_IDENTITY}"',
            f'from = "{since}"',
            f'until = "{until}"',
            f"tlp = {json.dumps(list(tlp))}",
        ]
        if give:
            lines += ["[[give]]", f"collections = {json.dumps(list(give))}", 'kinds = ["*"]']
        if accept:
            lines += ["[[accept]]", f"collections = {json.dumps(list(accept))}", f'identities = ["{PARTNER_IDENTITY}"]']
        (self.dir / "agreements" / "japan.toml").write_text("\n".join(lines) + "\n")

    def apply(self) -> list[dict]:
        """`entente agreement apply`: what it released and withdrew, line by line."""
        return self.command("agreement", "apply")["changes"]

    def load(self, objects: list[dict], label: str, collection: str = "intel") -> None:
        """`entente import` of a bundle, its unlabelled objects labelled."""
        self._files += 1
        file = self.dir.parent / f"bundle-{self._files}.json"
        file.write_text(json.dumps({"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": objects}))
        intake = self.command("import", str(file), "--collection", collection, "--label", label)
        assert intake["new"] == len(objects), intake

    def partner(self) -> Partner:
        """The partner's program."""
        return Partner(self.base + "/taxii2/", "japan-tool", self.password)

    def hang_up(self) -> None:
        """SIGHUP: configuration and TLS files are read again."""
        self._process.child.send_signal(signal.SIGHUP)

    def end(self) -> int:
        return self._process.end()

    def said(self) -> str:
        return self._process.said()
