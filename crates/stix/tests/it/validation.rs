//! The validator, rule by rule: the smallest valid object, one rule broken.

use crate::minimal::{
    ADDRESS, FILE, IDENTITY, INDICATOR, MALWARE, META, RELATIONSHIP, SCO, minimal, types, with, without,
};
use serde_json::{Value, json};
use stix::{
    Limits, Object, schema,
    validate::{Finding, Level, Options, object},
};

fn findings(value: &Value) -> Vec<Finding> {
    object(&value.to_string(), &Limits::default(), &Options::default())
}

fn errors(value: &Value) -> Vec<&'static str> {
    findings(value).iter().filter(|f| f.is_error()).map(|f| f.requirement).collect()
}

#[track_caller]
fn accept(value: &Value) {
    let wrong: Vec<_> = findings(value).into_iter().filter(Finding::is_error).collect();
    assert!(wrong.is_empty(), "{value}: {wrong:?}");
}

#[track_caller]
fn reject(requirement: &str, value: &Value) {
    assert!(errors(value).contains(&requirement), "{requirement}: {value}: {:?}", findings(value));
}

#[track_caller]
fn warn(requirement: &str, value: &Value) {
    accept(value);
    let warned = findings(value).iter().any(|f| f.level == Level::Warning && f.requirement == requirement);
    assert!(warned, "{requirement}: {value}: {:?}", findings(value));
}

/// S-025, S-062: every type has a smallest valid object, and each of its required properties is required.
#[test]
fn every_required_property_is_required() {
    for type_name in types() {
        accept(&minimal(type_name));
        Object::parse(&minimal(type_name).to_string(), &Limits::default()).unwrap();
        let table = schema::type_named(type_name).unwrap();
        for property in table.common.iter().chain(table.properties).filter(|p| p.required && p.name != "spec_version") {
            let broken = without(type_name, property.name);
            assert!(!errors(&broken).is_empty(), "{type_name} without {}", property.name);
        }
    }
}

/// S-036, S-128, S-138, S-141: what a class does not have.
#[test]
fn properties_of_other_classes_are_refused() {
    for type_name in types().filter(|t| !SCO.contains(t)) {
        reject("S-036", &with(type_name, json!({"defanged": true})));
    }
    for (requirement, type_name, name, value) in [
        ("S-128", "marking-definition", "modified", json!("2020-01-01T00:00:00.000Z")),
        ("S-128", "marking-definition", "revoked", json!(true)),
        ("S-138", "language-content", "lang", json!("en")),
        ("S-141", "extension-definition", "confidence", json!(1)),
    ] {
        reject(requirement, &with(type_name, json!({name: value})));
    }
    warn("S-061", &with("file", json!({"modified": "2020-01-01T00:00:00.000Z"})));
    assert_eq!(META.len(), 3);
}

/// S-003 to S-031: types of values.
#[test]
fn values_have_their_types_and_bounds() {
    accept(&with("tool", json!({"confidence": 100, "revoked": false, "labels": ["a"], "lang": "sr-Latn-RS"})));
    accept(&with("tool", json!({"confidence": 5.0})));
    for (requirement, more) in [
        ("S-031", json!({"confidence": 101})),
        ("S-031", json!({"confidence": -1})),
        ("S-017", json!({"confidence": 50.5})),
        ("S-003", json!({"revoked": "true"})),
        ("S-019", json!({"labels": []})),
        ("S-033", json!({"lang": "zz-zz-zz"})),
        ("S-024", json!({"created": "2020-02-30T00:00:00.000Z"})),
        ("S-030", json!({"modified": "2019-01-01T00:00:00.000Z"})),
        ("S-038", json!({"created_by_ref": MALWARE})),
        ("S-013", json!({"created_by_ref": "identity--1"})),
        ("S-013", json!({"id": INDICATOR})),
        ("S-007", json!({"external_references": [{"source_name": "a"}]})),
        ("S-018", json!({"kill_chain_phases": [{"phase_name": "a"}]})),
        ("S-041", json!({"severity": "high"})),
        ("S-153", json!({"Foo": 1})),
        ("S-028", json!({"spec_version": "3.0"})),
    ] {
        reject(requirement, &with("tool", more));
    }
    warn("S-153", &with("tool", json!({"foo": 1})));
    warn("S-029", &with("tool", json!({"created": "2020-01-01T00:00:00Z"})));
    warn("S-008", &with("tool", json!({"external_references": [{"source_name": "a", "url": "https://example.com"}]})));
}

