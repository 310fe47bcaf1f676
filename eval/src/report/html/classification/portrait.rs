//! What the network shows about itself.

use crate::number::significant;
use crate::report::chart::{Axis, Canvas, Raster, ScatterChart, Size, diverging, from_zero, in_both};
use crate::report::classification::{Filters, Portrait, Similarity};
use crate::report::html::charts::caption;

/// Filters side by side.
const ACROSS: usize = 7;
/// The width of a picture of filters or positions, at most.
const WIDTH: f64 = 340.0;

/// The charts by the names that templates use.
pub(super) fn charts(portrait: &Portrait) -> Vec<(&'static str, String)> {
    let mut charts = Vec::new();
    if let Some(found) = &portrait.patch_filters {
        charts.push(("patch_filters", filters(found, "patch-filters", "Principal components of the patch embedding")));
    }
    if let Some(found) = &portrait.stem_filters {
        charts.push(("stem_filters", filters(found, "stem-filters", "Filters of the stem")));
    }
    if let Some(found) = &portrait.position_similarity {
        charts.push(("similarity", similarity(found)));
    }
    if let Some(layers) = &portrait.attention_distance {
        charts.push(("distance", distance(layers)));
    }
    charts
}

/// Filters one beside the other, with a line of the page between them.
fn filters(found: &Filters, name: &str, title: &str) -> String {
    let across = if found.pixels.len() > 4 * ACROSS { ACROSS + 1 } else { ACROSS.min(found.pixels.len().max(1)) };
    let down = found.pixels.len().div_ceil(across);
    // a gap that is about as wide for coarse filters as for fine ones
    let zoom = (24 / found.width.max(found.height)).max(1);
    let (width, height) = (found.width * zoom, found.height * zoom);
    let gap = 2;
    let mut raster = Raster::clear(across * (width + gap) - gap, down * (height + gap) - gap);
    for (f, filter) in found.pixels.iter().enumerate() {
        let (left, top) = (f % across * (width + gap), f / across * (height + gap));
        for y in 0..height {
            for x in 0..width {
                let at = 3 * (y / zoom * found.width + x / zoom);
                raster.set(left + x, top + y, [filter[at], filter[at + 1], filter[at + 2], 255]);
            }
        }
    }
    let description = format!("{} filters of {} by {} pixels.", found.pixels.len(), found.width, found.height);
    picture(&raster, name, title, description, &format!("/classification/portrait/{}", name.replace('-', "_")))
}

fn similarity(found: &Similarity) -> String {
    let zoom = (24 / found.columns.max(found.rows)).max(1);
    let (width, height) = (found.columns * zoom, found.rows * zoom);
    let gap = 3;
    let down = found.maps.len().div_ceil(found.across.max(1));
    let mut raster = Raster::clear(found.across * (width + gap) - gap, down * (height + gap) - gap);
    for (m, map) in found.maps.iter().enumerate() {
        let (left, top) = (m % found.across * (width + gap), m / found.across * (height + gap));
        for y in 0..height {
            for x in 0..width {
                raster.set(left + x, top + y, diverging(f64::from(map.values[y / zoom][x / zoom]) / 100.0));
            }
        }
    }
    let description = format!(
        "A map for {} positions of a grid of {} by {}: orange where the embedding of another position points the same way, blue where it points the other way.",
        found.maps.len(),
        found.rows,
        found.columns
    );
    let path = "/classification/portrait/position_similarity";
    picture(&raster, "similarity", "Similarity of the position embeddings", description, path)
}

fn picture(raster: &Raster, id: &str, title: &str, description: String, path: &str) -> String {
    let (width, height) = raster.size();
    let scale = WIDTH / width.max(1) as f64;
    let drawn = height as f64 * scale;
    let data = [("data-path", path.to_owned())];
    let mut canvas = Canvas::new(&caption(id, title, description), Size::Own(WIDTH as u16), drawn, "raster", &data);
    canvas.image(&raster.address(), (0.0, 0.0), WIDTH, drawn, "pixels");
    canvas.finish()
}

fn distance(layers: &[Vec<f64>]) -> String {
    let mean = |layer: &Vec<f64>| layer.iter().sum::<f64>() / layer.len().max(1) as f64;
    let description = match (layers.first(), layers.last()) {
        (Some(first), Some(last)) => format!(
            "The heads of the first layer look {} pixels far in the mean, those of the last {}.",
            significant(mean(first), 3),
            significant(mean(last), 3)
        ),
        _ => String::new(),
    };
    in_both("distance", Size::Wide, |size, id| {
        let chart = ScatterChart {
            caption: caption(&id, "How far the heads look", description.clone()),
            size,
            height: if size == Size::Wide { 280.0 } else { 240.0 },
            x_label: "layer".to_owned(),
            y: Axis { label: "mean distance of attention, pixels".to_owned(), scale: from_zero(layers) },
            columns: layers.to_vec(),
            title: |layer, head, value| format!("layer {layer}, head {head}: {} pixels", significant(value, 3)),
            path: "/classification/portrait/attention_distance".to_owned(),
        };
        chart.draw()
    })
}
