//! What can be said of a row alone: its sides.

use arrow::array::{BooleanArray, RecordBatch};
use tessera_datasets::Result;
use tessera_datasets::schema::{Kind, RecordSchema};

use super::identify::Identifier;
use crate::artifacts::Artifacts;
use crate::rejects::Rejects;
use crate::rows::{Origins, SPLIT, TranslationColumns, languages_of, no_language, only_kept, strings};
use crate::stage::{Map, Mapper, PreparedMap, needs_kind};

#[derive(Clone)]
pub(super) struct FilterSides {
    pub(super) languages: Vec<String>,
    pub(super) only: Vec<String>,
    pub(super) maximum_words: usize,
    pub(super) maximum_characters: usize,
    pub(super) ratio: f64,
    pub(super) drop_copies: bool,
    /// One for each of `languages`.
    pub(super) identifiers: Option<Vec<Identifier>>,
}

impl Map for FilterSides {
    fn output(&self, input: Kind) -> Result<Kind> {
        match input {
            Kind::Translation => Ok(input),
            other => Err(needs_kind(&[Kind::Translation], other)),
        }
    }

    fn prepare(&self, input: &RecordSchema, _: &mut Artifacts) -> Result<Box<dyn PreparedMap>> {
        let known = languages_of(input);
        match self.languages.iter().find(|language| !known.contains(&language.as_str())) {
            Some(language) => Err(no_language(language, &known)),
            None => Ok(Box::new(Prepared { filter: self.clone(), schema: input.clone() })),
        }
    }
}

struct Prepared {
    filter: FilterSides,
    schema: RecordSchema,
}

impl PreparedMap for Prepared {
    fn schema(&self) -> RecordSchema {
        self.schema.clone()
    }

    fn open(&self, _: usize) -> Box<dyn Mapper + '_> {
        Box::new(SideFilter(&self.filter))
    }
}

pub(super) struct SideFilter<'a>(pub(super) &'a FilterSides);

impl Mapper for SideFilter<'_> {
    fn map(&mut self, batch: RecordBatch, rejects: &mut Rejects) -> Result<Option<RecordBatch>> {
        let columns = TranslationColumns::of(&batch)?.select(&self.0.languages)?;
        let splits = strings(&batch, SPLIT)?;
        let origins = Origins::of(&batch)?;
        let mut sides = Vec::with_capacity(columns.languages.len());
        let keep = |row: usize| {
            if !self.0.only.iter().any(|split| split == splits.value(row)) {
                return true;
            }
            sides.clear();
            sides.extend(columns.sentences.iter().map(|column| column.value(row)));
            let Some((reason, excerpt)) = self.0.fault(&sides, &columns.languages) else {
                return true;
            };
            let origin = origins.get(row);
            rejects.add(reason, origin.src, origin.loc, &excerpt);
            false
        };
        let kept: BooleanArray = (0..batch.num_rows()).map(keep).map(Some).collect();
        only_kept(batch, &kept)
    }
}

impl FilterSides {
    /// The first thing that is wrong with a row, in words and with what shows it.
    fn fault(&self, sides: &[&str], languages: &[&str]) -> Option<(&'static str, String)> {
        let (mut fewest, mut most) = (usize::MAX, 0);
        for (side, language) in sides.iter().zip(languages) {
            let words = side.split_whitespace().count();
            if words == 0 {
                return Some(("empty side", format!("`{language}`")));
            }
            if words > self.maximum_words {
                return Some(("too long", format!("`{language}` has {words} words: {side}")));
            }
            // as many bytes are enough, and quicker to know
            if side.len() > self.maximum_characters {
                let characters = side.chars().count();
                if characters > self.maximum_characters {
                    return Some(("too long", format!("`{language}` has {characters} characters: {side}")));
                }
            }
            (fewest, most) = (fewest.min(words), most.max(words));
        }
        if most as f64 > self.ratio * fewest as f64 {
            return Some(("length ratio", format!("{most} words to {fewest}: {}", sides.join(" / "))));
        }
        if self.drop_copies
            && sides.iter().enumerate().any(|(i, side)| sides[..i].iter().any(|other| other.trim() == side.trim()))
        {
            return Some(("copy", sides[0].to_owned()));
        }
        let mut identified = self.identifiers.iter().flatten().zip(sides).zip(languages);
        identified.find_map(|((identifier, side), language)| {
            let other = identifier.other_language(side)?;
            Some(("language", format!("`{language}` looks like `{other}`: {side}")))
        })
    }
}
