//! Labels at the borders of a whole node: the TLP for other tools, the label of an exported file, policy files of one link, and what a hub may give on.

use crate::{
    material::{self, Deal, HUB, JAPAN, NATO_ONLY, PUBLIC, REL_AUS, REL_JPN, SECRET_JPN, indicator, japan, marking},
    scene::{NodeDir, strict_room},
    stage::Stage,
};
use binding::{BindingState, Bindings};
use label::{Pap, Tlp};
use node::admin::{ExportStyle, Request};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::PathBuf};
use taxii::server::{Listed, Listing};

const INTEL: &str = "intel";
const TOOL: &str = "jpn-tool";
const MISP: &str = "jpn-misp";
const KOREA: &str = "identity--00000000-0000-4000-8000-0000000000d4";

/// A node with an agreement with Japan, to whose file `more` is added, and one collection, to whose part of node.toml `of_room` is added.
fn stage(more: &str, of_room: &str) -> Stage {
    let dir = NodeDir::init("hub", &[strict_room(INTEL)]);
    dir.append("node.toml", of_room);
    agree(&dir, more);
    let stage = Stage::open(dir);
    stage.account(TOOL, Some("japan"), json!({}));
    stage
}

fn agree(dir: &NodeDir, more: &str) {
    dir.agree(&Deal { more: format!("{more}\n"), ..japan(&[INTEL], &[INTEL]) });
}

fn objects(listed: &Listed) -> BTreeMap<String, Value> {
    let body: Value = serde_json::from_slice(&listed.body).unwrap();
    let all = body["objects"].as_array().cloned().unwrap_or_default();
    all.into_iter().map(|o| (o["id"].as_str().unwrap().to_owned(), o)).collect()
}

fn markings(object: &Value) -> Vec<String> {
    let refs = object["object_marking_refs"].as_array().cloned().unwrap_or_default();
    refs.iter().map(|m| m.as_str().unwrap().to_owned()).collect()
}

fn level(tlp: Tlp) -> String {
    tlp.marking_id().to_string()
}

/// L-129, L-147, C-015: an account that knows TLP alone gets it beside the labels, and nobody else does; receipts and validators say so.
#[test]
fn an_account_that_knows_tlp_alone_gets_it_beside_the_labels() {
    let stage = stage("", "community = { policy = \"NATO\", value = \"JPN\" }\n");
    stage.account(MISP, Some("japan"), json!({"tlp": true}));
    stage.account("jpn-node", Some("japan"), json!({"peer": true}));
    let (one, two, three) = (indicator(1, 1), indicator(1, 2), indicator(1, 3).marked(&level(Tlp::Green)));
    let carried = indicator(1, 4).marked(&marking(REL_JPN));
    stage.import(&[one.text(), carried.text()], INTEL, Some(REL_JPN));
    stage.import(&[two.text()], INTEL, Some(PUBLIC));
    stage.import(&[three.text()], INTEL, None);
    let get = |account: &str| stage.list(account, INTEL, Listing::Objects, "match[type]=indicator").unwrap();
    let (plain, with, peer) = (get(TOOL), get(MISP), get("jpn-node"));
    let [plainly, tagged, raw] = [&plain, &with, &peer].map(objects);
    assert_eq!(markings(&plainly[&one.id()]), [marking(REL_JPN)]);
    assert_eq!(
        markings(&tagged[&one.id()]),
        [marking(REL_JPN), level(Tlp::Green)],
        "the collection is for Japan, so is this"
    );
    assert_eq!(markings(&tagged[&carried.id()]), [marking(REL_JPN), level(Tlp::Green)]);
    assert_eq!(markings(&tagged[&two.id()]), [marking(PUBLIC), level(Tlp::Clear)]);
    assert_eq!(markings(&tagged[&three.id()]), [level(Tlp::Green)], "its own TLP is not repeated");
    assert_eq!(raw[&carried.id()], plainly[&carried.id()], "a peer gets the bytes as they are");
    assert!(markings(&raw[&one.id()]).is_empty());
    assert_ne!(plain.tag, with.tag);
    let channel = |account: &str| {
        let has = stage.done(Request::WhoHas { id: one.id(), realm: None });
        let given = has["versions"][0]["deliveries"].as_array().unwrap();
        given.iter().find(|d| d["account"] == account).unwrap()["channel"].clone()
    };
    assert_eq!((channel(TOOL), channel(MISP)), (json!("taxii:objects"), json!("taxii:objects+tlp")));
    // Without the community the same label is for named organisations.
    let text = fs::read_to_string(stage.dir.path().join("node.toml")).unwrap();
    fs::write(stage.dir.path().join("node.toml"), text.replace("value = \"JPN\"", "value = \"KOR\"")).unwrap();
    stage.done(Request::Reload);
    assert_eq!(markings(&objects(&get(MISP))[&one.id()]), [marking(REL_JPN), level(Tlp::AmberStrict)]);
    let text = fs::read_to_string(stage.dir.path().join("node.toml")).unwrap();
    fs::write(stage.dir.path().join("node.toml"), text.replace("value = \"KOR\"", "value = \"ATLANTIS\"")).unwrap();
    assert!(stage.failed(Request::Reload).contains("no policy `NATO` in use has an audience `ATLANTIS`"));
}

