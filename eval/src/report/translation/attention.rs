//! Where the heads of a translation model look, for the sentences that `predict` explained.

use std::path::Path;

use serde::Serialize;
use tessera_datasets::manifest::MANIFEST;
use tessera_datasets::schema::Kind;
use tessera_datasets::shard::Dataset;
use tessera_datasets::{Result, ResultExt};

use super::habit;
use super::sentence::Sentence;
use crate::rows::Rows;

/// Sentences that are shown, at most.
const MOST_SENTENCES: usize = 4;
/// Tokens of a side that can be shown side by side.
const MOST_TOKENS: usize = 48;
/// Layers and heads that a page has buttons for.
const MOST_LAYERS: usize = 24;
const MOST_HEADS: usize = 16;
/// Weights of all pictures, at most: the page stays small enough to send.
const MOST_WEIGHTS: usize = 120_000;
/// The picture of a head weighs as much as this many weights, however few it has.
const WEIGHTS_OF_A_HEAD: usize = 80;
/// How far the weights of a row may be from 1 together: bfloat16 keeps eight bits.
const SLACK: f64 = 0.03;

/// The explained sentences.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Attention {
    /// The sentences that are shown.
    pub sentences: Vec<Attended>,
    /// Sentences that were explained and are not shown: too many, or too long for a picture.
    pub left_out: u64,
}

/// A sentence with what was looked at while it was translated.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attended {
    /// The row's id.
    pub id: String,
    /// The sentence, where the predictions have this row.
    pub source: Option<String>,
    /// Its translation.
    pub hypothesis: Option<String>,
    /// Its kinds of attention: encoder, decoder, cross.
    pub maps: Vec<AttentionMap>,
}

/// All layers and heads of one kind of attention.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AttentionMap {
    /// `encoder-attention`, `decoder-attention` or `cross-attention`.
    pub name: String,
    /// The tokens that look.
    pub rows: Vec<String>,
    /// The tokens that are looked at.
    pub columns: Vec<String>,
    /// The layers from the bottom up.
    pub layers: Vec<Layer>,
}

/// The heads of a layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Layer {
    /// The heads in the model's order.
    pub heads: Vec<Head>,
}

/// A head: where every token looks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Head {
    /// A row for each token that looks: its weights in hundredths.
    pub weights: Vec<Vec<u8>>,
    /// The mean over the rows of the largest weight, from 1/columns to 1.
    pub focus: f64,
    /// What it does most of the time, such as `the token before`.
    pub habit: String,
}

/// The kinds in the order in which a page shows them.
const NAMES: [&str; 3] = ["cross-attention", "encoder-attention", "decoder-attention"];

impl Attention {
    /// Reads the explanations of a split; nothing where there are none.
    ///
    /// # Errors
    /// When there are some and they are not what they should be.
    pub(super) fn read(dir: &Path, split: &str, sentences: &[Sentence]) -> Result<Self> {
        let mut found = Found::default();
        if dir.join(MANIFEST).is_file() {
            let dataset = Dataset::open_kind(dir, Kind::Explanations)?;
            dataset.verify()?;
            let mut first = 0;
            for batch in dataset.batches(split, &[])? {
                let batch = batch?;
                found.read_rows(&Rows::new(&batch, "the report", first)).at(dir)?;
                first += batch.num_rows() as u64;
            }
        }
        Ok(found.finish(sentences))
    }
}

/// What was read so far.
#[derive(Default)]
struct Found {
    shown: Vec<Attended>,
    left_out: Vec<String>,
    weights: usize,
}

impl Found {
    fn read_rows(&mut self, rows: &Rows<'_>) -> Result<()> {
        let (ids, names) = (rows.strings("id")?, rows.strings("name")?);
        let (row_labels, column_labels) = (rows.string_lists("row_labels")?, rows.string_lists("column_labels")?);
        let (shapes, values) = (rows.u32_lists("shape")?, rows.f32_lists("values")?);
        for i in 0..rows.len() {
            let (id, name) = (ids.value(i), names.value(i));
            if !NAMES.contains(&name) {
                continue;
            }
            let array = Array { rows: &row_labels[i], columns: &column_labels[i], shape: shapes[i], values: values[i] };
            let (layers, heads) = array.check().map_err(|message| rows.error(i, format!("`{name}`: {message}")))?;
            self.take(id, name, &array, layers, heads);
        }
        Ok(())
    }

    /// Keeps an array, or leaves its sentence out where there is no room.
    fn take(&mut self, id: &str, name: &str, array: &Array<'_>, layers: usize, heads: usize) {
        if self.left_out.iter().any(|other| other == id) {
            return;
        }
        let place = self.shown.iter().position(|sentence| sentence.id == id);
        let size = layers * heads * (array.rows.len() * array.columns.len() + WEIGHTS_OF_A_HEAD);
        let fits = array.rows.len().max(array.columns.len()) <= MOST_TOKENS && self.weights + size <= MOST_WEIGHTS;
        if !fits || (place.is_none() && self.shown.len() == MOST_SENTENCES) {
            self.left_out.push(id.to_owned());
            if let Some(place) = place {
                self.shown.remove(place);
            }
            return;
        }
        self.weights += size;
        let place = place.unwrap_or_else(|| {
            self.shown.push(Attended { id: id.to_owned(), source: None, hypothesis: None, maps: Vec::new() });
            self.shown.len() - 1
        });
        self.shown[place].maps.push(array.map(name, layers, heads));
    }

