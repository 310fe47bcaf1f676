//! Makes runs that look as if they had learned to optimise poses, to look at the report without
//! training anything:
//!
//! ```sh
//! cargo run --release -p tessera-eval --example make_pose_run -- ROOT
//! cargo run --release -p tessera-eval -- report ROOT/runs/good ROOT/runs/worse
//! ```

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use support::pose::{Walks, make};
use tessera_datasets::console::{print, run_main};
use tessera_datasets::{Error, Result};

fn main() -> ExitCode {
    run_main(|| {
        let root = std::env::args().nth(1).ok_or_else(|| Error::input("usage: make_pose_run ROOT"))?;
        make_all(&PathBuf::from(root))
    })
}

fn make_all(root: &Path) -> Result<()> {
    let good = Walks {
        recordings: 4,
        windows: 5,
        frames: 30,
        copies: 10,
        poses: 60,
        layers: 4,
        heads: 4,
        eval: "[eval]\nbootstrap = 1000\n".to_owned(),
        ..Walks::tiny("good")
    };
    let worse = Walks { name: "worse".to_owned(), off: 3.5, seed: 2, ..good.clone() };
    for walks in [good, worse] {
        print(make(root, &walks)?.run.path().display().to_string());
    }
    Ok(())
}
