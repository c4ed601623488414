"""The shapes of the resources (section 14 of docs/requirements/taxii-2.1.md)."""

import re
import uuid

from wire import Fault, expect

T6 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
MEDIA = "application/taxii+json;version=2.1"
CUSTOM = re.compile(r"^[a-z0-9_]{3,250}$")

SHAPES = {
    "discovery": ({"title": str}, {"description": str, "contact": str, "default": str, "api_roots": list}),
    "api-root": ({"title": str, "versions": list, "max_content_length": int}, {"description": str}),
    "status": (
        {"id": str, "status": str, "total_count": int, "success_count": int, "failure_count": int, "pending_count": int},
        {"request_timestamp": str, "successes": list, "failures": list, "pendings": list},
    ),
    "status-details": ({"id": str, "version": str}, {"message": str}),
    "collections": ({}, {"collections": list}),
    "collection": ({"id": str, "title": str, "can_read": bool, "can_write": bool}, {"description": str, "alias": str, "media_types": list}),
    # `next` stands in no table for manifest and versions, and servers page with it all the same (TD-06, TK-09).
    "manifest": ({}, {"more": bool, "objects": list, "next": str}),
    "manifest-record": ({"id": str, "date_added": str, "version": str}, {"media_type": str}),
    "envelope": ({}, {"more": bool, "next": str, "objects": list}),
    "versions": ({}, {"more": bool, "versions": list, "next": str}),
    "error": (
        {"title": str},
        {"description": str, "error_id": str, "error_code": str, "http_status": str, "external_details": str, "details": dict},
    ),
}


def shape(kind: str, value, empty_list_is_a_fault: bool = True) -> dict:
    """`value` is a resource of this kind: required members there, every member of its type, no list empty (T-002, T-005, T-007, T-008), other members custom (T-128)."""
    expect(isinstance(value, dict), f"a {kind} is no JSON object: {value!r:.120}")
    required, optional = SHAPES[kind]
    for name in required:
        expect(name in value, f"T-008: a {kind} has no `{name}`: {value!r:.160}")
    for name, member in value.items():
        wanted = required.get(name) or optional.get(name)
        if wanted is None:
            expect(bool(CUSTOM.match(name)), f"T-128: `{name}` of a {kind} is no name for a custom property")
            continue
        right = isinstance(member, wanted) and not (wanted is int and isinstance(member, bool))
        expect(right, f"T-002: `{name}` of a {kind} is {member!r:.80}")
        if wanted is list and empty_list_is_a_fault:
            expect(member != [], f"T-005: `{name}` of a {kind} is an empty list")
    return value


def identifier(text: str, what: str) -> None:
    """T-003: an RFC 4122 UUID version 4."""
    try:
        parsed = uuid.UUID(text)
    except ValueError as error:
        raise Fault(f"T-003: {what} `{text}` is no UUID") from error
    expect(parsed.version == 4 and parsed.variant == uuid.RFC_4122, f"T-003: {what} `{text}` is no UUID version 4")


def timestamp(text: str, what: str) -> None:
    expect(bool(T6.match(text or "")), f"T-006: {what} is `{text}`, not a time in UTC with six digits")


def status(value: dict) -> dict:
    """T-092 to T-097."""
    shape("status", value)
    identifier(value["id"], "the id of a status")
    expect(value["status"] in ("complete", "pending"), f"T-093: status is `{value['status']}`")
    counts = [value[name] for name in ("success_count", "failure_count", "pending_count")]
    expect(all(count >= 0 for count in [value["total_count"], *counts]), "T-095: a count is negative")
    expect(value["total_count"] in (0, sum(counts)), f"T-095: the counts {counts} do not add up to {value['total_count']}")
    expect(value["status"] == "pending" or value["pending_count"] == 0, "T-094: complete, and something is pending")
    if "request_timestamp" in value:
        timestamp(value["request_timestamp"], "request_timestamp")
    for name, count in zip(("successes", "failures", "pendings"), counts, strict=True):
        for detail in value.get(name, []):
            shape("status-details", detail)
        if name in value:
            expect(len(value[name]) == count, f"T-097: {len(value[name])} {name} and a count of {count}")
    return value


def error(reply) -> dict:
    """T-011, T-063 to T-065."""
    value = shape("error", reply.json())
    if "http_status" in value:
        expect(value["http_status"] == str(reply.status), f"T-065: http_status is `{value['http_status']}` in a {reply.status}")
    return value
