//! Arrays of the explanations, checked, and maps over an image.

use std::path::Path;

use serde::Serialize;
use tessera_datasets::manifest::MANIFEST;
use tessera_datasets::schema::Kind;
use tessera_datasets::shard::Dataset;
use tessera_datasets::{Result, ResultExt};

use crate::rows::Rows;

/// A value for every place of an image, from coarse patches or the pixels of a stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Map {
    /// The largest value.
    pub peak: f64,
    /// Rows of values in hundredths of the largest.
    pub values: Vec<Vec<u8>>,
}

impl Map {
    /// A map of some values from 0 on, row by row.
    pub(in crate::report) fn of(values: &[f32], columns: usize) -> Self {
        let peak = values.iter().copied().fold(0.0, f32::max);
        let hundredths = |value: &f32| if peak > 0.0 { (100.0 * value / peak).round() as u8 } else { 0 };
        Self {
            peak: f64::from(peak),
            values: values.chunks(columns).map(|row| row.iter().map(hundredths).collect()).collect(),
        }
    }

    /// Rows and columns.
    pub(in crate::report) fn size(&self) -> (usize, usize) {
        (self.values.len(), self.values.first().map_or(0, Vec::len))
    }
}

/// One row of the explanations.
pub(in crate::report) struct Array<'a> {
    pub(in crate::report) id: &'a str,
    pub(in crate::report) name: &'a str,
    pub(in crate::report) shape: Vec<usize>,
    pub(in crate::report) values: &'a [f32],
}

impl Array<'_> {
    /// The shape, which must have so many dimensions, none of them empty, and one number for each
    /// place.
    pub(super) fn shape<const N: usize>(&self) -> Result<[usize; N], String> {
        let size = self.shape.iter().try_fold(1_usize, |size, n| size.checked_mul(*n));
        if size != Some(self.values.len()) {
            return Err(format!("`shape` is {:?}, but there are {} values", self.shape, self.values.len()));
        }
        let shape = <[usize; N]>::try_from(self.shape.as_slice())
            .map_err(|_| format!("`shape` is {:?}, which has not {N} dimensions", self.shape))?;
        match size {
            Some(0) | None => Err(format!("`shape` is {:?}: nothing to show", self.shape)),
            Some(_) => Ok(shape),
        }
    }

    /// The same of values that are finite.
    pub(super) fn finite<const N: usize>(&self) -> Result<[usize; N], String> {
        let shape = self.shape()?;
        match self.values.iter().find(|value| !value.is_finite()) {
            Some(wrong) => Err(format!("`values` holds {wrong}")),
            None => Ok(shape),
        }
    }

    /// The same of values that are finite and not below 0: weights, and what a ReLU leaves.
    pub(in crate::report) fn weights<const N: usize>(&self) -> Result<[usize; N], String> {
        let shape = self.finite()?;
        match self.values.iter().find(|value| **value < 0.0) {
            Some(wrong) => Err(format!("`values` holds {wrong}, which is no weight")),
            None => Ok(shape),
        }
    }
}

/// Hands on every array of the explanations of a split; nothing where there are none. What `with`
/// finds wrong gets the place and the name of the array.
pub(in crate::report) fn each_array(
    dir: &Path,
    split: &str,
    mut with: impl FnMut(&Array<'_>) -> Result<(), String>,
) -> Result<()> {
    if !dir.join(MANIFEST).is_file() {
        return Ok(());
    }
    let dataset = Dataset::open_kind(dir, Kind::Explanations)?;
    dataset.verify()?;
    let mut first = 0;
    for batch in dataset.batches(split, &[])? {
        let batch = batch?;
        let rows = Rows::new(&batch, "the report", first);
        let (ids, names) = (rows.strings("id")?, rows.strings("name")?);
        let (shapes, values) = (rows.u32_lists("shape")?, rows.f32_lists("values")?);
        for i in 0..rows.len() {
            let shape = shapes[i].iter().map(|n| *n as usize).collect();
            let array = Array { id: ids.value(i), name: names.value(i), shape, values: values[i] };
            with(&array).map_err(|message| rows.error(i, format!("`{}`: {message}", array.name))).at(dir)?;
        }
        first += batch.num_rows() as u64;
    }
    Ok(())
}
