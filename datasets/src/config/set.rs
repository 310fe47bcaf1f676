//! `--set train.steps=10`: overrides from the command line.

use toml::{Table, Value};

use crate::{Error, Result};

/// Applies one `key.path=value`. The value is TOML where it parses, else a string; `stage.0.valid`
/// reaches into an array. A key that no component knows is refused when the component parses it.
pub(super) fn apply(table: &mut Table, assignment: &str) -> Result<()> {
    let wrong = |message: String| {
        Error::input(format!("`--set {assignment}`: {message}")).hint("write it as `--set train.steps=10`")
    };
    let (keys, text) = assignment.split_once('=').ok_or_else(|| wrong("no `=`".to_owned()))?;
    let keys: Vec<&str> = keys.trim().split('.').collect();
    if keys.iter().any(|k| k.is_empty()) {
        return Err(wrong("an empty key".to_owned()));
    }
    let (last, parents) = keys.split_last().expect("a split string has a part");
    let mut root = Value::Table(std::mem::take(table));
    let mut place = &mut root;
    for key in parents {
        place = step(place, key).ok_or_else(|| wrong(format!("`{key}` is not there or holds no keys")))?;
    }
    let value = parse_value(text.trim());
    match place {
        Value::Table(inner) => {
            inner.insert((*last).to_owned(), value);
        }
        Value::Array(items) => {
            let slot = last.parse::<usize>().ok().and_then(|i| items.get_mut(i));
            *slot.ok_or_else(|| wrong(format!("no element `{last}`")))? = value;
        }
        _ => return Err(wrong(format!("nothing can be set below `{}`", parents.join(".")))),
    }
    if let Value::Table(inner) = root {
        *table = inner;
    }
    Ok(())
}

fn step<'a>(place: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    match place {
        Value::Table(table) => Some(table.entry(key.to_owned()).or_insert_with(|| Value::Table(Table::new()))),
        Value::Array(items) => items.get_mut(key.parse::<usize>().ok()?),
        _ => None,
    }
}

fn parse_value(text: &str) -> Value {
    let parsed = toml::from_str::<Table>(&format!("value = {text}"));
    match parsed.ok().and_then(|mut t| t.remove("value")) {
        Some(value) => value,
        None => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reaches_into_arrays_of_tables() {
        let mut table: Table = toml::from_str("[[stage]]\nkind = \"split\"\nvalid = 0.1\n").unwrap();
        apply(&mut table, "stage.0.valid=0.2").unwrap();
        assert_eq!(table["stage"][0]["valid"].as_float(), Some(0.2));
        assert!(apply(&mut table, "stage.3.valid=0.2").is_err());
    }

    #[test]
    fn plain_words_are_strings() {
        assert_eq!(parse_value("cuda:1"), Value::String("cuda:1".to_owned()));
        assert_eq!(parse_value("true"), Value::Boolean(true));
        assert_eq!(parse_value("[1, 2]").as_array().map(Vec::len), Some(2));
    }
}
