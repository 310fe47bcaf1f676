//! One constructor per record kind. `docs/formats.md` describes the same columns in words.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};

use super::{Kind, Layout, RecordSchema, features};

/// `text: string` and the provenance.
pub fn text() -> RecordSchema {
    RecordSchema::new(Kind::Text).column("text", DataType::Utf8, false).with_provenance()
}

/// `input_ids: list<uint16 or uint32>`, `bytes: uint32` (UTF-8 bytes that the ids stand for) and
/// the provenance of the row's first token.
pub fn tokens(vocabulary: usize) -> RecordSchema {
    RecordSchema::new(Kind::Tokens)
        .column("input_ids", list(token_type(vocabulary)), false)
        .laid_out(Layout::Tokens)
        .column("bytes", DataType::UInt32, false)
        .with_provenance()
}

/// The smallest unsigned integer that holds every id: `uint16` or `uint32`.
pub fn token_type(vocabulary: usize) -> DataType {
    match vocabulary <= usize::from(u16::MAX) + 1 {
        true => DataType::UInt16,
        false => DataType::UInt32,
    }
}

/// `translation: struct<de: string, en: string, …>` with the languages sorted, and the provenance.
pub fn translation(languages: &[&str]) -> RecordSchema {
    let mut languages: Vec<String> = languages.iter().map(|l| (*l).to_owned()).collect();
    languages.sort();
    let fields: Fields = languages.iter().map(|l| Field::new(l, DataType::Utf8, true)).collect();
    let feature = features::translation(&languages);
    RecordSchema::new(Kind::Translation).column_as("translation", DataType::Struct(fields), feature).with_provenance()
}

/// `image: struct<bytes, path>`, `label: int64` where there are classes, and the provenance.
pub fn image(classes: Option<&[String]>) -> RecordSchema {
    let schema = image_column(RecordSchema::new(Kind::Image));
    match classes {
        Some(names) => schema.column_as("label", DataType::Int64, features::class_label(names)),
        None => schema,
    }
    .with_provenance()
}

/// `image: struct<bytes, path>`, `caption: string` and the provenance.
pub fn caption() -> RecordSchema {
    image_column(RecordSchema::new(Kind::Caption)).column("caption", DataType::Utf8, false).with_provenance()
}

/// `vq_ids: fixed_size_list<uint16 or uint32, rows * columns>` in reading order, `caption: string`
/// (empty where there is none) and the provenance.
pub fn image_tokens(rows: usize, columns: usize, codes: usize) -> RecordSchema {
    RecordSchema::new(Kind::ImageTokens)
        .column("vq_ids", fixed_list(token_type(codes), rows * columns), false)
        .laid_out(Layout::Tokens)
        .column("caption", DataType::Utf8, false)
        .with_provenance()
}

/// One frame: `keypoints: fixed_size_list<fixed_size_list<float32, 3>, K>`,
/// `mask: fixed_size_list<bool, K>` (true where the keypoint was seen; the coordinates of one that
/// was not are 0 and mean nothing), `truth` like `keypoints` where it is known, `subject: string`,
/// `frame: int64` and the provenance.
pub fn pose(keypoints: usize, truth: bool) -> RecordSchema {
    let points = fixed_list(fixed_list(DataType::Float32, 3), keypoints);
    let schema = RecordSchema::new(Kind::Pose).column("keypoints", points.clone(), false).column(
        "mask",
        fixed_list(DataType::Boolean, keypoints),
        false,
    );
    let schema = match truth {
        true => schema.column("truth", points, false),
        false => schema,
    };
    schema.column("subject", DataType::Utf8, false).column("frame", DataType::Int64, false).with_provenance()
}

