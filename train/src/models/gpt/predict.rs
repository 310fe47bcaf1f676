//! Scoring a split: one row per window, with the loss of every token.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float32Builder, Float64Array, ListBuilder, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use arrow::datatypes::{DataType, Field};
use tch::{Device, Kind, Tensor};
use tessera_datasets::console::{Progress, Unit};
use tessera_datasets::schema;
use tessera_datasets::{Error, Result};

use super::task::{GptTask, equal_lengths};
use crate::output::{Explanation, Output, write_samples};
use crate::task::{Generate, Predict, Task};
use crate::tokens::{ScoredWindow, TokenStream, scored_windows};

/// How many candidates an explanation shows per position.
const CANDIDATES: usize = 8;

/// Writes predictions, explanations and samples.
pub(super) fn predict(task: &mut GptTask, request: &Predict) -> Result<()> {
    let vocabulary = task.tokenizer.vocabulary_size();
    let stream = TokenStream::read(&task.dataset, &request.split, vocabulary)?;
    let context = task.network.config().context as usize;
    let stride = request.stride.unwrap_or(context);
    if stride == 0 || stride > context {
        return Err(Error::input(format!("`--stride {stride}` must lie between 1 and the context, {context}")));
    }
    let windows = scored_windows(stream.len(), context, stride);
    if windows.is_empty() {
        return Err(Error::input(format!("split `{}` has fewer than 2 tokens", request.split)).at(task.dataset.dir()));
    }
    write_predictions(task, request, &stream, &windows, stride)?;
    write_explanations(task, request, &stream, &windows)?;
    write_generated(task, request)
}

fn write_predictions(
    task: &GptTask,
    request: &Predict,
    stream: &TokenStream,
    windows: &[ScoredWindow],
    stride: usize,
) -> Result<()> {
    let mut details = task.details();
    details.insert("stride".to_owned(), stride.into());
    let schema = schema::language_model_predictions();
    let mut output = Output::create(request, &request.run.predictions(&request.split), schema)?;
    let progress = Progress::new("predict", windows.len() as u64, Unit::Count("windows"));
    let mut index = 0;
    for group in equal_lengths(windows, task.windows_per_pass()) {
        let (nll, correct) = task.score(stream, group);
        output.write(&rows(task, request, stream, group, index, &nll, &correct)?)?;
        index += group.len();
        progress.advance(group.len() as u64, String::new);
    }
    progress.finish(format!("of split {}", request.split));
    output.publish(details, task.dataset.manifest())
}

fn rows(
    task: &GptTask,
    request: &Predict,
    stream: &TokenStream,
    windows: &[ScoredWindow],
    first: usize,
    nll: &Tensor,
    correct: &Tensor,
) -> Result<RecordBatch> {
    let wrong = |e: tch::TchError| Error::internal(e.to_string());
    let nll = Vec::<Vec<f32>>::try_from(nll).map_err(wrong)?;
    let correct = Vec::<Vec<i64>>::try_from(correct.to_kind(Kind::Int64)).map_err(wrong)?;
    let item = Field::new("item", DataType::Float32, false);
    let mut token_nll = ListBuilder::new(Float32Builder::new()).with_field(item);
    let (mut ids, mut offsets, mut tokens, mut bytes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut sums, mut right, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for (i, window) in windows.iter().enumerate() {
        let fresh = window.fresh..window.length;
        let targets: Vec<u32> = fresh.clone().map(|t| stream.id(window.start + t + 1)).collect();
        ids.push(format!("{}-{:08}", request.split, first + i));
        offsets.push((window.start + window.fresh + 1) as u64);
        tokens.push(targets.len() as u32);
        bytes.push(targets.iter().map(|id| task.tokenizer.byte_length(*id)).sum::<u32>());
        sums.push(nll[i][fresh.clone()].iter().map(|v| f64::from(*v)).sum::<f64>());
        token_nll.values().append_slice(&nll[i][fresh.clone()]);
        token_nll.append(true);
        right.push(correct[i][fresh].iter().sum::<i64>() as u32);
        texts.push(task.tokenizer.decode(&targets));
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(ids)),
        Arc::new(UInt64Array::from(offsets)),
        Arc::new(UInt32Array::from(tokens)),
        Arc::new(UInt32Array::from(bytes)),
        Arc::new(Float64Array::from(sums)),
        Arc::new(token_nll.finish()),
        Arc::new(UInt32Array::from(right)),
        Arc::new(StringArray::from(texts)),
    ];
    Ok(RecordBatch::try_new(schema::language_model_predictions().arrow(), columns)?)
}

/// The most probable next tokens at every position of a few windows, spread evenly.
fn write_explanations(task: &GptTask, request: &Predict, stream: &TokenStream, windows: &[ScoredWindow]) -> Result<()> {
    let count = request.explain.min(windows.len());
    let mut explanations = Vec::new();
    for place in 0..count {
        let index = place * windows.len() / count;
        let window = windows[index];
        let (inputs, _) = stream.windows(&[window.start], window.length);
        let probabilities = tch::no_grad(|| {
            let logits = task.network.forward(&inputs.to_device(task.device), false);
            logits.softmax(-1, Kind::Float).get(0).to_device(Device::Cpu)
        });
        let candidates = CANDIDATES.min(task.tokenizer.vocabulary_size());
        let (values, ids) = probabilities.topk(candidates as i64, -1, true, true);
        let wrong = |e: tch::TchError| Error::internal(e.to_string());
        let values = Vec::<f32>::try_from(values.reshape([-1])).map_err(wrong)?;
        let ids = Vec::<i64>::try_from(ids.reshape([-1])).map_err(wrong)?;
        let truth = (1..=window.length).map(|t| task.tokenizer.display(stream.id(window.start + t)));
        explanations.push(Explanation {
            id: format!("{}-{index:08}", request.split),
            name: "candidates".to_owned(),
            row_labels: truth.collect(),
            column_labels: ids.iter().map(|id| task.tokenizer.display(*id as u32)).collect(),
            shape: vec![window.length as u32, candidates as u32],
            values,
        });
    }
    Explanation::write_all(&explanations, request, &task.details(), task.dataset.manifest())
}

fn write_generated(task: &mut GptTask, request: &Predict) -> Result<()> {
    let settings = task.samples.clone();
    let samples = (0..settings.count).map(|i| {
        let request = Generate {
            prompt: settings.prompt.clone(),
            tokens: settings.tokens,
            temperature: settings.temperature,
            top_k: settings.top_k,
            top_p: settings.top_p,
            seed: task.seed + i as u64,
        };
        task.generate(&request)
    });
    let samples: Result<Vec<_>> = samples.collect();
    write_samples(&request.run, &samples?)
}
