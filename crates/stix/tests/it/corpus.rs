//! Real data: every STIX file of the corpus, with the counts that we accept and refuse.

use crate::sources;
use std::{env, fmt::Write as _, fs};
use stix::{Limits, bundle};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/corpus.txt");

/// S-058, S-148, S-156, S-158, S-159: objects stay as they came, with what nobody here understands; the reference corpus is parsed, and what is refused is refused for the reason listed. `UPDATE_GOLDEN=1` writes the table anew.
#[test]
fn the_corpus_is_read_as_the_table_says() {
    let Some(corpus) = sources::corpus("reading the corpus") else { return };
    let limits = Limits::default();
    let mut table = String::from("accepted refused file\n");
    for path in &sources::stix_files(&corpus) {
        let bytes = sources::bytes(path);
        let bundle = bundle::read(&bytes, &limits).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let (mut accepted, mut refused) = (0, Vec::new());
        for (outcome, part) in bundle.objects(&limits).zip(bundle.parts()) {
            match outcome {
                Ok(object) => {
                    assert_eq!(object.raw(), *part, "I3");
                    accepted += 1;
                }
                Err(rejected) => refused.push(format!("    {} {}\n", rejected.error.requirement, rejected.error)),
            }
        }
        let name = path.strip_prefix(&corpus).unwrap().display();
        write!(table, "{accepted} {} {name}\n{}", refused.len(), refused.concat()).unwrap();
    }
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(GOLDEN, &table).unwrap();
    }
    let expected = fs::read_to_string(GOLDEN).unwrap();
    let differing: Vec<_> = table.lines().filter(|line| !expected.lines().any(|e| e == *line)).collect();
    assert!(table == expected, "the table differs, e.g. in {differing:#?}");
}

/// The largest file there is, object by object (its speed is a figure of `make bench`).
#[test]
fn every_object_of_attack_is_read() {
    let Some(corpus) = sources::corpus("reading ATT&CK") else { return };
    let bytes = sources::bytes(&corpus.join("stix21-attack/enterprise-attack-18.1.json.gz"));
    let limits = Limits::default();
    let bundle = bundle::read(&bytes, &limits).unwrap();
    assert_eq!(bundle.objects(&limits).flatten().count(), 24_771);
}
