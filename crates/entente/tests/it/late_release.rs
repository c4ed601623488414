//! I5 at the whole node: a program that knows nothing but `added_after` receives an old object on its first poll after whatever made it visible, and
//! never before; slots only grow.

use crate::{
    material::{
        self, NATO_ONLY, PUBLIC, REL_AUS, REL_JPN, SECRET_JPN, definition, envelope, indicator, japan, marking,
        relationship,
    },
    scene::{NodeDir, Room, public_room, strict_room},
    stage::{Poller, SECOND, START, Stage},
};
use node::admin::Request;
use serde_json::json;
use std::sync::Arc;
use taxii::{date_added, error::TaxiiError, server::Listing};

const TOOL: &str = "jpn-tool";
const INTEL: &str = "intel";

/// A node with one collection that Japan reads and writes, and its account.
fn stage() -> Stage {
    stage_with(&[strict_room(INTEL), public_room("open")], &japan(&[INTEL], &[INTEL]))
}

/// A node with these collections and this agreement with Japan, and Japan's account.
fn stage_with(rooms: &[Room], deal: &material::Deal) -> Stage {
    let dir = NodeDir::init("hub", rooms);
    dir.agree(deal);
    let stage = Stage::open(dir);
    stage.account(TOOL, Some("japan"), json!({}));
    stage
}

/// Objects 0 to 9 of a series, visible to Japan, half of them; the rest for members only. Gives the ids.
fn mixed(stage: &Stage, space: u32) -> (Vec<String>, Vec<String>) {
    let visible: Vec<_> = (0..5).map(|n| indicator(space, n)).collect();
    let hidden: Vec<_> = (5..10).map(|n| indicator(space, n)).collect();
    let texts = |list: &[material::Indicator]| list.iter().map(material::Indicator::text).collect::<Vec<_>>();
    stage.import(&texts(&visible), INTEL, Some(REL_JPN));
    stage.import(&texts(&hidden), INTEL, Some(NATO_ONLY));
    (visible.iter().map(material::Indicator::id).collect(), hidden.iter().map(material::Indicator::id).collect())
}

fn reload(stage: &Stage) -> serde_json::Value {
    stage.done(Request::Reload)
}

fn at(us: i64) -> String {
    stix::Timestamp::from_micros(us).as_str().to_owned()
}

/// The program polls until it has everything; then nothing comes.
fn settle(stage: &Stage, poller: &mut Poller) -> Vec<String> {
    let got = poller.poll(stage);
    assert_eq!(poller.poll(stage), Vec::<String>::new(), "a second poll brings nothing new");
    got
}

/// I5; L-091.
#[test]
fn a_relabelled_object_comes_with_the_first_poll_after_it() {
    let stage = stage();
    let (visible, hidden) = mixed(&stage, 1);
    let mut poller = Poller::new(TOOL, INTEL, 3);
    assert_eq!(settle(&stage, &mut poller), visible);
    stage.pass(3600 * SECOND);
    assert!(poller.poll(&stage).is_empty());
    stage.relabel(&hidden[2], REL_JPN);
    assert_eq!(settle(&stage, &mut poller), [hidden[2].clone()]);
    stage.relabel(&hidden[0], SECRET_JPN);
    assert!(poller.poll(&stage).is_empty(), "a secret is beyond the agreement");
    stage.relabel(&hidden[0], REL_AUS);
    assert!(poller.poll(&stage).is_empty(), "Australia's is not Japan's");
    stage.assert_sound();
}

