//! Rows S-001 to S-061: types of values, common properties, identifiers, versions.

use super::{
    accept, accept_text, accept_together, less, reject, reject_as, reject_text, reject_together, warn, warn_together,
};
use crate::minimal::{ADDRESS, FILE, IDENTITY, INDICATOR, MALWARE, META, SCO, minimal, types, with, without};
use serde_json::{Value, json};

const LATER: &str = "2021-01-01T00:00:00.000Z";

#[test]
fn json_strings_and_numbers() {
    let tool = minimal("tool").to_string();
    accept_text("S-001", &tool);
    for broken in [
        tool.replace("\"name\":\"n\"", "\"name\":\"n\",\"name\":\"n\""),
        tool.replace("\"name\":\"n\"", "\"name\":\"\\ud800\""),
        tool.replace("\"name\":\"n\"", "\"name\":NaN"),
        format!("{tool} x"),
    ] {
        reject_text("S-001", &broken);
    }
    accept("S-023", &with("tool", json!({"name": "é\u{1f600}"})));
    reject("S-023", &with("tool", json!({"name": 1})));
    accept("S-009", &with("location", json!({"latitude": 0.5, "longitude": 1})));
    // S-009: no double holds it.
    reject_text(
        "S-001",
        &minimal("location").to_string().replace("\"country\":\"JP\"", "\"latitude\":1e400,\"longitude\":1"),
    );
    accept("S-017", &with("tool", json!({"confidence": 5.0})));
    reject("S-017", &with("tool", json!({"confidence": 50.5})));
    reject_text("S-017", &minimal("autonomous-system").to_string().replace("64496", "9007199254740992"));
    accept("S-003", &with("tool", json!({"revoked": false})));
    reject("S-003", &with("tool", json!({"revoked": "true"})));
    reject("S-003", &with("tool", json!({"revoked": 1})));
}

#[test]
fn encodings() {
    accept("S-002", &minimal("artifact"));
    reject("S-002", &with("artifact", json!({"payload_bin": "AAE"})));
    accept("S-012", &with("file", json!({"magic_number_hex": "ff"})));
    reject("S-012", &with("file", json!({"magic_number_hex": "fff"})));
    warn("S-012", &with("file", json!({"magic_number_hex": "FF"})));
    accept("S-042", &with("directory", json!({"path_enc": "windows-1251"})));
    reject("S-042", &with("directory", json!({"path_enc": "cp-foo"})));
    accept("S-027", &with("file", json!({"name_enc": "US-ASCII"})));
    let nameless = json!({"hashes": {"MD5": "d41d8cd98f00b204e9800998ecf8427e"}, "name_enc": "US-ASCII"});
    reject("S-027", &less(with("file", nameless), "name"));
}

#[test]
fn dictionaries_lists_and_enumerations() {
    let environment = |value: Value| with("process", json!({"environment_variables": value}));
    accept("S-004", &environment(json!({"PATH": "/bin"})));
    for key in ["A B", "é", &"a".repeat(251)] {
        reject("S-004", &environment(json!({key: "x"})));
    }
    accept("S-005", &environment(json!({"a": "x"})));
    reject("S-005", &environment(json!({})));
    accept("S-006", &with("opinion", json!({"opinion": "neutral"})));
    reject("S-006", &with("opinion", json!({"opinion": "maybe"})));
    accept("S-019", &with("tool", json!({"labels": ["a"]})));
    reject("S-019", &with("tool", json!({"labels": []})));
    accept("S-021", &with("malware", json!({"malware_types": ["my-own"]})));
    warn("S-021", &with("malware", json!({"malware_types": ["My Own"]})));
    accept("S-022", &with("malware", json!({"malware_types": ["future-kind"]})));
    reject_as("S-022", "S-021", &with("malware", json!({"malware_types": [1]})));
    accept("S-122", &with("identity", json!({"identity_class": "unit"})));
    reject_as("S-122", "S-006", &with("opinion", json!({"opinion": "maybe"})));
}

#[test]
fn references_to_elsewhere() {
    let references = |value: Value| with("tool", json!({"external_references": [value]}));
    accept("S-007", &references(json!({"source_name": "a", "description": "b"})));
    reject("S-007", &references(json!({"source_name": "a"})));
    reject("S-007", &references(json!({"url": "https://example.com"})));
    accept(
        "S-008",
        &references(json!({"source_name": "a", "url": "https://example.com", "hashes": {"SHA-256": "0".repeat(64)}})),
    );
    warn("S-008", &references(json!({"source_name": "a", "url": "https://example.com"})));
    let phase = |chain: &str, phase: &str| {
        with("tool", json!({"kill_chain_phases": [{"kill_chain_name": chain, "phase_name": phase}]}))
    };
    accept("S-018", &phase("lockheed-martin-cyber-kill-chain", "delivery"));
    warn("S-018", &phase("Foo Bar", "delivery"));
    reject("S-018", &with("tool", json!({"kill_chain_phases": [{"phase_name": "a"}]})));
}

