//! Every member of the workspace inherits its lints, and these forbid `unsafe` code.

use crate::tree::{self, Fault, File};
use toml::{Table, Value};

fn faults(files: &[File]) -> Vec<Fault> {
    let parse = |file: &File| file.text.parse::<Table>().unwrap_or_default();
    let at = |table: &Table, path: &[&str]| {
        let mut value = Value::Table(table.clone());
        for step in path {
            value = value.get(step)?.clone();
        }
        Some(value)
    };
    let mut found = Vec::new();
    for file in files {
        let is_member = file.path.starts_with("crates/") && file.path.split('/').nth(2) == Some("Cargo.toml");
        if file.path == "Cargo.toml" {
            if at(&parse(file), &["workspace", "lints", "rust", "unsafe_code"]) != Some(Value::from("forbid")) {
                found.push(Fault::new(&file.path, 0, "does not forbid unsafe code"));
            }
        } else if is_member && at(&parse(file), &["lints", "workspace"]) != Some(Value::from(true)) {
            found.push(Fault::new(&file.path, 0, "does not inherit the lints of the workspace"));
        }
        if file.has_extension(&["rs"]) {
            let allowed = concat!("allow(", "unsafe_code");
            let lines = file.text.lines().enumerate().filter(|(_, line)| line.contains(allowed));
            found.extend(lines.map(|(i, _)| Fault::new(&file.path, i + 1, "allows unsafe code")));
        }
    }
    found
}

#[test]
fn every_crate_forbids_unsafe_code() {
    let files = tree::tracked();
    assert!(files.iter().filter(|f| f.path.ends_with("/Cargo.toml")).count() >= 10, "the manifests are read");
    tree::expect_none(&faults(&files));
}

#[test]
fn a_crate_that_does_not_forbid_unsafe_code_is_found() {
    let run = |path: &str, text: &str| faults(&[File::planted(path, text)]).len();
    assert_eq!(run("Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"forbid\""), 0);
    assert_eq!(run("Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"deny\""), 1);
    assert_eq!(run("Cargo.toml", "[workspace]"), 1);
    assert_eq!(run("crates/a/Cargo.toml", "[lints]\nworkspace = true"), 0);
    assert_eq!(run("crates/a/Cargo.toml", "[lints]\nworkspace = false"), 1);
    assert_eq!(run("crates/a/Cargo.toml", "[package]"), 1);
    assert_eq!(run("crates/a/Cargo.toml", "no TOML"), 1);
    assert_eq!(run("crates/a/src/lib.rs", concat!("#![allow(", "unsafe_code)]")), 1);
}
