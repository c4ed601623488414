//! What the tests share: the three policies and short ways to write labels, clearances, readers and states.
use label::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use stix::{Id, Limits, Object, Timestamp, id::MarkingDefinition};

pub const NATO: &str = include_str!("../../policies/nato-demo.spif.xml");
pub const XPA: &str = include_str!("../../policies/xpa-demo.spif.xml");
pub const PUBLIC: &str = include_str!("../../policies/public.spif.xml");
pub const CREATED: &str = "2026-01-10T09:00:00Z";

pub fn policies() -> Policies {
    Policies::new([NATO, XPA, PUBLIC].map(|p| Policy::load(p.as_bytes()).unwrap()).into()).unwrap()
}

pub fn at(s: &str) -> Timestamp {
    Timestamp::parse(s).unwrap()
}

pub fn now() -> Timestamp {
    at("2026-06-01T00:00:00Z")
}

pub fn tag_type(tag: &str) -> &'static str {
    match tag {
        "Context" | "Releasable To" | "Only" => "permissive",
        "Administrative" => "informative",
        _ => "restrictive",
    }
}

/// A label as JSON from policy, classification and categories; no OIDs.
pub fn label_json(policy: &str, classification: &str, categories: &[(&str, &[&str])]) -> Value {
    let categories: Vec<Value> =
        categories.iter().map(|(tag, values)| json!({"tag": tag, "type": tag_type(tag), "values": values})).collect();
    json!({"v": 1, "role": "originator", "policy": {"name": policy}, "classification": classification, "categories": categories,
        "created": CREATED, "review": "2031-01-10T09:00:00Z"})
}

pub fn read_label(json: &Value) -> Label {
    Label::from_json(&json.to_string()).unwrap_or_else(|e| panic!("{e}: {json}"))
}

pub fn make_label(policy: &str, classification: &str, categories: &[(&str, &[&str])]) -> Label {
    read_label(&label_json(policy, classification, categories))
}

pub fn clearance(
    policies: &Policies,
    policy: &str,
    classifications: &[&str],
    categories: &[(&str, &[&str])],
) -> Clearance {
    let categories: BTreeMap<_, _> = categories.iter().copied().collect();
    Clearance::from_json(
        &json!({"policy": policy, "classifications": classifications, "categories": categories}),
        policies,
    )
    .unwrap()
}

/// What is releasable to Japan, up to RESTRICTED.
pub fn japans_clearance(policies: &Policies) -> Clearance {
    let values = [("Context", &["Releasable"][..]), ("Releasable To", &["JPN"])];
    clearance(policies, "NATO", &["UNCLASSIFIED", "RESTRICTED"], &values)
}

/// What NATO's own analyst may have, up to RESTRICTED.
pub fn analysts_clearance(policies: &Policies) -> Clearance {
    let values = [("Context", &["NATO"][..]), ("Releasable To", &["NATO"])];
    clearance(policies, "NATO", &["UNCLASSIFIED", "RESTRICTED"], &values)
}

/// An account of `partner` that reads collection 1, all types.
pub fn reader(no: ReaderNo, partner: Option<&str>, clearances: Vec<Clearance>) -> Reader {
    Reader {
        no,
        account: format!("account-{no}"),
        partner: partner.map(ToOwned::to_owned),
        clearances,
        tlp: Vec::new(),
        collections: BTreeMap::from([(1, Kinds::All)]),
        from: None,
        until: None,
        redaction: false,
        link: Link::default(),
    }
}

pub fn own() -> Origin {
    Origin::Own { account: None }
}

pub fn chain(origin: Origin, carried: &[Id<MarkingDefinition>]) -> Chain {
    Chain::new(1, origin, carried.iter().copied(), Assigned::None)
}

pub fn state(chains: Vec<Chain>) -> LabelState {
    LabelState::new(chains)
}

pub fn object(json: &Value) -> Object {
    Object::parse(&json.to_string(), &Limits::default()).unwrap_or_else(|e| panic!("{e}: {json}"))
}

/// An identity with these markings.
pub fn identity(n: u32, markings: &[Id<MarkingDefinition>]) -> Object {
    let mut json = json!({"type": "identity", "spec_version": "2.1", "id": format!("identity--{n:08x}-0000-4000-8000-000000000000"),
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": "an organisation"});
    if !markings.is_empty() {
        json["object_marking_refs"] = json!(markings);
    }
    object(&json)
}

/// Holds the label's marking definition and returns its id.
pub fn hold(markings: &mut Markings, label: &Label) -> Id<MarkingDefinition> {
    let object = Object::parse(&marking_definition(label, "a label", None), &Limits::default()).unwrap();
    markings.add(&object, &own()).unwrap();
    label.marking_id()
}

/// Real data of others, never committed.
pub fn corpus(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("ENTENTE_CORPUS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let path = root.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED {folder}: corpus missing");
    None
}
