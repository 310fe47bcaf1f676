//! Byte-pair encoding: from text to a trained `tokenizer.json`.
//!
//! Training has two halves. Counting ([`WordCounts`]) splits text into words with the GPT-2
//! pattern and adds up how often each occurs; counts of parts of a corpus merge, so this half can be
//! cut over threads and machines. Merging ([`Trainer`]) then joins the most frequent pair of
//! neighbouring tokens, again and again, until the vocabulary is full.
//!
//! The result is the same, merge for merge, as that of `BpeTrainer` in Hugging Face `tokenizers`
//! 0.23 on the same text, except where that overflows its 32-bit counters.
//! [`Vocabulary::to_json`] writes it as a `tokenizer.json` that `tokenizers` 0.2x loads as it is, and
//! that the `tokenizers` 1.0 crate loads through its own `canonicalize_str`.
//!
//! Two simpler vocabularies need no training: [`Vocabulary::characters`] and [`Vocabulary::bytes`].
//!
//! References: Gage, "A New Algorithm for Data Compression" (1994); Sennrich, Haddow and Birch,
//! "Neural Machine Translation of Rare Words with Subword Units" (2016); Radford et al.,
//! "Language Models are Unsupervised Multitask Learners" (2019) for the byte-level alphabet and the
//! pattern.

mod alphabet;
mod arena;
mod characters;
mod classes;
mod count;
mod error;
mod json;
mod pretoken;
mod train;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use characters::CharacterSet;
pub use count::{CountOptions, WordCounts};
pub use error::Error;
pub use pretoken::{PreTokens, pre_tokens};
pub use train::Trainer;
pub use vocabulary::Vocabulary;
