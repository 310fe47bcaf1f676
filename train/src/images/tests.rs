//! Batches of small datasets, from shards to tensors.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, StructArray};
use tch::Tensor;
use tessera_datasets::image::{Rgb, encode_png};
use tessera_datasets::manifest::{MadeBy, Manifest, Split};
use tessera_datasets::schema::{self, Kind, PROVENANCE};
use tessera_datasets::shard::{Dataset, ShardWriter, shard_path};

use super::*;
use crate::loader::{Batch, BatchSource, Loader};

const SIDE: u32 = 6;
const PREPARATION: Preparation = Preparation {
    image_size: SIDE as usize,
    mean: [0.0; 3],
    deviation: [1.0 / 255.0; 3],
    crop: 1.0,
    interpolation: Interpolation::Bilinear,
};

/// An image whose red is its number, whose green is 200 in the left half, and whose blue is noise.
fn picture(number: usize) -> Vec<u8> {
    let pixel = |i: u32| {
        let left = i % SIDE < SIDE / 2;
        [number as u8, if left { 200 } else { 0 }, (i * 7 + number as u32 * 31) as u8]
    };
    let pixels = (0..SIDE * SIDE).flat_map(pixel).collect();
    encode_png(&Rgb { width: SIDE, height: SIDE, pixels }).unwrap()
}

/// A dataset with a split `train` of these images and labels in shards of `rows` rows.
fn write(dir: &Path, images: &[Vec<u8>], labels: &[i64], rows: usize) -> Dataset {
    let classes = ["cat", "dog", "owl"].map(String::from);
    let record = schema::image(Some(&classes));
    let mut shards = Vec::new();
    for (index, (images, labels)) in images.chunks(rows).zip(labels.chunks(rows)).enumerate() {
        let path = shard_path("train", index, labels.len().div_ceil(rows));
        let mut writer = ShardWriter::create(dir.join(&path), &record).unwrap();
        let bytes: ArrayRef = Arc::new(BinaryArray::from_iter_values(images));
        let names: ArrayRef = Arc::new(StringArray::from_iter_values((0..labels.len()).map(|i| format!("{i}.png"))));
        let image = StructArray::new(schema::image_fields(), vec![bytes, names], None);
        let mut columns: Vec<ArrayRef> = vec![Arc::new(image), Arc::new(Int64Array::from(labels.to_vec()))];
        for name in PROVENANCE {
            let first = index * rows;
            let ids = (first..first + labels.len()).map(|i| format!("{name}-{i}"));
            columns.push(Arc::new(StringArray::from_iter_values(ids)));
        }
        writer.write(&RecordBatch::try_new(record.arrow(), columns).unwrap()).unwrap();
        let mut shard = writer.finish().unwrap();
        shard.path = path;
        shards.push(shard);
    }
    let mut manifest = Manifest::new("pictures", Kind::Image, MadeBy { sha256: String::new(), toml: String::new() });
    manifest.details.insert("classes".to_owned(), classes.to_vec().into());
    manifest.splits.insert("train".to_owned(), Split::of(shards));
    manifest.publish(dir).unwrap();
    Dataset::open(dir).unwrap()
}

fn numbered(dir: &Path, count: usize, rows: usize) -> Dataset {
    let images: Vec<Vec<u8>> = (0..count).map(picture).collect();
    let labels: Vec<i64> = (0..count).map(|i| i as i64 % 3).collect();
    write(dir, &images, &labels, rows)
}

fn batches(data: &Arc<ImageData>, augment: &AugmentConfig, batch: usize, seed: u64) -> ImageBatches {
    ImageBatches::new(data.clone(), PREPARATION, augment.clone(), batch, seed).unwrap()
}

/// The numbers of the images of a batch, whatever happened to their places.
fn numbers(batch: &Batch) -> Vec<i64> {
    let red = batch.tensors[0].select(1, 0).flatten(1, 2).max_dim(1, false).0;
    Vec::<f32>::try_from(red).unwrap().iter().map(|value| value.round() as i64).collect()
}

fn same(a: &Batch, b: &Batch) -> bool {
    a.tensors.len() == b.tensors.len() && a.tensors.iter().zip(&b.tensors).all(|(a, b)| a == b)
}

fn everything() -> AugmentConfig {
    AugmentConfig {
        crop: Crop::Resized,
        flip: 0.5,
        color_jitter: Some(ColorJitter::Same(0.3)),
        rand_augment: Some(RandAugmentConfig::default()),
        erase: 0.5,
        mixup: 0.8,
        cutmix: 1.0,
        ..AugmentConfig::default()
    }
}

