//! The collection of what was taken back (rule 19 of the client contract, I4, I5): who was given what is told when it may not have it any more, and a peer
//! heeds it.

use crate::{
    material::{
        Deal, Indicator, NATO_ONLY, PUBLIC, PullFrom, REL_JPN, SECRET_JPN, definition, envelope, indicator, japan,
        labels,
    },
    query_collections::query,
    scene::{NodeDir, public_room, strict_room},
    stage::{SECOND, START, Stage},
};
use node::admin::Request;
use serde_json::{Value, json};
use taxii::{
    error::TaxiiError,
    resource::{NOTICE_EXTENSION, NOTICE_TYPE},
    server::{Caller, Listing, Taxii as _},
};

const PEER: &str = "jpn-node";
const TOOL: &str = "jpn-tool";
const INTEL: &str = "intel";

fn stage() -> Stage {
    let dir = NodeDir::init("hub", &[strict_room(INTEL), public_room("open")]);
    let mut deal = japan(&[INTEL], &[INTEL]);
    deal.until = Some(stix::Timestamp::from_micros(START + 1_000 * SECOND).as_str().to_owned());
    dir.agree(&deal);
    let stage = Stage::open(dir);
    stage.account(PEER, Some("japan"), json!({"peer": true}));
    stage.account(TOOL, Some("japan"), json!({}));
    stage
}

fn told(stage: &Stage, query: &str) -> Vec<Value> {
    let listed = stage.list(PEER, "withdrawals", Listing::Objects, query).unwrap();
    let json: Value = serde_json::from_slice(&listed.body).unwrap();
    json["objects"].as_array().cloned().unwrap_or_default()
}

/// What was withdrawn, in order: id and reason.
fn names(notices: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    notices.iter().map(|n| (text(&n["withdrawn_ref"]), text(&n["reason"]))).collect()
}

