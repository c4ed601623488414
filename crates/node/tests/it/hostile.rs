use crate::stage::*;
use serde_json::json;
use taxii::server::Taxii as _;

const M: &str = "marking-definition--11111111-0000-4000-8000-000000000000";

fn definition(kind: &str) -> serde_json::Value {
    json!({"type": "marking-definition", "spec_version": "2.1", "id": M, "created": "2026-01-01T00:00:00.000Z",
        "definition_type": kind, "definition": {(kind): "x"}, "object_marking_refs": [CLEAR]})
}

/// I5, L-083: a definition that comes to contradict itself withholds what it marks, and nothing else.
#[test]
fn a_partner_that_redefines_its_own_marking_stops_nobody_else() {
    let s = Stage::new("redefine");
    s.import("open", &[tool(1, "ours", json!({}))]);
    s.post("one", "open", &[definition("statement"), tool(2, "theirs", json!({"object_marking_refs": [CLEAR, M]}))]);
    assert_eq!(s.ids("two", "open").len(), 3);
    s.post("one", "open", &[definition("x-other")]);
    let seen = s.try_list("two", "open", "").map(|o| o.len());
    assert_eq!(seen, Ok(2), "the tool is withheld, our own and the definition stay");
    let s = s.reopen();
    assert!(s.try_list("two", "open", "").is_ok());
}

/// I4, L-154: the same bytes that come again by an own road do not undo a relabel.
#[test]
fn the_same_bytes_again_do_not_undo_a_relabel() {
    let s = Stage::new("undo-import");
    let it = tool(1, "ours", json!({}));
    s.import("open", std::slice::from_ref(&it));
    assert_eq!(s.ids("two", "open").len(), 1);
    s.admin(json!({"command": "relabel", "id": it["id"], "label": "TLP:AMBER", "realm": null}));
    assert_eq!(s.ids("two", "open").len(), 0);
    drop(s.import("open", std::slice::from_ref(&it)));
    assert_eq!(s.ids("two", "open").len(), 0);
}

/// I1: a partner's own road does not depend on what the node holds, or how the node has relabelled the same bytes: its reply must not tell.
#[test]
fn a_partners_own_road_is_not_bound_by_a_hidden_relabel() {
    let s = Stage::new("own-road");
    let it = tool(1, "ours", json!({}));
    s.import("open", std::slice::from_ref(&it));
    s.admin(json!({"command": "relabel", "id": it["id"], "label": "TLP:AMBER", "realm": null}));
    drop(s.post("one", "open", std::slice::from_ref(&it)));
    assert_eq!(s.ids("one", "open").len(), 1);
}

/// I4: only the originator versions or revokes, also what names no creator.
#[test]
fn a_partner_cannot_version_or_revoke_what_names_no_creator() {
    let s = Stage::new("creatorless");
    s.import("open", &[tool(1, "ours", json!({}))]);
    let at = |t: &str, more: serde_json::Value| {
        let mut o = tool(1, "theirs", json!({"modified": t}));
        o.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        o
    };
    s.post("one", "open", &[at("2026-02-01T00:00:00.000Z", json!({}))]);
    assert_eq!(s.list("two", "open")[0]["name"], "ours");
    s.post("one", "open", &[at("2026-03-01T00:00:00.000Z", json!({"revoked": true}))]);
    assert_eq!(s.list("two", "open")[0]["name"], "ours");
}

/// Instances: a contributor sees what it brought as it brought it; I1: no id of a label that it may not know.
#[test]
fn a_contributor_is_not_told_what_label_the_node_assigned() {
    let s = Stage::new("assigned");
    s.post("one", "closed", &[tool(1, "theirs", json!({}))]);
    assert_eq!(s.list("one", "closed")[0].get("object_marking_refs"), None);
}

/// I4, L-004: an originator's marking that has not arrived yet is not replaced by a relabel.
#[test]
fn a_relabel_does_not_replace_a_partners_marking_that_is_not_known_yet() {
    let s = Stage::new("unknown");
    let it = tool(1, "theirs", json!({"object_marking_refs": [M]}));
    s.post("one", "open", std::slice::from_ref(&it));
    let reply = s.node.admin(
        serde_json::from_value(json!({"command": "relabel", "id": it["id"], "label": "TLP:CLEAR", "realm": null}))
            .unwrap(),
        &|_, _| {},
    );
    assert!(matches!(reply, node::admin::Reply::Failed(_)), "{reply:?}");
    assert!(s.ids("two", "open").is_empty());
}

