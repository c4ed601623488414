"""The peers: servers by others, from the Python package index, each in a virtual environment of its own, served by gunicorn on loopback."""
import getpass
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
# Seconds in which a server must answer after its start, and end after SIGTERM.
START_S, STOP_S = 60, 20


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def python_of(name):
    """The Python of `.venv-bench-NAME`, made from its pinned requirements if it is not there."""
    venv = ROOT / f".venv-bench-{name}"
    requirements = HERE / "peers" / f"requirements-{name}.txt"
    stamp = venv / "requirements.txt"
    python = venv / "bin" / "python"
    if stamp.is_file() and stamp.read_bytes() == requirements.read_bytes():
        return python
    print(f"installing {name} into {venv.name}", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--requirement", requirements], check=True, stdout=sys.stderr)
    shutil.copyfile(requirements, stamp)
    return python


class Server:
    """A process that we started, and that we end by its id."""

    def __init__(self, command, log, **options):
        self.log = open(log, "ab")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, **options)

    @property
    def pid(self):
        return self.process.pid

    def cpu_s(self):
        """CPU seconds of the process and its children so far: steadier than wall time on a shared machine."""
        ticks, todo = 0, [self.pid]
        while todo:
            pid = todo.pop()
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
                fields = stat.read().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as children:
                    todo += map(int, children.read().split())
        return ticks / os.sysconf("SC_CLK_TCK")

    def wait_for_port(self, port):
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise SystemExit(f"the server ended by itself, see {self.log.name}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise SystemExit(f"the server did not listen within {START_S} s, see {self.log.name}")

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Bare(Server):
    """HTTP alone: the example `bare` of `crates/web`, which answers everything with the bytes of a file from memory."""

    def __init__(self, binary, file):
        # A port of a run before is no port of this one.
        file.with_suffix(".log").unlink(missing_ok=True)
        super().__init__([binary, file], file.with_suffix(".log"))
        deadline = time.monotonic() + START_S
        while not (said := file.with_suffix(".log").read_text(encoding="ascii")).endswith("\n"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise SystemExit(f"the bare handler did not say its port, see {self.log.name}")
            time.sleep(0.01)
        self.port = int(said)


class Nginx(Server):
    """nginx with a static file, in a folder of its own: one process for each processor."""

    def __init__(self, file):
        work = file.parent / "nginx"
        shutil.rmtree(work, ignore_errors=True)
        (work / "served").mkdir(parents=True)
        shutil.copyfile(file, work / "served" / "page")
        # Its workers run as the one who starts it, also as root.
        self.port = free_port()
        text = NGINX.format(user=f"user {getpass.getuser()};" if os.geteuid() == 0 else "", work=work, port=self.port)
        (work / "nginx.conf").write_text(text, encoding="utf-8")
        super().__init__([nginx_program(), "-p", work, "-e", work / "errors", "-c", work / "nginx.conf"], work / "log")
        self.wait_for_port(self.port)


NGINX = """{user}
worker_processes auto;
daemon off;
pid {work}/pid;
error_log {work}/errors;
events {{ worker_connections 512; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  default_type "application/taxii+json;version=2.1";
  server {{ listen 127.0.0.1:{port}; location / {{ root {work}/served; }} }}
}}
"""


def nginx_program():
    """The path of nginx, if it is installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


class Peer(Server):
    """A peer with one empty collection; `collection` is its path, `user` and `password` what it wants."""

    def __init__(self, name, work, gunicorn_options):
        python = python_of(name)
        shutil.rmtree(work, ignore_errors=True)
        work.parent.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        made = subprocess.run([python, HERE / "peers" / f"{name}_site.py", work, str(self.port)], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        site = json.loads(made.stdout.splitlines()[-1])
        self.collection, self.user, self.password = site["collection"], site.get("user"), site.get("password")
        command = [python, "-m", "gunicorn", "--no-control-socket", "--bind", f"127.0.0.1:{self.port}", "--timeout", "600", "--chdir", work, *gunicorn_options, "shim:app"]
        super().__init__(command, work / "log", env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        self.work = work
        self.wait_for_port(self.port)

    def settle(self):
        """Statistics for the query planner, as a careful operator would gather them: without them OpenTAXII's page of ATT&CK takes 20 s and not 0.3 s, because thousands of its
        objects share one `modified` and SQLite then looks versions up by time."""
        database = self.work / "taxii2.db"
        if database.is_file():
            connection = sqlite3.connect(database, timeout=60)
            connection.execute("ANALYZE")
            connection.close()


def opentaxii(work):
    """OpenTAXII with SQLite and two workers, one for each processor of the machine that the targets speak of."""
    return Peer("opentaxii", work, ["--workers", "2"])


def medallion(work):
    """medallion with its memory backend, which lives in one process."""
    return Peer("medallion", work, ["--workers", "1", "--threads", "8"])
