//! The smallest valid object of every type, to break one rule at a time.

use serde_json::{Value, json};

pub(crate) const IDENTITY: &str = "identity--733c5838-34d9-4fbf-949c-62aba761184c";
pub(crate) const INDICATOR: &str = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";
pub(crate) const MALWARE: &str = "malware--31b940d4-6f7f-459a-80ea-9c1f17b5891b";
pub(crate) const FILE: &str = "file--364fe3e5-b1f4-5ba3-b951-ee5983b3538d";
pub(crate) const ADDRESS: &str = "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4";
pub(crate) const RELATIONSHIP: &str = "relationship--57b56a43-b8b0-4cba-9deb-34e3e1faed9e";
/// UUID of the objects that are made here.
const UUID: &str = "5d0092c5-5f74-4287-9642-33f4c354e56d";
const CREATED: &str = "2020-01-01T00:00:00.000Z";

pub(crate) const SDO: [&str; 19] = [
    "attack-pattern",
    "campaign",
    "course-of-action",
    "grouping",
    "identity",
    "incident",
    "indicator",
    "infrastructure",
    "intrusion-set",
    "location",
    "malware",
    "malware-analysis",
    "note",
    "observed-data",
    "opinion",
    "report",
    "threat-actor",
    "tool",
    "vulnerability",
];
pub(crate) const SRO: [&str; 2] = ["relationship", "sighting"];
pub(crate) const SCO: [&str; 18] = [
    "artifact",
    "autonomous-system",
    "directory",
    "domain-name",
    "email-addr",
    "email-message",
    "file",
    "ipv4-addr",
    "ipv6-addr",
    "mac-addr",
    "mutex",
    "network-traffic",
    "process",
    "software",
    "url",
    "user-account",
    "windows-registry-key",
    "x509-certificate",
];
pub(crate) const META: [&str; 3] = ["extension-definition", "language-content", "marking-definition"];

/// Every type of the standard.
pub(crate) fn types() -> impl Iterator<Item = &'static str> {
    SDO.into_iter().chain(SRO).chain(SCO).chain(META)
}

/// What the type needs beside the common properties.
fn own(type_name: &str) -> Value {
    match type_name {
        "grouping" => json!({"context": "unspecified", "object_refs": [INDICATOR]}),
        "indicator" => {
            json!({"pattern": "[file:name = 'a']", "pattern_type": "stix", "valid_from": CREATED, "name": "n", "description": "d"})
        }
        "location" => json!({"country": "JP"}),
        "malware" => json!({"is_family": false}),
        "malware-analysis" => json!({"product": "anonymized", "result": "benign"}),
        "note" => json!({"content": "c", "object_refs": [INDICATOR]}),
        "observed-data" => {
            json!({"first_observed": CREATED, "last_observed": CREATED, "number_observed": 1, "object_refs": [FILE]})
        }
        "opinion" => json!({"opinion": "agree", "object_refs": [INDICATOR]}),
        "report" => json!({"name": "n", "published": CREATED, "object_refs": [INDICATOR]}),
        "relationship" => json!({"relationship_type": "indicates", "source_ref": INDICATOR, "target_ref": MALWARE}),
        "sighting" => json!({"sighting_of_ref": INDICATOR}),
        "artifact" => json!({"payload_bin": "AAEC"}),
        "autonomous-system" => json!({"number": 64496}),
        "directory" => json!({"path": "/tmp"}),
        "domain-name" => json!({"value": "example.com"}),
        "email-addr" => json!({"value": "a@example.com"}),
        "email-message" => json!({"is_multipart": false, "subject": "s"}),
        "file" | "mutex" | "software" => json!({"name": "a"}),
        "ipv4-addr" => json!({"value": "198.51.100.3"}),
        "ipv6-addr" => json!({"value": "2001:db8::1"}),
        "mac-addr" => json!({"value": "d2:fb:49:24:37:18"}),
        "network-traffic" => json!({"protocols": ["tcp"], "src_ref": ADDRESS}),
        "process" => json!({"pid": 1}),
        "url" => json!({"value": "https://example.com/"}),
        "user-account" => json!({"user_id": "1"}),
        "windows-registry-key" => json!({"key": "HKEY_LOCAL_MACHINE\\a"}),
        "x509-certificate" => json!({"serial_number": "1"}),
        "extension-definition" => json!({
            "created_by_ref": IDENTITY, "name": "n", "description": "d", "schema": "https://example.com/s.json", "version": "1.0",
            "extension_types": ["property-extension"],
        }),
        "language-content" => json!({"object_ref": INDICATOR, "contents": {"de": {"name": "N"}}}),
        "marking-definition" => json!({"definition_type": "statement", "definition": {"statement": "s"}}),
        _ => json!({"name": "n"}),
    }
}

/// The smallest valid object. An SCO has the identifier that the standard's rule gives, where it gives one.
pub(crate) fn minimal(type_name: &str) -> Value {
    let mut object = own(type_name);
    object["type"] = json!(type_name);
    object["spec_version"] = json!("2.1");
    if !SCO.contains(&type_name) {
        object["created"] = json!(CREATED);
        if type_name != "marking-definition" {
            object["modified"] = json!(CREATED);
        }
    }
    identified(object)
}

/// The object with the identifier that fits its content.
pub(crate) fn identified(mut object: Value) -> Value {
    let computed = stix::sco_id::deterministic_id(object.as_object().unwrap());
    // Without a type there is nothing to name it after; it keeps the identifier that it has.
    let Some(type_name) = object["type"].as_str().map(str::to_owned) else { return object };
    object["id"] = json!(computed.map_or_else(|| format!("{type_name}--{UUID}"), |id| id.to_string()));
    object
}

/// The smallest object of a type with more properties, and the identifier that fits.
pub(crate) fn with(type_name: &str, more: Value) -> Value {
    let mut object = minimal(type_name);
    let Value::Object(more) = more else { panic!("members are an object") };
    let id = more.contains_key("id");
    for (name, value) in more {
        object[name] = value;
    }
    if id { object } else { identified(object) }
}

/// The smallest object of a type without a property.
pub(crate) fn without(type_name: &str, name: &str) -> Value {
    let mut object = minimal(type_name);
    object.as_object_mut().unwrap().remove(name).expect("the property is there");
    if name == "id" { object } else { identified(object) }
}
