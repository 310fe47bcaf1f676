//! How a run came to be, and how to make it again.

use serde::Serialize;
use tessera_datasets::hash::sha256;
use tessera_datasets::manifest::Parent;
use tessera_datasets::run_dir::{Provenance, RunDir};
use tessera_datasets::{Result, ResultExt};

use crate::number::utc;

/// Everything that is known about the making of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Origin {
    /// What the run wrote about itself.
    pub provenance: Provenance,
    /// When it was started, as a date.
    pub started: String,
    /// The command line that started it, as one types it.
    pub command: String,
    /// The resolved config.
    pub config: String,
    /// SHA-256 of the config that is there now.
    pub config_sha256: String,
    /// What the predictions were made from.
    pub parents: Vec<Parent>,
    /// The program that wrote the predictions.
    pub predictions_program: String,
}

impl Origin {
    /// Reads what the run's folder says.
    ///
    /// # Errors
    /// When `config.toml` or `provenance.json` is absent or not readable.
    pub fn read(run: &RunDir, parents: &[Parent], predictions_program: &str) -> Result<Self> {
        let provenance = run.provenance()?;
        let config = fs_err::read_to_string(run.config_path())
            .hint("a run keeps its resolved config: was this folder copied whole?")?;
        Ok(Self {
            started: utc(provenance.started),
            command: command_line(&provenance.command),
            config_sha256: sha256(config.as_bytes()),
            config,
            provenance,
            parents: parents.to_vec(),
            predictions_program: predictions_program.to_owned(),
        })
    }

    /// Whether the revision had changes that were not committed.
    pub fn is_dirty(&self) -> bool {
        self.provenance.revision.ends_with('+')
    }

    /// Whether the same command gives the same bytes.
    pub fn is_reproducible(&self) -> bool {
        let answer = self.provenance.reproducible.trim_start().to_ascii_lowercase();
        answer.starts_with("yes") || answer.starts_with("true")
    }

    /// Why not, where it does not.
    pub fn why_not_reproducible(&self) -> &str {
        reason(&self.provenance.reproducible)
    }
}

/// `no: why` without the `no`.
fn reason(answer: &str) -> &str {
    let answer = answer.trim();
    let rest = answer.strip_prefix("no").and_then(|rest| rest.strip_prefix([':', ',']));
    rest.map_or(answer, str::trim)
}

/// The words of a command line as a POSIX shell reads them.
fn command_line(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    let quoted = words.iter().map(|word| match !word.is_empty() && word.chars().all(plain) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_stands_alone() {
        assert_eq!(reason("no: atomic additions"), "atomic additions");
        assert_eq!(reason("nobody knows"), "nobody knows");
    }

    #[test]
    fn a_command_can_be_typed_again() {
        let words = ["tessera-train", "fit", "a b.toml", "--set", "name='x'", ""].map(String::from);
        assert_eq!(command_line(&words), r"tessera-train fit 'a b.toml' --set 'name='\''x'\''' ''");
    }
}
