//! Which images stand for their class, and how small they are shown.
//!
//! Those with the smallest hash of their id: a sample that depends neither on threads nor on the
//! order of the rows, and of which no more is kept than is shown.

use tessera_datasets::Result;
use tessera_datasets::hash::sha256;
use tessera_datasets::image::{Filter, Region, Resizer, Rgb};

/// Pixels of a side.
pub(super) const SIDE: u32 = 64;
/// How many classes are shown; of more, some that are evenly spread.
const SHOWN: usize = 50;
/// How many images are shown where there are no classes.
const UNCLASSED: usize = 80;

/// Images that are kept, group by group, the smallest hash first.
pub(super) struct Thumbnails {
    classes: usize,
    each: usize,
    groups: Vec<Vec<(u64, Rgb)>>,
}

/// An image that may be shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    hash: u64,
    label: Option<usize>,
}

impl Candidate {
    pub(super) fn of(id: &str, label: Option<usize>) -> Self {
        let digest = sha256(id.as_bytes());
        let hash = digest.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default();
        Self { hash, label }
    }

    /// A number from 0 to 1, less than 1, that follows from the id.
    pub(super) fn share(&self) -> f64 {
        (self.hash >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl Thumbnails {
    /// None yet of so many classes; 0 for images without.
    pub(super) fn new(classes: usize, each: usize) -> Self {
        let (groups, each) = match classes {
            0 => (1, if each == 0 { 0 } else { UNCLASSED }),
            n => (n.min(SHOWN), each),
        };
        Self { classes, each, groups: (0..groups).map(|_| Vec::new()).collect() }
    }

    /// The class that a group shows.
    pub(super) fn class(&self, group: usize) -> usize {
        group * self.classes / self.groups.len()
    }

    /// The images of each group.
    pub(super) fn groups(&self) -> impl Iterator<Item = Vec<&Rgb>> {
        self.groups.iter().map(|group| group.iter().map(|(_, image)| image).collect())
    }

    /// The most images in a group.
    pub(super) fn longest(&self) -> usize {
        self.groups.iter().map(Vec::len).max().unwrap_or_default()
    }

    fn group(&self, candidate: &Candidate) -> Option<usize> {
        match (self.classes, candidate.label) {
            (0, _) => Some(0),
            (_, None) => None,
            (_, Some(label)) => (0..self.groups.len()).find(|group| self.class(*group) == label),
        }
    }

    /// Whether an image would be among those that are shown.
    pub(super) fn wants(&self, candidate: &Candidate) -> bool {
        let Some(group) = self.group(candidate).map(|group| &self.groups[group]) else {
            return false;
        };
        group.len() < self.each || group.last().is_some_and(|(last, _)| candidate.hash < *last)
    }

    /// Keeps an image, if it is still wanted.
    pub(super) fn put(&mut self, candidate: Candidate, image: Rgb) {
        if let Some(group) = self.group(&candidate) {
            self.insert(group, candidate.hash, image);
        }
    }

    fn insert(&mut self, group: usize, hash: u64, image: Rgb) {
        let group = &mut self.groups[group];
        let at = group.partition_point(|(other, _)| *other <= hash);
        group.insert(at, (hash, image));
        group.truncate(self.each);
    }

    pub(super) fn merge(&mut self, second: Self) {
        for (number, group) in second.groups.into_iter().enumerate() {
            group.into_iter().for_each(|(hash, image)| self.insert(number, hash, image));
        }
    }
}

/// The middle of an image as a small square.
pub(super) fn shrink(image: &Rgb) -> Result<Rgb> {
    let side = image.width.min(image.height);
    let region = Region::centre((image.width, image.height), (side, side));
    Resizer::new().resize(image, region, SIDE, SIDE, Filter::Bicubic)
}
