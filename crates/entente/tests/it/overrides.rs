//! Overrides by two persons and requests to originators at the whole node (L-157, I1, I4, I5, I6): what they open, until when, and what they never open.

use crate::{
    material::{
        self, HUB, NATO_ONLY, PUBLIC, REL_JPN, SECRET_JPN, catalogue, envelope, identity, indicator, japan, marking,
    },
    officers::{self, Officer, act, appoint, draft, release, text, two},
    scene::{NodeDir, public_room, strict_room},
    stage::{Poller, SECOND, START, Stage},
};
use node::{
    admin::Request,
    overrides::{OVERRIDE_DAYS_MAX, OVERRIDE_ROADS_MAX, OVERRIDES_OPEN_MAX, REASON_CHARS_MAX},
    requests::{NewRequest, REQUEST_TEXT_CHARS_MAX, RequestKind},
};
use serde_json::{Value, json};
use taxii::{
    client::{Response, Transport, TransportError},
    server::{Caller, Listing, Taxii as _},
};

const TOOL: &str = "jpn-tool";
const PEER: &str = "jpn-node";
/// Of another partner with the same clearance.
const OTHER: &str = "xpa-tool";
const INTEL: &str = "intel";
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

fn directory(officers: &[Officer]) -> NodeDir {
    let dir = NodeDir::init("hub", &[strict_room(INTEL), public_room("open"), public_room("closed")]);
    appoint(dir.path(), officers);
    dir.agree(&japan(&[INTEL, "open"], &[INTEL]));
    let mut other = japan(&[INTEL, "open"], &[]);
    (other.partner, other.identity) = ("xpa", material::STRANGER.to_owned());
    dir.agree(&other);
    dir
}

fn stage() -> Stage {
    let stage = Stage::open(directory(&two()));
    stage.account(TOOL, Some("japan"), json!({}));
    stage.account(PEER, Some("japan"), json!({"peer": true}));
    stage.account(OTHER, Some("xpa"), json!({"withdrawals": true}));
    stage.import(&[identity(HUB, "the hub")], INTEL, Some(PUBLIC));
    stage
}

/// An own object that Japan may not have.
fn secret(stage: &Stage, number: u64) -> String {
    let object = indicator(1, number).by(HUB).marked(&marking(NATO_ONLY));
    stage.import(&[object.text()], INTEL, None);
    object.id()
}

fn notices(stage: &Stage, account: &str) -> Vec<(String, String)> {
    let listed = stage.list(account, "withdrawals", Listing::Objects, "").unwrap();
    let body: Value = serde_json::from_slice(&listed.body).unwrap();
    let of = |n: &Value, name: &str| n[name].as_str().unwrap().to_owned();
    let all = body["objects"].as_array().cloned().unwrap_or_default();
    all.iter()
        .map(|n| (of(n, "withdrawn_ref"), of(n, "reason")))
        .filter(|(id, _)| id.starts_with("indicator"))
        .collect()
}

fn state(stage: &Stage, act: uuid::Uuid) -> String {
    stage.done(Request::OverrideShow { id: act })["state"].as_str().unwrap().to_owned()
}

/// States that the audit log tells of an act.
fn told_in_the_log(stage: &Stage, act: uuid::Uuid) -> Vec<String> {
    let leaves = stage.done(Request::Audit { from: 0, limit: 10_000 });
    let bodies = leaves.as_array().unwrap().iter().filter(|l| l["kind"] == "override");
    let bodies = bodies.map(|l| serde_json::from_str::<Value>(l["body"].as_str().unwrap()).unwrap()["body"].clone());
    let of = bodies.filter(|b| b["override"] == act.to_string());
    of.map(|b| b["state"].as_str().unwrap().to_owned()).collect()
}

fn steps(stage: &Stage, id: &str, rule: &str) -> Vec<bool> {
    let told = stage.done(Request::Explain { id: id.to_owned(), to: TOOL.to_owned(), realm: None });
    let rows = told["instances"].as_array().unwrap().iter().flat_map(|i| i["steps"].as_array().unwrap());
    rows.filter(|s| s["rule"] == rule).map(|s| s["passed"] == true).collect()
}

