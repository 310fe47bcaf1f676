//! The contact sheet: one row of small images for each class, with its name in front.

use tessera_datasets::Result;
use tessera_datasets::image::{Rgb, encode_jpeg};

use super::text;
use super::thumbnails::{SIDE, Thumbnails};

/// Pixels between images and around them.
const GAP: u32 = 4;
/// How many letters of a class's name are shown.
const LETTERS: usize = 18;
/// How many images stand side by side where there are no classes.
const COLUMNS: usize = 10;
const QUALITY: u8 = 88;
const WHITE: [u8; 3] = [255; 3];

/// Draws the sheet; nothing where there is no image.
pub(super) fn draw(thumbnails: &Thumbnails, classes: &[String]) -> Result<Option<Vec<u8>>> {
    let step = SIDE + GAP;
    let size = |columns: usize, rows: usize, left: u32| {
        Rgb::filled(left + columns as u32 * step + GAP, rows as u32 * step + GAP, WHITE)
    };
    let longest = thumbnails.longest();
    if longest == 0 {
        return Ok(None);
    }
    let place = |sheet: &mut Rgb, image: &Rgb, column: usize, row: usize, left: u32| {
        sheet.paste(image, left + GAP + column as u32 * step, GAP + row as u32 * step);
    };
    let sheet = if classes.is_empty() {
        let mut sheet = size(longest.min(COLUMNS), longest.div_ceil(COLUMNS), 0);
        for (i, image) in thumbnails.groups().flatten().enumerate() {
            place(&mut sheet, image, i % COLUMNS, i / COLUMNS, 0);
        }
        sheet
    } else {
        let names: Vec<String> = (0..thumbnails.groups().count())
            .map(|group| text::shortened(&classes[thumbnails.class(group)], LETTERS))
            .collect();
        let left = GAP + names.iter().map(|name| text::width(name)).max().unwrap_or_default();
        let mut sheet = size(longest, names.len(), left);
        for (row, (name, images)) in names.iter().zip(thumbnails.groups()).enumerate() {
            text::write(&mut sheet, name, GAP, row as u32 * step + GAP + (SIDE - text::HEIGHT) / 2);
            for (column, image) in images.into_iter().enumerate() {
                place(&mut sheet, image, column, row, left);
            }
        }
        sheet
    };
    encode_jpeg(&sheet, QUALITY).map(Some)
}
