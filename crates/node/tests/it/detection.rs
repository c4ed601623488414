//! Detection collections: what comes in is matched with what the node holds and may use; alerts are the operator's, sightings go out as labels allow.

use crate::stage::{AMBER, CLEAR, HOME, P1, T0, agreement, caller, document, envelope};
use node::{Clock, Environment, Node, Randomness};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};
use store::{SqliteStore, Store};
use taxii::server::{Listing, Taxii as _};

/// A clock that only the test moves, so that twins see the same times.
struct Still(AtomicI64);
impl Clock for Still {
    fn now(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}
struct Counted(AtomicU64);
impl Randomness for Counted {
    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [9; 32];
        bytes[..8].copy_from_slice(&self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        bytes
    }
}

struct Site {
    dir: PathBuf,
    clock: Arc<Still>,
    random: Arc<Counted>,
    node: Arc<Node>,
}

const LISTS: &str =
    r#"{"name": "popular", "type": "hostname", "matching_attributes": ["domain"], "list": ["popular.example"]}"#;

impl Site {
    /// `detection`: more lines of its table.
    fn new(name: &str, detection: &str) -> Self {
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("detection-{name}"));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(dir.join("agreements")).unwrap();
        let collection = |n: u32, alias: &str, realm: &str, more: &str| {
            format!(
                "[[collection]]\nid = \"d8a31978-5470-4aab-aade-2ebaa3bc6f{n:02}\"\nalias = \"{alias}\"\ntitle = \"{alias}\"\nrealm = \"{realm}\"\n{more}\n"
            )
        };
        let watched = |into: &str| {
            format!("default_label = \"TLP:GREEN\"\n[collection.detection]\nsightings = \"{into}\"\n{detection}")
        };
        let text = format!(
            "name = \"home\"\ntitle = \"Home\"\nidentity = \"{HOME}\"\npolicies = []\n[operator]\ntlp = [\"CLEAR\", \"GREEN\", \"AMBER\", \"AMBER+STRICT\"]\n{}{}{}{}{}{}",
            collection(10, "open", "live", "default_label = \"TLP:CLEAR\"\nopen_references = true"),
            collection(11, "closed", "live", "default_label = \"TLP:AMBER\""),
            collection(12, "sightings", "live", "open_references = true"),
            collection(13, "sensors", "live", &watched("sightings")),
            collection(14, "drill", "ex-drill", "default_label = \"TLP:CLEAR\"\nopen_references = true"),
            collection(15, "drill-sensors", "ex-drill", &watched("drill")),
        );
        std::fs::write(dir.join("node.toml"), text).unwrap();
        std::fs::write(dir.join("lists.json"), LISTS).unwrap();
        for partner in ["p1", "p2"] {
            let text = agreement(partner, "")
                .replace(
                    r#"collections = ["open", "closed"]
kinds"#,
                    r#"collections = ["open", "closed", "sightings"]
kinds"#,
                )
                .replace(
                    r#"collections = ["open", "closed"]
identities"#,
                    r#"collections = ["open", "closed", "sensors"]
identities"#,
                );
            std::fs::write(dir.join(format!("agreements/{partner}.toml")), text).unwrap();
        }
        let (clock, random) = (Arc::new(Still(AtomicI64::new(T0))), Arc::new(Counted(AtomicU64::new(1))));
        let node = Self::open(&dir, &clock, &random);
        let site = Self { dir, clock, random, node };
        for (name, partner) in [("one", Some("p1")), ("two", Some("p2")), ("analyst", None)] {
            let settings = if partner.is_none() { json!({"write": ["sensors", "drill-sensors"]}) } else { json!({}) };
            let account = store::Account {
                name: name.into(),
                reader: 0,
                partner: partner.map(Into::into),
                password: None,
                tokens: Vec::new(),
                disabled: false,
                settings,
            };
            site.node.put_account(&account, "test").unwrap();
        }
        site
    }

