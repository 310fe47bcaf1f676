//! Whole recordings of poses, for stages that look along time.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use tessera_datasets::Result;
use tessera_datasets::pose::Track;
use tessera_datasets::schema::RecordSchema;

use super::{PoseColumns, SPLIT, strings, with_keypoints};

/// The frames of one subject in one split, in the order of the file.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The rows as they came.
    pub rows: RecordBatch,
    /// Their keypoints.
    pub track: Track,
    /// The numbers of the frames. Where one is missing there is a jump in time.
    pub frames: Vec<i64>,
    /// The true positions in the order of the track's, where they are known.
    pub truth_tkc: Option<Vec<f32>>,
}

impl Recording {
    fn of(rows: RecordBatch) -> Result<Self> {
        let columns = PoseColumns::of(&rows)?;
        let track = Track {
            keypoints: columns.keypoints,
            positions_tkc: columns.positions.to_vec(),
            known_tk: columns.mask.values().iter().collect(),
        };
        let frames = columns.frames.values().to_vec();
        let truth_tkc = columns.truth.map(<[f32]>::to_vec);
        Ok(Self { track, frames, truth_tkc, rows })
    }

    /// Whose frames they are.
    ///
    /// # Errors
    /// When the rows have no such column, which is a fault of the stage before.
    pub fn subject(&self) -> Result<&str> {
        Ok(strings(&self.rows, "subject")?.value(0))
    }

    /// The split they belong to.
    ///
    /// # Errors
    /// When the rows have no such column, which is a fault of the stage before.
    pub fn split(&self) -> Result<&str> {
        Ok(strings(&self.rows, SPLIT)?.value(0))
    }

    /// The rows with the track's keypoints.
    ///
    /// # Errors
    /// When the track has other frames than the rows.
    pub fn into_rows(self, schema: &RecordSchema) -> Result<RecordBatch> {
        with_keypoints(&self.rows, schema, self.track.positions_tkc, self.track.known_tk)
    }
}

/// Gathers rows until a recording is whole: the next row is of another subject or split, or the
/// part is at its end.
#[derive(Debug, Default)]
pub struct Gather {
    open: Vec<RecordBatch>,
}

impl Gather {
    /// Takes rows; gives the recordings that they end.
    ///
    /// # Errors
    /// When they are no poses.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<Vec<Recording>> {
        let mut whole = Vec::new();
        let (splits, subjects) = (strings(batch, SPLIT)?, strings(batch, "subject")?);
        let mut first = 0;
        while first < batch.num_rows() {
            let same = |row: &usize| {
                splits.value(*row) == splits.value(first) && subjects.value(*row) == subjects.value(first)
            };
            let rows = (first..batch.num_rows()).take_while(same).count();
            if !self.goes_on(splits.value(first), subjects.value(first))? {
                whole.extend(self.finish()?);
            }
            self.open.push(batch.slice(first, rows));
            first += rows;
        }
        Ok(whole)
    }

    /// The last recording.
    ///
    /// # Errors
    /// When its rows are no poses.
    pub fn finish(&mut self) -> Result<Option<Recording>> {
        let open = std::mem::take(&mut self.open);
        open.first().map(|first| Recording::of(concat_batches(&first.schema(), &open)?)).transpose()
    }

    fn goes_on(&self, split: &str, subject: &str) -> Result<bool> {
        match self.open.first() {
            None => Ok(true),
            Some(open) => Ok(strings(open, SPLIT)?.value(0) == split && strings(open, "subject")?.value(0) == subject),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::tests::origin;
    use crate::rows::{Pose, PoseRows};
    use tessera_datasets::schema::pose;

    #[test]
    fn recordings_end_where_the_subject_or_the_split_changes() {
        let mut rows = PoseRows::new(1, true);
        for (i, (split, subject)) in
            [("train", "a"), ("train", "a"), ("test", "a"), ("test", "b"), ("test", "b")].into_iter().enumerate()
        {
            let at = i as f32;
            let pose = Pose { positions: &[at; 3], mask: &[i % 2 == 0], truth: Some(&[at; 3]) };
            rows.push(&pose, subject, i as i64, &origin(split, "x"));
        }
        let batch = rows.finish().unwrap();
        let mut gather = Gather::default();
        let mut found = gather.push(&batch.slice(0, 1)).unwrap();
        found.extend(gather.push(&batch.slice(1, 3)).unwrap());
        found.extend(gather.push(&batch.slice(4, 1)).unwrap());
        found.extend(gather.finish().unwrap());
        assert!(gather.finish().unwrap().is_none());
        let names: Vec<_> = found.iter().map(|r| (r.split().unwrap(), r.subject().unwrap(), &r.frames[..])).collect();
        assert_eq!(names, [("train", "a", &[0, 1][..]), ("test", "a", &[2]), ("test", "b", &[3, 4])]);
        assert_eq!(found[0].track.positions_tkc, [0.0; 6]);
        assert_eq!(found[2].track.known_tk, [false, true]);
        assert_eq!(found[2].truth_tkc, Some(vec![3.0, 3.0, 3.0, 4.0, 4.0, 4.0]));

        let mut last = found.remove(2);
        last.track.set(0, 0, Some([7.0; 3]));
        last.track.set(1, 0, None);
        let rows = last.into_rows(&pose(1, true)).unwrap();
        let columns = PoseColumns::of(&rows).unwrap();
        assert_eq!(columns.positions, [7.0, 7.0, 7.0, 0.0, 0.0, 0.0]);
        assert_eq!(columns.mask.values().iter().collect::<Vec<_>>(), [true, false]);
    }
}
