//! What can be said of an image alone: whether it is whole, and how large.

use arrow::array::RecordBatch;
use rayon::prelude::*;
use tessera_datasets::Result;
use tessera_datasets::image::{Header, Limits, Refusal, decode, header};
use tessera_datasets::schema::{Kind, RecordSchema};

use crate::artifacts::Artifacts;
use crate::rejects::Rejects;
use crate::rows::{ImageColumn, Origins, SPLIT, needs_images, only_kept, strings};
use crate::stage::{Map, Mapper, PreparedMap};

#[derive(Clone)]
pub(super) struct FilterLooks {
    pub(super) only: Vec<String>,
    pub(super) minimum_width: u32,
    pub(super) minimum_height: u32,
    pub(super) limits: Limits,
    pub(super) maximum_aspect: f64,
    pub(super) decode: bool,
}

impl Map for FilterLooks {
    fn output(&self, input: Kind) -> Result<Kind> {
        needs_images(input)
    }

    fn prepare(&self, input: &RecordSchema, _: &mut Artifacts) -> Result<Box<dyn PreparedMap>> {
        Ok(Box::new(Prepared { filter: self.clone(), schema: input.clone() }))
    }
}

struct Prepared {
    filter: FilterLooks,
    schema: RecordSchema,
}

impl PreparedMap for Prepared {
    fn schema(&self) -> RecordSchema {
        self.schema.clone()
    }

    fn open(&self, _: usize) -> Box<dyn Mapper + '_> {
        Box::new(LooksFilter(&self.filter))
    }
}

pub(super) struct LooksFilter<'a>(pub(super) &'a FilterLooks);

impl Mapper for LooksFilter<'_> {
    fn map(&mut self, batch: RecordBatch, rejects: &mut Rejects) -> Result<Option<RecordBatch>> {
        let images = ImageColumn::of(&batch)?;
        let splits = strings(&batch, SPLIT)?;
        let filtered = |row: usize| self.0.only.iter().any(|split| split == splits.value(row));
        let fault = |row: usize| filtered(row).then(|| self.0.fault(images.encoded(row))).flatten();
        let rows = 0..batch.num_rows();
        let faults: Vec<Option<(&str, String)>> = match self.0.decode {
            true => rows.into_par_iter().map(fault).collect(),
            // reading headers is quicker than handing them to threads
            false => rows.map(fault).collect(),
        };
        let origins = Origins::of(&batch)?;
        for (row, fault) in faults.iter().enumerate() {
            if let Some((reason, excerpt)) = fault {
                let origin = origins.get(row);
                rejects.add(reason, origin.src, origin.loc, excerpt);
            }
        }
        let kept: Vec<bool> = faults.iter().map(Option::is_none).collect();
        only_kept(batch, &kept.into())
    }
}

impl FilterLooks {
    /// The first thing that is wrong with an image, in words and with what shows it.
    fn fault(&self, bytes: &[u8]) -> Option<(&'static str, String)> {
        let refused = |refusal: Refusal| Some((refusal.reason(), refusal.excerpt()));
        let Header { width, height, .. } = match header(bytes) {
            Ok(header) => header,
            Err(refusal) => return refused(refusal),
        };
        if self.limits.exceeded_by(width, height) {
            return refused(Refusal::TooManyPixels { width, height });
        }
        if width < self.minimum_width || height < self.minimum_height {
            return Some(("too small", format!("{width} × {height}")));
        }
        let (longer, shorter) = (width.max(height), width.min(height));
        if f64::from(longer) > self.maximum_aspect * f64::from(shorter) {
            return Some(("too narrow", format!("{width} × {height}")));
        }
        match self.decode {
            true => decode(bytes, &self.limits).err().and_then(refused),
            false => None,
        }
    }
}
