//! What a network shows about itself: Figure 7 of Dosovitskiy et al. ("An image is worth 16×16
//! words", 2021), and the filters of a stem.

use std::path::Path;

use serde::Serialize;
use tessera_datasets::Result;

use super::map::{Array, each_array};

/// The `id` of what is about the network and not about an image.
pub(super) const ID: &str = "model";
/// Filters that are shown.
const MOST_FILTERS: usize = 64;
/// Positions along a side whose similarity is shown: of a finer grid every second, third, …
const MOST_POSITIONS: usize = 8;

/// What the network shows about itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Portrait {
    /// Principal components of the embedding of patches (Figure 7, left).
    pub patch_filters: Option<Filters>,
    /// How alike the embeddings of positions are (Figure 7, centre).
    pub position_similarity: Option<Similarity>,
    /// The mean distance that each head looks over, in pixels, by layer (Figure 7, right).
    pub attention_distance: Option<Vec<Vec<f64>>>,
    /// The filters of a convolutional stem.
    pub stem_filters: Option<Filters>,
}

/// Filters as colour pictures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Filters {
    /// Pixels of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Filters that the network showed; at most 64 are kept.
    pub count: usize,
    /// Each filter as red, green, blue of its pixels in reading order, from its lowest value (0) to
    /// its highest (255).
    pub pixels: Vec<Vec<u8>>,
}

/// How alike the embeddings of positions are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Similarity {
    /// Rows of the grid of patches.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// How many maps stand side by side.
    pub across: usize,
    /// The maps that are shown, row by row.
    pub maps: Vec<SimilarityMap>,
}

/// The similarity of one position with all.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SimilarityMap {
    /// Its row, from 1.
    pub row: usize,
    /// Its column, from 1.
    pub column: usize,
    /// Cosines in hundredths, row by row.
    pub values: Vec<Vec<i8>>,
}

impl Portrait {
    /// Reads the explanations of a split; nothing where there are none.
    ///
    /// # Errors
    /// When there are some and they are not what they should be.
    pub(super) fn read(dir: &Path, split: &str) -> Result<Self> {
        let mut portrait = Self::default();
        each_array(dir, split, |array| match array.id == ID {
            true => portrait.take(array),
            false => Ok(()),
        })?;
        Ok(portrait)
    }

    fn take(&mut self, array: &Array<'_>) -> Result<(), String> {
        match array.name {
            "patch-filters" => self.patch_filters = Some(Filters::of(array)?),
            "stem-filters" => self.stem_filters = Some(Filters::of(array)?),
            "position-similarity" => self.position_similarity = Some(Similarity::of(array)?),
            "attention-distance" => {
                let [_, heads] = array.weights()?;
                let rounded = |value: &f32| (f64::from(*value) * 100.0).round() / 100.0;
                let layers = array.values.chunks(heads).map(|layer| layer.iter().map(rounded).collect());
                self.attention_distance = Some(layers.collect());
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Filters {
    fn of(array: &Array<'_>) -> Result<Self, String> {
        let [count, channels, height, width] = array.finite()?;
        if channels != 3 {
            return Err(format!("`shape` is {:?}: a filter over {channels} channels has no colours", array.shape));
        }
        let filters = array.values.chunks(3 * height * width).take(MOST_FILTERS);
        Ok(Self { width, height, count, pixels: filters.map(|filter| colours(filter, height * width)).collect() })
    }
}

/// The pixels of a filter, whose channels lie one after the other, as interleaved bytes.
fn colours(filter: &[f32], pixels: usize) -> Vec<u8> {
    let low = filter.iter().copied().fold(f32::INFINITY, f32::min);
    let high = filter.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let byte = |value: f32| match high > low {
        true => (255.0 * (value - low) / (high - low)).round() as u8,
        false => 128,
    };
    (0..pixels).flat_map(|pixel| [0, 1, 2].map(|channel| byte(filter[channel * pixels + pixel]))).collect()
}

impl Similarity {
    fn of(array: &Array<'_>) -> Result<Self, String> {
        let [rows, columns, others, across] = array.finite()?;
        if (rows, columns) != (others, across) {
            return Err(format!("`shape` is {:?}, not [rows, columns, rows, columns]", array.shape));
        }
        // spread over the grid, its corners among them
        let chosen = |count: usize| -> Vec<usize> {
            let shown = count.min(MOST_POSITIONS);
            (0..shown).map(|i| if shown > 1 { (i * (count - 1) + (shown - 1) / 2) / (shown - 1) } else { 0 }).collect()
        };
        let hundredths = |value: &f32| (100.0 * value.clamp(-1.0, 1.0)).round() as i8;
        let map = |row: usize, column: usize| {
            let first = (row * columns + column) * rows * columns;
            let values = array.values[first..first + rows * columns].chunks(columns);
            let values = values.map(|row| row.iter().map(hundredths).collect()).collect();
            SimilarityMap { row: row + 1, column: column + 1, values }
        };
        let (down, along) = (chosen(rows), chosen(columns));
        let maps = down.iter().flat_map(|row| along.iter().map(|column| map(*row, *column))).collect();
        Ok(Self { rows, columns, across: along.len(), maps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn portrait(name: &str, shape: &[usize], values: &[f32]) -> Result<Portrait, String> {
        let mut portrait = Portrait::default();
        portrait.take(&Array { id: ID, name, shape: shape.to_vec(), values })?;
        Ok(portrait)
    }

    #[test]
    fn a_filter_goes_from_its_lowest_to_its_highest_value() {
        let values = [-1.0, 0.0, 1.0, -1.0, 0.0, 1.0];
        let filters = portrait("patch-filters", &[1, 3, 1, 2], &values).unwrap().patch_filters.unwrap();
        // the first pixel is red -1, green 1, blue 0
        assert_eq!(filters.pixels, [vec![0, 255, 128, 128, 0, 255]]);
        let flat = portrait("stem-filters", &[1, 3, 1, 1], &[2.0; 3]).unwrap().stem_filters.unwrap();
        assert_eq!(flat.pixels, [vec![128; 3]]);
        assert!(portrait("stem-filters", &[1, 1, 1, 1], &[2.0]).unwrap_err().contains("over 1 channels"));
    }

    #[test]
    fn a_fine_grid_of_positions_is_thinned_out_to_its_corners() {
        let values: Vec<f32> = (0..15_usize.pow(4)).map(|i| if i % 226 == 0 { 1.0 } else { 0.0 }).collect();
        let found = portrait("position-similarity", &[15; 4], &values).unwrap().position_similarity.unwrap();
        assert_eq!((found.maps.len(), found.across), (64, 8));
        assert_eq!((found.maps[0].row, found.maps[63].row, found.maps[63].column), (1, 15, 15));
        for map in &found.maps {
            assert_eq!(map.values[map.row - 1][map.column - 1], 100, "every position is like itself");
            assert_eq!(map.values.iter().flatten().filter(|value| **value == 100).count(), 1);
        }
        assert!(portrait("position-similarity", &[1, 2, 2, 1], &[1.0; 4]).unwrap_err().contains("not [rows"));
    }
}