/// L-129: a file for such a tool.
#[test]
fn a_file_for_a_tool_that_knows_tlp_alone_has_it_beside_the_labels() {
    let stage = stage("", "");
    stage.import(&[indicator(1, 1).text()], INTEL, Some(REL_JPN));
    for tlp in [false, true] {
        let (path, _) = export(&stage, &format!("{tlp}.json"), &ExportStyle { tlp, ..ExportStyle::default() });
        let bundle: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let all = bundle["objects"].as_array().unwrap();
        let found = all.iter().find(|o| o["id"] == indicator(1, 1).id()).unwrap();
        assert_eq!(markings(found).contains(&level(Tlp::AmberStrict)), tlp, "{found}");
    }
}

fn export(stage: &Stage, name: &str, style: &ExportStyle) -> (PathBuf, Value) {
    let path = stage.dir.file("x", "").with_file_name(name);
    (path.clone(), stage.done(exporting(&path, style)))
}

fn exporting(path: &std::path::Path, style: &ExportStyle) -> Request {
    let account = Some(TOOL.to_owned());
    Request::Export { collection: INTEL.to_owned(), account, output: path.to_owned(), style: style.clone() }
}

fn bound() -> ExportStyle {
    ExportStyle { bind: true, ..ExportStyle::default() }
}

/// L-093, L-114, L-110: the file's label is the combination of its contents' labels; the labels inside stay; an altered file is seen.
#[test]
fn the_label_of_a_file_is_the_combination_of_its_contents() {
    let stage = stage("", "");
    let mut agreement = japan(&[INTEL], &[INTEL]);
    agreement.classifications = vec!["UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET"];
    stage.dir.agree(&agreement);
    stage.done(Request::Reload);
    stage.import(&[indicator(1, 1).text()], INTEL, Some(REL_JPN));
    let raised = |to: &str| ExportStyle { raised: Some(to.to_owned()), ..bound() };
    let (plain, told) = export(&stage, "plain.json", &bound());
    assert_eq!(told["marking"], "NATO RESTRICTED Releasable to Japan", "{told}");
    let text = fs::read_to_string(plain).unwrap();
    assert!(text.contains(&marking(REL_JPN)));
    assert!(!text.contains(&marking(SECRET_JPN)), "L-126: of labels that the file's does not cover nothing is told");
    assert_eq!(export(&stage, "raised.json", &raised("SECRET")).1["marking"], "NATO SECRET Releasable to Japan");
    stage.import(&[indicator(1, 2).text()], INTEL, Some(SECRET_JPN));
    stage.import(&[indicator(1, 3).text()], INTEL, Some(NATO_ONLY));
    let (path, told) = export(&stage, "a.json", &bound());
    assert_eq!(told["marking"], "NATO SECRET Releasable to Japan", "{told}");
    let data = fs::read(&path).unwrap();
    let sidecar = fs::read(path.with_file_name("a.json.bdo")).unwrap();
    let bindings = Bindings::from_xml(&sidecar).unwrap();
    let binding = bindings.of_file("a.json").unwrap();
    assert_eq!(binding.labels().len(), 1);
    let label = &binding.labels()[0];
    assert_eq!((label.policy_name(), label.classification()), ("NATO", "SECRET"));
    assert!(label.review().is_some(), "L-013");
    assert_eq!(bindings.state_of("a.json", &data), BindingState::Claimed);
    let mut altered = data.clone();
    altered[40] ^= 1;
    assert_eq!(bindings.state_of("a.json", &altered), BindingState::Broken);
    let bundle: Value = serde_json::from_slice(&data).unwrap();
    let inside = |n| bundle["objects"].as_array().unwrap().iter().find(|o| o["id"] == indicator(1, n).id());
    assert_eq!(markings(inside(1).unwrap()), [marking(REL_JPN)]);
    assert!(inside(3).is_none(), "what Japan may not have is no part of it");
    held(&stage, &raised("RESTRICTED"), "lower than the parts allow");
    held(&stage, &raised("TOP SECRET"), "not valid (excluded-class)");
}

