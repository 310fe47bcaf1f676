//! What a header says: which column holds what.

use super::Format;
use crate::pose::Skeleton;
use crate::{Error, Result};

/// Which columns of a file hold the keypoints of a skeleton, in `D` coordinates.
#[derive(Clone, Debug)]
pub struct Header<const D: usize> {
    /// How the file is laid out.
    pub format: Format,
    /// The columns that belong to no keypoint of the card and are not read.
    pub ignored: Vec<String>,
    /// How many columns a row has.
    pub(super) width: usize,
    pub(super) places: Places<D>,
    pub(super) behaviour: Option<usize>,
    pub(super) frame: Option<usize>,
    pub(super) scorer: Option<String>,
}

/// Where the keypoints are, in the order of the skeleton.
#[derive(Clone, Debug)]
pub(super) enum Places<const D: usize> {
    /// Each coordinate in a cell of its own.
    Cells(Vec<Cells<D>>),
    /// All coordinates in one cell.
    Lists(Vec<usize>),
}

/// The cells of one keypoint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cells<const D: usize> {
    pub(super) coordinates: [usize; D],
    pub(super) likelihood: Option<usize>,
}

impl<const D: usize> Header<D> {
    /// Whether the file says how sure a detector was.
    #[must_use]
    pub fn has_likelihood(&self) -> bool {
        matches!(&self.places, Places::Cells(cells) if cells.iter().any(|cells| cells.likelihood.is_some()))
    }

    pub(super) fn new(format: Format, names: &[String], places: Places<D>) -> Self {
        let width = names.len();
        Self { format, ignored: Vec::new(), width, places, behaviour: None, frame: None, scorer: None }
    }

    /// Notes the columns that none of the others has taken.
    pub(super) fn ignoring_the_rest(mut self, names: &[String]) -> Self {
        let mut taken = vec![false; names.len()];
        let mut take = |column: usize| taken[column] = true;
        self.behaviour.into_iter().chain(self.frame).for_each(&mut take);
        match &self.places {
            Places::Lists(columns) => columns.iter().copied().for_each(take),
            Places::Cells(cells) => {
                cells.iter().for_each(|c| c.coordinates.into_iter().chain(c.likelihood).for_each(&mut take));
            }
        }
        let rest = names.iter().zip(taken).filter(|(name, taken)| !taken && !name.is_empty());
        self.ignored = rest.map(|(name, _)| name.clone()).collect();
        self
    }
}

/// The column of a name, which must not be there twice.
pub(super) fn find(names: &[String], name: &str) -> Result<Option<usize>> {
    let mut found = names.iter().enumerate().filter(|(_, other)| *other == name).map(|(column, _)| column);
    match (found.next(), found.next()) {
        (first, None) => Ok(first),
        (_, Some(_)) => Err(Error::input(format!("the column `{name}` is there twice"))),
    }
}

/// The column of a name that no keypoint has, such as `behaviour`.
pub(super) fn find_other(names: &[String], name: &str, skeleton: &Skeleton) -> Result<Option<usize>> {
    match skeleton.index(name) {
        Some(_) => Ok(None),
        None => find(names, name),
    }
}

/// The columns of a keypoint's coordinates, which are called `name(0)`, `name(1)` …
///
/// # Errors
/// When there are other than `D` of them.
pub(super) fn coordinates<const D: usize>(
    names: &[String],
    keypoint: &str,
    name: impl Fn(usize) -> String,
) -> Result<[usize; D]> {
    let mut columns = [0; D];
    for (coordinate, column) in columns.iter_mut().enumerate() {
        let name = name(coordinate);
        *column = match find(names, &name)? {
            Some(column) => column,
            None if coordinate == 2 => {
                let message = format!("no column `{name}`: `{keypoint}` has two coordinates, not three");
                return Err(Error::input(message).hint("`triangulate` reads the files of single cameras"));
            }
            None => return Err(missing(names, &name, keypoint)),
        };
    }
    match D == 2 && find(names, &name(2))?.is_some() {
        true => Err(Error::input(format!("`{keypoint}` has three coordinates, not the two of a camera's view"))
            .hint("`read-poses` reads files in 3D")),
        false => Ok(columns),
    }
}

/// The error for a column that is not there, with what is likely to be meant.
pub(super) fn missing(names: &[String], name: &str, keypoint: &str) -> Error {
    const NAMED: usize = 8;
    let error = Error::input(format!("no column `{name}` for the keypoint `{keypoint}` of the card"));
    let near = |other: &&String| strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase());
    match names.iter().min_by_key(near).filter(|other| near(other) <= 2.max(name.len() / 4)) {
        Some(other) if other.to_lowercase() == name.to_lowercase() => error.hint(format!("did you mean `{other}`?")),
        _ => {
            let more = if names.len() > NAMED { ", …" } else { "" };
            let named: Vec<String> = names.iter().take(NAMED).map(|other| format!("`{other}`")).collect();
            error.hint(format!("the file has {}{more}", named.join(", ")))
        }
    }
}
