//! Indicators over data: the command `match` over files, and a node that is killed between post and match.

use crate::{
    crash::Dice,
    material::{HUB, PUBLIC, bundle, envelope, identity},
    scene::{NodeDir, public_room},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::Write as _,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

const INDICATORS: &str = include_str!("../golden/detection-indicators.json");

fn samples(name: &str) -> String {
    format!("{}/../detect/tests/golden/{name}.log", env!("CARGO_MANIFEST_DIR"))
}

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("indicators.json"), INDICATORS).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, args: &[&str], stdin: &str) -> Output {
        let patterns = self.path("indicators.json");
        let mut all = vec!["match", "--patterns", &patterns];
        all.extend(args);
        let mut child = Command::new(crate::scene::ENTENTE)
            .args(all)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A run that is refused does not read.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn matches(&self, args: &[&str], stdin: &str) -> (Vec<Value>, String) {
        let mut all = vec!["--json"];
        all.extend(args);
        let output = self.run(&all, stdin);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        let lines = String::from_utf8(output.stdout).unwrap();
        (lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), said)
    }

    fn objects(&self, name: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        let limits = stix::Limits::default();
        let read = stix::bundle::read(text.as_bytes(), &limits).unwrap();
        assert!(read.objects(&limits).all(|object| object.is_ok()), "what is written is STIX");
        read.parts().iter().map(|part| serde_json::from_str(part).unwrap()).collect()
    }
}

fn indicators(matches: &[Value]) -> BTreeSet<&str> {
    matches.iter().map(|m| m["indicator"].as_str().unwrap().split('-').nth(2).unwrap()).collect()
}

/// P-065 over every format: which indicators the sample logs of each source satisfy, recognised and named, from a file and from standard input.
#[test]
fn logs_of_every_source_are_matched() {
    let bench = Bench::new();
    for (name, format, wanted) in [
        ("zeek", "zeek", &["00000001", "00000002", "00000003", "00000004"][..]),
        ("zeek-tsv", "zeek", &["00000001", "00000002"]),
        ("suricata", "suricata", &["00000001", "00000002", "00000003", "00000004", "00000005"]),
        ("windows", "windows", &["00000001", "00000002", "00000003", "00000006", "00000007"]),
        ("ocsf", "ocsf", &["00000001", "00000002", "00000003", "00000004"]),
        ("list", "list", &["00000001", "00000002", "00000003"]),
    ] {
        let path = samples(name);
        let (found, said) = bench.matches(&["--data", &path], "");
        assert_eq!(indicators(&found), wanted.iter().copied().collect(), "{name}: {said}");
        let text = std::fs::read_to_string(&path).unwrap();
        let (piped, _) = bench.matches(&["--data", "-", "--format", format], &text);
        // A value of a plain list is observed when it is read, so its identifier is another each time.
        if name != "list" {
            assert_eq!(piped, found, "{name}");
        }
        assert_eq!(indicators(&piped), indicators(&found), "{name}");
        assert!(name == "zeek-tsv" || said.contains("line "), "{name} has bad lines, which are told: {said}");
    }
}