#[test]
fn every_row_comes_once_an_epoch_in_memory_and_from_files() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = numbered(dir.path(), 23, 5);
    for memory in [u64::MAX, 2000, 0] {
        let data = Arc::new(ImageData::open_within(&dataset, "train", memory).unwrap());
        let source = batches(&data, &AugmentConfig::default(), 4, 1);
        let mut seen: Vec<i64> = (0..23).flat_map(|step| numbers(&source.batch(step).unwrap())).collect();
        for epoch in seen.chunks_exact_mut(23) {
            epoch.sort_unstable();
            assert_eq!(epoch, (0..23).collect::<Vec<i64>>(), "memory {memory}");
        }
    }
}

#[test]
fn labels_belong_to_their_images() {
    let dir = tempfile::tempdir().unwrap();
    let data = Arc::new(ImageData::open(&numbered(dir.path(), 20, 7), "train").unwrap());
    let batch = batches(&data, &AugmentConfig { flip: 0.5, ..AugmentConfig::default() }, 16, 3).batch(5).unwrap();
    let labels = Vec::<i64>::try_from(&batch.tensors[1]).unwrap();
    assert_eq!(labels, numbers(&batch).iter().map(|number| number % 3).collect::<Vec<_>>());
    assert_eq!((batch.items, batch.tensors.len()), (16, 2));
    assert_eq!((data.id(11), data.label(11), data.classes().len()), ("id-11", 2, 3));
}

#[test]
fn a_batch_is_a_function_of_seed_and_step() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = numbered(dir.path(), 30, 4);
    let open = |memory| Arc::new(ImageData::open_within(&dataset, "train", memory).unwrap());
    let source = batches(&open(900), &everything(), 8, 7);
    let forward: Vec<Batch> = (0..12).map(|step| source.batch(step).unwrap()).collect();
    let other = batches(&open(900), &everything(), 8, 7);
    for step in [11, 3, 0, 7, 11_usize] {
        assert!(same(&other.batch(step as u64).unwrap(), &forward[step]), "step {step}");
    }
    let mut loader = Loader::start(Arc::new(batches(&open(900), &everything(), 8, 7)), 0..12, 3).unwrap();
    for expected in &forward {
        assert!(same(&loader.next_batch().unwrap(), expected));
    }
    assert!(!same(&batches(&open(900), &everything(), 8, 8).batch(0).unwrap(), &forward[0]));
}

#[test]
fn images_lie_channels_last_and_are_normalised() {
    let dir = tempfile::tempdir().unwrap();
    let data = Arc::new(ImageData::open(&numbered(dir.path(), 5, 5), "train").unwrap());
    let half = Preparation { mean: [0.5; 3], deviation: [0.25; 3], ..PREPARATION };
    let source = ImageBatches::new(data, half, AugmentConfig::default(), 4, 1).unwrap();
    let images = &source.batch(0).unwrap().tensors[0];
    assert_eq!(images.size(), [4, 3, 6, 6]);
    assert_eq!(images.stride(), [108, 1, 18, 3]);
    let green = images.double_value(&[0, 1, 0, 0]);
    assert!((green - (200.0 / 255.0 - 0.5) / 0.25).abs() < 1e-5, "{green}");
}

#[test]
fn the_asked_share_is_mirrored() {
    let dir = tempfile::tempdir().unwrap();
    let data = Arc::new(ImageData::open(&numbered(dir.path(), 50, 50), "train").unwrap());
    let source = batches(&data, &AugmentConfig { flip: 0.3, ..AugmentConfig::default() }, 1000, 1);
    let green = source.batch(0).unwrap().tensors[0].select(1, 1);
    let mirrored = green.select(1, 0).select(1, 0).eq(0.0).to_kind(tch::Kind::Float).mean(tch::Kind::Float);
    let share = mirrored.double_value(&[]);
    assert!((share - 0.3).abs() < 0.07, "{share}");
}

#[test]
fn repeats_are_the_same_image_augmented_differently() {
    let dir = tempfile::tempdir().unwrap();
    let data = Arc::new(ImageData::open(&numbered(dir.path(), 9, 9), "train").unwrap());
    let augment = AugmentConfig { crop: Crop::Pad, pad: 2, repeats: 3, ..AugmentConfig::default() };
    let batch = batches(&data, &augment, 27, 1).batch(0).unwrap();
    let numbers = numbers(&batch);
    assert!(numbers.chunks(3).all(|three| three.iter().all(|number| *number == three[0])));
    let images = &batch.tensors[0];
    let alike = (0..9).filter(|i| images.get(3 * i) == images.get(3 * i + 1)).count();
    assert!(alike < 4, "{alike} of 9 pairs are the same");
}

