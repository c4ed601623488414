//! Which objects a folder holds: 16 octets of SHA-256 each, in the order in which they were written, in a file beside the bundles.
//!
//! The state says how many objects are written, so it also says how much of this file counts: what a crash left behind it is cut off.

use sha2::{Digest as _, Sha256};
use std::{
    collections::HashSet,
    fs::{File, OpenOptions, TryLockError},
    io::{BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

/// The file.
const NAME: &str = "known";
/// Octets of a digest: two objects meet by chance once in 2^64.
const DIGEST_BYTES: usize = 16;
/// Digests held in memory, about 600 MB of them; beyond it all are forgotten, and what was given before that is written again if it is given again.
const DIGESTS_MAX: usize = 16_000_000;

type Digest = [u8; DIGEST_BYTES];

/// What a folder holds.
pub(super) struct Known {
    path: PathBuf,
    file: File,
    digests: HashSet<Digest>,
    /// Not written yet.
    fresh: Vec<Digest>,
}

impl Known {
    /// Opens the folder's file, for this run alone: two at once would write different bundles under one number.
    pub(super) fn lock(folder: &Path) -> Result<Self, String> {
        let path = folder.join(NAME);
        let failed = |e: std::io::Error| format!("`{}`: {e}", path.display());
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path, file, digests: HashSet::new(), fresh: Vec::new() }),
            Err(TryLockError::WouldBlock) => {
                Err(format!("another run writes to `{}`; wait for its end, or use another --output", folder.display()))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Reads what the first `objects` objects of the folder were.
    pub(super) fn read(&mut self, objects: u64) -> Result<(), String> {
        let Self { path, file, digests, .. } = self;
        let failed = |e: std::io::Error| format!("`{}`: {e}", path.display());
        let bytes = objects.saturating_mul(DIGEST_BYTES as u64);
        let there = file.metadata().map_err(failed)?.len();
        if there < bytes {
            return Err(format!("`{}` holds less than the state says; use another --output", path.display()));
        }
        file.set_len(bytes).map_err(failed)?;
        let skipped = objects.saturating_sub(DIGESTS_MAX as u64).saturating_mul(DIGEST_BYTES as u64);
        file.seek(SeekFrom::Start(skipped)).map_err(failed)?;
        let mut digest = Digest::default();
        let mut reader = BufReader::new(&*file);
        for _ in 0..(bytes - skipped) / DIGEST_BYTES as u64 {
            reader.read_exact(&mut digest).map_err(failed)?;
            digests.insert(digest);
        }
        drop(reader);
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(())
    }

    /// Takes note of an object. `false`: it is known.
    pub(super) fn insert(&mut self, object: &str) -> bool {
        if self.digests.len() >= DIGESTS_MAX {
            self.digests.clear();
        }
        let mut digest = Digest::default();
        digest.copy_from_slice(&Sha256::digest(object)[..DIGEST_BYTES]);
        let new = self.digests.insert(digest);
        if new {
            self.fresh.push(digest);
        }
        new
    }

    /// Makes what was inserted durable.
    pub(super) fn write(&mut self) -> Result<(), String> {
        let bytes: Vec<u8> = self.fresh.drain(..).flatten().collect();
        let mut write = || {
            self.file.write_all(&bytes)?;
            self.file.sync_data()
        };
        write().map_err(|e: std::io::Error| format!("`{}`: {e}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// I2: what a crash left behind the state is not known; what the state counts is.
    #[test]
    fn what_the_state_counts_is_known_and_nothing_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let open = |objects| {
            let mut known = Known::lock(folder.path())?;
            known.read(objects).map(|()| known)
        };
        let mut known = open(0).unwrap();
        assert!(known.insert("{\"id\":1}") && known.insert("{\"id\":2}") && !known.insert("{\"id\":1}"));
        known.write().unwrap();
        assert!(open(0).err().unwrap().contains("another run"), "one run at a time");
        drop(known);
        let mut again = open(1).unwrap();
        assert!(!again.insert("{\"id\":1}"));
        assert!(again.insert("{\"id\":2}"), "the state did not count it");
        again.write().unwrap();
        drop(again);
        assert!(!open(2).unwrap().insert("{\"id\":2}"));
        assert!(open(3).err().unwrap().contains("less than the state says"));
    }
}
