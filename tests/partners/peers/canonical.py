"""RFC 8785 by the package rfc8785. In: one JSON value a line. Out: the canonical form of each."""

import json
import sys

import rfc8785

out = sys.stdout.buffer
for line in sys.stdin.buffer:
    out.write(rfc8785.dumps(json.loads(line)) + b"\n")
