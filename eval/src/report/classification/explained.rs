//! What the model looked at, for the images that `predict` explained.

use std::collections::HashMap;
use std::path::Path;

use serde::Serialize;
use tessera_datasets::Result;

use super::map::{Array, Map, each_array};
use super::picture::Picture;
use super::portrait;
use super::row::{Guess, Row, Shown};

/// Images that are shown, at most.
const MOST_IMAGES: usize = 12;
/// Values of all maps of heads, at most: the page stays small enough to send.
const MOST_VALUES: usize = 120_000;
/// The picture of a head weighs as much as this many values, however few it has.
const VALUES_OF_A_HEAD: usize = 60;

/// The explained images.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Explained {
    /// The images that are shown.
    pub images: Vec<ExplainedImage>,
    /// Images that were explained and are not shown.
    pub left_out: u64,
}

/// An image with what was looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ExplainedImage {
    /// The row's id.
    pub id: String,
    /// Its row, from 1, where the predictions have it.
    pub row: Option<u64>,
    /// Its class, where it is known.
    pub label: Option<usize>,
    /// What the model said.
    pub prediction: Option<usize>,
    /// What it finds most probable.
    pub guesses: Vec<Guess>,
    /// The thumbnail, where the predictions have one.
    pub picture: Option<Picture>,
    /// Attention rollout (Abnar and Zuidema 2020): how much of the answer comes from each patch.
    pub rollout: Option<Map>,
    /// Where each head looks.
    pub heads: Option<HeadMaps>,
    /// Grad-CAM (Selvaraju et al. 2017) of each stage.
    pub grad_cam: Vec<StageMap>,
    /// The norm of the features of each stage.
    pub feature_norm: Vec<StageMap>,
}

/// The attention of every head.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeadMaps {
    /// Layers from the bottom up, each with its heads in the model's order.
    pub layers: Vec<Vec<Map>>,
}

/// The map of a stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageMap {
    /// The stage, from 1.
    pub stage: u64,
    /// The map.
    pub map: Map,
}

impl Explained {
    /// Reads the explanations of a split; nothing where there are none.
    ///
    /// # Errors
    /// When there are some and they are not what they should be.
    pub(super) fn read(dir: &Path, split: &str, rows: &[Row], shown: &Shown) -> Result<Self> {
        let mut found = Found::default();
        each_array(dir, split, |array| match array.id == portrait::ID {
            true => Ok(()),
            false => found.take(array),
        })?;
        Ok(found.finish(rows, shown))
    }
}

/// What was read so far.
#[derive(Default)]
struct Found {
    images: Vec<ExplainedImage>,
    places: HashMap<String, usize>,
    left_out: Vec<String>,
    values: usize,
}

impl Found {
    fn take(&mut self, array: &Array<'_>) -> Result<(), String> {
        let stage = |prefix: &str| array.name.strip_prefix(prefix).and_then(|stage| stage.parse::<u64>().ok());
        let (cam, norm) = (stage("grad-cam-stage-"), stage("feature-norm-stage-"));
        let known = cam.is_some() || norm.is_some() || ["attention-rollout", "class-attention"].contains(&array.name);
        // what a later version explains beside these is none of this one's business
        let Some(image) = known.then(|| self.image(array.id)).flatten() else { return Ok(()) };
        match (array.name, cam, norm) {
            ("class-attention", ..) => {
                let [layers, heads, rows, columns] = array.weights()?;
                let size = layers * heads * (rows * columns + VALUES_OF_A_HEAD);
                if self.values + size <= MOST_VALUES {
                    self.values += size;
                    let mut maps = array.values.chunks(rows * columns).map(|values| Map::of(values, columns));
                    let layers = (0..layers).map(|_| maps.by_ref().take(heads).collect()).collect();
                    self.images[image].heads = Some(HeadMaps { layers });
                }
            }
            (_, cam, norm) => {
                let [_, columns] = array.weights()?;
                let map = Map::of(array.values, columns);
                let image = &mut self.images[image];
                match (cam, norm) {
                    (Some(stage), _) => image.grad_cam.push(StageMap { stage, map }),
                    (_, Some(stage)) => image.feature_norm.push(StageMap { stage, map }),
                    _ => image.rollout = Some(map),
                }
            }
        }
        Ok(())
    }

