"""The bytes of the objects in an envelope, as they came over the wire (I3)."""

import json

_DECODER = json.JSONDecoder()
_SPACE = " \t\r\n"


def _skip(text: str, at: int) -> int:
    while text[at] in _SPACE:
        at += 1
    return at


def raw_objects(body: bytes) -> list[bytes]:
    """The elements of `objects`, byte for byte; nothing if the envelope has none."""
    text = body.decode("utf-8")
    at = _skip(text, 0)
    assert text[at] == "{", "an envelope is a JSON object"
    at = _skip(text, at + 1)
    found: list[bytes] = []
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        assert text[at] == ":"
        at = _skip(text, at + 1)
        if name == "objects":
            at = _skip(text, at + 1)
            while text[at] != "]":
                _, end = _DECODER.raw_decode(text, at)
                found.append(text[at:end].encode("utf-8"))
                at = _skip(text, end)
                if text[at] == ",":
                    at = _skip(text, at + 1)
            at += 1
        else:
            _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def inserted(before: bytes, after: bytes) -> bytes | None:
    """What was put into `before`, in one place, to make `after`; None if anything else differs."""
    if len(after) < len(before):
        return None
    head = 0
    while head < len(before) and before[head] == after[head]:
        head += 1
    tail = len(before) - head
    if tail and after[-tail:] != before[-tail:]:
        return None
    return after[head : len(after) - tail]


def version_of(thing: dict) -> str | None:
    """A version as the standard has it: `modified`, else `created`, else none (T-059, T-060)."""
    return thing.get("modified") or thing.get("created")
