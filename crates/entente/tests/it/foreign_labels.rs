//! Labels of policies that a reader is not to know of (L-107, L-126), at whole nodes: which copies stand for what bears them, and what a partner's node does with them.

use crate::{
    material::{self, Deal, HUB, PUBLIC, PullFrom, REL_JPN, bundle, definition, identity, indicator, japan},
    redaction::{INTEL, OTHER, TOOL, beside_another},
    scene::{NodeDir, strict_room},
    stage::{Poller, SECOND, Stage},
};
use label::Label;
use node::admin::Request;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use taxii::server::Listing;

/// In the catalogue: restricted, releasable to Japan, with an alternative for DEMO-XPA.
pub(crate) const TELLING: &str = "NATO RESTRICTED REL JPN, told to XPA";
/// The partner's policy that the hub holds too.
pub(crate) const XPA: &str = include_str!("../../../label/policies/xpa-demo.spif.xml");

fn in_xpa(level: &str) -> Value {
    json!({"v": 1, "role": "alternative", "policy": {"name": "DEMO-XPA"}, "classification": level,
        "categories": [{"tag": "Releasable To", "oid": "2.25.288553816955318105812922411624068403552.2", "type": "permissive", "values": ["JPN", "XPA"]}],
        "created": "2026-01-01T00:00:00Z", "review": "2031-01-01T00:00:00Z"})
}

/// Releasable to Japan in NATO's policy, and with this alternative.
pub(crate) fn telling(level: &str) -> Label {
    let mut json: Value = serde_json::from_slice(material::nato("RESTRICTED", &["JPN"]).canonical()).unwrap();
    json["alternatives"] = json!([in_xpa(level)]);
    Label::from_json(&json.to_string()).unwrap()
}

/// A node that holds the partner's policy, too, and whose catalogue has [`TELLING`].
fn init(name: &str, rooms: &[crate::scene::Room], extra: &str) -> NodeDir {
    let dir = NodeDir::init_with(name, rooms, extra);
    dir.with_policy("xpa-demo", XPA);
    let mut labels: Vec<String> = material::labels().iter().map(|(name, label)| definition(label, name)).collect();
    labels.push(definition(&telling("CONFIDENTIAL"), TELLING));
    std::fs::write(dir.path().join("catalogue.json"), bundle(&labels)).unwrap();
    dir
}

const IN_XPA: &str = "\n[[clearance]]\npolicy = \"DEMO-XPA\"\nclassifications = [\"UNCLASSIFIED\", \"CONFIDENTIAL\"]\ncategories = { \"Releasable To\" = [\"JPN\"] }\n";

/// Japan's agreement: redaction, and what becomes of alternatives; with a clearance in NATO's policy, or in the other one.
fn agreed(keep: bool, nato: bool, xpa: bool) -> Deal {
    let mut deal = japan(&[INTEL], &[]);
    let kept = if keep { "keep" } else { "remove" };
    deal.more = format!("redaction = \"allowed\"\nforeign_alternatives = \"{kept}\"\n");
    if !nato {
        deal.classifications.clear();
    }
    if xpa {
        deal.end.push_str(IN_XPA);
    }
    deal
}

fn agree(stage: &Stage, deal: &Deal) {
    stage.dir.agree(deal);
    stage.done(Request::Reload);
}

fn stage() -> Stage {
    let dir = init("hub", &[strict_room(INTEL)], "");
    dir.agree(&agreed(false, true, false));
    beside_another(dir)
}

/// Everything that an account is given of the collection.
fn page(stage: &Stage, account: &str) -> (Vec<Value>, String) {
    let listed = stage.list(account, INTEL, Listing::Objects, "match[version]=all&limit=1000").unwrap();
    let text = String::from_utf8(listed.body).unwrap();
    let body: Value = serde_json::from_str(&text).unwrap();
    (body["objects"].as_array().cloned().unwrap_or_default(), text)
}

fn indicators(stage: &Stage, account: &str) -> Vec<Value> {
    page(stage, account).0.into_iter().filter(|o| o["type"] == "indicator").collect()
}

fn explain(stage: &Stage, id: &str, to: &str) -> Value {
    stage.done(Request::Explain { id: id.to_owned(), to: to.to_owned(), realm: None })
}

