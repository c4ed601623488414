//! Collections that are a saved filter, what a reader is told of the node, and the quirks of accounts that change objects (C-008, C-009, C-015).

use crate::{
    material::{self, JAPAN, NATO_ONLY, PUBLIC, REL_JPN, envelope, identity, indicator, japan, relationship},
    scene::{NodeDir, public_room, strict_room},
    stage::{Poller, SECOND, START, Stage},
};
use node::admin::Request;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use taxii::{
    error::TaxiiError,
    server::{Caller, Listing, Taxii as _},
};

const TOOL: &str = "jpn-tool";
const INTEL: &str = "intel";
const DAY: i64 = 86_400 * SECOND;

pub(crate) fn query(alias: &str, more: &str) -> String {
    let id = material::uuid(0x0E, alias.len() as u64 * 31 + u64::from(alias.as_bytes()[0]));
    format!("\n[[query]]\nid = \"{id}\"\nalias = \"{alias}\"\ntitle = \"Query {alias}\"\nof = \"{INTEL}\"\n{more}\n")
}

/// A node with these query collections over `intel`.
fn stage(queries: &str) -> Stage {
    let dir = NodeDir::init("hub", &[strict_room(INTEL), public_room("open")]);
    dir.append("node.toml", queries);
    dir.agree(&japan(&[INTEL], &[INTEL]));
    let stage = Stage::open(dir);
    stage.account(TOOL, Some("japan"), json!({}));
    stage
}

fn at(us: i64) -> String {
    stix::Timestamp::from_micros(us).as_str().to_owned()
}

/// Every condition, and their conjunction; each is exactly the source filtered by what the reader gets (I1).
#[test]
fn a_query_collection_is_its_source_filtered() {
    let queries = [
        query("kinds", "types = [\"relationship\", \"identity\"]"),
        query("patterns", "pattern_types = [\"sigma\", \"yara\"]"),
        query("makers", &format!("creators = [\"{JAPAN}\"]")),
        query("labelled", &format!("labels = [\"{REL_JPN}\"]")),
        query("recent", "max_age_s = 864000"),
        query("all-of-it", &format!("types = [\"indicator\"]\ncreators = [\"{JAPAN}\"]\nmax_age_s = 864000")),
    ];
    let stage = stage(&queries.concat());
    let new = at(START - DAY);
    let objects = [
        indicator(1, 0).text(),
        indicator(1, 1).with("pattern_type", "sigma").text(),
        indicator(1, 2).with("pattern_type", "yara").by(JAPAN).modified(&new).text(),
        indicator(1, 3).by(JAPAN).text(),
        relationship(1, 4, &indicator(1, 0).id(), &indicator(1, 3).id()).text(),
        identity(JAPAN, "Japan"),
    ];
    stage.import(&objects, INTEL, Some(PUBLIC));
    let labelled = indicator(1, 5).with("pattern_type", "sigma");
    stage.import(&[labelled.text()], INTEL, Some(REL_JPN));
    // Hidden, and it would match everything.
    let hidden = indicator(1, 6).with("pattern_type", "sigma").by(JAPAN).modified(&new);
    stage.import(&[hidden.text()], INTEL, Some(NATO_ONLY));
    let id = |n: u64| indicator(1, n).id();
    let expected: [(&str, Vec<String>); 6] = [
        ("kinds", vec![relationship(1, 4, "", "").id(), JAPAN.to_owned()]),
        ("patterns", vec![id(1), id(2), labelled.id()]),
        ("makers", vec![id(2), id(3)]),
        ("labelled", vec![labelled.id()]),
        ("recent", vec![id(2)]),
        ("all-of-it", vec![id(2)]),
    ];
    for (alias, mut ids) in expected {
        ids.sort();
        assert_eq!(stage.ids(TOOL, alias), ids, "{alias}");
        // Page by page, both ways; and slots are those of the source.
        for limit in [1, 2, 100] {
            let mut poller = Poller::new(TOOL, alias, limit);
            let mut got = poller.poll(&stage);
            got.sort();
            assert_eq!(got, ids, "{alias} by {limit}");
            assert!(poller.poll(&stage).is_empty());
        }
        let source = stage.shown(TOOL, INTEL);
        assert!(stage.shown(TOOL, alias).iter().all(|row| source.contains(row)), "{alias}");
    }
    stage.assert_sound();
}

