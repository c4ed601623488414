//! Files of the operator that cannot be used: every fault is told, and what is in force stays in force.

use crate::{
    client::Answer,
    material::{bundle, indicator, japan},
    scene::{NodeDir, public_room},
    stage::is_marking,
};
use std::fs;

const TOOL: &str = "jpn-tool";
const INTEL: &str = "intel";

fn node() -> (NodeDir, String) {
    let dir = NodeDir::init("hub", &[public_room(INTEL)]);
    dir.agree(&japan(&[INTEL], &[INTEL]));
    let token = dir.account(TOOL, Some("japan"), &[]);
    let file = dir.file("one.json", bundle(&[indicator(1, 1).text()]));
    dir.json(&["import", file.to_str().unwrap(), "--collection", INTEL]);
    (dir, token)
}

fn objects(dir: &NodeDir, token: &str) -> Answer {
    dir.client(token).get(&format!("/live/collections/{INTEL}/objects/")).unwrap()
}

/// L-050 to L-059, L-085, L-156: all faults of all files at once, and no start.
#[test]
fn a_node_with_unusable_files_does_not_start_and_tells_every_fault() {
    let (dir, _) = node();
    let spif = dir.path().join("policies").join("nato-demo.spif.xml");
    let good = fs::read_to_string(&spif).unwrap();
    fs::write(&spif, good.replacen("<spif:", "<spif", 1)).unwrap();
    fs::write(dir.path().join("agreements").join("korea.toml"), "agreement = \"x\"\npartner = \"kor").unwrap();
    let mut gap = japan(&[INTEL, "nowhere"], &[]);
    gap.partner = "gap";
    dir.agree(&gap);
    for args in [["agreement", "check"], ["agreement", "apply"], ["collection", "list"]] {
        let said = dir.refused(&args);
        for fault in ["nato-demo.spif.xml", "korea.toml", "nowhere"] {
            assert!(said.contains(fault), "{args:?} does not tell of {fault}: {said}");
        }
    }
    let said = dir.try_serve().unwrap_err();
    assert!(
        said.contains("exit status: 1") && said.contains("korea.toml") && said.contains("nato-demo.spif.xml"),
        "{said}"
    );
    fs::write(&spif, good).unwrap();
    fs::remove_file(dir.path().join("agreements").join("korea.toml")).unwrap();
    let mut closed = japan(&[INTEL], &[]);
    closed.partner = "gap";
    closed.classifications = vec!["UNCLASSIFIED", "SECRET"];
    dir.agree(&closed);
    let said = dir.refused(&["agreement", "check"]);
    assert!(said.contains("L-085") && said.contains("RESTRICTED"), "{said}");
    fs::remove_file(dir.path().join("agreements").join("gap.toml")).unwrap();
    dir.json(&["agreement", "check"]);
    dir.serve();
}

/// Design: agreements are files. SIGHUP and `agreement apply` either put a sound directory in force, or change nothing.
#[test]
fn an_unusable_change_leaves_what_is_in_force() {
    let (dir, token) = node();
    let serving = dir.serve();
    let before = objects(&dir, &token);
    assert_eq!(before.status, 200);
    let agreement = dir.path().join("agreements").join("japan.toml");
    let good = fs::read_to_string(&agreement).unwrap();
    for broken in [
        good.replace("UNMARKED", "UNHEARD-OF"),
        good.replace("partner = \"japan\"", "partner = \"korea\""),
        format!("{good}\nsurplus = 1\n"),
        "\u{0}".to_owned(),
    ] {
        fs::write(&agreement, &broken).unwrap();
        let said = dir.refused(&["agreement", "apply"]);
        assert!(said.contains("japan.toml"), "{said}");
        assert_eq!(objects(&dir, &token).body, before.body);
    }
    serving.signal(rustix::process::Signal::HUP);
    serving.wait_for_log("the one in force stays");
    assert_eq!(objects(&dir, &token).body, before.body);
    // A gone policy file, a directory in a file's place.
    let policy = dir.path().join("policies").join("public.spif.xml");
    let text = fs::read(&policy).unwrap();
    fs::write(&agreement, &good).unwrap();
    fs::remove_file(&policy).unwrap();
    fs::create_dir(&policy).unwrap();
    let said = dir.refused(&["agreement", "apply"]);
    assert!(said.contains("public.spif.xml"), "{said}");
    assert_eq!(objects(&dir, &token).body, before.body);
    fs::remove_dir(&policy).unwrap();
    fs::write(&policy, text).unwrap();
    // Mended, it is taken: this time it withdraws.
    fs::write(&agreement, good.replace("classifications = [\"UNMARKED\"]", "classifications = []")).unwrap();
    serving.signal(rustix::process::Signal::HUP);
    serving.wait_for_log("the configuration was read again");
    assert!(objects(&dir, &token).ids().iter().all(|id| is_marking(id)), "definitions of other labels alone");
    assert_eq!(serving.end(), Some(0));
}

