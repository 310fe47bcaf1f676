//! What can only be said of a row beside all others: whether it is there twice.
//!
//! A fold looks at all rows and notes those that are repeated; a map then drops all but the first.
//! Which one is the first follows from the order of the parts and of the rows in them, so it does
//! not depend on threads. In memory are 16 bytes of hash for each row, and a few more. What makes
//! two rows the same, an [`Identity`] says.

use arrow::array::RecordBatch;
use rustc_hash::{FxHashMap, FxHashSet};
use sha2::{Digest, Sha256};
use tessera_datasets::schema::{Kind, RecordSchema};
use tessera_datasets::{Error, Result};

use crate::artifacts::Artifacts;
use crate::rejects::Rejects;
use crate::rows::{Origins, SPLIT, only_kept, strings};
use crate::stage::{Fold, FoldStart, Map, Mapper, Pass, PreparedMap};

/// The first 16 bytes of the SHA-256 of what makes a row the same as another.
pub(super) type Hash = [u64; 2];

/// What makes rows the same.
pub(super) trait Identity: Clone + Send + Sync + 'static {
    /// Refuses rows of another kind.
    fn check(&self, kind: Kind) -> Result<()>;

    /// Calls `each` with every row's hash and its claim: what else is said of the row, and must be
    /// the same of all rows with that hash.
    fn rows(&self, batch: &RecordBatch, each: &mut dyn FnMut(Hash, Option<Claim>)) -> Result<()>;

    /// What a sample of rejects shows of a row.
    fn excerpt(&self, batch: &RecordBatch, row: usize) -> String;

    /// The reason for which rows go whose claims contradict each other; none of them stays.
    fn contradiction(&self) -> &'static str {
        "contradiction"
    }
}

/// What is said of a row: the number of its class.
pub(super) type Claim = u32;

/// The hash of a row that is made of `parts`.
pub(super) fn hash_of<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        // with its length, so that no part runs into the next
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    [0, 8].map(|at| digest[at..at + 8].iter().fold(0, |n, byte| n << 8 | u64::from(*byte)))
}

/// Where a repeated row is to be kept: the part that has it first, or nowhere.
type Place = u32;
/// Rows that are in a split that is not filtered are kept nowhere else.
const NOWHERE: Place = Place::MAX;
/// Rows of which different things are said are kept nowhere at all.
const CONTRADICTED: Place = Place::MAX - 1;

/// Notes which rows are there twice.
pub(super) struct FindRepeated<I> {
    /// What makes rows the same.
    pub(super) identity: I,
    /// The file for the notes.
    pub(super) file: String,
    /// The splits that are filtered.
    pub(super) only: Vec<String>,
    /// Whether rows that were there before go.
    pub(super) duplicates: bool,
    /// Whether rows go that are also in a split that is not filtered.
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
    claim: Option<Claim>,
    contradicted: bool,
}

impl Seen {
    fn add(&mut self, hash: Hash, first: First) {
        let known = self.filtered.entry(hash).and_modify(|known| {
            known.repeated = true;
            known.contradicted |= first.contradicted;
            match (known.claim, first.claim) {
                (Some(one), Some(other)) => known.contradicted |= one != other,
                (one, other) => known.claim = one.or(other),
            }
        });
        known.or_insert(first);
    }
}

impl<I: Identity> Fold for FindRepeated<I> {
    type State = Seen;

    fn check(&self, input: Kind) -> Result<()> {
        self.identity.check(input)
    }

    fn provides(&self, _: Kind) -> Vec<String> {
        vec![self.file.clone()]
    }

    fn start(&self, at: &FoldStart<'_>) -> Result<Seen> {
        let part = Place::try_from(at.part).map_err(|_| Error::internal("too many parts"))?;
        Ok(Seen { part, filtered: FxHashMap::default(), others: FxHashSet::default() })
    }

    fn add(&self, state: &mut Seen, batch: &RecordBatch) -> Result<()> {
        let mut splits = strings(batch, SPLIT)?.iter().flatten();
        self.identity.rows(batch, &mut |hash, claim| {
            let filtered = splits.next().is_some_and(|split| self.only.iter().any(|only| only == split));
            match filtered {
                true => state.add(hash, First { part: state.part, repeated: false, claim, contradicted: false }),
                false if self.leaks => {
                    state.others.insert(hash);
                }
                false => {}
            }
        })
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
                () if self.duplicates && first.contradicted => notes.push((*hash, CONTRADICTED)),
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
pub(super) struct DropRepeated<I> {
    /// As of [`FindRepeated`].
    pub(super) identity: I,
    /// As of [`FindRepeated`].
    pub(super) file: String,
    /// As of [`FindRepeated`].
    pub(super) only: Vec<String>,
}

impl<I: Identity> Map for DropRepeated<I> {
    fn output(&self, input: Kind) -> Result<Kind> {
        self.identity.check(input).map(|()| input)
    }

    fn needs(&self) -> Vec<String> {
        vec![self.file.clone()]
    }

    fn prepare(&self, input: &RecordSchema, artifacts: &mut Artifacts) -> Result<Box<dyn PreparedMap>> {
        let bytes = fs_err::read(artifacts.path(&self.file)?)?;
        let notes: Option<FxHashMap<Hash, Place>> = bytes.chunks(NOTE_BYTES).map(from_bytes).collect();
        let notes = notes.ok_or_else(|| Error::internal("notes of repeated rows that are cut short"))?;
        let (identity, only) = (self.identity.clone(), self.only.clone());
        Ok(Box::new(Prepared { identity, notes, only, schema: input.clone() }))
    }
}

struct Prepared<I> {
    identity: I,
    notes: FxHashMap<Hash, Place>,
    only: Vec<String>,
    schema: RecordSchema,
}

impl<I: Identity> PreparedMap for Prepared<I> {
    fn schema(&self) -> RecordSchema {
        self.schema.clone()
    }

    fn open(&self, part: usize) -> Box<dyn Mapper + '_> {
        Box::new(Dropper { prepared: self, part, kept: FxHashSet::default() })
    }
}

struct Dropper<'a, I> {
    prepared: &'a Prepared<I>,
    part: usize,
    /// The repeated rows of this part that were kept.
    kept: FxHashSet<Hash>,
}

impl<I: Identity> Mapper for Dropper<'_, I> {
    fn map(&mut self, batch: RecordBatch, rejects: &mut Rejects) -> Result<Option<RecordBatch>> {
        if self.prepared.notes.is_empty() {
            return Ok(Some(batch));
        }
        let Prepared { identity, notes, only, .. } = self.prepared;
        let splits = strings(&batch, SPLIT)?;
        let origins = Origins::of(&batch)?;
        let mut kept = Vec::with_capacity(batch.num_rows());
        identity.rows(&batch, &mut |hash, _| {
            let row = kept.len();
            let place = notes.get(&hash).filter(|_| only.iter().any(|only| only == splits.value(row)));
            let reason = match place {
                None => None,
                Some(&NOWHERE) => Some("leak"),
                Some(&CONTRADICTED) => Some(identity.contradiction()),
                Some(&part) if part as usize == self.part && self.kept.insert(hash) => None,
                Some(_) => Some("duplicate"),
            };
            if let Some(reason) = reason {
                let origin = origins.get(row);
                rejects.add(reason, origin.src, origin.loc, &identity.excerpt(&batch, row));
            }
            kept.push(reason.is_none());
        })?;
        only_kept(batch, &kept.into())
    }
}