/// L-157, I5, I6, I2: one signature does nothing, the same person's second is refused, another person's puts it in force: the next poll brings the object, and nobody else's does. It
/// ends at its microsecond, with a notice for who had it. All of it survives a restart, and stands in the log.
#[test]
fn two_persons_release_an_object_for_a_time() {
    let stage = stage();
    let [kim, lee] = two();
    let id = secret(&stage, 1);
    let beside = secret(&stage, 2);
    let mut poller = Poller::new(TOOL, INTEL, 10);
    let mut others = Poller::new(OTHER, INTEL, 10);
    poller.poll(&stage);
    others.poll(&stage);
    let until = START + 5 * HOUR;
    stage.pass(SECOND);
    let told = stage.done(draft(&id, "japan", until));
    assert_eq!((&told["partner"], &told["roads"][0]["labels"]), (&json!("japan"), &json!([NATO_ONLY])));
    assert_eq!(told["roads"][0]["collection"], INTEL);
    assert_eq!((&told["definitions"], told.get("withheld_until_known")), (&json!([NATO_ONLY]), None), "{told}");
    let (name, text) = (act(&told), text(&told));
    assert_eq!(stage.done(Request::Overrides { state: None, after: None }), json!([]), "a draft is nothing yet");
    let told = stage.done(Request::OverridePropose { text: text.clone(), jws: kim.signs(&text) });
    assert_eq!((&told["state"], &told["signed"][0]["officer"]), (&json!("proposed"), &json!("kim")));
    let since = told["since"].clone();
    assert!(poller.poll(&stage).is_empty() && steps(&stage, &id, "L-157").is_empty());
    assert_eq!(state(&stage, name), "proposed");
    let stage = stage.reopen();
    let approve = |jws: String| Request::OverrideApprove { id: name, jws };
    assert!(stage.failed(approve(kim.signs(&text))).contains("needs two persons"));
    assert!(stage.failed(approve(kim.signs_as("lee", &text))).contains("signature"), "not under another name");
    assert!(stage.failed(approve(lee.signs_as("kim", &text))).contains("signature"));
    assert!(stage.failed(approve(lee.signs(&format!("{text} ")))).contains("signature"), "not another text");
    let stranger = Officer::new("park", 3);
    assert!(stage.failed(approve(stranger.signs(&text))).contains("park"));
    assert!(poller.poll(&stage).is_empty());
    stage.pass(SECOND);
    let told = stage.done(approve(lee.signs(&text)));
    assert_eq!((&told["state"], told["signed"].as_array().unwrap().len()), (&json!("in-force"), 2));
    assert_ne!(told["since"], since, "each state has its time");
    assert!(stage.failed(approve(lee.signs(&text))).contains("in-force"));
    assert!(stage.failed(Request::OverridePropose { text: text.clone(), jws: kim.signs(&text) }).contains("exists"));
    assert_eq!(poller.poll(&stage), std::slice::from_ref(&id), "the next poll brings it, and it alone");
    assert!(others.poll(&stage).is_empty());
    assert_eq!(steps(&stage, &id, "L-157"), [true]);
    assert_eq!(stage.ids(PEER, INTEL).iter().filter(|i| **i == id).count(), 1);
    // Its marking's definition came with it, and opens nothing else.
    let definitions = stage.shown(TOOL, INTEL).into_iter().filter(|(i, ..)| *i == marking(NATO_ONLY)).count();
    assert_eq!(definitions, 1);
    assert!(!stage.ids(TOOL, INTEL).contains(&beside));
    stage.list(PEER, INTEL, Listing::Objects, "").unwrap();
    let deliveries = stage.done(Request::WhoHas { id: id.clone(), realm: None });
    assert!(deliveries.to_string().contains(TOOL));
    stage.assert_sound();

    let stage = stage.reopen();
    assert_eq!(state(&stage, name), "in-force");
    stage.set_clock(until - 1);
    assert!(stage.ids(TOOL, INTEL).contains(&id));
    stage.set_clock(until);
    assert!(!stage.ids(TOOL, INTEL).contains(&id), "its end does not belong to it");
    assert_eq!(notices(&stage, PEER), [(id.clone(), "rights".to_owned())]);
    assert!(notices(&stage, OTHER).is_empty());
    assert_eq!(state(&stage, name), "expired");
    assert_eq!(told_in_the_log(&stage, name), ["proposed", "in-force", "expired"]);
    // A clock that steps back brings nothing back.
    stage.set_clock(until - HOUR);
    assert!(!stage.ids(TOOL, INTEL).contains(&id));
    stage.assert_sound();
    // Another act brings it back, with a slot of its own.
    release(&stage.node, &id, "japan", until + HOUR).unwrap();
    stage.pass(SECOND);
    assert_eq!(poller.poll(&stage), [id]);
    stage.assert_sound();
}

