//! Every indicator of the corpus: its pattern is read, or refused for the reason that the table gives.

use crate::sources;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};
use stix::pattern::{Version, parse_version};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/patterns.txt");
const FOLDERS: [&str; 8] = [
    "stix20",
    "stix21-attack",
    "stix21-knowledge",
    "stix21-reports",
    "stix21-small",
    "misp-stix-pairs",
    "exercise",
    "taxii",
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Every indicator below `value`, however deep (the corpus has tables and databases that hold objects).
fn indicators<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) => {
            if value["type"] == "indicator" && value["pattern"].is_string() {
                found.push(value);
            }
            members.values().for_each(|v| indicators(v, found));
        }
        Value::Array(items) => items.iter().for_each(|v| indicators(v, found)),
        _ => {}
    }
}

/// P-002, P-006, P-082. `UPDATE_GOLDEN=1` writes the table anew.
#[test]
fn the_patterns_of_the_corpus_are_read_as_the_table_says() {
    let Some(corpus) = sources::corpus("reading patterns") else { return };
    let mut paths = Vec::new();
    for folder in FOLDERS {
        files(&corpus.join(folder), &mut paths);
    }
    paths.sort();
    let (mut read, mut opaque) = (0, 0);
    let mut refused: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in &paths {
        let Ok(document) = serde_json::from_slice::<Value>(&sources::bytes(path)) else { continue };
        let mut found = Vec::new();
        indicators(&document, &mut found);
        for indicator in found {
            if indicator["pattern_type"].as_str().is_some_and(|t| t != "stix") {
                opaque += 1;
                continue;
            }
            let text = indicator["pattern"].as_str().unwrap();
            let version = if indicator.get("spec_version").is_none() { Version::V20 } else { Version::V21 };
            match parse_version(text, version) {
                Ok(pattern) => {
                    read += 1;
                    let printed = pattern.to_text(version).unwrap();
                    assert_eq!(parse_version(&printed, version).unwrap().to_text(version).unwrap(), printed);
                }
                Err(error) => {
                    let name = path.strip_prefix(&corpus).unwrap().display().to_string();
                    refused.entry(name).or_default().push(format!("    {} {error}", error.requirement));
                }
            }
        }
    }
    let mut table = format!(
        "read {read}, in other languages {opaque}, refused {}\n",
        refused.values().map(Vec::len).sum::<usize>()
    );
    for (name, lines) in refused {
        writeln!(table, "{name}\n{}", lines.join("\n")).unwrap();
    }
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(GOLDEN, &table).unwrap();
    }
    assert_eq!(table, fs::read_to_string(GOLDEN).unwrap());
}
