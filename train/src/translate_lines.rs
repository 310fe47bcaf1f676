//! `tessera-train translate`: lines in, translations out.

use std::io::{BufRead, Write};

use tessera_datasets::{Error, Result};

use crate::task::{Task, Translation};

/// Translates lines until the input ends. `chunk` lines are read before any is translated, so
/// that sentences of like length can be translated side by side; the translations come in the
/// order of the lines.
///
/// # Errors
/// When a line is no UTF-8 or cannot be encoded.
pub fn translate_lines(
    task: &mut dyn Task,
    mut input: impl BufRead,
    chunk: usize,
    n_best: usize,
    scores: bool,
) -> Result<()> {
    let mut output = std::io::stdout().lock();
    let mut first = 0;
    loop {
        let lines = read_lines(&mut input, chunk, first)?;
        if lines.is_empty() {
            return Ok(());
        }
        let translations =
            task.translate(&lines).map_err(|error| error.rows_before(first as u64).at("standard input"))?;
        for (row, translation) in translations.iter().enumerate() {
            match write_one(&mut output, first + row, translation, n_best, scores) {
                // whoever reads has had enough, as `| head` does
                Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
                other => other?,
            }
        }
        first += lines.len();
    }
}

fn read_lines(input: &mut impl BufRead, chunk: usize, first: usize) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut bytes = Vec::new();
    while lines.len() < chunk {
        bytes.clear();
        if input.read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Error::input("no UTF-8").row((first + lines.len()) as u64 + 1).at("standard input"))?;
        lines.push(text.trim_end_matches(['\n', '\r']).to_owned());
    }
    Ok(lines)
}

fn write_one(
    output: &mut impl Write,
    row: usize,
    translation: &Translation,
    n_best: usize,
    scores: bool,
) -> std::io::Result<()> {
    for one in translation.hypotheses.iter().take(n_best) {
        // a line in is a line out
        let text = one.text.replace(['\n', '\r'], " ");
        match scores || n_best > 1 {
            true => writeln!(output, "{row} ||| {text} ||| {:.6} ||| {:.6}", one.log_probability, one.score)?,
            false => writeln!(output, "{text}")?,
        }
    }
    output.flush()
}