/// L-157, L-122, I4: what others say under the identifier of its marking, and take back, ends nothing.
#[test]
fn another_partys_definition_ends_no_override() {
    let stage = stage();
    let mut writes = japan(&[INTEL], &[INTEL]);
    (writes.partner, writes.identity) = ("xpa", material::STRANGER.to_owned());
    stage.dir.agree(&writes);
    stage.done(Request::Reload);
    let id = secret(&stage, 1);
    release(&stage.node, &id, "japan", START + DAY).unwrap();
    stage.pass(SECOND);
    assert!(stage.ids(TOOL, INTEL).contains(&id));
    let mut forged: Value = serde_json::from_str(&catalogue()).unwrap();
    let of = |o: &&mut Value| o["id"] == marking(NATO_ONLY).as_str();
    let forged = forged["objects"].as_array_mut().unwrap().iter_mut().find(of).unwrap();
    forged["name"] = "by somebody else".into();
    forged["created"] = "2020-01-01T00:00:00.000Z".into();
    stage.post(OTHER, INTEL, &envelope(&[forged.to_string()])).unwrap();
    stage.node.delete(&Caller { account: OTHER.to_owned() }, "live", INTEL, &marking(NATO_ONLY), "").unwrap();
    assert!(stage.ids(TOOL, INTEL).contains(&id));
    let list = stage.done(Request::Overrides { state: Some("in-force".to_owned()), after: None });
    assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
    stage.assert_sound();
}

/// L-157, I5: it is taken back by one person, by a relabel, and by whatever takes the object away; what the labels are then decides, and who had it is told. Labels that
/// changed after the first signature are not what was signed.
#[test]
fn what_two_persons_released_is_taken_back() {
    let stage = stage();
    let until = START + DAY;
    let ids: Vec<String> = (1..=4).map(|n| secret(&stage, n)).collect();
    let acts: Vec<uuid::Uuid> = ids.iter().map(|id| release(&stage.node, id, "japan", until).unwrap().0).collect();
    stage.list(PEER, INTEL, Listing::Objects, "").unwrap();
    assert_eq!(stage.ids(TOOL, INTEL).iter().filter(|i| ids.contains(i)).count(), 4);
    stage.pass(SECOND);
    let why = "the ship is safe".to_owned();
    let since = stage.done(Request::OverrideShow { id: acts[0] })["since"].clone();
    let told = stage.done(Request::OverrideWithdraw { id: acts[0], reason: why.clone() });
    assert_eq!((&told["state"], &told["why"]), (&json!("withdrawn"), &json!(why)));
    assert_ne!(told["since"], since, "each state has its time");
    assert!(stage.failed(Request::OverrideWithdraw { id: acts[0], reason: why.clone() }).contains("withdrawn already"));
    assert!(!stage.ids(TOOL, INTEL).contains(&ids[0]));
    // Its definition stays for the others.
    assert!(stage.shown(TOOL, INTEL).iter().any(|(i, ..)| *i == marking(NATO_ONLY)));
    stage.relabel(&ids[1], SECRET_JPN);
    assert_eq!(state(&stage, acts[1]), "withdrawn");
    assert!(!stage.ids(TOOL, INTEL).contains(&ids[1]));
    // The same label again is another label all the same: nobody signed for it.
    stage.relabel(&ids[2], NATO_ONLY);
    assert_eq!(state(&stage, acts[2]), "withdrawn");
    let mut told = notices(&stage, PEER);
    told.sort();
    let mut want: Vec<_> = ids[..3].iter().map(|id| (id.clone(), "recall".to_owned())).collect();
    want.sort();
    assert_eq!(told, want);
    assert_eq!(told_in_the_log(&stage, acts[1]), ["proposed", "in-force", "withdrawn"]);
    assert!(stage.ids(TOOL, INTEL).contains(&ids[3]));
    stage.assert_sound();
    let stage = stage.reopen();
    assert!(stage.ids(TOOL, INTEL).contains(&ids[3]) && !stage.ids(TOOL, INTEL).contains(&ids[0]));

    // Relabelled between the two signatures.
    let [kim, lee] = two();
    let fifth = secret(&stage, 5);
    let told = stage.done(draft(&fifth, "japan", until));
    let (name, text) = (act(&told), text(&told));
    stage.done(Request::OverridePropose { text: text.clone(), jws: kim.signs(&text) });
    stage.relabel(&fifth, SECRET_JPN);
    let said = stage.failed(Request::OverrideApprove { id: name, jws: lee.signs(&text) });
    assert!(said.contains("does not bear the labels any more"), "{said}");
    // A proposal that nobody signed in time.
    stage.set_clock(until);
    stage.node.tick(&mut node::jobs::Jobs::default(), &NoTransport).unwrap();
    assert_eq!(state(&stage, name), "expired");
    assert_eq!(told_in_the_log(&stage, name), ["proposed", "expired"]);
    stage.assert_sound();
}

