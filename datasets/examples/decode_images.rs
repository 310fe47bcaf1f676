//! Reads headers and pixels of the images of a folder over and over on one thread, and says what it
//! cost: the other side of `bench/decode_beside.py`.
//!
//!     decode_images FOLDER IMAGES [PIXELS]
//!
//! Into the folder `PIXELS` go the pixels of each image once, as `<file>.rgb`.
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};

use tessera_datasets::image::{Limits, decode, header};
use tessera_datasets::{Error, Result};

/// How often headers are read, which is too quick for the kernel's clock otherwise.
const REPEATS: u32 = 1000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, count, pixels) = match &arguments[..] {
        [folder, count] => (folder, count, None),
        [folder, count, pixels] => (folder, count, Some(Path::new(pixels))),
        _ => return Err(Error::input("usage: decode_images FOLDER IMAGES [PIXELS]")),
    };
    let count: usize = count.parse().map_err(|e| Error::input(format!("`{count}`: {e}")))?;
    let files = read(Path::new(folder))?;
    let refused = |e: tessera_datasets::image::Refusal| Error::input(e.to_string());

    let start = cpu_seconds()?;
    let mut area = 0_u64;
    for _ in 0..REPEATS {
        area = 0;
        for (_, bytes) in files.iter().cycle().take(count) {
            let header = header(bytes).map_err(refused)?;
            area += u64::from(header.width) * u64::from(header.height);
        }
    }
    let header_seconds = (cpu_seconds()? - start) / f64::from(REPEATS);

    let start = cpu_seconds()?;
    let mut values = 0_u64;
    for (_, bytes) in files.iter().cycle().take(count) {
        values += decode(bytes, &Limits::default()).map_err(refused)?.pixels.len() as u64;
    }
    let seconds = cpu_seconds()? - start;
    if values != 3 * area {
        return Err(Error::internal("headers and pixels disagree"));
    }
    if let Some(pixels) = pixels {
        for (path, bytes) in &files {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            fs_err::write(
                pixels.join(format!("{name}.rgb")),
                decode(bytes, &Limits::default()).map_err(refused)?.pixels,
            )?;
        }
    }
    println!("{{\"images\": {count}, \"cpu_seconds\": {seconds:.5}, \"header_seconds\": {header_seconds:.9}}}");
    Ok(())
}

fn read(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let entries = fs_err::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut paths: Vec<_> = entries.iter().map(fs_err::DirEntry::path).collect();
    paths.sort();
    match paths.is_empty() {
        true => Err(Error::input("no files").at(folder)),
        false => paths.into_iter().map(|path| Ok((path.clone(), fs_err::read(path)?))).collect(),
    }
}

/// What this thread has cost so far, as the kernel counts it.
fn cpu_seconds() -> Result<f64> {
    let line = fs_err::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = line.split(' ').next().and_then(|word| word.parse::<f64>().ok());
    nanoseconds.map(|n| n / 1e9).ok_or_else(|| Error::input("the kernel does not count CPU time"))
}
