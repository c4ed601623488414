//! What partners write: without a label, into several collections, the same version with other content, and what they take back (C-010, C-011, C-012, T-119 to T-124).

use crate::{
    material::{Indicator, JAPAN, STRANGER, envelope, identity, indicator, japan},
    scene::{NodeDir, public_room, strict_room},
    stage::{SECOND, Stage},
};
use node::admin::Request;
use serde_json::{Value, json};
use taxii::{
    error::TaxiiError,
    server::{Caller, Listing, Taxii as _},
};

const TOOL: &str = "jpn-tool";
const OTHER: &str = "aus-node";
const STRICT: &str = "strict";
const ROOMS: [&str; 3] = [STRICT, "intel", "second"];

/// Japan and Australia both read and write everywhere; Australia's account is a peer's, so that it is told what is taken back.
fn stage() -> Stage {
    let dir = NodeDir::init("hub", &[strict_room(STRICT), public_room("intel"), public_room("second")]);
    dir.agree(&japan(&ROOMS, &ROOMS));
    let mut australia = japan(&ROOMS, &ROOMS);
    (australia.partner, australia.code) = ("australia", "AUS");
    dir.agree(&australia);
    let stage = Stage::open(dir);
    stage.account(TOOL, Some("japan"), json!({}));
    stage.account(OTHER, Some("australia"), json!({"peer": true}));
    // What names a creator shows to whom may know of it.
    for room in &ROOMS[1..] {
        stage.import(&[identity(JAPAN, "Japan"), identity(STRANGER, "a stranger")], room, None);
    }
    stage
}

fn post(stage: &Stage, account: &str, room: &str, objects: &[&Indicator]) -> Value {
    let texts: Vec<String> = objects.iter().map(|o| o.text()).collect();
    stage.post(account, room, &envelope(&texts)).unwrap()
}

fn delete(stage: &Stage, account: &str, room: &str, id: &str, query: &str) -> Result<(), TaxiiError> {
    let who = Caller { account: account.to_owned() };
    stage.node.delete(&who, "live", room, id, query)
}

fn object(stage: &Stage, account: &str, room: &str, id: &str) -> Result<Value, TaxiiError> {
    let who = Caller { account: account.to_owned() };
    let listed = stage.node.list(&who, "live", room, Listing::Object, Some(id), "", "")?;
    let page: Value = serde_json::from_slice(&listed.body).unwrap();
    Ok(page["objects"][0].clone())
}

/// C-010, L-005: what comes without a label is never for everybody: it waits, or gets the label of the collection; its contributor sees what it brought.
#[test]
fn what_comes_without_a_label_waits_or_gets_that_of_its_collection() {
    let stage = stage();
    let bare = indicator(1, 1);
    for room in [STRICT, "intel"] {
        assert_eq!(post(&stage, TOOL, room, &[&bare])["success_count"], 1);
    }
    assert_eq!(object(&stage, TOOL, STRICT, &bare.id()).unwrap()["id"], bare.id());
    assert_eq!(object(&stage, OTHER, STRICT, &bare.id()), Err(TaxiiError::NotFound));
    assert!(stage.ids(OTHER, STRICT).is_empty());
    let waiting = stage.done(Request::Quarantine { after: None });
    assert_eq!(waiting.as_array().unwrap().len(), 1, "{waiting}");
    // Where the collection has a label, that is what others are told: beside the bytes, to a peer.
    let listed = stage.list(OTHER, "intel", Listing::Objects, "match[type]=indicator").unwrap();
    let page: Value = serde_json::from_slice(&listed.body).unwrap();
    assert_eq!(page["objects"][0]["id"], bare.id());
    assert_eq!(page["x_entente_label_assignments"][0]["id"], bare.id());
    stage.assert_sound();
}

