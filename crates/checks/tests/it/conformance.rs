//! The pages `docs/reference/conformance*.md`: each requirement with the tests that cite it, or the reason why none does. `UPDATE_GOLDEN=1` writes them anew.
//!
//! A citation counts in a test: in its body, or in the comments and attributes directly above it. What a module says at its head counts nowhere; a function that tests call counts for its
//! file, on the pages that say so. `S-030 to S-036` cites all between.

mod labels;
mod patterns;
mod stix;
mod taxii;

use crate::{
    citations::{cited, defined},
    tree::File,
};
use std::{collections::BTreeSet, fmt::Write as _};

/// Between two ids: everything from the one to the other.
const RANGE: [&str; 3] = ["to", "..=", "\u{2013}"];
/// Tests that are named in one cell; more are counted.
const NAMED_MAX: usize = 3;

/// A function of a file that holds tests, or what stands there outside of any.
struct Part<'f> {
    file: &'f File,
    /// The name, if it is a test.
    test: Option<&'f str>,
    /// What stands directly above it, and its body.
    text: String,
}

impl Part<'_> {
    /// As people look for it: `crate/file: test`, or the file alone.
    fn place(&self) -> String {
        let short = self.file.path.trim_start_matches("crates/").replace("/tests/it/", "/").replace("/src/", "/");
        let short = short.trim_end_matches(".rs").trim_end_matches(".py");
        self.test.map_or_else(|| format!("`{short}`"), |name| format!("`{short}: {name}`"))
    }
}

/// Ids of a text, ranges written out.
fn ids(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let here = cited(line);
        found.extend(here.iter().map(|id| (*id).to_owned()));
        for pair in here.windows(2) {
            let [from, to] = pair else { continue };
            let (Some((prefix, low)), Some((other, high))) = (from.split_once('-'), to.split_once('-')) else {
                continue;
            };
            let all = RANGE.iter().any(|word| {
                line.contains(&format!("{from} {word} {to}")) || line.contains(&format!("{from}{word}{to}"))
            });
            if prefix == other
                && all
                && let (Ok(first), Ok(last)) = (low.parse::<u32>(), high.parse::<u32>())
            {
                let width = low.len();
                found.extend((first..=last).map(|n| format!("{prefix}-{n:0width$}")));
            }
        }
    }
    found
}

/// Files that name rows without proving any.
const NO_PROOFS: [&str; 2] = ["crates/checks/tests/it/citations", "crates/checks/tests/it/conformance"];

/// Everything that tests say.
fn parts(files: &[File]) -> Vec<Part<'_>> {
    let proves = |f: &&File| f.has_extension(&["rs", "py"]) && !NO_PROOFS.iter().any(|path| f.path.starts_with(path));
    files.iter().filter(proves).flat_map(parts_of).collect()
}

/// The parts of a file; outside of the folders of tests, the tests alone.
fn parts_of(file: &File) -> Vec<Part<'_>> {
    let python = file.has_extension(&["py"]);
    let part = |test, text| Part { file, test, text };
    let mut parts = vec![part(None, String::new())];
    let (mut above, mut is_test) = (String::new(), false);
    for line in file.text.lines() {
        let code = line.trim_start();
        if code.starts_with("//!") {
            continue;
        }
        let mark = if python { code.starts_with('@') } else { code.starts_with("///") || code.starts_with("#[") };
        if mark {
            is_test |= ["#[test]", "#[tokio::test", "@check("].iter().any(|mark| code.starts_with(mark));
        } else if let Some(name) = declared(code) {
            let test = is_test || python && name.starts_with("test_");
            parts.push(part(test.then_some(name), std::mem::take(&mut above)));
            is_test = false;
        } else if code.is_empty() && !python {
            // A blank line ends what stands above.
            above.clear();
            is_test = false;
        }
        let text = if mark { &mut above } else { parts.last_mut().map_or(&mut above, |part| &mut part.text) };
        text.push_str(line);
        text.push('\n');
    }
    let for_tests = file.path.contains("/tests/") || file.path.starts_with("tests/");
    parts.retain(|part| for_tests || part.test.is_some());
    parts
}

/// The name of the function that a line declares.
fn declared(code: &str) -> Option<&str> {
    let code = ["pub ", "pub(crate) ", "pub(super) "].iter().find_map(|word| code.strip_prefix(word)).unwrap_or(code);
    let code = code.strip_prefix("async ").unwrap_or(code);
    let rest = code.strip_prefix("fn ").or_else(|| code.strip_prefix("def "))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())
}

/// Rows of the tables of a document under one prefix: the id, and the cell that says what it is about.
fn rows<'d>(document: &'d str, prefix: &str, cell: usize) -> Vec<(&'d str, &'d str)> {
    let row = |line: &'d str| {
        let id = defined(line).filter(|id| id.split('-').next() == Some(prefix))?;
        let cells: Vec<&str> = line.strip_prefix('|')?.trim_end_matches('|').split(" | ").map(str::trim).collect();
        Some((id, *cells.get(cell)?))
    };
    document.lines().filter_map(row).collect()
}

/// Tests as they stand in a cell.
fn named(tests: &BTreeSet<String>) -> String {
    let mut cell = tests.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    if tests.len() > NAMED_MAX {
        let _ = write!(cell, " and {} more", tests.len() - NAMED_MAX);
    }
    cell
}

/// The text of a file, or nothing.
fn text<'f>(files: &'f [File], path: &str) -> &'f str {
    files.iter().find(|f| f.path == path).map_or("", |f| f.text.as_str())
}

#[test]
fn citations_are_found_where_they_belong() {
    let id = |prefix: &str, n: u32| format!("{prefix}-{n:03}");
    let (a, b, c, d) = (id("T", 1), id("T", 3), id("C", 1), id("T", 9));
    let rust = format!(
        "//! {c}\n\n/// {a} to {b}.\n#[test]\nfn one_two() {{\n    // {d}\n}}\n\n/// {d}\npub(crate) async fn not_a_test() {{}}\n"
    );
    let python = format!("@check(\"{a}\")\ndef it_is_so(s):\n    pass\n\n\ndef test_more():\n    \"\"\"{c}.\"\"\"\n");
    let files = [
        File::planted("crates/x/tests/it/a.rs", rust.clone()),
        File::planted("crates/x/src/a.rs", rust),
        File::planted("tests/conformance/checks/b.py", python),
    ];
    let parts = parts(&files);
    let of = |id: &str| {
        let citing = parts.iter().filter(|part| ids(&part.text).contains(id));
        citing.map(Part::place).collect::<Vec<_>>()
    };
    let (here, there) = ("`x/a: one_two`", "`tests/conformance/checks/b: it_is_so`");
    assert_eq!(of(&a), [here, here, there]);
    assert_eq!(of(&id("T", 2)), [here, here], "a range");
    assert_eq!(of(&c), ["`tests/conformance/checks/b: test_more`"], "not the head of a module");
    assert_eq!(of(&d), [here, "`x/a`", here], "a function that is no test counts for a file of tests alone");
    assert_eq!(ids(&format!("{a}..={b}, {a}\u{2013}{d}")).len(), 9);
    assert_eq!(ids(&format!("{a} and {b}")).len(), 2);
    assert_eq!(rows(&format!("| {a} | MUST | text. |\n| x | {b} |\n| {c} | y | z |"), "T", 2), [(a.as_str(), "text.")]);
    let names = |n: u32| (0..n).map(|n| n.to_string()).collect();
    assert_eq!((named(&names(3)), named(&names(5))), ("0, 1, 2".to_owned(), "0, 1, 2 and 2 more".to_owned()));
}