/// The export fails with this, and leaves no file and no receipt.
fn held(stage: &Stage, style: &ExportStyle, why: &str) {
    let path = stage.dir.file("x", "").with_file_name("held.json");
    let receipts = || -> i64 {
        let database = rusqlite::Connection::open(stage.dir.database()).unwrap();
        database.query_row("SELECT count(*) FROM receipt", [], |row| row.get(0)).unwrap()
    };
    let before = receipts();
    let said = stage.failed(exporting(&path, style));
    assert!(said.contains(why), "{said}");
    assert!(!path.exists() && !path.with_file_name("held.json.bdo").exists());
    assert_eq!(receipts(), before);
}

/// L-093, L-098, L-099: what no label of the whole can say is held for a person, with the reasons, and nothing leaves.
#[test]
fn a_file_that_no_label_fits_is_held_for_a_person() {
    let stage = stage("", "");
    let style = bound();
    held(&stage, &style, "so the file gets none");
    stage.import(&[indicator(1, 1).text()], INTEL, Some(REL_JPN));
    export(&stage, "alone.json", &style);
    stage.import(&[indicator(1, 2).text()], INTEL, Some(PUBLIC));
    let (_, told) = export(&stage, "both.json", &style);
    assert_eq!(told["marking"], "NATO RESTRICTED Releasable to Japan", "what is public restricts nobody (L-006)");
    let of = |name: &str| ExportStyle { policy: Some(name.to_owned()), ..bound() };
    held(&stage, &of("PUBLIC"), "policy-decision-required");
    held(&stage, &of("PUBLIC"), "part 1 has a label of another policy");
    held(&stage, &of("ATLANTIS"), "holds no policy `ATLANTIS`");
    // A reader that passes the label of the rest, and to whom nobody gave what is public.
    let mut korea = japan(&[INTEL], &[]);
    (korea.partner, korea.identity, korea.identities, korea.public) = ("korea", KOREA.to_owned(), vec![KOREA], false);
    stage.dir.agree(&korea);
    stage.done(Request::Reload);
    stage.account("kor-tool", Some("korea"), json!({}));
    held(&stage, &style, "would let in 1 whom a part refuses");
    let green = stage_with_green();
    held(&green, &style, "TLP:GREEN of a part says who was addressed");
}

fn stage_with_green() -> Stage {
    let stage = stage("", "");
    stage.import(&[indicator(1, 1).text()], INTEL, Some(REL_JPN));
    stage.import(&[indicator(1, 2).marked(&level(Tlp::Green)).text()], INTEL, None);
    stage
}

/// L-099, section 11: what the parts' other markings come to is told: the highest TLP and PAP, the addressees that all have in common. PAP holds nothing.
#[test]
fn what_markings_of_the_parts_come_to_is_told() {
    let stage = stage("", "");
    let part = |n: u64, more: &[&str]| {
        let mut all = vec![marking(REL_JPN)];
        all.extend(more.iter().map(|m| (*m).to_owned()));
        indicator(1, n).with("object_marking_refs", json!(all)).text()
    };
    let [green, red] = [Pap::Green, Pap::Red].map(|level| level.marking_id().to_string());
    stage.import(&[part(1, &[&green]), part(2, &[&red]), part(3, &[])], INTEL, None);
    assert_eq!(
        stage.ids(TOOL, INTEL).iter().filter(|id| id.starts_with("indicator")).count(),
        3,
        "PAP never affects release"
    );
    let (_, told) = export(&stage, "obliged.json", &bound());
    assert_eq!((&told["pap"], &told["marking"]), (&json!("RED"), &json!("NATO RESTRICTED Releasable to Japan")));
    let (both, first) = dissemination(1, &json!({"addressees": [JAPAN, KOREA], "onward": "any"}));
    let (japans, second) = dissemination(2, &json!({"addressees": [JAPAN], "onward": "clients"}));
    stage.import(&[first, second, part(4, &[&both]), part(5, &[&japans])], INTEL, None);
    let common = format!("PAP:RED, addressed to {JAPAN}, onward clients");
    held(&stage, &bound(), &common);
    let members = |list: &[&str]| json!({"uuid": "10000000-0000-4000-8000-000000000001", "version": "x", "orgs": list});
    let [japan, korea] = [JAPAN, KOREA].map(|identity| identity.strip_prefix("identity--").unwrap());
    let (wide, third) = dissemination(3, &json!({"sharing_group": members(&[japan, korea]), "onward": "organisation"}));
    let (narrow, fourth) = dissemination(4, &json!({"sharing_group": members(&[japan]), "onward": "organisation"}));
    stage.import(&[third, fourth, part(6, &[&wide]), part(7, &[&narrow])], INTEL, None);
    held(&stage, &bound(), &format!("for a sharing group of {japan}, onward organisation"));
}

