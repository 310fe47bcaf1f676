//! Hypotheses beside their references, checked to be as many.

use tessera_datasets::console::thousands;
use tessera_datasets::{Error, Result};

use super::text::Text;

/// Lines that belong together, from one file or one column of a file.
#[derive(Clone, Debug)]
pub struct Stream<'a> {
    /// What to call it.
    pub name: String,
    /// The lines.
    pub lines: Vec<&'a str>,
}

/// The outputs of one or more systems for one test set.
#[derive(Clone, Debug)]
pub struct Corpus<'a> {
    /// The systems; in a paired test the first is the baseline.
    pub systems: Vec<Stream<'a>>,
    /// The references of every sentence, as many for each.
    references: Vec<&'a str>,
    /// How many each has.
    per_sentence: usize,
}

impl<'a> Corpus<'a> {
    /// Puts hypotheses beside references.
    ///
    /// # Errors
    /// When there is none, or two streams do not have the same number of lines. sacrebleu's
    /// functions then score what is left of the longer one, which is wrong without anybody
    /// noticing.
    pub fn new(systems: Vec<Stream<'a>>, references: Vec<Stream<'a>>) -> Result<Self> {
        let first = references.first().ok_or_else(|| Error::input("there is no reference"))?;
        let count = first.lines.len();
        for stream in references.iter().chain(&systems) {
            if stream.lines.len() != count {
                let lines = |stream: &Stream<'_>| format!("`{}` has {}", stream.name, counted(stream.lines.len()));
                return Err(Error::input(format!("{}, {}", lines(first), lines(stream)))
                    .hint("line N of one must be a translation of what line N of the other is; look for a line that is missing or was cut in two"));
            }
        }
        if systems.is_empty() || count == 0 {
            return Err(Error::input(format!("there is nothing to score: `{}` has no line", first.name)));
        }
        let per_sentence = references.len();
        let rows = (0..count).flat_map(|row| references.iter().map(move |stream| stream.lines[row]));
        let references = rows.collect();
        Ok(Self { systems, references, per_sentence })
    }

    /// How many references every sentence has.
    pub fn references_per_sentence(&self) -> usize {
        self.per_sentence
    }

    /// The hypotheses of a system, each with its references.
    pub fn sentences<'s>(&'s self, system: &'s Stream<'a>) -> impl Iterator<Item = (&'a str, &'s [&'a str])> {
        system.lines.iter().copied().zip(self.references.chunks_exact(self.per_sentence))
    }
}

impl<'a> From<&'a Text> for Stream<'a> {
    fn from(text: &'a Text) -> Self {
        Self { name: text.name.clone(), lines: text.lines() }
    }
}

fn counted(lines: usize) -> String {
    format!("{} {}", thousands(lines as u64), if lines == 1 { "line" } else { "lines" })
}

impl<'a> Stream<'a> {
    /// The columns of a stream whose lines are cut at tabs, as many in each as in the first.
    ///
    /// # Errors
    /// When a line has another number of them.
    pub fn columns(self, at_most: usize) -> Result<Vec<Vec<&'a str>>> {
        let first = self.lines.first().copied().unwrap_or_default();
        let mut columns = vec![Vec::with_capacity(self.lines.len()); first.splitn(at_most, '\t').count()];
        for (row, line) in (1..).zip(&self.lines) {
            let fields = line.splitn(at_most, '\t').count();
            if fields != columns.len() {
                let message = format!("{fields} fields separated by tabs, where the first line has {}", columns.len());
                return Err(Error::input(message).at(&self.name).row(row));
            }
            let fields = line.splitn(at_most, '\t');
            columns.iter_mut().zip(fields).for_each(|(column, field)| column.push(field));
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream<'a>(name: &str, lines: &[&'a str]) -> Stream<'a> {
        Stream { name: name.to_owned(), lines: lines.to_vec() }
    }

    #[test]
    fn every_hypothesis_has_its_references() {
        let references = vec![stream("r1", &["a", "b"]), stream("r2", &["A", "B"])];
        let corpus = Corpus::new(vec![stream("h", &["x", "y"])], references).unwrap();
        let sentences: Vec<_> = corpus.sentences(&corpus.systems[0]).collect();
        assert_eq!(sentences, [("x", ["a", "A"].as_slice()), ("y", &["b", "B"])]);
    }

    #[test]
    fn another_number_of_lines_is_an_error_with_both_counts() {
        let message = |systems, references| Corpus::new(systems, references).unwrap_err().to_string();
        let two = || stream("ref.de", &["a", "b"]);
        assert_eq!(message(vec![stream("out.de", &["x"])], vec![two()]), "`ref.de` has 2 lines, `out.de` has 1 line");
        assert_eq!(message(vec![two()], vec![two(), stream("b.de", &[])]), "`ref.de` has 2 lines, `b.de` has 0 lines");
        assert!(message(vec![stream("h", &[])], vec![stream("r", &[])]).contains("nothing to score"));
    }

    #[test]
    fn tabs_separate_columns() {
        let columns = stream("r", &["a\tb\tc", "d\te\tf"]).columns(2).unwrap();
        assert_eq!(columns, [["a", "d"], ["b\tc", "e\tf"]]);
        let error = stream("r", &["a\tb", "c"]).columns(9).unwrap_err().to_string();
        assert_eq!(error, "`r`, row 2: 1 fields separated by tabs, where the first line has 2");
    }
}
