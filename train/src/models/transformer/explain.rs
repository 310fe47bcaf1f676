//! Attention weights of chosen sentences, as the paper's figures 3 to 5 draw them.

use tch::{Device, Kind, Tensor};
use tessera_datasets::tokenizer::Tokenizer;
use tessera_datasets::{Error, Result};

use super::task::TransformerTask;
use crate::output::Explanation;
use crate::sentences::{PaddedPairs, Pair, encode_whole};
use crate::task::{Predict, Task, Translation};

/// Sentences of more tokens are passed over: nobody can read their pictures.
const LONGEST: usize = 30;

/// Writes the attention weights of some sentences, spread evenly over those that are short enough.
pub(super) fn explain(
    task: &TransformerTask,
    request: &Predict,
    ids: &[String],
    sources: &[&[u32]],
    translations: &[Translation],
) -> Result<()> {
    let mut readable = Vec::new();
    for (row, (source, translation)) in sources.iter().zip(translations).enumerate() {
        if request.explain == 0 || source.is_empty() || source.len() >= LONGEST {
            continue;
        }
        let mut target = Vec::new();
        // a hypothesis is what the model wrote, so its vocabulary can write it
        encode_whole(&translation.best()?.text, &task.tokenizers.target, &mut target)?;
        if !target.is_empty() && target.len() < LONGEST {
            readable.push((row, *source, target));
        }
    }
    let count = request.explain.min(readable.len());
    let mut explanations = Vec::new();
    for place in 0..count {
        let (row, source, target) = &readable[place * readable.len() / count];
        explanations.extend(of_pair(task, &ids[*row], source, target)?);
    }
    Explanation::write_all(&explanations, request, &task.details(), task.dataset.manifest())
}

/// The three kinds of attention while one sentence is written.
fn of_pair(task: &TransformerTask, id: &str, source: &[u32], target: &[u32]) -> Result<Vec<Explanation>> {
    let end = task.tokenizers.end;
    let padded = PaddedPairs::new(&[Pair { source, target }], end);
    let padded = PaddedPairs::from_tensors(&padded.into_tensors(), task.device);
    let weights = tch::no_grad(|| task.network.attention_weights(&padded.source, &padded.inputs_bt));
    let labels = |ids: &[u32], tokenizer: &Tokenizer| ids.iter().map(|id| tokenizer.display(*id)).collect::<Vec<_>>();
    let read = labels(&[source, &[end]].concat(), &task.tokenizers.source);
    let seen = labels(&[&[end], target].concat(), &task.tokenizers.target);
    let written = labels(&[target, &[end]].concat(), &task.tokenizers.target);
    let [encoder, decoder, cross] = weights;
    let make = |name: &str, rows: &[String], columns: &[String], weights: &Tensor| -> Result<Explanation> {
        let weights = weights.squeeze_dim(1).to_kind(Kind::Float).to_device(Device::Cpu);
        let shape = weights.size().iter().map(|n| *n as u32).collect();
        let values = Vec::try_from(weights.reshape([-1])).map_err(|e: tch::TchError| Error::internal(e.to_string()))?;
        let (row_labels, column_labels) = (rows.to_vec(), columns.to_vec());
        Ok(Explanation { id: id.to_owned(), name: name.to_owned(), row_labels, column_labels, shape, values })
    };
    Ok(vec![
        make("encoder-attention", &read, &read, &encoder)?,
        make("decoder-attention", &seen, &seen, &decoder)?,
        make("cross-attention", &written, &read, &cross)?,
    ])
}
