//! Objects of the tests, visible and hidden.

use super::house::{CATALOGUE, NATO};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, sync::LazyLock};

static MARKINGS: LazyLock<BTreeMap<String, (String, String)>> = LazyLock::new(|| {
    let bundle: Value = serde_json::from_str(CATALOGUE).unwrap();
    let one =
        |o: &Value| (o["name"].as_str().unwrap().to_owned(), (o["id"].as_str().unwrap().to_owned(), o.to_string()));
    bundle["objects"].as_array().unwrap().iter().map(one).collect()
});

/// The marking id of a catalogue label.
pub(crate) fn marking(label: &str) -> &'static str {
    &MARKINGS[label].0
}

/// The marking definition of a catalogue label.
pub(crate) fn definition(label: &str) -> &'static str {
    &MARKINGS[label].1
}

/// Every label of the catalogue.
pub(crate) fn labels() -> impl Iterator<Item = &'static str> {
    MARKINGS.keys().map(String::as_str)
}

/// An identifier of version 4 that follows from `seed`.
pub(crate) fn id(type_name: &str, seed: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(format!("{type_name} {seed}").as_bytes()).into();
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    format!("{type_name}--{}", uuid::Builder::from_random_bytes(half).into_uuid())
}

/// `modified` of version `day`, 1 to 28.
pub(crate) fn stamp(day: u32) -> String {
    format!("2026-02-{day:02}T08:00:00.000Z")
}

/// An object being written.
#[derive(Debug, Clone)]
pub(crate) struct Object(Map<String, Value>);

impl Object {
    /// An object with versions, by NATO, first version.
    pub(crate) fn new(type_name: &str, seed: &str) -> Self {
        let mut object = Map::new();
        for (name, value) in [
            ("type", json!(type_name)),
            ("spec_version", json!("2.1")),
            ("id", json!(id(type_name, seed))),
            ("created_by_ref", json!(NATO)),
            ("created", json!(stamp(1))),
            ("modified", json!(stamp(1))),
            ("name", json!(seed)),
        ] {
            object.insert(name.to_owned(), value);
        }
        let object = Self(object);
        match type_name {
            "indicator" => object
                .set("pattern", json!("[domain-name:value = 'x.example']"))
                .set("pattern_type", json!("stix"))
                .set("valid_from", json!(stamp(1))),
            "malware" => object.set("is_family", json!(false)),
            "identity" => object.set("identity_class", json!("organization")),
            _ => object,
        }
    }

    /// A relation; both ends are needed.
    pub(crate) fn relation(seed: &str, from: &str, to: &str) -> Self {
        Self::new("relationship", seed)
            .without("name")
            .set("relationship_type", json!("related-to"))
            .set("source_ref", json!(from))
            .set("target_ref", json!(to))
    }

    /// An address, whose identifier anybody can compute.
    pub(crate) fn address(value: &str) -> Self {
        let mut object = Map::new();
        object.insert("type".to_owned(), json!("ipv4-addr"));
        object.insert("spec_version".to_owned(), json!("2.1"));
        object.insert("value".to_owned(), json!(value));
        let id = stix::sco_id::deterministic_id(&object).unwrap();
        Self(object).set("id", json!(id.as_str()))
    }

    /// A statement marking; its identifier says nothing about its text.
    pub(crate) fn statement(seed: &str, text: &str) -> Self {
        Self::new("marking-definition", seed)
            .without("name")
            .without("modified")
            .set("definition_type", json!("statement"))
            .set("definition", json!({"statement": text}))
    }

    pub(crate) fn set(mut self, name: &str, value: Value) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    /// Another version.
    pub(crate) fn at(self, day: u32) -> Self {
        self.set("modified", json!(stamp(day)))
    }

    pub(crate) fn by(self, creator: &str) -> Self {
        self.set("created_by_ref", json!(creator))
    }

    pub(crate) fn named(self, name: &str) -> Self {
        self.set("name", json!(name))
    }

    /// Carries these labels of the catalogue.
    pub(crate) fn marked(self, labels: &[&str]) -> Self {
        let ids: Vec<&str> = labels.iter().map(|l| marking(l)).collect();
        self.set("object_marking_refs", json!(ids))
    }

    pub(crate) fn id(&self) -> String {
        self.0["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}
