//! Which files are meant, and what is in them.

use flate2::read::MultiGzDecoder;
use std::{
    fs::{self, File},
    io::{self, BufReader, Cursor, Read, Seek as _, Write as _},
    path::{Path, PathBuf},
};

/// Bytes of a file that is held as a whole while it is checked: more than the largest bundle that is known. Of a longer one an object at a time is held.
pub(super) const HELD_BYTES_MAX: usize = 64 << 20;
/// Bytes of a file.
const FILE_BYTES_MAX: u64 = 64 << 30;
/// Bytes of what has to be put into a temporary file because it cannot be read twice: standard input, and what was packed.
const UNPACKED_BYTES_MAX: u64 = 8 << 30;
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

/// What is checked.
pub(super) enum Input {
    /// All of it.
    Held(Vec<u8>),
    /// A file that stands at its beginning, the given one or a temporary one without a name.
    Long(File),
}

/// A file, or standard input for `-`; what is gzip is inflated.
pub(super) fn open(path: &Path) -> io::Result<Input> {
    if path == Path::new("-") {
        return unpacked(io::stdin().lock());
    }
    let mut file = File::open(path)?;
    let found = file.metadata()?;
    if found.is_file() && found.len() > HELD_BYTES_MAX as u64 {
        let mut magic = [0; 2];
        file.read_exact(&mut magic)?;
        file.rewind()?;
        if magic != GZIP {
            return if found.len() > FILE_BYTES_MAX { Err(too_long(FILE_BYTES_MAX)) } else { Ok(Input::Long(file)) };
        }
    }
    unpacked(file)
}

/// What every gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

fn unpacked(mut from: impl Read) -> io::Result<Input> {
    let mut begin = Vec::new();
    from.by_ref().take(2).read_to_end(&mut begin)?;
    let gzip = begin == GZIP;
    let whole = Cursor::new(begin).chain(from);
    if gzip { held(MultiGzDecoder::new(BufReader::new(whole))) } else { held(whole) }
}

fn held(mut from: impl Read) -> io::Result<Input> {
    let mut bytes = Vec::new();
    from.by_ref().take(HELD_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() <= HELD_BYTES_MAX {
        return Ok(Input::Held(bytes));
    }
    let mut file = tempfile::tempfile()?;
    file.write_all(&bytes)?;
    let left = UNPACKED_BYTES_MAX - bytes.len() as u64;
    drop(bytes);
    if io::copy(&mut from.take(left + 1), &mut file)? > left {
        return Err(too_long(UNPACKED_BYTES_MAX));
    }
    file.rewind()?;
    Ok(Input::Long(file))
}

fn too_long(bytes_max: u64) -> io::Error {
    io::Error::other(format!("it has more than {bytes_max} bytes; split it"))
}
