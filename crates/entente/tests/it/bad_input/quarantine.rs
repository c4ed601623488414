//! What cannot be labelled waits where a person sees it, and nobody else.

use crate::{
    material::{self, PUBLIC, REL_JPN, definition, envelope, indicator, japan, marking},
    scene::{NodeDir, strict_room},
    stage::Stage,
};
use node::admin::Request;
use serde_json::{Value, json};
use taxii::{
    error::TaxiiError,
    server::{Caller, Listing, Taxii as _},
};

const TOOL: &str = "jpn-tool";
const OTHER: &str = "jpn-other";
const INTEL: &str = "intel";

fn stage() -> Stage {
    let dir = NodeDir::init("hub", &[strict_room(INTEL)]);
    dir.agree(&japan(&[INTEL], &[INTEL]));
    let stage = Stage::open(dir);
    stage.account(TOOL, Some("japan"), json!({}));
    stage.account(OTHER, Some("japan"), json!({}));
    stage
}

fn rows(stage: &Stage) -> Vec<Value> {
    stage.done(Request::Quarantine { after: None }).as_array().unwrap().clone()
}

fn number(row: &Value) -> i64 {
    row["no"].as_i64().unwrap()
}

/// L-005, fail closed: no label is not "everyone".
#[test]
fn an_unlabelled_object_is_listed_shown_replayed_with_a_label_and_then_released() {
    let stage = stage();
    let (one, two) = (indicator(1, 1), indicator(1, 2));
    let intake = stage.import(&[one.text(), two.text()], INTEL, None);
    assert_eq!((intake.new, intake.quarantined), (2, 2));
    assert!(
        stage.ids(TOOL, INTEL).is_empty() && stage.ids("operator", INTEL).is_empty(),
        "seen by nobody but its contributor"
    );
    let mut listed = rows(&stage);
    assert_eq!(listed.len(), 2);
    listed.sort_by_key(|row| row["id"].as_str().map(str::to_owned));
    assert_eq!(listed[0]["id"], one.id().as_str());
    assert!(listed[0]["cause"].as_str().is_some_and(|c| !c.is_empty()));
    let shown = stage.done(Request::QuarantineShow { no: number(&listed[0]) });
    assert_eq!(shown["raw"], one.text().as_str());
    // Without a label nothing changes; with one that does not exist the names are told.
    assert_eq!(stage.done(Request::QuarantineReplay { no: number(&listed[0]), label: None })["left_quarantine"], false);
    let why = stage.failed(Request::QuarantineReplay { no: number(&listed[0]), label: Some("SECRET-ISH".to_owned()) });
    assert!(why.contains(REL_JPN), "{why}");
    assert_eq!(
        stage.done(Request::QuarantineReplay { no: number(&listed[0]), label: Some(REL_JPN.to_owned()) })["left_quarantine"],
        true
    );
    assert_eq!(stage.ids(TOOL, INTEL), [one.id()]);
    stage.done(Request::QuarantineDrop { no: number(&listed[1]) });
    assert!(rows(&stage).is_empty());
    assert_eq!(stage.ids("operator", INTEL), [one.id()]);
    let gone = stage.failed(Request::QuarantineShow { no: number(&listed[1]) });
    assert!(gone.contains("no such"), "{gone}");
    stage.assert_sound();
}

/// L-005: an instance that waits in two collections gets the default of each there, not that of whichever is listed first.
#[test]
fn a_replay_without_a_label_takes_the_default_of_each_collection_for_itself() {
    let dir = NodeDir::init("hub", &[strict_room(INTEL), strict_room("open")]);
    dir.agree(&japan(&[INTEL, "open"], &[]));
    let stage = Stage::open(dir);
    stage.account(TOOL, Some("japan"), json!({}));
    let (one, two) = (indicator(5, 1), indicator(5, 2));
    for collection in ["open", INTEL] {
        stage.import(&[one.text(), two.text()], collection, None);
    }
    // From now on what comes into `open` is PUBLIC, and only there.
    stage.dir.write_node_toml("hub", &[strict_room(INTEL), crate::scene::public_room("open")], "");
    stage.done(Request::Reload);
    for row in rows(&stage) {
        assert_eq!(stage.done(Request::QuarantineReplay { no: number(&row), label: None })["left_quarantine"], true);
    }
    let mut both = vec![one.id(), two.id()];
    both.sort();
    assert_eq!(stage.ids(TOOL, "open"), both);
    assert!(stage.ids(TOOL, INTEL).is_empty());
    assert_eq!(rows(&stage).len(), 2, "they wait on where there is no default");
    stage.assert_sound();
}

