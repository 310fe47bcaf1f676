//! Where a language model is sure and where it is not: loss by position, by token, along the
//! text, and the windows it finds easiest and hardest.

mod excerpt;
mod explained;
mod histogram;
mod position;

use std::path::Path;

use serde::Serialize;
use tessera_datasets::Result;

pub use excerpt::{Excerpt, Piece};
pub use explained::{Candidate, Explained, Guess, Strip, Token};
pub use histogram::Histogram;
pub use position::Position;

use crate::predictions::Predictions;
use crate::rows::Rows;
use excerpt::Extremes;
use histogram::Losses;
use position::Positions;

/// The `task` of the predictions that this section is about.
pub(super) const TASK: &str = "language-model";

/// Cells of the picture of the loss along the text, at most.
const MOST_STRETCHES: usize = 160;

/// The strongest colour where the vocabulary is not known, in nats.
const HOTTEST: f64 = 5.0;

/// The share by which the sum of a window's token losses may differ from its total.
const AGREEMENT: f64 = 1e-3;

/// What the predictions of a language model show beyond their scores.
#[derive(Clone, Debug, Serialize)]
pub struct LanguageModel {
    /// Windows.
    pub windows: u64,
    /// Tokens that were scored.
    pub tokens: u64,
    /// UTF-8 bytes that they stand for.
    pub bytes: u64,
    /// Tokens that the model can see at once.
    pub context: Option<u64>,
    /// Tokens from the start of one window to the start of the next.
    pub stride: Option<u64>,
    /// Tokens to choose from.
    pub vocabulary: Option<u64>,
    /// SHA-256 of the tokenizer.
    pub tokenizer_sha256: Option<String>,
    /// Nats per token of a blind guess over the vocabulary.
    pub uniform_loss: Option<f64>,
    /// The loss that has the strongest colour: that of a blind guess, 5 nats where it is not known.
    pub hottest: f64,
    /// Nats per token.
    pub mean_loss: f64,
    /// Half of the tokens have a loss below this, in nats.
    pub median_loss: f64,
    /// The loss at each position of the window.
    pub positions: Vec<Position>,
    /// By how many nats the loss is lower in the second half of the window than at its start.
    pub context_gain: f64,
    /// How many tokens have which loss.
    pub histogram: Histogram,
    /// The loss along the split.
    pub stretches: Vec<Stretch>,
    /// The windows with the lowest loss per token, the lowest first.
    pub easiest: Vec<Excerpt>,
    /// The windows with the highest loss per token, the highest first.
    pub hardest: Vec<Excerpt>,
    /// Windows whose tokens do not add up to their total.
    pub inconsistent: u64,
    /// What the model would have said, where it wrote that.
    pub explained: Explained,
}

/// A stretch of the split.
#[derive(Clone, Debug, Serialize)]
pub struct Stretch {
    /// The first token of it.
    pub offset: u64,
    /// Tokens in it.
    pub tokens: u64,
    /// Nats per token.
    pub loss: f64,
}

impl LanguageModel {
    /// Reads all predictions once.
    ///
    /// # Errors
    /// When a column is absent or the explanations are not what they should be.
    pub fn read(predictions: &Predictions, explanations: &Path) -> Result<Self> {
        let details = predictions.details();
        let (context, stride) = (details.number("context"), details.number("stride"));
        let mut gathered = Gathered {
            positions: Positions::new(context, stride),
            losses: Losses::default(),
            extremes: Extremes::new(stride.or(context)),
            explained: Explained::read(explanations, predictions.split())?,
            windows: Vec::new(),
            bytes: 0,
            inconsistent: 0,
        };
        predictions.each_batch(|batch, first| gathered.add(&Rows::new(batch, "the report", first)))?;
        let Gathered { positions, losses, extremes, mut explained, windows, bytes, inconsistent } = gathered;
        explained.choose();
        let vocabulary = details.number("vocabulary");
        let uniform_loss = vocabulary.filter(|v| *v > 1).map(|v| (v as f64).ln());
        let positions = positions.finish();
        let (easiest, hardest) = extremes.finish(&explained);
        Ok(Self {
            windows: windows.len() as u64,
            tokens: losses.tokens(),
            bytes,
            context,
            stride,
            vocabulary,
            tokenizer_sha256: details.text("tokenizer_sha256").map(str::to_owned),
            uniform_loss,
            hottest: uniform_loss.unwrap_or(HOTTEST),
            mean_loss: windows.iter().map(|w| w.nll).sum::<f64>() / losses.tokens().max(1) as f64,
            median_loss: losses.quantile(0.5),
            context_gain: position::gain(&positions),
            positions,
            histogram: losses.histogram(),
            stretches: stretches(&windows),
            easiest,
            hardest,
            inconsistent,
            explained,
        })
    }

