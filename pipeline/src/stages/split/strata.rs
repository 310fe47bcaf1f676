//! The same share of each class.
//!
//! Rows go by the hash of their `split_key`, as they do without classes, but the hash up to which a
//! row is held out is chosen for each class: it is the one at which the share is nearest to what
//! is asked. When data is added to a class it moves a little, and with it the few rows between the
//! old place and the new one; the other classes stay as they are. A key with rows of several
//! classes is counted for the first of them, and is not divided.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use tessera_datasets::schema::{Kind, RecordSchema};
use tessera_datasets::{Error, Result};

use super::{Shares, TEST, VALIDATION, place};
use crate::artifacts::Artifacts;
use crate::rejects::Rejects;
use crate::rows::{SPLIT, TRAIN, set_splits, strings};
use crate::stage::{Fold, FoldStart, Map, Mapper, Pass, PreparedMap, needs_kind};

/// The places of one class that are held out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cuts {
    /// Places below this are for validation.
    validation: u64,
    /// Places from this on are for testing; nothing where none is.
    test: Option<u64>,
}

/// What the fold finds and the map goes by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Strata {
    classes: BTreeMap<i64, Cuts>,
    /// The class for which a key with rows of several classes is counted.
    shared: FxHashMap<u64, i64>,
}

/// Finds the cuts of each class.
pub(super) struct FindStrata {
    /// The file for them.
    pub(super) file: String,
    pub(super) shares: Shares,
}

impl Fold for FindStrata {
    /// The place and the class of each row.
    type State = Vec<(u64, i64)>;

    fn check(&self, input: Kind) -> Result<()> {
        match input {
            Kind::Image => Ok(()),
            other => Err(needs_kind(&[Kind::Image], other).hint("`stratify` goes by the classes of images")),
        }
    }

    fn provides(&self, _: Kind) -> Vec<String> {
        vec![self.file.clone()]
    }

    fn start(&self, at: &FoldStart<'_>) -> Result<Self::State> {
        match at.schema.fields().iter().any(|field| field.name() == "label") {
            true => Ok(Vec::new()),
            false => Err(Error::input("`split` cannot go by the classes of images that have none")
                .hint("take `stratify` out, or give the images classes")),
        }
    }

    fn add(&self, state: &mut Self::State, batch: &RecordBatch) -> Result<()> {
        let labels = labels(batch)?;
        let splits = strings(batch, SPLIT)?;
        for (row, key) in strings(batch, "split_key")?.iter().flatten().enumerate() {
            if self.shares.divides(splits.value(row)) {
                state.push((place(key), labels.value(row)));
            }
        }
        Ok(())
    }

    fn merge(&self, mut first: Self::State, second: Self::State) -> Result<Self::State> {
        first.extend(second);
        Ok(first)
    }

    fn finish(&self, state: Self::State, _: u32, artifacts: &mut Artifacts) -> Result<Pass> {
        let strata = Strata::of(state, &self.shares);
        let bytes = serde_json::to_vec(&strata).map_err(|e| Error::internal(e.to_string()))?;
        artifacts.write(&self.file, &bytes)?;
        Ok(Pass::Done)
    }
}

fn labels(batch: &RecordBatch) -> Result<&Int64Array> {
    let column = batch.column_by_name("label").and_then(|column| column.as_primitive_opt::<Int64Type>());
    column.filter(|column| column.null_count() == 0).ok_or_else(|| Error::internal("no column `label` of numbers"))
}

impl Strata {
    fn of(mut rows: Vec<(u64, i64)>, shares: &Shares) -> Self {
        rows.sort_unstable();
        let mut strata = Self::default();
        // of each class its places in order, each with the number of its rows
        let mut classes: BTreeMap<i64, Vec<(u64, usize)>> = BTreeMap::new();
        for key in rows.chunk_by(|a, b| a.0 == b.0) {
            let (place, first) = key[0];
            if key.iter().any(|(_, class)| *class != first) {
                strata.shared.insert(place, first);
            }
            classes.entry(first).or_default().push((place, key.len()));
        }
        for (class, places) in classes {
            let rows = places.iter().map(|(_, rows)| rows).sum::<usize>() as f64;
            let held = nearest(places.iter().map(|(_, rows)| *rows), rows * shares.validation);
            let validation = places.get(held).map_or(u64::MAX, |(place, _)| *place);
            let rest = &places[held..];
            let held = nearest(rest.iter().rev().map(|(_, rows)| *rows), rows * shares.test);
            let test = rest[rest.len() - held..].first().map(|(place, _)| *place);
            strata.classes.insert(class, Cuts { validation, test });
        }
        strata
    }

    fn split(&self, place: u64, class: i64) -> &'static str {
        let class = match self.shared.is_empty() {
            true => class,
            false => self.shared.get(&place).copied().unwrap_or(class),
        };
        match self.classes.get(&class) {
            Some(cuts) if place < cuts.validation => VALIDATION,
            Some(Cuts { test: Some(test), .. }) if place >= *test => TEST,
            _ => TRAIN,
        }
    }
}

/// How many of the groups from the first on have a sum of rows that is nearest to `wanted`.
fn nearest(groups: impl Iterator<Item = usize>, wanted: f64) -> usize {
    let mut sum = 0.0;
    let mut count = 0;
    for rows in groups {
        let next = sum + rows as f64;
        if (next - wanted).abs() > (sum - wanted).abs() {
            break;
        }
        sum = next;
        count += 1;
    }
    count
}

