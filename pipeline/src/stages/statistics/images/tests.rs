use proptest::prelude::*;
use tessera_datasets::image::{encode_jpeg, encode_png};
use tessera_datasets::schema::image;

use super::*;
use crate::rows::ImageRows;
use crate::rows::tests::origin;

fn classes() -> Vec<String> {
    ["cat", "dog"].map(str::to_owned).to_vec()
}

/// Statistics of rows of split, id, label and encoded image.
fn images(rows: &[(&str, String, i64, Vec<u8>)]) -> Images {
    let mut out = ImageRows::new(Some(&classes()));
    rows.iter().for_each(|(split, id, label, bytes)| out.push(bytes, id, *label, &origin(split, id)));
    let mut images = Images::new(&image(Some(&classes())), Effort { sample: 1.0, examples: 2 });
    images.add(&out.finish().unwrap()).unwrap();
    images
}

fn png(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    encode_png(&Rgb::filled(width, height, colour)).unwrap()
}

fn row(split: &'static str, id: u32, label: i64, bytes: Vec<u8>) -> (&'static str, String, i64, Vec<u8>) {
    (split, id.to_string(), label, bytes)
}

#[test]
fn sizes_formats_classes_and_channels_are_counted() {
    let rows = [
        row("train", 0, 0, png(2, 2, [255, 0, 0])),
        // larger, but it counts as much as the one before
        row("train", 1, 1, png(10, 30, [0, 0, 102])),
        row("train", 2, 1, png(4, 4, [255, 0, 0])[..30].to_vec()),
        row("test", 3, -1, encode_jpeg(&Rgb::filled(5, 6, [9; 3]), 90).unwrap()),
        row("test", 4, 0, b"text".to_vec()),
    ];
    let images = images(&rows);
    let report = images.report();
    let train = &report["splits"]["train"];
    assert_eq!((&train["rows"], &train["classes"]), (&json!(3), &json!({"cat": 1, "dog": 2})));
    assert_eq!((&train["width"]["maximum"], &train["height"]["maximum"]), (&json!(10), &json!(30)));
    assert_eq!((&train["formats"], &train["colours"]), (&json!({"png": 2}), &json!({"rgb": 2})));
    assert_eq!(train["unreadable"], json!({"truncated image": 1}));
    let test = &report["splits"]["test"];
    assert_eq!((&test["unlabelled"], &test["formats"]), (&json!(1), &json!({"jpeg": 1})));
    assert_eq!(test["unreadable"], json!({"not an image": 1}));
    assert_eq!(report["channels"]["images"], 2);
    let input = images.input();
    assert_eq!(input["mean"], json!([0.5, 0.0, 0.2]));
    let deviation = input["deviation"][2].as_f64().unwrap();
    // (0 + 0.4²) / 2 - 0.2²
    assert!((deviation - 0.2).abs() < 1e-12, "{deviation}");
    assert_eq!(input["width"], json!({"min": 2, "median": 2, "max": 10}));
    assert_eq!(images.overview()["train"]["height"], json!([2, 2, 30]));
}

#[test]
fn the_sheet_has_a_row_for_each_class() {
    let rows: Vec<_> = (0..6).map(|i| row("train", i, i64::from(i % 2), png(8, 8, [200, 10 * i as u8, 0]))).collect();
    let sheet = decode(&images(&rows).sheet().unwrap().unwrap(), &Limits::default()).unwrap();
    let step = thumbnails::SIDE + 4;
    assert_eq!((sheet.width, sheet.height), (4 + text::width("cat") + 2 * step + 4, 2 * step + 4));
    let [red, ..] = sheet.at(sheet.width - 20, sheet.height - 20);
    assert!(red > 190, "{red}");
    let without = images(&[row("test", 0, 0, png(2, 2, [0; 3]))]);
    assert!(without.sheet().unwrap().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn parts_merge_to_the_whole(
        rows in prop::collection::vec(("train|test", -1..2_i64, 1..5_u32, any::<u8>()), 1..20),
        at in 0..20_usize,
    ) {
        let split = |name: &str| if name == "train" { "train" } else { "test" };
        let rows: Vec<_> = (0..)
            .zip(&rows)
            .map(|(id, (name, label, side, shade))| row(split(name), id, *label, png(*side, 2, [*shade, 3, 5])))
            .collect();
        let (first, second) = rows.split_at(at.min(rows.len()));
        let (merged, whole) = (images(first).merge(images(second)), images(&rows));
        prop_assert_eq!(&merged.splits, &whole.splits);
        prop_assert_eq!(merged.sheet().unwrap(), whole.sheet().unwrap());
        for (a, b) in merged.channels.mean().into_iter().zip(whole.channels.mean()) {
            prop_assert!((a - b).abs() < 1e-12);
        }
    }
}
