//! `report.json`: indented, but numbers in a row stay in a row.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{Formatter, PrettyFormatter};
use tessera_datasets::{Error, Result};

/// The bytes of a value.
///
/// # Errors
/// Never, unless the structure holds what JSON cannot: a fault of ours.
pub(super) fn bytes(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Rows::default());
    value.serialize(&mut serializer).map_err(|e| Error::internal(format!("report.json: {e}")))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Indents everything but lists of numbers: a curve or a row of weights is one line.
#[derive(Default)]
struct Rows {
    indented: PrettyFormatter<'static>,
    /// What separates the next value of a list from what is before it, where it is known only when
    /// the value comes: whether it is the first.
    waiting: Option<bool>,
    /// Whether the last value of a list was a number.
    after_number: bool,
}

impl Rows {
    /// The value of a list that begins now is no number: it gets a line of its own.
    fn settle<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        match self.waiting.take() {
            Some(first) => self.indented.begin_array_value(out, first),
            None => Ok(()),
        }
    }

    fn settle_number<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.after_number = true;
        match self.waiting.take() {
            Some(false) => out.write_all(b", "),
            _ => Ok(()),
        }
    }
}

macro_rules! numbers {
    ($($name:ident: $type:ty),*) => {
        $(fn $name<W: ?Sized + Write>(&mut self, out: &mut W, value: $type) -> io::Result<()> {
            self.settle_number(out)?;
            self.indented.$name(out, value)
        })*
    };
}

impl Formatter for Rows {
    numbers!(
        write_u8: u8, write_u16: u16, write_u32: u32, write_u64: u64, write_i8: i8, write_i16: i16, write_i32: i32,
        write_i64: i64, write_f32: f32, write_f64: f64
    );

    fn write_null<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.settle(out)?;
        self.indented.write_null(out)
    }

    fn write_bool<W: ?Sized + Write>(&mut self, out: &mut W, value: bool) -> io::Result<()> {
        self.settle(out)?;
        self.indented.write_bool(out, value)
    }

    fn begin_string<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.settle(out)?;
        self.indented.begin_string(out)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.settle(out)?;
        self.indented.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        if !std::mem::take(&mut self.after_number) {
            return self.indented.end_array(out);
        }
        // on the line of its numbers: what is written is thrown away, the depth is not
        self.indented.end_array(&mut io::sink())?;
        out.write_all(b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, _: &mut W, first: bool) -> io::Result<()> {
        self.waiting = Some(first);
        self.after_number = false;
        Ok(())
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.indented.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.settle(out)?;
        self.indented.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.after_number = false;
        self.indented.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.indented.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.indented.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.indented.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A type of number that nobody thought of would lose its commas.
    #[test]
    fn all_numbers_have_their_commas() {
        let numbers =
            ([1_i8, -2], [1_i16, -2], [1_i32, -2], [1_i64, -2], [1_u8, 2], [1_u16, 2], [1_u32, 2], [1.5_f32, 2.0]);
        let back: Value = serde_json::from_slice(&bytes(&numbers).unwrap()).unwrap();
        assert_eq!(back, json!([[1, -2], [1, -2], [1, -2], [1, -2], [1, 2], [1, 2], [1, 2], [1.5, 2.0]]));
    }

    #[test]
    fn numbers_stay_in_a_row_and_nothing_else_does() {
        let value = json!({ "a": [1, 2.5, -3], "b": [], "c": [[1], [2, 3]], "d": ["x", "y"], "e": [{ "f": 1 }], "g": [[], [null]] });
        let text = String::from_utf8(bytes(&value).unwrap()).unwrap();
        let expected = r#"{
  "a": [1, 2.5, -3],
  "b": [],
  "c": [
    [1],
    [2, 3]
  ],
  "d": [
    "x",
    "y"
  ],
  "e": [
    {
      "f": 1
    }
  ],
  "g": [
    [],
    [
      null
    ]
  ]
}
"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
