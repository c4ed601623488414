//! `docs/reference/conformance.md`: every row of the requirements of STIX with the tests that cite it, made from the tests. `UPDATE_GOLDEN=1` writes it anew.
//!
//! In `crates/stix/tests/it/validation/` a row stands first in `accept…` (what it allows passes) and in `reject…`, `warn…`, `advise…` (what breaks it is found). Elsewhere a test cites a row
//! in a comment or in its body.

use crate::{
    reference::golden,
    tree::{self, File},
};
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

/// Ids of a text, `S-003 to S-031` as all between.
fn ids(line: &str) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut last = None;
    for (at, _) in line.match_indices("S-") {
        let before = line[..at].chars().next_back();
        let digits: String = line[at + 2..].chars().take_while(char::is_ascii_digit).collect();
        if digits.len() != 3 || before.is_some_and(|c| c.is_alphanumeric() || c == '-') {
            continue;
        }
        let id: u32 = digits.parse().expect("digits");
        if let Some((from, end)) = last
            && line[end..at].trim_matches(|c: char| c == '`' || c == ' ') == "to"
        {
            found.extend(from..=id);
        }
        found.insert(id);
        last = Some((id, at + 2 + digits.len()));
    }
    found
}

/// The name of the function that begins on this line.
fn function(line: &str) -> Option<&str> {
    let rest = ["fn ", "async fn ", "pub fn ", "pub(crate) fn ", "pub(super) fn ", "def "]
        .iter()
        .find_map(|word| line.trim_start().strip_prefix(word))?;
    rest.split(['(', '<']).next().filter(|name| !name.is_empty())
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

fn collect(files: &[File]) -> BTreeMap<u32, Cited> {
    let mut rows: BTreeMap<u32, Cited> = BTreeMap::new();
    // This checker names rows without testing any.
    for file in files.iter().filter(|f| f.has_extension(&["rs", "py"]) && !f.path.starts_with("crates/checks/")) {
        let tests_only = file.path.contains("/tests/") || file.path.starts_with("tests/");
        let mut testing = tests_only;
        let (mut pending, mut name, mut open) = (BTreeSet::new(), String::new(), None);
        for line in file.text.lines() {
            testing |= line.trim() == "mod tests {";
            // What a module says of itself is no test.
            if !testing || line.trim_start().starts_with("//!") {
                continue;
            }
            let cited = ids(line);
            if let Some(next) = function(line) {
                next.clone_into(&mut name);
                for id in std::mem::take(&mut pending) {
                    rows.entry(id).or_default().others.insert(place(&file.path, &name));
                }
            } else if line.trim_start().starts_with("//") {
                pending.extend(cited.iter().copied());
                // Within a body the comment is about what follows there.
                if !line.trim_start().starts_with("///") && !name.is_empty() {
                    for id in cited {
                        rows.entry(id).or_default().others.insert(place(&file.path, &name));
                    }
                    pending.clear();
                }
                continue;
            }
            let place = place(&file.path, &name);
            for id in cited {
                let row = rows.entry(id).or_default();
                match open.or(polarity(line)) {
                    Some(true) => row.accepted.insert(place.clone()),
                    Some(false) => row.refused.insert(place.clone()),
                    None => row.others.insert(place.clone()),
                };
            }
            open = polarity(line).filter(|_| line.ends_with('('));
        }
    }
    rows
}

/// A test as people look for it: `crate/file: test`.
fn place(path: &str, name: &str) -> String {
    let short = path.trim_start_matches("crates/").replace("/tests/it/", "/").replace("/src/", "/");
    let short = short.trim_end_matches(".rs").trim_end_matches(".py");
    if name.is_empty() { format!("`{short}`") } else { format!("`{short}: {name}`") }
}

/// Number and text of every row of the requirements.
fn requirements(text: &str) -> Vec<(u32, String)> {
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix("| S-")?.split(" | ").collect();
        Some((cells[0].parse().ok()?, (*cells.get(4)?).to_owned()))
    });
    rows.collect()
}

/// Tests that are named in one cell; more are counted.
const NAMED_MAX: usize = 3;

fn cell(tests: &BTreeSet<String>) -> String {
    let mut cell = tests.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    if tests.len() > NAMED_MAX {
        let _ = write!(cell, " and {} more", tests.len() - NAMED_MAX);
    }
    cell
}

fn page(requirements: &[(u32, String)], rows: &BTreeMap<u32, Cited>) -> String {
    let mut page = String::from(
        "# Conformance to STIX 2.1\n\nMade from the tests; `make golden` writes it anew. *Allowed*: tests in which what the row allows passes. *Broken*: tests in which what breaks it is found under its id. *Others* cite the row.\n\n| id | requirement | allowed | broken | others, or the reason why there is no test of a kind |\n|---|---|---|---|---|\n",
    );
    let nothing = Cited::default();
    for (id, text) in requirements {
        let name = format!("S-{id:03}");
        let cited = rows.get(id).unwrap_or(&nothing);
        let reason = REASONS.iter().find(|(row, _)| *row == name).map(|(_, reason)| (*reason).to_owned());
        let others = [
            reason.into_iter().collect::<Vec<_>>(),
            Some(cell(&cited.others)).filter(|c| !c.is_empty()).into_iter().collect(),
        ]
        .concat()
        .join(" ");
        let _ = writeln!(page, "| {name} | {text} | {} | {} | {others} |", cell(&cited.accepted), cell(&cited.refused));
    }
    page
}

#[test]
fn the_conformance_page_is_what_the_tests_cite_and_no_row_is_without() {
    let files = tree::tracked();
    let text = &files.iter().find(|f| f.path == ROWS).expect("the requirements are there").text;
    let requirements = requirements(text);
    assert_eq!(requirements.len(), 161, "S-001 to S-161");
    let rows = collect(&files);
    let bare: Vec<String> = requirements
        .iter()
        .filter(|(id, _)| {
            let reasoned = REASONS.iter().any(|(row, _)| *row == format!("S-{id:03}"));
            let cited = rows.get(id);
            let both = cited.is_some_and(|c| !c.accepted.is_empty() && !c.refused.is_empty() || !c.others.is_empty());
            !reasoned && !both
        })
        .map(|(id, _)| format!("S-{id:03}"))
        .collect();
    golden("conformance.md", &page(&requirements, &rows));
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
    let rows =
        collect(&[File::planted("crates/x/tests/it/a.rs", text.clone()), File::planted("crates/x/src/b.rs", text)]);
    let one = BTreeSet::from(["`x/a: one`".to_owned()]);
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!((&rows[&2].others, &rows[&4].accepted, &rows[&4].refused, &rows[&5].others), (&one, &one, &one, &one));
    assert!(rows[&4].others.is_empty() && polarity("x(\"S-1\")").is_none());
    assert_eq!(requirements("| S-007 | MUST | PC | 2.5 | text. | test |\n| x |"), [(7, "text.".to_owned())]);
}