/// L-144: an import flags objects with several TLP levels, and the strictest counts; two markings of one level, and a level on a part, are none.
#[test]
fn several_tlp_on_one_object_are_flagged() {
    let stage = stage("", "");
    let with = |n: u64, levels: &[String]| indicator(1, n).with("object_marking_refs", json!(levels)).text();
    let amber1 = Tlp::Amber.tlp1_marking_id().unwrap().to_string();
    let part = indicator(1, 4)
        .with("object_marking_refs", json!([level(Tlp::Green)]))
        .with("granular_markings", json!([{"marking_ref": level(Tlp::Amber), "selectors": ["name"]}]));
    let all = [
        with(1, &[level(Tlp::Green), level(Tlp::Amber)]),
        with(2, &[level(Tlp::Amber), amber1]),
        with(3, &[level(Tlp::Green)]),
        part.text(),
    ];
    let taken = stage.import(&all, INTEL, None);
    assert_eq!((taken.objects, taken.several_tlp, &taken.first_several_tlp), (4, 1, &vec![indicator(1, 1).id()]));
    let told = serde_json::to_value(&taken).unwrap();
    assert_eq!((&told["several_tlp"], &told["first_several_tlp"]), (&json!(1), &json!([indicator(1, 1).id()])));
    let shown = stage.ids(TOOL, INTEL);
    assert!(shown.contains(&indicator(1, 3).id()) && !shown.contains(&indicator(1, 1).id()), "{shown:?}");
}

/// The NATO policy without Australia: what is exchanged with Japan.
fn partial(dir: &NodeDir) {
    let whole = fs::read_to_string(dir.path().join("policies").join("nato-demo.spif.xml")).unwrap();
    let lines = whole.lines().filter(|l| !l.contains("<spif:tagCategory name=\"AUS\""));
    let text = lines.collect::<Vec<_>>().join("\n");
    assert!(text.len() < whole.len());
    fs::write(dir.path().join("policies").join("nato-japan.spif.xml"), text).unwrap();
}

/// L-057, L-155: on a link with policy files of its own nothing is exchanged whose label they do not hold; receipts name their digest.
#[test]
fn a_link_with_policy_files_of_its_own_exchanges_what_they_hold() {
    let dir = NodeDir::init("hub", &[strict_room(INTEL)]);
    partial(&dir);
    agree(&dir, "");
    let stage = Stage::open(dir);
    stage.account(TOOL, Some("japan"), json!({}));
    let both = material::nato("RESTRICTED", &["AUS", "JPN"]);
    let wide = indicator(1, 2).marked(&both.marking_id().to_string());
    stage.import(&[material::definition(&both, "both"), wide.text()], INTEL, Some(REL_JPN));
    stage.import(&[indicator(1, 1).text()], INTEL, Some(REL_JPN));
    stage.import(&[indicator(1, 3).text()], INTEL, Some(PUBLIC));
    let shown = || {
        let mut ids = stage.ids(TOOL, INTEL);
        ids.retain(|id| id.starts_with("indicator"));
        ids
    };
    let sorted = |ns: &[u64]| {
        let mut ids: Vec<String> = ns.iter().map(|n| indicator(1, *n).id()).collect();
        ids.sort();
        ids
    };
    assert_eq!(shown(), sorted(&[1, 2, 3]));
    let policies = || -> String {
        let database = rusqlite::Connection::open(stage.dir.database()).unwrap();
        let last = "SELECT hex(policies) FROM receipt ORDER BY no DESC LIMIT 1";
        database.query_row(last, [], |row| row.get(0)).unwrap()
    };
    let before = policies();
    agree(&stage.dir, "policies = [\"nato-japan\"]");
    stage.done(Request::Reload);
    assert_eq!(shown(), sorted(&[1]), "neither the value nor the policy that the link does not have");
    let why = stage.done(Request::Explain { id: wide.id(), to: TOOL.to_owned(), realm: None });
    assert!(why.to_string().contains("L-057"), "{why}");
    stage.list(TOOL, INTEL, Listing::Objects, "").unwrap();
    assert_ne!(policies(), before);
    // Nor is it taken from there.
    let theirs = |n, label: &str| indicator(2, n).by(JAPAN).marked(label).text();
    let posted = [theirs(1, &both.marking_id().to_string()), theirs(2, &marking(REL_JPN))];
    stage.post(TOOL, INTEL, &material::envelope(&posted)).unwrap();
    let waits = stage.done(Request::Quarantine { after: None });
    assert_eq!(waits.as_array().unwrap().len(), 1, "{waits}");
    assert!(waits.to_string().contains("label:link") && waits.to_string().contains(&indicator(2, 1).id()), "{waits}");
    // A link whose files are not there does not come into force.
    agree(&stage.dir, "policies = [\"nato-korea\"]");
    assert!(stage.failed(Request::Reload).contains("nato-korea.spif.xml"));
    assert_eq!(shown().iter().filter(|id| **id == wide.id()).count(), 0);
    agree(&stage.dir, "policies = [\"nato-japan\"]");
    stage.assert_sound();
}

