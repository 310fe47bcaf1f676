//! Images that are not what they should be.

use crate::images::{READ_IMAGES, classes, gzip, jpeg, png, rows, tar};
use crate::support::Folder;

fn folder() -> Folder {
    let folder = Folder::new();
    for number in 0..6 {
        folder.write(&format!("raw/{}/{number}.jpg", ["cat", "dog"][number as usize % 2]), jpeg(number));
    }
    folder.config(READ_IMAGES);
    folder
}

/// A PNG whose header states another size.
fn png_of_size(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(0);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[test]
fn bad_images_are_counted_with_their_reason() {
    let folder = folder();
    let whole = jpeg(7);
    folder.write("raw/cat/cut.jpg", &whole[..whole.len() - 20]);
    folder.write("raw/cat/text.png", "this is text");
    folder.write("raw/cat/empty.jpg", "");
    folder.write("raw/dog/bomb.png", png_of_size(30_000, 30_000));
    folder.write("raw/dog/dot.png", {
        let dot = tessera_datasets::image::Rgb { width: 1, height: 1, pixels: vec![1, 2, 3] };
        tessera_datasets::image::encode_png(&dot).unwrap()
    });
    folder.write("raw/stray.jpg", jpeg(9));
    let ended = folder.run(&[]);
    let reasons =
        [("empty file", 1), ("no class", 1), ("not an image", 1), ("too many pixels", 1), ("truncated image", 1)];
    assert_eq!(folder.rejected(), reasons.map(|(reason, count)| (reason.to_owned(), count)).into());
    for words in [
        "rejected 5 of 12 rows",
        "not an image, first in `cat/text.png`",
        "too many pixels, first in `dog/bomb.png`, file: 30000 × 30000",
    ] {
        assert!(ended.stdout.contains(words), "no `{words}` in\n{}", ended.stdout);
    }
    assert!(rows(&folder, "train").iter().any(|row| row.path == "dot.png"));

    folder.config(&format!("{READ_IMAGES}maximum_pixels = 40\n"));
    folder.call(&["run", "config.toml", "--replace"]);
    assert_eq!(rows(&folder, "train").len(), 1);
}

#[test]
fn a_class_without_images_moves_no_label() {
    let folder = folder();
    fs_err::create_dir_all(folder.path().join("raw/bird")).unwrap();
    folder.call(&["run", "config.toml"]).refused(&[
        "there is no image in `bird`",
        "hint: remove the folder",
        "`classes`",
    ]);
    folder.write("raw/bird/notes.txt", "none yet");
    folder.call(&["check", "config.toml"]).refused(&["there is no image in `bird`"]);
    folder.config(&format!("{READ_IMAGES}classes = [\"bird\", \"cat\", \"dog\"]\n"));
    folder.run(&[]);
    assert_eq!((classes(&folder).len(), rows(&folder, "train")[0].label), (3, Some(1)));
    // an empty folder of a class that has images elsewhere takes nothing away
    fs_err::remove_dir_all(folder.path().join("raw/bird")).unwrap();
    fs_err::create_dir_all(folder.path().join("raw/test/cat")).unwrap();
    folder.config(READ_IMAGES);
    folder.run(&["--replace"]);
    assert_eq!(classes(&folder), ["cat", "dog"]);

    let folder = Folder::new();
    folder.config(READ_IMAGES);
    let (one, two) = (jpeg(1), jpeg(2));
    folder.write("raw/a.tar", tar(&[("x/bird/", b""), ("x/cat/", b""), ("x/cat/1.jpg", &one), ("x/dog/2.jpg", &two)]));
    folder.call(&["run", "config.toml"]).refused(&["there is no image in `x/bird`"]);
}

#[test]
fn classes_that_differ_only_by_case_are_refused() {
    let folder = folder();
    folder.write("raw/Cat/1.jpg", jpeg(1));
    folder.call(&["run", "config.toml"]).refused(&["the classes `Cat` and `cat` differ only by case", "hint:"]);
    folder.config(&format!("{READ_IMAGES}classes = [\"cat\", \"dog\", \"Dog\"]\n"));
    folder.call(&["check", "config.toml"]).refused(&["row 11", "`dog` and `Dog` differ only by case"]);
    folder.config(&format!("{READ_IMAGES}classes = [\"cat\"]\n"));
    folder.run(&[]);
    assert_eq!(folder.rejected()["unknown class"], 4);
}

#[test]
fn an_archive_that_is_cut_short_is_an_error_with_its_name() {
    let images: Vec<Vec<u8>> = (0..40).map(jpeg).collect();
    let names: Vec<String> = (0..40).map(|i| format!("{}/{i}.jpg", ["cat", "dog"][i % 2])).collect();
    let members: Vec<(&str, &[u8])> = names.iter().zip(&images).map(|(n, b)| (n.as_str(), b.as_slice())).collect();
    let whole = tar(&members);
    let stored = |i: usize| 512 + images[i].len().next_multiple_of(512);
    // within an image, within a header, and just between two members
    let between = (0..20).map(stored).sum::<usize>();
    for length in [between + 700, between + 100, between] {
        let folder = Folder::new();
        folder.config(READ_IMAGES);
        folder.write("raw/a.tar", &whole[..length]);
        folder.call(&["run", "config.toml"]).refused(&["`raw/a.tar`: the archive is cut short", "hint:"]);
        folder.write("raw/a.tar", "");
        folder.call(&["run", "config.toml"]).refused(&["`raw/a.tar`: the archive is cut short"]);
        fs_err::remove_file(folder.path().join("raw/a.tar")).unwrap();
        folder.write("raw/a.tar.gz", gzip(&whole[..length]));
        folder.call(&["run", "config.toml"]).refused(&["`raw/a.tar.gz`: the archive is cut short"]);
        let zipped = gzip(&whole);
        folder.write("raw/a.tar.gz", &zipped[..zipped.len() - 3]);
        folder.call(&["run", "config.toml"]).refused(&["`raw/a.tar.gz`: the gzip stream is cut short"]);
        folder.write("raw/a.tar.gz", gzip(&[7; 2000]));
        folder.call(&["run", "config.toml"]).refused(&["`raw/a.tar.gz`: this is no tar archive"]);
        assert!(!folder.path().join("data").exists());
    }
}

#[test]
fn links_that_lead_back_or_nowhere_are_errors() {
    let folder = folder();
    let link = folder.path().join("raw/cat/loop");
    std::os::unix::fs::symlink(folder.path().join("raw"), &link).unwrap();
    folder.call(&["run", "config.toml"]).refused(&["raw/cat/loop", "hint: a symbolic link leads back"]);
    fs_err::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(folder.path().join("none"), folder.path().join("raw/cat/gone.jpg")).unwrap();
    folder.call(&["run", "config.toml"]).refused(&["raw/cat/gone.jpg", "hint:"]);
}

#[test]
fn images_beside_archives_need_a_word() {
    let folder = folder();
    let one = jpeg(1);
    folder.write("raw/a.tar", tar(&[("cat/1.jpg", &one)]));
    folder
        .call(&["run", "config.toml"])
        .refused(&["both archives, such as `a.tar`, and images, such as `cat/0.jpg`", "hint:"]);
    folder.config(&format!("{READ_IMAGES}layout = \"archive\"\n"));
    folder.run(&[]);
    assert_eq!(rows(&folder, "train").len(), 1);
}
