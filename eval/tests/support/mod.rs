//! Makes a run that looks like one that was trained, with the writers that real runs use.
//!
//! The model is an n-gram model over a text, so losses, candidates and samples are real; only the
//! learning curves are drawn.

#![allow(dead_code, unreachable_pub, reason = "each test and the example use a part of it")]

pub mod images;
pub mod markup;
pub mod ngram;
pub mod pose;
pub mod run;
pub mod tables;
pub mod text;
pub mod translation;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub use run::{Made, Spec};

/// Runs the real binary.
pub fn tessera_eval(arguments: &[&str], dir: &Path) -> Output {
    // absent where an example includes this file, which runs nothing
    Command::new(option_env!("CARGO_BIN_EXE_tessera-eval").unwrap_or("tessera-eval"))
        .args(arguments)
        .current_dir(dir)
        .output()
        .expect("the binary was built")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder with one small run `runs/tiny` on `data/tiny`.
pub struct Place {
    pub dir: tempfile::TempDir,
    pub made: Made,
}

impl Place {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Spec)) -> Self {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let mut spec = Spec::tiny("tiny");
        change(&mut spec);
        let made = run::make(dir.path(), &spec).expect("a run can be made");
        Self { dir, made }
    }

    /// Another run beside the first.
    pub fn add(&self, name: &str, change: impl FnOnce(&mut Spec)) -> Made {
        let mut spec = Spec::tiny(name);
        change(&mut spec);
        run::make(self.dir.path(), &spec).expect("a run can be made")
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn run(&self) -> PathBuf {
        self.path().join("runs/tiny")
    }

    pub fn predictions(&self) -> PathBuf {
        self.run().join("predictions/validation")
    }

    pub fn report(&self, file: &str) -> String {
        fs_err::read_to_string(self.run().join("report").join(file)).expect("the report was written")
    }
}