    fn open(dir: &std::path::Path, clock: &Arc<Still>, random: &Arc<Counted>) -> Arc<Node> {
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&dir.join("store/entente.db"), &store::OpenOptions::default()).unwrap());
        let environment = Environment { clock: clock.clone(), random: random.clone() };
        Arc::new(Node::open(dir, store, environment).unwrap())
    }

    /// The process ends and another begins over the same folder.
    fn restart(self) -> Self {
        let Self { dir, clock, random, node } = self;
        drop(node);
        let node = Self::open(&dir, &clock, &random);
        Self { dir, clock, random, node }
    }

    fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    fn import(&self, alias: &str, objects: &[Value]) {
        let intake = self.node.import(&document(objects), alias, None, "test", &|_, _| {}).unwrap();
        assert_eq!(intake.rejected, 0, "{:?}", intake.first_rejections);
    }

    fn post_in(&self, who: &str, realm: &str, alias: &str, objects: &[Value]) -> Vec<u8> {
        self.node.add(&caller(who), realm, alias, envelope(objects).as_bytes()).unwrap()
    }

    fn post(&self, who: &str, objects: &[Value]) -> Vec<u8> {
        self.post_in(who, "live", "sensors", objects)
    }

    fn read(&self, who: &str, alias: &str) -> Vec<Value> {
        let listed = self.node.list(&caller(who), "live", alias, Listing::Objects, None, "", "").unwrap();
        let body: Value = serde_json::from_slice(&listed.body).unwrap();
        body["objects"].as_array().cloned().unwrap_or_default()
    }

    fn sightings(&self, who: &str) -> Vec<Value> {
        self.read(who, "sightings").into_iter().filter(|o| o["type"] == "sighting").collect()
    }

    fn admin(&self, request: Value) -> Value {
        match self.node.admin(serde_json::from_value(request).unwrap(), &|_, _| {}) {
            node::admin::Reply::Done(value) => value,
            other => panic!("{other:?}"),
        }
    }

    fn alerts(&self) -> Vec<Value> {
        self.admin(json!({"command": "detections", "after": null})).as_array().unwrap().clone()
    }

    fn figure(&self, name: &str) -> u64 {
        self.node.figures().unwrap().into_iter().find(|f| f.name == name).unwrap().value
    }
}