/// T-100, T-103, T-105, T-106, T-113, T-119, I1: read only, there for who reads the source, and an object that is not in it is not there.
#[test]
fn a_query_collection_is_read_only_and_there_for_who_reads_its_source() {
    let stage = stage(&query("sigma", "pattern_types = [\"sigma\"]"));
    stage.account("jpn-sensor", Some("japan"), json!({"read": ["open"]}));
    let (inside, outside) = (indicator(2, 0).with("pattern_type", "sigma"), indicator(2, 1));
    let old = indicator(2, 2).with("pattern_type", "sigma");
    let newer = indicator(2, 2).modified("2026-02-01T00:00:00.000Z");
    stage.import(&[inside.text(), outside.text(), old.text(), newer.text()], INTEL, Some(PUBLIC));
    let who = Caller { account: TOOL.to_owned() };
    let listed = stage.node.collections(&who, "live").unwrap().collections;
    let one = listed.iter().find(|c| c.alias.as_deref() == Some("sigma")).unwrap();
    assert_eq!((one.can_read, one.can_write, one.title.as_str()), (true, false, "Query sigma"));
    assert_eq!(*one, stage.node.collection(&who, "live", &one.id.to_string()).unwrap());
    assert_eq!(stage.node.may_add(&who, "live", "sigma"), Err(TaxiiError::Forbidden));
    assert_eq!(stage.post(TOOL, "sigma", &envelope(&[inside.text()])), Err(TaxiiError::Forbidden));
    assert_eq!(stage.node.delete(&who, "live", "sigma", &inside.id(), ""), Err(TaxiiError::Forbidden));
    let sensor = Caller { account: "jpn-sensor".to_owned() };
    // It may write to the source, and not read it.
    let shown = stage.node.collections(&sensor, "live").unwrap().collections;
    assert!(shown.iter().all(|c| c.alias.as_deref() != Some("sigma")), "{shown:?}");
    for segment in ["sigma", &one.id.to_string()] {
        assert_eq!(stage.node.collection(&sensor, "live", segment), Err(TaxiiError::NotFound));
        assert_eq!(stage.list("jpn-sensor", segment, Listing::Objects, "").unwrap_err(), TaxiiError::NotFound);
        assert_eq!(stage.node.may_add(&sensor, "live", segment), Err(TaxiiError::NotFound));
    }
    let single = |object: &str, what, query: &str| {
        let listed = stage.node.list(&who, "live", "sigma", what, Some(object), query, "");
        listed.map(|l| serde_json::from_slice::<Value>(&l.body).unwrap())
    };
    assert_eq!(single(&inside.id(), Listing::Object, "").unwrap()["objects"][0]["id"], inside.id());
    assert_eq!(single(&inside.id(), Listing::Object, "match[version]=2020-01-01T00:00:00Z").unwrap(), json!({}));
    for what in [Listing::Object, Listing::Versions] {
        assert_eq!(single(&outside.id(), what, ""), Err(TaxiiError::NotFound));
        assert_eq!(single(&indicator(9, 9).id(), what, ""), Err(TaxiiError::NotFound));
    }
    // The latest version does not match: what it was is found when asked for.
    assert_eq!(single(&old.id(), Listing::Object, "").unwrap(), json!({}));
    assert_eq!(single(&old.id(), Listing::Versions, "").unwrap()["versions"], json!(["2026-01-01T00:00:00.000Z"]));
    assert_eq!(stage.ids(TOOL, "sigma"), [inside.id(), old.id()], "in all versions");
    let listed = stage.list(TOOL, "sigma", Listing::Objects, "").unwrap();
    assert!(!String::from_utf8(listed.body).unwrap().contains(&old.id()), "in the latest");
    let cursor = stage.list(TOOL, "sigma", Listing::Objects, "limit=1&match[version]=all").unwrap();
    let cursor: Value = serde_json::from_slice(&cursor.body).unwrap();
    let next = format!("next={}", cursor["next"].as_str().unwrap());
    assert!(matches!(stage.list(TOOL, INTEL, Listing::Objects, &next), Err(TaxiiError::BadRequest(_))));
    // The receipt says which way it left.
    let deliveries = stage.done(Request::WhoHas { id: inside.id(), realm: None })["versions"][0]["deliveries"].clone();
    assert!(deliveries.as_array().unwrap().iter().any(|d| d["channel"] == "taxii:objects:query:sigma"), "{deliveries}");
}

