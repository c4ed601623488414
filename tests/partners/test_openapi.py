"""`schemathesis`, unmodified, against a node of ours and the description that it serves: thousands of requests, right and wrong, in every parameter.

No 5xx, and every status, content type, header and body is one that the description names.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import requests

from own_node import OwnNode, indicator
from test_conformance import CLEAR

# Requests that are made up for each operation, beside those that its schema suggests.
EXAMPLES = int(os.environ.get("ENTENTE_SCHEMATHESIS_EXAMPLES", "5"))
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"


def test_whatever_is_asked_the_node_answers_as_its_description_says(own_node: OwnNode, tmp_path):
    """T-008, T-010, T-011, T-014, T-022, T-030, T-063, T-144."""
    known = indicator("known") | {"object_marking_refs": [CLEAR]}
    own_node.load([known], "TLP:CLEAR")
    description = requests.get(own_node.base + "/docs/openapi.json", timeout=10)
    committed = Path(__file__).resolve().parents[2] / "docs" / "reference" / "openapi.json"
    assert description.json() == json.loads(committed.read_text()), "what is served is what is committed"
    (tmp_path / "openapi.json").write_bytes(description.content)
    for name, parameters in (("there", {"path.root": "live", "path.collection": "intel", "path.object": known["id"]}), ("anywhere", {})):
        home = tmp_path / name
        home.mkdir()
        lines = ["[parameters]", *(f'"{key}" = {json.dumps(value)}' for key, value in parameters.items())]
        (home / "schemathesis.toml").write_text("\n".join(lines) + "\n")
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(home / "schemathesis.toml"), "run", str(tmp_path / "openapi.json"), "--url", own_node.base]
        limits = ["--checks", CHECKS, "--max-examples", str(EXAMPLES), "--seed", "5", "--workers", "1", "--auth", f"japan-tool:{own_node.password}", "--no-color", "--generation-database", "none"]
        run = subprocess.run([*command, *limits], cwd=home, capture_output=True, text=True, timeout=900)
        assert run.returncode == 0, run.stdout[-6_000:] + run.stderr[-2_000:]
        print(run.stdout[-1_500:])
    # And it still answers in order.
    partner = own_node.partner()
    assert known["id"] in [got.parsed["id"] for got in partner.pull(partner.collection("intel"), 10)]