/// L-086: an agreement that is over gives nothing, takes nothing and pulls nothing, and says so to the operator alone.
#[test]
fn an_expired_agreement_gives_takes_and_pulls_nothing() {
    let (dir, token) = node();
    let mut deal = japan(&[INTEL], &[INTEL]);
    deal.until = Some("2026-01-01T00:00:00Z".to_owned());
    deal.pull = Some(crate::material::PullFrom {
        url: "http://127.0.0.1:9/taxii2/".to_owned(),
        account: "x",
        remote: "feed",
        into: INTEL,
        every_s: 60,
    });
    dir.agree(&deal);
    fs::write(dir.path().join("secrets").join("japan"), "a secret of the partner's\n").unwrap();
    let _serving = dir.serve();
    let client = dir.client(&token);
    let gone = objects(&dir, &token);
    let nothing = client.get("/live/collections/nothing-here/objects/").unwrap();
    assert_eq!((gone.status, &gone.body), (404, &nothing.body));
    let path = format!("/live/collections/{INTEL}/objects/");
    let body = crate::material::envelope(&[indicator(1, 2).text()]);
    assert_eq!(client.post(&path, &body).unwrap().body, nothing.body);
    assert_eq!(client.delete(&format!("{path}{}/", indicator(1, 1).id())).unwrap().body, nothing.body);
    assert_eq!(client.get("/taxii2/").unwrap().json()["api_roots"], serde_json::Value::Null);
    let said = dir.refused(&["peer", "pull", "japan"]);
    assert!(said.contains("not in force"), "{said}");
    let listed = dir.json(&["peer", "list"]);
    assert_eq!(listed[0]["in_force"], false);
    let why = dir.run(&["explain", &indicator(1, 1).id(), "--to", TOOL, "--json"]);
    assert_eq!(why.status.code(), Some(3));
}

/// One owner of a store: the second process says so and harms nothing.
#[test]
fn a_second_process_on_one_store_is_refused() {
    let (dir, token) = node();
    let mut first = dir.serve();
    let other = NodeDir::init("other", &[public_room(INTEL)]);
    let second =
        std::process::Command::new(crate::scene::ENTENTE).arg("--dir").arg(dir.path()).arg("serve").output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("in use by another process"), "{said}");
    assert!(first.runs());
    assert_eq!(objects(&dir, &token).status, 200);
    // A command that does not find the socket does not get at the store either.
    fs::rename(dir.path().join("admin.sock"), dir.path().join("hidden.sock")).unwrap();
    let said = dir.refused(&["status"]);
    assert!(said.contains("another process owns the store"), "{said}");
    fs::rename(dir.path().join("hidden.sock"), dir.path().join("admin.sock")).unwrap();
    dir.json(&["status"]);
    drop(other);
    assert_eq!(first.end(), Some(0));
}

/// A port that is taken: said, with the address.
#[test]
fn a_port_that_is_taken_is_named() {
    let (dir, _) = node();
    let _held = std::net::TcpListener::bind(dir.taxii).unwrap();
    let output = dir.run(&["serve"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains(&dir.taxii.to_string()), "{said}");
}
