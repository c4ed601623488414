//! `entente validate` on files longer than what is held.

use crate::scene::ENTENTE;
use serde_json::Value;
use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
    process::{Command, Output, Stdio},
};

/// Longer than the 64 MiB up to which a file is held as a whole.
const FILE_BYTES: usize = 72 << 20;
/// Bytes of one description.
const PIECE_BYTES: usize = 4 << 20;

/// A bundle of long objects: one is invalid, and two are versions that contradict each other, one at each end.
fn write(path: &Path, end: &str) {
    let mut out = BufWriter::new(File::create(path).unwrap());
    let long = "words ".repeat(PIECE_BYTES / 6);
    let id = |n: usize| format!("tool--{n:08x}-5f74-4287-9642-33f4c354e56d");
    write!(out, r#"{{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","objects":["#).unwrap();
    for n in 0..FILE_BYTES / PIECE_BYTES {
        let more = if n == 3 { r#""revoked":"no","# } else { "" };
        let id = id(if n == FILE_BYTES / PIECE_BYTES - 1 { 0 } else { n });
        let comma = if n == 0 { "" } else { "," };
        write!(out, r#"{comma}{{"type":"tool","spec_version":"2.1","id":"{id}","created":"2020-01-20T17:00:00.000Z","modified":"2020-01-20T17:00:00.000Z",{more}"name":"n{n}","description":"{long}"}}"#).unwrap();
    }
    write!(out, "{end}").unwrap();
}

fn validate(args: &[&str], file: &Path) -> Output {
    Command::new(ENTENTE).arg("validate").args(args).arg(file).output().unwrap()
}

/// S-003, S-055: a file that is not held is told like one that is: as text, as one line of JSON, as SARIF, from standard input; what only shows between its
/// first and its last object is found; a document that is broken at its end is no document.
#[test]
fn a_long_file_is_checked_an_object_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.json");
    write(&file, "]}");
    assert!(fs::metadata(&file).unwrap().len() > 64 << 20);
    let objects = FILE_BYTES / PIECE_BYTES;

    let output = validate(&["--json"], &file);
    assert_eq!(output.status.code(), Some(4));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1);
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((line["objects"].as_u64(), &line["valid"]), (Some(objects as u64), &Value::Bool(false)));
    assert_eq!(line["errors"][0]["path"], "/objects/3/revoked");
    assert_eq!(line["errors"].as_array().unwrap().len(), 1);
    let last = format!("/objects/{}/modified", objects - 1);
    assert_eq!(line["warnings"][0]["path"], last.as_str());
    assert_eq!(line["warnings"][0]["id"], "tool--00000000-5f74-4287-9642-33f4c354e56d");

    let mut child = Command::new(ENTENTE)
        .args(["validate", "--json", "-"])
        .stdin(File::open(&file).unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut piped: Value = serde_json::from_reader(child.stdout.take().unwrap()).unwrap();
    child.wait().unwrap();
    piped["file"] = line["file"].clone();
    assert_eq!(piped, line);

    let text = String::from_utf8(validate(&[], &file).stdout).unwrap();
    assert!(
        text.contains(&format!(
            "not valid, {objects} objects, 1 error, 1 warning\n  error [value-type] /objects/3/revoked"
        )),
        "{text}"
    );
    let log: Value = serde_json::from_slice(&validate(&["--sarif"], &file).stdout).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.iter().map(|r| r["level"].as_str().unwrap()).collect::<Vec<_>>(), ["error", "warning"]);
    assert!(log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().len() > 30);

    write(&file, "]");
    let line: Value = serde_json::from_slice(&validate(&["--json"], &file).stdout).unwrap();
    assert_eq!((line["objects"].as_u64(), line["errors"].as_array().unwrap().len()), (Some(0), 1), "{line}");
    assert_eq!(line["errors"][0]["code"], "json");
}
