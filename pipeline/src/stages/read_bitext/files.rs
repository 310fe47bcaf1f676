//! Which files belong together, and what they are called together.

use std::collections::BTreeMap;

use tessera_datasets::card::Card;
use tessera_datasets::config::DataConfig;
use tessera_datasets::{Error, Result};

use crate::inputs::{Compression, Found, InputFile, find};

/// What people are told that this stage reads.
const SORTS: &str =
    "aligned files such as `train.en` and `train.de`, `.tsv` and `.jsonl`, each also as `.gz` or `.zst`";

/// Files that make rows together.
pub(super) struct Group {
    /// What ids begin with.
    pub(super) stem: String,
    /// What the files are called together: `train.{de,en}.gz`.
    pub(super) name: String,
    pub(super) format: Format,
    /// One for each language, in their order, or a single one.
    pub(super) files: Vec<InputFile>,
}

/// How the languages stand in the files of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// A file for each.
    Aligned,
    /// A column for each.
    Table,
    /// A field for each.
    Objects,
}

impl Group {
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    fn alone(file: InputFile, format: Format) -> Self {
        Self { stem: file.name.clone(), name: file.name.clone(), format, files: vec![file] }
    }

    fn aligned(stem: String, files: Vec<InputFile>) -> Self {
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        Self { stem, name: joint_name(&names), format: Format::Aligned, files }
    }
}

/// The groups of files in `[data]` in the order of their names, and the files that are in none.
///
/// # Errors
/// When there is no file to read, or a language has not its file beside those of the others.
pub(super) fn find_groups(
    data: &DataConfig,
    dataset: &str,
    languages: &[String],
    named: &BTreeMap<String, Vec<String>>,
) -> Result<(Vec<Group>, Vec<String>)> {
    if !named.is_empty() {
        let found = find(data, dataset, SORTS, &|_| true)?;
        return by_pattern(found, languages, named);
    }
    let card = data.card.as_deref().map(Card::find).transpose()?;
    let sorts = Sorts { languages, card: card.as_ref() };
    let found = find(data, dataset, SORTS, &|name| sorts.of(name).is_some())?;
    by_name(found, &sorts)
}

/// What a file is, by its name.
#[derive(Debug, PartialEq)]
enum Sort {
    Alone(Format),
    /// The file of one language, by its number, of those with this stem.
    Side(usize, String),
}

struct Sorts<'a> {
    languages: &'a [String],
    card: Option<&'a Card>,
}

impl Sorts<'_> {
    fn of(&self, name: &str) -> Option<Sort> {
        let (_, plain) = Compression::of(name);
        let ending = plain.rsplit_once('.').map_or("", |(_, ending)| ending);
        if ending.eq_ignore_ascii_case("tsv") {
            return Some(Sort::Alone(Format::Table));
        }
        if ending.eq_ignore_ascii_case("jsonl") {
            return Some(Sort::Alone(Format::Objects));
        }
        let plain = if ending.eq_ignore_ascii_case("txt") { &plain[..plain.len() - 4] } else { plain };
        let number = |language: &str| self.languages.iter().position(|l| l == language);
        let by_name = plain.rsplit_once('.').and_then(|(stem, language)| Some((number(language)?, stem)));
        // what the card says counts more than the name
        let file = self.card.and_then(|card| card.file.iter().find(|file| file.path == name));
        match (file.and_then(|file| file.language.as_deref()).map(number), by_name) {
            (None, None) | (Some(None), _) => None,
            (None, Some((language, stem))) => Some(Sort::Side(language, stem.to_owned())),
            (Some(Some(language)), Some((_, stem))) => Some(Sort::Side(language, stem.to_owned())),
            (Some(Some(language)), None) => Some(Sort::Side(language, plain.to_owned())),
        }
    }
}

fn by_name(found: Found, sorts: &Sorts<'_>) -> Result<(Vec<Group>, Vec<String>)> {
    let mut groups = Vec::new();
    let mut sides: BTreeMap<String, Vec<Option<InputFile>>> = BTreeMap::new();
    for file in found.files {
        match sorts.of(&file.name) {
            None => return Err(Error::internal("a file of another sort")),
            Some(Sort::Alone(format)) => groups.push(Group::alone(file, format)),
            Some(Sort::Side(language, stem)) => {
                let files = sides.entry(stem).or_insert_with(|| vec![None; sorts.languages.len()]);
                if let Some(first) = &files[language] {
                    let (first, second, language) = (&first.name, &file.name, &sorts.languages[language]);
                    let message = format!("both `{first}` and `{second}` are the `{language}` of the same text");
                    return Err(Error::input(message).hint("leave one of them out of `[data]`"));
                }
                files[language] = Some(file);
            }
        }
    }
    for (stem, files) in sides {
        let missing = files.iter().position(Option::is_none);
        let files: Vec<InputFile> = files.into_iter().flatten().collect();
        match missing {
            None => groups.push(Group::aligned(stem, files)),
            Some(language) => {
                let (language, there) = (&sorts.languages[language], &files[0].name);
                let message = format!("there is `{there}`, but no file beside it for `{language}`");
                return Err(Error::input(message).hint(
                    "aligned files are named alike, such as `train.en.gz` and `train.de.gz`; \
                     others can be named in `[pipeline.stage.files]`",
                ));
            }
        }
    }
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((groups, found.skipped))
}

