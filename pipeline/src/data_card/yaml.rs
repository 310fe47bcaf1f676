//! Front matter: the few shapes of YAML that a data card needs.

use serde_json::{Map, Value, json};

/// A mapping in block style. Strings are quoted as in JSON, which every YAML reader understands and
/// which leaves no `no` to be taken for false.
pub(super) fn block(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0, true);
    out
}

fn write(out: &mut String, value: &Value, depth: usize, at_line_start: bool) {
    let indent = |at_start: bool| if at_start { "  ".repeat(depth) } else { String::new() };
    match value {
        Value::Object(map) => {
            for (i, (key, value)) in map.iter().enumerate() {
                out.push_str(&indent(at_line_start || i > 0));
                match key.chars().all(|c| c.is_ascii_alphabetic() || c == '_') {
                    true => out.push_str(key),
                    false => out.push_str(&json!(key).to_string()),
                }
                out.push(':');
                nested(out, value, depth);
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                out.push_str(&indent(at_line_start || i > 0));
                out.push_str("- ");
                match item {
                    Value::Object(_) | Value::Array(_) => write(out, item, depth + 1, false),
                    scalar => out.push_str(&format!("{scalar}\n")),
                }
            }
        }
        scalar => out.push_str(&format!("{scalar}\n")),
    }
}

fn nested(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(map) if map.is_empty() => out.push_str(" {}\n"),
        Value::Array(items) if items.is_empty() => out.push_str(" []\n"),
        Value::Object(_) | Value::Array(_) => {
            out.push('\n');
            write(out, value, depth + 1, true);
        }
        scalar => out.push_str(&format!(" {scalar}\n")),
    }
}

/// Features as `dataset_info` lists them, which is another spelling than that of the Parquet
/// metadata: see `Features._to_yaml_list` of Hugging Face `datasets` 5.2.
pub(super) fn features(features: &Map<String, Value>) -> Value {
    features.iter().map(|(name, feature)| named(name, feature)).collect()
}

fn named(name: &str, feature: &Value) -> Value {
    let mut out = Map::from_iter([("name".to_owned(), json!(name))]);
    out.extend(spelled(feature));
    Value::Object(out)
}

/// One feature without its name.
fn spelled(feature: &Value) -> Map<String, Value> {
    let field = |name: &str| feature[name].clone();
    let one = |name: &str, value: Value| Map::from_iter([(name.to_owned(), value)]);
    match feature["_type"].as_str() {
        Some("Value") => one("dtype", field("dtype")),
        Some("Image") => one("dtype", json!("image")),
        Some("ClassLabel") => {
            let names = feature["names"].as_array().into_iter().flatten().enumerate();
            let names: Map<String, Value> = names.map(|(i, name)| (i.to_string(), name.clone())).collect();
            one("dtype", json!({ "class_label": { "names": names } }))
        }
        Some("Translation") => one("dtype", json!({ "translation": { "languages": field("languages") } })),
        Some("List") => {
            let item = spelled(&feature["feature"]);
            let item = match item.get("dtype") {
                Some(dtype) if item.len() == 1 => dtype.clone(),
                _ => Value::Object(item),
            };
            let mut out = one("list", item);
            if feature["length"].is_number() {
                out.insert("length".to_owned(), field("length"));
            }
            out
        }
        _ => one("struct", feature.as_object().map_or(Value::Null, features)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_datasets::schema::{image, pose, tokens, translation};

    #[test]
    fn features_are_spelled_as_datasets_spells_them() {
        // `yaml.safe_dump(Features(…)._to_yaml_list())` of `datasets` 5.2.0, in JSON
        let labels = ["a".to_owned(), "b".to_owned()];
        for (schema, column, expected) in [
            (tokens(10), 0, json!({ "name": "input_ids", "list": "uint16" })),
            (
                translation(&["de", "en"]),
                0,
                json!({ "name": "translation", "dtype": { "translation": { "languages": ["de", "en"] } } }),
            ),
            (image(Some(&labels)), 0, json!({ "name": "image", "dtype": "image" })),
            (
                image(Some(&labels)),
                1,
                json!({ "name": "label", "dtype": { "class_label": { "names": { "0": "a", "1": "b" } } } }),
            ),
            (
                pose(14, false),
                0,
                json!({ "name": "keypoints", "list": { "list": "float32", "length": 3 }, "length": 14 }),
            ),
            (pose(14, false), 1, json!({ "name": "mask", "list": "bool", "length": 14 })),
        ] {
            assert_eq!(features(schema.features())[column], expected);
        }
    }

    #[test]
    fn blocks_nest() {
        let value = json!({ "a": [1, { "b": "no", "c": [true] }], "0": {}, "d": { "e": [] } });
        let expected = "a:\n  - 1\n  - b: \"no\"\n    c:\n      - true\n\"0\": {}\nd:\n  e: []\n";
        assert_eq!(block(&value), expected);
    }
}