/// T frames of K keypoints in succession, flat in the order frame, keypoint, coordinate.
///
/// `input` and `target: fixed_size_list<float32, T·K·3>`; `given` and `known:
/// fixed_size_list<bool, T·K>`, true where `input` and `target` say something (elsewhere they are
/// 0); `frames: uint32`, how many of the T frames are there, the rest is padding; `corruption:
/// string`, what was done to the input; `subject: string`; `frame: int64`, the number of the
/// first; and the provenance.
pub fn pose_windows(frames: usize, keypoints: usize) -> RecordSchema {
    let points = fixed_list(DataType::Float32, frames * keypoints * 3);
    let marks = fixed_list(DataType::Boolean, frames * keypoints);
    RecordSchema::new(Kind::PoseWindows)
        .column("input", points.clone(), false)
        .column("given", marks.clone(), false)
        .column("target", points, false)
        .column("known", marks, false)
        .column("frames", DataType::UInt32, false)
        .column("corruption", DataType::Utf8, false)
        .column("subject", DataType::Utf8, false)
        .column("frame", DataType::Int64, false)
        .with_provenance()
}

/// What a model made of one window of poses, beside what it was given, the truth, and what simpler
/// methods make of the same input.
///
/// `id`, `subject`, `frame`, `frames`, `corruption`, `input`, `given`, `target`, `known` as in
/// [`pose_windows`]; `optimised`, `interpolated`, `kalman` and `template`:
/// `fixed_size_list<float32, T·K·3>`, a position for every keypoint of every frame by the model, by
/// linear interpolation, by a Kalman smoother, and by the nearest poses of the training split.
pub fn pose_predictions(frames: usize, keypoints: usize) -> RecordSchema {
    let points = fixed_list(DataType::Float32, frames * keypoints * 3);
    let marks = fixed_list(DataType::Boolean, frames * keypoints);
    let schema = RecordSchema::new(Kind::Predictions)
        .column("id", DataType::Utf8, false)
        .column("subject", DataType::Utf8, false)
        .column("frame", DataType::Int64, false)
        .column("frames", DataType::UInt32, false)
        .column("corruption", DataType::Utf8, false)
        .column("input", points.clone(), false)
        .column("given", marks.clone(), false)
        .column("target", points.clone(), false)
        .column("known", marks, false);
    let estimates = ["optimised", "interpolated", "kalman", "template"];
    estimates.iter().fold(schema, |schema, name| schema.column(name, points.clone(), false))
}

/// What a language model said about one window of text.
///
/// `id`; `offset: uint64` (position of the first scored token in the split); `tokens: uint32` and
/// `bytes: uint32` scored; `nll: float64`, the sum over the window in nats; `token_nll:
/// list<float32>`; `correct: uint32`, tokens whose most probable guess was right; `text: string`.
pub fn language_model_predictions() -> RecordSchema {
    RecordSchema::new(Kind::Predictions)
        .column("id", DataType::Utf8, false)
        .column("offset", DataType::UInt64, false)
        .column("tokens", DataType::UInt32, false)
        .column("bytes", DataType::UInt32, false)
        .column("nll", DataType::Float64, false)
        .column("token_nll", list(DataType::Float32), false)
        .column("correct", DataType::UInt32, false)
        .column("text", DataType::Utf8, false)
}

/// What a translation model made of one sentence.
///
/// `id`, `source`, `references: list<string>`, `hypothesis`; `score: float64`, what the beam ranks
/// by (log-probability over the length penalty); `log_probability: float64` in nats;
/// `hypothesis_tokens: list<string>`; `token_scores: list<float32>`, the log-probability of each
/// and of the end; `nbest: list<string>` and `nbest_scores: list<float64>`, best first. Of the
/// first reference, as of a language model's text: `tokens: uint32` (the end among them),
/// `bytes: uint32`, `nll: float64` (sum in nats), `correct: uint32`, `token_nll: list<float32>`.
pub fn translation_predictions() -> RecordSchema {
    RecordSchema::new(Kind::Predictions)
        .column("id", DataType::Utf8, false)
        .column("source", DataType::Utf8, false)
        .column("references", list(DataType::Utf8), false)
        .column("hypothesis", DataType::Utf8, false)
        .column("score", DataType::Float64, false)
        .column("log_probability", DataType::Float64, false)
        .column("hypothesis_tokens", list(DataType::Utf8), false)
        .column("token_scores", list(DataType::Float32), false)
        .column("nbest", list(DataType::Utf8), false)
        .column("nbest_scores", list(DataType::Float64), false)
        .column("tokens", DataType::UInt32, false)
        .column("bytes", DataType::UInt32, false)
        .column("nll", DataType::Float64, false)
        .column("correct", DataType::UInt32, false)
        .column("token_nll", list(DataType::Float32), false)
}

