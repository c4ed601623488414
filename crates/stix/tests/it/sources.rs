//! Where the tests find their data.

use flate2::read::MultiGzDecoder;
use std::{
    env, fs,
    io::Read,
    path::{Path, PathBuf},
};

/// The folder of real data, which is not part of the repository: `ENTENTE_CORPUS`, by default beside the workspace. `None`, loudly, if it is missing.
pub(crate) fn corpus(what_for: &str) -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder =
        env::var_os("ENTENTE_CORPUS").map_or_else(|| workspace.join("../shared/data"), |folder| workspace.join(folder));
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED {what_for}: corpus missing");
    None
}

/// A file's bytes, inflated if its name ends in `.gz`.
pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    let raw = fs::read(path).expect("a test file can be read");
    if path.extension().is_none_or(|extension| extension != "gz") {
        return raw;
    }
    let mut inflated = Vec::new();
    MultiGzDecoder::new(raw.as_slice()).read_to_end(&mut inflated).expect("a test file can be inflated");
    inflated
}

/// Every STIX file of the corpus, sorted.
pub(crate) fn stix_files(corpus: &Path) -> Vec<PathBuf> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("the corpus can be listed") {
            let path = entry.expect("the corpus can be listed").path();
            if path.is_dir() { collect(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    for folder in ["stix20", "stix21-attack", "stix21-knowledge", "stix21-reports", "stix21-small"] {
        collect(&corpus.join(folder), &mut found);
    }
    found.sort();
    found
}

/// A companion of the requirement documents.
pub(crate) fn requirement_data(name: &str) -> serde_json::Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/requirements/data").join(name);
    serde_json::from_slice(&bytes(&path)).expect("a companion is JSON")
}

/// Seconds that a long run shall last (`make soak`), if it is one.
pub(crate) fn soak_s() -> Option<u64> {
    env::var("ENTENTE_SOAK_S").ok()?.parse().ok()
}