/// L-132, S-128: what `entente label address` makes is what a node understands, under an id that follows from it: made again it is the same object.
#[test]
fn the_command_makes_dissemination_markings_that_nodes_understand() {
    let stage = stage("", "");
    let make = |to: &str, name: &str, file: &str| {
        let path = stage.dir.file("x", "").with_file_name(file);
        let output = path.to_str().unwrap();
        let args = ["label", "address", "--to", to, "--onward", "clients", "--name", name, "--output", output];
        let id = stage.dir.json(&args)["id"].as_str().unwrap().to_owned();
        let bundle: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        (id, bundle["objects"][0].to_string())
    };
    let (japans, definition) = make(JAPAN, "x", "one.json");
    let (koreas, other) = make(KOREA, "x", "two.json");
    assert_eq!(make(JAPAN, "x", "three.json"), (japans.clone(), definition.clone()), "one id, one content");
    let renamed = make(JAPAN, "y", "five.json");
    assert_ne!(renamed.0, japans, "another content, another id");
    stage.import(&[definition, other, renamed.1], INTEL, Some("TLP:CLEAR"));
    let with = |n: u64, d: &str| indicator(8, n).with("object_marking_refs", json!([marking(REL_JPN), d])).text();
    stage.import(&[with(1, &japans), with(2, &koreas)], INTEL, None);
    let ids = stage.ids(TOOL, INTEL);
    assert_eq!(ids.iter().filter(|id| id.starts_with("indicator")).collect::<Vec<_>>(), [&indicator(8, 1).id()]);
    let out = stage.dir.path().join("four.json");
    let output = out.to_str().unwrap();
    let wrong = ["label", "address", "--to", "x", "--onward", "any", "--name", "x", "--output", output];
    let refused = stage.dir.refused(&wrong);
    assert!(refused.contains("L-132") && !out.exists(), "{refused}");
}

