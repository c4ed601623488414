//! `docs/reference/conformance.md`: every row of the requirements of STIX with the tests that cite it, made from the tests. What tests call counts for its file.
//!
//! In `crates/stix/tests/it/validation/` a row stands first in `accept…` (what it allows passes) and in `reject…`, `warn…`, `advise…` (what breaks it is found). Elsewhere a test cites a row
//! in a comment or in its body.

use super::{Part, ids, named, parts, rows, text};
use crate::{reference::golden, tree};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

const ROWS: &str = "docs/requirements/stix-2.1.md";
/// Rows that no test of the program can show, and why.
const REASONS: &[(&str, &str)] = &[
    (
        "S-014",
        "The validator warns within a document; the store keeps what two producers did under one UUID apart, since it may not judge between them.",
    ),
    (
        "S-040",
        "The node makes sightings of its own only, and names itself in them; for others it is advice of the validator.",
    ),
    ("S-083", "A rule for people who choose a type: no program can tell a tool from malware by its name."),
    ("S-085", "A rule for people who describe observations: nobody else knows what else matched."),
    ("S-086", "Entente makes no malware samples; what others give is kept and passed on as it came (I3)."),
    ("S-093", "A rule for people who name relationships; the triple itself is right."),
    (
        "S-116",
        "The form is checked; whether the NVD's dictionary lists a product is not looked up: it changes daily and a node may be offline.",
    ),
    ("S-123", "Allowed, not asked for: nothing here shows an opinion as a number."),
    ("S-125", "Nothing to do: members that only the errata list are accepted, and never written on our own."),
    ("S-136", "Says what may be left out; Entente leaves out neither kind of marking."),
    ("S-143", "A rule for people who define extensions."),
    ("S-149", "A rule for people who define extensions."),
];

/// The tests that cite a row.
#[derive(Debug, Default, PartialEq, Eq)]
struct Cited {
    accepted: BTreeSet<String>,
    refused: BTreeSet<String>,
    others: BTreeSet<String>,
}

/// Whether a line of a test calls one of the markers of polarity; true: what the row allows. The row stands there or on the next line.
fn polarity(line: &str) -> Option<bool> {
    let call = line.trim_start();
    if !call.ends_with('(') && !call.contains("(\"S-") {
        return None;
    }
    let begins = |words: &[&str]| words.iter().any(|word| call.starts_with(word));
    if begins(&["accept"]) { Some(true) } else { begins(&["reject", "warn", "advise"]).then_some(false) }
}

fn collect(parts: &[Part<'_>]) -> BTreeMap<String, Cited> {
    let mut rows: BTreeMap<String, Cited> = BTreeMap::new();
    for part in parts {
        let mut open = None;
        for line in part.text.lines() {
            let expected = open.or(polarity(line));
            for id in ids(line) {
                let row = rows.entry(id).or_default();
                let tests = match expected {
                    Some(true) => &mut row.accepted,
                    Some(false) => &mut row.refused,
                    None => &mut row.others,
                };
                tests.insert(part.place());
            }
            open = polarity(line).filter(|_| line.ends_with('('));
        }
    }
    rows
}

fn page(requirements: &[(&str, &str)], rows: &BTreeMap<String, Cited>) -> String {
    let mut page = String::from(
        "# Conformance to STIX 2.1\n\nMade from the tests; `make golden` writes it anew. *Allowed*: tests in which what the row allows passes. *Broken*: tests in which what breaks it is found under its id. *Others* cite the row.\n\n| id | requirement | allowed | broken | others, or the reason why there is no test of a kind |\n|---|---|---|---|---|\n",
    );
    let nothing = Cited::default();
    for (id, text) in requirements {
        let cited = rows.get(*id).unwrap_or(&nothing);
        let reason = REASONS.iter().find(|(row, _)| row == id).map(|(_, reason)| (*reason).to_owned());
        let others = [
            reason.into_iter().collect::<Vec<_>>(),
            Some(named(&cited.others)).filter(|c| !c.is_empty()).into_iter().collect(),
        ]
        .concat()
        .join(" ");
        let _ = writeln!(page, "| {id} | {text} | {} | {} | {others} |", named(&cited.accepted), named(&cited.refused));
    }
    page
}

#[test]
fn the_conformance_page_is_what_the_tests_cite_and_no_row_is_without() {
    let files = tree::tracked();
    let requirements = rows(text(&files, ROWS), "S", 4);
    assert_eq!(requirements.len(), 161, "S-001 to S-161");
    let cited = collect(&parts(&files));
    let bare: Vec<&str> = requirements
        .iter()
        .map(|(id, _)| *id)
        .filter(|id| {
            let reasoned = REASONS.iter().any(|(row, _)| row == id);
            let proven =
                cited.get(*id).is_some_and(|c| !c.accepted.is_empty() && !c.refused.is_empty() || !c.others.is_empty());
            !reasoned && !proven
        })
        .collect();
    golden("conformance.md", &page(&requirements, &cited));
    assert!(bare.is_empty(), "neither tests nor a reason: {bare:?}");
}

#[test]
fn citations_are_told_apart_by_what_the_test_expects() {
    let id = |number: u32| format!("S-{number:03}");
    let text = format!(
        "/// {} to {}.\n#[test]\nfn one() {{\n    accept(\"{}\", &x);\n    reject(\"{}\", &x);\n    // {}\n    f();\n}}\n",
        id(1),
        id(3),
        id(4),
        id(4),
        id(5)
    );
    let files = [tree::File::planted("crates/x/tests/it/a.rs", text)];
    let rows = collect(&parts(&files));
    let one = BTreeSet::from(["`x/a: one`".to_owned()]);
    assert_eq!(rows.keys().cloned().collect::<Vec<_>>(), [1, 2, 3, 4, 5].map(id));
    let [_, two, _, four, five] = [1, 2, 3, 4, 5].map(|n| &rows[&id(n)]);
    assert_eq!((&two.others, &four.accepted, &four.refused, &five.others), (&one, &one, &one, &one));
    assert!(four.others.is_empty() && polarity("x(\"S-1\")").is_none());
}