/// I1, I5: a poll with nothing new is answered from memory, whatever is hidden, and never past a release, a batch, a change of rights or a date. (`Stage::list` compares the
/// answer from memory with the store's whenever there is one.)
#[test]
fn an_idle_poll_is_answered_from_memory_until_something_comes() {
    let mut deal = japan(&[INTEL], &[INTEL]);
    deal.until = Some("2026-06-30T00:00:00Z".to_owned());
    let stage = stage_with(&[strict_room(INTEL)], &deal);
    let (visible, hidden) = mixed(&stage, 1);
    let mut poller = Poller::new(TOOL, INTEL, 100);
    assert_eq!(settle(&stage, &mut poller), visible);
    let after = |poller: &Poller| format!("added_after={}", date_added::format(*poller.marks.last().unwrap()));
    let idle = |poller: &Poller, what| stage.nothing_new(TOOL, INTEL, what, &after(poller));
    // The first poll after a page confirms what was offered; the next finds nothing to confirm; from then on nothing is looked up.
    poller.poll(&stage);
    let first = idle(&poller, Listing::Objects).expect("an idle poll");
    assert_eq!((&*first.body, first.first.is_some()), (&b"{}"[..], true));
    assert_eq!(idle(&poller, Listing::Manifest).map(|l| l.body), Some(b"{}".to_vec()));
    assert_eq!(idle(&poller, Listing::Object), None, "an object may be absent");
    assert_eq!(stage.nothing_new(TOOL, INTEL, Listing::Objects, ""), None, "no instant");
    assert_eq!(stage.nothing_new(TOOL, INTEL, Listing::Objects, "added_after=yesterday"), None);
    assert_eq!(stage.nothing_new("nobody", INTEL, Listing::Objects, &after(&poller)), None);
    assert_eq!(stage.nothing_new(TOOL, "nowhere", Listing::Objects, &after(&poller)), None);
    // What stays hidden changes nothing.
    stage.import(&[indicator(7, 1).text()], INTEL, Some(NATO_ONLY));
    stage.relabel(&hidden[0], SECRET_JPN);
    assert_eq!(idle(&poller, Listing::Objects), Some(first));
    // A relabel, a batch.
    stage.relabel(&hidden[2], REL_JPN);
    assert_eq!(idle(&poller, Listing::Objects), None);
    assert_eq!(settle(&stage, &mut poller), [hidden[2].clone()]);
    poller.poll(&stage);
    assert!(idle(&poller, Listing::Objects).is_some());
    stage.import(&[indicator(7, 2).text()], INTEL, Some(REL_JPN));
    assert_eq!(idle(&poller, Listing::Objects), None);
    assert_eq!(settle(&stage, &mut poller), [indicator(7, 2).id()]);
    poller.poll(&stage);
    assert!(idle(&poller, Listing::Objects).is_some());
    // The agreement ends: the date is committed first, and then there is no such collection.
    stage.set_clock(stix::Timestamp::parse("2026-06-30T00:00:00Z").unwrap().micros());
    assert_eq!(idle(&poller, Listing::Objects), None);
    assert_eq!(poller.page(&stage), Err(TaxiiError::NotFound));
    assert_eq!(idle(&poller, Listing::Objects), None);
    // The clock steps back before it: the rights are computed anew before anything is answered.
    stage.set_clock(START + SECOND);
    assert_eq!(idle(&poller, Listing::Objects), None);
    stage.assert_sound();
}

/// I5: the clearance in the agreement file widens; what it newly covers comes, in order of arrival, and nothing else.
#[test]
fn a_changed_agreement_releases_old_objects_to_the_next_poll() {
    let stage = stage();
    let secret: Vec<_> = (0..4).map(|n| indicator(2, n)).collect();
    stage.import(&secret.iter().map(material::Indicator::text).collect::<Vec<_>>(), INTEL, Some(SECRET_JPN));
    let (visible, _) = mixed(&stage, 1);
    let mut poller = Poller::new(TOOL, INTEL, 100);
    assert_eq!(settle(&stage, &mut poller), visible);
    let mut deal = japan(&[INTEL], &[INTEL]);
    deal.classifications.push("CONFIDENTIAL");
    stage.dir.agree(&deal);
    reload(&stage);
    assert!(poller.poll(&stage).is_empty(), "nothing is CONFIDENTIAL");
    deal.classifications.push("SECRET");
    stage.dir.agree(&deal);
    let preview = stage.done(Request::Preview { path: stage.dir.path().join("agreements/japan.toml") });
    let changes = reload(&stage)["changes"].clone();
    // The marking definition of the label comes along.
    assert_eq!(preview["changes"][0]["released"], changes[0]["released"], "{preview} {changes}");
    assert_eq!(settle(&stage, &mut poller), secret.iter().map(material::Indicator::id).collect::<Vec<_>>());
    stage.assert_sound();
}

