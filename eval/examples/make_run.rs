//! Makes runs that look trained, to look at the report without training anything:
//!
//! ```sh
//! cargo run --release -p tessera-eval --example make_run -- ROOT [TEXT.txt]
//! cargo run --release -p tessera-eval -- report ROOT/runs/characters ROOT/runs/bigrams ROOT/runs/pieces
//! ```
//!
//! It writes `ROOT/data/` and `ROOT/runs/`: three n-gram models of the text, of which one has a
//! tokenizer of its own. Without a text they are about coloured shapes.

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::process::ExitCode;

use support::text::{Cut, shapes};
use support::{Spec, run};
use tessera_datasets::console::{print, run_main};
use tessera_datasets::{Error, Result};

fn main() -> ExitCode {
    run_main(|| {
        let mut arguments = std::env::args().skip(1);
        let root = arguments.next().ok_or_else(|| Error::input("usage: make_run ROOT [TEXT.txt]"))?;
        let text = arguments.next().map(fs_err::read_to_string).transpose()?;
        make(&PathBuf::from(root), &text.unwrap_or_else(|| shapes(4000, 1)))
    })
}

fn make(root: &std::path::Path, text: &str) -> Result<()> {
    let first_line: String = text.lines().next().unwrap_or_default().chars().take(24).collect();
    let characters = Spec {
        text: text.to_owned(),
        order: 6,
        context: 64,
        steps: 2000,
        explain: 4,
        candidates: 5,
        prompt: format!("{first_line}\n"),
        sample_length: 420,
        parameters: 804_096,
        train_seconds: 231.0,
        eval: "[eval]\nbootstrap = 1000\n".to_owned(),
        ..Spec::tiny("characters")
    };
    let bigrams =
        Spec { name: "bigrams".to_owned(), order: 2, parameters: 4_225, train_seconds: 12.0, ..characters.clone() };
    let pieces = Spec {
        name: "pieces".to_owned(),
        cut: Cut::Pieces,
        order: 3,
        parameters: 2_310_144,
        train_seconds: 418.0,
        sample_length: 160,
        ..characters.clone()
    };
    for spec in [characters, bigrams, pieces] {
        run::make(root, &spec)?;
        print(root.join("runs").join(&spec.name).display().to_string());
    }
    Ok(())
}
