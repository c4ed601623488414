#![allow(clippy::unwrap_used)]
use super::*;
use crate::resilience::{Connective, Failure, Model, NodeKind};
use serde_json::json;

const A: &str = "infrastructure--00000000-0000-4000-8000-00000000000a";
const B: &str = "infrastructure--00000000-0000-4000-8000-00000000000b";
const S: &str = "identity--00000000-0000-4000-8000-00000000000c";
const W: &str = "software--00000000-0000-4000-8000-00000000000d";

fn object(id: &str, name: &str) -> Value {
    let (kind, _) = id.split_once("--").unwrap();
    json!({"type": kind, "spec_version": "2.1", "id": id, "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": name})
}

fn relation(no: u8, kind: &str, source: &str, target: &str) -> Value {
    json!({"type": "relationship", "spec_version": "2.1", "id": format!("relationship--00000000-0000-4000-8000-0000000001{no:02}"), "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "relationship_type": kind, "source_ref": source, "target_ref": target})
}

fn extended(mut object: Value, mut members: Value) -> Value {
    members["extension_type"] = json!("property-extension");
    object["extensions"] = json!({ extension_id(): members });
    object
}

fn bundle(objects: &[Value]) -> Result<Model, ImportError> {
    let lines: Vec<String> = objects.iter().map(Value::to_string).collect();
    let text = format!(
        "{{\"type\": \"bundle\", \"id\": \"bundle--00000000-0000-4000-8000-000000000000\", \"objects\": [\n{}\n]}}",
        lines.join(",\n")
    );
    read_stix(text.as_bytes(), &Import::new("case.json"))
}

fn inputs<'m>(model: &'m Model, name: &str) -> Vec<&'m str> {
    model.inputs(model.find(name).unwrap()).iter().map(|e| model.node_name(e.node)).collect()
}

#[test]
fn relationships_say_who_needs_whom() {
    let model = bundle(&[
        object(A, "hospital"),
        object(B, "power"),
        object(S, "Fuel Ltd"),
        object(W, "controller"),
        relation(1, "uses", A, B),
        relation(2, "supplies", S, B),
        relation(3, "consists-of", A, W),
        relation(4, "communicates-with", B, A),
        object("identity--00000000-0000-4000-8000-00000000000e", "bystander"),
    ])
    .unwrap();
    assert_eq!(inputs(&model, "hospital"), ["hospital/own", "power", "controller"]);
    assert_eq!(inputs(&model, "power"), ["power/own", "Fuel Ltd"]);
    assert!(model.find("bystander").is_none());
}

#[test]
fn the_extension_tells_the_rest() {
    let model = bundle(&[
        extended(
            object(A, "Hospital of the north"),
            json!({"node": "hospital", "gate": "needs-at-least", "k": 1, "own_failure": false, "top": true}),
        ),
        extended(object(B, "power"), json!({"probability": 0.125, "hold_over_h": 3})),
        object(S, "grid"),
        extended(relation(1, "related-to", A, B), json!({"hold_over_h": 2})),
        relation(2, "depends-on", A, S),
    ])
    .unwrap();
    let hospital = model.find("hospital").unwrap();
    assert_eq!(model.kind(hospital), NodeKind::Gate(Connective::AtLeast { k: 2 }));
    assert_eq!(model.facts(hospital).title.as_deref(), Some("Hospital of the north"));
    assert_eq!(Model::edge_facts(&model.inputs(hospital)[0]).hold_over_h, Some(2.0));
    assert_eq!(model.kind(model.find("power").unwrap()), NodeKind::Event(Failure::Probability(0.125)));
    assert!(model.tops_are_named());
}

#[test]
fn markings_are_labels_granular_ones_too() {
    let green = label::Tlp::Green.marking_id();
    let mut a = object(A, "a");
    a["object_marking_refs"] = json!([green.to_string()]);
    a["granular_markings"] = json!([{"marking_ref": label::Tlp::Red.marking_id().to_string(), "selectors": ["name"]}]);
    let mut edge = relation(1, "uses", A, B);
    edge["object_marking_refs"] = json!([green.to_string()]);
    let model = bundle(&[a, object(B, "b"), edge]).unwrap();
    let node = model.find("a").unwrap();
    assert_eq!(model.facts(node).markings.len(), 2);
    assert_eq!(Model::edge_facts(&model.inputs(node)[1]).markings, [green]);
}

#[test]
fn the_latest_version_counts_and_nothing_revoked() {
    let mut newer = object(B, "new name");
    newer["modified"] = json!("2026-02-01T00:00:00.000Z");
    let mut revoked = relation(2, "uses", A, S);
    revoked["revoked"] = json!(true);
    let model =
        bundle(&[object(A, "a"), newer, object(B, "old name"), object(S, "gone"), relation(1, "uses", A, B), revoked])
            .unwrap();
    assert_eq!(inputs(&model, "a"), ["a/own", "new name"]);
    assert!(model.find("gone").is_none());
}

#[test]
fn equal_names_give_way_to_ids() {
    let model = bundle(&[
        object(A, "a"),
        object(B, "pump"),
        object(S, "pump"),
        relation(1, "uses", A, B),
        relation(2, "uses", A, S),
    ])
    .unwrap();
    assert_eq!(inputs(&model, "a"), ["a/own", B, S]);
    assert_eq!(model.facts(model.find(B).unwrap()).title.as_deref(), Some("pump"));
    let chosen = json!({"node": "pump"});
    let error = bundle(&[
        extended(object(A, "x"), chosen.clone()),
        extended(object(B, "y"), chosen),
        relation(1, "uses", A, B),
    ])
    .unwrap_err();
    assert_eq!(error.to_string(), "case.json:2: `pump` is defined twice: give one of them another name");
}

#[test]
fn wrong_bundles_are_told_with_file_line_and_name() {
    let case = |objects: &[Value]| bundle(objects).unwrap_err().to_string();
    assert_eq!(
        case(&[object(A, "a"), relation(1, "uses", A, B)]),
        format!(
            "case.json:3: `relationship--00000000-0000-4000-8000-000000000101` needs `{B}`, which is not defined: define it as a gate, a basic event or a house event"
        )
    );
    assert_eq!(
        case(&[extended(object(A, "a"), json!({"colour": 1}))]),
        "case.json:2: `<colour>` is not known in the extension of `a`: see docs/reference/resilience-extension.md"
    );
    assert_eq!(
        case(&[object(A, "a"), extended(object(B, "b"), json!({"probability": 7})), relation(1, "uses", A, B)]),
        "case.json:3: basic event `b`: 7 is not a probability from 0 to 1"
    );
    assert_eq!(
        case(&[json!({"type": "infrastructure", "name": "a"})]),
        "case.json:2: a `infrastructure` lacks an `id`"
    );
    assert!(
        read_stix(b"{\"type\": \"bundle\", \"objects\": 3}", &Import::new("case.json"))
            .unwrap_err()
            .to_string()
            .starts_with("case.json:1: ")
    );
    let labels = extended(object(A, "a"), json!({"labels": "TLP:CLEAR"}));
    assert!(case(&[labels]).contains("`<labels>` is not known"), "labels are markings");
}
