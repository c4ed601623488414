//! What the validator says at the door.

use crate::stage::{Stage, document, tool};
use serde_json::{Value, json};

/// Breaks MUSTs that neither identity nor release rests on: S-003, S-017, S-087.
fn invalid(n: u32) -> Value {
    tool(n, "invalid", json!({"revoked": false, "confidence": 500, "kill_chain_phases": []}))
}

fn kinds(intake: &node::ingest::Intake) -> Vec<(&str, &str, u64)> {
    intake.findings.found().map(|found| (found.level, found.code, found.count)).collect()
}

/// Makes a collection refuse what is invalid.
fn refusing(s: &Stage, alias: &str) {
    let path = s.dir.join("node.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let at = format!("alias = \"{alias}\"\n");
    std::fs::write(&path, text.replace(&at, &format!("{at}validation = \"refuse\"\n"))).unwrap();
    s.node.reload().unwrap();
}

/// S-019, S-031: an import keeps what breaks the standard beyond identity and release (I3), and counts it by kind, with a place; a strict one sends it to
/// the quarantine with the first cause.
#[test]
fn an_import_counts_what_is_invalid_and_a_strict_one_refuses_it() {
    let s = Stage::new("door-import");
    let objects =
        [invalid(1), tool(2, "valid", json!({})), invalid(3), tool(4, "odd", json!({"x_own": {"A": 1}, "my_own": 1}))];
    let intake = s.import("open", &objects);
    assert_eq!((intake.new, intake.rejected), (4, 0));
    let found = kinds(&intake);
    assert_eq!(found[..2], [("error", "value-empty", 2), ("error", "value-range", 2)]);
    assert!(found[2..].iter().all(|kind| kind.0 == "warning") && found.len() > 2, "{found:?}");
    let first = &intake.findings.found().nth(1).unwrap().first;
    assert_eq!(*first, format!("{} /confidence", objects[0]["id"].as_str().unwrap()));
    let told: Value = serde_json::to_value(&intake).unwrap();
    assert_eq!(told["findings"][1]["code"], "value-range");
    assert_eq!(s.list("one", "open").len(), 4, "kept as it came");

    let s = Stage::new("door-strict");
    let intake = s.node.import_checked(&document(&objects), "open", None, "test", true, &|_, _| {}).unwrap();
    assert_eq!((intake.objects, intake.new, intake.rejected), (4, 2, 2));
    assert_eq!(kinds(&intake)[1], ("error", "value-range", 2), "refused ones count as well");
    let rows = s.node.quarantine(None, 10).unwrap();
    assert_eq!(rows.len(), 2);
    assert!(
        rows.iter().any(|row| row.path.starts_with("/objects/2/") && row.id.as_deref() == objects[2]["id"].as_str())
    );
    assert_eq!(s.list("one", "open").len(), 2);
}

/// The number of kinds bounds what is told, however many objects there are and however long their names.
#[test]
fn findings_are_bounded_by_their_kinds() {
    let s = Stage::new("door-bound");
    let long = "x".repeat(100_000);
    let objects: Vec<Value> =
        (0..300).map(|n| tool(n, "n", json!({format!("X{long}{n}"): 1, "confidence": -1}))).collect();
    let intake = s.import("open", &objects);
    assert!(intake.findings.found().count() < stix::validate::Code::ALL.len());
    assert!(intake.findings.found().all(|found| found.first.chars().count() <= 200));
    assert!(serde_json::to_string(&intake).unwrap().len() < 10_000);
    assert!(kinds(&intake).contains(&("error", "value-range", 300)));
}

/// S-031: a collection refuses invalid objects that are posted, if it is set so, with the cause for each in the status; the others go in. One that
/// is not set so keeps them.
#[test]
fn a_collection_refuses_invalid_posts_where_it_is_set_so() {
    let s = Stage::new("door-post");
    let objects = [invalid(1), tool(2, "valid", json!({}))];
    assert_eq!(s.post("one", "closed", &objects)["success_count"], 2);
    refusing(&s, "open");
    let status = s.post("one", "open", &objects);
    assert_eq!((&status["success_count"], &status["failure_count"]), (&json!(1), &json!(1)));
    let failure = &status["failures"][0];
    assert_eq!(failure["id"], objects[0]["id"]);
    let message = failure["message"].as_str().unwrap();
    assert!(message.starts_with("/objects/0/"), "{message}");
    assert_eq!(s.ids("one", "open"), [objects[1]["id"].as_str().unwrap()]);
    assert!(s.node.quarantine(None, 10).unwrap().iter().any(|row| row.id.as_deref() == objects[0]["id"].as_str()));
}

/// I1: what is refused depends on the bytes alone. The same reply whether or not the id, and even the very object, is held where the account does not see it.
#[test]
fn what_is_refused_tells_nothing_of_what_is_held() {
    let replies = [false, true].map(|held| {
        let s = Stage::new(if held { "door-held" } else { "door-absent" });
        let hidden = invalid(1);
        let amber = json!({"object_marking_refs": [crate::stage::AMBER]});
        s.import("closed", &[if held { tool(1, "hidden", amber) } else { tool(7, "elsewhere", amber) }]);
        s.import("closed", &[if held { hidden.clone() } else { invalid(8) }]);
        refusing(&s, "open");
        let mut status = s.post("one", "open", &[hidden, tool(2, "valid", json!({}))]);
        status.as_object_mut().unwrap().remove("id");
        status
    });
    assert_eq!(replies[0], replies[1]);
    assert_eq!(replies[0]["failure_count"], 1);
}
