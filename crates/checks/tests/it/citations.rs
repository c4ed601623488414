//! Every requirement id that is cited exists in `docs/requirements`, and exists once.

use crate::tree::{self, Fault, File};
use std::collections::BTreeSet;

const DOCUMENTS: &str = "docs/requirements/";
const PREFIXES: &[&str] = &["C", "L", "P", "PD", "PK", "S", "SD", "SK", "T", "TD", "TK"];
/// What looks like a citation and is the name of an elliptic curve.
const NO_CITATIONS: &[&str] = &["P-256", "P-384", "P-521"];

/// Something like `S-013`: a known prefix that begins a word, a hyphen, and two or more digits that end it.
pub(crate) fn cited(line: &str) -> Vec<&str> {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let bytes = line.as_bytes();
    let mut found = Vec::new();
    for (hyphen, _) in line.match_indices('-') {
        let letters = bytes[..hyphen].iter().rev().take_while(|b| b.is_ascii_uppercase()).count();
        let start = hyphen - letters;
        let digits = bytes[hyphen + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        let end = hyphen + 1 + digits;
        let begins = start == 0 || !word(bytes[start - 1]) && bytes[start - 1] != b'-';
        let ends = end == bytes.len() || !word(bytes[end]);
        if digits >= 2
            && begins
            && ends
            && PREFIXES.contains(&&line[start..hyphen])
            && !NO_CITATIONS.contains(&&line[start..end])
        {
            found.push(&line[start..end]);
        }
    }
    found
}

/// The id that a line of a requirement document defines: the first cell of a table row, or a list item in bold.
pub(crate) fn defined(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("| ").or_else(|| line.strip_prefix("- "))?;
    let rest = rest.strip_prefix("**").unwrap_or(rest);
    let id = cited(rest).into_iter().next()?;
    rest.starts_with(id).then_some(id)
}

fn faults(files: &[File]) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut ids = BTreeSet::new();
    let (documents, others): (Vec<_>, Vec<_>) = files.iter().partition(|f| f.path.starts_with(DOCUMENTS));
    for file in documents.iter().filter(|f| f.has_extension(&["md"])) {
        for (i, line) in file.text.lines().enumerate() {
            if let Some(id) = defined(line)
                && !ids.insert(id)
            {
                found.push(Fault::new(&file.path, i + 1, format!("`{id}` is defined twice")));
            }
        }
    }
    for file in others.iter().filter(|f| f.has_extension(&["rs", "md", "py", "toml"])) {
        for (i, line) in file.text.lines().enumerate() {
            let unknown = cited(line).into_iter().filter(|id| !ids.contains(id));
            found.extend(unknown.map(|id| Fault::new(&file.path, i + 1, format!("`{id}` is not in {DOCUMENTS}"))));
        }
    }
    found
}

#[test]
fn every_cited_requirement_exists() {
    let files = tree::tracked();
    let lines = || files.iter().filter(|f| f.path.starts_with(DOCUMENTS)).flat_map(|f| f.text.lines());
    for prefix in PREFIXES {
        assert!(
            lines().filter_map(defined).any(|id| id.split('-').next() == Some(*prefix)),
            "{prefix}: the documents are read"
        );
    }
    tree::expect_none(&faults(&files));
}

#[test]
fn an_unknown_or_twice_defined_id_is_found() {
    let id = |prefix: &str, number: &str| format!("{prefix}-{number}");
    let (known, listed, unknown) = (id("S", "001"), id("L", "002"), id("S", "999"));
    let document = || {
        let text = format!("| {known} | MUST |\n- **{listed}** text {unknown}\n| x | {unknown} |");
        File::planted("docs/requirements/a.md", text)
    };
    let run = |text: String| {
        let faults = faults(&[document(), File::planted("crates/x/src/lib.rs", text)]);
        faults.into_iter().map(|f| (f.line, f.what)).collect::<Vec<_>>()
    };
    assert_eq!(run(format!("// {known}, ({listed}): `{known}`/{listed}")), []);
    assert_eq!(run(format!("//\n// {unknown}")), [(2, format!("`{unknown}` is not in docs/requirements/"))]);
    assert_eq!(run(id("TD", "77")).len(), 1);
    assert_eq!(
        run(id("T", "4")).len() + run(id("SHA", "256")).len() + run(id("P", "256")).len() + run(id("xS", "999")).len(),
        0
    );
    assert_eq!(run(format!("{unknown}b x-{unknown} UTF-8")).len(), 0);
    let twice = File::planted("docs/requirements/b.md", format!("| {known} |"));
    let faults = faults(&[document(), twice]);
    assert_eq!(faults, [Fault::new("docs/requirements/b.md", 1, format!("`{known}` is defined twice"))]);
}
