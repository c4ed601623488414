//! The files that Git tracks.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// One tracked text file.
pub(crate) struct File {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn planted(path: &str, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), text: text.into() }
    }

    pub(crate) fn has_extension(&self, extensions: &[&str]) -> bool {
        Path::new(&self.path).extension().and_then(|e| e.to_str()).is_some_and(|e| extensions.contains(&e))
    }
}

/// One thing that a check found wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) path: String,
    /// From 1; 0 for the file as a whole.
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl Fault {
    pub(crate) fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

/// Fails with every fault on a line of its own.
pub(crate) fn expect_none(faults: &[Fault]) {
    let lines: Vec<_> = faults.iter().map(|f| format!("{}:{}: {}", f.path, f.line, f.what)).collect();
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), lines.join("\n"));
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every tracked file that is UTF-8 and present.
pub(crate) fn tracked() -> Vec<File> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().expect("git runs");
    assert!(listed.status.success(), "the repository is a Git checkout");
    let paths = String::from_utf8(listed.stdout).expect("paths are UTF-8");
    let files: Vec<_> = paths
        .split_terminator('\0')
        .filter_map(|path| fs::read_to_string(root().join(path)).ok().map(|text| File { path: path.to_owned(), text }))
        .collect();
    assert!(files.iter().any(|f| f.path == "Cargo.toml"), "the list is complete");
    files
}
