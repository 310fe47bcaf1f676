//! Hugging Face `features`, as `datasets` writes them into Parquet metadata and dataset cards.

use arrow::datatypes::DataType;
use serde_json::{Value, json};

/// The feature that `datasets` infers for an Arrow type.
pub(super) fn of_type(data_type: &DataType) -> Value {
    let scalar = |name: &str| json!({ "dtype": name, "_type": "Value" });
    match data_type {
        DataType::Utf8 => scalar("string"),
        DataType::Binary => scalar("binary"),
        DataType::Boolean => scalar("bool"),
        DataType::UInt8 => scalar("uint8"),
        DataType::UInt16 => scalar("uint16"),
        DataType::UInt32 => scalar("uint32"),
        DataType::UInt64 => scalar("uint64"),
        DataType::Int32 => scalar("int32"),
        DataType::Int64 => scalar("int64"),
        DataType::Float32 => scalar("float32"),
        DataType::Float64 => scalar("float64"),
        DataType::List(item) => json!({ "feature": of_type(item.data_type()), "_type": "List" }),
        DataType::FixedSizeList(item, length) => {
            json!({ "feature": of_type(item.data_type()), "length": length, "_type": "List" })
        }
        DataType::Struct(fields) => {
            fields.iter().map(|f| (f.name().clone(), of_type(f.data_type()))).collect::<serde_json::Map<_, _>>().into()
        }
        other => unreachable!("no record kind has a column of type {other}"),
    }
}

/// The `Image` feature over `struct<bytes: binary, path: string>`.
pub(super) fn image() -> Value {
    json!({ "_type": "Image" })
}

/// A class label with its names.
pub(super) fn class_label(names: &[String]) -> Value {
    json!({ "names": names, "_type": "ClassLabel" })
}

/// A sentence by language; the languages must be sorted.
pub(super) fn translation(languages: &[String]) -> Value {
    json!({ "languages": languages, "_type": "Translation" })
}