/// S-094, S-095, L-091: sightings with counts and evidence that is written beside them, marked as indicator and observations are.
#[test]
fn sightings_and_their_evidence_are_written() {
    let bench = Bench::new();
    let (sightings, evidence) = (bench.path("sightings.json"), bench.path("evidence.json"));
    let (zeek, suricata) = (samples("zeek"), samples("suricata"));
    let args = [
        "--data",
        &zeek,
        "--data",
        &suricata,
        "--sightings",
        &sightings,
        "--observations",
        &evidence,
        "--marking",
        "TLP:AMBER",
        "--identity",
        HUB,
    ];
    let (found, _) = bench.matches(&args, "");
    let made = bench.objects("sightings.json");
    let observed = bench.objects("evidence.json");
    assert_eq!(made.len(), indicators(&found).len());
    let held: BTreeSet<&str> = observed.iter().map(|o| o["id"].as_str().unwrap()).collect();
    let mut total = 0;
    for sighting in &made {
        total += sighting["count"].as_u64().unwrap();
        assert_eq!(sighting["where_sighted_refs"], json!([HUB]));
        for id in sighting["observed_data_refs"].as_array().unwrap() {
            assert!(held.contains(id.as_str().unwrap()), "{id} is written");
        }
        let marked = sighting["object_marking_refs"].as_array().unwrap();
        let amber = json!(label::Tlp::Amber.marking_id());
        assert!(marked.contains(&amber), "{sighting}");
        let first = sighting["sighting_of_ref"].as_str().unwrap().contains("00000001-");
        assert_eq!(marked.contains(&json!(label::Tlp::Green.marking_id())), first, "the first indicator is GREEN");
    }
    assert_eq!(total, found.len() as u64);
    // What was written is data again, and matches the same.
    let (again, _) = bench.matches(&["--data", &evidence], "");
    assert_eq!(indicators(&again), indicators(&found));
    let (_, _) = bench.matches(&args, "");
    let ids = |objects: &[Value]| objects.iter().map(|o| o["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&bench.objects("sightings.json")), ids(&made), "the same logs make the same sightings");
}

/// P-081: validity, revocation, confidence and warning lists are respected, and each can be switched off.
#[test]
fn what_decides_can_be_switched() {
    let bench = Bench::new();
    let list =
        json!({"name": "popular", "type": "hostname", "matching_attributes": ["domain"], "list": ["example.net"]});
    std::fs::write(bench.path("list.json"), list.to_string()).unwrap();
    let indicators_of = |more: Value| {
        let mut object = json!({"type": "indicator", "spec_version": "2.1", "id": "indicator--00000009-0000-4000-8000-000000000000",
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "valid_from": "2025-01-01T00:00:00Z",
            "pattern_type": "stix", "pattern": "[domain-name:value = 'c2.example.net']"});
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        // Something that never matches stands beside it: a run without any pattern is refused.
        let mut other = object.clone();
        other["id"] = json!("indicator--00000008-0000-4000-8000-000000000000");
        other["pattern"] = json!("[domain-name:value = 'never.example.net']");
        for (name, value) in [("revoked", json!(false)), ("confidence", json!(100))] {
            other[name] = value;
        }
        std::fs::write(bench.path("indicators.json"), bundle(&[object.to_string(), other.to_string()])).unwrap();
    };
    let zeek = samples("zeek");
    let list = bench.path("list.json");
    let count = |more: &[&str]| {
        let mut args = vec!["--data", zeek.as_str()];
        args.extend(more);
        bench.matches(&args, "").0.len()
    };
    indicators_of(json!({}));
    assert_eq!(count(&[]), 1);
    assert_eq!(count(&["--warning-list", &list, "--on-warning", "suppress"]), 0);
    assert_eq!(count(&["--warning-list", &list, "--on-warning", "ignore"]), 1);
    let (noted, _) = bench.matches(&["--data", &zeek, "--warning-list", &list], "");
    assert_eq!(noted[0]["warnings"], json!([{"value": "c2.example.net", "list": "popular"}]));
    indicators_of(json!({"valid_from": "2026-06-01T00:00:00Z"}));
    assert_eq!([count(&[]), count(&["--ignore-validity"])], [0, 1]);
    indicators_of(json!({"valid_until": "2026-01-01T00:00:02.5Z"}));
    assert_eq!([count(&[]), count(&["--ignore-validity"])], [0, 1], "`valid_until` is exclusive");
    indicators_of(json!({"revoked": true}));
    assert_eq!([count(&[]), count(&["--include-revoked"])], [0, 1]);
    indicators_of(json!({"confidence": 40}));
    assert_eq!([count(&["--confidence", "40"]), count(&["--confidence", "41"])], [1, 0]);
}

/// Faults of the person at the terminal are told, with exit codes.
#[test]
fn what_cannot_work_is_refused() {
    let bench = Bench::new();
    let refused = |args: &[&str], code: i32, text: &str| {
        let output = bench.run(args, "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(text) && output.stdout.is_empty(), "{said}");
    };
    refused(&["--data", "nowhere.log"], 1, "nowhere.log");
    refused(&["--data", "-", "--format", "syslog"], 1, "`syslog` is no format");
    refused(&["--data", "-", "--pattern", "[domain-name:value"], 1, "expected");
    refused(&["--data", "-", "--confidence", "101"], 2, "101");
    refused(&["--data", "-", "--marking", "TLP:PURPLE"], 1, "--marking");
    refused(&["--data", "-", "--warning-list", "/dev/null"], 1, "warning lists");
}

/// I2: SIGKILL at random instants between posts and matches: every acknowledged observation is matched once, and counted once.
///
/// `ENTENTE_DETECTION_CRASHES` sets how many (6).
#[test]
fn a_node_killed_between_post_and_match_loses_no_match_and_counts_none_twice() {
    let crashes = std::env::var("ENTENTE_DETECTION_CRASHES").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    let hub = NodeDir::init("hub", &[public_room("intel")]);
    hub.json(&["collection", "add", "--alias", "sightings", "--title", "Sightings"]);
    hub.json(&[
        "collection",
        "add",
        "--alias",
        "sensors",
        "--title",
        "Sensors",
        "--default-label",
        PUBLIC,
        "--detection-into",
        "sightings",
    ]);
    let indicator = json!({"type": "indicator", "spec_version": "2.1", "id": "indicator--00000001-0000-4000-8000-000000000000",
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "valid_from": "2026-01-01T00:00:00Z",
        "pattern_type": "stix", "pattern": "[domain-name:value LIKE '%.c2.example']"});
    let known = hub.file("known.json", bundle(&[identity(HUB, "Hub"), indicator.to_string()]));
    hub.json(&["import", known.to_str().unwrap(), "--collection", "intel"]);
    let place = hub.file("identity.json", bundle(&[identity(HUB, "Hub")]));
    hub.json(&["import", place.to_str().unwrap(), "--collection", "sightings", "--label", PUBLIC]);
    let token = hub.account("sensor", None, &["--write", "sensors"]);
    let mut dice = Dice::new(20_261_124);
    let mut acknowledged: BTreeSet<String> = BTreeSet::new();
    let mut tried = 0_u64;
    for _ in 0..crashes {
        let serving = hub.serve();
        let client = hub.client(&token);
        let until = Instant::now() + Duration::from_millis(100 + dice.below(1_800));
        while Instant::now() < until {
            tried += 1;
            let name = json!({"type": "domain-name", "spec_version": "2.1", "value": format!("n{tried}.c2.example")});
            let id = stix::sco_id::deterministic_id(name.as_object().unwrap()).unwrap();
            let mut name = name;
            name["id"] = json!(id);
            let observed = format!("observed-data--{tried:08x}-0000-4000-8000-000000000000");
            // All in one window.
            let at = "2026-06-01T00:10:00.000Z";
            let data = json!({"type": "observed-data", "spec_version": "2.1", "id": observed, "created": at, "modified": at,
                "first_observed": at, "last_observed": at, "number_observed": 1, "object_refs": [id]});
            let body = envelope(&[name.to_string(), data.to_string()]);
            if client.post("/live/collections/sensors/objects/", &body).is_ok_and(|answer| answer.status == 202) {
                acknowledged.insert(observed);
            }
            std::thread::sleep(Duration::from_millis(15));
        }
        serving.kill();
    }
    assert!(acknowledged.len() > 10, "{} of {tried} were acknowledged", acknowledged.len());
    let _serving = hub.serve();
    let started = Instant::now();
    let alerts = loop {
        let mut alerts: Vec<Value> = Vec::new();
        loop {
            let after = alerts.last().map_or_else(|| "0".to_owned(), |alert| alert["no"].to_string());
            let page = hub.json(&["detection", "list", "--after", &after]);
            let page = page.as_array().unwrap().clone();
            if page.is_empty() {
                break;
            }
            alerts.extend(page);
        }
        let seen: BTreeSet<String> =
            alerts.iter().map(|alert| alert["observations"][0].as_str().unwrap().to_owned()).collect();
        assert_eq!(seen.len(), alerts.len(), "no observation raises two alerts");
        if acknowledged.is_subset(&seen) {
            break alerts;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{} of {} were matched", seen.len(), acknowledged.len());
        std::thread::sleep(Duration::from_millis(200));
    };
    let exported = hub.path().join("sightings.json");
    hub.json(&["export", "--collection", "sightings", "--output", exported.to_str().unwrap()]);
    let exported: Value = serde_json::from_slice(&std::fs::read(&exported).unwrap()).unwrap();
    let objects = exported["objects"].as_array().unwrap();
    let sightings: Vec<&Value> = objects.iter().filter(|o| o["type"] == "sighting").collect();
    let ids: BTreeSet<&str> = sightings.iter().map(|s| s["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1, "one window, one sighting; its versions are what the export holds");
    let latest = sightings.iter().max_by_key(|s| s["modified"].as_str().unwrap()).unwrap();
    assert_eq!(latest["count"], alerts.len(), "counted once each");
    assert_eq!(hub.json(&["doctor"])["sound"], true);
}
