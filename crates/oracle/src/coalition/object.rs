//! What the oracle reads of a STIX object: identity, version, markings, references.

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The property extension that carries a label (L-120).
const LABEL_EXTENSION: &str = "extension-definition--fe858765-1796-4260-aa7f-f54827703167";

/// The well-known TLP marking ids of versions 1 and 2; WHITE is CLEAR.
const TLP_IDS: [(&str, &str); 9] = [
    ("marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", "CLEAR"),
    ("marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "GREEN"),
    ("marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", "AMBER"),
    ("marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", "AMBER+STRICT"),
    ("marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", "RED"),
    ("marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", "CLEAR"),
    ("marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", "GREEN"),
    ("marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", "AMBER"),
    ("marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "RED"),
];
/// The well-known ids of the Permissible Actions Protocol: obligations.
const PAP_IDS: [&str; 5] = [
    "marking-definition--ad15a0cd-55b6-4588-a14c-a66105329b92",
    "marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9",
    "marking-definition--60f8932b-e51e-4458-b265-a2e8be9a80ab",
    "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e",
    "marking-definition--a3bea94c-b469-41dc-9cfe-d6e7daba7730",
];

/// Whether an id is one of the well-known ones of PAP.
pub(super) fn is_pap(id: &str) -> bool {
    PAP_IDS.contains(&id)
}
/// The TLP level of a well-known marking id.
pub(super) fn tlp_level(id: &str) -> Option<&'static str> {
    TLP_IDS.iter().find(|(known, _)| *known == id).map(|(_, level)| *level)
}
/// The level of a TLP 2 marking id that TLP 1 spells otherwise.
pub(super) fn tlp_2_level(id: &str) -> Option<&'static str> {
    // The first five are those of TLP 2; of AMBER+STRICT there is no other.
    TLP_IDS[..5].iter().find(|(known, _)| *known == id).map(|(_, level)| *level)
}
/// The TLP 1 marking id of a level.
pub(super) fn tlp_1_id(level: &str) -> Option<&'static str> {
    TLP_IDS[5..].iter().find(|(_, known)| *known == level).map(|(id, _)| *id)
}
/// Whether the object makes sense without the target (L-127).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// `object_refs`, `created_by_ref` and all others.
    Optional,
    /// Markings.
    Marking,
    /// `source_ref`, `target_ref`, `sighting_of_ref`, `object_ref` of language content.
    Required,
}
/// A label as far as it decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) role: String,
    pub(super) policy: String,
    pub(super) classification: String,
    /// Tag, type, values.
    pub(super) categories: Vec<(String, String, Vec<String>)>,
}
/// What a marking definition means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    Label(Label),
    Statement,
    Obligation,
    Unknown,
}
/// What is read of one object.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) version: Option<String>,
    pub(super) sha256: String,
    pub(super) created_by: Option<String>,
    /// For people: the name of a marking definition.
    pub(super) name: Option<String>,
    /// Markings of the object and of its parts; a label or TLP definition is marked by itself.
    pub(super) carried: BTreeSet<String>,
    /// Markings in `object_marking_refs`.
    pub(super) on_object: BTreeSet<String>,
    /// Whether it has a `spec_version`.
    pub(super) says_spec_version: bool,
    /// Targets apart from itself, TLP and PAP, each with its strongest need.
    pub(super) references: BTreeMap<String, Need>,
    /// For a marking definition other than TLP.
    pub(super) meaning: Option<Meaning>,
}
/// Reads one object from its bytes.
pub(super) fn read(raw: &str) -> Result<Read, String> {
    let value: Value = serde_json::from_str(raw).map_err(|e| format!("no JSON: {e}"))?;
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let id = text("id").ok_or("no id")?.to_lowercase();
    let kind = text("type").ok_or("no type")?;
    if !is_identifier(&id) || id.split_once("--").map(|(t, _)| t) != Some(&kind) {
        return Err(format!("id {id} does not fit type {kind}"));
    }
    let mut references = BTreeMap::new();
    collect(&value, &kind, true, &mut references)?;
    let mut carried: BTreeSet<String> =
        references.iter().filter(|(_, need)| need.1).map(|(target, _)| target.clone()).collect();
    let mut references: BTreeMap<String, Need> =
        references.into_iter().map(|(target, need)| (target, need.0)).collect();
    references.retain(|target, _| *target != id && tlp_level(target).is_none() && !is_pap(target));
    let meaning = (kind == "marking-definition" && tlp_level(&id).is_none()).then(|| meaning(&id, &value));
    if tlp_level(&id).is_some() || matches!(meaning, Some(Meaning::Label(_))) {
        carried.insert(id.clone());
    }
    Ok(Read {
        version: text("modified").or_else(|| text("created")),
        sha256: Sha256::digest(raw.as_bytes()).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}")),
        created_by: text("created_by_ref"),
        name: text("name"),
        on_object: value
            .get("object_marking_refs")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_lowercase)
            .collect(),
        says_spec_version: value.get("spec_version").is_some(),
        id,
        kind,
        carried,
        references,
        meaning,
    })
}
/// Walks every `*_ref` and `*_refs` at any depth. The flag beside the need says that it is a marking at least once.
fn collect(value: &Value, kind: &str, top: bool, out: &mut BTreeMap<String, (Need, bool)>) -> Result<(), String> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| collect(item, kind, false, out)),
        Value::Object(members) => {
            for (name, member) in members {
                if top && kind == "observed-data" && name == "objects" {
                    continue; // local keys of STIX 2.0, no identifiers
                }
                let targets: Vec<&str> = if name.ends_with("_ref") {
                    member.as_str().into_iter().collect()
                } else if name.ends_with("_refs") {
                    member.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
                } else {
                    collect(member, kind, false, out)?;
                    continue;
                };
                let need = match name.as_str() {
                    "source_ref" | "target_ref" | "sighting_of_ref" if top => Need::Required,
                    "object_ref" if top && kind == "language-content" => Need::Required,
                    "object_marking_refs" if top => Need::Marking,
                    "marking_ref" => Need::Marking,
                    _ => Need::Optional,
                };
                for target in targets {
                    if !is_identifier(target) {
                        if top && !name.starts_with("x_") {
                            return Err(format!("{name} holds `{target}`, which is no identifier"));
                        }
                        continue; // a custom property that holds a text
                    }
                    let entry = out.entry(target.to_lowercase()).or_insert((need, false));
                    entry.0 = entry.0.max(need);
                    entry.1 |= need == Need::Marking;
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}
fn is_identifier(text: &str) -> bool {
    let Some((kind, uuid)) = text.split_once("--") else { return false };
    let groups: Vec<&str> = uuid.split('-').collect();
    !kind.is_empty()
        && groups.iter().map(|g| g.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|g| g.bytes().all(|b| b.is_ascii_hexdigit()))
}
fn meaning(id: &str, value: &Value) -> Meaning {
    if is_pap(id) {
        return Meaning::Obligation;
    }
    if let Some(label) = value.pointer(&format!("/extensions/{LABEL_EXTENSION}/label")) {
        return label_of(label).map_or(Meaning::Unknown, Meaning::Label);
    }
    if value.get("definition_type").and_then(Value::as_str) == Some("statement") {
        return Meaning::Statement;
    }
    Meaning::Unknown
}
fn label_of(value: &Value) -> Option<Label> {
    let text = |pointer: &str| Some(value.pointer(pointer)?.as_str()?.to_owned());
    let mut categories = Vec::new();
    for category in value.get("categories").and_then(Value::as_array).into_iter().flatten() {
        let member = |name: &str| Some(category.get(name)?.as_str()?.to_owned());
        let values = category.get("values")?.as_array()?;
        let values: Option<Vec<String>> = values.iter().map(|v| v.as_str().map(str::to_owned)).collect();
        categories.push((member("tag")?, member("type")?, values?));
    }
    Some(Label {
        role: text("/role")?,
        policy: text("/policy/name")?,
        classification: text("/classification")?,
        categories,
    })
}
