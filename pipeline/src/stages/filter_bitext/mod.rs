//! `filter-bitext`: drops rows of kind `translation` that teach a model little or wrong things.
//!
//! Reasons, each counted with its first rows:
//!
//! - `empty side`: a side without a word
//! - `too long`: more than `maximum_words` between white space or `maximum_characters` in a side
//! - `length ratio`: one side has more than `ratio` times the words of another, as in
//!   `clean-corpus-n.perl` of Moses
//! - `copy`: two sides are the same, but for white space around them
//! - `language` (only with `identify`): a side is reliably in another language
//! - `leak`: the row is also in a split that is not filtered, such as a test set
//! - `duplicate`: the row was there before, in reading order
//!
//! Only the splits named in `only` are filtered, by default `train`: a test set is scored as it was
//! published, and never shrinks because of a filter.

mod identify;
mod sides;

use arrow::array::RecordBatch;
use serde::Deserialize;
use tessera_datasets::config::Section;
use tessera_datasets::manifest::is_split_name;
use tessera_datasets::schema::Kind;
use tessera_datasets::{Error, Result};

use super::Entry;
use super::languages::check_languages;
use super::repeated::{Claim, DropRepeated, FindRepeated, Hash, Identity, hash_of};
use crate::rows::{TRAIN, TranslationColumns};
use crate::stage::{Stage, StageContext, needs_kind};
use identify::Identifier;
use sides::FilterSides;

pub(super) const ENTRY: Entry = Entry {
    name: "filter-bitext",
    summary: "drops translations that are too long, uneven, copied, repeated or in test sets, with counted reasons",
    example: "",
    parse,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// The languages to look at; all where none is named.
    languages: Vec<String>,
    /// The splits to filter.
    only: Vec<String>,
    /// The most words that a side may have; 0 for no limit.
    maximum_words: usize,
    /// The most characters that a side may have; 0 for no limit.
    maximum_characters: usize,
    /// How many times longer in words one side may be than another; 0 for no limit.
    ratio: f64,
    /// Whether rows with two equal sides go.
    drop_copies: bool,
    /// Whether rows that were there before go.
    drop_duplicates: bool,
    /// Whether rows that are also in a split that is not filtered go.
    drop_leaks: bool,
    /// Whether rows with a side in another language go.
    identify: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            languages: Vec::new(),
            only: vec![TRAIN.to_owned()],
            maximum_words: 250,
            maximum_characters: 2000,
            ratio: 9.0,
            drop_copies: true,
            drop_duplicates: true,
            drop_leaks: true,
            identify: false,
        }
    }
}

fn parse(section: &Section, _: &StageContext) -> Result<Stage> {
    let config: Config = section.parse()?;
    check_languages(section, "languages", &config.languages)?;
    if let Some(name) = config.only.iter().find(|name| !is_split_name(name)) {
        return Err(section.error("only", format!("`{name}` is no name for a split")));
    }
    if config.ratio != 0.0 && !(config.ratio >= 1.0 && config.ratio.is_finite()) {
        return Err(
            section.error("ratio", format!("`ratio` is `{}`; it must be 1 or more, or 0 for none", config.ratio))
        );
    }
    let identifiers = match config.identify {
        false => None,
        true if config.languages.is_empty() => {
            return Err(section
                .error("identify", "`identify` needs `languages`")
                .hint("for example `languages = [\"en\", \"de\"]`"));
        }
        true => {
            let known = config.languages.iter().map(|language| Identifier::of(language));
            Some(known.collect::<Result<Vec<_>>>().map_err(|e| in_section(section, "identify", &e))?)
        }
    };
    let no_limit = |limit: usize| if limit == 0 { usize::MAX } else { limit };
    let sides = FilterSides {
        languages: config.languages,
        only: config.only.clone(),
        maximum_words: no_limit(config.maximum_words),
        maximum_characters: no_limit(config.maximum_characters),
        ratio: if config.ratio == 0.0 { f64::INFINITY } else { config.ratio },
        drop_copies: config.drop_copies,
        identifiers,
    };
    let mut stages = vec![Stage::map(sides)];
    if config.drop_duplicates || config.drop_leaks {
        // a file of this stage alone, that is not published
        let file = format!(".{}.repeated", section.keys());
        let only = config.only;
        stages.push(Stage::fold(FindRepeated {
            identity: Sentences,
            file: file.clone(),
            only: only.clone(),
            duplicates: config.drop_duplicates,
            leaks: config.drop_leaks,
        }));
        stages.push(Stage::map(DropRepeated { identity: Sentences, file, only }));
    }
    Ok(Stage::Chain(stages))
}

/// Translations are the same when all their sentences are.
#[derive(Clone)]
struct Sentences;

impl Identity for Sentences {
    fn check(&self, kind: Kind) -> Result<()> {
        match kind {
            Kind::Translation => Ok(()),
            other => Err(needs_kind(&[Kind::Translation], other)),
        }
    }

    fn rows(&self, batch: &RecordBatch, each: &mut dyn FnMut(Hash, Option<Claim>)) -> Result<()> {
        let columns = TranslationColumns::of(batch)?;
        for row in 0..batch.num_rows() {
            each(hash_of(columns.sentences.iter().map(|column| column.value(row).as_bytes())), None);
        }
        Ok(())
    }

    fn excerpt(&self, batch: &RecordBatch, row: usize) -> String {
        TranslationColumns::of(batch).map(|columns| columns.sentences[0].value(row).to_owned()).unwrap_or_default()
    }
}

fn in_section(section: &Section, key: &str, error: &Error) -> Error {
    let out = section.error(key, error.message());
    match error.hint_text() {
        Some(hint) => out.hint(hint),
        None => out,
    }
}

#[cfg(test)]
mod tests;
