//! Scoring files of lines on the command line, as sacrebleu does.
//!
//! A [`Text`] is read, [`Corpus`] checks that hypotheses and references are as many, a [`Measure`]
//! makes statistics and scores of them, and [`run`] prints what sacrebleu would print.

mod aligned;
mod arguments;
mod command;
mod evaluation;
mod measure;
mod output;
mod signature;
mod text;

pub use aligned::{Corpus, Stream};
pub use arguments::{Arguments, Kind, spelled_out};
pub use command::run;
pub use evaluation::{AnyMeasure, Evaluated, Evaluation, Question};
pub use measure::Measure;
pub use text::Text;
