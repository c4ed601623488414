//! Rows S-126 to S-156: markings, translations, extensions, bundles, custom content.

use super::{
    accept, accept_document, accept_together, advise, less, reject, reject_as, reject_document, reject_together,
    types::EXTENSION, warn, warn_as, warn_document, warn_together,
};
use crate::minimal::{IDENTITY, INDICATOR, minimal, with, without};
use serde_json::{Value, json};

const TLP_WHITE: &str = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9";
const TLP_CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";

fn white() -> Value {
    with(
        "marking-definition",
        json!({"id": TLP_WHITE, "created": "2017-01-20T00:00:00.000Z", "definition_type": "tlp", "definition": {"tlp": "white"}, "name": "TLP:WHITE"}),
    )
}

fn clear() -> Value {
    json!({
        "type": "marking-definition", "spec_version": "2.1", "id": TLP_CLEAR, "created": "2022-10-01T00:00:00.000Z", "name": "TLP:CLEAR",
        "extensions": {"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {"extension_type": "property-extension", "tlp_2_0": "clear"}},
    })
}

fn changed(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

#[test]
fn marking_definitions() {
    accept("S-126", &minimal("marking-definition"));
    reject("S-126", &without("marking-definition", "definition"));
    reject("S-126", &less(without("marking-definition", "definition"), "definition_type"));
    accept("S-127", &clear());
    warn("S-127", &with("marking-definition", json!({"definition_type": "own", "definition": {"a": "b"}})));
    accept("S-129", &minimal("marking-definition"));
    reject("S-129", &with("marking-definition", json!({"definition": {"text": "x"}})));
    accept("S-130", &white());
    reject("S-130", &with("marking-definition", json!({"definition_type": "tlp", "definition": {"tlp": "red"}})));
    reject("S-130", &changed(white(), "definition", json!({"tlp": "red"})));
    reject("S-130", &changed(white(), "created", json!("2017-01-21T00:00:00.000Z")));
    accept("S-131", &clear());
    reject("S-131", &changed(clear(), "name", json!("TLP:RED")));
    reject("S-131", &changed(clear(), "id", minimal("marking-definition")["id"].clone()));
    reject_together(
        "S-128",
        &[minimal("marking-definition"), with("marking-definition", json!({"definition": {"statement": "other"}}))],
    );
    accept("S-137", &with("marking-definition", json!({"object_marking_refs": [TLP_WHITE]})));
    reject_as("S-137", "S-038", &with("marking-definition", json!({"object_marking_refs": [IDENTITY]})));
}

#[test]
fn granular_markings() {
    let marked = |marking: Value| {
        with(
            "tool",
            json!({"granular_markings": [marking], "external_references": [{"source_name": "a", "description": "b"}]}),
        )
    };
    accept("S-133", &marked(json!({"selectors": ["name"], "lang": "en"})));
    reject("S-133", &marked(json!({"selectors": ["name"]})));
    reject("S-133", &marked(json!({"selectors": ["name"], "lang": "en", "marking_ref": TLP_WHITE})));
    reject("S-133", &marked(json!({"selectors": [], "lang": "en"})));
    reject("S-133", &marked(json!({"lang": "en"})));
    accept("S-134", &marked(json!({"selectors": ["external_references.[0].source_name"], "marking_ref": TLP_WHITE})));
    for selector in ["", "a..b", "external_references.[x]"] {
        reject("S-134", &marked(json!({"selectors": [selector], "lang": "en"})));
    }
    accept("S-135", &marked(json!({"selectors": ["external_references"], "lang": "en"})));
    for selector in ["pattern", "name.x", "name.[0]", "external_references.[1]"] {
        reject("S-135", &marked(json!({"selectors": [selector], "lang": "en"})));
    }
    // STIX 2.0 has none of language.
    let mut twenty = less(marked(json!({"selectors": ["name"], "lang": "en"})), "spec_version");
    twenty["labels"] = json!(["a"]);
    reject("S-133", &twenty);
}

#[test]
fn translations() {
    let target = with("indicator", json!({"labels": ["a", "b"]}));
    let content =
        |contents: Value| with("language-content", json!({"object_ref": target["id"], "contents": {"de": contents}}));
    accept("S-138", &minimal("language-content"));
    reject("S-138", &without("language-content", "object_ref"));
    reject("S-138", &without("language-content", "contents"));
    let dated = |modified: &str| changed(content(json!({"name": "N"})), "object_modified", json!(modified));
    accept_together("S-138", &[target.clone(), dated("2020-01-01T00:00:00.000Z")]);
    warn_together("S-138", &[target.clone(), dated("2019-01-01T00:00:00.000Z")]);
    accept_together("S-139", &[target.clone(), content(json!({"name": "N", "labels": ["", "B"]}))]);
    reject_together("S-139", &[target.clone(), content(json!({"labels": ["A"]}))]);
    reject_together("S-139", &[target.clone(), content(json!({"name": ["N"]}))]);
    reject("S-139", &with("language-content", json!({"contents": {"zz-zz-zz": {"name": "N"}}})));
    accept_together("S-140", &[target.clone(), content(json!({"none": "N", "confidence": "N"}))]);
    reject_together("S-139", &[target.clone(), content(json!({"none": "N", "labels": "N"}))]);
    assert!(INDICATOR.starts_with("indicator--"));
}

#[test]
fn extension_definitions() {
    let definition = |more: Value| with("extension-definition", more);
    accept("S-141", &minimal("extension-definition"));
    for name in ["name", "schema", "version", "extension_types"] {
        reject("S-141", &without("extension-definition", name));
    }
    reject("S-025", &without("extension-definition", "created_by_ref"));
    warn("S-141", &without("extension-definition", "description"));
    let top = |names: Value| {
        definition(json!({"extension_types": ["toplevel-property-extension"], "extension_properties": names}))
    };
    accept("S-142", &top(json!(["a_b"])));
    reject("S-142", &definition(json!({"extension_properties": ["a_b"]})));
    warn("S-142", &definition(json!({"extension_types": ["toplevel-property-extension"]})));
    reject("S-006", &definition(json!({"extension_types": ["other"]})));
    accept("S-147", &top(json!(["abc", "a_1"])));
    for name in ["ab", "A_b", "a-b", &"a".repeat(251)] {
        reject("S-147", &top(json!([name])));
    }
}

#[test]
fn extended_objects() {
    let extended = |kind: &str, more: Value| {
        let mut object = json!({
            "type": "my-type", "spec_version": "2.1", "id": "my-type--5d0092c5-5f74-4287-9642-33f4c354e56d",
            "extensions": {EXTENSION: {"extension_type": kind}},
        });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let times =
        json!({"created": "2020-01-01T00:00:00.000Z", "modified": "2020-01-01T00:00:00.000Z", "own_property": 1});
    accept("S-144", &extended("new-sdo", times.clone()));
    accept("S-144", &extended("new-sro", times.clone()));
    accept("S-144", &extended("new-sco", json!({"own_property": 1})));
    reject_as("S-144", "S-025", &extended("new-sdo", json!({"own_property": 1})));
    reject_as(
        "S-144",
        "S-025",
        &extended("new-sdo", json!({"own_property": 1, "created": "2020-01-01T00:00:00.000Z"})),
    );
    accept(
        "S-145",
        &with("tool", json!({"extensions": {EXTENSION: {"extension_type": "property-extension", "rank": 5}}})),
    );
    reject_as(
        "S-145",
        "S-037",
        &with("tool", json!({"extensions": {EXTENSION: {"extension_type": "other", "rank": 5}}})),
    );
    accept(
        "S-146",
        &with("tool", json!({"rank": 5, "extensions": {EXTENSION: {"extension_type": "toplevel-property-extension"}}})),
    );
    warn_as(
        "S-146",
        "S-153",
        &with(
            "tool",
            json!({"rank": 5, "extensions": {EXTENSION: {"extension_type": "property-extension", "a_b": 1}}}),
        ),
    );
}

#[test]
fn bundles() {
    let bundle = |more: Value| {
        let mut bundle = json!({"type": "bundle", "id": "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d", "objects": [minimal("tool")]});
        bundle.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        bundle
    };
    accept_document("S-150", &bundle(json!({})));
    reject_document("S-150", &bundle(json!({"id": "bundle--1"})));
    reject_document("S-150", &bundle(json!({"spec_version": "3.0"})));
    warn_document("S-150", &bundle(json!({"spec_version": "2.1"})));
    warn_document("S-150", &bundle(json!({"objects": []})));
    accept_document("S-151", &bundle(json!({})));
    warn_document("S-151", &bundle(json!({"x_note": "a"})));
}

#[test]
fn custom_content() {
    accept("S-152", &minimal("tool"));
    advise("S-152", &with("tool", json!({"x_my_note": "a"})));
    accept("S-153", &with("tool", json!({"x_my_note": "a"})));
    warn("S-153", &with("tool", json!({"foo": 1})));
    for name in ["Foo", "fo", "foo-bar", &"a".repeat(251)] {
        reject("S-153", &with("tool", json!({name: 1})));
        let marking = json!({"selectors": ["name"], "lang": "en", name: 1});
        reject("S-153", &with("tool", json!({"granular_markings": [marking]})));
    }
    reject("S-153", &with("tool", json!({"foo_hex": "abc"})));
    let custom = |type_name: &str| {
        json!({
            "type": type_name, "spec_version": "2.1", "id": format!("{type_name}--5d0092c5-5f74-4287-9642-33f4c354e56d"),
            "created": "2020-01-01T00:00:00.000Z", "modified": "2020-01-01T00:00:00.000Z", "x_a": 1,
        })
    };
    accept("S-154", &custom("x-my-type"));
    warn("S-154", &custom("my-type"));
    reject("S-026", &custom("my--type"));
    accept("S-155", &with("file", json!({"extensions": {"x-my-ext": {"a": 1}}})));
    warn("S-155", &with("file", json!({"extensions": {"my-other": {"a": 1}}})));
    reject("S-155", &with("file", json!({"extensions": {"X_ext": {"a": 1}}})));
    reject("S-155", &with("file", json!({"extensions": {"x-my-ext": {}}})));
}