/// Rule 19, I1, I5: exactly what a receipt says was given, for whom it was given; again when it is given and taken back again; and nothing while it may be had.
#[test]
fn what_was_given_and_is_taken_back_is_told_to_who_had_it_and_to_nobody_else() {
    let stage = stage();
    let (had, never) = (indicator(1, 1), indicator(1, 2));
    stage.import(&[had.text(), never.text()], INTEL, Some(REL_JPN));
    assert!(told(&stage, "").is_empty());
    let page = stage.list(PEER, INTEL, Listing::Objects, &format!("match[id]={}", had.id())).unwrap();
    assert!(String::from_utf8(page.body).unwrap().contains(&had.id()));
    stage.pass(SECOND);
    stage.relabel(&had.id(), SECRET_JPN);
    stage.relabel(&never.id(), SECRET_JPN);
    let notices = told(&stage, "");
    assert_eq!(names(&notices), [(had.id(), "recall".to_owned())]);
    let notice = &notices[0];
    assert_eq!(notice["type"], NOTICE_TYPE);
    assert_eq!(notice["withdrawn_version"], "2026-01-01T00:00:00.000Z");
    assert_eq!(notice["collection"], crate::scene::collection_id(0));
    assert_eq!(notice["extensions"][NOTICE_EXTENSION]["extension_type"], "new-sdo");
    let object = stix::Object::parse(&had.text(), &stix::Limits::default()).unwrap();
    assert_eq!(notice["withdrawn_digest"], object.digest().to_string());
    // It is STIX itself.
    let text = notice.to_string();
    assert_eq!(stix::Object::parse(&text, &stix::Limits::default()).unwrap().id().as_str(), notice["id"]);
    assert_eq!(stage.list(TOOL, "withdrawals", Listing::Objects, "").unwrap_err(), TaxiiError::NotFound);

    // Given again, and taken back again: anew, later, also if it was not fetched meanwhile.
    stage.relabel(&had.id(), REL_JPN);
    assert!(told(&stage, "").is_empty());
    stage.pass(SECOND);
    stage.relabel(&had.id(), NATO_ONLY);
    let again = told(&stage, "");
    assert_eq!(names(&again), [(had.id(), "recall".to_owned())]);
    assert_ne!(again[0]["id"], notice["id"]);
    assert!(again[0]["created"].as_str() > notice["created"].as_str());
    // Who was told stands in the log beside who was given.
    let deliveries = stage.done(Request::WhoHas { id: had.id(), realm: None });
    let channels: Vec<&str> = deliveries["versions"][0]["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["channel"].as_str().unwrap())
        .collect();
    assert!(channels.contains(&"taxii:withdrawals") && channels.contains(&"taxii:objects"), "{channels:?}");
    let unread = stage.done(Request::WhoHas { id: never.id(), realm: None });
    assert_eq!(unread["versions"][0]["deliveries"], json!([]));
    stage.assert_sound();
    let stage = stage.reopen();
    assert_eq!(told(&stage, ""), again, "the same after a restart");
}

/// T-026, T-033, T-036, T-039 to T-046, T-049, T-050, T-055, T-100, T-103, T-105, T-106, T-108, T-113, T-119, T-125: every endpoint and filter over it.
#[test]
fn it_is_a_collection_like_any_other_that_may_be_read() {
    let stage = stage();
    let objects: Vec<_> = (0..5).map(|n| indicator(2, n)).collect();
    stage.import(&objects.iter().map(Indicator::text).collect::<Vec<_>>(), INTEL, Some(REL_JPN));
    stage.list(PEER, INTEL, Listing::Manifest, "match[type]=indicator").unwrap();
    for object in &objects {
        stage.pass(SECOND);
        stage.relabel(&object.id(), NATO_ONLY);
    }
    let who = Caller { account: PEER.to_owned() };
    let listed = stage.node.collections(&who, "live").unwrap();
    let one = listed.collections.iter().find(|c| c.alias.as_deref() == Some("withdrawals")).unwrap();
    assert_eq!((one.can_read, one.can_write, one.x_entente_kind.as_deref()), (true, false, Some("withdrawals")));
    assert_eq!(one.id.get_version_num(), 4);
    assert_eq!(*one, stage.node.collection(&who, "live", "withdrawals").unwrap());
    assert_eq!(*one, stage.node.collection(&who, "live", &one.id.to_string()).unwrap());
    let tool = Caller { account: TOOL.to_owned() };
    assert!(stage.node.collections(&tool, "live").unwrap().collections.iter().all(|c| c.x_entente_kind.is_none()));
    assert_eq!(stage.node.may_add(&who, "live", "withdrawals"), Err(TaxiiError::Forbidden));
    assert_eq!(stage.node.delete(&who, "live", "withdrawals", "x", ""), Err(TaxiiError::Forbidden));
    assert_eq!(stage.post(PEER, "withdrawals", &envelope(&[])), Err(TaxiiError::Forbidden));

    let all = told(&stage, "");
    let ids: Vec<String> = objects.iter().map(Indicator::id).collect();
    assert_eq!(
        names(&all).into_iter().map(|n| n.0).collect::<Vec<_>>(),
        ids,
        "the manifest tells of an object, so it was given"
    );
    // By `next` and by `added_after`.
    let (mut by_next, mut next) = (Vec::new(), String::new());
    loop {
        let page = stage.list(PEER, "withdrawals", Listing::Objects, &format!("limit=2{next}")).unwrap();
        let json: Value = serde_json::from_slice(&page.body).unwrap();
        by_next.extend(json["objects"].as_array().unwrap().clone());
        match json["next"].as_str() {
            Some(cursor) => next = format!("&next={cursor}"),
            None => break,
        }
    }
    assert_eq!(by_next, all);
    let (mut by_date, mut after) = (Vec::new(), "2000-01-01T00:00:00Z".to_owned());
    loop {
        let page = stage.list(PEER, "withdrawals", Listing::Objects, &format!("limit=2&added_after={after}")).unwrap();
        let json: Value = serde_json::from_slice(&page.body).unwrap();
        let Some(found) = json["objects"].as_array() else { break };
        by_date.extend(found.clone());
        after = page.last.unwrap();
    }
    assert_eq!(by_date, all);
    let count = |query: &str| told(&stage, query).len();
    let first = all[0]["id"].as_str().unwrap();
    assert_eq!((count(&format!("match[id]={first}")), count(&format!("match[id]={}", ids[0]))), (1, 0));
    assert_eq!((count(&format!("match[type]={NOTICE_TYPE}")), count("match[type]=indicator")), (5, 0));
    assert_eq!(
        (count("match[spec_version]=2.0"), count("match[spec_version]=2.1"), count("match[version]=all")),
        (0, 5, 5)
    );
    assert_eq!(count(&format!("match[version]={}", all[1]["modified"].as_str().unwrap())), 1);
    let manifest = stage.shown(PEER, "withdrawals");
    assert_eq!(
        manifest.iter().map(|m| m.0.clone()).collect::<Vec<_>>(),
        all.iter().map(|n| n["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    );
    let single = |object: &str, what, query: &str| {
        stage
            .node
            .list(&who, "live", "withdrawals", what, Some(object), query, "")
            .map(|l| serde_json::from_slice::<Value>(&l.body).unwrap())
    };
    assert_eq!(single(first, Listing::Object, "").unwrap()["objects"], json!([all[0]]));
    assert_eq!(single(first, Listing::Versions, "").unwrap()["versions"], json!([all[0]["modified"]]));
    assert_eq!(single(first, Listing::Object, "match[version]=2020-01-01T00:00:00Z").unwrap(), json!({}));
    for absent in [&ids[0], "x-entente-withdrawal--00000000-0000-5000-8000-000000000000"] {
        assert_eq!(single(absent, Listing::Object, ""), Err(TaxiiError::NotFound));
    }
    assert!(matches!(stage.list(PEER, "withdrawals", Listing::Objects, "limit=0"), Err(TaxiiError::BadRequest(_))));
    let cursor = stage.list(PEER, "withdrawals", Listing::Objects, "limit=1").unwrap();
    let cursor: Value = serde_json::from_slice(&cursor.body).unwrap();
    let elsewhere = stage.list(PEER, INTEL, Listing::Objects, &format!("next={}", cursor["next"].as_str().unwrap()));
    assert!(matches!(elsewhere, Err(TaxiiError::BadRequest(_))), "a cursor is of its collection");
}

/// Design: the control channel outlives the agreement for what was delivered under it.
#[test]
fn it_outlives_the_agreement_for_what_was_given_under_it() {
    let stage = stage();
    let object = indicator(3, 1);
    stage.import(&[object.text()], INTEL, Some(REL_JPN));
    stage.list(PEER, INTEL, Listing::Objects, "match[type]=indicator").unwrap();
    stage.set_clock(START + 1_000 * SECOND);
    assert_eq!(stage.list(PEER, INTEL, Listing::Objects, "").unwrap_err(), TaxiiError::NotFound);
    assert_eq!(names(&told(&stage, "")), [(object.id(), "rights".to_owned())]);
    let who = Caller { account: PEER.to_owned() };
    assert_eq!(stage.node.discovery(&who, "").unwrap().api_roots, ["/live/"]);
    assert_eq!(stage.node.collections(&who, "live").unwrap().collections.len(), 1);
    let tool = Caller { account: TOOL.to_owned() };
    assert!(stage.node.discovery(&tool, "").unwrap().api_roots.is_empty());
    stage.assert_sound();
}

/// An account that is no peer may read it too, if it is told to; and the name is nobody else's (T-101).
#[test]
fn any_account_may_be_let_read_it_and_no_other_collection_has_its_name() {
    let stage = stage();
    stage.account("jpn-two", Some("japan"), json!({"withdrawals": true}));
    assert!(stage.list("jpn-two", "withdrawals", Listing::Objects, "").is_ok());
    stage.dir.write_node_toml("hub", &[strict_room(INTEL), public_room("withdrawals")], "");
    assert!(stage.failed(Request::Reload).contains("are taken by the collection"), "the alias");
}

/// I4, I5: a peer drops what was taken back, its own readers lose it and are told in turn, and it comes again when it is given again; what others gave stays, and so does
/// what the peer's own organisation has.
#[test]
fn a_peer_drops_what_was_taken_back_and_tells_its_own_readers() {
    const FEED: &str = "feed";
    let ally = NodeDir::init("ally", &[public_room(FEED)]);
    let mut hub_deal = japan(&[FEED], &[]);
    hub_deal.partner = "hub";
    ally.agree(&hub_deal);
    let token = ally.account("hub-node", Some("hub"), &["--peer"]);
    let giving = ally.serve();
    let hub = NodeDir::init("hub", &[public_room("pulled"), public_room("own")]);
    hub.agree(&japan(&["pulled", "own"], &[]));
    let mut deal = japan(&[], &["pulled"]);
    deal.partner = "ally";
    deal.identities = vec!["*"];
    let url = format!("http://{}/taxii2/", ally.taxii);
    deal.pull = Some(PullFrom { url, account: "", remote: FEED, into: "pulled", every_s: 100_000 });
    hub.agree(&deal);
    std::fs::write(hub.path().join("secrets").join("ally"), token).unwrap();
    let objects: Vec<_> = (0..3).map(|n| indicator(4, n)).collect();
    let file =
        ally.file("some.json", crate::material::bundle(&objects.iter().map(Indicator::text).collect::<Vec<_>>()));
    ally.json(&["import", file.to_str().unwrap(), "--collection", FEED]);
    let hub = Stage::open(hub);
    hub.account(PEER, Some("japan"), json!({"peer": true}));
    // The same content by a road of its own.
    hub.import(&[objects[2].text()], "own", None);
    let pull = || hub.node.pull_over_http("ally").map(|pulled| pulled.withdrawn);
    let seen = |alias: &str| hub.ids(PEER, alias);
    let recalled = || {
        let mut ids: Vec<String> = names(&told(&hub, "")).into_iter().map(|n| n.0).collect();
        ids.sort();
        ids
    };

    let ids: Vec<String> = objects.iter().map(Indicator::id).collect();
    assert_eq!(pull().unwrap(), 0);
    assert_eq!((seen("pulled"), seen("own")), (ids.clone(), vec![ids[2].clone()]));
    for id in [&ids[0], &ids[2]] {
        ally.json(&["relabel", id, "--label", NATO_ONLY]);
    }
    assert_eq!(pull().unwrap(), 2);
    assert_eq!((seen("pulled"), seen("own")), (vec![ids[1].clone()], vec![ids[2].clone()]));
    assert_eq!(recalled(), [ids[0].clone(), ids[2].clone()], "the recall goes on to who had it from here");
    assert_eq!(pull().unwrap(), 0, "once");
    ally.json(&["relabel", &ids[0], "--label", PUBLIC]);
    assert_eq!(pull().unwrap(), 0);
    assert_eq!(seen("pulled"), ids[..2]);
    assert_eq!(recalled(), [ids[2].clone()]);

    // Kept, if the agreement says so: only the log tells.
    let agreed = |deal: &Deal| {
        hub.dir.agree(deal);
        hub.done(Request::Reload);
    };
    agreed(&Deal { end: "on_withdrawal = \"keep\"\n".to_owned(), ..deal.clone() });
    ally.json(&["relabel", &ids[0], "--label", NATO_ONLY]);
    assert_eq!(pull().unwrap(), 1);
    assert_eq!(seen("pulled"), ids[..2]);
    agreed(&deal);

    // The agreement ends over there: the collection is not shown any more, and what was given under it goes.
    hub_deal.until = Some("2026-01-01T00:00:00Z".to_owned());
    ally.agree(&hub_deal);
    ally.json(&["agreement", "apply"]);
    let said = pull().unwrap_err().to_string();
    assert!(said.contains("no readable collection"), "{said}");
    assert_eq!(seen("pulled"), ids[..1], "what was kept before stays, what is taken back now goes");
    assert_eq!(seen("own"), [ids[2].clone()]);
    assert_eq!(giving.end(), Some(0));
    assert_eq!(ally.json(&["doctor"])["sound"], true);
    hub.assert_sound();
}

/// I1, L-122: a marking definition that is taken back takes what it marks, and both are told.
#[test]
fn a_definition_that_goes_takes_what_it_marks_and_both_are_told() {
    let stage = stage();
    let (_, label) = labels().into_iter().find(|(name, _)| *name == REL_JPN).unwrap();
    let own = definition(&label, "a name of its own");
    let marked = indicator(5, 1).marked(&label.marking_id().to_string());
    stage.import(&[own, marked.text()], INTEL, Some(PUBLIC));
    stage.list(PEER, INTEL, Listing::Objects, "match[version]=all&match[spec_version]=2.1").unwrap();
    let before = stage.shown(PEER, INTEL);
    let mut deal = japan(&[INTEL], &[INTEL]);
    deal.classifications = vec!["UNCLASSIFIED"];
    stage.dir.agree(&deal);
    stage.done(Request::Reload);
    let after = stage.shown(PEER, INTEL);
    let gone: Vec<String> = before.iter().filter(|row| !after.contains(row)).map(|row| row.0.clone()).collect();
    let mut told: Vec<String> = names(&told(&stage, "")).into_iter().map(|n| n.0).collect();
    assert!(gone.contains(&marked.id()), "{gone:?}");
    let mut gone = gone;
    gone.sort();
    told.sort();
    assert_eq!(told, gone);
    stage.assert_sound();
}

/// I4: so does a peer that pulls a saved filter: notices name the collection behind it, and the filter says which that is.
#[test]
fn a_peer_that_pulls_a_saved_filter_drops_what_was_taken_back() {
    let ally = NodeDir::init("ally", &[public_room(INTEL)]);
    ally.write_node_toml("ally", &[public_room(INTEL)], &query("fresh", "types = [\"indicator\"]"));
    let mut hub_deal = japan(&[INTEL], &[]);
    hub_deal.partner = "hub";
    ally.agree(&hub_deal);
    let token = ally.account("hub-node", Some("hub"), &["--peer"]);
    let giving = ally.serve();
    let hub = NodeDir::init("hub", &[public_room("pulled")]);
    hub.agree(&japan(&["pulled"], &[]));
    let mut deal = japan(&[], &["pulled"]);
    deal.partner = "ally";
    deal.identities = vec!["*"];
    let url = format!("http://{}/taxii2/", ally.taxii);
    deal.pull = Some(PullFrom { url, account: "", remote: "fresh", into: "pulled", every_s: 100_000 });
    hub.agree(&deal);
    std::fs::write(hub.path().join("secrets").join("ally"), token).unwrap();
    let objects: Vec<_> = (0..2).map(|n| indicator(5, n)).collect();
    let file =
        ally.file("some.json", crate::material::bundle(&objects.iter().map(Indicator::text).collect::<Vec<_>>()));
    ally.json(&["import", file.to_str().unwrap(), "--collection", INTEL]);
    let hub = Stage::open(hub);
    hub.account(PEER, Some("japan"), json!({"peer": true}));
    let pull = || hub.node.pull_over_http("ally").map(|pulled| pulled.withdrawn);
    assert_eq!(pull().unwrap(), 0);
    assert_eq!(hub.ids(PEER, "pulled"), [objects[0].id(), objects[1].id()]);
    ally.json(&["relabel", &objects[0].id(), "--label", NATO_ONLY]);
    assert_eq!(pull().unwrap(), 1);
    assert_eq!(hub.ids(PEER, "pulled"), [objects[1].id()]);
    assert_eq!(giving.end(), Some(0));
    hub.assert_sound();
}