fn indicator(n: u32, pattern: &str, more: &Value) -> Value {
    let mut object = json!({"type": "indicator", "spec_version": "2.1", "id": format!("indicator--{n:08x}-0000-4000-8000-000000000000"),
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "valid_from": "2026-01-01T00:00:00Z",
        "pattern": pattern, "pattern_type": "stix"});
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

fn of_domain(name: &str) -> String {
    format!("[domain-name:value = '{name}']")
}

/// A domain that was seen `second` seconds after the beginning, with its observed-data.
fn seen(n: u32, domain: &str, second: i64, more: &Value) -> [Value; 2] {
    let name = json!({"type": "domain-name", "spec_version": "2.1", "value": domain});
    let id = stix::sco_id::deterministic_id(name.as_object().unwrap()).unwrap();
    let mut name = name;
    name["id"] = json!(id);
    let at = stix::Timestamp::from_micros(T0 + second * 1_000_000).as_str().to_owned();
    let mut observed = json!({"type": "observed-data", "spec_version": "2.1", "id": format!("observed-data--{n:08x}-0000-4000-8000-000000000000"),
        "created": at, "modified": at, "first_observed": at, "last_observed": at, "number_observed": 1, "object_refs": [id]});
    observed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    [name, observed]
}

fn home() -> Value {
    json!({"type": "identity", "spec_version": "2.1", "id": HOME, "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z", "name": "Home", "identity_class": "organization", "object_marking_refs": [CLEAR]})
}

/// S-094, S-095, L-091: an observation that matches raises one alert and makes a sighting with the labels of both; it goes to whom both allow.
#[test]
fn a_match_is_an_alert_for_the_operator_and_a_sighting_for_whom_both_labels_allow() {
    let s = Site::new("match", "");
    s.import("open", &[home(), indicator(1, &of_domain("c2.example"), &json!({}))]);
    s.import("closed", &[indicator(2, &of_domain("hidden.example"), &json!({}))]);
    s.post("analyst", &seen(1, "c2.example", 5, &json!({})));
    s.post("analyst", &seen(2, "c2.example", 7, &json!({})));
    s.post("analyst", &seen(3, "hidden.example", 8, &json!({})));
    s.post("analyst", &seen(4, "harmless.example", 9, &json!({})));
    s.pass(60);
    assert!(s.alerts().is_empty(), "nothing is matched while a contributor waits");
    s.node.detect().unwrap();
    let alerts = s.alerts();
    assert_eq!(alerts.len(), 3, "{alerts:?}");
    assert_eq!(alerts[0]["observations"], json!(["observed-data--00000001-0000-4000-8000-000000000000"]));
    assert_eq!(alerts[0]["indicator"], "indicator--00000001-0000-4000-8000-000000000000");
    assert_eq!(
        [s.figure("detection_alerts"), s.figure("detection_observations"), s.figure("detection_indicators")],
        [3, 4, 2]
    );
    // GREEN from the observation: p1 and p2 are addressed. CLEAR from the indicator asks nothing. The other indicator is AMBER: nobody's.
    let made = s.sightings("one");
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(made[0]["count"], 2);
    assert_eq!(made[0]["first_seen"], "2026-05-28T20:26:45.000Z");
    assert_eq!(made[0]["sighting_of_ref"], alerts[0]["indicator"]);
    assert_eq!(made[0]["where_sighted_refs"], json!([HOME]));
    assert_eq!(made[0]["id"], alerts[0]["sighting"]);
    assert!(made[0].get("observed_data_refs").is_none());
    assert_eq!(s.sightings("analyst").len(), 2, "the own organisation sees both");
    assert!(
        s.node.list(&caller("one"), "live", "sensors", Listing::Objects, None, "", "").is_err(),
        "nothing of it goes out"
    );
    // Again: nothing new, no second alert.
    s.node.detect().unwrap();
    assert_eq!(s.alerts().len(), 3);
    let leaves = s.admin(json!({"command": "audit", "from": 0, "limit": 1000}));
    let kinds: Vec<&str> = leaves.as_array().unwrap().iter().filter_map(|l| l["kind"].as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "detection").count(), 1);
    assert_eq!(s.admin(json!({"command": "doctor"}))["sound"], true);
}

/// L-091, I1: an AMBER observation of a CLEAR indicator is AMBER; what bears another label is another sighting, and neither is changed by the other.
#[test]
fn observations_of_different_labels_are_different_sightings() {
    let s = Site::new("conjunction", "");
    s.import("open", &[home(), indicator(1, &of_domain("c2.example"), &json!({}))]);
    s.post("analyst", &seen(1, "c2.example", 5, &json!({"object_marking_refs": [AMBER]})));
    s.pass(60);
    s.node.detect().unwrap();
    assert_eq!(s.alerts().len(), 1);
    assert!(s.sightings("one").is_empty(), "AMBER is addressed to nobody");
    s.post("analyst", &seen(2, "c2.example", 6, &json!({})));
    s.post("analyst", &seen(3, "c2.example", 7, &json!({"object_marking_refs": [AMBER]})));
    s.pass(60);
    s.node.detect().unwrap();
    let shown = s.sightings("one");
    assert_eq!((shown.len(), &shown[0]["count"]), (1, &json!(1)), "of the second observation alone");
    let own = s.sightings("analyst");
    assert_eq!(own.len(), 2);
    let amber = own.iter().find(|o| o["object_marking_refs"].as_array().unwrap().iter().any(|m| *m == AMBER));
    assert_eq!(amber.unwrap()["count"], 2);
    // The next window begins anew.
    s.post("analyst", &seen(4, "c2.example", 4_000, &json!({})));
    s.pass(4_000);
    s.node.detect().unwrap();
    assert_eq!(s.sightings("one").len(), 2);
}

