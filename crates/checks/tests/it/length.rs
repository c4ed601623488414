//! No file is longer than a person reads, unless listed with a reason; the trusted core as a whole is none too long to be reviewed line by line.

use crate::purity::shipped;
use crate::tree::{self, Fault, File};

const LINES_MAX: usize = 1_000;
/// Longer files and why; an entry whose file is gone or has become short is a fault too.
const LONGER: &[(&str, &str)] = &[
    ("Cargo.lock", "written by cargo"),
    ("bench/crates/Cargo.lock", "written by cargo"),
    ("crates/label/tests/data/label-vectors.json", "test vectors, one to a line or more"),
    ("docs/reference/commands.md", "made from the help of every command"),
    ("docs/reference/openapi.json", "made from the table of routes"),
    ("docs/requirements/data/nations-and-groups.json", "a table of data"),
    ("docs/requirements/data/relationships.json", "a table of data"),
];

/// Lines of code of the trusted core: without blank lines, comments and tests. Whoever takes something out lowers it; what does not decide belongs elsewhere.
const CORE_LINES_MAX: usize = 5_993;

/// How long the trusted core is.
fn core_lines(files: &[File]) -> usize {
    let core = files.iter().filter(|f| f.path.starts_with("crates/label/src/") && f.has_extension(&["rs"]));
    core.map(|f| shipped(&f.text).filter(|(_, line)| !line.trim().is_empty()).count()).sum()
}

fn faults(files: &[File], longer: &[(&str, &str)]) -> Vec<Fault> {
    let is_long = |file: &File| file.text.lines().count() > LINES_MAX;
    let listed = |file: &File| longer.iter().any(|(path, _)| *path == file.path);
    let unlisted = files.iter().filter(|f| is_long(f) && !listed(f));
    let mut found: Vec<_> = unlisted
        .map(|f| Fault::new(&f.path, f.text.lines().count(), format!("longer than {LINES_MAX} lines")))
        .collect();
    for (path, reason) in longer {
        if reason.is_empty() || !files.iter().any(|f| f.path == *path && is_long(f)) {
            found.push(Fault::new(path, 0, "is listed as long without need or reason"));
        }
    }
    found
}

#[test]
fn no_file_is_too_long_to_read() {
    // The label crate's vectors come with that crate.
    let files = tree::tracked();
    let present: Vec<_> = LONGER
        .iter()
        .filter(|(path, _)| !path.starts_with("crates/label/tests/") || files.iter().any(|f| f.path == *path))
        .copied()
        .collect();
    tree::expect_none(&faults(&files, &present));
}

#[test]
fn a_long_file_without_reason_is_found() {
    let long = |path: &str, lines: usize| File::planted(path, "x\n".repeat(lines));
    let files = [long("a.rs", LINES_MAX), long("b.rs", LINES_MAX + 1)];
    assert_eq!(faults(&files, &[("b.rs", "a table")]), []);
    assert_eq!(faults(&files, &[]), [Fault::new("b.rs", LINES_MAX + 1, "longer than 1000 lines")]);
    assert_eq!(faults(&files, &[("b.rs", "")]).len(), 1);
    assert_eq!(faults(&files, &[("b.rs", "a table"), ("a.rs", "short"), ("c.rs", "gone")]).len(), 2);
}

#[test]
fn the_trusted_core_is_short_enough_to_be_reviewed() {
    let lines = core_lines(&tree::tracked());
    assert!(lines > 1_000, "the core is read");
    assert!(lines <= CORE_LINES_MAX, "`label` has {lines} lines of code, {} too many", lines - CORE_LINES_MAX);
}

#[test]
fn lines_of_code_are_counted_without_comments_and_tests() {
    let text = "//! A.\nfn a() {}\n\n/// B.\nfn b() {\n    // C.\n}\n#[cfg(test)]\nmod tests {\n    fn d() {}\n}\n";
    let files = [File::planted("crates/label/src/a.rs", text), File::planted("crates/node/src/a.rs", text)];
    assert_eq!(core_lines(&files), 3);
}
