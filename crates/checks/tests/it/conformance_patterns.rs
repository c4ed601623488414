//! `docs/reference/conformance-patterns.md`: every row of the patterning document with the tests that cite it. A row that no test cites fails.
//! `UPDATE_GOLDEN=1` writes the page anew.
//!
//! A citation counts in a test function: in its body, or in the comments and attributes directly above it. `P-030 to P-036` cites all between.

use crate::{
    citations::{cited, defined},
    reference::golden,
    tree::{self, File},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

const DOCUMENT: &str = "docs/requirements/stix-patterning.md";
/// Prefix, heading, and how many rows there are at the least.
const KINDS: [(&str, &str, usize); 3] = [
    ("P", "Requirements", 83),
    ("PD", "Decisions, where the standard leaves a choice", 11),
    ("PK", "Known deviations of the committee's programs", 15),
];

/// Ids of a line, ranges written out.
fn ids(line: &str) -> BTreeSet<String> {
    let here = cited(line);
    let mut found: BTreeSet<String> = here.iter().map(|id| (*id).to_owned()).collect();
    for pair in here.windows(2) {
        let [from, to] = pair else { continue };
        let (Some((prefix, low)), Some((other, high))) = (from.split_once('-'), to.split_once('-')) else { continue };
        if prefix == other
            && line.contains(&format!("{from} to {to}"))
            && let (Ok(first), Ok(last)) = (low.parse::<u32>(), high.parse::<u32>())
        {
            let width = low.len();
            found.extend((first..=last).map(|n| format!("{prefix}-{n:0width$}")));
        }
    }
    found
}

/// The name of the function that a line declares.
fn declared(line: &str) -> Option<&str> {
    let code = line.trim_start();
    let code = code.strip_prefix("pub(crate) ").unwrap_or(code);
    let code = code.strip_prefix("async ").unwrap_or(code);
    let rest = code.strip_prefix("fn ").or_else(|| code.strip_prefix("def "))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

/// Test functions of a file with the ids that each cites.
fn tests_of(file: &File) -> Vec<(&str, BTreeSet<String>)> {
    let python = file.has_extension(&["py"]);
    let mut tests: Vec<(&str, BTreeSet<String>)> = Vec::new();
    let (mut above, mut marked, mut inside) = (BTreeSet::new(), false, false);
    for line in file.text.lines() {
        let code = line.trim_start();
        if let Some(name) = declared(line) {
            inside = if python { name.starts_with("test_") } else { marked };
            if inside {
                tests.push((name, std::mem::take(&mut above)));
            }
            marked = false;
            above.clear();
        } else if code.starts_with("///") || code.starts_with("#[") {
            marked |= code.starts_with("#[test]") || code.starts_with("#[tokio::test");
            above.extend(ids(line));
        } else if let Some((_, found)) = tests.last_mut().filter(|_| inside) {
            found.extend(ids(line));
        }
    }
    tests
}

/// Row → tests.
fn citations(files: &[File]) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let tests = files.iter().filter(|f| f.has_extension(&["rs", "py"]) && !f.path.starts_with("crates/checks/"));
    for file in tests {
        for (name, ids) in tests_of(file) {
            let name = name.trim_start_matches("test_").replace('_', " ");
            for id in ids {
                found.entry(id).or_default().insert(format!("`{}`: {name}", file.path));
            }
        }
    }
    found
}

/// Rows of the document: id, and what it demands, decides or tells.
fn rows(document: &str) -> Vec<(&str, &str)> {
    let row = |line| {
        let id = defined(line)?;
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        // A requirement has level, who and section first; a decision a question, a deviation a program.
        let what = if id.starts_with("P-") { cells.get(4) } else { cells.get(2) }?;
        Some((id, *what))
    };
    document.lines().filter_map(row).collect()
}

/// The page, and the rows that no test cites.
fn page(files: &[File]) -> (String, Vec<String>) {
    let cited = citations(files);
    let document = files.iter().find(|f| f.path == DOCUMENT).map_or("", |f| f.text.as_str());
    let rows = rows(document);
    let mut page = "# Conformance: STIX patterning\n\nMade from the requirement document and the tests; `make golden` writes it anew. Each row of [stix-patterning.md](../requirements/stix-patterning.md) with the tests that cite it. Entente claims level 3, the whole language.\n".to_owned();
    let mut uncited = Vec::new();
    for (prefix, heading, _) in KINDS {
        let _ = write!(page, "\n## {heading} ({prefix}-)\n\n| row | what | tests |\n|---|---|---|\n");
        for (id, what) in rows.iter().filter(|(id, _)| id.split('-').next() == Some(prefix)) {
            let tests = cited.get(*id).map(|tests| tests.iter().cloned().collect::<Vec<_>>().join("<br>"));
            if tests.is_none() {
                uncited.push((*id).to_owned());
            }
            let _ = writeln!(page, "| {id} | {what} | {} |", tests.unwrap_or_default());
        }
    }
    (page, uncited)
}

#[test]
fn every_row_of_patterning_is_cited_by_a_test() {
    let files = tree::tracked();
    let document = files.iter().find(|f| f.path == DOCUMENT).map_or("", |f| f.text.as_str());
    for (prefix, _, least) in KINDS {
        let count = rows(document).iter().filter(|(id, _)| id.split('-').next() == Some(prefix)).count();
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
    assert!(page.contains(&format!("| {decision} | this | `a.py`: it is |")), "{page}");
}
