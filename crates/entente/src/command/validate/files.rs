//! Which files are meant, and their bytes.

use flate2::read::MultiGzDecoder;
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Bytes of one file, inflated: twice the largest bundle that is known, and what a machine has as memory.
const FILE_BYTES_MAX: u64 = 2 << 30;
/// Files of all folders together.
const FILES_MAX: usize = 1_000_000;
/// Folders inside folders.
const FOLDER_DEPTH_MAX: usize = 64;
/// Names of files in folders that are looked at, without `.gz`.
const ENDINGS: [&str; 3] = [".json", ".stix", ".stix2"];

/// Folders become their STIX files, in the order of their names.
pub(super) fn expand(given: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for path in given {
        if path.is_dir() {
            let before = found.len();
            folder(path, 0, &mut found).map_err(|e| format!("`{}`: {e}", path.display()))?;
            if found.len() == before {
                return Err(format!(
                    "`{}` holds no file named *.json, *.stix or *.stix2 (or that and .gz)",
                    path.display()
                ));
            }
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

fn folder(path: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if depth > FOLDER_DEPTH_MAX {
        return Err(io::Error::other(format!("folders are nested more than {FOLDER_DEPTH_MAX} deep")));
    }
    let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        let name = entry.file_name().to_string_lossy().to_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        if kind.is_dir() {
            folder(&entry.path(), depth + 1, found)?;
        } else if kind.is_file() && ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            if found.len() >= FILES_MAX {
                return Err(io::Error::other(format!("there are more than {FILES_MAX} files")));
            }
            found.push(entry.path());
        }
    }
    Ok(())
}

/// The bytes of a file, or of standard input for `-`; what is gzip is inflated.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let raw = if path == Path::new("-") { bounded(io::stdin().lock())? } else { bounded(File::open(path)?)? };
    if raw.starts_with(&[0x1f, 0x8b]) { bounded(MultiGzDecoder::new(raw.as_slice())) } else { Ok(raw) }
}

fn bounded(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it has more than {FILE_BYTES_MAX} bytes; split it")));
    }
    Ok(bytes)
}
