//! The golden matrix: label by reader by way out, as text; and the ratchet over the commands that give something out.
//!
//! `UPDATE_GOLDEN=1` rewrites `tests/golden/every_way_out.txt`; read the difference before it is committed.

use crate::{
    officers,
    twin::{
        acts,
        house::{self, JAPAN, KOREA, NATO, OTHER, PEER, PUBLIC, REL, SECRET, SENSOR, TOOL, envelope},
        material::{Object, definition, id, labels, marking},
        pair::{Ask, ManualClock, START, Twin, Who, send_alone},
    },
};
use label::{LABEL_EXTENSION, Label, marking_definition};
use node::admin::{ExportStyle, Request};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::PathBuf,
    process::Command,
    sync::{Arc, atomic::AtomicI64},
};

const READERS: [&str; 6] = ["operator", "analyst", TOOL, PEER, SENSOR, OTHER];

const HEAD: &str = "\
What each reader gets, by every way out. One letter a way, `-` where it gives nothing, a space where the reader has no such way:
  o objects   m manifest   i object by id   v versions   f objects filtered by id   e export   w view-as
After the letters, how the label that this node assigned goes along: `+in` inside the object, `+by` beside it for a peer.
Japan's agreement allows redaction and removes foreign alternatives, Korea's does neither. Posted rows are brought by jpn-tool; its status, seen by whom it does not concern, follows at the end.

";

/// A row: what it is, the object's id, its collection.
struct Row {
    what: String,
    id: String,
    at: &'static str,
}

/// A label's name with codes for countries.
fn short(label: &str) -> String {
    let words = [
        ("Releasable to", "REL"),
        ("Australia", "AUS"),
        ("Japan", "JPN"),
        ("Korea, Republic of", "KOR"),
        ("New Zealand", "NZL"),
        ("Canada", "CAN"),
        ("United Kingdom", "GBR"),
        ("United States of America", "USA"),
    ];
    words.iter().fold(label.to_owned(), |text, (long, code)| text.replace(long, code))
}