    /// UTF-8 bytes per token; none where nothing was scored.
    pub fn bytes_per_token(&self) -> Option<f64> {
        (self.tokens > 0).then(|| self.bytes as f64 / self.tokens as f64)
    }
}

/// What one reading of the predictions gathers.
struct Gathered {
    positions: Positions,
    losses: Losses,
    extremes: Extremes,
    explained: Explained,
    windows: Vec<Window>,
    bytes: u64,
    inconsistent: u64,
}

/// What is kept of every window.
struct Window {
    offset: u64,
    nll: f64,
    tokens: u64,
}

impl Gathered {
    fn add(&mut self, rows: &Rows<'_>) -> Result<()> {
        let (ids, texts) = (rows.strings("id")?, rows.strings("text")?);
        let (offsets, nlls) = (rows.u64s("offset")?, rows.f64s("nll")?);
        let (tokens, bytes) = (rows.u32s("tokens")?, rows.u32s("bytes")?);
        for (i, token_nll) in rows.f32_lists("token_nll")?.into_iter().enumerate() {
            if token_nll.len() != tokens[i] as usize {
                let message = format!("`token_nll` has {} values, `tokens` says {}", token_nll.len(), tokens[i]);
                return Err(rows.error(i, message));
            }
            if let Some(wrong) = token_nll.iter().find(|nll| !nll.is_finite()) {
                return Err(rows.error(i, format!("a loss in `token_nll` is {wrong}")));
            }
            let (id, offset, nll) = (ids.value(i), offsets[i], nlls[i]);
            let sum: f64 = token_nll.iter().map(|nll| f64::from(*nll)).sum();
            self.inconsistent += u64::from((sum - nll).abs() > AGREEMENT * nll.abs().max(1.0));
            self.bytes += u64::from(bytes[i]);
            self.windows.push(Window { offset, nll, tokens: tokens[i].into() });
            self.positions.add(offset, token_nll);
            self.losses.add(token_nll);
            self.extremes.offer(id, offset, nll, token_nll, texts.value(i));
            self.explained.add_losses(id, offset, token_nll);
        }
        Ok(())
    }
}

fn stretches(windows: &[Window]) -> Vec<Stretch> {
    let cells = windows.len().min(MOST_STRETCHES);
    let stretch = |i: usize| {
        let part = &windows[i * windows.len() / cells..(i + 1) * windows.len() / cells];
        let tokens: u64 = part.iter().map(|w| w.tokens).sum();
        let nll: f64 = part.iter().map(|w| w.nll).sum();
        Stretch { offset: part[0].offset, tokens, loss: nll / tokens.max(1) as f64 }
    };
    (0..cells).map(stretch).collect()
}

/// A probability or a loss in as many digits as are worth storing.
fn rounded(value: f64) -> f64 {
    (value * 1e5).round() / 1e5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_hold_every_token_once() {
        let windows: Vec<Window> = (0..401).map(|i| Window { offset: i * 8, nll: 16.0, tokens: 8 }).collect();
        let found = stretches(&windows);
        assert_eq!(found.len(), MOST_STRETCHES);
        assert_eq!(found.iter().map(|s| s.tokens).sum::<u64>(), 401 * 8);
        assert!(found.iter().all(|s| s.loss == 2.0));
        assert!(stretches(&[]).is_empty());
    }
}