/// Section 11, L-099, L-144: what a MISP says of an event becomes markings that let in whom it names and nobody else, or is held and makes no file; what the
/// node's labels permit goes out as a sharing group of just these organisations.
#[test]
fn distributions_of_a_misp_become_markings_and_labels_distributions() {
    let stage = stage("", "");
    let [japan_org, korea_org] = [JAPAN, KOREA].map(|identity| identity.strip_prefix("identity--").unwrap());
    let group = |name: &str, orgs: &[&str]| {
        let orgs: Vec<Value> = orgs.iter().map(|org| json!({"Organisation": {"uuid": org}})).collect();
        let group = json!({"SharingGroup": {"uuid": "10000000-0000-4000-8000-000000000001", "roaming": true}, "SharingGroupOrg": orgs});
        stage.dir.file(name, group.to_string())
    };
    let (for_japan, for_korea) = (group("japan.json", &[japan_org]), group("korea.json", &[korea_org]));
    let output = |name: &str| stage.dir.file("x", "").with_file_name(name);
    let from = |file: &str, more: &[&str]| {
        let path = output(file);
        let told = stage
            .dir
            .json(&[&["label", "from-misp", "--name", file, "--output", path.to_str().unwrap()], more].concat());
        let bundle: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let definitions: Vec<String> = bundle["objects"].as_array().unwrap().iter().map(ToString::to_string).collect();
        stage.import(&definitions, INTEL, Some("TLP:CLEAR"));
        told
    };
    let grouped = |n: &str, file: &std::path::Path, tags: &[&str]| {
        let tags: Vec<&str> = tags.iter().flat_map(|tag| ["--tag", tag]).collect();
        from(n, &[&["--distribution", "4", "--sharing-group", file.to_str().unwrap()], tags.as_slice()].concat())
    };
    let japans = grouped("one", &for_japan, &["tlp:clear", "PAP:RED"]);
    let koreas = grouped("two", &for_korea, &["tlp:clear"]);
    let everybodys = from("three", &["--event-distribution", "3", "--distribution", "5", "--tag", "tlp:clear"]);
    let narrowed = from(
        "four",
        &[
            "--event-distribution",
            "4",
            "--event-sharing-group",
            for_korea.to_str().unwrap(),
            "--distribution",
            "3",
            "--tag",
            "tlp:white",
        ],
    );
    assert_eq!(narrowed["markings"].as_array().unwrap().len(), 3, "two markings and the TLP: {narrowed}");
    let own = from("five", &["--distribution", "2", "--tag", "tlp:clear"]);
    assert_eq!(own["notes"].as_array().unwrap().len(), 2, "{own}");
    assert_eq!(japans["markings"][2], json!(Pap::Red.marking_id()));
    let marked = |n: u64, told: &Value| {
        let mut all = vec![json!(marking(REL_JPN))];
        all.extend(told["markings"].as_array().unwrap().iter().cloned());
        indicator(9, n).with("object_marking_refs", json!(all)).text()
    };
    let all = [&japans, &koreas, &everybodys, &narrowed, &own];
    let objects: Vec<String> = (1..).zip(all).map(|(n, told)| marked(n, told)).collect();
    assert_eq!(stage.import(&objects, INTEL, None).quarantined, 0);
    let mut shown = stage.ids(TOOL, INTEL);
    shown.retain(|id| id.starts_with("indicator"));
    shown.sort();
    let mut wanted = [indicator(9, 1).id(), indicator(9, 3).id()];
    wanted.sort();
    assert_eq!(shown, wanted);
    let nothing = output("held.json");
    let refused = |more: &[&str]| {
        let said = stage
            .dir
            .refused(&[&["label", "from-misp", "--name", "x", "--output", nothing.to_str().unwrap()], more].concat());
        assert!(!nothing.exists());
        said
    };
    assert!(
        refused(&["--distribution", "3", "--tag", "tlp:amber"])
            .contains("held for a person: \"all communities\" with TLP:AMBER")
    );
    assert!(refused(&["--distribution", "4"]).contains("without its sharing group"));
    assert!(refused(&["--distribution", "1", "--tag", "tlp:unclear"]).contains("tlp:unclear"));
    // And back.
    let to = |more: &[&str]| stage.dir.json(&[&["label", "to-misp", "--collection", INTEL], more].concat());
    let members = |told: &Value| -> Vec<String> {
        let all = told["sharing_group"]["SharingGroupOrg"].as_array().unwrap();
        all.iter().map(|m| m["Organisation"]["uuid"].as_str().unwrap().to_owned()).collect()
    };
    let out = to(&["--label", REL_JPN, "--pap", "amber"]);
    assert_eq!(
        (&out["distribution"], &out["partners"], &out["tags"]),
        (&json!(4), &json!(["japan"]), &json!(["tlp:amber+strict", "PAP:AMBER"]))
    );
    assert_eq!(members(&out).len(), 2, "Japan and the own organisation: {out}");
    assert!(members(&out).contains(&japan_org.to_owned()));
    let home = to(&["--label", NATO_ONLY]);
    assert_eq!(
        (&home["distribution"], &home["partners"], &home["sharing_group"]),
        (&json!(0), &json!([]), &Value::Null)
    );
    let open = to(&["--label", PUBLIC]);
    assert_eq!(
        (&open["distribution"], &open["partners"], &open["tags"]),
        (&json!(3), &json!("everyone"), &json!(["tlp:clear"]))
    );
    let two = output("two");
    let narrow = to(&["--label", REL_JPN, "--markings", two.to_str().unwrap()]);
    assert_eq!(
        (&narrow["distribution"], &narrow["partners"]),
        (&json!(0), &json!([])),
        "the marking narrows the label"
    );
    let no = |more: &[&str]| stage.dir.refused(&[&["label", "to-misp", "--collection", INTEL], more].concat());
    assert!(no(&["--label", PUBLIC, "--label", "TLP:RED"]).contains("named persons"));
    assert!(no(&["--label", "NOTHING"]).contains("the catalogue has no label `NOTHING`"));
    let other = stage.dir.file("other.json", material::bundle(&[indicator(1, 1).text()]));
    assert!(no(&["--label", PUBLIC, "--markings", other.to_str().unwrap()]).contains("indicator"));
}

/// A dissemination marking, as an object that everybody may have.
fn dissemination(n: u32, members: &Value) -> (String, String) {
    let id = format!("marking-definition--{}", material::uuid(77, u64::from(n)));
    let mut extension = json!({"extension_type": "property-extension"});
    extension.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let text = json!({"type": "marking-definition", "spec_version": "2.1", "id": id, "created": "2026-01-01T00:00:00.000Z",
        "object_marking_refs": [level(Tlp::Clear)], "extensions": {label::DISSEMINATION_EXTENSION: extension}});
    (id, text.to_string())
}

