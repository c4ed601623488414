//! `docs/reference/conformance-taxii.md`: every T- and C- row with the tests that cite it, or the reason why none does. What tests call counts for its file.

use super::{ids, named, parts, rows, text};
use crate::{
    reference::golden,
    tree::{self, File},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// Prefix, document, heading, the cell that says what a row demands, and how many rows there are at the least.
const DOCUMENTS: [(&str, &str, &str, usize, usize); 2] = [
    ("T", "docs/requirements/taxii-2.1.md", "TAXII 2.1 (T-)", 4, 144),
    ("C", "docs/requirements/taxii-clients.md", "What clients need (C-)", 1, 16),
];

/// Rows that no test cites, and why that is so.
const REASONS: &[(&str, &str)] = &[
    ("T-061", "no media type but STIX is offered"),
    ("T-071", "no SRV record is published by the program: `docs/reference/not-yet.md`"),
    ("T-072", "the client takes URLs from files: `docs/reference/not-yet.md`"),
    ("T-077", "allowed, not offered: a node names its own API roots alone"),
    ("T-082", "allowed: several API roots (realms) are there; an account is one and the same in all of them"),
    ("T-127", "advice: nothing is dropped by itself; what an operator deletes is gone"),
    ("T-143", "allowed, nothing to do: what is no TAXII lives outside the API roots"),
];

fn page(files: &[File], reasons: &[(&str, &str)]) -> (String, Vec<String>) {
    let mut cited: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for part in parts(files) {
        for id in ids(&part.text) {
            cited.entry(id).or_default().insert(part.place());
        }
    }
    let mut page = "# Conformance: TAXII 2.1\n\nGenerated from the requirement documents and the tests; `make golden` writes it anew. Each row of `docs/requirements` with the tests that cite it, or the reason why none does. The checks in `tests/conformance` run against any server (`make taxii-conformance`); in `make test` a node of ours passes all of them.\n".to_owned();
    let mut faults = Vec::new();
    for (prefix, path, title, cell, least) in DOCUMENTS {
        let rows = rows(text(files, path), prefix, cell);
        if rows.len() < least {
            faults.push(format!("{path}: {} rows were read", rows.len()));
        }
        let with = rows.iter().filter(|(id, _)| cited.contains_key(*id)).count();
        let _ = write!(
            page,
            "\n## {title}\n\n{with} of {} rows are cited by a test.\n\n| row | what | tests |\n|---|---|---|\n",
            rows.len()
        );
        for (id, what) in rows {
            let reason = reasons.iter().find(|(row, _)| *row == id).map(|(_, why)| *why);
            let proof = match (cited.get(id), reason) {
                (Some(tests), None) => named(tests),
                (None, Some(why)) => format!("none: {why}"),
                (Some(_), Some(_)) => {
                    faults.push(format!("{id} has a test, so it needs no reason"));
                    continue;
                }
                (None, None) => {
                    faults.push(format!("{id} is cited by no test and has no reason"));
                    continue;
                }
            };
            let _ = writeln!(page, "| {id} | {what} | {proof} |");
        }
    }
    (page, faults)
}

#[test]
fn every_row_has_a_test_or_a_reason_and_the_page_is_current() {
    let (page, faults) = page(&tree::tracked(), REASONS);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    golden("conformance-taxii.md", &page);
}

#[test]
fn a_row_without_a_test_or_with_a_reason_too_many_is_found() {
    let id = |n: u32| format!("T-{n:03}");
    let row = |n: u32| format!("| {} | MUST | server | 1 | what | test |", id(n));
    let document = [1, 2, 3].map(row).join("\n");
    let test = format!("/// {} to {}.\n#[test]\nfn it_is() {{}}\n", id(1), id(2));
    let files = [File::planted(DOCUMENTS[0].1, document), File::planted("crates/x/tests/it/a.rs", test)];
    let (page, faults) = page(&files, &[(&id(2), "why")]);
    assert!(page.contains(&format!("| {} | what | `x/a: it_is` |", id(1))), "{page}");
    for fault in [format!("{} has a test", id(2)), format!("{} is cited by no test", id(3))] {
        assert!(faults.iter().any(|f| f.starts_with(&fault)), "{fault}: {faults:?}");
    }
}
