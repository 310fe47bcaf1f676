//! One error for the whole workspace: what is wrong, where, and what to do about it.

use std::fmt;
use std::path::{Path, PathBuf};

/// The result of everything that can fail in Tessera.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Who has to act: the exit code of a program follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The input, the config or the machine is wrong: exit code 1.
    Input,
    /// Tessera is wrong: exit code 2.
    Internal,
}

/// An error with its place and, where there is one, a hint.
///
/// `Display` prints the place and the message, never the source: the chain is printed once, by
/// [`crate::console::report`].
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    fault: Fault,
    message: String,
    path: Option<PathBuf>,
    row: Option<u64>,
    hint: Option<String>,
    source: Option<Source>,
}

impl Error {
    /// The input or the config is wrong.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(Fault::Input, message.into())
    }

    /// Something that cannot happen did.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Fault::Internal, message.into())
    }

    fn new(fault: Fault, message: String) -> Self {
        let (path, row, hint, source) = (None, None, None, None);
        Self(Box::new(Inner { fault, message, path, row, hint, source }))
    }

    /// Names the file, unless a more exact place is already known.
    #[must_use]
    pub fn at(mut self, path: impl AsRef<Path>) -> Self {
        self.0.path.get_or_insert_with(|| path.as_ref().to_path_buf());
        self
    }

    /// Names the row or line, counted from 1, unless it is already known.
    #[must_use]
    pub fn row(mut self, row: u64) -> Self {
        self.0.row.get_or_insert(row);
        self
    }

    /// Counts the row from the beginning of what was read in parts: so many rows were before.
    #[must_use]
    pub fn rows_before(mut self, rows: u64) -> Self {
        if let Some(row) = &mut self.0.row {
            *row += rows;
        }
        self
    }

    /// Says what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Who has to act.
    pub fn fault(&self) -> Fault {
        self.0.fault
    }

    /// The message without its place.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to try, where there is something.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.path, self.0.row) {
            (Some(path), Some(row)) => write!(f, "`{}`, row {row}: ", path.display())?,
            (Some(path), None) => write!(f, "`{}`: ", path.display())?,
            (None, Some(row)) => write!(f, "row {row}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|e| &**e as _)
    }
}

impl From<std::io::Error> for Error {
    /// `fs-err` already names the path and the operation; the machine, not Tessera, is at fault.
    fn from(error: std::io::Error) -> Self {
        let hint = match error.kind() {
            std::io::ErrorKind::StorageFull => {
                Some("the disk is full: free some space and give the same command again")
            }
            std::io::ErrorKind::PermissionDenied => Some("check the permissions of the file and its folder"),
            _ => None,
        };
        let mut out = Self::input(error.to_string());
        out.0.hint = hint.map(String::from);
        out
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::internal(format!("arrow: {error}"))
    }
}

impl From<parquet::errors::ParquetError> for Error {
    fn from(error: parquet::errors::ParquetError) -> Self {
        match error {
            // the operating system's own words, so that a full disk comes with its hint
            parquet::errors::ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
                Ok(io) => Self::from(*io),
                Err(other) => Self::input(other.to_string()),
            },
            other => Self::input(format!("parquet: {other}")),
        }
    }
}

/// Adds the place to an error on its way up.
pub trait ResultExt<T> {
    /// Names the file.
    fn at(self, path: impl AsRef<Path>) -> Result<T>;
    /// Says what to try.
    fn hint(self, hint: impl Into<String>) -> Result<T>;
}

impl<T, E: Into<Error>> ResultExt<T> for Result<T, E> {
    fn at(self, path: impl AsRef<Path>) -> Result<T> {
        self.map_err(|e| e.into().at(path))
    }

    fn hint(self, hint: impl Into<String>) -> Result<T> {
        self.map_err(|e| e.into().hint(hint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_once_and_keeps_the_innermost_place() {
        let error = Error::input("no JSON").at("a.jsonl").row(3).at("outer").row(9);
        assert_eq!(error.to_string(), "`a.jsonl`, row 3: no JSON");
    }

    #[test]
    fn a_full_disk_comes_with_a_hint() {
        let error = Error::from(std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert_eq!(error.fault(), Fault::Input);
        assert!(error.hint_text().unwrap().contains("free some space"));
        let inside = parquet::errors::ParquetError::from(std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert!(Error::from(inside).hint_text().unwrap().contains("free some space"));
    }
}