/// Nobody is pulled from here.
struct NoTransport;
impl Transport for NoTransport {
    fn send(&self, _: &taxii::client::Request) -> Result<Response, TransportError> {
        Err(TransportError::Timeout)
    }
}

/// L-157, L-141, L-005, L-127, I4: what no two persons open.
#[test]
fn two_persons_never_open_more_than_an_own_objects_labels() {
    let stage = stage();
    let until = START + DAY;
    let refused = |id: &str, expected: &str| {
        let said = release(&stage.node, id, "japan", until).unwrap_err();
        assert!(said.contains(expected), "{expected}: {said}");
    };
    let import = |object: &material::Indicator, room: &str, label: Option<&str>| {
        stage.import(&[object.text()], room, label);
        object.id()
    };
    let red =
        import(&indicator(2, 1).by(HUB).with("object_marking_refs", json!([marking(NATO_ONLY), RED])), INTEL, None);
    refused(&red, "L-141");
    let waiting = import(&indicator(2, 2).by(HUB), INTEL, None);
    refused(&waiting, "quarantine");
    // Others' material: by a partner's post, and by the operator's own import of what another organisation made.
    let theirs = indicator(2, 3).marked(&marking(SECRET_JPN));
    let body = envelope(&[theirs.text()]);
    stage.post(TOOL, INTEL, &body).unwrap();
    let said = release(&stage.node, &theirs.id(), "xpa", until).unwrap_err();
    assert!(said.contains("others' material"), "{said}");
    let foreign = import(&indicator(2, 4).by(material::STRANGER).marked(&marking(NATO_ONLY)), INTEL, None);
    refused(&foreign, "not of this organisation");
    // A kind and a collection that the agreement does not give.
    let closed = import(&indicator(2, 5).by(HUB).marked(&marking(NATO_ONLY)), "closed", None);
    refused(&closed, "the agreement does not give");
    let mut narrow = japan(&[INTEL, "open"], &[INTEL]);
    narrow.kinds = vec!["report", "marking-definition", "identity"];
    stage.dir.agree(&narrow);
    stage.done(Request::Reload);
    let kind = secret(&stage, 6);
    refused(&kind, "the agreement does not give this kind");
    stage.dir.agree(&japan(&[INTEL, "open"], &[INTEL]));
    stage.done(Request::Reload);
    // What needs none, what is not there, whom nobody has an agreement with.
    let free = import(&indicator(2, 7).by(HUB), INTEL, Some(PUBLIC));
    refused(&free, "needs no override");
    refused(&format!("indicator--{}", material::uuid(99, 1)), "not held");
    assert!(release(&stage.node, &kind, "korea", until).unwrap_err().contains("no agreement with `korea`"));
    assert_eq!(stage.done(Request::Overrides { state: None, after: None }), json!([]));

    // L-127: it is in force, and what it refers to may not be known: it waits like any other, and comes when that may be.
    let target = secret(&stage, 8);
    let needs = material::relationship(2, 9, &target, &free).by(HUB).marked(&marking(NATO_ONLY));
    stage.import(&[needs.text()], INTEL, None);
    let told = stage.done(draft(&needs.id(), "japan", until));
    assert_eq!(told["withheld_until_known"], json!([target]), "{told}");
    release(&stage.node, &needs.id(), "japan", until).unwrap();
    assert!(!stage.ids(TOOL, INTEL).contains(&needs.id()));
    release(&stage.node, &target, "japan", until).unwrap();
    let ids = stage.ids(TOOL, INTEL);
    assert!(ids.contains(&needs.id()) && ids.contains(&target));
    stage.assert_sound();
    // The agreement that ends, and the account that is disabled, have no override.
    std::fs::remove_file(stage.dir.path().join("agreements").join("japan.toml")).unwrap();
    stage.done(Request::Reload);
    assert!(stage.ids(TOOL, INTEL).is_empty());
    stage.assert_sound();
}

