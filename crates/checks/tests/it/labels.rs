//! `docs/reference/conformance-labels.md`: every rule of the label document with the tests that cite it, or why none does. `UPDATE_GOLDEN=1` writes it anew.

use crate::tree::{self, File};
use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path};

const DOCUMENT: &str = "docs/requirements/labels.md";
const PAGE: &str = "docs/reference/conformance-labels.md";
const OPEN: &str = "docs/reference/not-yet.md";
/// Tests named for one rule; the rest is counted.
const NAMED_MAX: usize = 3;
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

/// Every test function with the comment above it.
fn tests(file: &File) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (mut comment, mut is_test) = (String::new(), false);
    for line in file.text.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            comment.push_str(text);
            comment.push('\n');
        } else if line == "#[test]" {
            is_test = true;
        } else if let Some(rest) = line.strip_prefix("fn ").filter(|_| is_test) {
            let name = rest.split('(').next().unwrap_or_default();
            found.push((name.to_owned(), std::mem::take(&mut comment)));
            is_test = false;
        } else if !line.starts_with("#[") {
            comment.clear();
        }
    }
    found
}

/// Whether a text cites an id, by itself or within a range as `L-091 to L-095`.
fn cites(text: &str, id: &str) -> bool {
    let number = |t: &str| t.get(..3).and_then(|n| n.parse::<u32>().ok());
    let Some(wanted) = id.strip_prefix("L-").and_then(number) else { return false };
    let mut parts = text.split("L-").skip(1).peekable();
    while let Some(part) = parts.next() {
        let Some(from) = number(part) else { continue };
        let between = part.get(3..).map(str::trim);
        let to = match (between, parts.peek().copied().and_then(number)) {
            (Some("to" | "..=" | "\u{2013}"), Some(to)) => to,
            _ => from,
        };
        if (from..=to).contains(&wanted) {
            return true;
        }
    }
    false
}

fn page(files: &[File]) -> (String, Vec<String>) {
    let text = |path: &str| files.iter().find(|f| f.path == path).map_or("", |f| f.text.as_str());
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for file in files.iter().filter(|f| f.path.starts_with("crates/") && f.has_extension(&["rs"])) {
        let krate = file.path.split('/').nth(1).unwrap_or_default();
        // A file's head says what its tests are about together.
        for (name, comment) in tests(file) {
            all.entry(format!("{krate}: {name}")).or_default().push_str(&comment);
        }
    }
    let mut page = String::from(
        "# Conformance: labels\n\nEvery rule of [labels.md](../requirements/labels.md) with the tests whose comment cites it. Made by the tests of `checks`; `UPDATE_GOLDEN=1` writes it anew.\n\n| rule | about | proved by |\n|---|---|---|\n",
    );
    let mut unproved = Vec::new();
    for (id, about) in rules(text(DOCUMENT)) {
        let by: Vec<&str> = all.iter().filter(|(_, c)| cites(c, id)).map(|(n, _)| n.as_str()).collect();
        let open = text(OPEN).lines().any(|line| line.starts_with('|') && cites(line, id));
        let reason = REASONS.iter().find(|(known, _)| *known == id).map(|(_, why)| *why);
        let proof = match (by.as_slice(), open, reason) {
            ([], false, Some(why)) => why.to_owned(),
            ([], false, None) => {
                unproved.push(id.to_owned());
                "nothing".to_owned()
            }
            ([], true, _) => "[not yet](not-yet.md)".to_owned(),
            (by, open, _) => {
                let named = by.iter().take(NAMED_MAX).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
                let more = by.len().saturating_sub(NAMED_MAX);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!("{named}{more}{}", if open { "; in part [not yet](not-yet.md)" } else { "" })
            }
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
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(PAGE);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert_eq!(
        unproved,
        Vec::<String>::new(),
        "no test cites these, {OPEN} does not name them, and no reason is given"
    );
    let held = fs::read_to_string(&path).unwrap_or_default();
    assert!(held == made, "{PAGE} is not current; UPDATE_GOLDEN=1 writes it");
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
        page.contains("| One. | `label: it_is_so` |") && page.contains("| Three. | [not yet](not-yet.md) |"),
        "{page}"
    );
    assert!(cites(&format!("{} to {}", id("010"), id("020")), &id("015")) && !cites(&id("010"), &id("015")));
}
