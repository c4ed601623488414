//! `docs/reference/conformance-taxii.md`: every T- and C- row with the tests that cite it, or the reason why none does. `UPDATE_GOLDEN=1` writes it anew.
//!
//! A citation counts in the doc comment, docstring or decorator of a test, or inside it; one at the head of a file counts for the file.

use crate::{
    citations::{cited, defined},
    reference::golden,
    tree::{self, File},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// The documents, and how many rows each has at the least.
const DOCUMENTS: [(&str, &str, &str, usize); 2] = [
    ("T", "docs/requirements/taxii-2.1.md", "TAXII 2.1 (T-)", 144),
    ("C", "docs/requirements/taxii-clients.md", "What clients need (C-)", 16),
];

/// Rows that no test cites, and why that is so.
const REASONS: &[(&str, &str)] = &[
    ("T-061", "no media type but STIX is offered"),
    ("T-071", "no SRV record is published by the program: `docs/reference/not-yet.md`"),
    ("T-072", "the client takes URLs from files: `docs/reference/not-yet.md`"),
    ("T-077", "allowed, not offered: a node names its own API roots alone"),
    ("T-082", "allowed: several API roots (realms) are there; an account is one and the same in all of them"),
    ("T-123", "allowed, not done: DELETE takes away from the named collection what the caller brought there"),
    ("T-127", "advice: nothing is dropped by itself; what an operator deletes is gone"),
    ("C-008", "not offered: `docs/reference/not-yet.md`"),
    ("C-009", "not offered: `docs/reference/not-yet.md`"),
    ("C-015", "of the quirks only `empty_objects` is there (C-001), which adds no property"),
    ("T-143", "allowed, nothing to do: what is no TAXII lives outside the API roots"),
];

/// Ids of a text, with `X to Y` standing for all between.
fn ids(text: &str) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    for line in text.lines() {
        let here = cited(line);
        found.extend(here.iter().map(|id| (*id).to_owned()));
        for pair in here.windows(2) {
            let [from, to] = pair else { continue };
            let (Some((prefix, low)), Some((other, high))) = (from.split_once('-'), to.split_once('-')) else {
                continue;
            };
            if prefix == other
                && line.contains(&format!("{from} to {to}"))
                && let (Ok(low), Ok(high)) = (low.parse::<u32>(), high.parse::<u32>())
            {
                found.extend((low..=high).map(|n| format!("{prefix}-{n:03}")));
            }
        }
    }
    found
}

/// Tests of a file with the text that belongs to each; what stands before the first goes to the file.
fn tests_of(file: &File) -> Vec<(Option<String>, String)> {
    let python = file.has_extension(&["py"]);
    let mut parts: Vec<(Option<String>, String)> = vec![(None, String::new())];
    // What stands directly above a function belongs to it.
    let mut above = String::new();
    let mut is_test = false;
    for line in file.text.lines() {
        let code = line.trim_start();
        let comment = if python { code.starts_with('@') } else { code.starts_with("///") || code.starts_with("#[") };
        if comment {
            is_test |= code.starts_with("#[test]") || code.starts_with("#[tokio::test") || code.starts_with("@check(");
            above.push_str(line);
            above.push('\n');
            continue;
        }
        let declared = if python {
            code.strip_prefix("def ")
        } else {
            code.strip_prefix("fn ").or(code.strip_prefix("async fn "))
        };
        if let Some(rest) = declared {
            let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            let test = is_test || (python && name.starts_with("test_"));
            parts.push((test.then(|| name.to_owned()), std::mem::take(&mut above)));
            is_test = false;
        } else if code.is_empty() && !python {
            // A blank line ends what stands above.
            if let Some(part) = parts.last_mut() {
                part.1.push_str(&above);
            }
            above.clear();
            is_test = false;
        }
        if let Some(part) = parts.last_mut() {
            // Rules of a macro of properties hold many tests without `fn` at a line's beginning; their comments count for the part before.
            part.1.push_str(&std::mem::take(&mut above));
            part.1.push_str(line);
            part.1.push('\n');
        }
    }
    parts
}

