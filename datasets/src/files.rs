//! Files that are either whole or absent: write to a temporary name, sync, rename.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::Result;

/// Writes a file so that after a kill it is either the old one or the new one.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_atomic(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let parent = parent_of(path);
    fs_err::create_dir_all(parent)?;
    let temporary = temporary_name(path);
    let mut file = fs_err::File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    rename(&temporary, path)
}

/// Renames a file or folder and syncs the folder it lands in, so that the new name survives a
/// power cut.
///
/// # Errors
/// When the rename fails.
pub fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<()> {
    let to = to.as_ref();
    fs_err::rename(from.as_ref(), to)?;
    sync_dir(parent_of(to))
}

/// Syncs a folder's list of names.
///
/// # Errors
/// When the folder cannot be opened.
pub fn sync_dir(path: impl AsRef<Path>) -> Result<()> {
    Ok(fs_err::File::open(path.as_ref())?.sync_all()?)
}

/// Removes a folder with all that is in it; an absent one is fine.
///
/// # Errors
/// When something in it cannot be removed.
pub fn remove_dir(path: impl AsRef<Path>) -> Result<()> {
    match fs_err::remove_dir_all(path.as_ref()) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
        _ => Ok(()),
    }
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn temporary_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.tmp"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_and_leaves_no_temporary_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sub/a.json");
        write_atomic(&path, b"one").unwrap();
        write_atomic(&path, b"two").unwrap();
        assert_eq!(fs_err::read(&path).unwrap(), b"two");
        assert_eq!(fs_err::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