fn furnish(twin: &Twin, tokens: &house::Tokens) -> (Vec<Row>, String) {
    for alias in ["intel", "dawn"] {
        twin.import(alias, None, &acts::identities());
    }
    let mut rows = Vec::new();
    let row = |what: String, object: &Object, at| Row { what, id: object.id(), at };
    for label in labels() {
        let carried = Object::new("tool", &format!("carried {label}")).marked(&[label]);
        twin.import("intel", None, &[carried.text()]);
        rows.push(row(format!("{}, carried", short(label)), &carried, "intel"));
        let assigned = Object::new("tool", &format!("assigned {label}"));
        twin.import("intel", Some(label), &[assigned.text()]);
        rows.push(row(format!("{}, assigned", short(label)), &assigned, "intel"));
    }
    let both = Object::new("tool", "both").marked(&["PUBLIC", "TLP:AMBER"]);
    let hidden_end =
        Object::relation("to a hidden one", &id("tool", "carried PUBLIC"), &id("tool", "carried NATO SECRET"));
    let no_end = Object::relation("to nobody's", &id("tool", "carried PUBLIC"), &id("tool", "nobody's"));
    let strange =
        Object::new("tool", "strange").set("object_marking_refs", json!([id("marking-definition", "nobody's")]));
    let unlabelled = Object::new("tool", "unlabelled").without("created_by_ref");
    for (what, object) in [
        ("PUBLIC and TLP:AMBER", both),
        ("PUBLIC, refers to NATO SECRET", hidden_end.marked(&["PUBLIC"])),
        ("PUBLIC, refers to what is not held", no_end.marked(&["PUBLIC"])),
        ("a marking that is not held", strange),
    ] {
        twin.import("intel", None, &[object.text()]);
        rows.push(row(what.to_owned(), &object, "intel"));
    }
    twin.import("dawn", None, &[unlabelled.text()]);
    rows.push(row("no label, no default".to_owned(), &unlabelled, "dawn"));
    let open =
        Object::new("note", "open").without("name").set("object_refs", json!([id("tool", "carried NATO SECRET")]));
    for (alias, what) in
        [("intel", "PUBLIC, optional reference to NATO SECRET"), ("knowledge", "the same where references are open")]
    {
        let object = open.clone().set("id", json!(id("note", alias))).set("content", json!("x")).marked(&["PUBLIC"]);
        twin.import(alias, None, &[object.text()]);
        rows.push(row(what.to_owned(), &object, alias));
    }
    // Japan's agreement allows redaction; Korea's does not, and it may have more.
    for label in [REL, PUBLIC, "TLP:GREEN"] {
        for (how, assigned) in [("carried", false), ("assigned", true)] {
            let part = json!([{"selectors": ["description"], "marking_ref": marking("NATO SECRET")}]);
            let parted = Object::new("tool", &format!("parted {label} {how}"))
                .set("description", json!("the part"))
                .set("granular_markings", part);
            let parted = if assigned { parted } else { parted.marked(&[label]) };
            twin.import("intel", assigned.then_some(label), &[parted.text()]);
            rows.push(row(format!("{} with a part NATO SECRET, {how}", short(label)), &parted, "intel"));
            let told = twin.admin(Request::Explain { id: parted.id(), to: TOOL.to_owned(), realm: None });
            let copy = told["instances"][0]["redacted"][0]["copy"].as_str().unwrap().to_owned();
            rows.push(Row { what: "  its redacted copy".to_owned(), id: copy, at: "intel" });
        }
    }
    let asks = Object::new("tool", "not attributed").set("labels", json!(["tlp:ex:chr"])).marked(&["PUBLIC"]);
    twin.import("intel", None, &[asks.text()]);
    rows.push(row("PUBLIC, not to be attributed (tlp:ex:chr)".to_owned(), &asks, "intel"));
    let told = twin.admin(Request::Explain { id: asks.id(), to: TOOL.to_owned(), realm: None });
    let copy = told["instances"][0]["redacted"][0]["copy"].as_str().unwrap().to_owned();
    rows.push(Row { what: "  its redacted copy".to_owned(), id: copy, at: "intel" });
    // Japan is told of no policy in which it has no clearance (L-107).
    let held: Value = serde_json::from_str(definition(REL)).unwrap();
    let mut told = held["extensions"][LABEL_EXTENSION]["label"].clone();
    told["alternatives"] = json!([{"v": 1, "role": "alternative", "policy": {"name": "DEMO-XPA"}, "classification": "SECRET",
        "categories": [], "created": "2026-01-01T00:00:00Z", "review": "2031-01-01T00:00:00Z"}]);
    let told = Label::from_json(&told.to_string()).unwrap();
    let telling = Object::new("tool", "telling").set("object_marking_refs", json!([told.marking_id()]));
    twin.import("intel", None, &[marking_definition(&told, "telling", None), telling.text()]);
    let what = format!("{} with an alternative in another policy", short(REL));
    rows.push(row(what.clone(), &telling, "intel"));
    let shown = twin.admin(Request::Explain { id: telling.id(), to: TOOL.to_owned(), realm: None });
    let copy = shown["instances"][0]["redacted"][0]["copy"].as_str().unwrap().to_owned();
    rows.push(Row { what: "  its redacted copy".to_owned(), id: copy, at: "intel" });
    rows.push(Row { what: "  its definition".to_owned(), id: told.marking_id().to_string(), at: "intel" });
    for label in [SECRET, "NATO UNCLASSIFIED - STAFF"] {
        let overridden = Object::new("tool", &format!("overridden {label}")).marked(&[label]);
        twin.import("intel", None, &[overridden.text()]);
        officers::release(&twin.node, &overridden.id(), "japan", START + 86_400_000_000).unwrap();
        rows.push(row(format!("{}, carried, overridden for Japan", short(label)), &overridden, "intel"));
    }
    let elsewhere = Object::new("tool", "closed").marked(&["PUBLIC"]);
    twin.import("closed", None, &[elsewhere.text()]);
    rows.push(row("PUBLIC, in a closed collection".to_owned(), &elsewhere, "closed"));
    let kind = Object::new("malware", "narrow").marked(&["PUBLIC"]);
    twin.import("narrow", None, &[kind.text()]);
    rows.push(row("PUBLIC, of a kind not given".to_owned(), &kind, "narrow"));
    let mut posted = Vec::new();
    for label in labels() {
        posted.push((
            format!("{}, posted", short(label)),
            Object::new("tool", &format!("posted {label}")).by(JAPAN).marked(&[label]),
        ));
    }
    let strange = json!([id("marking-definition", "nobody's")]);
    posted.push(("no label, posted".to_owned(), Object::new("tool", "posted").by(JAPAN)));
    posted.push((
        "unknown marking, posted".to_owned(),
        Object::new("tool", "posted strange").by(JAPAN).set("object_marking_refs", strange),
    ));
    let texts: Vec<String> = posted.iter().map(|(_, o)| o.text()).collect();
    let reply = send_alone(twin, &Ask::post(TOOL, "/live/collections/intel/objects/", envelope(&texts)), tokens);
    assert_eq!(reply.json()["success_count"], posted.len(), "{reply}");
    rows.extend(posted.iter().map(|(what, object)| row(what.clone(), object, "intel")));
    (rows, reply.json()["id"].as_str().unwrap().to_owned())
}

