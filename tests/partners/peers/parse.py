"""What stix2 says of single objects. Argument: 2.0 or 2.1. In: one object a line. Out: one line each, empty if it is accepted, else the kind of the error."""

import json
import sys

import stix2

version = sys.argv[1]
for line in sys.stdin:
    try:
        stix2.parse(json.loads(line), version=version, allow_custom=True)
        print()
    except Exception as error:  # whatever it raises is its answer
        names = getattr(error, "properties", None) or getattr(error, "prop_name", None) or ""
        names = ",".join(sorted(names)) if isinstance(names, (list, set, tuple, dict)) else names
        print(f"{json.loads(line).get('type')}: {type(error).__name__} {names}".strip())