/// I5: kinds; an agreement that covered indicators alone comes to cover relationships too.
#[test]
fn a_kind_that_is_added_to_an_agreement_is_released_to_the_next_poll() {
    let mut deal = japan(&[INTEL], &[]);
    deal.kinds = vec!["indicator", "marking-definition"];
    let stage = stage_with(&[strict_room(INTEL)], &deal);
    let (a, b) = (indicator(1, 1), indicator(1, 2));
    let link = relationship(1, 3, &a.id(), &b.id());
    stage.import(&[link.text(), a.text(), b.text()], INTEL, Some(REL_JPN));
    let mut poller = Poller::new(TOOL, INTEL, 10);
    assert_eq!(settle(&stage, &mut poller), [a.id(), b.id()]);
    deal.kinds.push("relationship");
    stage.dir.agree(&deal);
    reload(&stage);
    assert_eq!(settle(&stage, &mut poller), [link.id()]);
}

/// I5; T-066: a collection that the agreement comes to cover, and an account that is new.
#[test]
fn a_collection_or_an_account_that_is_added_receives_everything_old() {
    let stage = stage();
    let objects: Vec<_> = (0..5).map(|n| indicator(3, n)).collect();
    let ids: Vec<String> = objects.iter().map(material::Indicator::id).collect();
    stage.import(&objects.iter().map(material::Indicator::text).collect::<Vec<_>>(), "open", None);
    let mut poller = Poller::new(TOOL, "open", 2);
    assert_eq!(poller.page(&stage), Err(TaxiiError::NotFound));
    stage.pass(SECOND);
    stage.dir.agree(&japan(&[INTEL, "open"], &[INTEL]));
    reload(&stage);
    assert_eq!(settle(&stage, &mut poller), ids);
    stage.account("jpn-other", Some("japan"), json!({}));
    let mut other = Poller::new("jpn-other", "open", 2);
    assert_eq!(settle(&stage, &mut other), ids);
    // A collection that did not exist at all.
    stage.dir.write_node_toml("hub", &[strict_room(INTEL), public_room("open"), public_room("late")], "");
    stage.dir.agree(&japan(&[INTEL, "open", "late"], &[INTEL]));
    reload(&stage);
    stage.import(&[objects[0].text()], "late", None);
    let mut late = Poller::new(TOOL, "late", 2);
    assert_eq!(settle(&stage, &mut late), [ids[0].clone()]);
    stage.assert_sound();
}

/// I5; L-086: an agreement begins and ends by its dates, with nobody's help; its first instant belongs to it and its last does not.
#[test]
fn a_date_that_passes_releases_and_withdraws_by_itself() {
    let mut deal = japan(&[INTEL], &[]);
    deal.from = Some(at(START + 100 * SECOND));
    deal.until = Some(at(START + 200 * SECOND));
    let stage = stage_with(&[strict_room(INTEL)], &deal);
    let (visible, _) = mixed(&stage, 1);
    let mut poller = Poller::new(TOOL, INTEL, 2);
    assert!(poller.poll(&stage).is_empty());
    stage.set_clock(START + 100 * SECOND - 1);
    assert_eq!(poller.page(&stage), Err(TaxiiError::NotFound));
    stage.set_clock(START + 100 * SECOND);
    assert_eq!(settle(&stage, &mut poller), visible);
    let first = *poller.marks.first().unwrap();
    assert!(first >= START + 100 * SECOND, "a slot from before the agreement: {}", date_added::format(first));
    stage.set_clock(START + 200 * SECOND - 1);
    let mut fresh = Poller::new(TOOL, INTEL, 100);
    assert_eq!(fresh.poll(&stage), visible);
    stage.set_clock(START + 200 * SECOND);
    assert_eq!(Poller::new(TOOL, INTEL, 100).page(&stage), Err(TaxiiError::NotFound));
    stage.assert_sound();
}

