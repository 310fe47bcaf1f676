//! Rows of kind `translation`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder, StructArray};
use arrow::datatypes::DataType;
use tessera_datasets::schema::{RecordSchema, translation};
use tessera_datasets::{Error, Result};

use super::{Origin, OriginBuilder, is_full};

/// Builds batches of sentences in several languages.
pub struct TranslationRows {
    schema: RecordSchema,
    columns: Vec<StringBuilder>,
    bytes: usize,
    origins: OriginBuilder,
}

impl TranslationRows {
    /// Rows of sentences in these languages, which must be sorted.
    pub fn new(languages: &[&str]) -> Self {
        Self {
            schema: translation(languages),
            columns: languages.iter().map(|_| StringBuilder::new()).collect(),
            bytes: 0,
            origins: OriginBuilder::default(),
        }
    }

    /// Adds one sentence, in the order of the languages.
    pub fn push<T: AsRef<str>>(&mut self, sentences: &[T], origin: &Origin<'_>) {
        for (column, sentence) in self.columns.iter_mut().zip(sentences) {
            let sentence = sentence.as_ref();
            column.append_value(sentence);
            self.bytes += sentence.len();
        }
        self.origins.push(origin);
    }

    /// Whether it is time to hand the rows on.
    pub fn is_full(&self) -> bool {
        is_full(self.bytes, self.origins.len())
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// The rows as a batch; starts anew.
    ///
    /// # Errors
    /// When a row had not one sentence for each language.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        self.bytes = 0;
        let column = self.schema.fields().iter().find(|f| f.name() == "translation");
        let Some(DataType::Struct(fields)) = column.map(|c| c.data_type()) else {
            return Err(Error::internal("`translation` is no struct"));
        };
        let arrays: Vec<ArrayRef> = self.columns.iter_mut().map(|c| Arc::new(c.finish()) as ArrayRef).collect();
        let sentences = StructArray::try_new(fields.clone(), arrays, None)?;
        debug_assert_eq!(sentences.len(), self.origins.len());
        self.origins.finish(&self.schema, vec![Arc::new(sentences)])
    }
}

/// The sentences of a batch of kind `translation`, language by language.
pub struct TranslationColumns<'a> {
    /// The languages, sorted.
    pub languages: Vec<&'a str>,
    /// The sentences in each.
    pub sentences: Vec<&'a StringArray>,
}

impl<'a> TranslationColumns<'a> {
    /// The columns of a batch.
    ///
    /// # Errors
    /// When the batch has none, which is a fault of the stage before.
    pub fn of(batch: &'a RecordBatch) -> Result<Self> {
        let column = batch.column_by_name("translation").and_then(|c| c.as_struct_opt());
        let column = column.ok_or_else(|| Error::internal("no column `translation`"))?;
        let sentences: Option<Vec<&StringArray>> = column.columns().iter().map(|c| c.as_string_opt::<i32>()).collect();
        Ok(Self {
            languages: column.column_names(),
            sentences: sentences.ok_or_else(|| Error::internal("sentences that are no strings"))?,
        })
    }

    /// Only these languages, in this order; all of them where `languages` is empty.
    ///
    /// # Errors
    /// When a language is not there.
    pub fn select(self, languages: &[String]) -> Result<Self> {
        if languages.is_empty() {
            return Ok(self);
        }
        let sentences = languages.iter().map(|language| {
            let found = self.languages.iter().position(|l| l == language);
            found.map(|i| (self.languages[i], self.sentences[i])).ok_or_else(|| no_language(language, &self.languages))
        });
        let (languages, sentences) = sentences.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        Ok(Self { languages, sentences })
    }
}

/// The languages of rows of kind `translation`, sorted.
pub fn languages_of(schema: &RecordSchema) -> Vec<&str> {
    let column = schema.fields().iter().find(|f| f.name() == "translation").map(|f| f.data_type());
    match column {
        Some(DataType::Struct(fields)) => fields.iter().map(|f| f.name().as_str()).collect(),
        _ => Vec::new(),
    }
}

/// The error about a language that rows do not have.
pub fn no_language(language: &str, known: &[&str]) -> Error {
    Error::input(format!("the rows have no language `{language}`")).hint(format!("they have {}", known.join(", ")))
}
