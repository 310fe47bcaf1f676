//! Fields of a JSON object, without building the rest of it.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What a line of JSONL has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    /// The text.
    Text(Cow<'a, str>),
    /// The object has no such field.
    Missing,
    /// The field is a number, a list, `null`, …
    Other,
}

/// Looks `names` up in the JSON object `line`, and in the object in its field `within` where it has
/// one; `found` has a place for each. If there are several of a name, the last one counts, as
/// everywhere. False where the line is JSON, but no object.
pub(crate) fn fields_of<'a, N: AsRef<str>>(
    line: &'a str,
    names: &[N],
    within: Option<&str>,
    found: &mut [Field<'a>],
) -> serde_json::Result<bool> {
    found.fill(Field::Missing);
    let mut json = serde_json::Deserializer::from_str(line);
    let is_object = Object { names, within, found }.deserialize(&mut json)?;
    json.end()?;
    Ok(is_object)
}

/// An object with fields that are looked for; false for any other value.
struct Object<'n, 'f, 'de, N> {
    names: &'n [N],
    within: Option<&'n str>,
    found: &'f mut [Field<'de>],
}

impl<'de, N: AsRef<str>> DeserializeSeed<'de> for Object<'_, '_, 'de, N> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<bool, D::Error> {
        value.deserialize_any(self)
    }
}

/// Scalars have nothing to be looked up in; lists must be read to their end.
macro_rules! no_object {
    ($($method:ident: $type:ty),*) => {
        $(fn $method<E>(self, _: $type) -> Result<bool, E> { Ok(false) })*
    };
}

impl<'de, N: AsRef<str>> Visitor<'de> for Object<'_, '_, 'de, N> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let Self { names, within, found } = self;
        while let Some(key) = map.next_key_seed(WhichKey { names, within })? {
            match key {
                Key::Name(i) => found[i] = map.next_value_seed(Text)?,
                Key::Within => {
                    map.next_value_seed(Object { names, within: None, found: &mut *found })?;
                }
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    no_object!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

/// What a key is to the search.
enum Key {
    Name(usize),
    Within,
    Other,
}

struct WhichKey<'n, N> {
    names: &'n [N],
    within: Option<&'n str>,
}

impl<'de, N: AsRef<str>> DeserializeSeed<'de> for WhichKey<'_, N> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Key, D::Error> {
        key.deserialize_str(self)
    }
}

impl<N: AsRef<str>> Visitor<'_> for WhichKey<'_, N> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Key, E> {
        Ok(match self.names.iter().position(|name| name.as_ref() == key) {
            Some(i) => Key::Name(i),
            None if self.within == Some(key) => Key::Within,
            None => Key::Other,
        })
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

    fn text(t: &str) -> Field<'static> {
        Field::Text(t.to_owned().into())
    }

    /// The field `text`; nothing where the line is no object.
    fn field(line: &str) -> serde_json::Result<Option<Field<'_>>> {
        let mut found = [Field::Missing];
        let is_object = fields_of(line, &["text"], None, &mut found)?;
        let [field] = found;
        Ok(is_object.then_some(field))
    }

    #[test]
    fn finds_the_field_or_says_why_not() {
        for (line, expected) in [
            (r#"{"text": "a"}"#, Some(text("a"))),
            (r#"{"id": [1, {"text": "no"}], "text": "a\nb\u00e4"}"#, Some(text("a\nbä"))),
            (r#"{"text": "a", "text": "b"}"#, Some(text("b"))),
            (r#"{"body": "a"}"#, Some(Field::Missing)),
            (r#"{"text": 3}"#, Some(Field::Other)),
            (r#"{"text": null}"#, Some(Field::Other)),
            (r#"{"text": ["a"]}"#, Some(Field::Other)),
            (r#"{"text": {"text": "a"}}"#, Some(Field::Other)),
            (r#"["text"]"#, None),
            ("3.5", None),
            ("null", None),
            (r#""text""#, None),
        ] {
            assert_eq!(field(line).unwrap(), expected, "{line}");
        }
        for line in ["", "{", r#"{"text": "a"} x"#, r#"{"text": "a}"#, "{'text': 'a'}", r#"{"a": 1, }"#] {
            assert!(field(line).is_err(), "{line}");
        }
    }

    #[test]
    fn several_fields_are_found_at_the_top_or_one_object_below() {
        let names = ["de", "en"];
        for (line, expected) in [
            (r#"{"en": "a", "x": {"de": "no"}, "de": "b"}"#, [text("b"), text("a")]),
            (r#"{"translation": {"en": "a", "de": 1, "fr": "c"}}"#, [Field::Other, text("a")]),
            (r#"{"de": "b", "translation": {"en": "a", "translation": {"de": "no"}}}"#, [text("b"), text("a")]),
            (r#"{"translation": ["en", "de"]}"#, [Field::Missing, Field::Missing]),
        ] {
            let mut found = [Field::Other, Field::Other];
            assert!(fields_of(line, &names, Some("translation"), &mut found).unwrap(), "{line}");
            assert_eq!(found, expected, "{line}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(value: String, other: i64, name in "[a-c]") {
            let line = serde_json::json!({ "a": value, "b": other }).to_string();
            let expected = match name.as_str() {
                "a" => text(&value),
                "b" => Field::Other,
                _ => Field::Missing,
            };
            let mut found = [Field::Missing];
            prop_assert!(fields_of(&line, &[&name], None, &mut found).unwrap());
            prop_assert_eq!(&found[0], &expected);
        }
    }
}
