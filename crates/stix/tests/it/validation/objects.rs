//! Rows S-062 to S-096: domain objects, relationships, sightings.

use super::{accept, accept_together, advise, less, reject, reject_as, reject_together, warn, warn_as, warn_together};
use crate::minimal::{ADDRESS, FILE, IDENTITY, INDICATOR, MALWARE, RELATIONSHIP, minimal, types, with, without};
use serde_json::{Value, json};
use stix::schema;

const EARLY: &str = "2020-01-01T00:00:00.000Z";
const LATER: &str = "2021-01-01T00:00:00.000Z";

/// S-025, S-062: every type has a smallest valid object, and each of its required properties is required.
#[test]
fn every_required_property_is_required() {
    for type_name in types() {
        accept("S-062", &minimal(type_name));
        let table = schema::type_named(type_name).unwrap();
        for property in table.properties.iter().filter(|p| p.required) {
            reject(table.requirement, &without(type_name, property.name));
        }
    }
    reject("S-062", &without("tool", "name"));
}

#[test]
fn domain_objects() {
    let references = |type_name: &str, source: &str, id: &str| {
        with(type_name, json!({"external_references": [{"source_name": source, "external_id": id}]}))
    };
    accept("S-063", &references("attack-pattern", "capec", "CAPEC-163"));
    reject("S-063", &references("attack-pattern", "capec", "163"));
    accept("S-084", &references("vulnerability", "cve", "CVE-2016-1234"));
    reject("S-084", &references("vulnerability", "cve", "2016-1"));
    for type_name in ["campaign", "infrastructure", "intrusion-set", "malware", "threat-actor"] {
        accept("S-064", &with(type_name, json!({"first_seen": EARLY, "last_seen": EARLY})));
        reject("S-064", &with(type_name, json!({"first_seen": LATER, "last_seen": EARLY})));
    }
    reject("S-041", &with("course-of-action", json!({"action": "block"})));
    accept("S-066", &minimal("grouping"));
    reject("S-066", &without("grouping", "context"));
    reject("S-066", &without("grouping", "object_refs"));
    accept("S-067", &with("identity", json!({"identity_class": "organization", "sectors": ["energy"]})));
    warn_as("S-067", "S-021", &with("identity", json!({"identity_class": "My Class"})));
    warn_as("S-067", "S-021", &with("identity", json!({"sectors": ["Energy"]})));
    accept("S-068", &with("indicator", json!({"valid_until": LATER})));
    reject("S-068", &with("indicator", json!({"valid_until": EARLY})));
    for name in ["pattern", "pattern_type", "valid_from"] {
        reject("S-068", &without("indicator", name));
    }
    accept("S-069", &with("indicator", json!({"pattern": "[x-app:name = 'a']"})));
    reject("S-069", &with("indicator", json!({"pattern": "[file:name ="})));
    accept("S-070", &minimal("indicator"));
    warn("S-070", &without("indicator", "name"));
    accept("S-071", &minimal("location"));
    reject("S-071", &without("location", "country"));
    accept("S-072", &with("location", json!({"latitude": -90, "longitude": 180, "precision": 1})));
    for more in [
        json!({"latitude": 91, "longitude": 0}),
        json!({"latitude": 0, "longitude": -181}),
        json!({"latitude": 1}),
        json!({"precision": 1}),
    ] {
        reject("S-072", &with("location", more));
    }
    accept(
        "S-073",
        &with("location", json!({"country": "jp", "administrative_area": "JP-13", "region": "eastern-asia"})),
    );
    warn("S-073", &with("location", json!({"country": "Japan"})));
    warn("S-073", &with("location", json!({"administrative_area": "Tokyo"})));
    accept("S-074", &with("malware", json!({"is_family": true, "name": "a"})));
    reject("S-074", &with("malware", json!({"is_family": true})));
    reject("S-074", &without("malware", "is_family"));
    accept("S-075", &with("malware", json!({"sample_refs": [FILE]})));
    reject("S-075", &with("malware", json!({"sample_refs": [INDICATOR]})));
    reject("S-075", &with("malware", json!({"operating_system_refs": [FILE]})));
    let sample = |digit: &str| with("file", json!({"hashes": {"SHA-256": digit.repeat(64)}}));
    let (one, two) = (sample("1"), sample("2"));
    warn_together("S-075", &[with("malware", json!({"sample_refs": [one["id"], two["id"]]})), one.clone(), two]);
    accept_together("S-075", &[with("malware", json!({"sample_refs": [one["id"]]})), one]);
    accept("S-076", &minimal("malware-analysis"));
    reject("S-076", &without("malware-analysis", "product"));
    reject("S-076", &without("malware-analysis", "result"));
    accept("S-077", &with("malware-analysis", json!({"sample_ref": FILE, "analysis_sco_refs": [ADDRESS]})));
    for more in [
        json!({"sample_ref": INDICATOR}),
        json!({"host_vm_ref": FILE}),
        json!({"operating_system_ref": FILE}),
        json!({"installed_software_refs": [FILE]}),
        json!({"analysis_sco_refs": [INDICATOR]}),
    ] {
        reject("S-077", &with("malware-analysis", more));
    }
    accept("S-078", &minimal("note"));
    reject("S-078", &without("note", "content"));
    reject("S-078", &without("note", "object_refs"));
    accept("S-081", &minimal("opinion"));
    reject("S-081", &without("opinion", "object_refs"));
    accept("S-082", &minimal("report"));
    for name in ["name", "published", "object_refs"] {
        reject("S-082", &without("report", name));
    }
}

