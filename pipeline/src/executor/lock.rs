//! One pipeline for each folder.

use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use tessera_datasets::{Error, Result};

/// The name of the file that is locked.
pub(super) const LOCK: &str = ".lock";

/// Held while a dataset is made. The operating system lets go of it when the process ends in
/// whatever way, so a file that a killed process has left is taken over.
pub(super) struct Lock {
    path: PathBuf,
    _file: std::fs::File,
}

impl Lock {
    /// Takes the lock of a dataset's folder, which is made if need be.
    ///
    /// # Errors
    /// When another process holds it.
    pub(super) fn take(dir: &Path) -> Result<Self> {
        fs_err::create_dir_all(dir)?;
        let path = dir.join(LOCK);
        loop {
            let options = fs_err::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
            let mut file = options.into_parts().0;
            match file.try_lock() {
                Ok(()) => {}
                Err(std::fs::TryLockError::WouldBlock) => return Err(held(&mut file, dir)),
                Err(std::fs::TryLockError::Error(e)) => return Err(Error::from(e).at(&path)),
            }
            // its holder may have removed it between our opening and locking it
            if !is_file_at(&file, &path) {
                continue;
            }
            file.set_len(0)?;
            file.rewind()?;
            write!(file, "{}", std::process::id())?;
            return Ok(Self { path, _file: file });
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // best done while it is still locked; if it fails, the next process takes the file over
        let _ = fs_err::remove_file(&self.path);
    }
}

fn held(file: &mut std::fs::File, dir: &Path) -> Error {
    let mut holder = String::new();
    let _ = file.read_to_string(&mut holder);
    let holder = match holder.trim().parse::<u32>() {
        Ok(id) => format!("process {id}"),
        Err(_) => "another process".to_owned(),
    };
    Error::input(format!("{holder} is making this dataset"))
        .at(dir)
        .hint("wait for it, or give the config another `name`")
}

#[cfg(unix)]
fn is_file_at(file: &std::fs::File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_file_at(_: &std::fs::File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_holds_it_and_a_left_file_is_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        fs_err::write(dir.path().join(".lock"), "4194999").unwrap();
        let lock = Lock::take(dir.path()).unwrap();
        let error = Lock::take(dir.path()).err().unwrap().to_string();
        assert!(error.contains(&format!("process {} is making", std::process::id())), "{error}");
        drop(lock);
        assert!(!dir.path().join(".lock").exists());
        Lock::take(dir.path()).unwrap();
    }
}
