//! Files of one language each, line beside line.

use tessera_datasets::console::thousands;
use tessera_datasets::{Error, Result};

use super::files::Group;
use super::sink::Sink;
use crate::inputs::lines::Lines;

pub(super) fn read(group: &Group, advance: &dyn Fn(u64), sink: &mut Sink<'_, '_>) -> Result<()> {
    let mut sides = group.files.iter().map(|file| Lines::open(file, advance)).collect::<Result<Vec<_>>>()?;
    loop {
        let mut going_on = 0;
        for side in &mut sides {
            going_on += usize::from(side.advance()?);
        }
        if going_on == 0 {
            return Ok(());
        }
        if going_on < sides.len() {
            return Err(uneven(group, &mut sides)?);
        }
        push(&sides, sink)?;
    }
}

fn push(sides: &[Lines<'_>], sink: &mut Sink<'_, '_>) -> Result<()> {
    let mut sentences = Vec::with_capacity(sides.len());
    let mut number = 0;
    for (language, side) in sides.iter().enumerate() {
        let line = side.line();
        number = line.number;
        match line.text() {
            Ok(text) => sentences.push(text),
            Err(fault) => {
                sink.reject_side(fault.reason, language, number, &fault.excerpt);
                return Ok(());
            }
        }
    }
    sink.push(&sentences, number)
}

/// The error that names all files with their lines.
fn uneven(group: &Group, sides: &mut [Lines<'_>]) -> Result<Error> {
    let mut counts = Vec::new();
    for (file, side) in group.files.iter().zip(sides) {
        let lines = side.count()?;
        let noun = if lines == 1 { "line" } else { "lines" };
        counts.push(format!("`{}` has {} {noun}", file.path.display(), thousands(lines)));
    }
    let message = format!("aligned files differ in length: {}", counts.join(", "));
    Ok(Error::input(message).hint("each line must be the translation of the same line beside it; is a file cut short?"))
}
