//! Every command for real, on a node that is stopped and on one that runs: the same JSON both ways, the exit codes that are documented, and help with
//! examples.

use crate::{
    foreign::{Deed, Foreign},
    material::{self, HUB, NATO_ONLY, PUBLIC, PullFrom, REL_JPN, bundle, envelope, indicator, japan},
    scene::{ENTENTE, NodeDir, one_value, public_room, strict_room},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    process::{Command, Stdio},
};

const INTEL: &str = "intel";
const OPEN: &str = "open";
const TOOL: &str = "jpn-tool";

/// One command as it went.
#[derive(Debug, PartialEq)]
struct Line {
    command: String,
    code: Option<i32>,
    value: Value,
}

/// Runs commands and writes down what they said, with what cannot be the same twice masked.
struct Script<'d> {
    dir: &'d NodeDir,
    lines: Vec<Line>,
    /// Words of commands that cannot be the same twice.
    once: Vec<String>,
}

impl Script<'_> {
    fn run(&mut self, args: &[&str]) -> Value {
        self.run_with(args, 0)
    }

    fn run_with(&mut self, args: &[&str], code: i32) -> Value {
        let mut all = args.to_vec();
        all.push("--json");
        let output = self.dir.run(&all);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.is_empty(), "{args:?} with --json says nothing else: {said}");
        let value = one_value(&output);
        let here = self.dir.path().to_str().unwrap();
        let command = self.once.iter().fold(args.join(" ").replace(here, "HERE"), |c, word| c.replace(word, "ONCE"));
        self.lines.push(Line { command, code: output.status.code(), value: masked(value.clone(), here, &self.once) });
        value
    }
}

