//! `entente convert` for real: files in, one bundle out, the account beside it.

use crate::scene::ENTENTE;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const TIMES: &str = r#""created":"2020-01-20T17:00:00.000Z","modified":"2020-01-20T17:00:00.000Z""#;

fn tool(n: u32, more: &str) -> String {
    format!(r#"{{"type":"tool","id":"tool--{n:08x}-5f74-4287-9642-33f4c354e56d",{TIMES},"name":"n"{more}}}"#)
}

fn observed(n: u32) -> String {
    format!(
        r#"{{"type":"observed-data","id":"observed-data--{n:08x}-5f74-4287-9642-33f4c354e56d",{TIMES},"first_observed":"2020-01-20T17:00:00Z","last_observed":"2020-01-20T17:00:00Z","number_observed":1,"objects":{{"0":{{"type":"url","value":"http://x/"}}}}}}"#
    )
}

struct Room {
    dir: tempfile::TempDir,
}

impl Room {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn bundle(&self, name: &str, objects: &[String]) -> PathBuf {
        let text = format!(
            r#"{{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","spec_version":"2.0","objects":[{}]}}"#,
            objects.join(",")
        );
        let path = self.path(name);
        if path.extension().is_some_and(|extension| extension == "gz") {
            let mut out = GzEncoder::new(Vec::new(), Compression::fast());
            out.write_all(text.as_bytes()).unwrap();
            fs::write(&path, out.finish().unwrap()).unwrap();
        } else {
            fs::write(&path, text).unwrap();
        }
        path
    }
}

fn convert(args: &[&str], files: &[&Path]) -> Output {
    Command::new(ENTENTE).arg("convert").args(args).args(files).output().unwrap()
}

fn value(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(bytes)))
}

/// S-028, S-034, S-044, S-150: bundles of 2.0, plain and packed, become one of 2.1; an observable that two observed data hold comes once.
#[test]
fn files_of_2_0_become_one_bundle_of_2_1_and_go_back() {
    let room = Room::new();
    let one = room.bundle("one.json", &[tool(1, r#","labels":["remote-access"]"#), observed(1)]);
    let two = room.bundle("two.json.gz", &[observed(2)]);
    let output = convert(&["--to", "2.1"], &[&one, &two]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let bundle = value(&output.stdout);
    assert_eq!(bundle["id"], "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d");
    assert!(bundle.get("spec_version").is_none());
    let types: Vec<&str> = bundle["objects"].as_array().unwrap().iter().map(|o| o["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["tool", "observed-data", "url", "observed-data"]);
    assert_eq!(bundle["objects"][0]["tool_types"], json!(["remote-access"]));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "3 objects read, 4 written, 0 refused\n");
    let newer = room.path("newer.json");
    fs::write(&newer, &output.stdout).unwrap();
    let back = value(&convert(&["--to", "2.0"], &[&newer]).stdout);
    assert_eq!(back["spec_version"], "2.0");
    let before: Vec<Value> = [tool(1, r#","labels":["remote-access"]"#), observed(1), observed(2)]
        .iter()
        .map(|text| value(text.as_bytes()))
        .collect();
    assert_eq!(back["objects"], Value::from(before));
}

/// A bad object costs itself, is told with its place, and the exit code says so.
#[test]
fn refused_objects_are_told_and_the_rest_is_converted() {
    let room = Room::new();
    let path = room.bundle("bad.json", &[tool(1, ""), r#"{"type":"tool","id":"x"}"#.to_owned(), tool(2, "")]);
    let out = room.path("out.json");
    let output = convert(&["--to", "2.1", "--json", "--output", out.to_str().unwrap()], &[&path]);
    assert_eq!(output.status.code(), Some(4));
    let account = value(&output.stdout);
    assert_eq!((&account["read"], &account["written"], &account["refused"]), (&json!(3), &json!(2), &json!(1)));
    assert_eq!(account["refusals"][0]["path"], "/objects/1/id");
    assert!(output.stderr.is_empty());
    assert_eq!(value(&fs::read(&out).unwrap())["objects"].as_array().unwrap().len(), 2);
    let output = convert(&["--to", "2.1", "--output", out.to_str().unwrap()], &[&path]);
    assert_eq!(output.status.code(), Some(1), "a file that is there is not written over");
}

/// What is no bundle leaves no file behind.
#[test]
fn half_a_document_leaves_nothing_behind() {
    let room = Room::new();
    let path = room.path("half.json");
    fs::write(&path, format!(r#"{{"type":"bundle","objects":[{},"#, tool(1, ""))).unwrap();
    let out = room.path("out.json");
    let output = convert(&["--to", "2.0", "--output", out.to_str().unwrap()], &[&path]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("half.json") && said.contains("is not valid JSON"), "{said}");
    assert!(!out.exists());
}

/// `--strict` leaves out what 2.0 does not know, and the account lists it.
#[test]
fn strict_conversion_leaves_out_what_2_0_does_not_know() {
    let room = Room::new();
    let location = format!(
        r#"{{"type":"location","spec_version":"2.1","id":"location--00000001-5f74-4287-9642-33f4c354e56d",{TIMES},"region":"europe"}}"#
    );
    let tool = tool(1, r#","spec_version":"2.1","confidence":5"#);
    let path = room.bundle("newer.json", &[location, tool]);
    let kept = value(&convert(&["--to", "2.0"], &[&path]).stdout);
    assert_eq!((kept["objects"].as_array().unwrap().len(), &kept["objects"][1]["confidence"]), (2, &json!(5)));
    let output = convert(&["--to", "2.0", "--strict", "--json"], &[&path]);
    let strict = value(&output.stdout);
    assert_eq!(strict["objects"].as_array().unwrap().len(), 1);
    assert!(strict["objects"][0].get("confidence").is_none());
    let lost: Vec<String> = value(&output.stderr)["notes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|note| note["kind"] == "lost")
        .map(|note| note["what"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(lost, ["location", "tool.confidence"]);
}