/// I5, L-012: a label that names its successor: from that instant on the stricter of the two decides, with nobody's help.
#[test]
fn a_label_that_is_succeeded_by_a_stricter_one_withdraws_at_its_date() {
    let stage = stage();
    let mut next: serde_json::Value = serde_json::from_slice(material::labels()[1].1.canonical()).unwrap();
    next.as_object_mut().unwrap().remove("review");
    let mut text: serde_json::Value = serde_json::from_slice(material::labels()[2].1.canonical()).unwrap();
    text["succession"] = json!({"at": "2026-06-01T01:00:00Z", "label": next});
    let label = label::Label::from_json(&text.to_string()).unwrap();
    let object = indicator(13, 1).marked(&label.marking_id().to_string());
    stage.import(&[definition(&label, "for an hour"), object.text()], INTEL, None);
    let mut poller = Poller::new(TOOL, INTEL, 10);
    assert_eq!(settle(&stage, &mut poller), [object.id()]);
    stage.set_clock(START + 3600 * SECOND - 1);
    assert_eq!(stage.ids(TOOL, INTEL), [object.id()]);
    stage.set_clock(START + 3600 * SECOND);
    assert!(stage.ids(TOOL, INTEL).is_empty());
    // A clock that steps back over the date: the label counts as it did, as a late release.
    stage.set_clock(START);
    assert_eq!(settle(&stage, &mut poller), [object.id()]);
    stage.assert_sound();
}

/// I5: the node was not running when the date passed.
#[test]
fn a_date_that_passed_while_the_node_was_down_takes_effect_at_its_start() {
    let mut deal = japan(&[INTEL], &[]);
    deal.from = Some(at(START + 100 * SECOND));
    let stage = stage_with(&[strict_room(INTEL)], &deal);
    let (visible, _) = mixed(&stage, 1);
    stage.set_clock(START + 500 * SECOND);
    let stage = stage.reopen();
    assert_eq!(settle(&stage, &mut Poller::new(TOOL, INTEL, 10)), visible);
    stage.assert_sound();
}

/// I5, L-005: an object whose marking nobody knew waits in quarantine; the marking arrives; the next poll has the object.
#[test]
fn a_marking_that_arrives_late_releases_what_waited_for_it() {
    let stage = stage();
    let label = material::unlisted();
    let waiting = indicator(4, 1).marked(&label.marking_id().to_string());
    let intake = stage.import(&[waiting.text()], INTEL, None);
    assert_eq!(intake.quarantined, 1);
    let mut poller = Poller::new(TOOL, INTEL, 10);
    assert!(poller.poll(&stage).is_empty());
    stage.pass(SECOND);
    stage.import(&[definition(&label, "for Japan and Korea")], INTEL, None);
    assert_eq!(settle(&stage, &mut poller), [waiting.id()]);
    let rows = stage.done(Request::Quarantine { after: None });
    assert_eq!(rows, json!([]));
    stage.assert_sound();
}

/// I5, L-005: the label that the importer chose waits with the object; a statement that arrives late does not take it away, and a replay without a label
/// does not replace it by the collection's weaker default.
#[test]
fn a_label_that_was_chosen_at_the_door_outlives_the_wait_for_an_unknown_marking() {
    let stage = stage();
    let statement = format!("marking-definition--{}", material::uuid(8, 1));
    let (one, two) = (indicator(8, 2).marked(&statement), indicator(8, 3).marked(&statement));
    stage.import(&[one.text()], INTEL, Some(REL_JPN));
    stage.import(&[two.text()], "open", Some(NATO_ONLY));
    stage.dir.agree(&japan(&[INTEL, "open"], &[]));
    reload(&stage);
    let (mut intel, mut open) = (Poller::new(TOOL, INTEL, 10), Poller::new(TOOL, "open", 10));
    assert!(intel.poll(&stage).is_empty() && open.poll(&stage).is_empty());
    let row = stage.done(Request::Quarantine { after: None })[1]["no"].as_i64().unwrap();
    let replayed = stage.done(Request::QuarantineReplay { no: row, label: None });
    assert_eq!(replayed["left_quarantine"], false);
    let definition = json!({"type": "marking-definition", "spec_version": "2.1", "id": statement, "created": "2026-01-01T00:00:00.000Z",
        "definition_type": "statement", "definition": {"statement": "Copyright 2026"}, "object_marking_refs": [marking(PUBLIC)]});
    let public = material::labels().into_iter().find(|(name, _)| *name == PUBLIC).unwrap().1;
    stage.import(&[definition.to_string(), material::definition(&public, PUBLIC)], INTEL, None);
    assert_eq!(settle(&stage, &mut intel), [one.id()]);
    assert!(open.poll(&stage).is_empty(), "members only, as its importer said");
    assert_eq!(stage.done(Request::Quarantine { after: None }), json!([]));
    stage.assert_sound();
}