/// I5: late release and withdrawal hold over it; age is an end.
#[test]
fn what_is_released_late_comes_late_and_what_is_withdrawn_or_too_old_goes() {
    let stage = stage(&query("fresh", "types = [\"indicator\"]\nmax_age_s = 864000"));
    stage.account("jpn-node", Some("japan"), json!({"peer": true}));
    let new = at(START - 9 * DAY);
    let objects: Vec<_> = (0..4).map(|n| indicator(3, n).modified(&new)).collect();
    stage.import(&objects[..2].iter().map(material::Indicator::text).collect::<Vec<_>>(), INTEL, Some(REL_JPN));
    stage.import(&objects[2..].iter().map(material::Indicator::text).collect::<Vec<_>>(), INTEL, Some(NATO_ONLY));
    let mut poller = Poller::new(TOOL, "fresh", 3);
    let ids: Vec<String> = objects.iter().map(material::Indicator::id).collect();
    assert_eq!(poller.poll(&stage), ids[..2]);
    stage.list("jpn-node", "fresh", Listing::Objects, "").unwrap();
    stage.pass(SECOND);
    stage.relabel(&ids[3], REL_JPN);
    assert_eq!(poller.poll(&stage), ids[3..]);
    stage.relabel(&ids[0], NATO_ONLY);
    assert!(poller.poll(&stage).is_empty());
    assert_eq!(stage.ids(TOOL, "fresh"), [ids[1].clone(), ids[3].clone()]);
    let told = stage.list("jpn-node", "withdrawals", Listing::Objects, "").unwrap();
    let told: Value = serde_json::from_slice(&told.body).unwrap();
    assert_eq!(told["objects"].as_array().unwrap().len(), 1);
    assert_eq!(told["objects"][0]["withdrawn_ref"], ids[0]);
    // To the microsecond, like the end of an agreement; the source keeps it.
    let end = START + DAY;
    stage.set_clock(end - 1);
    assert_eq!(stage.ids(TOOL, "fresh").len(), 2);
    stage.set_clock(end);
    assert!(stage.ids(TOOL, "fresh").is_empty());
    let who = Caller { account: TOOL.to_owned() };
    let single = stage.node.list(&who, "live", "fresh", Listing::Object, Some(&ids[1]), "", "");
    assert_eq!(single.unwrap_err(), TaxiiError::NotFound);
    assert_eq!(stage.ids(TOOL, INTEL).len(), 2);
    stage.assert_sound();
}

/// Mistakes in `node.toml` are named.
#[test]
fn a_query_collection_that_cannot_be_is_refused_with_its_reason() {
    let dir = NodeDir::init("hub", &[strict_room(INTEL), public_room("open")]);
    let base = std::fs::read_to_string(dir.path().join("node.toml")).unwrap();
    let cases = [
        (query("none", ""), "no condition"),
        (query("open", "types = [\"tool\"]"), "its id, its alias or its title"),
        (query("zero", "max_age_s = 0"), "at least 1"),
        (query("strange", "labels = [\"NO SUCH LABEL\"]"), "not in the catalogue"),
        (query("lost", "types = [\"tool\"]").replace("of = \"intel\"", "of = \"nowhere\""), "no collection `nowhere`"),
        (query("withdrawals", "types = [\"tool\"]"), "its id, its alias or its title"),
        (query("one", "types = [\"tool\"]") + &query("one", "types = [\"tool\"]"), "its id, its alias or its title"),
        ("\n[[root]]\nrealm = \"nowhere\"\ntitle = \"x\"\n".to_owned(), "one entry for a realm"),
        (format!("\n[about]\ncontact = \"{}\"\n", "x".repeat(5_000)), "more than 4096"),
    ];
    for (text, why) in cases {
        std::fs::write(dir.path().join("node.toml"), base.clone() + &text).unwrap();
        let said = dir.refused(&["status"]);
        assert!(said.contains(why), "{text}: {said}");
    }
}