/// Everything a reader can list of a collection, by way.
struct Seen {
    objects: BTreeMap<String, Value>,
    beside: BTreeSet<String>,
    manifest: BTreeSet<String>,
    exported: BTreeSet<String>,
    viewed: BTreeSet<String>,
}

fn root(alias: &str) -> &'static str {
    if alias == "dawn" { "/ex-dawn/collections/dawn" } else { "/live/collections" }
}

fn path(alias: &str, rest: &str) -> String {
    if alias == "dawn" { format!("{}{rest}", root(alias)) } else { format!("{}/{alias}{rest}", root(alias)) }
}

fn ids(list: &Value) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().filter_map(|o| Some(o["id"].as_str()?.to_owned())).collect()
}

fn see(twin: &Twin, tokens: &house::Tokens, reader: &'static str, alias: &str) -> Seen {
    let get = |rest: &str| match reader {
        "operator" => Value::Null,
        _ => send_alone(twin, &Ask::get(reader, path(alias, rest)), tokens).json(),
    };
    let objects = get("/objects/");
    assert!(objects.get("more").is_none(), "one page is enough");
    let output = twin.dir.path().join(format!("{reader}-{alias}.json"));
    let account = (reader != "operator").then(|| reader.to_owned());
    let export = Request::Export {
        collection: alias.to_owned(),
        account,
        output: output.clone(),
        style: ExportStyle::default(),
    };
    let exported = match twin.node.admin(export, &|_, _| ()) {
        node::admin::Reply::Done(_) => serde_json::from_slice(&fs::read(&output).unwrap()).unwrap(),
        _ => Value::Null,
    };
    let view = Request::ViewAs { account: reader.to_owned(), collection: Some(alias.to_owned()), query: String::new() };
    let viewed = match twin.node.admin(view, &|_, _| ()) {
        node::admin::Reply::Done(value) => value["collections"][alias]["objects"].clone(),
        _ => Value::Null,
    };
    let listed = objects["objects"].as_array().cloned().unwrap_or_default();
    Seen {
        objects: listed.into_iter().map(|o| (o["id"].as_str().unwrap().to_owned(), o)).collect(),
        beside: ids(&objects["x_entente_label_assignments"]),
        manifest: ids(&get("/manifest/")["objects"]),
        exported: ids(&exported["objects"]),
        viewed: ids(&viewed),
    }
}

fn cell(twin: &Twin, tokens: &house::Tokens, reader: &'static str, row: &Row, seen: &Seen) -> String {
    let by_http = reader != "operator";
    let has = |rest: String| send_alone(twin, &Ask::get(reader, path(row.at, &rest)), tokens).json();
    let mut text = String::new();
    let mut way = |letter: char, there: bool, given: bool| {
        text.push(match (there, given) {
            (false, _) => ' ',
            (true, true) => letter,
            (true, false) => '-',
        });
    };
    way('o', by_http, seen.objects.contains_key(&row.id));
    way('m', by_http, seen.manifest.contains(&row.id));
    way('i', by_http, by_http && ids(&has(format!("/objects/{}/", row.id))["objects"]).contains(&row.id));
    way('v', by_http, by_http && has(format!("/objects/{}/versions/", row.id))["versions"].is_array());
    way('f', by_http, by_http && ids(&has(format!("/objects/?match[id]={}", row.id))["objects"]).contains(&row.id));
    way('e', true, seen.exported.contains(&row.id));
    way('w', true, seen.viewed.contains(&row.id));
    let assigned = row.what.ends_with(", assigned") || row.what == "no label, posted";
    let inside = seen.objects.get(&row.id).is_some_and(|o| o.get("object_marking_refs").is_some());
    if seen.beside.contains(&row.id) {
        text.push_str("+by");
    } else if assigned && inside {
        text.push_str("+in");
    }
    text
}