/// L-157, I1: of the definitions of its markings those alone come with it that lie where it lies, and that not everybody knows.
#[test]
fn an_override_brings_the_definitions_that_it_needs_and_no_other() {
    let stage = stage();
    let (amber, label) = (label::Tlp::Amber, marking(NATO_ONLY));
    let definition = catalogue_definition(&label);
    stage.import(&[definition.clone(), amber.marking_definition()], INTEL, None);
    stage.import(&[definition], "open", None);
    let both = json!([label, amber.marking_id()]);
    let object = indicator(1, 1).by(HUB).with("object_marking_refs", both);
    stage.import(&[object.text()], INTEL, None);
    let told = stage.done(draft(&object.id(), "japan", START + DAY));
    assert_eq!(told["definitions"], json!([NATO_ONLY]), "{told}");
    release(&stage.node, &object.id(), "japan", START + DAY).unwrap();
    stage.pass(SECOND);
    let gets = |room: &str, id: &str| stage.shown(TOOL, room).iter().any(|(shown, ..)| shown == id);
    assert!(gets(INTEL, &object.id()) && gets(INTEL, &label));
    assert!(!gets(INTEL, &amber.marking_id().to_string()), "everybody knows it");
    assert!(!gets("open", &label), "there it was not signed for");
    stage.assert_sound();
}

/// L-157: what was taken away and brought again between the two signatures is what both signed for; it is opened, and taken back, where it is now.
#[test]
fn what_came_again_between_the_signatures_is_opened_and_taken_back() {
    let stage = stage();
    stage.account("own-tool", None, json!({"write": [INTEL]}));
    let [kim, lee] = two();
    let object = indicator(1, 1).by(HUB).marked(&marking(NATO_ONLY));
    let post = || stage.post("own-tool", INTEL, &envelope(&[object.text()])).unwrap();
    post();
    let told = stage.done(draft(&object.id(), "japan", START + DAY));
    let (name, text) = (act(&told), text(&told));
    stage.done(Request::OverridePropose { text: text.clone(), jws: kim.signs(&text) });
    stage.pass(SECOND);
    stage.node.delete(&Caller { account: "own-tool".to_owned() }, "live", INTEL, &object.id(), "").unwrap();
    let said = stage.failed(Request::OverrideApprove { id: name, jws: lee.signs(&text) });
    assert!(said.contains("no override opens"), "{said}");
    post();
    stage.done(Request::OverrideApprove { id: name, jws: lee.signs(&text) });
    assert!(stage.ids(TOOL, INTEL).contains(&object.id()));
    stage.assert_sound();
    stage.pass(SECOND);
    stage.done(Request::OverrideWithdraw { id: name, reason: "the ship is safe".to_owned() });
    assert!(!stage.ids(TOOL, INTEL).contains(&object.id()));
    stage.assert_sound();
}

/// The definition of a marking of the catalogue.
fn catalogue_definition(id: &str) -> String {
    let catalogue: Value = serde_json::from_str(&catalogue()).unwrap();
    let objects = catalogue["objects"].as_array().unwrap();
    objects.iter().find(|o| o["id"] == id).unwrap().to_string()
}

/// L-157: an override opens so many roads, those of definitions among them, and not one more.
#[test]
fn an_override_opens_a_bounded_number_of_roads() {
    let rooms: Vec<&'static str> = (0..=OVERRIDE_ROADS_MAX / 2).map(|n| &*format!("room-{n}").leak()).collect();
    let dir = NodeDir::init("hub", &rooms.iter().map(|room| strict_room(room)).collect::<Vec<_>>());
    appoint(dir.path(), &two());
    dir.agree(&japan(&rooms, &[]));
    let stage = Stage::open(dir);
    stage.account(TOOL, Some("japan"), json!({}));
    let (object, definition) =
        (indicator(1, 1).by(HUB).marked(&marking(NATO_ONLY)), catalogue_definition(&marking(NATO_ONLY)));
    let (last, most) = rooms.split_last().unwrap();
    for room in most {
        stage.import(&[definition.clone(), object.text()], room, None);
    }
    stage.done(draft(&object.id(), "japan", START + DAY));
    stage.import(&[object.text()], last, None);
    let said = stage.failed(draft(&object.id(), "japan", START + DAY));
    assert!(said.contains(&format!("more than {OVERRIDE_ROADS_MAX} roads")), "{said}");
}

