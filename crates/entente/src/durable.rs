//! Files that a crash leaves whole: as they were, or as they shall be (I2).

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
};

/// Writes a file whole: beside, synced, renamed, the folder synced. The error names the file.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.new"));
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|e: std::io::Error| format!("`{}`: {e}", path.display()))
}