#[test]
fn mixed_batches_say_how_much_of_which_label() {
    let dir = tempfile::tempdir().unwrap();
    let data = Arc::new(ImageData::open(&numbered(dir.path(), 20, 20), "train").unwrap());
    let plain = batches(&data, &AugmentConfig::default(), 8, 4).batch(0).unwrap();
    let mixed = batches(&data, &AugmentConfig { mixup: 1.0, ..AugmentConfig::default() }, 8, 4).batch(0).unwrap();
    let [images, labels, others, shares] = &mixed.tensors[..] else {
        panic!("{} tensors", mixed.tensors.len());
    };
    assert_eq!(labels, &plain.tensors[1]);
    assert_eq!(others, &labels.flip([0]));
    let share = shares.double_value(&[0]);
    assert!(share > 0.0 && share < 1.0 && Vec::<f32>::try_from(shares).unwrap().iter().all(|s| f64::from(*s) == share));
    let original = &plain.tensors[0];
    let expected: Tensor = original * share + original.flip([0]) * (1.0 - share);
    assert!((images - expected).abs().max().double_value(&[]) < 1e-3);
}

#[test]
fn rows_without_a_label_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let images: Vec<Vec<u8>> = (0..6).map(picture).collect();
    let data = Arc::new(ImageData::open(&write(dir.path(), &images, &[0, -1, 2, -1, 1, 0], 4), "train").unwrap());
    let source = batches(&data, &AugmentConfig::default(), 4, 1);
    assert_eq!((source.left_out(), source.rows()), (2, 4));
    let mut seen = numbers(&source.batch(0).unwrap());
    seen.sort_unstable();
    assert_eq!(seen, [0, 2, 4, 5]);
    let all = EvaluationImages::new(&data, PREPARATION, 4);
    let labels: Vec<i64> = all.flat_map(|batch| Vec::<i64>::try_from(&batch.unwrap().labels_b).unwrap()).collect();
    assert_eq!(labels, [0, -1, 2, -1, 1, 0]);
}

#[test]
fn evaluation_is_in_order_or_spread_evenly() {
    let dir = tempfile::tempdir().unwrap();
    let data = ImageData::open_within(&numbered(dir.path(), 11, 3), "train", 700).unwrap();
    let rows = |images: EvaluationImages<'_>| -> Vec<Vec<usize>> { images.map(|batch| batch.unwrap().rows).collect() };
    assert_eq!(
        rows(EvaluationImages::new(&data, PREPARATION, 4)),
        [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9, 10]]
    );
    assert_eq!(rows(EvaluationImages::spread(&data, PREPARATION, 3, 4)), [vec![0, 2, 5], vec![8]]);
    assert_eq!(rows(EvaluationImages::spread(&data, PREPARATION, 20, 99)), [(0..11).collect::<Vec<_>>()]);
    let mut images = EvaluationImages::new(&data, PREPARATION, 11);
    let one = images.image(7).unwrap();
    let all = images.next().unwrap().unwrap().images_bchw;
    assert_eq!(one, all.narrow(0, 7, 1));
}

#[test]
fn a_strip_shows_its_middle() {
    // dark but for a light middle, 40,000 times as long as wide
    let light = |i: u32| if (19_900..20_100).contains(&i) { [250; 3] } else { [10; 3] };
    let strip = Rgb { width: 40_000, height: 1, pixels: (0..40_000).flat_map(light).collect() };
    let mut preparer = Preparer::new(PREPARATION);
    let mut out = vec![0.0; preparer.values()];
    preparer.evaluation(&strip, &mut out).unwrap();
    assert!(out.iter().all(|value| (value - 250.0).abs() < 1e-3), "{out:?}");
}

#[test]
fn what_cannot_be_decoded_is_an_error_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let mut images: Vec<Vec<u8>> = (0..4).map(picture).collect();
    images[2].truncate(60);
    let dataset = write(dir.path(), &images, &[0; 4], 4);
    let data = Arc::new(ImageData::open(&dataset, "train").unwrap());
    let source = batches(&data, &AugmentConfig::default(), 4, 1);
    let error = source.batch(0).err().unwrap();
    let text = error.to_string();
    assert!(text.contains("row 3: image `id-2` of split `train`: truncated image"), "{text}");
    assert!(error.hint_text().is_some());
    assert!(EvaluationImages::new(&data, PREPARATION, 2).nth(1).unwrap().is_err());
}

#[test]
fn data_that_is_not_for_classification_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dataset = write(dir.path(), &[picture(1), picture(2)], &[0, 3], 2);
    let refused = |dataset: &Dataset, split| ImageData::open(dataset, split).err().unwrap().to_string();
    assert!(refused(&dataset, "train").ends_with("row 2: label 3 with 3 classes"));
    assert!(refused(&dataset, "test").contains("no split `test`"));
    let unlabelled = tempfile::tempdir().unwrap();
    let data = Arc::new(ImageData::open(&write(unlabelled.path(), &[picture(1)], &[-1], 1), "train").unwrap());
    let none = ImageBatches::new(data, PREPARATION, AugmentConfig::default(), 1, 0).err().unwrap();
    assert!(none.to_string().contains("no image with a label"));
    let mut manifest = dataset.manifest().clone();
    manifest.details.clear();
    manifest.publish(dir.path()).unwrap();
    assert!(refused(&Dataset::open(dir.path()).unwrap(), "train").contains("no `classes`"));
}
