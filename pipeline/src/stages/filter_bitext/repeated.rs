//! What can only be said of a row beside all others: whether it is there twice.
//!
//! A fold looks at all rows and notes those that are repeated; a map then drops all but the first.
//! Which one is the first follows from the order of the parts and of the rows in them, so it does
//! not depend on threads. In memory are 16 bytes of hash for each row, and a few more.

use arrow::array::{BooleanArray, RecordBatch};
use rustc_hash::{FxHashMap, FxHashSet};
use sha2::{Digest, Sha256};
use tessera_datasets::schema::{Kind, RecordSchema};
use tessera_datasets::{Error, Result};

use super::sides::only_kept;
use crate::artifacts::Artifacts;
use crate::rejects::Rejects;
use crate::rows::{Origins, SPLIT, TranslationColumns, strings};
use crate::stage::{Fold, FoldStart, Map, Mapper, Pass, PreparedMap, needs_kind};

/// The first 16 bytes of the SHA-256 of a row's sentences.
type Hash = [u64; 2];

/// Where a repeated row is to be kept: the part that has it first, or nowhere.
type Place = u32;
/// Rows that are in a split that is not filtered are kept nowhere else.
const NOWHERE: Place = Place::MAX;

/// Notes which rows are there twice.
pub(super) struct FindRepeated {
    /// The file for the notes.
    pub(super) file: String,
    pub(super) only: Vec<String>,
    pub(super) duplicates: bool,
    pub(super) leaks: bool,
}

/// The rows of some parts.
pub(super) struct Seen {
    part: Place,
    filtered: FxHashMap<Hash, First>,
    others: FxHashSet<Hash>,
}

/// The first part that has a row, and whether it is there again.
#[derive(Clone, Copy)]
struct First {
    part: Place,
    repeated: bool,
}

impl Seen {
    fn add(&mut self, hash: Hash, first: First) {
        let known = self.filtered.entry(hash);
        known.and_modify(|known| known.repeated = true).or_insert(first);
    }
}

impl Fold for FindRepeated {
    type State = Seen;

    fn check(&self, input: Kind) -> Result<()> {
        match input {
            Kind::Translation => Ok(()),
            other => Err(needs_kind(&[Kind::Translation], other)),
        }
    }

    fn provides(&self, _: Kind) -> Vec<String> {
        vec![self.file.clone()]
    }

    fn start(&self, at: &FoldStart<'_>) -> Result<Seen> {
        let part = Place::try_from(at.part).map_err(|_| Error::internal("too many parts"))?;
        Ok(Seen { part, filtered: FxHashMap::default(), others: FxHashSet::default() })
    }

    fn add(&self, state: &mut Seen, batch: &RecordBatch) -> Result<()> {
        let columns = TranslationColumns::of(batch)?;
        for (row, split) in strings(batch, SPLIT)?.iter().flatten().enumerate() {
            let hash = hash_of(&columns, row);
            match self.only.iter().any(|only| only == split) {
                true => state.add(hash, First { part: state.part, repeated: false }),
                false if self.leaks => {
                    state.others.insert(hash);
                }
                false => {}
            }
        }
        Ok(())
    }

    fn merge(&self, mut first: Seen, second: Seen) -> Result<Seen> {
        for (hash, place) in second.filtered {
            first.add(hash, place);
        }
        first.others.extend(second.others);
        Ok(first)
    }

    fn finish(&self, state: Seen, _: u32, artifacts: &mut Artifacts) -> Result<Pass> {
        let mut notes: Vec<(Hash, Place)> = Vec::new();
        for (hash, first) in &state.filtered {
            match () {
                () if state.others.contains(hash) => notes.push((*hash, NOWHERE)),
                () if self.duplicates && first.repeated => notes.push((*hash, first.part)),
                () => {}
            }
        }
        notes.sort_unstable();
        let bytes: Vec<u8> = notes.iter().flat_map(|note| to_bytes(*note)).collect();
        artifacts.write(&self.file, &bytes)?;
        Ok(Pass::Done)
    }
}