/// What a model said about one image.
///
/// `id`; `label: int64` with class names, -1 where it is not known; `prediction: int64` with class
/// names, the most probable class; `log_probabilities: fixed_size_list<float32, classes>`, natural
/// logarithms; `image: struct<bytes, path>`, null but in the rows that a report shows.
pub fn classification_predictions(classes: &[String]) -> RecordSchema {
    let schema = RecordSchema::new(Kind::Predictions)
        .column("id", DataType::Utf8, false)
        .column_as("label", DataType::Int64, features::class_label(classes))
        .column_as("prediction", DataType::Int64, features::class_label(classes))
        .column("log_probabilities", fixed_list(DataType::Float32, classes.len()), false);
    image_column(schema)
}

/// One array that a model wants to show, with names for its rows and columns.
///
/// `id` (of the row it explains); `name`, such as `candidates`; `row_labels` and `column_labels:
/// list<string>`; `shape: list<uint32>`; `values: list<float32>` in row-major order.
pub fn explanations() -> RecordSchema {
    RecordSchema::new(Kind::Explanations)
        .column("id", DataType::Utf8, false)
        .column("name", DataType::Utf8, false)
        .column("row_labels", list(DataType::Utf8), false)
        .column("column_labels", list(DataType::Utf8), false)
        .column("shape", list(DataType::UInt32), false)
        .column("values", list(DataType::Float32), false)
}

/// A list whose items are never null.
pub fn list(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, false)))
}

/// A list of a fixed length whose items are never null.
pub fn fixed_list(item: DataType, length: usize) -> DataType {
    let length = i32::try_from(length).expect("a record has fewer than 2^31 items");
    DataType::FixedSizeList(Arc::new(Field::new("item", item, false)), length)
}

/// The fields of an encoded image, in the order and nullability that `datasets` compares with.
pub fn image_fields() -> Fields {
    Fields::from(vec![Field::new("bytes", DataType::Binary, true), Field::new("path", DataType::Utf8, true)])
}

fn image_column(schema: RecordSchema) -> RecordSchema {
    schema.column_as("image", DataType::Struct(image_fields()), features::image()).laid_out(Layout::Media)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_schema_with_features_for_its_columns() {
        let names = vec!["cat".to_owned(), "dog".to_owned()];
        let schemas = [
            text(),
            tokens(65),
            translation(&["en", "de"]),
            image(Some(&names)),
            caption(),
            image_tokens(8, 8, 512),
            pose(14, true),
            pose_windows(30, 14),
            language_model_predictions(),
            explanations(),
        ];
        let kinds: Vec<Kind> = schemas.iter().map(RecordSchema::kind).collect();
        assert_eq!(kinds, Kind::ALL);
        for schema in schemas.iter().chain(&[
            translation_predictions(),
            classification_predictions(&names),
            pose_predictions(30, 14),
            pose(14, false),
        ]) {
            let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
            let features: Vec<&str> = schema.features().keys().map(String::as_str).collect();
            assert_eq!(columns, features, "{}", schema.kind());
        }
    }

    #[test]
    fn token_ids_take_the_smallest_type_that_fits() {
        assert_eq!(token_type(65_536), DataType::UInt16);
        assert_eq!(token_type(65_537), DataType::UInt32);
    }

    #[test]
    fn languages_are_sorted_as_hugging_face_sorts_them() {
        let schema = translation(&["en", "de"]);
        assert_eq!(schema.features()["translation"]["languages"], serde_json::json!(["de", "en"]));
    }
}