/// L-132, L-133, L-140, L-141, I5: what Korea addressed to Japan goes on to Japan through the hub, what it addressed to the hub's clients once Japan is
/// one, and nothing else of Korea's does.
#[test]
fn a_hub_gives_on_what_was_addressed_to_the_reader_or_to_its_clients() {
    let dir = NodeDir::init("hub", &[strict_room(INTEL)]);
    agree(&dir, "");
    let mut korea = japan(&[INTEL], &[INTEL]);
    (korea.partner, korea.identity, korea.code, korea.identities) = ("korea", KOREA.to_owned(), "KOR", vec![KOREA]);
    dir.agree(&korea);
    let stage = Stage::open(dir);
    stage.account(TOOL, Some("japan"), json!({}));
    stage.account("kor-tool", Some("korea"), json!({}));
    let to_japan = dissemination(1, &json!({"addressees": [JAPAN], "onward": "organisation"}));
    let to_clients = dissemination(2, &json!({"addressees": [HUB], "onward": "clients"}));
    let to_nobody = dissemination(3, &json!({"onward": "clients"}));
    let to_persons = dissemination(4, &json!({"addressees": [JAPAN], "onward": "none"}));
    let said = [&to_japan, &to_clients, &to_nobody, &to_persons];
    let korean = |n: u64, d: &(String, String)| {
        indicator(3, n).by(KOREA).with("object_marking_refs", json!([marking(REL_JPN), d.0])).text()
    };
    let mut all = vec![
        material::identity(KOREA, "Korea")
            .replace("\"name\"", &format!("\"object_marking_refs\":[\"{}\"],\"name\"", level(Tlp::Clear))),
    ];
    all.extend(said.iter().map(|d| d.1.clone()));
    all.extend((1..).zip(said).map(|(n, d)| korean(n, d)));
    all.push(indicator(3, 5).by(KOREA).marked(&marking(REL_JPN)).text());
    // Nobody that speaks for the creator says so.
    all.push(indicator(3, 6).with("object_marking_refs", json!([marking(REL_JPN), to_japan.0])).text());
    stage.post("kor-tool", INTEL, &material::envelope(&all)).unwrap();
    let shown = |account: &str| -> Vec<u64> {
        let ids = stage.ids(account, INTEL);
        (1..=6).filter(|n| ids.contains(&indicator(3, *n).id())).collect()
    };
    assert_eq!(shown("kor-tool"), [1, 2, 3, 4, 5, 6], "its own");
    assert_eq!(shown(TOOL), [1]);
    let why = |n: u64| {
        let told = stage.done(Request::Explain { id: indicator(3, n).id(), to: TOOL.to_owned(), realm: None });
        assert_eq!(told["released"], n == 1, "{told}");
        told.to_string()
    };
    assert!(why(2).contains("L-132") && why(5).contains("L-140"));
    why(1);
    agree(&stage.dir, "client = true");
    stage.done(Request::Reload);
    assert_eq!(shown(TOOL), [1, 2], "it arrives late");
    agree(&stage.dir, "");
    stage.done(Request::Reload);
    assert_eq!(shown(TOOL), [1]);
    assert_eq!(shown("operator"), [2, 3, 5], "what was addressed to others alone is not the hub's to read");
    stage.assert_sound();
}

/// L-132, I1: on own material the addressees narrow; another party's marking of that id opens nothing.
#[test]
fn own_material_goes_to_its_addressees_alone() {
    let stage = stage("", "");
    let to_japan = dissemination(1, &json!({"addressees": [JAPAN], "onward": "organisation"}));
    let to_korea = dissemination(2, &json!({"addressees": [KOREA], "onward": "organisation"}));
    let with = |n: u64, d: &str| indicator(4, n).with("object_marking_refs", json!([marking(REL_JPN), d])).text();
    stage.import(&[to_japan.1.clone(), to_korea.1, with(1, &to_japan.0), with(2, &to_korea.0)], INTEL, None);
    stage.import(&[indicator(4, 3).marked(&marking(REL_AUS)).text()], INTEL, None);
    let ids = stage.ids(TOOL, INTEL);
    assert!(ids.contains(&indicator(4, 1).id()) && !ids.contains(&indicator(4, 2).id()), "{ids:?}");
    let redefined = dissemination(2, &json!({"onward": "any"}));
    stage.post(TOOL, INTEL, &material::envelope(&[redefined.1])).unwrap();
    assert_eq!(stage.ids(TOOL, INTEL).iter().filter(|id| id.starts_with("indicator")).count(), 1);
    // A dissemination marking alone is no label (L-133).
    let bare = indicator(4, 4).marked(&to_japan.0);
    let taken = stage.import(&[bare.text()], INTEL, None);
    assert_eq!(taken.quarantined, 1);
}