/// S-068 to S-096: rules of domain and relationship objects.
#[test]
fn rules_of_domain_and_relationship_objects_hold() {
    accept(&with("indicator", json!({"created_by_ref": IDENTITY, "pattern": "[x-app:name = 'a']"})));
    accept(&with("sighting", json!({"count": 0})));
    for (requirement, type_name, more) in [
        ("S-068", "indicator", json!({"valid_until": "2020-01-01T00:00:00.000Z"})),
        ("S-069", "indicator", json!({"pattern": "[file:name ="})),
        ("S-072", "location", json!({"latitude": 91, "longitude": 0})),
        ("S-072", "location", json!({"latitude": 1})),
        ("S-072", "location", json!({"precision": 1})),
        ("S-074", "malware", json!({"is_family": true})),
        ("S-075", "malware", json!({"sample_refs": [INDICATOR]})),
        ("S-077", "malware-analysis", json!({"sample_ref": INDICATOR})),
        ("S-079", "observed-data", json!({"number_observed": 0})),
        ("S-080", "observed-data", json!({"object_refs": [RELATIONSHIP]})),
        ("S-006", "opinion", json!({"opinion": "maybe"})),
        ("S-063", "attack-pattern", json!({"external_references": [{"source_name": "capec", "external_id": "163"}]})),
        ("S-084", "vulnerability", json!({"external_references": [{"source_name": "cve", "external_id": "2016-1"}]})),
        ("S-087", "relationship", json!({"relationship_type": "related_to"})),
        ("S-089", "relationship", json!({"source_ref": RELATIONSHIP})),
        ("S-094", "sighting", json!({"sighting_of_ref": FILE})),
        (
            "S-095",
            "sighting",
            json!({"first_seen": "2021-01-01T00:00:00.000Z", "last_seen": "2020-01-01T00:00:00.000Z"}),
        ),
        (
            "S-064",
            "campaign",
            json!({"first_seen": "2021-01-01T00:00:00.000Z", "last_seen": "2020-01-01T00:00:00.000Z"}),
        ),
    ] {
        reject(requirement, &with(type_name, more));
    }
    reject("S-071", &without("location", "country"));
    warn("S-073", &with("location", json!({"country": "Japan"})));
    warn("S-088", &with("relationship", json!({"relationship_type": "impacts"})));
    warn("S-091", &with("relationship", json!({"relationship_type": "duplicate-of"})));
}

/// S-097 to S-124: rules of cyber-observables.
#[test]
fn rules_of_cyber_observables_hold() {
    accept(&with("file", json!({"hashes": {"MD5": "d41d8cd98f00b204e9800998ecf8427e"}})));
    for (requirement, type_name, more) in [
        ("S-097", "artifact", json!({"url": "https://example.com/"})),
        ("S-097", "artifact", json!({"decryption_key": "a"})),
        ("S-002", "artifact", json!({"payload_bin": "AAE"})),
        ("S-099", "domain-name", json!({"value": "a..b"})),
        ("S-100", "email-addr", json!({"value": "Bob <b@x>"})),
        ("S-101", "email-message", json!({"is_multipart": true, "body": "x"})),
        ("S-104", "file", json!({"size": -1})),
        ("S-124", "file", json!({"hashes": {"MD5": "d41d8"}})),
        ("S-010", "file", json!({"hashes": {"ab": "x"}})),
        ("S-105", "file", json!({"extensions": {"pdf-ext": {}}})),
        ("S-043", "mutex", json!({"extensions": {"pdf-ext": {"version": "1"}}})),
        ("S-106", "ipv4-addr", json!({"value": "10.0.0.0/33"})),
        ("S-107", "mac-addr", json!({"value": "D2:FB:49:24:37:18"})),
        ("S-109", "network-traffic", json!({"src_ref": FILE})),
        ("S-110", "network-traffic", json!({"is_active": true, "end": "2020-01-01T00:00:00.000Z"})),
        ("S-116", "software", json!({"cpe": "cpe:/a:a:b"})),
        ("S-117", "url", json!({"value": "example.com/x"})),
        ("S-119", "windows-registry-key", json!({"key": "HKLM\\x"})),
        ("S-004", "process", json!({"environment_variables": {"A B": "x"}})),
        ("S-005", "process", json!({"environment_variables": {}})),
    ] {
        reject(requirement, &with(type_name, more));
    }
    reject("S-114", &without("process", "pid"));
    reject("S-108", &without("network-traffic", "src_ref"));
    warn("S-099", &with("domain-name", json!({"value": "_dmarc.example"})));
    warn("S-011", &with("file", json!({"hashes": {"md5": "d41d8cd98f00b204e9800998ecf8427e"}})));
    warn("S-051", &with("ipv4-addr", json!({"id": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c5"})));
    assert!(ADDRESS.starts_with("ipv4-addr--"));
}

/// S-126 to S-135, S-037: markings and extensions.
#[test]
fn rules_of_markings_and_extensions_hold() {
    reject("S-130", &with("marking-definition", json!({"definition_type": "tlp", "definition": {"tlp": "red"}})));
    reject("S-126", &without("marking-definition", "definition"));
    reject("S-129", &with("marking-definition", json!({"definition": {"text": "x"}})));
    reject("S-133", &with("tool", json!({"granular_markings": [{"selectors": ["name"]}]})));
    reject("S-135", &with("tool", json!({"granular_markings": [{"selectors": ["labels"], "lang": "en"}]})));
    accept(&with("tool", json!({"granular_markings": [{"selectors": ["name"], "lang": "en"}]})));
    let extension = "extension-definition--04d9bd5c-7a58-4d72-84f4-6e3b0e2ea6c1";
    reject("S-037", &with("tool", json!({"extensions": {extension: {"a_b": 1}}})));
    accept(&with("tool", json!({"extensions": {extension: {"extension_type": "property-extension", "a_b": 1}}})));
}