/// L-107, I5: what bears an alternative of a policy that the reader is not to know of reaches it as a copy under the same label without that one, carried or put on at
/// the door; its definition does not. Whose agreement says nothing has the whole, and so has the reader once its agreement keeps them, or its clearance grows.
#[test]
fn alternatives_of_other_policies_do_not_leave_for_whom_they_are_removed() {
    let stage = stage();
    let (carried, assigned) =
        (indicator(1, 1).by(HUB).marked(&telling("CONFIDENTIAL").marking_id().to_string()), indicator(1, 2).by(HUB));
    let plain = indicator(1, 3).by(HUB).marked(&material::marking(REL_JPN));
    stage.import(&[definition(&telling("CONFIDENTIAL"), TELLING)], INTEL, None);
    stage.import(&[carried.text(), plain.text()], INTEL, None);
    stage.import(&[assigned.text()], INTEL, Some(TELLING));
    let originals = [carried.id(), assigned.id()];
    let mut poller = Poller::new(TOOL, INTEL, 100);
    let first: Vec<String> = poller.poll(&stage);
    let (_, text) = page(&stage, TOOL);
    for trace in ["DEMO-XPA", TELLING, &originals[0], &originals[1], &telling("CONFIDENTIAL").marking_id().to_string()]
    {
        assert!(!text.contains(trace), "{trace}: {text}");
    }
    let given = indicators(&stage, TOOL);
    assert_eq!(given.len(), 3, "{given:#?}");
    for copy in given.iter().filter(|o| o["id"] != plain.id().as_str()) {
        assert_eq!(
            (&copy["object_marking_refs"], &copy["created_by_ref"]),
            (&json!([material::marking(REL_JPN)]), &json!(HUB))
        );
        assert!(first.contains(&copy["id"].as_str().unwrap().to_owned()));
    }
    assert!(given.iter().any(|o| o["id"] == plain.id().as_str()), "what tells of nothing is given whole");
    let whole = page(&stage, OTHER);
    assert!(originals.iter().all(|id| whole.1.contains(id.as_str())) && whole.1.contains("DEMO-XPA"), "as before");
    assert_eq!(whole.0.iter().filter(|o| o["type"] == "indicator").count(), 3);

    let told = explain(&stage, &originals[0], TOOL);
    assert_eq!(
        (&told["released"], &told["instances"][0]["reason"]),
        (&json!(false), &json!("foreign-label")),
        "{told}"
    );
    assert!(told["instances"][0]["redacted"][0]["copy"].is_string(), "{told}");
    let steps = told["instances"][0]["steps"].as_array().unwrap();
    assert!(steps.iter().any(|s| s["rule"] == "L-107" && s["passed"] == false), "{told}");
    let told = explain(&stage, &telling("CONFIDENTIAL").marking_id().to_string(), TOOL);
    assert_eq!(
        (&told["released"], &told["instances"][0]["reason"]),
        (&json!(false), &json!("foreign-label")),
        "{told}"
    );
    assert_eq!(explain(&stage, &originals[0], OTHER)["released"], true);

    // Whole, when the agreement keeps them or when it may know of the policy; and copies again.
    for deal in [agreed(true, true, false), agreed(false, true, true)] {
        stage.pass(SECOND);
        agree(&stage, &deal);
        let mut ids: Vec<String> =
            indicators(&stage, TOOL).iter().map(|o| o["id"].as_str().unwrap().to_owned()).collect();
        let mut all = vec![carried.id(), assigned.id(), plain.id()];
        ids.sort();
        all.sort();
        assert_eq!(ids, all);
        stage.pass(SECOND);
        agree(&stage, &agreed(false, true, false));
        assert_eq!(indicators(&stage, TOOL).len(), 3);
        assert!(!page(&stage, TOOL).1.contains("DEMO-XPA"));
    }
    // With another label of the owner's, nothing that the object carries counts, and there is no copy (L-124).
    stage.relabel(&plain.id(), TELLING);
    let left: Vec<Value> = indicators(&stage, TOOL);
    assert_eq!(left.len(), 2);
    let stage = stage.reopen();
    assert_eq!(indicators(&stage, TOOL), left);
    stage.assert_sound();
}

/// L-107: the setting stands only where redaction is allowed: otherwise what bears such labels would be lost without a word.
#[test]
fn alternatives_are_removed_only_where_redaction_is_allowed() {
    let dir = init("hub", &[strict_room(INTEL)], "");
    let mut deal = agreed(false, true, false);
    deal.more = String::from("foreign_alternatives = \"remove\"\n");
    dir.agree(&deal);
    let why = node::config::Config::load(dir.path()).unwrap_err().to_string();
    assert!(
        why.contains("agreements/japan.toml: `foreign_alternatives = \"remove\"` needs `redaction = \"allowed\"`"),
        "{why}"
    );
    deal.more = String::from("redaction = \"allowed\"\nforeign_alternatives = \"drop\"\n");
    dir.agree(&deal);
    assert!(node::config::Config::load(dir.path()).is_err());
}