/// L-157: who is no officer any more signs nothing, and what they signed ends, also while it is only proposed. Two persons are two keys.
#[test]
fn an_officer_that_goes_takes_along_what_was_signed() {
    let stage = stage();
    let [kim, lee] = two();
    let until = START + DAY;
    let (first, second) = (secret(&stage, 1), secret(&stage, 2));
    let (name, _) = release(&stage.node, &first, "japan", until).unwrap();
    let told = stage.done(draft(&second, "japan", until));
    let (waiting, text) = (act(&told), text(&told));
    stage.done(Request::OverridePropose { text: text.clone(), jws: lee.signs(&text) });
    let path = stage.dir.path().join("node.toml");
    let before = std::fs::read_to_string(&path).unwrap();
    let with = |officers: &[Officer]| {
        let bare = before.split("\n[[officer]]").next().unwrap();
        std::fs::write(&path, bare.to_owned() + &officers.iter().map(Officer::table).collect::<String>()).unwrap();
    };
    // Lee's name with another key is not Lee.
    let park = Officer::new("park", 3);
    with(&[Officer::new("kim", 1), Officer::new("lee", 9), park]);
    stage.done(Request::Reload);
    assert!(!stage.ids(TOOL, INTEL).contains(&first));
    assert_eq!((state(&stage, name), state(&stage, waiting)), ("withdrawn".to_owned(), "withdrawn".to_owned()));
    assert!(stage.failed(Request::OverrideApprove { id: waiting, jws: kim.signs(&text) }).contains("withdrawn"));
    // Back again: what ended stays ended.
    std::fs::write(&path, &before).unwrap();
    stage.done(Request::Reload);
    assert!(!stage.ids(TOOL, INTEL).contains(&first));
    assert_eq!(told_in_the_log(&stage, name), ["proposed", "in-force", "withdrawn"]);
    stage.assert_sound();
    // A key that goes while the node is down.
    let (name, _) = release(&stage.node, &first, "japan", until).unwrap();
    with(&[Officer::new("kim", 1)]);
    let stage = stage.reopen();
    assert!(!stage.ids(TOOL, INTEL).contains(&first));
    assert_eq!(state(&stage, name), "withdrawn");
    assert!(stage.failed(draft(&first, "japan", until)).contains("fewer than two officers"));

    let faults = |officers: &[Officer]| {
        with(officers);
        stage.failed(Request::Reload)
    };
    assert!(faults(&[Officer::new("kim", 1), Officer::new("kim2", 1)]).contains("have one key"));
    assert!(faults(&[Officer::new("kim", 1), Officer::new("kim", 2)]).contains("two keys are named `kim`"));
    assert!(faults(&[Officer::new("Kim", 1)]).contains("a-z"));
    let many: Vec<Officer> =
        (0..=node::config::OFFICERS_MAX).map(|n| Officer::new("kim", u8::try_from(n).unwrap())).collect();
    assert!(faults(&many).contains(&format!("more than {}", node::config::OFFICERS_MAX)));
    assert!(!faults(&many[1..]).contains("more than"));
    std::fs::write(&path, before.replacen("x = \"", "x = \"AAAA", 1)).unwrap();
    assert!(stage.failed(Request::Reload).contains("the key is not 32 bytes"));
    // One key, written otherwise under another name: what an Ed25519 key has no use for does not make it another.
    with(&[Officer::new("kim", 1), Officer::new("kim2", 1)]);
    let twice = std::fs::read_to_string(&path).unwrap();
    let last = twice.rfind("x = \"").unwrap();
    std::fs::write(&path, format!("{}y = \"AA\", {}", &twice[..last], &twice[last..])).unwrap();
    assert!(stage.failed(Request::Reload).contains("have one key"));
}