fn hash_of(columns: &TranslationColumns<'_>, row: usize) -> Hash {
    let mut hasher = Sha256::new();
    for column in &columns.sentences {
        let sentence = column.value(row);
        // with its length, so that no sentence runs into the next
        hasher.update((sentence.len() as u64).to_le_bytes());
        hasher.update(sentence);
    }
    let digest = hasher.finalize();
    [0, 8].map(|at| digest[at..at + 8].iter().fold(0, |n, byte| n << 8 | u64::from(*byte)))
}

/// How a note is written: big-endian hash, big-endian place.
const NOTE_BYTES: usize = 20;

fn to_bytes(([high, low], place): (Hash, Place)) -> [u8; NOTE_BYTES] {
    let mut bytes = [0; NOTE_BYTES];
    bytes[..8].copy_from_slice(&high.to_be_bytes());
    bytes[8..16].copy_from_slice(&low.to_be_bytes());
    bytes[16..].copy_from_slice(&place.to_be_bytes());
    bytes
}

fn from_bytes(bytes: &[u8]) -> Option<(Hash, Place)> {
    let (high, rest) = bytes.split_first_chunk()?;
    let (low, rest) = rest.split_first_chunk()?;
    let place = rest.first_chunk()?;
    Some(([u64::from_be_bytes(*high), u64::from_be_bytes(*low)], Place::from_be_bytes(*place)))
}

/// Drops the rows that [`FindRepeated`] has noted, but for the first of each.
pub(super) struct DropRepeated {
    pub(super) file: String,
    pub(super) only: Vec<String>,
}

impl Map for DropRepeated {
    fn output(&self, input: Kind) -> Result<Kind> {
        Ok(input)
    }

    fn needs(&self) -> Vec<String> {
        vec![self.file.clone()]
    }

    fn prepare(&self, input: &RecordSchema, artifacts: &mut Artifacts) -> Result<Box<dyn PreparedMap>> {
        let bytes = fs_err::read(artifacts.path(&self.file)?)?;
        let notes: Option<FxHashMap<Hash, Place>> = bytes.chunks(NOTE_BYTES).map(from_bytes).collect();
        let notes = notes.ok_or_else(|| Error::internal("notes of repeated rows that are cut short"))?;
        Ok(Box::new(Prepared { notes, only: self.only.clone(), schema: input.clone() }))
    }
}

struct Prepared {
    notes: FxHashMap<Hash, Place>,
    only: Vec<String>,
    schema: RecordSchema,
}

impl PreparedMap for Prepared {
    fn schema(&self) -> RecordSchema {
        self.schema.clone()
    }

    fn open(&self, part: usize) -> Box<dyn Mapper + '_> {
        Box::new(Dropper { prepared: self, part, kept: FxHashSet::default() })
    }
}

struct Dropper<'a> {
    prepared: &'a Prepared,
    part: usize,
    /// The repeated rows of this part that were kept.
    kept: FxHashSet<Hash>,
}

impl Mapper for Dropper<'_> {
    fn map(&mut self, batch: RecordBatch, rejects: &mut Rejects) -> Result<Option<RecordBatch>> {
        if self.prepared.notes.is_empty() {
            return Ok(Some(batch));
        }
        let columns = TranslationColumns::of(&batch)?;
        let splits = strings(&batch, SPLIT)?;
        let origins = Origins::of(&batch)?;
        let keep = |row: usize| {
            if !self.prepared.only.iter().any(|only| only == splits.value(row)) {
                return true;
            }
            let hash = hash_of(&columns, row);
            let reason = match self.prepared.notes.get(&hash) {
                None => return true,
                Some(&NOWHERE) => "leak",
                Some(&part) if part as usize == self.part && self.kept.insert(hash) => return true,
                Some(_) => "duplicate",
            };
            let origin = origins.get(row);
            rejects.add(reason, origin.src, origin.loc, columns.sentences[0].value(row));
            false
        };
        let kept: BooleanArray = (0..batch.num_rows()).map(keep).map(Some).collect();
        only_kept(batch, &kept)
    }
}