/// L-126, L-104, L-005: who passes an alternative in its own policy alone gets a copy with that alternative for its label. A partner's node that counts the giver's
/// alternatives takes it as labelled and decides by it for its own readers; one that does not lets it wait.
#[test]
fn the_readers_own_alternative_labels_the_copy_and_a_node_that_trusts_its_maker() {
    let ally = init("ally", &[strict_room(INTEL)], "");
    let mut deal = agreed(false, false, true);
    deal.partner = "hub";
    ally.agree(&deal);
    let token = ally.account("hub-node", Some("hub"), &["--peer"]);
    let giving = ally.serve();
    let mine = indicator(4, 1).by(HUB).marked(&telling("CONFIDENTIAL").marking_id().to_string());
    let above = indicator(4, 2).by(HUB).marked(&telling("SECRET").marking_id().to_string());
    let objects = [
        identity(HUB, "the ally"),
        definition(&telling("CONFIDENTIAL"), TELLING),
        definition(&telling("SECRET"), "too high"),
        mine.text(),
        above.text(),
    ];
    let file = ally.file("some.json", bundle(&objects));
    ally.json(&["import", file.to_str().unwrap(), "--collection", INTEL, "--label", PUBLIC]);
    let mut copies = BTreeSet::new();
    for (trusted, cleared) in [(true, true), (true, false), (false, true)] {
        let hub = init("hub", &[strict_room("pulled")], if trusted { "mappers = [\"ally\"]" } else { "" });
        if cleared {
            hub.append("node.toml", &IN_XPA.replace("[[clearance]]", "[[operator.clearance]]"));
        }
        let mut pull = japan(&[], &["pulled"]);
        (pull.partner, pull.identities) = ("ally", vec!["*"]);
        let url = format!("http://{}/taxii2/", ally.taxii);
        pull.pull = Some(PullFrom { url, account: "", remote: INTEL, into: "pulled", every_s: 100_000 });
        hub.agree(&pull);
        std::fs::write(hub.path().join("secrets").join("ally"), &token).unwrap();
        let stage = Stage::open(hub);
        stage.account("analyst", None, json!({}));
        stage.node.pull_over_http("ally").unwrap();
        let rows = stage.done(Request::Quarantine { after: None });
        let waiting = rows.as_array().unwrap().iter().filter(|r| r.to_string().contains("indicator--")).count();
        assert_eq!(waiting, usize::from(!trusted), "{rows}");
        let listed = stage.list("analyst", "pulled", Listing::Objects, "match[type]=indicator").unwrap();
        let body: Value = serde_json::from_slice(&listed.body).unwrap();
        let given = body["objects"].as_array().cloned().unwrap_or_default();
        assert_eq!(given.len(), usize::from(trusted && cleared), "{trusted} {cleared}: {body}");
        for copy in &given {
            let alone = Label::from_json(&in_xpa("CONFIDENTIAL").to_string()).unwrap().marking_id();
            assert_eq!(copy["object_marking_refs"], json!([alone]));
        }
        // Whoever looks into the store finds no more than the copy.
        let database = rusqlite::Connection::open(stage.dir.database()).unwrap();
        let mut ids = database.prepare("SELECT id FROM object_key WHERE id LIKE 'indicator--%'").unwrap();
        let ids: BTreeSet<String> = ids.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        assert!(ids.len() == 1 && !ids.contains(&mine.id()) && !ids.contains(&above.id()), "{ids:?}");
        let told = explain(&stage, ids.first().unwrap(), "analyst");
        let why = [(true, true, Value::Null), (true, false, json!("policy")), (false, true, json!("quarantined"))];
        let (.., why) = why.into_iter().find(|(t, c, _)| (*t, *c) == (trusted, cleared)).unwrap();
        assert_eq!(told["instances"][0]["reason"], why, "{told}");
        copies.extend(ids);
        stage.assert_sound();
    }
    assert_eq!(copies.len(), 1, "one copy, whoever takes it");
    assert_eq!(giving.end(), Some(0));
}
