//! `docs/reference/conformance-labels.md`: every rule of the label document with the tests that cite it, or why none does.

use super::{ids, named, parts, text};
use crate::{
    reference::golden,
    tree::{self, File},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

const DOCUMENT: &str = "docs/requirements/labels.md";
const OPEN: &str = "docs/reference/not-yet.md";
/// Rules that no test proves and that are not open either.
const REASONS: &[(&str, &str)] = &[
    (
        "L-006",
        "whoever imports names the label; `public` is in every policy set and `PUBLIC` in the catalogue that `init` writes",
    ),
    ("L-046", "the object that carries the label is kept as its bytes; a sidecar stays the file that it is"),
];

/// Ids and texts in order of the document: list items in bold.
fn rules(document: &str) -> Vec<(&str, &str)> {
    document
        .lines()
        .filter_map(|line| line.strip_prefix("- **")?.split_once("**"))
        .filter(|(id, _)| id.starts_with("L-"))
        .map(|(id, text)| (id, text.trim()))
        .collect()
}

fn page(files: &[File]) -> (String, Vec<String>) {
    let mut proofs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let parts = parts(files);
    for part in parts.iter().filter(|part| part.test.is_some()) {
        for id in ids(&part.text) {
            proofs.entry(id).or_default().insert(part.place());
        }
    }
    let open: String = text(files, OPEN)
        .lines()
        .filter(|line| line.starts_with('|'))
        .fold(String::new(), |all, line| all + line + "\n");
    let open = ids(&open);
    let mut page = String::from(
        "# Conformance: labels\n\nEvery rule of [labels.md](../requirements/labels.md) with the tests that cite it. Made from the tests; `make golden` writes it anew.\n\n| rule | about | proved by |\n|---|---|---|\n",
    );
    let mut unproved = Vec::new();
    for (id, about) in rules(text(files, DOCUMENT)) {
        let reason = REASONS.iter().find(|(known, _)| *known == id).map(|(_, why)| *why);
        let proof = match (proofs.get(id), open.contains(id), reason) {
            (None, false, Some(why)) => why.to_owned(),
            (None, false, None) => {
                unproved.push(id.to_owned());
                "nothing".to_owned()
            }
            (None, true, _) => "[not yet](not-yet.md)".to_owned(),
            (Some(by), true, _) => format!("{}; in part [not yet](not-yet.md)", named(by)),
            (Some(by), false, _) => named(by),
        };
        let short: String = about.chars().take(80).collect();
        let short = short.replace('|', "\\|").replace("**", "").replace('*', "");
        let dots = if about.chars().count() > 80 { "…" } else { "" };
        let _ = writeln!(page, "| {id} | {}{dots} | {proof} |", short.trim());
    }
    (page, unproved)
}

/// Every rule has a test that cites it, a row of what is not met, or a reason; and the page says so as it stands.
#[test]
fn every_rule_about_labels_is_proved_open_or_argued_and_the_page_is_current() {
    let (made, unproved) = page(&tree::tracked());
    assert!(made.lines().count() > 100, "the document is read");
    golden("conformance-labels.md", &made);
    assert_eq!(
        unproved,
        Vec::<String>::new(),
        "no test cites these, {OPEN} does not name them, and no reason is given"
    );
}

#[test]
fn a_rule_without_test_row_or_reason_is_found() {
    let id = |n: &str| format!("L-{n}");
    let files = [
        File::planted(
            DOCUMENT,
            format!("- **{}** One.\n- **{}** Two.\n- **{}** Three.", id("001"), id("002"), id("003")),
        ),
        File::planted(OPEN, format!("| x | {} | y |", id("003"))),
        File::planted("crates/label/tests/it/a.rs", format!("/// {}.\n#[test]\nfn it_is_so() {{", id("001"))),
    ];
    let (page, unproved) = page(&files);
    assert_eq!(unproved, [id("002")]);
    assert!(
        page.contains("| One. | `label/a: it_is_so` |") && page.contains("| Three. | [not yet](not-yet.md) |"),
        "{page}"
    );
}
