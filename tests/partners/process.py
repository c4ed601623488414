"""The `entente` program as a process: started, waited for, ended by SIGTERM."""

import os
import signal
import subprocess
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# How long a start, or an end after SIGTERM, may take, in seconds.
PATIENCE_S = 90


def program() -> str:
    """The program under test: ENTENTE_BIN, else the debug build of this repository."""
    path = Path(os.environ.get("ENTENTE_BIN") or REPOSITORY / "target" / "debug" / "entente")
    if not path.is_file():
        raise RuntimeError(f"`{path}` is not there; run `cargo build -p entente` first, or set ENTENTE_BIN")
    return str(path)


class Process:
    """One running `entente`. Its output goes to files, so that nothing can block on a full pipe."""

    def __init__(self, arguments: list[str], home: Path):
        self.name = " ".join(arguments)
        self.out, self.err = home / "stdout.txt", home / "stderr.txt"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.child = subprocess.Popen([program(), *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=home)

    def wait_for(self, ready) -> None:
        """Waits until `ready()` is true; tells what the program said if it ends or takes too long."""
        until = time.monotonic() + PATIENCE_S
        while not ready():
            if self.child.poll() is not None:
                raise RuntimeError(f"`entente {self.name}` ended with {self.child.returncode}:\n{self.said()}")
            if time.monotonic() > until:
                self.child.kill()
                raise RuntimeError(f"`entente {self.name}` was not ready after {PATIENCE_S} s:\n{self.said()}")
            time.sleep(0.05)

    def said(self) -> str:
        """The end of what it printed."""
        return (self.out.read_text(errors="replace")[-4000:] + "\n" + self.err.read_text(errors="replace")[-4000:]).strip()

    def end(self) -> int:
        """Ends it by SIGTERM and gives its exit code."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            raise RuntimeError(f"`entente {self.name}` did not end after SIGTERM:\n{self.said()}") from None
