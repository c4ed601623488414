use crate::stage::*;
use serde_json::json;

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

/// I4: an originator's marking that has not arrived yet is not replaced by a relabel.
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
        Ok(taxii::client::Response { status: 200, headers, body: body.into_bytes(), elapsed_ms: 1 })
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
#[ignore = "open: needs originator signatures, or the own organisation's imports to go before what partners post"]
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