/// Which files hold tests: those below `tests`, and modules of unit tests.
fn holds_tests(file: &File) -> bool {
    (file.has_extension(&["rs"])
        && (file.path.contains("/tests/") || file.path.ends_with("/tests.rs") || file.text.contains("#[cfg(test)]")))
        || (file.has_extension(&["py"])
            && (file.path.starts_with("tests/partners/") || file.path.starts_with("tests/conformance/checks/")))
}

/// Row → tests, as `path: name`.
fn citations(files: &[File]) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files.iter().filter(|f| holds_tests(f) && !f.path.starts_with("crates/checks/")) {
        let whole = file.path.contains("/tests/") || file.path.starts_with("tests/");
        for (name, text) in tests_of(file) {
            let place = match name {
                Some(name) => format!("`{}`: {}", file.path, name.replace('_', " ").trim_start_matches("test ")),
                None if whole => format!("`{}`", file.path),
                None => continue,
            };
            for id in ids(&text) {
                found.entry(id).or_default().insert(place.clone());
            }
        }
    }
    found
}

/// Rows of a document: id, level (or nothing), what it demands.
fn rows(document: &str) -> Vec<(String, String)> {
    let row = |line: &str| {
        let id = defined(line)?;
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        // id, level, who, section, requirement, test; or id, question, decision.
        let what = if cells.len() >= 6 { cells.get(4) } else { cells.get(1) }?;
        Some((id.to_owned(), (*what).to_owned()))
    };
    document.lines().filter_map(row).filter(|(id, _)| matches!(id.split('-').next(), Some("T" | "C"))).collect()
}

fn page(files: &[File], reasons: &[(&str, &str)]) -> (String, Vec<String>) {
    let cited = citations(files);
    let mut page = "# Conformance: TAXII 2.1\n\nGenerated from the requirement documents and the tests; `make golden` writes it anew. Each row of `docs/requirements` with the tests that cite it, or the reason why none does. The checks in `tests/conformance` run against any server (`make taxii-conformance`); in `make test` a node of ours passes all of them.\n".to_owned();
    let mut faults = Vec::new();
    for (_, path, title, least) in DOCUMENTS {
        let document = files.iter().find(|f| f.path == path).map_or("", |f| f.text.as_str());
        let rows = rows(document);
        if rows.len() < least {
            faults.push(format!("{path}: {} rows were read", rows.len()));
        }
        let with = rows.iter().filter(|(id, _)| cited.contains_key(id)).count();
        let _ = write!(
            page,
            "\n## {title}\n\n{with} of {} rows are cited by a test.\n\n| row | what | tests |\n|---|---|---|\n",
            rows.len()
        );
        for (id, what) in rows {
            let reason = reasons.iter().find(|(row, _)| *row == id).map(|(_, why)| *why);
            let proof = match (cited.get(&id), reason) {
                (Some(tests), None) => tests.iter().cloned().collect::<Vec<_>>().join("<br>"),
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
fn citations_are_found_where_they_belong() {
    let id = |prefix: &str, n: u32| format!("{prefix}-{n:03}");
    let (a, b, c, d) = (id("T", 1), id("T", 3), id("C", 1), id("T", 9));
    let rust = format!(
        "//! {c}\n\n/// {a} to {b}.\n#[test]\nfn one_two() {{\n    // {d}\n}}\n\n/// {d}\nfn not_a_test() {{}}\n"
    );
    let python = format!("@check(\"{a}\")\ndef it_is_so(s):\n    pass\n\n\ndef test_more():\n    \"\"\"{c}.\"\"\"\n");
    let files = [File::planted("crates/x/tests/it/a.rs", rust), File::planted("tests/conformance/checks/b.py", python)];
    let found = citations(&files);
    let of = |id: &str| found.get(id).map(|t| t.iter().cloned().collect::<Vec<_>>()).unwrap_or_default();
    assert_eq!(of(&a), ["`crates/x/tests/it/a.rs`: one two", "`tests/conformance/checks/b.py`: it is so"]);
    assert_eq!(of("T-002"), ["`crates/x/tests/it/a.rs`: one two"], "a range");
    assert_eq!(of(&c), ["`crates/x/tests/it/a.rs`", "`tests/conformance/checks/b.py`: more"]);
    assert_eq!(of(&d), ["`crates/x/tests/it/a.rs`", "`crates/x/tests/it/a.rs`: one two"]);
}
