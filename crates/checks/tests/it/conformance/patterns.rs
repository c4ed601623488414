//! `docs/reference/conformance-patterns.md`: every row of the patterning document with the tests that cite it. A row that no test cites fails.

use super::{ids, named, parts, rows, text};
use crate::{
    reference::golden,
    tree::{self, File},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

const DOCUMENT: &str = "docs/requirements/stix-patterning.md";
/// Prefix, heading, the cell that says what a row demands, decides or tells, and how many rows there are at the least.
const KINDS: [(&str, &str, usize, usize); 3] = [
    ("P", "Requirements", 4, 83),
    ("PD", "Decisions, where the standard leaves a choice", 2, 11),
    ("PK", "Known deviations of the committee's programs", 2, 15),
];

/// The page, and the rows that no test cites.
fn page(files: &[File]) -> (String, Vec<String>) {
    let mut cited: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let parts = parts(files);
    for part in parts.iter().filter(|part| part.test.is_some()) {
        for id in ids(&part.text) {
            cited.entry(id).or_default().insert(part.place());
        }
    }
    let mut page = "# Conformance: STIX patterning\n\nMade from the requirement document and the tests; `make golden` writes it anew. Each row of [stix-patterning.md](../requirements/stix-patterning.md) with the tests that cite it. Entente claims level 3, the whole language.\n".to_owned();
    let mut uncited = Vec::new();
    for (prefix, heading, cell, _) in KINDS {
        let _ = write!(page, "\n## {heading} ({prefix}-)\n\n| row | what | tests |\n|---|---|---|\n");
        for (id, what) in rows(text(files, DOCUMENT), prefix, cell) {
            let tests = cited.get(id).map(named);
            if tests.is_none() {
                uncited.push(id.to_owned());
            }
            let _ = writeln!(page, "| {id} | {what} | {} |", tests.unwrap_or_default());
        }
    }
    (page, uncited)
}

#[test]
fn every_row_of_patterning_is_cited_by_a_test() {
    let files = tree::tracked();
    for (prefix, _, cell, least) in KINDS {
        let count = rows(text(&files, DOCUMENT), prefix, cell).len();
        assert!(count >= least, "{DOCUMENT}: {count} rows of {prefix}- were read");
    }
    let (page, uncited) = page(&files);
    assert!(uncited.is_empty(), "no test cites {}", uncited.join(", "));
    golden("conformance-patterns.md", &page);
}

#[test]
fn a_row_without_a_test_is_found() {
    let id = |prefix: &str, number: &str| format!("{prefix}-{number}");
    let (first, second, third, decision) = (id("P", "001"), id("P", "002"), id("P", "003"), id("PD", "01"));
    let document = format!(
        "| {first} | MUST | all | 9 | one | t |\n| {second} | MUST | all | 9 | two | t |\n| {third} | MUST | all | 9 | three | t |\n| {decision} | which? | this |\n"
    );
    let run =
        |path: &str, text: String| page(&[File::planted(DOCUMENT, document.clone()), File::planted(path, text)]).1;
    let all = [&first, &second, &third, &decision].map(Clone::clone);
    // In a function that is no test, or outside of one, it counts for nothing.
    assert_eq!(run("crates/x/src/a.rs", format!("//! {first}\n/// {second}\nfn a() {{\n    // {third}\n}}\n")), all);
    let rust = format!("/// {first} to {third}\n#[test]\nfn a() {{}}\n\nfn b() {{ // {decision}\n}}\n");
    assert_eq!(run("crates/x/src/a.rs", rust), std::slice::from_ref(&decision));
    let python = format!("def test_a():\n    \"\"\"{decision}, {first}\"\"\"\n\ndef other():\n    pass  # {second}\n");
    assert_eq!(run("tests/partners/test_a.py", python), [second.clone(), third.clone()]);
    let (page, _) = page(&[
        File::planted(DOCUMENT, document.clone()),
        File::planted("a.py", format!("def test_it_is():\n    # {decision}\n")),
    ]);
    assert!(page.contains(&format!("| {decision} | this | `a: test_it_is` |")), "{page}");
}