const OLD: &str = "the password of yesterday";
const NEW: &str = "the password of tomorrow";

fn set_password(s: &Stage, password: &str) {
    s.admin(
        json!({"command": "user", "name": "one", "create": false, "partner": null, "password": password, "token": false,
        "settings": null, "disabled": null}),
    );
}

fn sign_in(node: &node::Node, password: &str, from: u8) -> Result<String, taxii::error::TaxiiError> {
    let credentials = taxii::server::Credentials::Basic { user: "one".into(), password: password.into() };
    node.sign_in(Some(&credentials), std::net::IpAddr::from([127, 0, 0, from]))
}

/// Remembered credentials are dropped at once on change, also those that were being checked at that moment.
#[test]
fn a_password_that_was_being_checked_while_it_changed_is_not_remembered() {
    let s = Stage::new("password");
    for _ in 0..8 {
        set_password(&s, OLD);
        let checking = std::thread::spawn({
            let node = s.node.clone();
            move || sign_in(&node, OLD, 1)
        });
        set_password(&s, NEW);
        let _ = checking.join().unwrap();
        s.time.0.fetch_add(node::accounts::FAILED_WINDOW_US, std::sync::atomic::Ordering::Relaxed);
        assert!(sign_in(&s.node, OLD, 1).is_err());
    }
}

/// Attempts are limited before anything is compared: a limit that the right password passes is no limit for a guesser.
#[test]
fn a_guesser_elsewhere_does_not_profit_from_a_remembered_password() {
    let s = Stage::new("guess");
    set_password(&s, OLD);
    assert!(sign_in(&s.node, OLD, 1).is_ok());
    for _ in 0..node::accounts::FAILED_PER_ACCOUNT_MAX {
        assert!(sign_in(&s.node, NEW, 2).is_err());
    }
    assert_eq!(sign_in(&s.node, OLD, 2), sign_in(&s.node, NEW, 2), "both are refused alike");
    assert!(sign_in(&s.node, OLD, 1).is_ok(), "who signed in before goes on");
}

/// A peer that gives one page.
struct Peer(String);
impl taxii::client::Transport for Peer {
    fn send(&self, request: &taxii::client::Request) -> Result<taxii::client::Response, taxii::client::TransportError> {
        let path = request.url.split('?').next().unwrap();
        let body = if path.ends_with("/taxii2/") {
            json!({"title": "peer", "api_roots": ["http://127.0.0.1:1/live/"]}).to_string()
        } else if path.ends_with("/objects/") {
            self.0.clone()
        } else if path.ends_with("/collections/") {
            json!({"collections": [{"id": "aaaaaaaa-0000-4000-8000-000000000000", "title": "open", "alias": "open", "can_read": true,
                "can_write": false, "media_types": ["application/stix+json;version=2.1"]}]})
            .to_string()
        } else {
            json!({"title": "root", "versions": ["application/taxii+json;version=2.1"], "max_content_length": 1_000_000})
                .to_string()
        };
        let headers = vec![("content-type".to_owned(), "application/taxii+json;version=2.1".to_owned())];
        Ok(taxii::client::Response { status: 200, headers, body: body.into_bytes(), elapsed_ms: 1, at: None })
    }
}

/// I4: a label that a peer assigned is not replaced by a weaker one because the object went through the quarantine.
#[test]
fn a_replayed_object_of_a_peer_does_not_get_the_collections_label() {
    let s = Stage::new("replay");
    let pull = "[pull]\nurl = \"http://127.0.0.1:1/taxii2/\"\naccount = \"home\"\nsecret_file = \"secret\"\ncollections = [{ remote = \"open\", into = \"open\" }]\n";
    std::fs::write(s.dir.join("secret"), "a secret of some length").unwrap();
    std::fs::write(s.dir.join("agreements/p1.toml"), agreement("p1", "") + pull).unwrap();
    s.node.reload().unwrap();
    let it = tool(1, "of a third party", json!({"created_by_ref": HOME.replace("aa", "bb")}));
    let digest = stix::Object::parse(&it.to_string(), &stix::Limits::default()).unwrap().digest().to_string();
    let page = json!({"objects": [it], "x_entente_label_assignments": [{"id": it["id"], "digest": digest, "marking_refs": [AMBER]}]});
    s.node.pull("p1", &Peer(page.to_string())).unwrap();
    let rows = s.node.quarantine(None, 10).unwrap();
    assert_eq!(rows.len(), 1, "the agreement does not list the creator");
    let _ = s.node.quarantine_replay(rows[0].no, None);
    assert!(s.ids("two", "open").is_empty(), "it came with AMBER");
}

