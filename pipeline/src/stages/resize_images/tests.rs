use arrow::array::RecordBatch;
use tessera_datasets::image::Rgb;

use super::*;
use crate::rows::tests::origin;
use crate::rows::{CaptionRows, strings};

fn gradient(width: u32, height: u32) -> Rgb {
    let values = (0..width * height).flat_map(|i| [(i * 7) as u8, (i * 3) as u8, 90]);
    Rgb { width, height, pixels: values.collect() }
}

fn batch(images: &[(&str, Vec<u8>)]) -> RecordBatch {
    let mut rows = CaptionRows::default();
    for (i, (name, bytes)) in images.iter().enumerate() {
        rows.push(bytes, name, &format!("caption {i}"), &origin("train", &i.to_string()));
    }
    rows.finish().unwrap()
}

fn resize(encoding: Encoding) -> ResizeImages {
    ResizeImages {
        geometry: Geometry { width: 8, height: 8, mode: Mode::Crop, enlarge: true },
        filter: Filter::Bicubic,
        encoding,
        quality: 90,
        limits: Limits { pixels: 1000 },
    }
}

#[test]
fn images_get_size_format_name_and_hash() {
    let square = encode_png(&gradient(8, 8)).unwrap();
    let images = [
        ("a.b/cat.jpeg", encode_jpeg(&gradient(16, 10), 90).unwrap()),
        ("dog", encode_png(&gradient(3, 4)).unwrap()),
        ("text.png", b"no image".to_vec()),
        ("large.png", encode_png(&gradient(100, 11)).unwrap()),
        ("cut.png", encode_png(&gradient(9, 9)).unwrap()[..50].to_vec()),
        ("square.png", square.clone()),
    ];
    let mut rejects = Rejects::new();
    let made = ImageResizer(&resize(Encoding::Png)).map(batch(&images), &mut rejects).unwrap().unwrap();
    let column = ImageColumn::of(&made).unwrap();
    let names: Vec<&str> = (0..made.num_rows()).map(|row| column.name(row)).collect();
    assert_eq!(names, ["a.b/cat.png", "dog.png", "square.png"]);
    assert_eq!(
        strings(&made, "caption").unwrap().iter().flatten().collect::<Vec<_>>(),
        ["caption 0", "caption 1", "caption 5"]
    );
    for row in 0..2 {
        let image = decode(column.encoded(row), &Limits::default()).unwrap();
        assert_eq!((image.width, image.height), (8, 8));
        assert_eq!(Origins::of(&made).unwrap().get(row).content_hash, content_hash(column.encoded(row)));
    }
    assert_eq!(column.encoded(2), square);
    assert_eq!(Origins::of(&made).unwrap().get(2).content_hash, "0");
    let reasons: Vec<(&str, &str)> =
        rejects.by_reason().iter().map(|(reason, r)| (reason.as_str(), r.samples[0].loc.as_str())).collect();
    assert_eq!(reasons, [("not an image", "2"), ("too many pixels", "3"), ("truncated image", "4")]);
}

#[test]
fn a_jpeg_of_the_wanted_size_is_not_encoded_again() {
    let jpeg = encode_jpeg(&gradient(8, 8), 50).unwrap();
    let images = [("a.jpg", jpeg.clone()), ("b.png", encode_png(&gradient(8, 8)).unwrap())];
    let made = ImageResizer(&resize(Encoding::Jpeg)).map(batch(&images), &mut Rejects::new()).unwrap().unwrap();
    let column = ImageColumn::of(&made).unwrap();
    assert_eq!(column.encoded(0), jpeg);
    assert_eq!(header(column.encoded(1)).unwrap().format, Format::Jpeg);
    assert_eq!(column.name(1), "b.jpg");
}