    fn finish(mut self, sentences: &[Sentence]) -> Attention {
        let order = |map: &AttentionMap| NAMES.iter().position(|name| *name == map.name);
        for shown in &mut self.shown {
            shown.maps.sort_by_key(order);
            if let Some(sentence) = sentences.iter().find(|sentence| sentence.id == shown.id) {
                shown.source = Some(sentence.source.clone());
                shown.hypothesis = Some(sentence.hypothesis.clone());
            }
        }
        Attention { sentences: self.shown, left_out: self.left_out.len() as u64 }
    }
}

/// One row of the explanations.
struct Array<'a> {
    rows: &'a [&'a str],
    columns: &'a [&'a str],
    shape: &'a [u32],
    values: &'a [f32],
}

impl Array<'_> {
    /// Layers and heads, or what is wrong.
    fn check(&self) -> Result<(usize, usize), String> {
        let [layers, heads, rows, columns] = self.shape else {
            return Err(format!("`shape` is {:?}, not [layers, heads, rows, columns]", self.shape));
        };
        let size = self.shape.iter().try_fold(1_usize, |size, n| size.checked_mul(*n as usize));
        let labels = (self.rows.len(), self.columns.len());
        if labels != (*rows as usize, *columns as usize) || size != Some(self.values.len()) {
            return Err(format!(
                "`shape` is {:?}, but there are {} row labels, {} column labels and {} values",
                self.shape,
                labels.0,
                labels.1,
                self.values.len()
            ));
        }
        if size == Some(0) {
            return Err(format!("`shape` is {:?}: nothing to show", self.shape));
        }
        if let Some(wrong) = self.values.iter().find(|w| !(0.0..=1.0 + SLACK as f32).contains(*w)) {
            return Err(format!("`values` holds {wrong}, which is no weight"));
        }
        let sums = self.values.chunks(labels.1).map(|row| row.iter().map(|w| f64::from(*w)).sum::<f64>());
        if let Some((i, sum)) = sums.enumerate().find(|(_, sum)| (sum - 1.0).abs() > SLACK) {
            return Err(format!("the weights of token {} add up to {sum:.3}, not to 1", i % labels.0 + 1));
        }
        Ok((*layers as usize, *heads as usize))
    }

    fn map(&self, name: &str, layers: usize, heads: usize) -> AttentionMap {
        let (rows, columns) = (self.rows.len(), self.columns.len());
        let head = |layer: usize, head: usize| {
            let first = (layer * heads + head) * rows * columns;
            let values: Vec<&[f32]> = self.values[first..first + rows * columns].chunks(columns).collect();
            Head {
                weights: values.iter().map(|row| row.iter().map(|w| hundredths(*w)).collect()).collect(),
                focus: super::rounded(habit::focus(&values)),
                habit: habit::of(&values, self.columns, name != "cross-attention"),
            }
        };
        let layer = |l: usize| Layer { heads: (0..heads.min(MOST_HEADS)).map(|h| head(l, h)).collect() };
        AttentionMap {
            name: name.to_owned(),
            rows: self.rows.iter().map(|label| (*label).to_owned()).collect(),
            columns: self.columns.iter().map(|label| (*label).to_owned()).collect(),
            layers: (0..layers.min(MOST_LAYERS)).map(layer).collect(),
        }
    }
}

fn hundredths(weight: f32) -> u8 {
    (100.0 * weight.clamp(0.0, 1.0)).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array<'a>(rows: &'a [&'a str], shape: &'a [u32], values: &'a [f32]) -> Array<'a> {
        Array { rows, columns: &["x", "y"], shape, values }
    }

    #[test]
    fn heads_lie_one_after_the_other() {
        let values = [1.0, 0.0, 0.25, 0.75, 0.5, 0.5, 0.0, 1.0];
        let found = array(&["a", "b"], &[1, 2, 2, 2], &values);
        assert_eq!(found.check(), Ok((1, 2)));
        let map = found.map("cross-attention", 1, 2);
        let weights: Vec<_> = map.layers[0].heads.iter().map(|head| head.weights.clone()).collect();
        assert_eq!(weights, [vec![vec![100, 0], vec![25, 75]], vec![vec![50, 50], vec![0, 100]]]);
        assert_eq!(map.layers[0].heads[0].focus, 0.875);
    }

    #[test]
    fn what_is_no_attention_is_refused() {
        let wrong = |shape: &'static [u32], values: &'static [f32]| array(&["a"], shape, values).check().unwrap_err();
        assert!(wrong(&[1, 1, 2], &[0.5, 0.5]).contains("not [layers, heads, rows, columns]"));
        assert!(wrong(&[1, 1, 1, 2], &[1.0]).contains("1 values"));
        assert!(wrong(&[1, 1, 1, 2], &[0.5, 0.6]).contains("add up to 1.100"));
        assert!(wrong(&[1, 1, 1, 2], &[f32::NAN, 0.5]).contains("NaN"));
        assert!(wrong(&[0, 1, 1, 2], &[]).contains("nothing to show"));
        assert!(wrong(&[u32::MAX, u32::MAX, u32::MAX, 2], &[1.0]).contains("1 values"));
    }

    #[test]
    fn what_has_no_room_is_left_out_whole() {
        let values = [0.5, 0.5];
        let fitting = array(&["a"], &[1, 1, 1, 2], &values);
        let mut found = Found::default();
        for id in 0..6 {
            found.take(&id.to_string(), "cross-attention", &fitting, 1, 1);
        }
        let long = vec!["a"; MOST_TOKENS + 1];
        found.take("1", "encoder-attention", &array(&long, &[], &[]), 1, 1);
        let attention = found.finish(&[]);
        let shown: Vec<&str> = attention.sentences.iter().map(|s| s.id.as_str()).collect();
        assert_eq!((shown, attention.left_out), (vec!["0", "2", "3"], 3));
    }
}
