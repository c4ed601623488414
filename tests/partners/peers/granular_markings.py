"""What stix2 says of granular markings. In: one JSON object a line, {"object", "paths"}. Out: one line each, a list of [inherited, with descendants], both sorted;
null for a place that stix2 cannot find (it loses its way in lists inside lists)."""

import json
import sys

from stix2.exceptions import InvalidSelectorError
from stix2.markings import granular_markings


def said(document, path):
    try:
        return [
            sorted(granular_markings.get_markings(document, path, inherited=True, descendants=descendants))
            for descendants in (False, True)
        ]
    except InvalidSelectorError:
        return None


for line in sys.stdin:
    ask = json.loads(line)
    print(json.dumps([said(ask["object"], path) for path in ask["paths"]]))