/// L-091, L-104: alternatives that are all the label there is stood, beside the label of what was observed, for that one: nothing is made of what bears them.
#[test]
fn what_alternatives_alone_label_is_matched_with_nothing() {
    let s = Site::new("alternatives", "");
    std::fs::create_dir_all(s.dir.join("policies")).unwrap();
    let policy = include_str!("../../../label/policies/public.spif.xml");
    std::fs::write(s.dir.join("policies/public.spif.xml"), policy).unwrap();
    let file =
        std::fs::read_to_string(s.dir.join("node.toml")).unwrap().replace("policies = []", "policies = [\"public\"]");
    let clearance = "\n[[operator.clearance]]\npolicy = \"PUBLIC\"\nclassifications = [\"UNMARKED\"]\n";
    std::fs::write(s.dir.join("node.toml"), file + clearance).unwrap();
    s.node.reload().unwrap();
    let label = |role: &str| {
        let json = json!({"v": 1, "role": role, "policy": {"name": "PUBLIC"}, "classification": "UNMARKED", "categories": [],
            "created": "2026-01-01T00:00:00Z", "review": "2031-01-01T00:00:00Z"});
        label::Label::from_json(&json.to_string()).unwrap()
    };
    s.import("open", &[home()]);
    for (n, role, sightings) in [(1, "alternative", 0), (2, "originator", 1)] {
        let label = label(role);
        let definition: Value = serde_json::from_str(&label::marking_definition(&label, role, None)).unwrap();
        let name = format!("c{n}.example");
        s.import(
            "open",
            &[definition, indicator(n, &of_domain(&name), &json!({"object_marking_refs": [label.marking_id()]}))],
        );
        assert!(s.read("analyst", "open").iter().any(|o| o["id"] == indicator(n, "", &json!({}))["id"]), "it is there");
        s.post("analyst", &seen(n, &name, 5, &json!({})));
        s.pass(60);
        s.node.detect().unwrap();
        let made = s.sightings("analyst");
        assert_eq!(made.len(), sightings, "{made:?}");
        assert!(made.iter().all(|o| o["object_marking_refs"].to_string().contains(&label.marking_id().to_string())));
    }
}

/// I1: what others brought out of a contributor's sight neither hides its sightings nor makes any: stricter observations of the same indicator and window, an
/// observation under the same identifier, and observables that it can only guess.
#[test]
fn what_others_observed_changes_nothing_that_a_contributor_sees_of_its_own() {
    let twins = [Site::new("others-a", ""), Site::new("others-b", "")];
    for twin in &twins {
        let watched = ["shared.example", "guessed.example", "borrowed.example"];
        let watched = (1..).zip(watched).map(|(n, domain)| indicator(n, &of_domain(domain), &json!({})));
        twin.import("open", &std::iter::once(home()).chain(watched).collect::<Vec<_>>());
    }
    let clear = json!({"object_marking_refs": [CLEAR]});
    let amber = json!({"object_marking_refs": [AMBER]});
    let hidden = &twins[1];
    // The other partner's: of the same indicator, stricter; an observable alone; an observation whose identifier the reader will use too.
    hidden.post("two", &seen(1, "shared.example", 1, &amber));
    hidden.post("two", &seen(2, "guessed.example", 1, &clear)[..1]);
    hidden.post("two", &seen(3, "borrowed.example", 3, &amber));
    let act = |twin: &Site| {
        // Identifiers of statuses are drawn, and the twins have drawn differently often.
        let post = |objects: &[Value]| {
            let mut status: Value = serde_json::from_slice(&twin.post("one", objects)).unwrap();
            status["id"].take();
            status.to_string()
        };
        let mut said = vec![post(&seen(4, "shared.example", 4, &clear))];
        // Names an observable that it does not bring: the same bytes whoever holds it.
        said.push(post(&seen(5, "guessed.example", 5, &clear)[1..]));
        said.push(post(&seen(3, "harmless.example", 3, &clear)));
        twin.pass(60);
        twin.node.detect().unwrap();
        said.push(post(&seen(6, "shared.example", 6, &clear)));
        twin.pass(60);
        twin.node.detect().unwrap();
        for alias in ["open", "closed", "sightings"] {
            let listed = twin.node.list(&caller("one"), "live", alias, Listing::Objects, None, "", "").unwrap();
            said.push(format!("{:?} {:?} {}", listed.first, listed.last, String::from_utf8(listed.body).unwrap()));
        }
        said
    };
    // The other partner's first, and in the same turn.
    let (a, b) = (act(&twins[0]), act(&twins[1]));
    assert_eq!(twins[0].sightings("one").len(), 1);
    assert_eq!(twins[0].sightings("one")[0]["count"], 2);
    assert_eq!(a, b);
    assert_eq!([twins[0].alerts().len(), twins[1].alerts().len()], [2, 4], "the twins do differ");
}

