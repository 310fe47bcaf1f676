//! Makes runs that look as if they had learned to translate, to look at the report without
//! training anything:
//!
//! ```sh
//! cargo run --release -p tessera-eval --example make_translation_run -- ROOT
//! cargo run --release -p tessera-eval -- report ROOT/runs/good ROOT/runs/fair ROOT/runs/poor
//! ```

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::process::ExitCode;

use support::translation::{Speech, make};
use tessera_datasets::console::{print, run_main};
use tessera_datasets::run_dir::Average;
use tessera_datasets::{Error, Result};

fn main() -> ExitCode {
    run_main(|| {
        let root = std::env::args().nth(1).ok_or_else(|| Error::input("usage: make_translation_run ROOT"))?;
        make_all(&PathBuf::from(root))
    })
}

fn make_all(root: &std::path::Path) -> Result<()> {
    let given = |hypothesis: &str| {
        let references = vec!["Ein <b>rotes</b> Quadrat & ein Kreis.".to_owned()];
        ("A <b>red</b> square & a circle.".to_owned(), references, hypothesis.to_owned())
    };
    let good = Speech {
        sentences: 600,
        mistakes: 0.08,
        layers: 3,
        heads: 4,
        explain: 3,
        eval: "[eval]\nbootstrap = 1000\n".to_owned(),
        given: vec![given("Ein <b>rotes</b> Quadrat & ein ein ein ein ein Kreis."), given("")],
        ..Speech::tiny("good")
    };
    let fair = Speech { name: "fair".to_owned(), mistakes: 0.085, seed: 2, ..good.clone() };
    let poor = Speech { name: "poor".to_owned(), mistakes: 0.3, seed: 3, ..good.clone() };
    for speech in [good, fair, poor] {
        let made = make(root, &speech)?;
        let average = Average { version: 1, steps: vec![200, 300, 400], last_loss: 1.31, average_loss: 1.26 };
        made.run.write_average(&average)?;
        print(made.run.path().display().to_string());
    }
    Ok(())
}