/// Section 11: a national tag stands for a label if it is the only marking and its source is trusted about it; else it is text.
#[test]
fn a_tag_of_another_system_is_a_label_only_from_whom_the_node_trusts_about_it() {
    let tag = "nato:classification=\"NR\"";
    let dir = NodeDir::init_with("hub", &[strict_room(INTEL), crate::scene::public_room("open")], "");
    let row = |label: &str, tag: &str, from: &str| {
        format!("\n[[tag]]\ntag = '{tag}'\nlabel = \"{label}\"\nfrom = [{from}]\n")
    };
    dir.append("node.toml", &row(REL_JPN, tag, "\"own\""));
    dir.append("node.toml", &row(NATO_ONLY, "nato:classification=\"NC\"", "\"own\", \"japan\""));
    agree(&dir, "");
    let stage = Stage::open(dir);
    stage.account(TOOL, Some("japan"), json!({}));
    let tagged = |n: u64, tags: &[&str]| indicator(5, n).with("labels", json!(tags)).text();
    let nc = "nato:classification=\"NC\"";
    let released = |id: &str| {
        let why = stage.done(Request::Explain { id: id.to_owned(), to: TOOL.to_owned(), realm: None });
        why["released"] == true
    };
    let taken =
        stage.import(&[tagged(1, &[tag, "malicious"]), tagged(2, &[tag, nc]), tagged(3, &["other"])], INTEL, None);
    assert_eq!(taken.quarantined, 2, "of two nobody knows which, and another tag says nothing");
    assert!(released(&indicator(5, 1).id()));
    stage.import(&[tagged(4, &[nc])], "open", None);
    assert!(!released(&indicator(5, 4).id()), "it goes before the collection's PUBLIC");
    stage.import(&[tagged(5, &[nc])], "open", Some(REL_JPN));
    assert_eq!(stage.ids(TOOL, INTEL), [indicator(5, 1).id()]);
    stage.import(&[indicator(5, 6).marked(&marking(REL_JPN)).with("labels", json!([nc])).text()], INTEL, None);
    assert!(released(&indicator(5, 6).id()), "a marking of its own counts, not the tag");
    stage.post(TOOL, INTEL, &material::envelope(&[tagged(7, &[tag])])).unwrap();
    let waits = stage.done(Request::Quarantine { after: None }).to_string();
    assert!(waits.contains(&indicator(5, 7).id()), "Japan is not trusted about this one: {waits}");
}

/// I1, L-131: neither the file, nor its label, nor the refusal to make one, nor the computed TLP tells of what the reader may not have.
#[test]
fn an_export_tells_nothing_of_what_is_hidden() {
    let told = |hidden: Option<&str>, shown: &[&str], style: &ExportStyle| {
        let stage = stage("", "");
        stage.account(MISP, Some("japan"), json!({"tlp": true}));
        if let Some(label) = hidden {
            stage.import(&[indicator(6, 9).text()], INTEL, Some(label));
        }
        for (n, label) in (1..).zip(shown) {
            stage.import(&[indicator(6, n).text()], INTEL, Some(label));
        }
        let path = stage.dir.file("x", "").with_file_name("out.json");
        let said = match stage.node.admin(exporting(&path, style), &|_, _| ()) {
            node::admin::Reply::Done(mut value) => {
                let here = stage.dir.path().to_str().unwrap();
                value["output"] = json!(value["output"].as_str().unwrap().replace(here, ""));
                value["sidecar"] = json!(value["sidecar"].as_str().unwrap_or_default().replace(here, ""));
                value.to_string()
            }
            node::admin::Reply::Failed(why) => why,
            other @ node::admin::Reply::Progress(..) => panic!("{other:?}"),
        };
        let file: Value = fs::read(&path).map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap());
        let sidecar = fs::read(path.with_file_name("out.json.bdo")).ok();
        let labels = sidecar.map(|xml| Bindings::from_xml(&xml).unwrap().list()[0].labels().to_vec());
        let page = stage.list(MISP, INTEL, Listing::Objects, "").unwrap();
        (said, file["objects"].clone(), labels, page.body, page.tag)
    };
    for hidden in [REL_AUS, NATO_ONLY, SECRET_JPN, "TLP:AMBER", "TLP:RED"] {
        for shown in [&[REL_JPN, REL_JPN][..], &[REL_JPN, PUBLIC][..], &[][..]] {
            for style in [bound(), ExportStyle { tlp: true, ..ExportStyle::default() }] {
                assert_eq!(told(Some(hidden), shown, &style), told(None, shown, &style), "{hidden}, {shown:?}");
            }
        }
    }
}