/// I2: what was posted and acknowledged is matched after the process ended, once; sightings go on counting.
#[test]
fn a_restart_between_post_and_match_loses_nothing_and_counts_nothing_twice() {
    let s = Site::new("restart", "");
    s.import("open", &[home(), indicator(1, &of_domain("c2.example"), &json!({}))]);
    s.post("analyst", &seen(1, "c2.example", 5, &json!({})));
    let s = s.restart();
    s.pass(60);
    s.node.detect().unwrap();
    assert_eq!(s.alerts().len(), 1, "posted before the end, matched after it");
    s.post("analyst", &seen(2, "c2.example", 6, &json!({})));
    let s = s.restart();
    s.pass(60);
    s.node.detect().unwrap();
    s.node.detect().unwrap();
    let s = s.restart();
    s.node.detect().unwrap();
    assert_eq!(s.alerts().len(), 2);
    let made = s.sightings("one");
    assert_eq!(made.len(), 1);
    assert_eq!(made[0]["count"], 2, "the sighting begun before the restart went on");
}

/// I2, P-068: a pattern of two observations matches across a restart: what it needs to remember is in the store.
#[test]
fn a_pattern_of_several_observations_matches_across_a_restart() {
    let s = Site::new("several", "");
    let pattern =
        "([domain-name:value = 'first.example'] FOLLOWEDBY [domain-name:value = 'second.example']) WITHIN 600 SECONDS";
    s.import("open", &[home(), indicator(1, pattern, &json!({}))]);
    s.post("analyst", &seen(1, "first.example", 5, &json!({})));
    s.pass(60);
    s.node.detect().unwrap();
    assert!(s.alerts().is_empty());
    let s = s.restart();
    s.post("analyst", &seen(2, "second.example", 65, &json!({})));
    s.pass(60);
    s.node.detect().unwrap();
    let alerts = s.alerts();
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0]["observations"].as_array().unwrap().len(), 2);
}

/// I5: indicators that arrive, change, are revoked or relabelled later decide from then on.
#[test]
fn the_set_follows_what_the_node_holds() {
    let s = Site::new("follow", "");
    let alerts_after = |n: u32, domain: &str, second: i64| {
        s.post("analyst", &seen(n, domain, second, &json!({})));
        s.pass(1);
        s.node.detect().unwrap();
        s.alerts().len()
    };
    assert_eq!(alerts_after(1, "c2.example", 1), 0);
    s.import("open", &[home(), indicator(1, &of_domain("c2.example"), &json!({}))]);
    assert_eq!(alerts_after(2, "c2.example", 2), 1, "what came since it is held is matched");
    let later = json!({"modified": "2026-02-01T00:00:00.000Z"});
    s.import("open", &[indicator(1, &of_domain("moved.example"), &later)]);
    assert_eq!(alerts_after(3, "c2.example", 3), 1);
    assert_eq!(alerts_after(4, "moved.example", 4), 2);
    let gone = json!({"modified": "2026-03-01T00:00:00.000Z", "revoked": true});
    s.import("open", &[indicator(1, &of_domain("moved.example"), &gone)]);
    assert_eq!(alerts_after(5, "moved.example", 5), 2, "revoked");
    // RED goes to nobody by this road, so the organisation's own machine may not use it either (L-141).
    s.import("open", &[indicator(2, &of_domain("red.example"), &json!({}))]);
    assert_eq!(alerts_after(6, "red.example", 6), 3);
    s.admin(json!({"command": "relabel", "id": "indicator--00000002-0000-4000-8000-000000000000", "label": "TLP:RED", "realm": null}));
    assert_eq!(alerts_after(7, "red.example", 7), 3, "relabelled out of sight: asked about again at the match");
    // P-081: an expired indicator matches what was observed while it was valid, and nothing after.
    let until = json!({"valid_until": "2026-05-28T20:27:00Z"});
    s.import("open", &[indicator(3, &of_domain("late.example"), &until)]);
    assert_eq!(alerts_after(8, "late.example", 19), 4);
    assert_eq!(alerts_after(9, "late.example", 20), 4);
}