fn matrix() -> String {
    let clock = Arc::new(ManualClock(AtomicI64::new(START)));
    let twin = Twin::open(&clock, &|node| node);
    let tokens = house::accounts(&twin);
    let allowed = house::japan(&house::JAPAN_TERMS).replacen(
        "tlp =",
        "redaction = \"allowed\"\nforeign_alternatives = \"remove\"\ntlp =",
        1,
    );
    house::rewrite(&twin, "agreements/japan.toml", &allowed);
    let (rows, status) = furnish(&twin, &tokens);
    let mut seen = BTreeMap::new();
    for reader in READERS {
        for alias in rows.iter().map(|r| r.at).collect::<BTreeSet<_>>() {
            seen.insert((reader, alias), see(&twin, &tokens, reader, alias));
        }
    }
    let width = rows.iter().map(|r| r.what.chars().count()).max().unwrap_or(0);
    let mut text = HEAD.to_owned();
    let line = |what: &str, cells: Vec<String>| {
        let mut line = format!("{what:width$}");
        for cell in &cells {
            let _ = write!(line, "  {cell:10}");
        }
        format!("{}\n", line.trim_end())
    };
    text += &line("", READERS.iter().map(|r| (*r).to_owned()).collect());
    for row in &rows {
        let cells = READERS.iter().map(|reader| cell(&twin, &tokens, reader, row, &seen[&(*reader, row.at)])).collect();
        text += &line(&row.what, cells);
    }
    text += "\nBy a query collection over intel: how much of it bears one of two labels:\n";
    for reader in &READERS[1..] {
        let all = |path: &str| send_alone(&twin, &Ask::get(reader, path), &tokens);
        let (query, source) = (
            all("/live/collections/indicators/objects/"),
            all("/live/collections/intel/objects/?match[type]=indicator,campaign"),
        );
        // Who may only write to the source is not shown what is over it.
        let status = if source.status == 200 { 200 } else { 404 };
        assert_eq!((query.status, ids(&query.json()["objects"])), (status, ids(&source.json()["objects"])), "{reader}");
        let labelled = all("/live/collections/restricted/objects/");
        let source = ids(&all("/live/collections/intel/objects/").json()["objects"]);
        let labelled_ids = ids(&labelled.json()["objects"]);
        assert!(labelled_ids.is_subset(&source), "{reader}");
        let _ = writeln!(text, "  {reader:10}  {} {}", labelled.status, labelled_ids.len());
    }
    text += "\nWho is told, and of how much, when the first two rows become NATO SECRET:\n";
    let first = rows.iter().find(|row| row.what == "PUBLIC, carried").unwrap();
    let second = rows.iter().find(|row| row.what == "PUBLIC, assigned").unwrap();
    for row in [first, second] {
        twin.admin(Request::Relabel { id: row.id.clone(), label: SECRET.to_owned(), realm: None });
    }
    for reader in &READERS[1..] {
        let reply = send_alone(&twin, &Ask::get(reader, "/live/collections/withdrawals/objects/"), &tokens);
        let named = reply.json()["objects"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|n| [&first.id, &second.id].iter().any(|id| n["withdrawn_ref"] == **id))
            .count();
        let _ = writeln!(text, "  {reader:10}  {} {named}", reply.status);
    }
    text += "\nThe status of that POST:\n";
    for reader in &READERS[1..] {
        let reply =
            send_alone(&twin, &Ask::new(Who::Account(reader), "GET", format!("/live/status/{status}/")), &tokens);
        let _ = writeln!(text, "  {reader:10}  {}", reply.status);
    }
    text
}