#[test]
fn observed_data() {
    let objects = json!({"0": {"type": "mutex", "name": "a"}});
    accept("S-079", &minimal("observed-data"));
    let container = less(with("observed-data", json!({"objects": objects})), "object_refs");
    warn("S-020", &container);
    accept("S-079", &container);
    reject("S-079", &with("observed-data", json!({"objects": objects})));
    reject("S-079", &without("observed-data", "object_refs"));
    for number in [0, 1_000_000_000] {
        reject("S-079", &with("observed-data", json!({"number_observed": number})));
    }
    reject("S-079", &with("observed-data", json!({"first_observed": LATER})));
    let dangling = json!({"0": {"type": "file", "name": "a", "parent_directory_ref": "1"}});
    reject("S-020", &less(with("observed-data", json!({"objects": dangling})), "object_refs"));
    accept("S-080", &with("observed-data", json!({"object_refs": [FILE, RELATIONSHIP]})));
    reject("S-080", &with("observed-data", json!({"object_refs": [RELATIONSHIP]})));
}

#[test]
fn relationships_and_sightings() {
    let relationship = |more: Value| with("relationship", more);
    accept("S-087", &minimal("relationship"));
    for name in ["relationship_type", "source_ref", "target_ref"] {
        reject("S-087", &without("relationship", name));
    }
    reject("S-087", &relationship(json!({"relationship_type": "related_to"})));
    accept("S-088", &relationship(json!({"relationship_type": "related-to"})));
    warn("S-088", &relationship(json!({"relationship_type": "impacts"})));
    accept(
        "S-089",
        &relationship(
            json!({"source_ref": "x-app--5d0092c5-5f74-4287-9642-33f4c354e56d", "relationship_type": "related-to"}),
        ),
    );
    for end in [
        RELATIONSHIP,
        "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d",
        "language-content--5d0092c5-5f74-4287-9642-33f4c354e56d",
        "marking-definition--5d0092c5-5f74-4287-9642-33f4c354e56d",
        "extension-definition--5d0092c5-5f74-4287-9642-33f4c354e56d",
    ] {
        reject("S-089", &relationship(json!({"source_ref": end})));
        reject("S-089", &relationship(json!({"target_ref": end})));
    }
    accept("S-096", &with("note", json!({"object_refs": [RELATIONSHIP]})));
    let sighting = "sighting--5d0092c5-5f74-4287-9642-33f4c354e56d";
    reject_as("S-096", "S-089", &relationship(json!({"target_ref": sighting})));
    reject_as("S-096", "S-089", &relationship(json!({"source_ref": sighting})));
    reject_as("S-096", "S-094", &with("sighting", json!({"sighting_of_ref": RELATIONSHIP})));
    accept("S-090", &relationship(json!({"start_time": EARLY, "stop_time": LATER})));
    reject("S-090", &relationship(json!({"start_time": EARLY, "stop_time": EARLY})));
    accept("S-091", &relationship(json!({"relationship_type": "derived-from", "source_ref": MALWARE})));
    warn("S-091", &relationship(json!({"relationship_type": "duplicate-of"})));
    let other = "malware--5d0092c5-5f74-4287-9642-33f4c354e56d";
    let family = with("malware", json!({"id": MALWARE, "is_family": true, "name": "f"}));
    let instance = with("malware", json!({"id": other}));
    let variant = |from: &str, to: &str| {
        relationship(json!({"relationship_type": "variant-of", "source_ref": from, "target_ref": to}))
    };
    accept_together("S-092", &[family.clone(), instance.clone(), variant(other, MALWARE)]);
    reject_together("S-092", &[family, instance, variant(MALWARE, other)]);
    accept("S-094", &with("sighting", json!({"where_sighted_refs": [IDENTITY]})));
    for more in
        [json!({"sighting_of_ref": FILE}), json!({"observed_data_refs": [FILE]}), json!({"where_sighted_refs": [FILE]})]
    {
        reject("S-094", &with("sighting", more));
    }
    reject("S-094", &without("sighting", "sighting_of_ref"));
    accept("S-095", &with("sighting", json!({"count": 0, "summary": true})));
    reject_as("S-095", "S-094", &with("sighting", json!({"count": -1})));
    reject("S-095", &with("sighting", json!({"first_seen": LATER, "last_seen": EARLY})));
    accept("S-040", &with("tool", json!({"created_by_ref": IDENTITY})));
    advise("S-040", &minimal("tool"));
}