/// I5: what somebody posts under a foreign id first does not keep the genuine object from readers.
#[test]
fn an_id_cannot_be_squatted() {
    let s = Stage::new("squat");
    s.post("one", "open", &[tool(1, "squatter", json!({"created_by_ref": P1}))]);
    s.import("open", &[tool(1, "genuine", json!({"created_by_ref": HOME}))]);
    assert!(s.list("two", "open").iter().any(|o| o["name"] == "genuine"));
}

/// Many versions of one id in one POST are one batch like any other; the latest is what a reader gets.
#[test]
fn many_versions_of_one_id_come_at_once() {
    let s = Stage::new("versions");
    let at = |i: u32| format!("2026-02-01T00:{:02}:{:02}.000Z", i / 60, i % 60);
    let objects: Vec<_> = (0..1_000).map(|i| tool(1, "x", json!({"modified": at(i)}))).collect();
    s.post("one", "open", &objects);
    let shown = s.list("one", "open");
    let shown: Vec<_> = shown.iter().filter(|o| o["type"] == "tool").map(|o| o["modified"].clone()).collect();
    assert_eq!(shown, [json!(at(999))]);
}

/// I1, I4: a marking of the own organisation that is out of a partner's sight is not made visible by the partner's posting its definition, with other
/// bytes or with the same; what it marks stays hidden.
#[test]
fn posting_the_definition_of_a_hidden_marking_releases_nothing() {
    let s = Stage::new("hidden-marking");
    let mut hidden = definition("statement");
    hidden["object_marking_refs"] = json!([AMBER]);
    s.import("open", &[hidden.clone(), tool(1, "ours", json!({"object_marking_refs": [CLEAR, M]}))]);
    assert_eq!(s.ids("two", "open"), [""; 0]);
    s.post("two", "open", &[definition("statement")]);
    s.post("two", "open", &[hidden]);
    s.post("one", "open", &[definition("statement")]);
    assert_eq!(s.ids("two", "open"), [M], "its own definition, and nothing that it marks for others");
    s.import("open", &[definition("statement")]);
    assert_eq!(s.ids("two", "open").len(), 2, "the own definition, for all: now");
}

/// I1: the order and the distance of slots are the same whether a marking was known, out of sight, or comes with the very batch.
#[test]
fn slots_do_not_tell_whether_a_marking_was_known_before() {
    let slots = [false, true].map(|known| {
        let s = Stage::new(&format!("slots-{known}"));
        s.put("two-b", Some("p2"), false);
        let mut hidden = definition("statement");
        hidden["object_marking_refs"] = json!([AMBER]);
        let other = tool(9, "ours", json!({}));
        s.import("closed", &[if known { hidden } else { other }]);
        s.post("two", "open", &[tool(1, "theirs", json!({"object_marking_refs": [CLEAR, M]}))]);
        assert!(s.ids("two-b", "open").is_empty());
        s.post("two", "open", &[definition("statement")]);
        let listed =
            s.node.list(&caller("two-b"), "live", "open", taxii::server::Listing::Manifest, None, "", "").unwrap();
        let body: serde_json::Value = serde_json::from_slice(&listed.body).unwrap();
        let rows: Vec<(String, i64)> = body["objects"]
            .as_array()
            .unwrap()
            .iter()
            .map(|o| {
                (
                    o["id"].as_str().unwrap().to_owned(),
                    taxii::date_added::parse(o["date_added"].as_str().unwrap()).unwrap(),
                )
            })
            .collect();
        let first = rows[0].1;
        rows.into_iter().map(|(id, slot)| (id, slot - first)).collect::<Vec<_>>()
    });
    assert_eq!(slots[0].len(), 2);
    assert_eq!(slots[0], slots[1]);
}

