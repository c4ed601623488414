#!/usr/bin/env python3
"""Conformance of a TAXII 2.1 server, row by row.

  run.py --url https://server.example/taxii2/ --user U --password P --read-write COLLECTION [--read-only C] [--write-only C] [--none C]
  run.py --profile FILE

Prints one line for each row of docs/requirements/taxii-2.1.md that a client can see from outside: pass, fail, or not run and what it would need. It writes
objects of its own, marked TLP:CLEAR unless told otherwise, into the read-write collection, and reads nothing but them where it can.

Exit code: 0 nothing failed, 1 a row failed, 2 wrong usage. With --known FILE (rows and reasons), 0 exactly when the rows that fail are those of the file.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from checks import filtering, information, requests, transport, writing  # noqa: E402, F401  (each registers its checks)
from registry import Report  # noqa: E402
from subject import Subject  # noqa: E402


def profile(arguments) -> dict:
    """From a file, with what the command line says on top."""
    found = json.loads(Path(arguments.profile).read_text(encoding="utf-8")) if arguments.profile else {}
    for name in ("url", "root", "cafile", "marking", "creator", "hidden_id"):
        if getattr(arguments, name) is not None:
            found[name] = getattr(arguments, name)
    if arguments.user is not None:
        found.setdefault("accounts", {})["main"] = {"user": arguments.user, "password": arguments.password or ""}
    for kind in ("read_write", "read_only", "write_only", "none"):
        if getattr(arguments, kind) is not None:
            found.setdefault("collections", {})[kind] = getattr(arguments, kind)
    if arguments.decisions:
        found["decisions"] = True
    if arguments.insecure:
        found["insecure"] = True
    return found


def differences(failed: set, known: dict) -> list:
    """What is not as the list of known failures says."""
    return [f"{row}: fails, and is not on the list" for row in sorted(failed - set(known))] + [
        f"{row}: is on the list, and does not fail any more" for row in sorted(set(known) - failed)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", help="JSON file, see README.md")
    parser.add_argument("--url", help="any URL of the server; scheme, host and port count")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--root", help="path of the API root; by default what discovery names")
    for kind, text in (("read-write", "may read and write"), ("read-only", "may only read"), ("write-only", "may only write"), ("none", "may neither")):
        parser.add_argument(f"--{kind}", metavar="COLLECTION", help=f"id of a collection that the account {text}")
    parser.add_argument("--marking", help="marking definition id for the objects of the suite; default TLP:CLEAR of TLP 2.0")
    parser.add_argument("--creator", help="identity id for `created_by_ref` of the objects of the suite")
    parser.add_argument("--hidden-id", help="id of an object that is there and hidden from the account")
    parser.add_argument("--cafile", help="PEM file of the certificate authority")
    parser.add_argument("--insecure", action="store_true", help="do not verify the server's certificate")
    parser.add_argument("--decisions", action="store_true", help="also ask for what Entente decided beyond the standard (C-, TD-)")
    parser.add_argument("--only", action="append", metavar="ROW", help="only the checks of this row; may be repeated")
    parser.add_argument("--known", help="JSON file {row: reason} of failures that are expected")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments = parser.parse_args()

    chosen = profile(arguments)
    if "url" not in chosen:
        parser.error("give --url, or a profile that names it")
    subject, report = Subject(chosen), Report()
    report.run(subject, arguments.only)
    rows = report.rows()
    if arguments.json:
        print(json.dumps({"url": chosen["url"], "requests": subject.wire.requests, "rows": {row: {"result": result, "why": why} for row, (result, why) in rows.items()}}, indent=1))
    else:
        for row, (result, why) in rows.items():
            print(f"{row}  {result:8} {why}")
        print(f"{report.count('pass')} passed, {report.count('fail')} failed, {report.count('not run')} not run; {len(rows)} rows, {len(report.outcomes)} checks, {subject.wire.requests} requests")
    failed = {row for row, (result, _) in rows.items() if result == "fail"}
    if arguments.known:
        wrong = differences(failed, json.loads(Path(arguments.known).read_text(encoding="utf-8")))
        for line in wrong:
            print(line, file=sys.stderr)
        return 1 if wrong else 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
