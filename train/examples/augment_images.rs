//! Decodes, augments and normalises the images of a folder over and over on one thread, and says
//! what it cost: the other side of `bench/augment_beside.py`.
//!
//!     augment_images FOLDER IMAGES SIZE AUGMENT
//!
//! `AUGMENT` is the content of `[train.augment]` as inline TOML: `{ crop = "resized", flip = 0.5 }`.
#![allow(clippy::print_stdout)]

use std::path::Path;

use serde::Deserialize;
use tessera_datasets::image::{Limits, decode};
use tessera_datasets::{Error, Result};
use tessera_train::images::{AugmentConfig, Draw, Interpolation, Preparation, Preparer};

/// Images whose values lie side by side, as in a training batch.
const BATCH: usize = 64;

#[derive(Deserialize)]
struct Options {
    augment: AugmentConfig,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, images, size, augment] = &arguments[..] else {
        return Err(Error::input("usage: augment_images FOLDER IMAGES SIZE AUGMENT"));
    };
    let number = |text: &str| text.parse::<usize>().map_err(|e| Error::input(format!("`{text}`: {e}")));
    let (count, size) = (number(images)?, number(size)?);
    let options: Options = toml::from_str(&format!("augment = {augment}")).map_err(|e| Error::input(e.to_string()))?;
    let files = read(Path::new(folder))?;
    let preparation = Preparation {
        image_size: size,
        mean: [0.485, 0.456, 0.406],
        deviation: [0.229, 0.224, 0.225],
        crop: 1.0,
        interpolation: Interpolation::Bilinear,
    };
    let mut preparer = Preparer::new(preparation);
    let values = preparer.values();
    let mut batch = vec![0.0; BATCH * values];
    let mut sum = 0.0;
    let start = cpu_seconds()?;
    for index in 0..count {
        let image = decode(&files[index % files.len()], &Limits::default()).map_err(|e| Error::input(e.to_string()))?;
        let out = &mut batch[index % BATCH * values..][..values];
        preparer.training(&image, &options.augment, &mut Draw::new(1, "augment", index as u64), out)?;
        sum += f64::from(out[(size / 2 * size + size / 2) * 3]);
    }
    let seconds = cpu_seconds()? - start;
    // the sum of the middles keeps the work from being left out, and shows that both sides see alike
    println!("{{\"images\": {count}, \"cpu_seconds\": {seconds:.4}, \"mean\": {:.3}}}", sum / count as f64);
    Ok(())
}

fn read(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let entries = fs_err::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut paths: Vec<_> = entries.iter().map(fs_err::DirEntry::path).collect();
    paths.sort();
    match paths.is_empty() {
        true => Err(Error::input("no files").at(folder)),
        false => paths.iter().map(|path| Ok(fs_err::read(path)?)).collect(),
    }
}

/// What this thread has cost so far, as the kernel counts it.
fn cpu_seconds() -> Result<f64> {
    let line = fs_err::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = line.split(' ').next().and_then(|word| word.parse::<f64>().ok());
    nanoseconds.map(|n| n / 1e9).ok_or_else(|| Error::input("the kernel does not count CPU time"))
}
