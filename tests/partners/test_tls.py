"""TLS as an operator sets it up: client certificates as accounts, and certificates renewed while the node serves."""

import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest
import requests

from own_node import OwnNode

# How long the node may take to take a new certificate into use after SIGHUP, in seconds.
RENEWAL_S = 20


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def self_signed(key: Path, certificate: Path, name: str) -> None:
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    openssl("req", "-x509", *curve, "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate))


class Authority:
    """A certificate authority for clients."""

    def __init__(self, home: Path, name: str):
        self.home, self.key, self.certificate = home, home / f"{name}.key", home / f"{name}.pem"
        self_signed(self.key, self.certificate, name)

    def client(self, name: str) -> tuple[str, str]:
        """A client's certificate and key, as files."""
        key, request, certificate, extensions = (self.home / f"{name}.{kind}" for kind in ("key", "csr", "pem", "ext"))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request))
        extensions.write_text("extendedKeyUsage=clientAuth\nbasicConstraints=CA:FALSE\n")
        by = ["-CA", str(self.certificate), "-CAkey", str(self.key), "-CAcreateserial", "-days", "2", "-extfile", str(extensions)]
        openssl("x509", "-req", "-in", str(request), *by, "-out", str(certificate))
        return str(certificate), str(key)


class TlsNode(OwnNode):
    def __init__(self, home: Path):
        self.authority = Authority(home, "clients")
        super().__init__(home)

    def agree(self, **_) -> None:
        super().agree()
        self_signed(self.dir / "tls.key", self.dir / "tls.pem", "first")
        (self.dir / "clients.pem").write_bytes(self.authority.certificate.read_bytes())
        settings = self.dir / "node.toml"
        files = '[listen]\ncertificate = "tls.pem"\nkey = "tls.key"\nclient_ca = "clients.pem"'
        settings.write_text(settings.read_text().replace("[listen]", files))

    def _answers(self) -> bool:
        self.base = self.base.replace("http://", "https://")
        try:
            return self.get("/healthz").ok
        except requests.ConnectionError:
            return False

    def get(self, path: str, **options) -> requests.Response:
        # A connection of its own: the handshake is part of the question.
        return requests.get(self.base + path, verify=str(self.dir / "tls.pem"), timeout=10, headers={"Connection": "close"}, **options)

    def shown(self) -> bytes:
        """The certificate that the node shows now."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        host, port = self.base.removeprefix("https://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as raw, context.wrap_socket(raw) as tls:
            return tls.getpeercert(binary_form=True)


@pytest.fixture
def node(tmp_path: Path):
    running = TlsNode(tmp_path)
    yield running
    assert running.end() == 0, running.said()


def test_a_client_certificate_is_an_account_until_it_is_withdrawn(node, tmp_path):
    """T-141, rule 4 of the client contract."""
    mine, other = node.authority.client("japan"), node.authority.client("unknown")
    foreign = Authority(tmp_path, "foreign").client("stranger")
    assert node.get("/taxii2/", cert=mine).status_code == 401, "verified, but nobody's yet"
    name = node.command("user", "certificate", "japan-tool", mine[0])["name"]
    assert node.get("/taxii2/", cert=mine).status_code == 200
    assert node.get("/taxii2/", cert=other).status_code == 401
    assert node.get("/taxii2/").status_code == 401
    with pytest.raises(requests.exceptions.ConnectionError):
        node.get("/taxii2/", cert=foreign)
    # What the request says goes before what the connection showed.
    assert node.get("/taxii2/", cert=mine, auth=("japan-tool", "wrong password")).status_code == 401
    node.command("user", "disable", "japan-tool")
    assert node.get("/taxii2/", cert=mine).status_code == 401
    node.command("user", "enable", "japan-tool")
    assert node.get("/taxii2/", cert=mine).status_code == 200
    node.command("user", "withdraw", "japan-tool", name)
    assert node.get("/taxii2/", cert=mine).status_code == 401


def test_a_certificate_is_renewed_while_the_node_serves(node):
    first = node.shown()
    (node.dir / "tls.key").write_text("half a file")
    node.hang_up()
    time.sleep(1)
    assert node.shown() == first, "files that cannot be used change nothing"
    self_signed(node.dir / "tls.key", node.dir / "tls.pem", "second")
    node.hang_up()
    until = time.monotonic() + RENEWAL_S
    while node.shown() == first:
        assert time.monotonic() < until, "the new certificate is not in use"
        time.sleep(0.1)
    assert node.get("/healthz").ok
