//! `.jsonl`: an object in each line.

use serde_json::{Map, Value};
use tessera_datasets::Result;

use super::super::columns::Columns;
use super::{Fault, Line, Take};
use crate::inputs::InputFile;
use crate::inputs::lines::Lines;

pub(super) fn read(file: &InputFile, columns: &Columns, take: &mut Take<'_>) -> Result<()> {
    let mut lines = Lines::open(file, &|_| {})?;
    while let Some(line) = lines.next()? {
        let number = line.number;
        let text = match line.text() {
            Ok(text) => text,
            Err(fault) => {
                take(number, Err(Fault { reason: fault.reason, excerpt: &fault.excerpt }))?;
                continue;
            }
        };
        if text.trim().is_empty() {
            continue;
        }
        let object = match serde_json::from_str(text) {
            Ok(Value::Object(object)) => object,
            Ok(_) => {
                take(number, Err(Fault { reason: "not a JSON object", excerpt: text }))?;
                continue;
            }
            Err(error) => {
                take(number, Err(Fault { reason: "not JSON", excerpt: &format!("{error} in {text}") }))?;
                continue;
            }
        };
        let [file, label, caption, split] =
            [&columns.file, &columns.label, &columns.caption, &columns.split].map(|names| field(&object, names));
        let [file, label, caption, split] = [&file, &label, &caption, &split].map(Option::as_deref);
        match file {
            Some(file) => take(number, Ok(Line { file, label, caption, split }))?,
            None => take(number, Err(Fault { reason: "no file named", excerpt: text }))?,
        }
    }
    Ok(())
}

/// A string or a number as text, where it is one of these.
fn field(object: &Map<String, Value>, names: &[String]) -> Option<String> {
    let text = match names.iter().find_map(|name| object.get(name))? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}
