//! The tail of each recording.
//!
//! Poses that follow one another are nearly the same, so what is held out is cut off in one piece:
//! the last frames are for testing, those before them for validation. A frame that is held out is at
//! most one frame away from training only at the cut.

use arrow::array::{RecordBatch, StringArray};
use arrow::compute::concat_batches;
use tessera_datasets::Result;

use super::{Shares, TEST, VALIDATION};
use crate::rejects::Rejects;
use crate::rows::{Gather, Recording, TRAIN, set_splits};
use crate::stage::Mapper;

/// Cuts recordings of poses.
pub(super) struct TailCutter<'a> {
    shares: &'a Shares,
    gather: Gather,
}

impl<'a> TailCutter<'a> {
    pub(super) fn new(shares: &'a Shares) -> Self {
        Self { shares, gather: Gather::default() }
    }

    fn cut(&self, recordings: Vec<Recording>) -> Result<Option<RecordBatch>> {
        let mut batches = Vec::with_capacity(recordings.len());
        for recording in recordings {
            let split = recording.split()?;
            let splits = match self.shares.divides(split) {
                true => splits(recording.frames.len(), self.shares),
                false => vec![split; recording.frames.len()],
            };
            batches.push(set_splits(&recording.rows, StringArray::from_iter_values(splits))?);
        }
        batches.first().map(|first| Ok(concat_batches(&first.schema(), &batches)?)).transpose()
    }
}

impl Mapper for TailCutter<'_> {
    fn map(&mut self, batch: RecordBatch, _: &mut Rejects) -> Result<Option<RecordBatch>> {
        let whole = self.gather.push(&batch)?;
        self.cut(whole)
    }

    fn flush(&mut self, _: &mut Rejects) -> Result<Option<RecordBatch>> {
        let last = self.gather.finish()?;
        self.cut(last.into_iter().collect())
    }
}

/// The split of each of so many frames, in the order of time.
fn splits(frames: usize, shares: &Shares) -> Vec<&'static str> {
    let place = |share: f64| (share * frames as f64).round() as usize;
    let test = place(1.0 - shares.test);
    let validation = place(1.0 - shares.test - shares.validation).min(test);
    let name = |frame: usize| match frame {
        frame if frame < validation => TRAIN,
        frame if frame < test => VALIDATION,
        _ => TEST,
    };
    (0..frames).map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::tests::origin;
    use crate::rows::{Pose, PoseRows, strings};
    use proptest::prelude::*;

    fn shares(validation: f64, test: f64, only: &[&str]) -> Shares {
        Shares { validation, test, only: only.iter().map(|name| (*name).to_owned()).collect() }
    }

    proptest! {
        /// Each split is one piece, in the order of time, and has its share to the nearest frame.
        #[test]
        fn splits_are_pieces_of_their_share(frames in 0..2000_usize, validation in 0.0..0.5_f64, test in 0.0..0.5_f64) {
            let names = splits(frames, &shares(validation, test, &[]));
            let pieces: Vec<&str> = names.chunk_by(|a, b| a == b).map(|piece| piece[0]).collect();
            let order: Vec<&str> = [TRAIN, VALIDATION, TEST].into_iter().filter(|name| pieces.contains(name)).collect();
            prop_assert_eq!(&pieces, &order);
            let count = |name| names.iter().filter(|other| **other == name).count() as f64;
            prop_assert!((count(TEST) - test * frames as f64).abs() <= 0.5 + 1e-9);
            prop_assert!((count(TEST) + count(VALIDATION) - (test + validation) * frames as f64).abs() <= 0.5 + 1e-9);
        }
    }

    #[test]
    fn the_last_thirty_per_cent_of_a_thousand_frames_begin_at_700() {
        let names = splits(1000, &shares(0.0, 0.3, &[]));
        assert_eq!((names[699], names[700], names[999]), (TRAIN, TEST, TEST));
        assert!(!names.contains(&VALIDATION));
        let names = splits(6000, &shares(0.05, 0.3, &[]));
        assert_eq!((names[3899], names[3900], names[4199], names[4200]), (TRAIN, VALIDATION, VALIDATION, TEST));
    }

    #[test]
    fn each_recording_is_cut_even_where_batches_divide_it() {
        let mut rows = PoseRows::new(1, false);
        for (split, subject, frames) in [(TRAIN, "a", 10), (TRAIN, "b", 4), ("other", "c", 2)] {
            for frame in 0..frames {
                rows.push(
                    &Pose { positions: &[0.0; 3], mask: &[true], truth: None },
                    subject,
                    frame,
                    &origin(split, "x"),
                );
            }
        }
        let batch = rows.finish().unwrap();
        let shares = shares(0.25, 0.25, &[TRAIN]);
        let mut cutter = TailCutter::new(&shares);
        let mut names = Vec::new();
        for (first, rows) in [(0, 7), (7, 5), (12, 4)] {
            let cut = cutter.map(batch.slice(first, rows), &mut Rejects::new()).unwrap();
            names.extend(cut.iter().flat_map(|b| strings(b, "split").unwrap().iter().flatten().map(str::to_owned)));
        }
        let cut = cutter.flush(&mut Rejects::new()).unwrap().unwrap();
        names.extend(strings(&cut, "split").unwrap().iter().flatten().map(str::to_owned));
        let pieces: Vec<(&str, usize)> = names.chunk_by(|a, b| a == b).map(|p| (p[0].as_str(), p.len())).collect();
        let expected = [(TRAIN, 5), (VALIDATION, 3), (TEST, 2), (TRAIN, 2), (VALIDATION, 1), (TEST, 1), ("other", 2)];
        assert_eq!(pieces, expected);
    }
}