    /// The place of an image; none where there is no room for it.
    fn image(&mut self, id: &str) -> Option<usize> {
        if let Some(place) = self.places.get(id) {
            return Some(*place);
        }
        if self.images.len() == MOST_IMAGES {
            if !self.left_out.iter().any(|other| other == id) {
                self.left_out.push(id.to_owned());
            }
            return None;
        }
        self.places.insert(id.to_owned(), self.images.len());
        self.images.push(ExplainedImage { id: id.to_owned(), ..ExplainedImage::default() });
        Some(self.images.len() - 1)
    }

    fn finish(mut self, rows: &[Row], shown: &Shown) -> Explained {
        for row in rows {
            if let Some(place) = self.places.get(&row.id) {
                let image = &mut self.images[*place];
                (image.row, image.label, image.prediction) = (Some(row.row), row.label, Some(row.prediction));
            }
        }
        for image in &mut self.images {
            image.grad_cam.sort_by_key(|map| map.stage);
            image.feature_norm.sort_by_key(|map| map.stage);
            if let Some(shown) = shown.get(&image.id) {
                (image.picture, image.guesses) = (shown.picture.clone(), shown.guesses.clone());
            }
        }
        Explained { images: self.images, left_out: self.left_out.len() as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(found: &mut Found, id: &str, name: &str, shape: &[usize], values: &[f32]) -> Result<(), String> {
        found.take(&Array { id, name, shape: shape.to_vec(), values })
    }

    #[test]
    fn heads_lie_one_after_the_other() {
        let mut found = Found::default();
        let values = [0.5, 0.25, 0.0, 0.2, 0.1, 0.1, 0.3, 0.6];
        take(&mut found, "a", "class-attention", &[2, 2, 1, 2], &values).unwrap();
        let image = &found.finish(&[], &Shown::default()).images[0];
        let layers = &image.heads.as_ref().unwrap().layers;
        let values: Vec<_> = layers.iter().flatten().map(|map| map.values[0].clone()).collect();
        assert_eq!(values, [[100, 50], [0, 100], [100, 100], [50, 100]]);
        assert!((layers[1][1].peak - 0.6).abs() < 1e-6);
    }

    #[test]
    fn what_is_no_map_is_refused() {
        let wrong = |shape: &[usize], values: &[f32]| {
            take(&mut Found::default(), "a", "attention-rollout", shape, values).unwrap_err()
        };
        assert!(wrong(&[1, 1, 1], &[1.0]).contains("has not 2 dimensions"));
        assert!(wrong(&[2, 2], &[1.0]).contains("but there are 1 values"));
        assert!(wrong(&[0, 2], &[]).contains("nothing to show"));
        assert!(wrong(&[1, 1], &[f32::NAN]).contains("`values` holds NaN"));
        assert!(wrong(&[1, 2], &[-0.5, 1.0]).contains("-0.5, which is no weight"));
        assert!(wrong(&[usize::MAX, 2], &[1.0]).contains("but there are 1 values"));
    }

    #[test]
    fn stages_are_in_order_and_what_is_unknown_is_passed_over() {
        let mut found = Found::default();
        for (name, value) in [("grad-cam-stage-2", 0.0), ("grad-cam-stage-1", 1.0), ("saliency", 2.0)] {
            take(&mut found, "a", name, &[1, 1], &[value]).unwrap();
        }
        take(&mut found, "b", "saliency", &[1, 1], &[1.0]).unwrap();
        let explained = found.finish(&[], &Shown::default());
        assert_eq!(explained.images.len(), 1);
        let stages: Vec<_> = explained.images[0].grad_cam.iter().map(|map| (map.stage, map.map.peak)).collect();
        assert_eq!(stages, [(1, 1.0), (2, 0.0)]);
    }

    #[test]
    fn more_images_than_fit_are_counted() {
        let mut found = Found::default();
        for i in 0..MOST_IMAGES + 3 {
            for name in ["grad-cam-stage-1", "grad-cam-stage-2"] {
                take(&mut found, &i.to_string(), name, &[1, 1], &[1.0]).unwrap();
            }
        }
        let explained = found.finish(&[], &Shown::default());
        assert_eq!((explained.images.len(), explained.left_out), (MOST_IMAGES, 3));
    }
}
