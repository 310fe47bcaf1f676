//! Where the model looked: between frames and between keypoints.

use std::path::Path;

use serde::Serialize;
use tessera_datasets::Result;
use tessera_datasets::pose::Skeleton;

use crate::report::classification::{Array, Map, each_array};

/// Windows that are shown, at most.
const MOST_WINDOWS: usize = 3;
/// Values of all maps, at most: the page stays small enough to send.
const MOST_VALUES: usize = 150_000;

/// The explained windows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Attention {
    /// The windows that are shown.
    pub windows: Vec<ExplainedWindow>,
    /// Windows that were explained and are not shown.
    pub left_out: u64,
}

/// A window with what was looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ExplainedWindow {
    /// The row's id.
    pub id: String,
    /// The maps, in the model's order.
    pub maps: Vec<AttentionMap>,
}

/// One kind of attention.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AttentionMap {
    /// `time-attention` or `joint-attention`.
    pub name: String,
    /// What looks and is looked at: the names of keypoints, the numbers of frames.
    pub labels: Vec<String>,
    /// Layers from the bottom up, each with its heads in the model's order.
    pub layers: Vec<Vec<Map>>,
}

impl Attention {
    /// Reads the explanations of a split; nothing where there are none.
    ///
    /// # Errors
    /// When there are some and they are not what they should be.
    pub(super) fn read(dir: &Path, split: &str, skeleton: &Skeleton) -> Result<Self> {
        let mut found = Self::default();
        let mut left_out: Vec<String> = Vec::new();
        let mut values = 0;
        each_array(dir, split, |array| {
            if !["time-attention", "joint-attention"].contains(&array.name) {
                return Ok(());
            }
            let map = read_map(array, skeleton)?;
            values += array.values.len();
            match found.place(array.id).filter(|_| values <= MOST_VALUES) {
                Some(place) => found.windows[place].maps.push(map),
                None if left_out.iter().any(|id| id == array.id) => {}
                None => left_out.push(array.id.to_owned()),
            }
            Ok(())
        })?;
        found.windows.retain(|window| !window.maps.is_empty());
        found.left_out = left_out.len() as u64;
        Ok(found)
    }

    fn place(&mut self, id: &str) -> Option<usize> {
        if let Some(place) = self.windows.iter().position(|window| window.id == id) {
            return Some(place);
        }
        if self.windows.len() == MOST_WINDOWS {
            return None;
        }
        self.windows.push(ExplainedWindow { id: id.to_owned(), maps: Vec::new() });
        Some(self.windows.len() - 1)
    }
}

fn read_map(array: &Array<'_>, skeleton: &Skeleton) -> Result<AttentionMap, String> {
    let [_, heads, rows, columns] = array.weights()?;
    if rows != columns {
        return Err(format!("{rows} look at {columns}, and they should be the same"));
    }
    let labels: Vec<String> = match array.name {
        "joint-attention" if rows == skeleton.keypoints.len() => skeleton.keypoints.clone(),
        "joint-attention" => return Err(format!("{rows} keypoints look, and there are {}", skeleton.keypoints.len())),
        _ => (1..=rows).map(|frame| frame.to_string()).collect(),
    };
    let maps: Vec<Map> = array.values.chunks(rows * columns).map(|values| Map::of(values, columns)).collect();
    let layers = maps.chunks(heads).map(<[Map]>::to_vec).collect();
    Ok(AttentionMap { name: array.name.to_owned(), labels, layers })
}
