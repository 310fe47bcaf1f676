//! Sentences in, hypotheses out.

use tessera_datasets::{Error, Result};

use super::cached::CachedDecoder;
use super::task::TransformerTask;
use crate::beam_search::{BeamSearch, Hypothesis};
use crate::sentences::{PaddedSource, encode_whole};
use crate::task::{Translated, Translation};

/// Translates sentences, of like length side by side. Calls `done` with the number of sentences
/// that were finished. An empty sentence has an empty translation.
///
/// # Errors
/// When a sentence cannot be encoded.
pub(super) fn translate(
    task: &TransformerTask,
    sentences: &[String],
    done: &dyn Fn(usize),
) -> Result<Vec<Translation>> {
    let mut sources = Vec::with_capacity(sentences.len());
    for (row, sentence) in sentences.iter().enumerate() {
        let mut ids = Vec::new();
        encode_whole(sentence, &task.tokenizers.source, &mut ids).map_err(|error| error.row(row as u64 + 1))?;
        sources.push(ids);
    }
    let sources: Vec<&[u32]> = sources.iter().map(Vec::as_slice).collect();
    translate_ids(task, &sources, done)
}

/// As [`translate()`], of sentences that are encoded.
///
/// # Errors
/// When a sentence is too long.
pub(super) fn translate_ids(
    task: &TransformerTask,
    sources: &[&[u32]],
    done: &dyn Fn(usize),
) -> Result<Vec<Translation>> {
    if let Some(row) = sources.iter().position(|ids| ids.len() > task.decode.longest) {
        let (found, most) = (sources[row].len(), task.decode.longest);
        return Err(Error::input(format!("a sentence of {found} tokens, at most {most} are translated"))
            .row(row as u64 + 1)
            .hint("split it into sentences, or raise `train.decode.longest`"));
    }
    let found = search(task, sources, done)?;
    Ok(found.into_iter().map(|hypotheses| Translation { hypotheses: to_texts(task, hypotheses) }).collect())
}

/// The best hypotheses of every source, best first.
fn search(task: &TransformerTask, sources: &[&[u32]], done: &dyn Fn(usize)) -> Result<Vec<Vec<Hypothesis>>> {
    let decode = &task.decode;
    let end = task.tokenizers.end;
    let (beam, wanted, length_penalty) = (decode.beam, decode.n_best, decode.length_penalty);
    let options = BeamSearch { beam, wanted, length_penalty, end };
    let mut order: Vec<usize> = (0..sources.len()).filter(|index| !sources[*index].is_empty()).collect();
    order.sort_by_key(|index| sources[*index].len());
    let mut out = vec![vec![nothing()]; sources.len()];
    done(sources.len() - order.len());
    for numbers in order.chunks(decode.batch) {
        let batch: Vec<&[u32]> = numbers.iter().map(|index| sources[*index]).collect();
        let padded = PaddedSource::new(batch.iter().copied(), end).to_device(task.device);
        let longest: Vec<usize> = batch.iter().map(|source| source.len() + decode.extra_length).collect();
        let mut decoder = CachedDecoder::new(&task.network, &padded);
        for (index, hypotheses) in numbers.iter().zip(options.search(&mut decoder, &longest)?) {
            out[*index] = hypotheses;
        }
        done(numbers.len());
    }
    Ok(out)
}

/// The translation of an empty sentence.
fn nothing() -> Hypothesis {
    Hypothesis { tokens: Vec::new(), token_scores: Vec::new(), log_probability: 0.0, score: 0.0 }
}

fn to_texts(task: &TransformerTask, hypotheses: Vec<Hypothesis>) -> Vec<Translated> {
    let text = |one: Hypothesis| Translated {
        text: task.tokenizers.target.decode(&one.tokens),
        tokens: one.tokens.iter().map(|id| task.tokenizers.target.display(*id)).collect(),
        token_scores: one.token_scores,
        log_probability: one.log_probability,
        score: one.score,
    };
    hypotheses.into_iter().map(text).collect()
}
