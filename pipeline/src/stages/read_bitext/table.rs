//! Tab-separated values: a column for each language.

use tessera_datasets::{Error, Result};

use super::files::Group;
use super::sink::Sink;
use crate::inputs::lines::Lines;

/// The column that is not read.
const NONE: &str = "-";

pub(super) fn read(
    group: &Group,
    columns: Option<&[String]>,
    header: bool,
    languages: &[String],
    advance: &dyn Fn(u64),
    sink: &mut Sink<'_, '_>,
) -> Result<()> {
    let file = &group.files[0];
    let mut lines = Lines::open(file, advance)?;
    let mut names: Vec<String> = columns.map(<[String]>::to_vec).unwrap_or_default();
    if header && let Some(line) = lines.next()? {
        let text = line.text().map_err(|fault| Error::input(fault.reason).at(&file.path).row(1))?;
        if columns.is_none() {
            names = text.split('\t').map(|name| name.trim().to_owned()).collect();
        }
    }
    let places = languages.iter().map(|language| place(&names, language).map_err(|e| e.at(&file.path).row(1)));
    let places = places.collect::<Result<Vec<usize>>>()?;
    while let Some(line) = lines.next()? {
        let text = match line.text() {
            Ok(text) => text,
            Err(fault) => {
                sink.reject(fault.reason, line.number, &fault.excerpt);
                continue;
            }
        };
        let cells: Vec<&str> = text.split('\t').collect();
        if cells.len() != names.len() {
            sink.reject("wrong number of columns", line.number, &format!("{} of {}: {text}", cells.len(), names.len()));
            continue;
        }
        let sentences: Vec<&str> = places.iter().map(|&place| cells[place]).collect();
        sink.push(&sentences, line.number)?;
    }
    Ok(())
}

fn place(names: &[String], language: &str) -> Result<usize> {
    let found = names.iter().position(|name| name == language && name != NONE);
    found.ok_or_else(|| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        Error::input(format!("no column `{language}` among {}", names.join(", ")))
            .hint("where the first line is no header, `columns` says which language each column holds")
    })
}
