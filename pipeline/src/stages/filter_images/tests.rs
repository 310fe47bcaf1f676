use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use tessera_datasets::image::{Rgb, encode_jpeg, encode_png};
use tessera_datasets::schema::image;

use super::looks::LooksFilter;
use super::*;
use crate::artifacts::Artifacts;
use crate::rejects::Rejects;
use crate::rows::tests::origin;
use crate::rows::{CaptionRows, ImageRows, strings};
use crate::stage::{Fold, FoldStart, Map, Mapper, Pass};

fn png(width: u32, height: u32, shade: u8) -> Vec<u8> {
    encode_png(&Rgb::filled(width, height, [shade, 0, 200])).unwrap()
}

fn classes() -> Vec<String> {
    ["cat", "dog"].map(str::to_owned).to_vec()
}

/// Rows of split, image and label; the id is the row's number.
fn batch(rows: &[(&str, Vec<u8>, i64)]) -> RecordBatch {
    let mut out = ImageRows::new(Some(&classes()));
    for (i, (split, bytes, label)) in rows.iter().enumerate() {
        out.push(bytes, &format!("{i}.png"), *label, &origin(split, &i.to_string()));
    }
    out.finish().unwrap()
}

fn ids(batch: &RecordBatch) -> Vec<&str> {
    strings(batch, "id").unwrap().iter().flatten().collect()
}

fn reasons(rejects: &Rejects) -> BTreeMap<&str, Vec<&str>> {
    rejects
        .by_reason()
        .iter()
        .map(|(reason, r)| (reason.as_str(), r.samples.iter().map(|s| s.loc.as_str()).collect()))
        .collect()
}

fn looks(decode: bool) -> FilterLooks {
    FilterLooks {
        only: vec![TRAIN.to_owned()],
        minimum_width: 3,
        minimum_height: 2,
        limits: Limits { pixels: 100 },
        maximum_aspect: 4.0,
        decode,
    }
}

#[test]
fn each_reason_has_its_rows() {
    let mut corrupt = encode_jpeg(&Rgb::filled(8, 8, [1, 2, 3]), 90).unwrap();
    // the tables of the scan are gone, the markers around them are not
    let at = corrupt.windows(2).position(|pair| pair == [0xff, 0xc4]).unwrap();
    corrupt[at + 4..at + 21].fill(0xaa);
    let rows = [
        ("train", png(4, 4, 0), 0),
        ("train", png(1, 1, 0), 0),
        ("train", png(3, 1, 0), 0),
        ("train", png(11, 10, 0), 0),
        ("train", png(9, 2, 0), 0),
        ("train", b"just text".to_vec(), 0),
        ("train", png(4, 4, 0)[..40].to_vec(), 0),
        ("train", corrupt, 0),
        ("test", png(1, 1, 0), 0),
        ("train", Vec::new(), -1),
    ];
    let mut rejects = Rejects::new();
    let kept = LooksFilter(&looks(true)).map(batch(&rows), &mut rejects).unwrap().unwrap();
    assert_eq!(ids(&kept), ["0", "8"]);
    let expected = [
        ("corrupt image", vec!["7"]),
        ("not an image", vec!["5", "9"]),
        ("too many pixels", vec!["3"]),
        ("too narrow", vec!["4"]),
        ("too small", vec!["1", "2"]),
        ("truncated image", vec!["6"]),
    ];
    assert_eq!(reasons(&rejects), expected.into());
    let mut rejects = Rejects::new();
    let kept = LooksFilter(&looks(false)).map(batch(&rows), &mut rejects).unwrap().unwrap();
    assert_eq!(ids(&kept), ["0", "7", "8"]);
}

/// Runs fold and map over parts; gives the ids of each part that stay, and how many went why.
fn drop_repeated(parts: &[RecordBatch]) -> (Vec<Vec<String>>, BTreeMap<String, u64>) {
    let dir = tempfile::tempdir().unwrap();
    let mut artifacts = Artifacts::new(dir.path());
    let schema = image(Some(&classes()));
    let only = vec![TRAIN.to_owned()];
    let file = ".repeated".to_owned();
    let fold = FindRepeated { identity: Files, file: file.clone(), only: only.clone(), duplicates: true, leaks: true };
    let states = parts.iter().enumerate().map(|(part, batch)| {
        let scratch = dir.path().join("scratch");
        let mut state =
            fold.start(&FoldStart { schema: &schema, artifacts: &artifacts, part, pass: 0, scratch }).unwrap();
        fold.add(&mut state, batch).unwrap();
        state
    });
    let merged = states.reduce(|first, second| fold.merge(first, second).unwrap()).unwrap();
    assert_eq!(fold.finish(merged, 0, &mut artifacts).unwrap(), Pass::Done);
    let map = DropRepeated { identity: Files, file, only }.prepare(&schema, &mut artifacts).unwrap();
    let mut rejects = Rejects::new();
    let kept = parts.iter().enumerate().map(|(part, batch)| {
        let kept = map.open(part).map(batch.clone(), &mut rejects).unwrap();
        kept.map(|batch| ids(&batch).into_iter().map(str::to_owned).collect()).unwrap_or_default()
    });
    let kept = kept.collect();
    (kept, rejects.by_reason().iter().map(|(reason, r)| (reason.clone(), r.count)).collect())
}

#[test]
fn of_the_same_file_the_first_stays_unless_its_class_is_in_doubt() {
    let [a, b, c, d] = [1, 2, 3, 4].map(|shade| png(4, 4, shade));
    let parts = [
        batch(&[("train", a.clone(), 0), ("train", b.clone(), 0), ("test", c.clone(), 1), ("train", a.clone(), 0)]),
        batch(&[("train", a.clone(), 0), ("train", b.clone(), 1), ("train", c.clone(), 1), ("train", d.clone(), -1)]),
        // nobody says what it shows, so nobody contradicts
        batch(&[("train", d.clone(), 1), ("test", c.clone(), 0), ("train", b.clone(), 0)]),
    ];
    let (kept, reasons) = drop_repeated(&parts);
    assert_eq!(kept, [vec!["0", "2"], vec!["3"], vec!["1"]]);
    let expected = [("duplicate", 3), ("leak", 1), ("two classes", 3)];
    assert_eq!(reasons, expected.map(|(reason, n)| (reason.to_owned(), n)).into());
}

#[test]
fn the_same_image_with_another_caption_is_another_row() {
    let mut rows = CaptionRows::default();
    for (i, caption) in ["a cat", "a grey cat", "a cat"].iter().enumerate() {
        rows.push(&png(4, 4, 1), "a.png", caption, &origin("train", &i.to_string()));
    }
    let (kept, reasons) = drop_repeated(&[rows.finish().unwrap()]);
    assert_eq!(kept, [["0", "1"]]);
    assert_eq!(reasons, BTreeMap::from([("duplicate".to_owned(), 1)]));
}