/// I8: what a marking means in an exercise it means nowhere else.
#[test]
fn a_marking_defined_in_an_exercise_means_nothing_in_another_realm() {
    let s = Stage::new("realms");
    let path = s.dir.join("node.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let more = "[[collection]]\nrealm = \"exercise-a\"\nid = \"6b4f3e2d-0000-4000-8000-00000000000e\"\nalias = \"game\"\ntitle = \"Game\"\n";
    std::fs::write(&path, text + more).unwrap();
    s.node.reload().unwrap();
    s.import("game", &[definition("statement")]);
    let marked = || tool(1, "marked", json!({"object_marking_refs": [CLEAR, M]}));
    assert_eq!(s.import("open", &[marked()]).quarantined, 1);
    assert_eq!(s.import("game", &[marked()]).quarantined, 0);
    let s = s.reopen();
    assert!(s.ids("two", "open").is_empty());
    s.import("open", &[definition("statement")]);
    assert_eq!(s.ids("two", "open").len(), 2);
    // A catalogue's labels, and the well-known ones, count everywhere.
    assert_eq!(s.import("game", &[tool(2, "clear", json!({"object_marking_refs": [CLEAR]}))]).quarantined, 0);
}

/// C-011, fail closed: a deleted marking definition defines nothing from that moment on, also after a restart, until it comes again.
#[test]
fn a_deleted_marking_definition_stops_counting_at_once() {
    let s = Stage::new("deleted-marking");
    s.post("one", "open", &[definition("statement"), tool(1, "theirs", json!({"object_marking_refs": [CLEAR, M]}))]);
    assert_eq!(s.ids("two", "open").len(), 2);
    s.node.delete(&caller("one"), "live", "open", M, "").unwrap();
    assert!(s.ids("two", "open").is_empty());
    assert_eq!(s.node.quarantine(None, 10).unwrap().len(), 1, "the tool waits, visibly");
    let again = tool(2, "theirs too", json!({"object_marking_refs": [CLEAR, M]}));
    s.post("one", "open", &[again]);
    assert_eq!(s.node.quarantine(None, 10).unwrap().len(), 2);
    let s = s.reopen();
    assert!(s.ids("two", "open").is_empty());
    s.post("one", "open", &[definition("statement")]);
    assert_eq!(s.ids("two", "open").len(), 3);
    // Gone again, and back as something that nobody understands: what it marks stays away, on the same road as before.
    s.node.delete(&caller("one"), "live", "open", M, "").unwrap();
    s.post("one", "open", &[definition("x-odd")]);
    assert_eq!(s.ids("two", "open"), [M]);
    s.node.delete(&caller("one"), "live", "open", M, "").unwrap();
    s.post("one", "open", &[definition("statement")]);
    assert_eq!(s.ids("two", "open").len(), 3);
    let faults = s.admin(json!({"command": "doctor"}));
    assert_eq!(faults["sound"], true, "{faults}");
}

/// T-122, I4: what another's road still shows is not deleted, and no 200 says that it was.
#[test]
fn what_another_road_still_shows_is_not_deleted() {
    let s = Stage::new("delete");
    let it = tool(1, "shared", json!({}));
    s.post("one", "open", std::slice::from_ref(&it));
    s.import("open", std::slice::from_ref(&it));
    let id = it["id"].as_str().unwrap();
    let refused = s.node.delete(&caller("one"), "live", "open", id, "");
    assert_eq!(refused, Err(taxii::error::TaxiiError::Forbidden));
    assert_eq!((s.ids("one", "open").len(), s.ids("two", "open").len()), (1, 1), "nothing was done");
    // A road that is hidden from the caller changes nothing.
    let other = tool(2, "hidden beside", json!({}));
    s.post("one", "open", std::slice::from_ref(&other));
    s.import("open", std::slice::from_ref(&other));
    s.admin(json!({"command": "relabel", "id": other["id"], "label": "TLP:AMBER", "realm": null}));
    let id = other["id"].as_str().unwrap();
    s.node.delete(&caller("one"), "live", "open", id, "").unwrap();
    assert!(!s.ids("one", "open").contains(&id.to_owned()));
}

/// I4: a refused object is replayed only if its sender may speak for its creator by now.
#[test]
fn replaying_asks_again_for_whom_the_sender_may_speak() {
    let s = Stage::new("replay-speaks");
    let pull = "[pull]\nurl = \"http://127.0.0.1:1/taxii2/\"\naccount = \"home\"\nsecret_file = \"secret\"\ncollections = [{ remote = \"open\", into = \"open\" }]\n";
    std::fs::write(s.dir.join("secret"), "a secret of some length").unwrap();
    std::fs::write(s.dir.join("agreements/p1.toml"), agreement("p1", "") + pull).unwrap();
    s.node.reload().unwrap();
    let third = "identity--00000000-0000-4000-8000-0000000000bb";
    let it = tool(1, "of a third party", json!({"created_by_ref": third, "object_marking_refs": [CLEAR]}));
    s.node.pull("p1", &Peer(json!({"objects": [it]}).to_string())).unwrap();
    let row = s.node.quarantine(None, 10).unwrap()[0].no;
    let refused = s.node.quarantine_replay(row, None).unwrap_err().to_string();
    assert!(refused.contains("speak for") && refused.contains(third), "{refused}");
    assert_eq!(s.node.quarantine(None, 10).unwrap().len(), 1, "the row stays");
    let wider = agreement("p1", "").replace("identities = [", &format!("identities = [\"{third}\", "));
    std::fs::write(s.dir.join("agreements/p1.toml"), wider + pull).unwrap();
    s.node.reload().unwrap();
    assert!(s.node.quarantine_replay(row, None).unwrap());
    assert!(s.node.quarantine(None, 10).unwrap().is_empty());
}

/// I4: a hub's altered copy gives way to what comes from the party that may speak for the creator.
#[test]
fn a_hubs_copy_gives_way_to_the_creators_own() {
    let s = Stage::new("hub");
    let pull = "[pull]\nurl = \"http://127.0.0.1:1/taxii2/\"\naccount = \"home\"\nsecret_file = \"secret\"\ncollections = [{ remote = \"open\", into = \"open\" }]\n";
    std::fs::write(s.dir.join("secret"), "a secret of some length").unwrap();
    let hub = agreement("p2", "").replace("identities = [", "identities = [\"*\", ");
    std::fs::write(s.dir.join("agreements/p2.toml"), hub + pull).unwrap();
    s.node.reload().unwrap();
    let it = |name: &str| tool(1, name, json!({"created_by_ref": P1, "object_marking_refs": [CLEAR]}));
    s.node.pull("p2", &Peer(json!({"objects": [it("altered")]}).to_string())).unwrap();
    s.put("own", None, false);
    let names = |s: &Stage| {
        s.list("own", "open").iter().map(|o| o["name"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&s), ["altered"]);
    s.post("one", "open", &[it("genuine")]);
    assert_eq!(names(&s), ["genuine"]);
}

/// I1: quotas are a partner's own: its room is used up by what it brings, by nothing else, and the reply has the shape of any other refusal.
#[test]
fn a_quota_is_the_partners_own_and_ends_at_its_edge() {
    let quota = |bytes: usize, roads: usize| format!("quota_bytes = {bytes}\nquota_roads = {roads}\n");
    let one = tool(1, "a tool", json!({"object_marking_refs": [CLEAR]}));
    let bytes = stix::Object::parse(&one.to_string(), &stix::Limits::default()).unwrap().raw().len();
    let same = |n: u32| tool(n, "a tool", json!({"object_marking_refs": [CLEAR]}));
    let s = Stage::new("quota");
    std::fs::write(s.dir.join("agreements/p1.toml"), agreement("p1", &quota(3 * bytes, 100))).unwrap();
    s.node.reload().unwrap();
    s.import("open", &[same(1)]);
    let counts =
        |status: &serde_json::Value| [&status["success_count"], &status["failure_count"]].map(|n| n.as_u64().unwrap());
    assert_eq!(
        counts(&s.post("one", "open", &[same(1), same(2)])),
        [2, 0],
        "what is held already counts like what is not"
    );
    assert_eq!(counts(&s.post("one", "open", &[same(2)])), [1, 0], "and what it brought itself does not count twice");
    let refused = s.post("one", "open", &[same(3), same(4)]);
    assert_eq!(counts(&refused), [0, 2]);
    assert_eq!(
        refused["failures"][0]["message"],
        format!("the quota of {} octets for this partner is used up", 3 * bytes)
    );
    assert_eq!(counts(&s.post("one", "open", &[same(3)])), [1, 0], "to the last octet");
    assert_eq!(counts(&s.post("one", "open", &[same(4)])), [0, 1]);
    assert_eq!(counts(&s.post("two", "open", &[same(4)])), [1, 0], "another's room is another's");
    let s = s.reopen();
    assert_eq!(counts(&s.post("one", "open", &[same(4)])), [0, 1]);
    let unreadable = tool(5, "a tool", json!({"created": "yesterday"}));
    let kept = s.node.quarantine(None, 10).unwrap().len();
    assert_eq!(counts(&s.post("one", "open", std::slice::from_ref(&unreadable))), [0, 1]);
    assert_eq!(s.node.quarantine(None, 10).unwrap().len(), kept, "what cannot be read takes room too");
    assert_eq!(counts(&s.post("two", "open", &[unreadable])), [0, 1]);
    assert_eq!(s.node.quarantine(None, 10).unwrap().len(), kept + 1);
    std::fs::write(s.dir.join("agreements/p1.toml"), agreement("p1", &quota(1 << 30, 3))).unwrap();
    s.node.reload().unwrap();
    let marked = |n: u32, m: &str| tool(n, "a tool", json!({"object_marking_refs": [CLEAR, m]}));
    assert_eq!(counts(&s.post("one", "open", &[marked(5, M), marked(6, M)])), [2, 0]);
    assert_eq!(
        counts(&s.post("one", "open", &[marked(7, &M.replace("11", "22")), marked(8, &M.replace("11", "33"))])),
        [0, 2]
    );
    assert_eq!(counts(&s.post("one", "open", &[marked(7, &M.replace("11", "22"))])), [1, 0]);
    assert_eq!(counts(&s.post("one", "open", &[marked(8, &M.replace("11", "33"))])), [0, 1]);
}

/// Bounds: one party brings so many instances of one id and no more; others are not touched by it, nor are other ids of the same POST.
#[test]
fn instances_of_one_id_are_bounded_for_each_partner() {
    let s = Stage::new("crowded");
    let at =
        |i: usize| format!("2026-02-{:02}T{:02}:{:02}:{:02}.000Z", 1 + i / 86_400, i / 3_600 % 24, i / 60 % 60, i % 60);
    let versions =
        |range: std::ops::Range<usize>| range.map(|i| tool(1, "x", json!({"modified": at(i)}))).collect::<Vec<_>>();
    let most = store::INSTANCES_PER_ID_MAX;
    let counts =
        |status: &serde_json::Value| [&status["success_count"], &status["failure_count"]].map(|n| n.as_u64().unwrap());
    assert_eq!(counts(&s.post("one", "open", &versions(0..most - 1))), [most as u64 - 1, 0]);
    assert_eq!(
        counts(&s.post("one", "open", &versions(0..most))),
        [most as u64, 0],
        "known ones, and one more: the last"
    );
    let mut next = versions(most..most + 1);
    next.push(tool(2, "another", json!({})));
    let status = s.post("one", "open", &next);
    assert_eq!(counts(&status), [1, 1]);
    assert_eq!(status["failures"][0]["id"], next[0]["id"]);
    assert_eq!(counts(&s.post("two", "open", &versions(most..most + 1))), [1, 0]);
}

/// C-012, S-054, S-055, S-057, S-059: contents that contradict each other are kept and told to the operator, each with its sources and labels.
#[test]
fn contradictions_are_told_to_the_operator() {
    let s = Stage::new("contradictions");
    let none = s.admin(json!({"command": "conflicts", "realm": null, "after": null}));
    assert_eq!((&none["conflicts"], &none["next"]), (&json!([]), &json!(null)));
    s.import("open", &[tool(1, "genuine", json!({"created_by_ref": HOME})), tool(2, "lonely", json!({}))]);
    s.import("open", &[tool(1, "other", json!({"created_by_ref": HOME}))]);
    let told = s.admin(json!({"command": "conflicts", "realm": null, "after": null}));
    let rows = told["conflicts"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{told}");
    assert_eq!((&rows[0]["breach"], &rows[0]["requirement"]), (&json!("same-version"), &json!("S-055")));
    let sides = rows[0]["instances"].as_array().unwrap();
    assert_eq!(sides.len(), 2);
    assert_ne!(sides[0]["digest"], sides[1]["digest"]);
    for side in sides {
        assert_eq!(side["sources"][0]["from"], "own import");
        assert!(!side["sources"][0]["label"].as_array().unwrap().is_empty(), "{side}");
    }
    let after = rows[0]["id"].clone();
    assert_eq!(s.admin(json!({"command": "conflicts", "realm": null, "after": after}))["conflicts"], json!([]));
    // A lawful version is no contradiction.
    s.import("open", &[tool(2, "lonely", json!({"modified": "2026-02-01T00:00:00.000Z"}))]);
    assert_eq!(
        s.admin(json!({"command": "conflicts", "realm": null, "after": null}))["conflicts"].as_array().unwrap().len(),
        1
    );
}
