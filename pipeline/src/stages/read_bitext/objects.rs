//! JSON lines: a field for each language.

use std::borrow::Cow;

use tessera_datasets::Result;

use super::files::Group;
use super::sink::Sink;
use crate::inputs::json::{Field, fields_of};
use crate::inputs::lines::{Lines, without_returns};

/// The object that holds the sentences where they are not at the top, as `datasets` writes it.
const WITHIN: &str = "translation";

pub(super) fn read(group: &Group, fields: &[String], advance: &dyn Fn(u64), sink: &mut Sink<'_, '_>) -> Result<()> {
    let mut lines = Lines::open(&group.files[0], advance)?;
    while let Some(line) = lines.next()? {
        let place = line.number;
        let text = match line.text() {
            Ok(text) => text,
            Err(fault) => {
                sink.reject(fault.reason, place, &fault.excerpt);
                continue;
            }
        };
        let mut found = vec![Field::Missing; fields.len()];
        match fields_of(text, fields, Some(WITHIN), &mut found) {
            Ok(true) => push(&found, fields, text, place, sink)?,
            Ok(false) => sink.reject("not a JSON object", place, text),
            Err(error) => sink.reject("not JSON", place, &format!("{error} in {text}")),
        }
    }
    Ok(())
}

fn push(found: &[Field<'_>], fields: &[String], line: &str, place: u64, sink: &mut Sink<'_, '_>) -> Result<()> {
    let mut sentences: Vec<Cow<'_, str>> = Vec::with_capacity(found.len());
    for (field, name) in found.iter().zip(fields) {
        let reason = match field {
            Field::Text(text) => {
                sentences.push(without_returns(text));
                continue;
            }
            Field::Missing => "field missing",
            Field::Other => "field not a string",
        };
        sink.reject(reason, place, &format!("`{name}` in {line}"));
        return Ok(());
    }
    sink.push(&sentences, place)
}