/// Divides rows by the cuts that [`FindStrata`] has found.
pub(super) struct SplitByStrata {
    pub(super) file: String,
    pub(super) shares: Shares,
}

impl Map for SplitByStrata {
    fn output(&self, input: Kind) -> Result<Kind> {
        Ok(input)
    }

    fn needs(&self) -> Vec<String> {
        vec![self.file.clone()]
    }

    fn prepare(&self, input: &RecordSchema, artifacts: &mut Artifacts) -> Result<Box<dyn PreparedMap>> {
        let bytes = fs_err::read(artifacts.path(&self.file)?)?;
        let strata = serde_json::from_slice(&bytes).map_err(|e| Error::internal(e.to_string()))?;
        Ok(Box::new(Prepared { strata, shares: self.shares.clone(), schema: input.clone() }))
    }
}

struct Prepared {
    strata: Strata,
    shares: Shares,
    schema: RecordSchema,
}

impl PreparedMap for Prepared {
    fn schema(&self) -> RecordSchema {
        self.schema.clone()
    }

    fn open(&self, _: usize) -> Box<dyn Mapper + '_> {
        Box::new(Splitter(self))
    }
}

struct Splitter<'a>(&'a Prepared);

impl Mapper for Splitter<'_> {
    fn map(&mut self, batch: RecordBatch, _: &mut Rejects) -> Result<Option<RecordBatch>> {
        let Prepared { strata, shares, .. } = self.0;
        let (labels, splits) = (labels(&batch)?, strings(&batch, SPLIT)?);
        let keys = strings(&batch, "split_key")?.iter().flatten().enumerate();
        let names = keys.map(|(row, key)| match shares.divides(splits.value(row)) {
            true => strata.split(place(key), labels.value(row)),
            false => splits.value(row),
        });
        set_splits(&batch, StringArray::from_iter_values(names)).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shares(validation: f64, test: f64) -> Shares {
        Shares { validation, test, only: Vec::new() }
    }

    fn split(rows: &[(u64, i64)], shares: &Shares) -> Vec<&'static str> {
        let strata = Strata::of(rows.to_vec(), shares);
        rows.iter().map(|(place, class)| strata.split(*place, *class)).collect()
    }

    /// A row's place as hashing gives it.
    fn row(number: u64, class: i64) -> (u64, i64) {
        (place(&format!("row {number}")), class)
    }

    proptest! {
        /// Whatever the sizes of the classes, each has its share to the nearest row, and the order
        /// of the rows does not matter.
        #[test]
        fn each_class_has_its_share(
            sizes in prop::collection::vec(0_u64..200, 1..6),
            validation in 0.0..0.5_f64,
            test in 0.0..0.49_f64,
        ) {
            let mut rows = Vec::new();
            for (class, size) in (0..).zip(&sizes) {
                rows.extend((0..*size).map(|number| row(1000 * class as u64 + number, class)));
            }
            let shares = shares(validation, test);
            let names = split(&rows, &shares);
            for (class, size) in (0..).zip(&sizes) {
                let count = |split| rows.iter().zip(&names).filter(|((_, c), s)| *c == class && **s == split).count();
                prop_assert!((count(VALIDATION) as f64 - validation * *size as f64).abs() <= 0.5 + 1e-9);
                prop_assert!((count(TEST) as f64 - test * *size as f64).abs() <= 0.5 + 1e-9);
            }
            let reversed: Vec<_> = rows.iter().rev().copied().collect();
            let mut back = split(&reversed, &shares);
            back.reverse();
            prop_assert_eq!(back, names);
        }

        /// Rows with one key are never divided, even where they are of several classes.
        #[test]
        fn a_key_is_never_divided(keys in prop::collection::vec((0_u64..40, 0_i64..3), 1..200), share in 0.0..0.5_f64) {
            let rows: Vec<_> = keys.iter().map(|(key, class)| row(*key, *class)).collect();
            let mut seen = BTreeMap::new();
            for ((place, _), split) in rows.iter().zip(split(&rows, &shares(share, share))) {
                prop_assert_eq!(*seen.entry(*place).or_insert(split), split);
            }
        }

        #[test]
        fn a_larger_share_keeps_what_was_held_out(size in 1_u64..300, share in 0.0..0.4_f64) {
            let rows: Vec<_> = (0..size).map(|number| row(number, 0)).collect();
            let (small, large) = (split(&rows, &shares(share, 0.1)), split(&rows, &shares(share + 0.1, 0.1)));
            for (a, b) in small.iter().zip(large) {
                prop_assert!(*a != VALIDATION || b == VALIDATION);
            }
        }
    }

    #[test]
    fn data_that_is_added_moves_few_rows_and_none_of_other_classes() {
        let old: Vec<_> = (0..2000).map(|number| row(number, (number % 2) as i64)).collect();
        let more: Vec<_> = old.iter().copied().chain((2000..2400).map(|number| row(number, 0))).collect();
        let shares = shares(0.1, 0.1);
        let (before, after) = (split(&old, &shares), split(&more, &shares));
        let moved: Vec<i64> =
            old.iter().zip(before.iter().zip(&after)).filter(|(_, (a, b))| a != b).map(|(row, _)| row.1).collect();
        assert!(moved.len() <= 20, "{}", moved.len());
        assert!(moved.iter().all(|class| *class == 0));
    }
}