/// Agreements: what a partner gave is used unless its agreement says otherwise, and no agreement may give a detection collection.
#[test]
fn agreements_say_whose_indicators_are_used_and_give_nothing_of_the_observations() {
    let s = Site::new("agreements", "");
    let theirs = json!({"created_by_ref": P1, "object_marking_refs": [CLEAR]});
    s.post_in("one", "live", "open", &[indicator(1, &of_domain("c2.example"), &theirs)]);
    s.import("open", &[home()]);
    s.post("analyst", &seen(1, "c2.example", 1, &json!({})));
    s.pass(1);
    s.node.detect().unwrap();
    assert_eq!(s.alerts().len(), 1);
    let path = s.dir.join("agreements/p1.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("partner = \"p1\"", "partner = \"p1\"\ndetect = false")).unwrap();
    s.admin(json!({"command": "reload"}));
    s.post("analyst", &seen(2, "c2.example", 2, &json!({})));
    s.pass(1);
    s.node.detect().unwrap();
    assert_eq!(s.alerts().len(), 1);
    std::fs::write(&path, text.replace("\"closed\", \"sightings\"]", "\"closed\", \"sensors\"]")).unwrap();
    let refused = s.node.reload().unwrap_err().to_string();
    assert!(refused.contains("`sensors` is a detection collection; nothing of it is given"), "{refused}");
}

/// I8: an exercise's indicators match an exercise's observations only, and the reverse.
#[test]
fn realms_do_not_meet() {
    let s = Site::new("realms", "");
    s.import("open", &[home(), indicator(1, &of_domain("real.example"), &json!({}))]);
    s.import("drill", &[home(), indicator(2, &of_domain("drill.example"), &json!({}))]);
    s.post("analyst", &seen(1, "drill.example", 1, &json!({})));
    s.post_in("analyst", "ex-drill", "drill-sensors", &seen(2, "real.example", 1, &json!({})));
    s.pass(1);
    s.node.detect().unwrap();
    assert!(s.alerts().is_empty());
    s.post_in("analyst", "ex-drill", "drill-sensors", &seen(3, "drill.example", 2, &json!({})));
    s.pass(1);
    s.node.detect().unwrap();
    assert_eq!(s.alerts()[0]["realm"], "ex-drill");
    assert!(s.sightings("analyst").is_empty());
}

/// Warning lists, confidence and evidence as the collection says.
#[test]
fn warning_lists_note_or_suppress_and_confidence_leaves_out() {
    let popular = indicator(1, &of_domain("www.popular.example"), &json!({"confidence": 90}));
    let unsure = indicator(2, &of_domain("unsure.example"), &json!({"confidence": 10}));
    let run = |name: &str, detection: &str| {
        let s = Site::new(name, detection);
        s.import("open", &[home(), popular.clone(), unsure.clone()]);
        s.post("analyst", &seen(1, "www.popular.example", 1, &json!({})));
        s.post("analyst", &seen(2, "unsure.example", 2, &json!({})));
        s.pass(1);
        s.node.detect().unwrap();
        s
    };
    let noted = run("note", "warning_lists = [\"lists.json\"]\nevidence = true");
    let alerts = noted.alerts();
    assert_eq!(alerts.len(), 2);
    assert_eq!(alerts[0]["warnings"], json!([{"value": "www.popular.example", "list": "popular"}]));
    let own = noted.sightings("analyst");
    assert_eq!(own[0]["observed_data_refs"], json!(["observed-data--00000001-0000-4000-8000-000000000000"]));
    let quiet = run("suppress", "warning_lists = [\"lists.json\"]\non_warning = \"suppress\"\nconfidence_min = 50");
    assert!(quiet.alerts().is_empty());
    assert_eq!(quiet.figure("detection_suppressed"), 1);
    assert!(quiet.sightings("analyst").is_empty());
}