/// L-157: an end within bounds, a reason, an act of this node that is fresh and written as the node writes it, and no more of them than somebody oversees.
#[test]
fn an_act_has_bounds() {
    let stage = stage();
    let [kim, _] = two();
    let id = secret(&stage, 1);
    let now = START;
    let far = now + OVERRIDE_DAYS_MAX * DAY;
    stage.done(draft(&id, "japan", far));
    assert!(stage.failed(draft(&id, "japan", far + 1)).contains("90 days"));
    assert!(stage.failed(draft(&id, "japan", now)).contains("not in the future"));
    stage.done(draft(&id, "japan", now + 1));
    let with = |reason: String, until: &str| Request::OverrideDraft {
        id: id.clone(),
        version: None,
        realm: None,
        partner: "japan".to_owned(),
        reason,
        until: until.to_owned(),
    };
    let good = "2026-06-02T00:00:00Z";
    stage.done(with("é".repeat(REASON_CHARS_MAX), good));
    assert!(stage.failed(with("é".repeat(REASON_CHARS_MAX + 1), good)).contains("more than 1000 characters"));
    assert!(stage.failed(with(" ".to_owned(), good)).contains("give a reason"));
    assert!(stage.failed(with("why".to_owned(), "tomorrow")).contains("is no time"));
    let version = Request::OverrideDraft {
        id: id.clone(),
        version: Some("2020-01-01T00:00:00.000Z".to_owned()),
        realm: None,
        partner: "japan".to_owned(),
        reason: "why".to_owned(),
        until: good.to_owned(),
    };
    assert!(stage.failed(version).contains("no version"));

    let text = text(&stage.done(draft(&id, "japan", now + DAY)));
    let propose = |text: &str| Request::OverridePropose { text: text.to_owned(), jws: kim.signs(text) };
    for (from, to) in [
        ("\"partner\":\"japan\"", "\"partner\":\"xpa\",\"extra\":1"),
        ("\"kind\":\"entente-override/1\"", "\"kind\":\"entente-override/2\""),
        ("{\"kind\"", "{ \"kind\""),
    ] {
        let other = text.replacen(from, to, 1);
        assert_ne!(other, text);
        assert!(stage.failed(propose(&other)).contains("no override act"), "{other}");
    }
    let elsewhere = text.replacen(HUB, material::STRANGER, 1);
    assert!(stage.failed(propose(&elsewhere)).contains("of another organisation"));
    let read: Value = serde_json::from_str(&text).unwrap();
    let digest = read["digest"].as_str().unwrap();
    let content = text.replacen(digest, &"0".repeat(64), 1);
    assert!(stage.failed(propose(&content)).contains("is not held"));
    let marked = text.replacen(&marking(NATO_ONLY), &marking(SECRET_JPN), 1);
    assert!(stage.failed(propose(&marked)).contains("does not bear the labels"));
    let longer = text.replacen(read["until"].as_str().unwrap(), "2027-01-01T00:00:00Z", 1);
    assert!(stage.failed(propose(&longer)).contains("90 days"));
    stage.pass(HOUR + 1);
    assert!(stage.failed(propose(&text)).contains("within the last hour"));
    stage.pass(-1);
    let name = act(&stage.done(propose(&text)));
    stage.done(Request::OverrideWithdraw { id: name, reason: "a trial".to_owned() });

    for n in 0..OVERRIDES_OPEN_MAX {
        let text = officers::text(&stage.done(draft(&id, "japan", now + DAY)));
        let told = stage.done(propose(&text));
        if n == 0 {
            assert_eq!(told["state"], "proposed");
        }
    }
    let text = officers::text(&stage.done(draft(&id, "japan", now + DAY)));
    assert!(stage.failed(propose(&text)).contains("end some first"));
    let all = stage.done(Request::Overrides { state: Some("proposed".to_owned()), after: None });
    assert_eq!(all.as_array().unwrap().len(), OVERRIDES_OPEN_MAX);
    let last = all[OVERRIDES_OPEN_MAX - 1]["no"].as_i64();
    assert_eq!(stage.done(Request::Overrides { state: None, after: last }), json!([]));
    assert!(stage.failed(Request::Overrides { state: Some("open".to_owned()), after: None }).contains("no state"));
    let unknown = uuid::Uuid::nil();
    assert!(stage.failed(Request::OverrideShow { id: unknown }).contains("no override"));
}

/// L-157, L-124: the whole goes in the place of the redacted copy while the override lasts; after it the copy is there again. A copy itself is nobody's to override.
#[test]
fn a_redacted_copy_gives_way_to_the_whole_and_comes_back() {
    let stage = stage();
    let mut deal = japan(&[INTEL, "open"], &[INTEL]);
    deal.more = String::from("redaction = \"allowed\"\n");
    stage.dir.agree(&deal);
    stage.done(Request::Reload);
    let part = json!([{"selectors": ["description"], "marking_ref": marking(NATO_ONLY)}]);
    let whole = indicator(3, 1).by(HUB).marked(&marking(REL_JPN)).with("description", "the source");
    let whole = whole.with("granular_markings", part);
    stage.import(&[whole.text()], INTEL, None);
    let shown =
        || -> Vec<String> { stage.ids(TOOL, INTEL).into_iter().filter(|i| i.starts_with("indicator")).collect() };
    let before = shown();
    assert!(before.len() == 1 && before[0] != whole.id(), "{before:?}");
    let said = release(&stage.node, &before[0], "japan", START + DAY).unwrap_err();
    assert!(said.contains("others' material") || said.contains("not held"), "{said}");
    let copies = |told: &Value| {
        let rows = told["lines"].as_array().unwrap();
        let row = rows.iter().find(|row| row["account"] == TOOL && row["collection"] == INTEL).unwrap();
        ["copies_released", "copies_withdrawn", "copies_replaced"].map(|name| row[name].as_u64().unwrap())
    };
    let (name, told) = release(&stage.node, &whole.id(), "japan", START + DAY).unwrap();
    assert_eq!(shown(), [whole.id()]);
    assert_eq!(copies(&told), [0, 1, 1], "the reply tells that the whole took its place: {told}");
    stage.pass(SECOND);
    let told = stage.done(Request::OverrideWithdraw { id: name, reason: "over".to_owned() });
    assert_eq!(shown(), before);
    assert_eq!(copies(&told), [1, 0, 0], "{told}");
    release(&stage.node, &whole.id(), "japan", START + DAY).unwrap();
    assert_eq!(shown(), [whole.id()]);
    stage.set_clock(START + DAY);
    assert_eq!(shown(), before);
    stage.assert_sound();
}