/// I5: what an act and a date change while an import is under way is in force for the import's objects too.
#[test]
fn an_import_that_was_begun_before_an_act_is_published_by_the_rights_after_it() {
    let mut deal = japan(&[INTEL], &[]);
    deal.classifications.clear();
    deal.from = Some(at(START + 100 * SECOND));
    let stage = stage_with(&[strict_room(INTEL)], &deal);
    let (a, b) = (indicator(1, 1), indicator(1, 2));
    let bundle = |o: &material::Indicator| material::document(material::bundle(&[o.text()]));
    // The staging is told of, and then the agreement widens and its first day comes, before the publication.
    let acts = |_: usize, _: usize| {
        deal_with(&stage, &["UNCLASSIFIED", "RESTRICTED"]);
        stage.set_clock(START + 150 * SECOND);
    };
    stage.node.import(&bundle(&a), INTEL, Some(REL_JPN), "test", &acts).unwrap();
    let mut poller = Poller::new(TOOL, INTEL, 10);
    assert_eq!(settle(&stage, &mut poller), [a.id()]);
    // And the other way: what is withdrawn while it is staged never shows.
    let acts = |_: usize, _: usize| deal_with(&stage, &[]);
    stage.node.import(&bundle(&b), INTEL, Some(REL_JPN), "test", &acts).unwrap();
    assert!(poller.poll(&stage).is_empty());
    stage.assert_sound();
}