/// C-011, T-119, T-121 to T-124, TD-12, I4, I6: DELETE takes back what the account itself brought, where it is named and nowhere else, in all versions unless it names
/// some; it is for who may speak for the creator; whoever had it is told; and it stands in the log.
#[test]
fn a_delete_is_a_recall_of_ones_own_in_one_collection() {
    let stage = stage();
    let mine = indicator(2, 1).by(JAPAN);
    let newer = mine.clone().modified("2026-02-01T00:00:00.000Z");
    for room in ["intel", "second"] {
        assert_eq!(post(&stage, TOOL, room, &[&mine, &newer])["success_count"], 2);
    }
    let theirs = indicator(2, 2);
    post(&stage, OTHER, "intel", &[&theirs]);
    let foreign = indicator(2, 3).by(STRANGER);
    stage.import(&[foreign.text()], "intel", None);
    let refused = post(&stage, TOOL, "intel", &[&indicator(2, 4).by(STRANGER)]);
    assert_eq!((&refused["success_count"], &refused["failure_count"]), (&json!(0), &json!(1)));
    for room in ["intel", "second"] {
        assert_eq!(stage.list(OTHER, room, Listing::Objects, "match[version]=all").map(|_| ()), Ok(()));
    }
    let before = stage.shown(OTHER, "intel");
    for (account, id, answer) in [
        (TOOL, theirs.id(), TaxiiError::Forbidden),
        (TOOL, foreign.id(), TaxiiError::Forbidden),
        (OTHER, mine.id(), TaxiiError::Forbidden),
        (TOOL, indicator(9, 9).id(), TaxiiError::NotFound),
        (TOOL, refused["failures"][0]["id"].as_str().unwrap().to_owned(), TaxiiError::NotFound),
        (TOOL, "no id".to_owned(), TaxiiError::NotFound),
    ] {
        assert_eq!(delete(&stage, account, "intel", &id, ""), Err(answer), "{account} {id}");
    }
    assert_eq!(stage.shown(OTHER, "intel"), before, "nothing of that was done");
    assert!(matches!(
        delete(&stage, TOOL, "intel", &mine.id(), "added_after=2026-01-01T00:00:00Z"),
        Err(TaxiiError::BadRequest(_))
    ));

    stage.pass(SECOND);
    let versions = |room: &str| {
        let rows = stage.shown(TOOL, room);
        rows.into_iter().filter(|(id, ..)| *id == mine.id()).map(|(_, version, _)| version).collect::<Vec<_>>()
    };
    assert_eq!(delete(&stage, TOOL, "intel", &mine.id(), "match[version]=first"), Ok(()));
    assert_eq!(versions("intel"), ["2026-02-01T00:00:00.000Z"]);
    post(&stage, TOOL, "intel", &[&mine]);
    assert_eq!(delete(&stage, TOOL, "intel", &mine.id(), ""), Ok(()));
    assert!(versions("intel").is_empty());
    assert_eq!(versions("second").len(), 2, "T-123: it stays in the other collection");
    assert_eq!(object(&stage, OTHER, "intel", &mine.id()), Err(TaxiiError::NotFound));
    assert_eq!(object(&stage, OTHER, "second", &mine.id()).unwrap()["id"], mine.id());
    assert_eq!(delete(&stage, TOOL, "intel", &mine.id(), ""), Err(TaxiiError::NotFound), "it is gone");

    let told = stage.list(OTHER, "withdrawals", Listing::Objects, "").unwrap();
    let told: Value = serde_json::from_slice(&told.body).unwrap();
    let collection = stage.node.world().collection("intel").unwrap().new.id.to_string();
    let told: Vec<(&str, &str, &str)> = told["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| ["withdrawn_ref", "reason", "collection"].map(|name| n[name].as_str().unwrap()).into())
        .collect();
    assert_eq!(told, [(mine.id().as_str(), "recall", collection.as_str()); 2]);
    let leaves = stage.node.store().leaves(0, 1_000).unwrap();
    let acts: Vec<&str> = leaves.iter().filter(|leaf| leaf.kind == "delete").map(|leaf| leaf.body.as_str()).collect();
    assert_eq!(acts.len(), 2);
    assert!(acts.iter().all(|act| act.contains(&mine.id()) && act.contains(TOOL)), "{acts:?}");
    stage.assert_sound();
}

/// C-012, L-131: the same version with other content is answered like a new object, whatever others hold; each contributor reads back its own, and the operator is
/// told.
#[test]
fn the_same_version_with_other_content_is_kept_beside_the_first() {
    let stage = stage();
    let first = indicator(3, 1);
    let second = indicator(3, 1).with("name", "other words");
    let unrelated = indicator(3, 2);
    assert_ne!(first.text(), second.text());
    post(&stage, OTHER, "intel", &[&first]);
    stage.pass(SECOND);
    let told = |status: Value| ["status", "success_count", "failure_count"].map(|name| status[name].clone());
    let (contradicts, new) = (post(&stage, TOOL, "intel", &[&second]), post(&stage, TOOL, "intel", &[&unrelated]));
    assert_eq!(contradicts["successes"][0]["version"], new["successes"][0]["version"]);
    assert_eq!(told(contradicts), told(new));
    assert_eq!(object(&stage, TOOL, "intel", &first.id()).unwrap()["name"], "other words");
    assert_ne!(object(&stage, OTHER, "intel", &first.id()).unwrap()["name"], "other words");
    assert_eq!(stage.node.store().instances("live", &first.id().parse().unwrap(), None).unwrap().len(), 2);
    stage.assert_sound();
}
