//! Makes runs that look as if they had learned to classify images, to look at the report without
//! training anything:
//!
//! ```sh
//! cargo run --release -p tessera-eval --example make_classification_run -- ROOT
//! cargo run --release -p tessera-eval -- report ROOT/runs/vit ROOT/runs/convnext ROOT/runs/twin
//! ```

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use support::images::{Family, Gallery, make, names};
use tessera_datasets::console::{print, run_main};
use tessera_datasets::{Error, Result};

fn main() -> ExitCode {
    run_main(|| {
        let root = std::env::args().nth(1).ok_or_else(|| Error::input("usage: make_classification_run ROOT"))?;
        make_all(&PathBuf::from(root))
    })
}

fn make_all(root: &Path) -> Result<()> {
    let vit = Gallery {
        images: 3000,
        classes: names(10),
        certainty: 1.5,
        explain: 8,
        layers: 12,
        heads: 3,
        eval: "[eval]\nbootstrap = 1000\n".to_owned(),
        ..Gallery::tiny("vit")
    };
    let convnext =
        Gallery { name: "convnext".to_owned(), family: Family::Convnext, skill: 3.0, seed: 2, ..vit.clone() };
    let twin = Gallery { name: "twin".to_owned(), seed: 3, ..vit.clone() };
    let many = Gallery {
        name: "many".to_owned(),
        classes: names(200),
        skill: 4.0,
        certainty: 0.8,
        unknown: 12,
        layers: 12,
        heads: 12,
        seed: 4,
        ..vit.clone()
    };
    for gallery in [vit, convnext, twin, many] {
        print(make(root, &gallery)?.run.path().display().to_string());
    }
    Ok(())
}
