//! Where rows and rejects of a group of files go.

use std::fmt::Write;

use tessera_datasets::{Error, Result};

use super::files::Group;
use crate::rows::{Origin, TRAIN, TranslationRows, content_hash};
use crate::stage::Outlet;

/// Takes the rows of one group.
pub(super) struct Sink<'a, 'b> {
    group: &'a Group,
    languages: &'a [String],
    /// Which language the split key is made of.
    key: usize,
    rows: &'a mut TranslationRows,
    out: &'a mut Outlet<'b>,
    id: String,
    loc: String,
    content: String,
}

impl<'a, 'b> Sink<'a, 'b> {
    pub(super) fn new(
        group: &'a Group,
        languages: &'a [String],
        key: usize,
        rows: &'a mut TranslationRows,
        out: &'a mut Outlet<'b>,
    ) -> Self {
        let (id, loc, content) = (String::new(), String::new(), String::new());
        Self { group, languages, key, rows, out, id, loc, content }
    }

    /// A row: a sentence for each language, in their order.
    pub(super) fn push<T: AsRef<str>>(&mut self, sentences: &[T], line: u64) -> Result<()> {
        let is_empty = |sentence: &T| sentence.as_ref().trim().is_empty();
        if let Some(language) = sentences.iter().position(is_empty) {
            let others = sentences.iter().find(|sentence| !is_empty(sentence)).map_or("", AsRef::as_ref);
            self.reject_side("empty side", language, line, others);
            return Ok(());
        }
        self.content.clear();
        for (i, sentence) in sentences.iter().enumerate() {
            self.content.extend((i > 0).then_some('\n'));
            self.content.push_str(sentence.as_ref());
        }
        let hash = content_hash(self.content.as_bytes());
        let key = content_hash(sentences[self.key].as_ref().as_bytes());
        self.id.clear();
        self.loc.clear();
        let written = write!(self.id, "{}:{line}", self.group.stem).and_then(|()| write!(self.loc, "line {line}"));
        written.map_err(|e| Error::internal(e.to_string()))?;
        let file = &self.group.files[0];
        self.rows.push(
            sentences,
            &Origin {
                split: file.split.as_deref().unwrap_or(TRAIN),
                id: &self.id,
                source: &file.source,
                src: &self.group.name,
                loc: &self.loc,
                license: &file.license,
                split_key: &key,
                content_hash: &hash,
            },
        );
        match self.rows.is_full() {
            true => self.out.emit(self.rows.finish()?),
            false => Ok(()),
        }
    }

    /// A row that is none because of one language.
    pub(super) fn reject_side(&mut self, reason: &str, language: usize, line: u64, excerpt: &str) {
        let name = &self.languages[language];
        // the file of that language, where it has one
        let file = self.group.files.get(language).unwrap_or(&self.group.files[0]);
        self.out.rejects.add(reason, &file.name, &format!("line {line}"), &format!("`{name}`, {excerpt}"));
    }

    /// A row that is none as a whole.
    pub(super) fn reject(&mut self, reason: &str, line: u64, excerpt: &str) {
        self.out.rejects.add(reason, &self.group.name, &format!("line {line}"), excerpt);
    }
}