/// T-074, T-083, rule 16 (descriptions by reader): a partner is told what its agreement says, everybody else what `node.toml` says.
#[test]
fn a_reader_is_told_what_is_meant_for_it() {
    let dir = NodeDir::init("hub", &[strict_room(INTEL)]);
    dir.append(
        "node.toml",
        "\n[about]\ndescription = \"for all\"\ncontact = \"desk@hub.example\"\n\n[[root]]\nrealm = \"live\"\ntitle = \"Real\"\ndescription = \"no exercise\"\n",
    );
    dir.agree(&japan(&[INTEL], &[]));
    let mut australia = japan(&[INTEL], &[]);
    (australia.partner, australia.code) = ("australia", "AUS");
    australia.end = "\n[about]\ndescription = \"for Australia\"\n".to_owned();
    dir.agree(&australia);
    let stage = Stage::open(dir);
    stage.account(TOOL, Some("japan"), json!({}));
    stage.account("aus-tool", Some("australia"), json!({}));
    let told = |account: &str| {
        let who = Caller { account: account.to_owned() };
        let (d, r) = (stage.node.discovery(&who, "").unwrap(), stage.node.api_root(&who, "live").unwrap());
        (d.description, d.contact, r.title, r.description)
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(told(TOOL), (some("for all"), some("desk@hub.example"), "Real".to_owned(), some("no exercise")));
    assert_eq!(
        told("aus-tool"),
        (some("for Australia"), some("desk@hub.example"), "Real".to_owned(), some("for Australia"))
    );
}

/// C-008, C-009, C-015, C-007, L-141: quirks are of one account, change nothing that is kept, are written into the receipt, and no peer has them.
#[test]
fn quirks_change_what_one_account_gets_and_nothing_else() {
    let stage = stage("");
    let tlp2 = |level: label::Tlp| level.marking_id().to_string();
    let address =
        json!({"type": "ipv4-addr", "id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd", "value": "198.51.100.3"});
    stage.import(&[address.to_string()], INTEL, Some(PUBLIC));
    let strict = tlp2(label::Tlp::AmberStrict);
    let mut deal = japan(&[INTEL], &[]);
    deal.tlp.extend(["AMBER", "AMBER+STRICT"]);
    stage.dir.agree(&deal);
    stage.done(Request::Reload);
    let marked: Vec<_> = (0..5)
        .map(|n| indicator(5, n).marked(&if n % 2 == 0 { strict.clone() } else { tlp2(label::Tlp::Amber) }))
        .collect();
    stage.import(&marked.iter().map(material::Indicator::text).collect::<Vec<_>>(), INTEL, None);
    for (name, settings) in [
        ("sco", json!({"sco_spec_version": true})),
        ("old", json!({"tlp1_twin": "withhold"})),
        ("older", json!({"tlp1_twin": "amber", "sco_spec_version": true})),
    ] {
        stage.account(name, Some("japan"), settings);
    }
    let get = |account: &str, query: &str| {
        let listed = stage.list(account, INTEL, Listing::Objects, query).unwrap();
        let json: Value = serde_json::from_slice(&listed.body).unwrap();
        json["objects"].as_array().cloned().unwrap_or_default()
    };
    let find = |objects: &[Value], id: &str| objects.iter().find(|o| o["id"] == id).cloned().unwrap();
    let plain = get(TOOL, "");
    assert_eq!(find(&plain, "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd").get("spec_version"), None);
    for account in ["sco", "older"] {
        assert_eq!(find(&get(account, ""), "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd")["spec_version"], "2.1");
    }
    let refs = |account: &str, n: usize| {
        find(&get(account, ""), &marked[n].id())["object_marking_refs"].as_array().unwrap().len()
    };
    assert_eq!((refs(TOOL, 1), refs("old", 1), refs("older", 1), refs("older", 0)), (1, 2, 2, 2));
    // Withheld as if it were not there: counts, pages, single objects.
    let ids = |objects: &[Value]| -> BTreeSet<String> {
        objects.iter().map(|o| o["id"].as_str().unwrap().to_owned()).collect()
    };
    let strict_ids: BTreeSet<String> = [0, 2, 4].map(|n| marked[n].id()).into();
    assert_eq!(&ids(&plain) - &strict_ids, ids(&get("old", "")));
    let mut poller = Poller::new("old", INTEL, 1);
    assert_eq!(
        poller.poll(&stage).len(),
        ids(&get("old", "")).len() - plain.iter().filter(|o| o["type"] == "marking-definition").count()
    );
    let who = Caller { account: "old".to_owned() };
    let single = stage.node.list(&who, "live", INTEL, Listing::Object, Some(&marked[0].id()), "", "");
    assert_eq!(single.unwrap_err(), TaxiiError::NotFound);
    assert!(stage.shown("old", INTEL).iter().all(|row| !strict_ids.contains(&row.0)));
    // The same version as everybody's stays in the store, and the receipt says what was added.
    assert_eq!(get(TOOL, ""), plain);
    let deliveries =
        stage.done(Request::WhoHas { id: marked[1].id(), realm: None })["versions"][0]["deliveries"].clone();
    let channels: BTreeSet<&str> =
        deliveries.as_array().unwrap().iter().map(|d| d["channel"].as_str().unwrap()).collect();
    assert!(
        channels.contains("taxii:objects+tlp1_twin")
            && channels.contains("taxii:objects+sco_spec_version+tlp1_twin=amber"),
        "{channels:?}"
    );
    for settings in [
        json!({"peer": true, "sco_spec_version": true}),
        json!({"peer": true, "tlp1_twin": "amber"}),
        json!({"peer": true, "tlp": true}),
        json!({"tlp": true, "tlp1_twin": "amber"}),
    ] {
        let said = stage.failed(Request::User {
            name: "n".to_owned(),
            create: true,
            partner: None,
            password: None,
            token: true,
            settings: Some(settings),
            disabled: None,
        });
        assert!(said.contains("C-015"), "{said}");
    }
}