#[test]
fn hashes() {
    let hashes = |value: Value| with("file", json!({"hashes": value}));
    accept("S-010", &hashes(json!({"MD5": "d41d8cd98f00b204e9800998ecf8427e"})));
    reject("S-010", &hashes(json!({"ab": "x"})));
    reject("S-010", &hashes(json!({"MD5": 1})));
    accept("S-011", &hashes(json!({"SHA-256": "0".repeat(64)})));
    warn("S-011", &hashes(json!({"md5": "d41d8cd98f00b204e9800998ecf8427e"})));
    for (algorithm, digits) in [
        ("MD5", 32),
        ("SHA-1", 40),
        ("SHA-256", 64),
        ("SHA3-256", 64),
        ("SHA-512", 128),
        ("SHA3-512", 128),
        ("TLSH", 70),
    ] {
        accept("S-124", &hashes(json!({algorithm: "a".repeat(digits)})));
        reject("S-124", &hashes(json!({algorithm: "a".repeat(digits - 1)})));
    }
    accept("S-124", &hashes(json!({"SSDEEP": "3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C"})));
    reject("S-124", &hashes(json!({"SSDEEP": "AXGB"})));
}

#[test]
fn identifiers() {
    accept("S-013", &with("tool", json!({"id": "tool--5D0092C5-5F74-4287-9642-33F4C354E56D"})));
    reject("S-013", &with("tool", json!({"id": INDICATOR})));
    reject("S-013", &with("tool", json!({"id": "tool--5d0092c5-5f74-4287-1642-33f4c354e56d"})));
    reject("S-013", &with("tool", json!({"created_by_ref": "identity--1"})));
    accept_together("S-014", &[minimal("tool"), with("malware", json!({"id": MALWARE}))]);
    warn_together("S-014", &[minimal("tool"), minimal("malware")]);
    accept("S-015", &minimal("tool"));
    warn("S-015", &with("tool", json!({"id": "tool--5d0092c5-5f74-5287-9642-33f4c354e56d"})));
    accept("S-016", &minimal("tool"));
    // S-016
    warn("S-015", &with("identity", json!({"id": "identity--5d0092c5-5f74-5287-9642-33f4c354e56d"})));
    accept("S-046", &without("email-message", "subject"));
    reject("S-046", &with("process", json!({"id": "process--5d0092c5-5f74-5287-9642-33f4c354e56d"})));
    accept("S-051", &minimal("ipv4-addr"));
    accept("S-051", &with("ipv4-addr", json!({"id": "ipv4-addr--5d0092c5-5f74-4287-9642-33f4c354e56d"})));
    warn("S-051", &with("ipv4-addr", json!({"id": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c5"})));
    assert!(ADDRESS.starts_with("ipv4-addr--"));
}

#[test]
fn times() {
    let created = |time: &str| with("tool", json!({"created": time, "modified": LATER}));
    for time in [
        "2020-01-01T00:00:00.000Z",
        "2020-01-01T00:00:00.123456789Z",
        "2016-12-31T23:59:60.000Z",
        "2020-02-29T00:00:00.000Z",
    ] {
        accept("S-024", &created(time));
    }
    for time in [
        "2020-01-01T00:00:00.000+00:00",
        "2020-01-01T00:00:00.000z",
        "2020-01-01t00:00:00.000Z",
        "2020-01-01T00:00:00.Z",
        "2020-02-30T00:00:00.000Z",
    ] {
        reject("S-024", &created(time));
    }
    accept("S-029", &created("2020-01-01T00:00:00.000Z"));
    warn("S-029", &created("2020-01-01T00:00:00Z"));
    accept("S-030", &with("tool", json!({"modified": LATER})));
    reject("S-030", &with("tool", json!({"modified": "2019-01-01T00:00:00.000Z"})));
}

#[test]
fn common_properties() {
    // Each "-" cell of the table, and each "R".
    for type_name in types() {
        accept("S-025", &minimal(type_name));
        for name in ["type", "id"] {
            reject("S-025", &without(type_name, name));
        }
    }
    for type_name in types().filter(|t| !SCO.contains(t)) {
        reject("S-025", &without(type_name, "created"));
        reject("S-036", &with(type_name, json!({"defanged": true})));
    }
    accept("S-036", &with("url", json!({"defanged": true})));
    for (requirement, type_name, absent) in [
        ("S-128", "marking-definition", ["modified", "revoked", "labels", "confidence", "lang"].as_slice()),
        ("S-138", "language-content", &["lang"]),
        ("S-141", "extension-definition", &["confidence", "lang", "extensions"]),
    ] {
        accept(requirement, &minimal(type_name));
        for name in absent {
            reject(requirement, &with(type_name, json!({*name: "x"})));
        }
    }
    assert_eq!(META.len(), 3);
    accept("S-026", &with("x-my-type", json!({"x_a": 1})));
    reject("S-026", &with("tool", json!({"type": "xy"})));
    accept("S-028", &with("url", json!({"spec_version": "2.1"})));
    accept("S-028", &without("url", "spec_version"));
    reject("S-028", &with("tool", json!({"spec_version": "3.0"})));
    for confidence in [0, 100] {
        accept("S-031", &with("tool", json!({"confidence": confidence})));
    }
    for confidence in [-1, 101] {
        reject("S-031", &with("tool", json!({"confidence": confidence})));
    }
    accept("S-033", &with("tool", json!({"lang": "sr-Latn-RS"})));
    reject("S-033", &with("tool", json!({"lang": "zz-zz-zz"})));
    accept("S-034", &with("malware", json!({"malware_types": ["ransomware"], "labels": ["my-own"]})));
    reject_as("S-034", "S-023", &with("malware", json!({"labels": [1]})));
    accept(
        "S-037",
        &with("tool", json!({"extensions": {EXTENSION: {"extension_type": "property-extension", "a_b": 1}}})),
    );
    reject("S-037", &with("tool", json!({"extensions": {EXTENSION: {"a_b": 1}}})));
    accept("S-039", &with("tool", json!({"created_by_ref": IDENTITY})));
    reject_as("S-039", "S-013", &with("tool", json!({"created_by_ref": 1})));
    accept("S-043", &with("file", json!({"extensions": {"pdf-ext": {"version": "1"}}})));
    reject("S-043", &with("mutex", json!({"extensions": {"pdf-ext": {"version": "1"}}})));
    for name in ["severity", "username", "phone_number", "phone_numbers", "action"] {
        reject("S-041", &with("tool", json!({name: "x"})));
    }
    accept("S-041", &with("tool", json!({"x_severity": "x"})));
    accept("S-065", &with("course-of-action", json!({"x_action": "x"})));
    reject_as("S-065", "S-041", &with("course-of-action", json!({"action": "x"})));
}

pub(super) const EXTENSION: &str = "extension-definition--04d9bd5c-7a58-4d72-84f4-6e3b0e2ea6c1";

/// S-038: every reference of `embedded` in the companion of the requirements, with a type that it allows and one that it does not.
#[test]
fn references_have_their_types() {
    accept("S-038", &with("tool", json!({"created_by_ref": IDENTITY})));
    reject("S-038", &with("tool", json!({"created_by_ref": MALWARE})));
    reject("S-038", &with("tool", json!({"object_marking_refs": [IDENTITY]})));
    reject("S-098", &with("directory", json!({"contains_refs": ["url--5d0092c5-5f74-4287-9642-33f4c354e56d"]})));
    accept("S-098", &with("directory", json!({"contains_refs": [FILE]})));
}

/// S-049, S-050: builders give an observable nothing by which it could be versioned, and a random identifier or that of the rule.
#[test]
fn observables_have_no_versions() {
    for type_name in SCO {
        let table = stix::schema::type_named(type_name).unwrap();
        for name in ["created", "modified", "revoked", "created_by_ref"] {
            assert!(table.property(name).is_none(), "{type_name} {name}");
        }
        accept("S-050", &minimal(type_name));
        warn("S-061", &with(type_name, json!({"revoked": true})));
    }
}

#[test]
fn versions() {
    let version = |modified: &str, more: Value| {
        let mut object = with("tool", more);
        object["modified"] = json!(modified);
        object
    };
    let first = minimal("tool");
    accept_together("S-053", &[first.clone(), version(LATER, json!({"name": "newer"}))]);
    accept_together("S-054", &[first.clone(), version(LATER, json!({}))]);
    reject_together("S-054", &[first.clone(), version(LATER, json!({"created": "2020-01-01T00:00:00.001Z"}))]);
    accept_together("S-055", &[first.clone(), first.clone()]);
    warn_together("S-055", &[first.clone(), with("tool", json!({"name": "other"}))]);
    accept_together(
        "S-057",
        &[with("tool", json!({"created_by_ref": IDENTITY})), version(LATER, json!({"created_by_ref": IDENTITY}))],
    );
    warn_together(
        "S-057",
        &[
            with("tool", json!({"created_by_ref": IDENTITY})),
            version(LATER, json!({"created_by_ref": "identity--5d0092c5-5f74-4287-9642-33f4c354e56d"})),
        ],
    );
    accept_together("S-059", &[first.clone(), version(LATER, json!({"revoked": true}))]);
    warn_together("S-059", &[with("tool", json!({"revoked": true})), version(LATER, json!({}))]);
    accept("S-061", &minimal("file"));
    warn("S-061", &with("file", json!({"modified": LATER})));
    accept_together("S-035", &[minimal("marking-definition")]);
    let own = minimal("marking-definition")["id"].clone();
    reject("S-035", &with("marking-definition", json!({"object_marking_refs": [own]})));
    let other = "marking-definition--733c5838-34d9-4fbf-949c-62aba761184c";
    reject_together(
        "S-035",
        &[
            with("marking-definition", json!({"object_marking_refs": [other]})),
            with("marking-definition", json!({"id": other, "object_marking_refs": [own]})),
        ],
    );
}
