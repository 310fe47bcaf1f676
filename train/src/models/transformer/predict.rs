//! Translating and scoring a split.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float32Builder, Float64Array, Float64Builder, ListBuilder, RecordBatch, StringArray, StringBuilder,
    UInt32Array,
};
use arrow::datatypes::{DataType, Field};
use tessera_datasets::console::{Progress, Unit};
use tessera_datasets::{Error, Result, schema};

use super::task::{Scored, TransformerTask};
use super::{explain, translate};
use crate::output::Output;
use crate::sentences::{Pair, Pairs, Texts};
use crate::task::{Predict, Translation};

/// Rows that are written at once.
const ROWS: usize = 1000;

/// Writes predictions and explanations.
pub(super) fn predict(task: &TransformerTask, request: &Predict) -> Result<()> {
    let (source, target) = &task.languages;
    let texts = Texts::read(&task.dataset, &request.split, source, target)?;
    if texts.ids.is_empty() {
        return Err(Error::input(format!("split `{}` has no rows", request.split)).at(task.dataset.dir()));
    }
    let pairs = Pairs::encode(&texts, &task.tokenizers).map_err(|error| error.at(task.dataset.dir()))?;
    let all: Vec<Pair<'_>> = (0..pairs.len()).map(|index| pairs.get(index)).collect();
    let scored = task.score(&all)?;
    let progress = Progress::new("predict", all.len() as u64, Unit::Count("sentences"));
    let sources: Vec<&[u32]> = all.iter().map(|pair| pair.source).collect();
    let translations = translate::translate_ids(task, &sources, &|count| progress.advance(count as u64, String::new))?;
    progress.finish(format!("of split {}", request.split));
    let folder = request.run.predictions(&request.split);
    let mut output = Output::create(request, &folder, schema::translation_predictions())?;
    let mut start = 0;
    while start < all.len() {
        let end = (start + ROWS).min(all.len());
        output.write(&rows(&texts, &translations, &scored, start..end, task.decode.n_best)?)?;
        start = end;
    }
    output.publish(crate::task::Task::details(task), task.dataset.manifest())?;
    explain::explain(task, request, &texts.ids, &sources, &translations)
}

fn rows(
    texts: &Texts,
    translations: &[Translation],
    scored: &[Scored],
    range: std::ops::Range<usize>,
    n_best: usize,
) -> Result<RecordBatch> {
    let item = |data_type: DataType| Field::new("item", data_type, false);
    let strings = || ListBuilder::new(StringBuilder::new()).with_field(item(DataType::Utf8));
    let floats = || ListBuilder::new(Float32Builder::new()).with_field(item(DataType::Float32));
    let (mut references, mut hypothesis_tokens, mut nbest) = (strings(), strings(), strings());
    let (mut token_scores, mut token_nll) = (floats(), floats());
    let mut nbest_scores = ListBuilder::new(Float64Builder::new()).with_field(item(DataType::Float64));
    let (mut hypotheses, mut scores, mut log_probabilities) = (Vec::new(), Vec::new(), Vec::new());
    let (mut tokens, mut bytes, mut nll, mut correct) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for index in range.clone() {
        references.values().append_value(&texts.target[index]);
        references.append(true);
        let best = translations[index].best()?;
        hypotheses.push(best.text.as_str());
        scores.push(best.score);
        log_probabilities.push(best.log_probability);
        token_scores.values().append_slice(&best.token_scores);
        token_scores.append(true);
        best.tokens.iter().for_each(|token| hypothesis_tokens.values().append_value(token));
        hypothesis_tokens.append(true);
        for one in translations[index].hypotheses.iter().take(n_best) {
            nbest.values().append_value(&one.text);
            nbest_scores.values().append_value(one.score);
        }
        nbest.append(true);
        nbest_scores.append(true);
        let scored = &scored[index];
        tokens.push(scored.nll.len() as u32);
        bytes.push(texts.target[index].len() as u32);
        nll.push(scored.nll.iter().map(|v| f64::from(*v)).sum::<f64>());
        correct.push(scored.correct);
        token_nll.values().append_slice(&scored.nll);
        token_nll.append(true);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(&texts.ids[range.clone()])),
        Arc::new(StringArray::from_iter_values(&texts.source[range])),
        Arc::new(references.finish()),
        Arc::new(StringArray::from(hypotheses)),
        Arc::new(Float64Array::from(scores)),
        Arc::new(Float64Array::from(log_probabilities)),
        Arc::new(hypothesis_tokens.finish()),
        Arc::new(token_scores.finish()),
        Arc::new(nbest.finish()),
        Arc::new(nbest_scores.finish()),
        Arc::new(UInt32Array::from(tokens)),
        Arc::new(UInt32Array::from(bytes)),
        Arc::new(Float64Array::from(nll)),
        Arc::new(UInt32Array::from(correct)),
        Arc::new(token_nll.finish()),
    ];
    Ok(RecordBatch::try_new(schema::translation_predictions().arrow(), columns)?)
}