/// Originator control: requests are states that tell nobody anything; each change stands in the log.
#[test]
fn requests_to_originators_are_kept_and_answered() {
    let stage = stage();
    let own = secret(&stage, 1);
    let theirs = indicator(4, 1).by(material::JAPAN).marked(&marking(REL_JPN));
    stage.post(TOOL, INTEL, &envelope(&[theirs.text()])).unwrap();
    let before = (stage.shown(TOOL, INTEL), stage.shown(OTHER, INTEL));
    let ask = |kind, object: &str, by: &str, reason: &str| Request::RequestOpen {
        asked: NewRequest {
            kind,
            object: object.to_owned(),
            realm: None,
            by: by.to_owned(),
            recipient: "korea".to_owned(),
            reason: reason.to_owned(),
        },
    };
    let name = |told: &Value| -> uuid::Uuid { told["request"].as_str().unwrap().parse().unwrap() };
    let first = stage.done(ask(RequestKind::Release, &own, "japan", "their ship is in it"));
    assert_eq!((&first["state"], &first["originator"], &first["by"]), (&json!("open"), &json!("own"), &json!("japan")));
    let second = stage.done(ask(RequestKind::TearLine, &theirs.id(), "own", "the harbour must know"));
    assert_eq!(
        (&second["kind"], &second["originator"], &second["came_from"]),
        (&json!("tear-line"), &json!(material::JAPAN), &json!(["japan"]))
    );
    let third = stage.done(ask(RequestKind::Release, &own, "own", "why not"));
    let answer =
        |id, granted, text: &str| Request::RequestAnswer { id, granted, by: "desk".into(), text: text.to_owned() };
    let told = stage.done(answer(name(&first), true, "by a relabel"));
    assert_eq!((&told["state"], &told["answer"]["by"]), (&json!("granted"), &json!("desk")));
    assert!(stage.failed(answer(name(&first), false, "no")).contains("granted already"));
    assert_eq!(stage.done(answer(name(&second), false, "the source would be known"))["state"], "refused");
    let told = stage.done(Request::RequestWithdraw { id: name(&third), reason: "no longer needed".into() });
    assert_eq!(told["state"], "withdrawn");
    assert!(stage.failed(Request::RequestWithdraw { id: name(&third), reason: "x".into() }).contains("already"));
    assert_eq!(before, (stage.shown(TOOL, INTEL), stage.shown(OTHER, INTEL)), "an answer opens nothing");
    let stage = stage.reopen();
    assert_eq!(stage.done(Request::Requests { state: None, after: None }).as_array().unwrap().len(), 3);
    assert_eq!(stage.done(Request::Requests { state: Some("open".into()), after: None }), json!([]));
    assert_eq!(stage.done(Request::RequestShow { id: name(&second) })["answer"]["text"], "the source would be known");
    let leaves = stage.done(Request::Audit { from: 0, limit: 10_000 });
    assert_eq!(leaves.as_array().unwrap().iter().filter(|l| l["kind"] == "request").count(), 6);
    let long = "é".repeat(REQUEST_TEXT_CHARS_MAX);
    stage.done(ask(RequestKind::Release, &own, "own", &long));
    assert!(stage.failed(ask(RequestKind::Release, &own, "own", &(long + "é"))).contains("more than 4000"));
    assert!(stage.failed(ask(RequestKind::Release, &own, "own", "")).contains("give a reason"));
    assert!(stage.failed(ask(RequestKind::Release, &own, "korea", "x")).contains("neither `own` nor a partner"));
    let nowhere = format!("indicator--{}", material::uuid(99, 1));
    assert!(stage.failed(ask(RequestKind::Release, &nowhere, "own", "x")).contains("not held"));
    assert!(stage.failed(Request::RequestShow { id: uuid::Uuid::nil() }).contains("no request"));
    assert!(stage.failed(Request::Requests { state: Some("old".into()), after: None }).contains("no state"));
    stage.assert_sound();
}
