//! What the model looked at: maps as veils over the image that the network saw.

use minijinja::value::Value;

use super::rendering;
use crate::number::percent;
use crate::report::chart::{Canvas, Raster, Size, address};
use crate::report::classification::{Classification, ExplainedImage, HeadMaps, Map, StageMap};
use crate::report::html::charts::caption;

/// The side of a picture.
const SIDE: u16 = 136;
/// The side of a head's picture, at most, and the room between two.
const HEAD: f64 = 44.0;
const GAP: f64 = 4.0;
/// The width of the picture of all heads, at most.
const WIDEST: f64 = 700.0;

/// The part of a thumbnail that the network saw: a square in its middle.
#[derive(Clone, Copy)]
struct Seen {
    left: f64,
    top: f64,
    side: f64,
}

impl Seen {
    fn of(image: &ExplainedImage, crop: f64) -> Self {
        let (width, height) = image.picture.as_ref().map_or((1.0, 1.0), |p| (f64::from(p.width), f64::from(p.height)));
        let side = width.min(height) * crop.clamp(0.01, 1.0);
        Self { left: (width - side) / 2.0, top: (height - side) / 2.0, side }
    }
}

/// The pictures of every explained image.
pub(super) fn pictures(made: &Classification) -> Vec<Value> {
    let images = made.explained.images.iter().enumerate();
    images.map(|(i, image)| of_image(i, image, made.crop.unwrap_or(1.0))).collect()
}

fn of_image(i: usize, image: &ExplainedImage, crop: f64) -> Value {
    let id = format!("seen-{i}");
    let scene = Scene { id: &id, image, seen: Seen::of(image, crop) };
    let safe = Value::from_safe_string;
    let stages = |name: &str, kind: &str, maps: &[StageMap]| -> Vec<Value> {
        let tile = |map: &StageMap| {
            let title = format!("{name} of stage {}", map.stage);
            safe(scene.tile(&format!("{id}-{kind}-{}", map.stage), &title, Some((&map.map, true))))
        };
        maps.iter().map(tile).collect()
    };
    minijinja::context! {
        definition => safe(scene.definition()),
        picture => safe(scene.tile(&format!("{id}-plain"), "What the network saw", None)),
        rollout => image.rollout.as_ref().map(|map| safe(scene.tile(&format!("{id}-rollout"), "Attention rollout", Some((map, true))))),
        heads => image.heads.as_ref().map(|heads| safe(scene.heads(heads))),
        grad_cam => stages("Grad-CAM", "cam", &image.grad_cam),
        feature_norm => stages("Norm of the features", "norm", &image.feature_norm),
    }
}

struct Scene<'a> {
    id: &'a str,
    image: &'a ExplainedImage,
    seen: Seen,
}

impl Scene<'_> {
    /// The thumbnail, once for all pictures of it.
    fn definition(&self) -> String {
        Canvas::definition(self.id, |canvas| match &self.image.picture {
            Some(picture) => {
                let (width, height) = (f64::from(picture.width), f64::from(picture.height));
                let address = address(&picture.media_type, &picture.bytes);
                canvas.image(&address, (0.0, 0.0), width, height, rendering(picture));
            }
            None => canvas.rect((0.0, 0.0), 1.0, 1.0, "ground", ""),
        })
    }

    /// One picture, with a map over it; a map that is `stretched` goes from its lowest value.
    fn tile(&self, id: &str, title: &str, map: Option<(&Map, bool)>) -> String {
        let description = map.map_or_else(String::new, |(map, _)| most(map));
        let mut canvas = Canvas::new(&caption(id, title, description), Size::Own(SIDE), f64::from(SIDE), "seen", &[]);
        self.draw(&mut canvas, (0.0, 0.0), f64::from(SIDE), map);
        canvas.finish()
    }

    fn draw(&self, canvas: &mut Canvas, at: (f64, f64), side: f64, map: Option<(&Map, bool)>) {
        let Seen { left, top, side: seen } = self.seen;
        canvas.window(at, side, [left, top, seen, seen], |canvas| {
            canvas.reuse(self.id);
            if let Some((map, stretched)) = map {
                canvas.image(&veil(map, stretched), (left, top), seen, seen, "pixels");
            }
        });
    }

    /// All heads: a column for each layer.
    fn heads(&self, heads: &HeadMaps) -> String {
        let across = heads.layers.len() as f64;
        let down = heads.layers.iter().map(Vec::len).max().unwrap_or(0);
        let (left, top) = (34.0, 32.0);
        let side = ((WIDEST - left) / across - GAP).min(HEAD);
        let size = Size::Own((left + (side + GAP) * across).ceil() as u16);
        let description = "A column for each layer, a row for each head; bright is where it looks.".to_owned();
        let caption = caption(&format!("{}-heads", self.id), "Where every head looks", description);
        let mut canvas = Canvas::new(&caption, size, top + (side + GAP) * down as f64, "seen", &[]);
        canvas.text((left, 11.0), "start", "axis-label", "layer");
        canvas.text((0.0, top - 6.0), "start", "axis-label", "head");
        for head in 0..down {
            let y = top + (side + GAP) * head as f64 + side / 2.0 + 4.0;
            canvas.text((left - 7.0, y), "end", "tick", &(head + 1).to_string());
        }
        for (l, layer) in heads.layers.iter().enumerate() {
            let x = left + (side + GAP) * l as f64;
            canvas.text((x + side / 2.0, top - 6.0), "middle", "tick", &(l + 1).to_string());
            for (h, map) in layer.iter().enumerate() {
                let title = format!("layer {}, head {}: {}", l + 1, h + 1, most(map));
                canvas.titled(&title, |canvas| {
                    self.draw(canvas, (x, top + (side + GAP) * h as f64), side, Some((map, false)));
                });
            }
        }
        canvas.finish()
    }
}

/// The veil of a map.
fn veil(map: &Map, stretched: bool) -> String {
    let (rows, columns) = map.size();
    let lowest = map.values.iter().flatten().copied().min().unwrap_or(0);
    let lowest = if stretched && lowest < 100 { f64::from(lowest) } else { 0.0 };
    let value = |x: usize, y: usize| (f64::from(map.values[y][x]) - lowest) / (100.0 - lowest);
    Raster::veil(columns, rows, value).address()
}

/// Where a map is highest, in words.
fn most(map: &Map) -> String {
    let (rows, columns) = map.size();
    let cells = (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x)));
    let place = cells.reduce(|a, b| if map.values[b.0][b.1] > map.values[a.0][a.1] { b } else { a });
    match place {
        Some(_) if map.peak == 0.0 => "nowhere above 0".to_owned(),
        Some((y, x)) => {
            let peak = if map.peak <= 1.0 { percent(map.peak) } else { crate::number::significant(map.peak, 3) };
            format!("most in row {} of {rows}, column {} of {columns} ({peak})", y + 1, x + 1)
        }
        None => String::new(),
    }
}
