//! Redacted copies at the whole node (L-123 to L-125, L-127, L-143): who gets which, how a copy follows its original, and that it tells nothing of what was cut.

use crate::{
    material::{
        self, HUB, Indicator, JAPAN, NATO_ONLY, PUBLIC, REL_JPN, SECRET_JPN, identity, indicator, japan, marking,
    },
    scene::{NodeDir, strict_room},
    stage::{Poller, SECOND, Stage},
};
use node::admin::Request;
use serde_json::{Value, json};
use taxii::server::{Caller, Listing, Taxii as _};

pub(crate) const TOOL: &str = "jpn-tool";
/// Of a partner with the same clearance whose agreement says nothing of redaction.
pub(crate) const OTHER: &str = "xpa-tool";
pub(crate) const INTEL: &str = "intel";

/// Japan's agreement; with `allowed`, it may have redacted copies.
fn agree(stage: &Stage, allowed: bool, classifications: &[&'static str]) {
    write_agreement(&stage.dir, allowed, classifications);
    stage.done(Request::Reload);
}

fn write_agreement(dir: &NodeDir, allowed: bool, classifications: &[&'static str]) {
    let mut deal = japan(&[INTEL], &[]);
    deal.classifications = classifications.to_vec();
    if allowed {
        deal.more = String::from("redaction = \"allowed\"\n");
    }
    dir.agree(&deal);
}

fn stage() -> Stage {
    let dir = NodeDir::init("hub", &[strict_room(INTEL)]);
    write_agreement(&dir, true, &["UNCLASSIFIED", "RESTRICTED"]);
    beside_another(dir)
}

/// The hub with Japan's account, and one of a partner whose agreement is the plain one; both may know of the hub.
pub(crate) fn beside_another(dir: NodeDir) -> Stage {
    let mut other = japan(&[INTEL], &[]);
    (other.partner, other.identity) = ("xpa", material::STRANGER.to_owned());
    dir.agree(&other);
    let stage = Stage::open(dir);
    stage.account(TOOL, Some("japan"), json!({}));
    stage.account(OTHER, Some("xpa"), json!({}));
    stage.import(&[identity(HUB, "the hub")], INTEL, Some(PUBLIC));
    stage
}

/// An own object with parts that have other labels.
fn parted(mut object: Indicator, whole: &str, parts: &[(&[&str], &str)]) -> Indicator {
    let granular: Vec<Value> =
        parts.iter().map(|(at, label)| json!({"selectors": at, "marking_ref": marking(label)})).collect();
    object = object.by(HUB).marked(&marking(whole));
    if parts.is_empty() { object } else { object.with("granular_markings", granular) }
}

fn report(number: u64, refs: &[&str]) -> Indicator {
    material::report(9, number, refs)
}

/// What an account is given of the collection, the hub's identity and marking definitions apart.
fn given(stage: &Stage, account: &str) -> Vec<Value> {
    let listed = stage.list(account, INTEL, Listing::Objects, "match[version]=all&limit=1000").unwrap();
    let body: Value = serde_json::from_slice(&listed.body).unwrap();
    let objects = body["objects"].as_array().cloned().unwrap_or_default();
    objects.into_iter().filter(|o| o["id"] != HUB && o["type"] != "marking-definition").collect()
}

fn only(stage: &Stage, account: &str) -> Value {
    let all = given(stage, account);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.into_iter().next().unwrap()
}

fn explain(stage: &Stage, id: &str, to: &str) -> Value {
    stage.done(Request::Explain { id: id.to_owned(), to: to.to_owned(), realm: None })
}

fn steps(explained: &Value, rule: &str) -> Vec<(String, bool)> {
    let rows = explained["instances"].as_array().unwrap().iter().flat_map(|i| i["steps"].as_array().unwrap());
    rows.filter(|s| s["rule"] == rule).map(|s| (s["what"].as_str().unwrap().to_owned(), s["passed"] == true)).collect()
}

/// L-123, L-124: the copy goes to the reader whose agreement allows it and to nobody else; it is told at home, and nowhere else, of what it is one.
#[test]
fn whose_agreement_allows_it_gets_a_copy_and_nobody_else() {
    let stage = stage();
    let original = parted(indicator(1, 1), REL_JPN, &[(&["description"], NATO_ONLY)]).with("description", "the source");
    stage.import(&[original.text()], INTEL, None);
    let copy = only(&stage, TOOL);
    let id = copy["id"].as_str().unwrap().to_owned();
    assert_ne!(id, original.id());
    assert_eq!((copy.get("description"), copy.get("granular_markings")), (None, None));
    assert_eq!((&copy["created_by_ref"], &copy["object_marking_refs"]), (&json!(HUB), &json!([marking(REL_JPN)])));
    assert!(!copy.to_string().contains(&original.id()[11..]));
    assert!(given(&stage, OTHER).is_empty(), "its agreement says nothing of redaction");
    assert_eq!(only(&stage, "operator")["id"], original.id(), "at home there is the original alone");
    let mut both = vec![HUB.to_owned(), id.clone()];
    both.sort();
    assert_eq!(stage.ids(TOOL, INTEL), both);

    let told = explain(&stage, &original.id(), TOOL);
    assert_eq!(told["released"], false);
    assert_eq!(told["instances"][0]["redacted"][0]["copy"], id.as_str(), "{told}");
    assert_eq!(told["instances"][0]["redacted"][0]["cut"], json!(["description"]));
    assert_eq!(
        steps(&told, "L-124").last().unwrap(),
        &(format!("the redacted copy `{id}` is made for the reader"), true)
    );
    let told = explain(&stage, &original.id(), OTHER);
    assert_eq!(steps(&told, "L-123"), [("no redacted copy: the agreement does not allow redaction".to_owned(), false)]);
    let told = explain(&stage, &id, TOOL);
    assert_eq!((&told["released"], &told["instances"][0]["copy_of"][0]["id"]), (&json!(true), &json!(original.id())));
    let told = explain(&stage, &id, OTHER);
    assert_eq!((&told["released"], steps(&told, "L-124")[0].1), (&json!(false), false));

    let seen = stage.done(Request::ViewAs { account: TOOL.to_owned(), collection: None, query: String::new() });
    assert!(seen.to_string().contains(&id) && !seen.to_string().contains(&original.id()), "{seen}");
    let has = stage.done(Request::WhoHas { id: original.id(), realm: None });
    let copies = &has["versions"][0]["copies"][0];
    assert_eq!((&copies["copy"], &copies["held"]), (&json!(id), &json!(true)));
    assert!(copies["deliveries"].as_array().unwrap().iter().all(|d| d["account"] == TOOL));
    assert!(!copies["deliveries"].as_array().unwrap().is_empty(), "{has}");
    assert!(has["versions"][0]["deliveries"].as_array().unwrap().iter().all(|d| d["account"] == "operator"), "{has}");
    let leaves = stage.node.store().leaves(0, 10_000).unwrap();
    let leaf = leaves.iter().find(|leaf| leaf.kind == "redact").unwrap();
    assert!(leaf.body.contains(&id) && leaf.body.contains(&original.id()), "{}", leaf.body);
    stage.assert_sound();
}

/// I5, L-124: a copy follows its original: what changes for the reader comes as a newer version of the same copy, a revocation reaches it, and a relabel
/// or a withdrawn agreement takes it away; a revision of hidden parts alone does not show.
#[test]
fn a_copy_follows_its_original() {
    let stage = stage();
    let original = |text: &str, at: &str| {
        parted(indicator(1, 1), REL_JPN, &[(&["description"], NATO_ONLY)]).with("description", text).modified(at)
    };
    stage.import(&[original("one", "2026-01-02T00:00:00.000Z").text()], INTEL, None);
    let mut poller = Poller::new(TOOL, INTEL, 10);
    let first = only(&stage, TOOL);
    let id = first["id"].as_str().unwrap().to_owned();
    assert_eq!(poller.poll(&stage), [HUB.to_owned(), id.clone()]);
    stage.pass(SECOND);
    stage.import(&[original("two", "2026-01-03T00:00:00.000Z").text()], INTEL, None);
    assert!(poller.poll(&stage).is_empty(), "what is new is hidden");
    assert_eq!(only(&stage, TOOL), first);
    stage.pass(SECOND);
    let third = original("three", "2026-01-04T00:00:00.000Z").with("name", "a better name");
    stage.import(&[third.text()], INTEL, None);
    assert_eq!(poller.poll(&stage), std::slice::from_ref(&id), "the same copy, newer");
    let copy = only(&stage, TOOL);
    assert_eq!((&copy["name"], &copy["modified"]), (&json!("a better name"), &json!("2026-01-04T00:00:00.000Z")));
    stage.pass(SECOND);
    stage.done(Request::Revoke { id: third.id(), realm: None });
    assert_eq!(poller.poll(&stage), std::slice::from_ref(&id));
    assert_eq!(only(&stage, TOOL)["revoked"], true);

    let another = parted(indicator(1, 2), REL_JPN, &[(&["description"], NATO_ONLY)]).with("description", "x");
    stage.import(&[another.text()], INTEL, None);
    let second = poller.poll(&stage);
    assert_eq!(second.len(), 1);
    stage.relabel(&another.id(), NATO_ONLY);
    assert_eq!(stage.ids(TOOL, INTEL).len(), 2, "after a relabel nothing that it carries counts");
    stage.pass(SECOND);
    agree(&stage, false, &["UNCLASSIFIED", "RESTRICTED"]);
    assert_eq!(stage.ids(TOOL, INTEL), [HUB]);
    let stage = stage.reopen();
    assert_eq!(stage.ids(TOOL, INTEL), [HUB]);
    agree(&stage, true, &["UNCLASSIFIED", "RESTRICTED"]);
    assert_eq!(poller.poll(&stage), [id], "it comes back with a new slot");
    stage.assert_sound();
}

/// I5, L-123: a reader has the whole or the copy, never both, and moves between them by its agreement.
#[test]
fn a_reader_has_the_whole_or_the_copy() {
    let stage = stage();
    let original = parted(indicator(1, 1), REL_JPN, &[(&["description"], SECRET_JPN)]).with("description", "a secret");
    stage.import(&[original.text()], INTEL, None);
    let copy = only(&stage, TOOL)["id"].as_str().unwrap().to_owned();
    let mut poller = Poller::new(TOOL, INTEL, 10);
    assert_eq!(poller.poll(&stage), [HUB.to_owned(), copy.clone()]);
    stage.pass(SECOND);
    agree(&stage, true, &["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET"]);
    assert_eq!(poller.poll(&stage), [original.id()]);
    assert_eq!(only(&stage, TOOL)["id"], original.id());
    stage.pass(SECOND);
    agree(&stage, true, &["UNCLASSIFIED", "RESTRICTED"]);
    assert_eq!(poller.poll(&stage), std::slice::from_ref(&copy));
    assert_eq!(only(&stage, TOOL)["id"], copy.as_str());
    stage.pass(SECOND);
    agree(&stage, true, &["UNCLASSIFIED"]);
    assert!(given(&stage, TOOL).is_empty(), "it passes nothing of it");
    stage.assert_sound();
}

/// L-125: without a property that its type needs there is no copy; L-123: nor where the object has no label of its own.
#[test]
fn what_needs_what_is_hidden_is_withheld_whole() {
    let stage = stage();
    let original = parted(indicator(1, 1), REL_JPN, &[(&["pattern"], NATO_ONLY)]);
    let unlabelled = indicator(1, 2)
        .by(HUB)
        .with("description", "x")
        .with("granular_markings", json!([{"selectors": ["description"], "marking_ref": marking(NATO_ONLY)}]));
    let foreign = parted(indicator(1, 3), REL_JPN, &[(&["name"], NATO_ONLY)]).by(JAPAN);
    stage.import(&[original.text(), unlabelled.text(), foreign.text()], INTEL, None);
    assert!(given(&stage, TOOL).is_empty());
    let told = explain(&stage, &original.id(), TOOL);
    assert_eq!(steps(&told, "L-125"), [("no redacted copy: `pattern` may not be cut".to_owned(), false)]);
    let told = explain(&stage, &foreign.id(), TOOL);
    assert_eq!(steps(&told, "L-123").len(), 1, "only its owner cuts an object");
    let told = explain(&stage, &unlabelled.id(), TOOL);
    assert_eq!(told["instances"][0]["reason"], "quarantined", "a part's label is not the object's (L-005)");
    // A newer version in which the part is open is given whole; an older one whose copy is given stays while a newer one is hidden.
    let open = parted(indicator(1, 1), REL_JPN, &[]).modified("2026-01-02T00:00:00.000Z");
    stage.import(&[open.text()], INTEL, None);
    assert_eq!(only(&stage, TOOL)["id"], original.id());
    let before = parted(indicator(1, 4), REL_JPN, &[(&["name"], NATO_ONLY)]);
    stage.import(&[before.text()], INTEL, None);
    assert_eq!(given(&stage, TOOL).len(), 2);
    let after = parted(indicator(1, 4), REL_JPN, &[(&["pattern"], NATO_ONLY)]).modified("2026-01-02T00:00:00.000Z");
    stage.import(&[after.text()], INTEL, None);
    assert_eq!(given(&stage, TOOL).len(), 2, "a hidden version makes no visible one vanish");
    stage.assert_sound();
}

/// L-124, L-127: from optional lists what is hidden is removed; as it becomes known, the copy gives way to another and then to the whole. What needs a redacted object
/// is withheld: no copy stands in for it.
#[test]
fn optional_lists_lose_what_the_reader_may_not_know() {
    let stage = stage();
    let (open, one, two) = (indicator(2, 1), indicator(2, 2), indicator(2, 3));
    stage.import(&[open.text()], INTEL, Some(REL_JPN));
    stage.import(&[one.text(), two.text()], INTEL, Some(NATO_ONLY));
    let listing =
        report(1, &[&open.id(), &one.id(), &two.id(), &indicator(2, 99).id()]).by(HUB).marked(&marking(REL_JPN));
    let redacted = parted(indicator(2, 4), REL_JPN, &[(&["name"], NATO_ONLY)]);
    let link = material::relationship(2, 5, &redacted.id(), &open.id()).marked(&marking(REL_JPN));
    stage.import(&[listing.text(), redacted.text(), link.text()], INTEL, None);
    let reports =
        |stage: &Stage| -> Vec<Value> { given(stage, TOOL).into_iter().filter(|o| o["type"] == "report").collect() };
    let [first] = &reports(&stage)[..] else { panic!("one report") };
    assert_eq!(first["object_refs"], json!([open.id()]));
    let text = serde_json::to_string(&given(&stage, TOOL)).unwrap();
    for hidden in [&one.id(), &two.id(), &listing.id(), &redacted.id(), &link.id()] {
        assert!(!text.contains(hidden.as_str()), "{hidden}");
    }
    stage.relabel(&one.id(), REL_JPN);
    let [second] = &reports(&stage)[..] else { panic!("one report") };
    assert_eq!(second["object_refs"], json!([open.id(), one.id()]));
    assert_ne!(first["id"], second["id"], "never two contents under one id and version");
    stage.relabel(&two.id(), REL_JPN);
    assert_eq!(reports(&stage).len(), 1, "one is not held");
    stage.import(&[indicator(2, 99).text()], INTEL, Some(REL_JPN));
    let [whole] = &reports(&stage)[..] else { panic!("one report") };
    assert_eq!(whole["id"], listing.id());
    for id in [open.id(), one.id(), two.id(), indicator(2, 99).id()] {
        stage.relabel(&id, NATO_ONLY);
    }
    assert!(reports(&stage).is_empty(), "L-125: a report refers to something");
    stage.assert_sound();
}

/// L-143: `tlp:ex:chr` leaves without what tells where it comes from, as a copy or not at all.
#[test]
fn what_asks_not_to_be_attributed_leaves_as_a_copy_without_its_source() {
    let stage = stage();
    let asks = indicator(3, 1)
        .by(material::STRANGER)
        .marked(&marking(REL_JPN))
        .with("labels", json!(["tlp:ex:chr"]))
        .with("external_references", json!([{"source_name": "the stranger"}]));
    stage.import(&[identity(material::STRANGER, "the stranger"), asks.text()], INTEL, Some(PUBLIC));
    assert_eq!(given(&stage, OTHER).iter().filter(|o| o["type"] == "indicator").count(), 0);
    let told = explain(&stage, &asks.id(), OTHER);
    assert_eq!(told["instances"][0]["reason"], "obligation:tlp:ex:chr");
    assert!(!steps(&told, "L-143")[0].1);
    let copies: Vec<Value> = given(&stage, TOOL).into_iter().filter(|o| o["type"] == "indicator").collect();
    let [copy] = &copies[..] else { panic!("{copies:?}") };
    assert_ne!(copy["id"], asks.id());
    assert_eq!((copy.get("created_by_ref"), copy.get("external_references")), (None, None));
    assert_eq!(copy["pattern"], serde_json::from_str::<Value>(&asks.text()).unwrap()["pattern"]);
    stage.assert_sound();
}

/// I1, L-124: two nodes that differ only in what is hidden from the reader, of one object and its revisions: every reply to the reader who gets the copy is equal, byte for byte.
#[test]
fn a_copy_tells_nothing_of_what_was_cut() {
    let run = |twist: bool| -> Vec<String> {
        let stage = stage();
        let mut replies = Vec::new();
        let mut ask = |stage: &Stage| {
            for what in [Listing::Objects, Listing::Manifest] {
                for query in ["", "match[version]=all", "limit=1", "match[type]=indicator"] {
                    let listed = stage.list(TOOL, INTEL, what, query).unwrap();
                    replies.push(format!("{listed:?} {}", String::from_utf8_lossy(&listed.body)));
                }
            }
            for n in [1, 4] {
                replies.push(format!(
                    "{:?}",
                    stage
                        .node
                        .list(
                            &Caller { account: TOOL.to_owned() },
                            "live",
                            INTEL,
                            Listing::Object,
                            Some(&indicator(1, n).id()),
                            "",
                            "test",
                        )
                        .map(|listed| listed.body)
                ));
            }
        };
        let hidden = |text: &str| if twist { format!("{text}, and much more than that") } else { text.to_owned() };
        let secret = |n: u64| indicator(7, n);
        stage.import(&[secret(1).text(), secret(2).text()], INTEL, Some(NATO_ONLY));
        let one = |text: &str, at: &str| {
            parted(indicator(1, 1), REL_JPN, &[(&["description"], NATO_ONLY), (&["labels.[0]"], SECRET_JPN)])
                .with("description", hidden(text))
                .with("labels", json!([hidden("codeword"), "plain"]))
                .modified(at)
        };
        let refs = if twist {
            vec![indicator(1, 3).id(), secret(1).id()]
        } else {
            vec![secret(2).id(), indicator(1, 3).id(), secret(1).id()]
        };
        let refs: Vec<&str> = refs.iter().map(String::as_str).collect();
        let list = report(1, &refs).by(HUB).marked(&marking(REL_JPN));
        stage.import(&[indicator(1, 3).text()], INTEL, Some(REL_JPN));
        stage.import(&[one("one", "2026-01-02T00:00:00.000Z").text(), list.text()], INTEL, None);
        ask(&stage);
        stage.pass(SECOND);
        stage.import(&[one("two", "2026-01-03T00:00:00.000Z").text()], INTEL, None);
        if twist {
            // Revisions and relabels of hidden things alone.
            stage.import(&[one("three", "2026-01-03T12:00:00.000Z").text()], INTEL, None);
            stage.relabel(&secret(2).id(), SECRET_JPN);
        }
        ask(&stage);
        stage.pass(SECOND);
        stage.import(&[one("four", "2026-01-04T00:00:00.000Z").with("name", "renamed").text()], INTEL, None);
        ask(&stage);
        stage.pass(SECOND);
        agree(&stage, false, &["UNCLASSIFIED", "RESTRICTED"]);
        ask(&stage);
        stage.pass(SECOND);
        agree(&stage, true, &["UNCLASSIFIED", "RESTRICTED"]);
        ask(&stage);
        stage.assert_sound();
        replies
    };
    let (plain, twisted) = (run(false), run(true));
    assert_eq!(plain.len(), twisted.len());
    for (a, b) in plain.iter().zip(&twisted) {
        assert_eq!(a, b);
    }
    assert!(plain.iter().any(|reply| reply.contains("\"renamed\"")), "the copy is among what was compared");
}

/// L-124, I1: for whom a copy was made does not follow from what it says, so it stays when what its markings mean is looked at anew.
#[test]
fn a_copy_stays_for_whom_it_was_made_when_its_markings_are_defined_anew() {
    const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
    let dir = NodeDir::init("hub", &[strict_room(INTEL)]);
    write_agreement(&dir, true, &["UNCLASSIFIED", "RESTRICTED"]);
    let mut other = japan(&[INTEL], &[INTEL]);
    (other.partner, other.identity) = ("xpa", material::STRANGER.to_owned());
    dir.agree(&other);
    let stage = Stage::open(dir);
    stage.account(TOOL, Some("japan"), json!({}));
    stage.account(OTHER, Some("xpa"), json!({}));
    let original = parted(indicator(1, 1), REL_JPN, &[(&["description"], NATO_ONLY)])
        .with("object_marking_refs", json!([marking(REL_JPN), GREEN]))
        .with("description", "the source");
    stage.import(&[identity(HUB, "the hub")], INTEL, Some(PUBLIC));
    stage.import(&[original.text()], INTEL, None);
    let copy = only(&stage, TOOL)["id"].as_str().unwrap().to_owned();
    let sees = |account: &str| stage.ids(account, INTEL).contains(&copy);
    assert!(sees(TOOL) && !sees(OTHER) && !sees("operator"));
    let green = json!({"type": "marking-definition", "spec_version": "2.1", "id": GREEN, "created": "2022-10-01T00:00:00.000Z", "name": "TLP:GREEN",
        "extensions": {"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {"extension_type": "property-extension", "tlp_2_0": "green"}}});
    stage.post(OTHER, INTEL, &material::envelope(&[green.to_string()])).unwrap();
    let who = Caller { account: OTHER.to_owned() };
    stage.node.delete(&who, "live", INTEL, GREEN, "").unwrap();
    assert!(sees(TOOL) && !sees(OTHER) && !sees("operator"));
    stage.done(Request::Reload);
    assert!(sees(TOOL) && !sees(OTHER) && !sees("operator"));
    agree(&stage, false, &["UNCLASSIFIED", "RESTRICTED"]);
    assert!(!sees(TOOL) && !sees(OTHER) && !sees("operator"), "a copy that nobody may have is gone");
    stage.assert_sound();
}
