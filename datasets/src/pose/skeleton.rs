//! Which keypoints an animal has and how they hang together.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Error, Result};

/// The key of a dataset's skeleton in the `details` of its manifest.
pub const DETAIL: &str = "skeleton";

/// A skeleton, as its card and a manifest's `details` have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skeleton {
    /// What it is called.
    pub name: String,
    /// The unit of positions, such as `mm`.
    pub unit: String,
    /// The name of each keypoint; positions in this list are the axis k of a track.
    pub keypoints: Vec<String>,
    /// The bones, as pairs of keypoints. Their lengths should not change over time.
    #[serde(rename = "skeleton")]
    pub edges: Vec<[String; 2]>,
    /// Frames per second, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames_per_second: Option<f64>,
    /// By how much positions are multiplied when they are read, so that they come into `unit`; 1
    /// where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// Pairs of keypoints that a mirror swaps, left and right.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mirror: Vec<[String; 2]>,
}

impl Skeleton {
    /// Reads a card.
    ///
    /// # Errors
    /// When it cannot be read, has an unknown key, or contradicts itself.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs_err::read_to_string(path)?;
        Self::parse(&text).map_err(|error| error.at(path))
    }

    /// A card from its text.
    ///
    /// # Errors
    /// When it has an unknown key or contradicts itself.
    pub fn parse(text: &str) -> Result<Self> {
        let skeleton: Self = toml::from_str(text).map_err(|e| Error::input(format!("not a skeleton card: {e}")))?;
        skeleton.check()?;
        Ok(skeleton)
    }

    /// The skeleton in the `details` of a manifest.
    ///
    /// # Errors
    /// When there is none or it contradicts itself.
    pub fn of_details(details: &Map<String, Value>) -> Result<Self> {
        let value = details.get(DETAIL).ok_or_else(|| Error::input("the manifest has no `details.skeleton`"))?;
        let skeleton: Self = serde_json::from_value(value.clone())
            .map_err(|e| Error::input(format!("`details.skeleton` is no skeleton: {e}")))?;
        skeleton.check()?;
        Ok(skeleton)
    }

    /// The value for a manifest's `details`.
    ///
    /// # Panics
    /// Never: a skeleton is made of names and numbers.
    #[must_use]
    pub fn to_detail(&self) -> Value {
        serde_json::to_value(self).expect("names and numbers have a JSON form")
    }

    /// The number of a keypoint.
    #[must_use]
    pub fn index(&self, keypoint: &str) -> Option<usize> {
        self.keypoints.iter().position(|name| name == keypoint)
    }

    /// The bones as pairs of numbers.
    #[must_use]
    pub fn edge_indices(&self) -> Vec<[usize; 2]> {
        self.pairs(&self.edges)
    }

    /// For each keypoint the one that stands in its place in a mirror; nothing where the card says
    /// nothing of mirrors.
    #[must_use]
    pub fn mirrored(&self) -> Option<Vec<usize>> {
        let mut order: Vec<usize> = (0..self.keypoints.len()).collect();
        self.pairs(&self.mirror).into_iter().for_each(|[left, right]| order.swap(left, right));
        (!self.mirror.is_empty()).then_some(order)
    }

    fn pairs(&self, names: &[[String; 2]]) -> Vec<[usize; 2]> {
        let pair = |[a, b]: &[String; 2]| Some([self.index(a)?, self.index(b)?]);
        names.iter().filter_map(pair).collect()
    }

    fn check(&self) -> Result<()> {
        let known = || format!("its keypoints are {}", self.keypoints.join(", "));
        if self.keypoints.is_empty() {
            return Err(Error::input("`keypoints` is empty"));
        }
        for (i, name) in self.keypoints.iter().enumerate() {
            if name.is_empty() {
                return Err(Error::input(format!("keypoint {} has no name", i + 1)));
            }
            if self.keypoints[..i].contains(name) {
                return Err(Error::input(format!("keypoint `{name}` is there twice")));
            }
        }
        for (what, pairs) in [("skeleton", &self.edges), ("mirror", &self.mirror)] {
            for (i, [a, b]) in pairs.iter().enumerate() {
                if let Some(unknown) = [a, b].into_iter().find(|name| self.index(name).is_none()) {
                    let message = format!("`{what}` names `{unknown}`, which is not among the keypoints");
                    return Err(Error::input(message).hint(known()));
                }
                if a == b {
                    return Err(Error::input(format!("`{what}` joins `{a}` to itself")));
                }
                let met = |name: &String| pairs[..i].iter().flatten().any(|other| other == name);
                if what == "mirror" && (met(a) || met(b)) {
                    return Err(Error::input(format!("`mirror` has `{a}` or `{b}` in two pairs")));
                }
            }
        }
        for (what, value) in [("frames_per_second", self.frames_per_second), ("scale", self.scale)] {
            if let Some(value) = value.filter(|v| !(v.is_finite() && *v > 0.0)) {
                return Err(Error::input(format!("`{what}` is {value}, which is not a positive number")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = r#"
        name = "mouse"
        unit = "mm"
        keypoints = ["nose", "ear_l", "ear_r"]
        skeleton = [["nose", "ear_l"], ["nose", "ear_r"]]
    "#;

    #[test]
    fn a_card_comes_back_from_a_manifest() {
        let card = format!("{CARD}\nframes_per_second = 60.0\nmirror = [[\"ear_l\", \"ear_r\"]]");
        let skeleton = Skeleton::parse(&card).unwrap();
        assert_eq!(skeleton.edge_indices(), [[0, 1], [0, 2]]);
        assert_eq!(skeleton.mirrored(), Some(vec![0, 2, 1]));
        let details = Map::from_iter([(DETAIL.to_owned(), skeleton.to_detail())]);
        assert_eq!(Skeleton::of_details(&details).unwrap(), skeleton);
        assert_eq!(Skeleton::parse(CARD).unwrap().mirrored(), None);
    }

    #[test]
    fn contradictions_are_named() {
        for (more, message) in [
            ("mirror = [[\"nose\", \"tail\"]]", "`mirror` names `tail`, which is not among the keypoints"),
            ("mirror = [[\"nose\", \"nose\"]]", "`mirror` joins `nose` to itself"),
            ("mirror = [[\"nose\", \"ear_l\"], [\"ear_l\", \"ear_r\"]]", "`ear_l` or `ear_r` in two pairs"),
            ("frames_per_second = 0.0", "`frames_per_second` is 0"),
            ("colour = 1", "unknown field `colour`"),
        ] {
            let error = Skeleton::parse(&format!("{CARD}\n{more}")).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        let error = Skeleton::parse(&CARD.replace("\"ear_r\"]\n", "\"nose\"]\n")).unwrap_err().to_string();
        assert!(error.contains("keypoint `nose` is there twice"), "{error}");
    }
}
