"""What stix2-validator and stix2 say of single objects. In: `2.0` or `2.1`, a tab, one object a line. Out: one line each, {"validator": [errors], "stix2": error or null}.

What a program raises instead of answering is its answer too."""

import json
import logging
import re
import sys

import stix2
from stix2validator import ValidationOptions, validate_instance

# Enough to tell one message from another.
MESSAGE_CHARS = 400

logging.disable(logging.CRITICAL)
OPTIONS = {version: ValidationOptions(version=version) for version in ("2.0", "2.1")}


def short(message):
    return re.sub(r"\s+", " ", str(message))[:MESSAGE_CHARS]


def by_validator(document, version):
    try:
        return [short(error) for error in validate_instance(document, OPTIONS[version]).errors]
    except Exception as error:  # whatever it raises is its answer
        return [short(f"raises {type(error).__name__}: {error}")]


def by_stix2(document, version):
    try:
        stix2.parse(document, version=version, allow_custom=True)
        return None
    except Exception as error:  # whatever it raises is its answer
        return short(f"{type(error).__name__}: {error}")


for line in sys.stdin:
    version, text = line.split("\t", 1)
    try:
        document = json.loads(text)
        answer = {"validator": by_validator(document, version), "stix2": by_stix2(document, version)}
    except (ValueError, RecursionError) as error:
        answer = {"validator": [short(f"no JSON: {error}")], "stix2": short(f"no JSON: {error}")}
    print(json.dumps(answer))
