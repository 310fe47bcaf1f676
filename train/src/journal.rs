//! What a run writes down while it goes: `metrics.jsonl` and TensorBoard's event file.

use std::io::Write;

use serde_json::Map;
use tessera_datasets::Result;
use tessera_datasets::files::write_atomic;
use tessera_datasets::run_dir::{MetricLine, RunDir};

use crate::tensorboard::EventFile;

/// The open journal of a run.
pub struct Journal {
    file: fs_err::File,
    events: EventFile,
}

impl Journal {
    /// Opens the journal of a run that goes on after `step`: lines of later steps, left by a kill
    /// after the last checkpoint, are taken out, because those steps will be done again.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn open(run: &RunDir, step: u64) -> Result<Self> {
        let kept: Vec<MetricLine> = run.metrics()?.into_iter().filter(|line| line.step <= step).collect();
        let text: String = kept.iter().map(line_of).collect();
        write_atomic(run.metrics_path(), text.as_bytes())?;
        let file = fs_err::OpenOptions::new().append(true).open(run.metrics_path())?;
        let mut events = EventFile::create(run.path())?;
        for line in &kept {
            events.write(line)?;
        }
        Ok(Self { file, events })
    }

    /// Writes one line.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn write(&mut self, step: u64, split: &str, values: &[(String, f64)]) -> Result<()> {
        let line = MetricLine {
            step,
            split: split.to_owned(),
            values: values.iter().map(|(k, v)| (k.clone(), (*v).into())).collect::<Map<_, _>>(),
        };
        self.file.write_all(line_of(&line).as_bytes())?;
        self.events.write(&line)
    }
}

fn line_of(line: &MetricLine) -> String {
    let mut text = serde_json::to_string(line).expect("plain data can be written");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_after_the_checkpoint_are_taken_out() {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::new(dir.path());
        let mut journal = Journal::open(&run, 0).unwrap();
        for step in 1..=5 {
            journal.write(step, "train", &[("loss".to_owned(), 4.0)]).unwrap();
        }
        drop(journal);
        Journal::open(&run, 3).unwrap();
        let steps: Vec<u64> = run.metrics().unwrap().iter().map(|line| line.step).collect();
        assert_eq!(steps, [1, 2, 3]);
    }
}
