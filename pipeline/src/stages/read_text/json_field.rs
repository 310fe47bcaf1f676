//! One field of a JSON object, without building the rest of it.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What a line of JSONL has to say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Field<'a> {
    /// The text.
    Text(Cow<'a, str>),
    /// The object has no such field.
    Missing,
    /// The field is a number, a list, `null`, …
    Other,
    /// The line is JSON, but no object.
    NoObject,
}

/// Looks `name` up in the JSON object `line`. If the object has it twice, the last one counts, as
/// everywhere.
pub(super) fn field_of<'a>(line: &'a str, name: &str) -> serde_json::Result<Field<'a>> {
    let mut json = serde_json::Deserializer::from_str(line);
    let field = json.deserialize_any(Object { name })?;
    json.end()?;
    Ok(field)
}

struct Object<'n> {
    name: &'n str,
}

/// Scalars have nothing to be looked up in; lists must be read to their end.
macro_rules! no_object {
    ($($method:ident: $type:ty),*) => {
        $(fn $method<E>(self, _: $type) -> Result<Field<'de>, E> { Ok(Field::NoObject) })*
    };
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field<'de>, A::Error> {
        let mut found = Field::Missing;
        while let Some(is_it) = map.next_key_seed(KeyIs(self.name))? {
            match is_it {
                true => found = map.next_value_seed(Text)?,
                false => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Field<'de>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::NoObject)
    }

    no_object!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<Field<'de>, E> {
        Ok(Field::NoObject)
    }
}

/// Whether a key is the one that is looked for.
struct KeyIs<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for KeyIs<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<bool, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyIs<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

/// A value, where it is a string.
struct Text;

macro_rules! other {
    ($($method:ident: $type:ty),*) => {
        $(fn $method<E>(self, _: $type) -> Result<Field<'de>, E> { Ok(Field::Other) })*
    };
}

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Field<'de>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Field<'de>, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Field<'de>, E> {
        Ok(Field::Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Field<'de>, E> {
        Ok(Field::Text(text.to_owned().into()))
    }

    other!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64);

    fn visit_unit<E>(self) -> Result<Field<'de>, E> {
        Ok(Field::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Field<'de>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_the_field_or_says_why_not() {
        let text = |t: &str| Field::Text(t.to_owned().into());
        for (line, expected) in [
            (r#"{"text": "a"}"#, text("a")),
            (r#"{"id": [1, {"text": "no"}], "text": "a\nb\u00e4"}"#, text("a\nbä")),
            (r#"{"text": "a", "text": "b"}"#, text("b")),
            (r#"{"body": "a"}"#, Field::Missing),
            (r#"{"text": 3}"#, Field::Other),
            (r#"{"text": null}"#, Field::Other),
            (r#"{"text": ["a"]}"#, Field::Other),
            (r#"{"text": {"text": "a"}}"#, Field::Other),
            (r#"["text"]"#, Field::NoObject),
            ("3.5", Field::NoObject),
            ("null", Field::NoObject),
            (r#""text""#, Field::NoObject),
        ] {
            assert_eq!(field_of(line, "text").unwrap(), expected, "{line}");
        }
        for line in ["", "{", r#"{"text": "a"} x"#, r#"{"text": "a}"#, "{'text': 'a'}", r#"{"a": 1, }"#] {
            assert!(field_of(line, "text").is_err(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(text: String, other: i64, name in "[a-c]") {
            let line = serde_json::json!({ "a": text, "b": other }).to_string();
            let expected = match name.as_str() {
                "a" => Field::Text(text.into()),
                "b" => Field::Other,
                _ => Field::Missing,
            };
            prop_assert_eq!(field_of(&line, &name).unwrap(), expected);
        }
    }
}