/// L-151, L-152: what is counted is counted among what the reader may have.
#[test]
fn every_label_goes_to_whom_it_may_by_every_way_out() {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/every_way_out.txt");
    let text = matrix();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(golden.parent().unwrap()).unwrap();
        fs::write(&golden, &text).unwrap();
    }
    let before = fs::read_to_string(&golden).unwrap_or_default();
    for (old, new) in before.lines().zip(text.lines()) {
        assert_eq!(new, old, "tests/golden/every_way_out.txt; UPDATE_GOLDEN=1 rewrites it");
    }
    assert_eq!(
        text.lines().count(),
        before.lines().count(),
        "tests/golden/every_way_out.txt; UPDATE_GOLDEN=1 rewrites it"
    );
}

/// Commands that give objects out in a reader's name: each is a way in the matrix. `serve` gives out by the routes, which the twin test walks; `demo`
/// serves invented intelligence.
const GIVE_OUT: [&str; 4] = ["export", "view-as", "serve", "demo"];
/// Commands for the operator's eyes alone.
const OPERATORS: [&str; 19] = [
    "override",
    "request",
    "init",
    "import",
    "collection",
    "user",
    "peer",
    "agreement",
    "relabel",
    "revoke",
    "quarantine",
    "explain",
    "who-has",
    "audit",
    "doctor",
    "status",
    "backup",
    "conflicts",
    "detection",
];
/// Commands about files, or about other people's servers: they open no node, so nothing of one can leave by them. `bind` reads the catalogue of
/// the operator's own, `label` changes it; `resilience --as` shows a file's model to a partner through the gate (resilience.rs beside this).
const OF_NO_NODE: [&str; 11] =
    ["validate", "convert", "pull", "push", "pattern", "match", "resilience", "policy", "label", "bind", "verify"];

/// The ratchet over commands: a new one is either a way out, and stands in the matrix, or the operator's.
#[test]
fn every_command_is_a_way_out_in_the_matrix_or_the_operators_alone() {
    let output = Command::new(env!("CARGO_BIN_EXE_entente")).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let commands: BTreeSet<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert_eq!(commands, GIVE_OUT.into_iter().chain(OPERATORS).chain(OF_NO_NODE).collect());
}

/// A partner that contradicts a marking which the node's organisation defined changes what its own objects mean, and fails nobody's pages (I1, L-122).
#[test]
fn a_partner_that_redefines_a_marking_withdraws_its_own_objects_and_fails_nobody() {
    let clock = Arc::new(ManualClock(AtomicI64::new(START)));
    let twin = Twin::open(&clock, &|node| node);
    let tokens = house::accounts(&twin);
    twin.import("intel", None, &acts::identities());
    let statement = Object::statement("shared", "handle with care").marked(&["TLP:CLEAR"]);
    twin.import("intel", None, &[statement.text()]);
    let marked = |seed: &str, creator: &str| {
        let marks = json!([statement.id(), marking("TLP:CLEAR")]);
        Object::new("tool", seed).by(creator).set("object_marking_refs", marks)
    };
    twin.import("intel", None, &[marked("NATO's", NATO).text()]);
    let post = |object: &Object| {
        let reply = send_alone(
            &twin,
            &Ask::post(OTHER, "/live/collections/intel/objects/", envelope(&[object.text()])),
            &tokens,
        );
        assert_eq!(reply.json()["success_count"], 1, "{reply}");
    };
    let seen = || {
        let reply = send_alone(&twin, &Ask::get(TOOL, "/live/collections/intel/objects/?match[type]=tool"), &tokens);
        assert_eq!(reply.status, 200, "{reply}");
        ids(&reply.json()["objects"])
    };
    let (ours, theirs) = (id("tool", "NATO's"), id("tool", "Korea's"));
    post(&marked("Korea's", KOREA));
    assert_eq!(seen(), BTreeSet::from([ours.clone(), theirs]));
    let odd = Object::statement("shared", "means something else").by(KOREA).set("definition_type", json!("x-odd"));
    post(&odd.marked(&["TLP:CLEAR"]));
    assert_eq!(seen(), BTreeSet::from([ours]));
    assert_eq!(twin.admin(Request::Doctor), json!({"sound": true, "faults": []}));
}