/// The files of each language as `[pipeline.stage.files]` names them; the first of one belongs to
/// the first of the others, and so on.
fn by_pattern(
    found: Found,
    languages: &[String],
    named: &BTreeMap<String, Vec<String>>,
) -> Result<(Vec<Group>, Vec<String>)> {
    let mut sides: Vec<Vec<InputFile>> = Vec::new();
    for language in languages {
        let mut files: Vec<InputFile> = Vec::new();
        for pattern in named.get(language).into_iter().flatten() {
            let parsed = glob::Pattern::new(pattern)
                .map_err(|e| Error::input(format!("`{pattern}` in `files` is no glob: {}", e.msg)))?;
            let before = files.len();
            files.extend(found.files.iter().filter(|file| parsed.matches(&file.name)).cloned());
            if files.len() == before {
                let names: Vec<String> = found.files.iter().take(5).map(|file| format!("`{}`", file.name)).collect();
                return Err(Error::input(format!("`files` has `{pattern}` for `{language}`, which no file is called"))
                    .hint(format!("`[data]` leads to {}", names.join(", "))));
            }
        }
        sides.push(files);
    }
    let count = sides.first().map_or(0, Vec::len);
    if let Some((language, files)) = languages.iter().zip(&sides).find(|(_, files)| files.len() != count) {
        let message = format!("`files` leads to {count} for `{}` and {} for `{language}`", languages[0], files.len());
        return Err(Error::input(message).hint("each file needs one beside it in every other language"));
    }
    let mut groups: Vec<Group> = Vec::new();
    for i in 0..count {
        let files: Vec<InputFile> = sides.iter().map(|files| files[i].clone()).collect();
        let group = Group::aligned(String::new(), files);
        if groups.iter().any(|other| other.name == group.name) {
            return Err(Error::input(format!("`files` leads to `{}` twice", group.name)));
        }
        groups.push(Group { stem: group.name.clone(), ..group });
    }
    let used = |file: &&InputFile| sides.iter().flatten().any(|side| side.name == file.name);
    let mut skipped = found.skipped;
    skipped.extend(found.files.iter().filter(|file| !used(file)).map(|file| file.name.clone()));
    skipped.sort();
    Ok((groups, skipped))
}

/// What several files are called together, as a shell would write it: `train.{de,en}.gz`.
fn joint_name(names: &[&str]) -> String {
    let Some(first) = names.first() else {
        return String::new();
    };
    // names are cut at points and slashes only
    let start = |end: usize| names.iter().all(|name| name.get(..end) == first.get(..end));
    let cut = |(at, _): (usize, &str)| at + 1;
    let head = first.rmatch_indices(['.', '/']).map(cut).find(|end| start(*end)).unwrap_or(0);
    let tails: Vec<&str> = names.iter().map(|name| &name[head..]).collect();
    let end = |tail: &str| tails.iter().all(|other| other.len() > tail.len() && other.ends_with(tail));
    let tail = tails[0].match_indices(['.', '/']).map(|(at, _)| &tails[0][at..]).find(|tail| end(tail)).unwrap_or("");
    let middles: Vec<&str> = tails.iter().map(|other| &other[..other.len() - tail.len()]).collect();
    format!("{}{{{}}}{tail}", &first[..head], middles.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_joined_at_points() {
        for (names, joint) in [
            (["train.de.gz", "train.en.gz"], "train.{de,en}.gz"),
            (["a/train.de", "a/train.en"], "a/train.{de,en}"),
            (["de/x.txt", "en/x.txt"], "{de,en}/x.txt"),
            (["german", "english.gz"], "{german,english.gz}"),
            (["x.de.gz", "x.de.zst"], "x.de.{gz,zst}"),
            (["x.den.gz", "x.en.gz"], "x.{den,en}.gz"),
        ] {
            assert_eq!(joint_name(&names), joint);
        }
    }

    #[test]
    fn the_language_stands_before_the_compression() {
        let languages = ["de".to_owned(), "en".to_owned()];
        let sorts = Sorts { languages: &languages, card: None };
        let side = |language, stem: &str| Some(Sort::Side(language, stem.to_owned()));
        for (name, sort) in [
            ("a/train.de.gz", side(0, "a/train")),
            ("train.en.txt.zst", side(1, "train")),
            ("v7.de-en.en", side(1, "v7.de-en")),
            ("train.fr.gz", None),
            ("de", None),
            ("readme.txt", None),
            ("a.TSV.gz", Some(Sort::Alone(Format::Table))),
            ("a.en.jsonl", Some(Sort::Alone(Format::Objects))),
        ] {
            assert_eq!(sorts.of(name), sort, "{name}");
        }
    }

    #[test]
    fn the_card_says_what_the_name_does_not() {
        let mut card = Card::find("multi30k").unwrap();
        card.file[0].path = "left".to_owned();
        let languages = ["de".to_owned(), "en".to_owned()];
        let sorts = Sorts { languages: &languages, card: Some(&card) };
        assert_eq!(sorts.of("left"), Some(Sort::Side(1, "left".to_owned())));
        assert_eq!(sorts.of("train.de.gz"), Some(Sort::Side(0, "train".to_owned())));
        assert_eq!(sorts.of("train.fr.gz"), None);
    }
}