/// I1: a contributor's replies, and all that it can read, are the same bytes whether or not what it posted matched an indicator that it may not see.
#[test]
fn a_contributor_cannot_tell_whether_its_observations_matched() {
    let twins = [Site::new("twin-a", ""), Site::new("twin-b", "")];
    for twin in &twins {
        twin.import("open", &[home(), indicator(1, &of_domain("seen.example"), &json!({}))]);
    }
    // Out of sight of `one`, in one twin alone.
    twins[1].import("closed", &[indicator(9, &of_domain("secret.example"), &json!({}))]);
    let say = |twin: &Site, n: u32, domain: &str| {
        let mut said = vec![twin.post("one", &seen(n, domain, i64::from(n), &json!({"object_marking_refs": [CLEAR]})))];
        let status: Value = serde_json::from_slice(&said[0]).unwrap();
        twin.pass(1);
        twin.node.detect().unwrap();
        said.push(twin.node.status(&caller("one"), "live", status["id"].as_str().unwrap()).unwrap());
        for alias in ["open", "closed", "sightings"] {
            let listed = twin.node.list(&caller("one"), "live", alias, Listing::Objects, None, "", "").unwrap();
            said.extend([listed.body, format!("{:?} {:?}", listed.first, listed.last).into_bytes()]);
            let manifest = twin.node.list(&caller("one"), "live", alias, Listing::Manifest, None, "", "").unwrap();
            said.push(manifest.body);
        }
        said
    };
    for (n, domain) in [(1, "secret.example"), (2, "seen.example"), (3, "secret.example"), (4, "other.example")] {
        let [a, b] = [&twins[0], &twins[1]].map(|twin| say(twin, n, domain));
        assert_eq!(a, b, "{domain}");
    }
    assert_eq!([twins[0].alerts().len(), twins[1].alerts().len()], [1, 3], "the twins do differ");
}

/// I1, I2: another party's object under the id of an observable does not keep what a sensor saw from being matched.
#[test]
fn an_observable_is_that_of_the_same_contributor() {
    let s = Site::new("planted", "");
    s.import("open", &[home(), indicator(1, &of_domain("c2.example"), &json!({}))]);
    let [name, observed] = seen(1, "c2.example", 1, &json!({}));
    let mut planted = name.clone();
    planted["value"] = json!("harmless.example");
    s.post("one", &[planted]);
    s.post("analyst", &[name, observed]);
    s.pass(1);
    s.node.detect().unwrap();
    assert_eq!(s.alerts().len(), 1);
}

/// A setting that cannot work is refused with its place.
#[test]
fn settings_that_cannot_work_are_refused() {
    let s = Site::new("settings", "");
    let path = s.dir.join("node.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let refused = |from: &str, to: &str| {
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        s.node.reload().unwrap_err().to_string()
    };
    assert!(
        refused("sightings = \"sightings\"", "sightings = \"nowhere\"").contains("there is no collection `nowhere`")
    );
    assert!(refused("sightings = \"sightings\"", "sightings = \"drill\"").contains("another realm (I8)"));
    assert!(
        refused("sightings = \"sightings\"", "sightings = \"sensors\"").contains("is a detection collection itself")
    );
    assert!(refused("sightings = \"sightings\"", "sightings = \"sightings\"\nwindow_s = 0").contains("window_s"));
    assert!(
        refused("sightings = \"sightings\"", "sightings = \"sightings\"\nconfidence_min = 101")
            .contains("confidence_min")
    );
    assert!(
        refused("sightings = \"sightings\"", "sightings = \"sightings\"\nwarning_lists = [\"gone.json\"]")
            .contains("gone.json")
    );
    let report = s.admin(json!({"command": "detection"}));
    assert_eq!(report[0]["collection"], "sensors");
}