/// G of the anti-patterns: a marking that nobody holds is not taken on trust, whoever sends it.
#[test]
fn an_object_with_an_unknown_marking_is_its_senders_alone_until_it_is_labelled() {
    let stage = stage();
    let unknown = format!("marking-definition--{}", material::uuid(2, 99));
    let object = indicator(2, 1).marked(&unknown);
    let status = stage.post(TOOL, INTEL, &envelope(&[object.text()])).unwrap();
    assert_eq!(status["success_count"], 1, "the sender learns nothing of what is held: {status}");
    assert_eq!(stage.ids(TOOL, INTEL), [object.id()], "read back");
    assert!(stage.ids(OTHER, INTEL).is_empty(), "nor another account of the same partner");
    let who = Caller { account: OTHER.to_owned() };
    let by_id = |id: &str| stage.node.list(&who, "live", INTEL, Listing::Object, Some(id), "", "test");
    assert_eq!(by_id(&object.id()), Err(TaxiiError::NotFound));
    assert_eq!(by_id(&object.id()), by_id(&indicator(2, 77).id()));
    let row = &rows(&stage)[0];
    assert!(row["cause"].as_str().unwrap().contains(&unknown), "{row}");
    // A relabel by the operator replaces what cannot be understood? No: the sender's label is the sender's (I4).
    let why = stage.failed(Request::Relabel { id: object.id(), label: PUBLIC.to_owned(), realm: None });
    assert!(why.contains("originator"), "{why}");
    stage.done(Request::QuarantineDrop { no: number(row) });
    assert!(stage.ids(TOOL, INTEL).is_empty());
    stage.assert_sound();
}

/// L-121: forged and contradictory markings.
#[test]
fn a_forged_marking_definition_defines_nothing() {
    let stage = stage();
    let public = material::labels().into_iter().find(|(name, _)| *name == PUBLIC).unwrap().1;
    // PUBLIC's body under the id of the label for Japan and Korea.
    let victim = material::unlisted();
    let forged =
        definition(&public, "forged").replace(&public.marking_id().to_string(), &victim.marking_id().to_string());
    let secret = indicator(3, 1).marked(&victim.marking_id().to_string());
    stage.post(TOOL, INTEL, &envelope(&[forged, secret.text()])).unwrap();
    assert!(stage.ids(OTHER, INTEL).is_empty());
    let causes: Vec<String> = rows(&stage).iter().map(|r| r["cause"].as_str().unwrap().to_owned()).collect();
    assert!(causes.iter().any(|c| c.contains("not derived from it")), "{causes:?}");
    // A well-known TLP id with another body, and two labels of one policy.
    let tlp = json!({"type": "marking-definition", "spec_version": "2.1", "id": label::Tlp::Red.marking_id(), "created": "2022-10-01T00:00:00.000Z",
        "definition_type": "statement", "definition": {"statement": "free for all"}});
    let both = indicator(3, 2)
        .with("object_marking_refs", json!([marking(PUBLIC), marking(REL_JPN), marking(material::NATO_ONLY)]));
    stage.post(TOOL, INTEL, &envelope(&[tlp.to_string(), both.text()])).unwrap();
    assert!(stage.ids(OTHER, INTEL).is_empty());
    assert!(rows(&stage).iter().any(|r| r["cause"].as_str().unwrap().contains("two-of-one-policy")));
    stage.assert_sound();
}

/// Unreadable bytes: replayed when they have become readable to a later version they would go in; here they stay and say why.
#[test]
fn an_unreadable_row_says_why_it_is_still_unreadable_and_can_be_dropped() {
    let stage = stage();
    let broken = indicator(4, 1).with("modified", "never");
    let intake = stage.import(&[broken.text(), indicator(4, 2).text()], INTEL, Some(PUBLIC));
    assert_eq!((intake.new, intake.rejected), (1, 1));
    assert!(intake.first_rejections[0].contains("/modified"), "{:?}", intake.first_rejections);
    let row = rows(&stage).into_iter().next().unwrap();
    let why = stage.failed(Request::QuarantineReplay { no: number(&row), label: Some(PUBLIC.to_owned()) });
    assert!(why.contains("still unreadable") && why.contains("modified"), "{why}");
    assert_eq!(rows(&stage).len(), 1);
    stage.done(Request::QuarantineDrop { no: number(&row) });
    assert!(rows(&stage).is_empty());
    stage.assert_sound();
}
