//! A fuzz target is whole: target, block in the manifest, seeds, body and replay (fuzz/README.md).

use crate::tree::{self, Fault, File, expect_none};
use std::{collections::BTreeSet, fs};

const MANIFEST: &str = "fuzz/Cargo.toml";
const SEEDS_MIN: usize = 3;

/// `seeds` tells how many a target has.
fn faults(files: &[File], seeds: impl Fn(&str) -> usize) -> Vec<Fault> {
    let manifest = files.iter().find(|f| f.path == MANIFEST).map_or("", |f| f.text.as_str());
    let blocks: BTreeSet<&str> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"fuzz_targets/").and_then(|rest| rest.strip_suffix(".rs\"")))
        .collect();
    let target = |f: &File| Some(f.path.strip_prefix("fuzz/fuzz_targets/")?.strip_suffix(".rs")?.to_owned());
    let targets: BTreeSet<String> = files.iter().filter_map(target).collect();
    let replays: Vec<&File> = files.iter().filter(|f| f.path.ends_with("/tests/it/replay.rs")).collect();
    let mut found = Vec::new();
    // A block that lost a line, or took in one of another, spoils the whole manifest, and with it every target.
    for block in manifest.split("[[bin]]\n").skip(1).map(str::trim) {
        let name = block.strip_prefix("name = \"").and_then(|rest| rest.split('"').next()).unwrap_or_default();
        let whole =
            format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\ntest = false\ndoc = false\nbench = false");
        if block != whole {
            found.push(Fault::new(MANIFEST, 0, format!("the block of {name} is not whole")));
        }
    }
    for name in &targets {
        let path = format!("fuzz/fuzz_targets/{name}.rs");
        if !blocks.contains(name.as_str()) {
            found.push(Fault::new(&path, 0, format!("no [[bin]] block in {MANIFEST}")));
        }
        if seeds(name) < SEEDS_MIN {
            found.push(Fault::new(&path, 0, format!("fewer than {SEEDS_MIN} seeds in fuzz/corpus/{name}")));
        }
        let said = |f: &&File| f.text.contains(&format!(": {name}")) || f.text.contains(&format!("\"{name}\""));
        if !replays.iter().any(said) {
            found.push(Fault::new(&path, 0, "no `tests/it/replay.rs` replays its seeds"));
        }
    }
    found.extend(
        blocks
            .iter()
            .filter(|name| !targets.contains(**name))
            .map(|name| Fault::new(MANIFEST, 0, format!("the target {name} has no file"))),
    );
    found
}

#[test]
fn every_fuzz_target_has_seeds_and_a_replay() {
    let seeds = |name: &str| fs::read_dir(tree::root().join("fuzz/corpus").join(name)).map_or(0, Iterator::count);
    let files = tree::tracked();
    assert!(files.iter().any(|f| f.path.starts_with("fuzz/fuzz_targets/")), "there are targets");
    expect_none(&faults(&files, seeds));
}

#[test]
fn a_target_that_is_not_whole_is_found() {
    let files = [
        File::planted("fuzz/fuzz_targets/a.rs", ""),
        File::planted("fuzz/fuzz_targets/b.rs", ""),
        File::planted(
            MANIFEST,
            "[[bin]]\nname = \"a\"\npath = \"fuzz_targets/a.rs\"\ntest = false\ndoc = false\nbench = false\n\n[[bin]]\nname = \"c\"\npath = \"fuzz_targets/c.rs\"\n",
        ),
        File::planted("crates/x/tests/it/replay.rs", "replay(\"a\", attack::a)"),
    ];
    let what: Vec<String> =
        faults(&files, |name| if name == "a" { 3 } else { 2 }).into_iter().map(|f| f.what).collect();
    assert_eq!(
        what,
        [
            "the block of c is not whole",
            "no [[bin]] block in fuzz/Cargo.toml",
            "fewer than 3 seeds in fuzz/corpus/b",
            "no `tests/it/replay.rs` replays its seeds",
            "the target c has no file"
        ]
    );
}