fn deal_with(stage: &Stage, classifications: &[&'static str]) {
    let mut deal = japan(&[INTEL], &[]);
    deal.classifications = classifications.to_vec();
    deal.from = Some(at(START + 100 * SECOND));
    stage.dir.agree(&deal);
    reload(stage);
}

/// I4, I5: a relabelled object that carried a wider label is revoked; its revocation never shows to those who lost it.
#[test]
fn a_revocation_follows_the_relabel_of_its_object_from_the_first_moment() {
    let stage = stage();
    let own = indicator(12, 1).marked(&marking(REL_JPN)).by(material::HUB);
    let hub = material::identity(material::HUB, "the hub");
    let labels: Vec<String> = material::labels().iter().map(|(name, label)| definition(label, name)).collect();
    stage.import(&labels, INTEL, None);
    stage.import(&[hub], INTEL, Some(PUBLIC));
    stage.import(&[own.text()], INTEL, None);
    let mut poller = Poller::new(TOOL, INTEL, 10);
    assert!(settle(&stage, &mut poller).contains(&own.id()));
    stage.relabel(&own.id(), NATO_ONLY);
    assert!(!stage.ids(TOOL, INTEL).contains(&own.id()));
    stage.pass(SECOND);
    stage.done(Request::Revoke { id: own.id(), realm: None });
    assert!(poller.poll(&stage).is_empty());
    assert!(!stage.ids(TOOL, INTEL).contains(&own.id()));
    let reader = stage.node.world().reader(TOOL).unwrap().no;
    let acts: Vec<_> = stage.node.store().leaves(0, 1_000).unwrap();
    assert!(acts.iter().all(|leaf| leaf.kind != "receipt" || !leaf.body.contains("revoke")), "{reader}");
    assert_eq!(acts.iter().filter(|leaf| leaf.kind == "relabel").count(), 1, "the revocation needs no second act");
    stage.assert_sound();
}

/// I2 with I5: the marking was stored, and the node died before what waited for it was looked at again.
#[test]
fn a_marking_whose_arrival_was_cut_off_releases_at_the_next_start() {
    let stage = stage();
    let label = material::unlisted();
    let waiting = indicator(4, 1).marked(&label.marking_id().to_string());
    stage.import(&[waiting.text()], INTEL, None);
    // What `Node::import` does before it is cut off: the definition is published, and nothing after that happens.
    let text = definition(&label, "for Japan and Korea");
    let object = stix::Object::parse(&text, &stix::Limits::default()).unwrap();
    let world = stage.node.world();
    let mut markings = label::Markings::clone(&world.markings);
    let origin = label::Origin::Own { account: None };
    markings.add(&object, &origin).unwrap();
    let collection = world.collection(INTEL).unwrap().no;
    let chain = label::resolve(&object, &markings, &world.config.policies, collection, &origin, &[], &[]);
    let head = store::BatchHead { collection, origin, accepted: stage.node.now() };
    let learnt = node::world::World {
        config: Arc::clone(&world.config),
        markings: Arc::new(markings),
        readers: Arc::clone(&world.readers),
        collections: Arc::clone(&world.collections),
        accounts: Arc::clone(&world.accounts),
        epoch: world.epoch,
        window: world.window,
    };
    let rights = node::world::RightsAt::new(&learnt, stage.node.now());
    let incoming = store::Incoming { object, chain };
    stage.node.store().ingest(&head, &[incoming], &store::Alongside::default(), &rights, None).unwrap();
    drop(rights);
    drop(world);
    let stage = stage.reopen();
    let mut poller = Poller::new(TOOL, INTEL, 10);
    assert_eq!(settle(&stage, &mut poller), [waiting.id()]);
    stage.assert_sound();
}

/// I5, L-127: a relation waits for its target; the target arrives, or becomes visible.
#[test]
fn a_target_that_arrives_late_releases_what_refers_to_it() {
    let stage = stage();
    let (near, far, secret) = (indicator(5, 1), indicator(5, 2), indicator(5, 3));
    let to_far = relationship(5, 10, &near.id(), &far.id());
    let to_secret = relationship(5, 11, &near.id(), &secret.id());
    stage.import(&[near.text(), to_far.text(), to_secret.text()], INTEL, Some(REL_JPN));
    let mut poller = Poller::new(TOOL, INTEL, 10);
    assert_eq!(settle(&stage, &mut poller), [near.id()]);
    stage.pass(SECOND);
    stage.import(&[far.text()], INTEL, Some(REL_JPN));
    let mut got = settle(&stage, &mut poller);
    got.sort();
    let mut wanted = vec![far.id(), to_far.id()];
    wanted.sort();
    assert_eq!(got, wanted);
    stage.import(&[secret.text()], INTEL, Some(NATO_ONLY));
    assert!(poller.poll(&stage).is_empty(), "the arrival of a hidden target tells nothing");
    stage.relabel(&secret.id(), REL_JPN);
    let mut got = settle(&stage, &mut poller);
    got.sort();
    let mut wanted = vec![secret.id(), to_secret.id()];
    wanted.sort();
    assert_eq!(got, wanted);
    // And away again: the relation goes with its target.
    stage.relabel(&secret.id(), NATO_ONLY);
    assert!(!stage.ids(TOOL, INTEL).contains(&to_secret.id()));
    stage.assert_sound();
}

/// I5: a reader that moves between two audiences, both of which others share.
#[test]
fn a_reader_that_moves_between_two_clearances_gets_what_is_new_to_it_and_keeps_its_slots() {
    let stage = stage();
    let series = |space: u32, label: &str| {
        let objects: Vec<_> = (0..3).map(|n| indicator(space, n)).collect();
        stage.import(&objects.iter().map(material::Indicator::text).collect::<Vec<_>>(), INTEL, Some(label));
        objects.iter().map(material::Indicator::id).collect::<Vec<_>>()
    };
    let (both, for_jpn, for_aus) = (series(1, PUBLIC), series(2, REL_JPN), series(3, REL_AUS));
    let mut poller = Poller::new(TOOL, INTEL, 2);
    assert_eq!(settle(&stage, &mut poller), [both.clone(), for_jpn.clone()].concat());
    let before = stage.shown(TOOL, INTEL);
    let mut deal = japan(&[INTEL], &[INTEL]);
    deal.code = "AUS";
    stage.dir.agree(&deal);
    stage.pass(SECOND);
    reload(&stage);
    assert_eq!(settle(&stage, &mut poller), for_aus);
    let kept: Vec<_> = before.iter().filter(|(id, ..)| both.contains(id)).collect();
    let after = stage.shown(TOOL, INTEL);
    assert_eq!(kept.len(), 3);
    assert!(kept.iter().all(|row| after.contains(row)), "what stayed visible keeps its slot");
    assert!(!after.iter().any(|(id, ..)| for_jpn.contains(id)));
    deal.code = "JPN";
    stage.dir.agree(&deal);
    stage.pass(SECOND);
    reload(&stage);
    assert_eq!(settle(&stage, &mut poller), for_jpn, "granted again, it comes again");
    stage.assert_sound();
}

/// I5; design: slots. Withdrawn and granted again is new; the old slot is used by nobody.
#[test]
fn what_is_withdrawn_and_granted_again_gets_a_new_slot_and_the_old_one_stays_empty() {
    let stage = stage();
    let (visible, _) = mixed(&stage, 1);
    let mut poller = Poller::new(TOOL, INTEL, 100);
    assert_eq!(settle(&stage, &mut poller), visible);
    let slot = |id: &String| stage.shown(TOOL, INTEL).into_iter().find(|(i, ..)| i == id).map(|(.., slot)| slot);
    let mut used = std::collections::BTreeSet::new();
    for round in 0..4 {
        let old = slot(&visible[3]).unwrap();
        assert!(used.insert(old.clone()), "slot {old} was used before");
        stage.relabel(&visible[3], NATO_ONLY);
        assert_eq!(slot(&visible[3]), None);
        assert!(poller.poll(&stage).is_empty());
        if round % 2 == 0 {
            stage.pass(SECOND);
        }
        stage.relabel(&visible[3], REL_JPN);
        assert_eq!(settle(&stage, &mut poller), [visible[3].clone()]);
        assert!(stage.shown(TOOL, INTEL).iter().all(|(id, _, slot)| *slot != old || *id == visible[3]));
    }
    // The same by the agreement, for all at once.
    stage.dir.agree(&japan(&["open"], &[]));
    reload(&stage);
    assert!(stage.shown(TOOL, INTEL).is_empty());
    stage.dir.agree(&japan(&[INTEL], &[INTEL]));
    reload(&stage);
    assert_eq!(settle(&stage, &mut poller), visible);
    stage.assert_sound();
}

/// I5: five thousand at once, across page borders, while a reader is in the middle of its pages; by header and by `next`.
#[test]
fn thousands_that_become_visible_at_once_arrive_complete_while_a_reader_pages() {
    let stage = stage();
    let many = 5_000;
    let objects: Vec<_> = (0..many).map(|n| indicator(7, n)).collect();
    stage.import(&objects.iter().map(material::Indicator::text).collect::<Vec<_>>(), INTEL, Some(SECRET_JPN));
    let (visible, _) = mixed(&stage, 1);
    let mut by_header = Poller::new(TOOL, INTEL, 2);
    let (first, more) = by_header.page(&stage).unwrap();
    assert!(more);
    let listed = stage.list(TOOL, INTEL, Listing::Objects, "limit=3").unwrap();
    let page: serde_json::Value = serde_json::from_slice(&listed.body).unwrap();
    let mut by_next: Vec<String> =
        page["objects"].as_array().unwrap().iter().map(|o| o["id"].as_str().unwrap().to_owned()).collect();
    let mut next = page["next"].as_str().map(str::to_owned);
    let mut deal = japan(&[INTEL], &[INTEL]);
    deal.classifications = vec!["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET"];
    stage.dir.agree(&deal);
    reload(&stage);
    let mut got = first;
    by_header.limit = 97;
    got.extend(by_header.poll(&stage));
    let mut wanted: Vec<String> = objects.iter().map(material::Indicator::id).chain(visible).collect();
    wanted.sort();
    got.sort();
    assert!(got == wanted, "by header: {} of {} came", got.len(), wanted.len());
    while let Some(cursor) = next {
        let listed = stage.list(TOOL, INTEL, Listing::Objects, &format!("limit=999&next={cursor}")).unwrap();
        let page: serde_json::Value = serde_json::from_slice(&listed.body).unwrap();
        by_next.extend(page["objects"].as_array().unwrap().iter().map(|o| o["id"].as_str().unwrap().to_owned()));
        next = page["next"].as_str().map(str::to_owned).filter(|_| page["more"] == true);
    }
    by_next.retain(|id| !crate::stage::is_marking(id));
    by_next.sort();
    assert!(by_next == wanted, "by `next`: {} of {} came", by_next.len(), wanted.len());
    stage.assert_sound();
}

/// I5, I1: the agreement ends between two pages. The second page is what a fresh reader is told, byte for byte.
#[test]
fn an_agreement_that_ends_between_two_pages_gives_no_second_page() {
    let mut deal = japan(&[INTEL], &[]);
    deal.until = Some(at(START + 100 * SECOND));
    let stage = stage_with(&[strict_room(INTEL)], &deal);
    stage.account("jpn-other", Some("japan"), json!({}));
    mixed(&stage, 1);
    let listed = stage.list(TOOL, INTEL, Listing::Objects, "limit=2").unwrap();
    let page: serde_json::Value = serde_json::from_slice(&listed.body).unwrap();
    assert_eq!(page["more"], true);
    let next = page["next"].as_str().unwrap();
    stage.set_clock(START + 100 * SECOND);
    let second = stage.list(TOOL, INTEL, Listing::Objects, &format!("limit=2&next={next}")).unwrap_err();
    let fresh = stage.list("jpn-other", INTEL, Listing::Objects, "limit=2").unwrap_err();
    let unknown =
        stage.list(TOOL, "nothing-of-that-name", Listing::Objects, &format!("limit=2&next={next}")).unwrap_err();
    assert_eq!((second.status(), second.body()), (404, fresh.body()));
    assert_eq!(second.body(), unknown.body());
    // A cursor is of no use to another account, before or after.
    stage.set_clock(START + 50 * SECOND);
    let stolen = stage.list("jpn-other", INTEL, Listing::Objects, &format!("limit=2&next={next}")).unwrap_err();
    assert_eq!(stolen.status(), 400);
}

/// Fail closed: a clock that steps back releases nothing early, shows nothing that is over, and slots go on growing.
#[test]
fn a_clock_that_steps_back_releases_nothing_early_and_slots_keep_growing() {
    let mut deal = japan(&[INTEL], &[]);
    deal.from = Some(at(START + 100 * SECOND));
    let stage = stage_with(&[strict_room(INTEL)], &deal);
    let (visible, _) = mixed(&stage, 1);
    stage.set_clock(START + 150 * SECOND);
    let mut poller = Poller::new(TOOL, INTEL, 100);
    assert_eq!(settle(&stage, &mut poller), visible);
    // Back over the date: as if it had not begun.
    stage.set_clock(START + 50 * SECOND);
    assert_eq!(poller.page(&stage), Err(TaxiiError::NotFound));
    let stage = stage.reopen();
    assert_eq!(Poller::new(TOOL, INTEL, 100).page(&stage), Err(TaxiiError::NotFound));
    // Past it once more, but still before the slots already given: everything comes again, later than what was seen.
    stage.set_clock(START + 101 * SECOND);
    assert_eq!(settle(&stage, &mut poller), visible);
    // New material while the clock lags: no slot at or below an old one.
    stage.set_clock(START + 100 * SECOND + 1);
    let late = indicator(9, 1);
    stage.import(&[late.text()], INTEL, Some(REL_JPN));
    assert_eq!(settle(&stage, &mut poller), [late.id()]);
    assert!(poller.marks.windows(2).all(|w| w[0] < w[1]));
    stage.assert_sound();
}

/// Design: labels that a node assigns. A contributor reads back what it brought at once, and others get it when its label is understood.
#[test]
fn a_posted_object_is_read_back_by_its_sender_and_released_to_others_when_labelled() {
    let dir = NodeDir::init("hub", &[strict_room(INTEL)]);
    dir.agree(&japan(&[INTEL], &[INTEL]));
    let mut australia = japan(&[INTEL], &[INTEL]);
    australia.partner = "australia";
    australia.code = "AUS";
    dir.agree(&australia);
    let stage = Stage::open(dir);
    stage.account(TOOL, Some("japan"), json!({}));
    stage.account("aus-tool", Some("australia"), json!({}));
    let bare = indicator(11, 1);
    let status = stage.post(TOOL, INTEL, &envelope(&[bare.text()])).unwrap();
    assert_eq!(status["success_count"], 1);
    let (mut own, mut other) = (Poller::new(TOOL, INTEL, 10), Poller::new("aus-tool", INTEL, 10));
    assert_eq!(settle(&stage, &mut own), [bare.id()]);
    assert!(other.poll(&stage).is_empty());
    let row = stage.done(Request::Quarantine { after: None })[0]["no"].as_i64().unwrap();
    stage.done(Request::QuarantineReplay { no: row, label: Some(PUBLIC.to_owned()) });
    assert_eq!(settle(&stage, &mut other), [bare.id()]);
    stage.assert_sound();
}