/// Secrets, times, random ids and paths look different each time; everything else must not.
fn masked(value: Value, here: &str, once: &[String]) -> Value {
    match value {
        Value::Object(members) => {
            let mask = |name: &str, value: Value| match name {
                "password" | "token" if value.is_string() => json!("MASKED"),
                "at" | "modified" | "date_added" | "hash" | "body" => json!("MASKED"),
                // Acts of persons: made now, with names and keys of their own.
                "override" | "request" | "until" | "since" | "made" | "text" | "table" if value.is_string() => {
                    json!("MASKED")
                }
                // A revocation is made now; everything else has the version it came with.
                "version" if value != "2026-01-01T00:00:00.000Z" => json!("MASKED"),
                // Counts since the process started, and sizes.
                "figures" => json!(value.as_object().map(|f| f.keys().cloned().collect::<Vec<_>>())),
                _ => masked(value, here, once),
            };
            members
                .into_iter()
                .map(|(name, value)| (name.clone(), mask(&name, value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Value::Array(items) => items.into_iter().map(|item| masked(item, here, once)).collect(),
        Value::String(text) => {
            Value::from(once.iter().fold(text.replace(here, "HERE"), |text, word| text.replace(word, "ONCE")))
        }
        other => other,
    }
}

/// The directory of a scenario: two collections, an agreement with Japan that pulls from `foreign`.
fn directory(foreign: &Foreign) -> NodeDir {
    let dir = NodeDir::init("hub", &[strict_room(INTEL), public_room(OPEN)]);
    let mut deal = japan(&[INTEL, OPEN], &[INTEL, OPEN]);
    deal.identities = vec!["*"];
    deal.pull = Some(PullFrom { url: foreign.url(), account: "hub-node", remote: "feed", into: OPEN, every_s: 86_400 });
    dir.agree(&deal);
    fs::write(dir.path().join("secrets").join("japan"), "their secret").unwrap();
    dir
}

/// Every command but `init`, `serve` and `demo`, in an order in which each has something to say.
fn scenario(dir: &NodeDir) -> Vec<Line> {
    let mut script = Script { dir, lines: Vec::new(), once: Vec::new() };
    let s = &mut script;
    // Accounts.
    let added = s.run(&["user", "add", TOOL, "--partner", "japan"]);
    assert!(added["password"].as_str().is_some_and(|p| p.len() >= 40));
    s.run(&["user", "add", "analyst", "--write", INTEL, "--read", INTEL]);
    assert!(s.run(&["user", "token", TOOL])["token"].as_str().is_some_and(|t| t.starts_with("ent_")));
    let pem = dir.file("client.pem", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    let name = s.run(&["user", "certificate", TOOL, pem.to_str().unwrap()])["name"].clone();
    assert!(s.run(&["user", "list"]).to_string().contains(name.as_str().unwrap()));
    s.run(&["user", "withdraw", TOOL, name.as_str().unwrap()]);
    assert!(!s.run(&["user", "list"]).to_string().contains(name.as_str().unwrap()));
    s.run(&["user", "set", TOOL, "--empty-objects"]);
    s.run(&["user", "disable", TOOL]);
    s.run(&["user", "enable", TOOL]);
    assert_eq!(s.run(&["user", "list"]).as_array().unwrap().len(), 3);

    // Import: a folder with a plain and a packed file, then one file with a label, then without any.
    let own = indicator(1, 1).by(HUB);
    let folder = dir.path().join("files").join("reports");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("a.json"), bundle(&[material::identity(HUB, "the hub"), own.text()])).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(
        fs::File::create(folder.join("b.json.gz")).unwrap(),
        flate2::Compression::default(),
    );
    gzip.write_all(bundle(&[indicator(1, 2).text(), indicator(1, 3).with("created", "never").text()]).as_bytes())
        .unwrap();
    gzip.finish().unwrap();
    fs::write(folder.join("ignored.txt"), "not STIX").unwrap();
    let taken = s.run(&["import", folder.to_str().unwrap(), "--collection", OPEN]);
    assert_eq!((&taken["objects"], &taken["new"], &taken["rejected"]), (&json!(4), &json!(3), &json!(1)), "{taken}");
    let one = dir.file("one.json", bundle(&[indicator(2, 1).text(), indicator(2, 2).text()]));
    s.run(&["import", one.to_str().unwrap(), "--collection", INTEL, "--label", NATO_ONLY]);
    let bare = dir.file("bare.json", bundle(&[indicator(3, 1).text(), indicator(3, 2).text()]));
    assert_eq!(s.run(&["import", bare.to_str().unwrap(), "--collection", INTEL])["quarantined"], 2);

    // Collections and agreements.
    assert_eq!(s.run(&["collection", "list"]).as_array().unwrap().len(), 2);
    s.run(&[
        "collection",
        "add",
        "--alias",
        "reports",
        "--title",
        "Finished reports",
        "--default-label",
        PUBLIC,
        "--description",
        "for all",
    ]);
    assert_eq!(s.run(&["agreement", "check"])[0]["partner"], "japan");
    let in_force = dir.path().join("agreements").join("japan.toml");
    let draft =
        dir.file("japan-draft.toml", fs::read_to_string(&in_force).unwrap().replace("\"intel\", \"open\"", "\"open\""));
    s.run(&["agreement", "check", draft.to_str().unwrap()]);
    let preview = s.run(&["agreement", "preview", in_force.to_str().unwrap(), draft.to_str().unwrap()]);
    let lines = preview["changes"].as_array().unwrap();
    assert!(
        !lines.is_empty() && lines.iter().all(|line| line["collection"] == "intel" && line["copies_released"] == 0)
    );
    assert!(s.run(&["agreement", "apply"])["changes"].is_array());

    // Labels.
    let hidden = indicator(2, 1).id();
    let why = s.run_with(&["explain", &hidden, "--to", TOOL], 3);
    assert_eq!(why["released"], false);
    assert!(
        why["instances"][0]["steps"].as_array().is_some_and(|steps| steps.iter().any(|step| step["passed"] == false))
    );
    s.run(&["relabel", &hidden, "--label", REL_JPN]);
    assert_eq!(s.run(&["explain", &hidden, "--to", TOOL])["released"], true);
    let unknown = format!("indicator--{}", material::uuid(99, 1));
    assert_eq!(s.run_with(&["explain", &unknown, "--to", TOOL], 3)["held"], 0);
    assert_eq!(s.run(&["revoke", &own.id()])["revoked"], true);

    // The quarantine: one unreadable row, two unlabelled instances.
    let rows = s.run(&["quarantine", "list"]);
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 3);
    let row = |id: &str| rows.iter().find(|r| r["id"] == id).unwrap()["no"].to_string();
    let (first, second, unreadable) =
        (row(&indicator(3, 1).id()), row(&indicator(3, 2).id()), row(&indicator(1, 3).id()));
    s.run(&["quarantine", "list", "--after", &rows[0]["no"].to_string()]);
    assert!(s.run(&["quarantine", "show", &unreadable])["raw"].as_str().is_some_and(|raw| raw.contains("never")));
    assert_eq!(s.run(&["quarantine", "replay", &first, "--label", PUBLIC])["left_quarantine"], true);
    s.run(&["quarantine", "drop", &second]);
    s.run(&["quarantine", "drop", &unreadable]);
    assert_eq!(s.run(&["quarantine", "list"]), json!([]));

    // Peers.
    assert_eq!(s.run(&["peer", "pull", "japan"])["intake"]["new"], 2);
    assert_eq!(s.run(&["peer", "list"])[0]["pulled"].as_array().unwrap().len(), 1);

    persons(s, dir);

    // Ways out.
    let seen = s.run(&["view-as", TOOL, "match[type]=indicator", "--collection", INTEL]);
    let objects = seen["collections"][INTEL]["objects"].as_array().unwrap();
    assert_eq!(objects.iter().filter(|o| o["id"] == hidden.as_str()).count(), 1, "{seen}");
    s.run(&["view-as", TOOL]);
    let output = dir.path().join("files").join("for-japan.json");
    s.run(&["export", "--collection", INTEL, "--for", TOOL, "--output", output.to_str().unwrap()]);
    let exported: Value = serde_json::from_slice(&fs::read(&output).unwrap()).unwrap();
    let ids: BTreeSet<&str> =
        exported["objects"].as_array().unwrap().iter().map(|o| o["id"].as_str().unwrap()).collect();
    assert!(ids.contains(hidden.as_str()) && !ids.contains(indicator(2, 2).id().as_str()), "{ids:?}");
    assert_eq!(fs::metadata(&output).unwrap().permissions().mode() & 0o077, 0, "an export is for its owner's eyes");
    let told = s.run(&["conflicts"]);
    assert_eq!(told["realm"], "live", "{told}");
    let has = s.run(&["who-has", &hidden]);
    let delivery = &has["versions"][0]["deliveries"][0];
    assert_eq!((&delivery["account"], &delivery["channel"]), (&json!(TOOL), &json!("export")), "{has}");
    fs::remove_file(output).unwrap();

    // Looking after it.
    assert_eq!(s.run(&["doctor"])["sound"], true);
    s.run(&["status"]);
    s.run(&["detection", "list"]);
    s.run(&["detection", "status"]);
    let leaves = s.run(&["audit", "show", "--from", "1", "--limit", "5"]);
    assert_eq!(leaves.as_array().unwrap().len(), 5);
    assert_eq!(s.run(&["audit", "verify"])["sound"], true);
    let copy = dir.path().join("files").join("copy.db");
    s.run(&["backup", copy.to_str().unwrap()]);
    assert_the_copy_opens(dir, &copy);
    policies_and_bindings(s, dir);
    script.lines
}

/// Two persons and their acts (L-157), and requests to originators.
fn persons(s: &mut Script<'_>, dir: &NodeDir) {
    let files = dir.path().join("files");
    let keys: Vec<String> = ["kim", "lee"].map(|n| files.join(format!("{n}.pem")).to_str().unwrap().to_owned()).into();
    for (name, key) in ["kim", "lee"].iter().zip(&keys) {
        let made = s.run(&["override", "officer", name, "--key", key]);
        assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o077, 0, "a key is for its owner's eyes");
        assert_eq!(dir.json(&["override", "officer", name, "--key", key]), made, "a key that is there stays");
        dir.append("node.toml", &format!("\n{}\n", made["table"].as_str().unwrap()));
    }
    s.run(&["agreement", "apply"]);
    let id = indicator(2, 2).id();
    let day = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros() + 86_400_000_000;
    let until = stix::Timestamp::from_micros(i64::try_from(day).unwrap()).as_str().to_owned();
    s.once.push(until.clone());
    let propose = ["override", "propose", &id, "--to", "japan", "--until", &until, "--reason", "rescue at sea"];
    let signed =
        |name: &'static str, key: &str| ["--officer".to_owned(), name.to_owned(), "--key".to_owned(), key.to_owned()];
    let draft = s.run(&[&propose[..], &["--dry-run"]].concat());
    assert!(draft["text"].as_str().is_some_and(|text| text.contains(&id)));
    assert_eq!(s.run(&["override", "list"]), json!([]));
    let kim = signed("kim", &keys[0]);
    let kim: Vec<&str> = kim.iter().map(String::as_str).collect();
    let proposed = s.run(&[&propose[..], &kim].concat());
    assert_eq!((&proposed["state"], &proposed["signed"][0]["officer"]), (&json!("proposed"), &json!("kim")));
    let act = proposed["override"].as_str().unwrap().to_owned();
    s.once.push(act.clone());
    assert_eq!(s.run_with(&["explain", &id, "--to", TOOL], 3)["released"], false);
    let again = dir.refused(&[&["override", "approve", &act][..], &kim].concat());
    assert!(again.contains("needs two persons"), "{again}");
    fs::set_permissions(&keys[1], fs::Permissions::from_mode(0o644)).unwrap();
    let lee = signed("lee", &keys[1]);
    let lee: Vec<&str> = lee.iter().map(String::as_str).collect();
    assert!(dir.refused(&[&["override", "approve", &act][..], &lee].concat()).contains("chmod 600"));
    fs::set_permissions(&keys[1], fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(s.run(&[&["override", "approve", &act][..], &lee].concat())["state"], "in-force");
    assert_eq!(s.run(&["explain", &id, "--to", TOOL])["released"], true);
    assert_eq!(s.run(&["override", "list", "--state", "in-force"]).as_array().unwrap().len(), 1);
    assert_eq!(s.run(&["override", "show", &act])["signed"][1]["officer"], "lee");
    assert_eq!(s.run(&["override", "withdraw", &act, "--reason", "safe"])["state"], "withdrawn");
    assert_eq!(s.run_with(&["explain", &id, "--to", TOOL], 3)["released"], false);

    let open = ["request", "open", &id, "--kind", "tear-line", "--by", "japan", "--for", "harbour police"];
    let open = [&open[..], &["--reason", "they must search the quay"]].concat();
    let requests: Vec<String> = (0..2).map(|_| s.run(&open)["request"].as_str().unwrap().to_owned()).collect();
    s.once.extend(requests.clone());
    assert_eq!(s.run(&["request", "list", "--state", "open"]).as_array().unwrap().len(), 2);
    let answer = ["request", "answer", &requests[0], "--refuse", "--by", "desk", "--text", "not now"];
    assert_eq!(s.run(&answer)["state"], "refused");
    assert_eq!(s.run(&["request", "show", &requests[0]])["answer"]["text"], "not now");
    assert_eq!(s.run(&["request", "withdraw", &requests[1], "--reason", "too late"])["state"], "withdrawn");
    let both = Command::new(ENTENTE).args(["request", "answer", &requests[1], "--by", "x", "--text", "y"]).output();
    assert_eq!(both.unwrap().status.code(), Some(2), "yes or no");
    for key in keys {
        fs::remove_file(key).unwrap();
    }
}

/// Commands on files alone: policy files, and labels bound to a file (L-052, L-110).
fn policies_and_bindings(s: &mut Script<'_>, dir: &NodeDir) {
    let nato = concat!(env!("CARGO_MANIFEST_DIR"), "/../label/policies/nato-demo.spif.xml");
    let public = concat!(env!("CARGO_MANIFEST_DIR"), "/../label/policies/public.spif.xml");
    assert_eq!(s.run(&["policy", "check", nato, public])["faults"], json!([]));
    let broken =
        dir.file("broken.spif.xml", fs::read_to_string(public).unwrap().replace("hierarchy=\"0\"", "rank=\"0\""));
    let faults = s.run_with(&["policy", "check", broken.to_str().unwrap()], 4);
    assert!(faults["faults"].as_array().unwrap().len() >= 2, "each fault by itself: {faults}");
    assert_eq!(s.run(&["policy", "show", nato])["classifications"]["SECRET"]["rank"], 4);
    assert!(s.run(&["policy", "diff", public, nato]).as_array().unwrap().len() > 100);
    let page = dir.path().join("files").join("page.html");
    s.run(&["policy", "render", nato, "--output", page.to_str().unwrap()]);
    assert!(fs::read_to_string(&page).unwrap().contains("<h2>Who may read what</h2>"));

    assert!(s.run(&["label", "list"]).as_array().unwrap().iter().any(|l| l["name"] == REL_JPN));
    let set = ["--policy", "NATO", "--classification", "SECRET", "--set", "Context=NATO", "--set", "Releasable To=AUS"];
    let review = ["--review", "2031-01-01T00:00:00Z", "--add", "NS AUS"];
    let output = dir.json(&[&["label", "make"][..], &set, &review].concat());
    assert_eq!(output["marking"], "NATO SECRET Releasable to Australia");
    assert_eq!(output["filled_in"], json!(["Releasable To: NATO", "Context: Releasable"]), "L-023");
    // Made now, so with an id of its own each time.
    assert!(dir.json(&["label", "list"]).as_array().unwrap().iter().any(|l| l["name"] == "NS AUS"));
    let again = dir.refused(&[&["label", "make"][..], &set, &review].concat());
    assert!(again.contains("has a label `NS AUS`"), "{again}");
    let wrong =
        dir.refused(&["label", "make", "--policy", "NATO", "--classification", "SECRET", "--set", "Context=ISAF"]);
    assert!(wrong.contains("`ISAF` may not stand in `Context`"), "{wrong}");
    s.run(&["label", "remove", "NS AUS"]);
    assert!(dir.refused(&["label", "remove", "NS AUS"]).contains("no label"));
    assert!(dir.refused(&["label", "remove", PUBLIC]).contains("default label of"));

    let label = json!({"v": 1, "role": "originator", "policy": {"name": "NATO"}, "classification": "RESTRICTED",
        "categories": [{"tag": "Context", "type": "permissive", "values": ["NATO"]}], "created": "2026-01-01T00:00:00Z", "review": "2031-01-01T00:00:00Z"});
    let label = dir.file("label.json", label.to_string());
    let report = dir.file("report.txt", "what we saw");
    let file = report.to_str().unwrap();
    assert_eq!(s.run_with(&["verify", file], 4)[0]["state"], "none");
    let bound =
        s.run(&["bind", file, "--label", label.to_str().unwrap(), "--policy", nato, "--content-type", "text/plain"]);
    assert_eq!(bound["marking"], "NATO RESTRICTED");
    let verified = s.run(&["verify", file]);
    assert_eq!((&verified[0]["state"], &verified[0]["labels"][0]), (&json!("claimed"), &json!("NATO RESTRICTED")));
    fs::write(&report, "what we saw!").unwrap();
    assert_eq!(s.run_with(&["verify", file], 4)[0]["state"], "broken");
    let vectors: Value =
        serde_json::from_str(include_str!("../../../binding/tests/data/binding-vectors.json")).unwrap();
    let keys = dir.file("keys.jwks", vectors["keys"].to_string());
    let signed = dir.file("signed.json", vectors["objects"][0]["object"].to_string());
    assert_eq!(s.run(&["verify", signed.to_str().unwrap()])[0]["state"], "unknown-signer");
    let known = s.run(&["verify", signed.to_str().unwrap(), "--keys", keys.to_str().unwrap()]);
    assert_eq!((&known[0]["speaks_for_owner"], &known[0]["signer"]), (&json!(true), &json!("es")));
}

fn assert_the_copy_opens(dir: &NodeDir, copy: &std::path::Path) {
    use store::Store as _;
    assert_eq!(fs::metadata(copy).unwrap().permissions().mode() & 0o077, 0, "a copy is for its owner's eyes");
    let aside = dir.path().join("restored.db");
    fs::rename(copy, &aside).unwrap();
    let store = store::SqliteStore::open(&aside, &store::OpenOptions::default()).unwrap();
    assert_eq!(store.accounts().unwrap().len(), 3);
    let collection = store.collections().unwrap().iter().find(|c| c.new.alias == INTEL).unwrap().no;
    let operator = store.accounts().unwrap().iter().find(|a| a.name == "operator").unwrap().reader;
    assert!(store.count(store::Line { reader: operator, collection }).unwrap() >= 3);
    drop(store);
    fs::remove_file(aside).unwrap();
}

/// A partner's server with two objects, once it is open.
fn giver() -> Foreign {
    let foreign = Foreign::start();
    opened(&foreign);
    foreign
}

fn opened(foreign: &Foreign) {
    foreign.does(|target| {
        if target.contains("added_after") {
            Deed::taxii("{}")
        } else {
            Deed::page(envelope(&[indicator(7, 1).text(), indicator(7, 2).text()]), "2026-01-01T00:00:01.000000Z")
        }
    });
}

/// Design: one owner of a SQLite store; commands reach a running node or open the store themselves, and the answer is the same.
#[test]
fn every_command_says_the_same_on_a_stopped_and_on_a_running_node() {
    let foreign = giver();
    let stopped = directory(&foreign);
    let quiet = scenario(&stopped);
    // The node's own first pull finds the partner closed; its next is due in a day.
    foreign.does(|_| Deed::Reply(503, Vec::new(), Vec::new()));
    let running = directory(&foreign);
    let mut serving = running.serve();
    serving.wait_for_log("the pull failed");
    opened(&foreign);
    let busy = scenario(&running);
    assert!(serving.runs());
    assert_eq!(serving.end(), Some(0));
    assert_eq!(quiet.len(), busy.len());
    for (quiet, busy) in quiet.iter().zip(&busy) {
        assert_eq!(quiet.command, busy.command);
        assert_eq!(quiet, busy, "{}", difference(&quiet.value, &busy.value));
    }
    let ran: BTreeSet<String> = quiet.iter().map(|line| line.command.clone()).collect();
    for leaf in leaves() {
        // These need no node: convert.rs, labels.rs, patterns.rs, detection.rs and resilience.rs beside this, and Python (tests/partners/test_transfer.py) run them.
        let elsewhere = [
            "label address",
            "label from-misp",
            "label to-misp",
            "label make",
            "init",
            "serve",
            "demo",
            "validate",
            "convert",
            "user password",
            "pull",
            "push",
            "match",
            "pattern check",
        ];
        let elsewhere = elsewhere.contains(&leaf.as_str()) || leaf.starts_with("resilience ");
        let found = elsewhere || ran.iter().any(|c| *c == leaf || c.starts_with(&format!("{leaf} ")));
        assert!(found, "`entente {leaf}` is in no test");
    }
}

/// Where two values begin to differ.
fn difference(one: &Value, other: &Value) -> String {
    let (one, other) = (one.to_string(), other.to_string());
    let at = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let from = at.saturating_sub(200);
    format!("stopped …{:.500}\nrunning …{:.500}", &one[from..], &other[from..])
}

fn help(words: &[&str]) -> String {
    let output = Command::new(ENTENTE).args(words).arg("--help").output().unwrap();
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Names under `Commands:`.
fn subcommands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| !l.is_empty());
    lines
        .filter(|l| l.starts_with("  ") && !l.starts_with("   "))
        .filter_map(|l| l.split_whitespace().next().map(str::to_owned))
        .filter(|name| name != "help")
        .collect()
}

/// Every command without subcommands.
fn leaves() -> Vec<String> {
    let mut leaves = Vec::new();
    for name in subcommands(&help(&[])) {
        let inner = subcommands(&help(&[&name]));
        if inner.is_empty() {
            leaves.push(name);
        } else {
            leaves.extend(inner.iter().map(|sub| format!("{name} {sub}")));
        }
    }
    assert!(leaves.len() >= 30, "{leaves:?}");
    leaves
}

/// Issue 2: `--help` with examples, exit codes documented.
#[test]
fn every_help_text_has_an_example_and_the_exit_codes_are_told() {
    for leaf in leaves() {
        let words: Vec<&str> = leaf.split(' ').collect();
        let text = help(&words);
        assert!(text.contains("Example"), "`entente {leaf} --help` has no example");
        assert!(
            text.contains(&format!("entente {leaf}")) || text.contains("--dir"),
            "`entente {leaf} --help`: the example is of something else"
        );
    }
    let top = help(&[]);
    assert!(top.contains("Exit codes: 0 done, 1 failed, 2 wrong usage, 3 explain: withheld, 4"));
    for wrong in [&["no-such-command"][..], &["import"], &["relabel", "x"], &["quarantine", "show", "many"]] {
        let output = Command::new(ENTENTE).args(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(output.stdout.is_empty());
    }
}

/// Data on stdout, the rest on stderr; without `--json` it is for people.
#[test]
fn text_is_for_people_and_goes_to_standard_output() {
    let foreign = giver();
    let dir = directory(&foreign);
    for args in [
        &["collection", "list"][..],
        &["user", "list"],
        &["peer", "list"],
        &["quarantine", "list"],
        &["doctor"],
        &["status"],
        &["audit", "show"],
    ] {
        let output = dir.run(args);
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.trim().is_empty() && !text.starts_with(['{', '[']), "{args:?}: {text}");
    }
    let gone = dir.refused(&["explain", "not-an-id", "--to", "operator"]);
    assert!(gone.starts_with("entente: "), "{gone}");
    for (args, expected) in [
        (&["import", "/nowhere.json", "--collection", OPEN][..], "nowhere.json"),
        (&["user", "add", "x", "--partner", "korea"], "agreements/korea.toml"),
        (&["user", "add", "operator"], "operator"),
        (&["user", "token", "nobody"], "does not exist"),
        (&["user", "withdraw", "nobody", "token-1"], "does not exist"),
        (&["collection", "add", "--alias", OPEN, "--title", "Twice"], "share"),
        (&["relabel", "indicator--00000000-0000-4000-8000-000000000000", "--label", PUBLIC], "not held"),
        (&["relabel", "indicator--00000000-0000-4000-8000-000000000000", "--label", "NOTHING"], "no label `NOTHING`"),
        (&["who-has", "indicator--00000000-0000-4000-8000-000000000000"], "not held"),
        (&["view-as", "nobody"], "no account"),
        (&["quarantine", "drop", "77"], "no such"),
        (&["export", "--collection", "nothing", "--output", "never-written.json"], "no collection"),
        (&["agreement", "check", "/nowhere.toml"], "nowhere.toml"),
    ] {
        let said = dir.refused(args);
        assert!(said.contains(expected), "{args:?}: {said}");
    }
    let before = fs::read_to_string(dir.path().join("node.toml")).unwrap();
    dir.refused(&["collection", "add", "--alias", "Bad Alias", "--title", "x"]);
    assert_eq!(fs::read_to_string(dir.path().join("node.toml")).unwrap(), before, "node.toml is as it was");
}

/// `user password` reads standard input; too short is refused.
#[test]
fn a_password_comes_from_standard_input_and_has_bounds() {
    let foreign = giver();
    let dir = directory(&foreign);
    dir.json(&["user", "add", TOOL, "--partner", "japan"]);
    let set = |text: &str| {
        let mut child = dir
            .command(&["user", "password", TOOL, "--json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let done = set("a long enough password\n");
    assert!(done.status.success());
    assert_eq!(one_value(&done).get("password"), None, "what was typed is not repeated");
    assert_eq!(set("short\n").status.code(), Some(1));
    let _serving = dir.serve();
    let client = crate::client::Client::with_password(dir.taxii, TOOL, "a long enough password");
    assert_eq!(client.get("/taxii2/").unwrap().status, 200);
    assert_eq!(set("another long enough password\n").status.code(), Some(0));
    assert_eq!(client.get("/taxii2/").unwrap().status, 401);
}

/// I6: the log cannot be rewritten unnoticed, by one leaf or by cutting it; doctor sees it too.
#[test]
fn an_audit_log_that_was_tampered_with_is_found_out() {
    let foreign = giver();
    let dir = directory(&foreign);
    let file = dir.file("one.json", bundle(&[indicator(1, 1).text()]));
    dir.json(&["import", file.to_str().unwrap(), "--collection", OPEN]);
    let output = dir.path().join("files").join("out.json");
    dir.json(&["export", "--collection", OPEN, "--output", output.to_str().unwrap()]);
    let sound = dir.json(&["audit", "verify"]);
    assert!(sound["leaves"].as_u64().is_some_and(|n| n >= 3));
    let database = rusqlite::Connection::open(dir.database()).unwrap();
    let body: String = database.query_row("SELECT body FROM leaf WHERE no = 2", [], |row| row.get(0)).unwrap();
    let changed = database.execute("UPDATE leaf SET body = ?1 WHERE no = 2", [body.replacen(':', ": ", 1)]).unwrap();
    assert_eq!(changed, 1);
    drop(database);
    for running in [false, true] {
        let serving = running.then(|| dir.serve());
        let verified = dir.run(&["audit", "verify", "--json"]);
        assert_eq!(verified.status.code(), Some(4));
        let value = one_value(&verified);
        assert_eq!((&value["sound"], &value["first_broken_leaf"]), (&json!(false), &json!(2)));
        let doctor = dir.run(&["doctor", "--json"]);
        assert_eq!(doctor.status.code(), Some(4));
        let value = one_value(&doctor);
        assert!(
            value["faults"].as_array().is_some_and(|f| f.iter().any(|f| f.to_string().contains("leaf"))),
            "{value}"
        );
        drop(serving);
    }
}

/// The socket tells how far an import is, and is for the node's own user alone.
#[test]
fn the_admin_socket_tells_progress_and_refuses_what_it_cannot_read() {
    let foreign = giver();
    let dir = directory(&foreign);
    let _serving = dir.serve();
    let socket = dir.path().join("admin.sock");
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let objects: Vec<String> = (0..4_500).map(|n| indicator(1, n).text()).collect();
    let file = dir.file("many.json", bundle(&objects));
    let ask = |line: &str| {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.write_all(format!("{line}\n").as_bytes()).unwrap();
        BufReader::new(stream).lines().map(|l| serde_json::from_str::<Value>(&l.unwrap()).unwrap()).collect::<Vec<_>>()
    };
    let replies = ask(&json!({"command": "import", "paths": [file], "collection": OPEN, "label": null}).to_string());
    let (last, progress) = replies.split_last().unwrap();
    assert_eq!(last["done"]["new"], 4_500, "{last}");
    assert_eq!(
        progress,
        [json!({"progress": [2000, 4500]}), json!({"progress": [4000, 4500]}), json!({"progress": [4500, 4500]})]
    );
    for nonsense in ["", "{}", "[]", "{\"command\":\"obey\"}", "{\"command\":\"pull\",\"peer\":\"x\",\"surplus\":1}"] {
        let replies = ask(nonsense);
        assert!(
            replies.len() == 1 && replies[0]["failed"].as_str().is_some_and(|why| why.contains("cannot be read")),
            "{nonsense:.40}: {replies:?}"
        );
    }
    // Longer than a request may be: cut off, whatever it would have said.
    let mut stream = UnixStream::connect(&socket).unwrap();
    let long = json!({"command": "pull", "peer": "x".repeat(2_000_000)}).to_string() + "\n";
    let _ = stream.write_all(long.as_bytes());
    let reply = BufReader::new(stream).lines().next();
    assert!(!matches!(reply, Some(Ok(said)) if !said.contains("cannot be read")));
    dir.json(&["status"]);
}

/// `init` makes a directory that serves at once, for its own user alone, and touches nothing that is there.
#[test]
fn init_makes_a_sound_directory_and_never_a_second_time() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("node");
    let init = |more: &[&str]| {
        Command::new(ENTENTE)
            .arg("init")
            .arg(&path)
            .args(["--name", "japan", "--title", "Japan", "--json"])
            .args(more)
            .output()
            .unwrap()
    };
    assert_eq!(init(&["--policy", "nothing"]).status.code(), Some(1));
    let made = init(&[]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert_eq!(one_value(&made)["name"], "japan");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
    let before = fs::read(path.join("node.toml")).unwrap();
    assert_eq!(init(&[]).status.code(), Some(1));
    assert_eq!(fs::read(path.join("node.toml")).unwrap(), before);
    for args in [&["doctor"][..], &["collection", "list"], &["agreement", "check"]] {
        let output = Command::new(ENTENTE).arg("--dir").arg(&path).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
