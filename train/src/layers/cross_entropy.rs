//! The cross entropy of a softmax over a vocabulary, with the product that leads to it.

use tch::{Kind, Tensor};

/// Rows that are worked on at once: their scores stay in the cache.
const CELLS: i64 = 1 << 20;

/// A loss with label smoothing whose gradient was worked out along with it.
pub struct SmoothedLoss {
    /// A scalar to call `backward` on. Its value means nothing, its gradients are the loss's.
    pub graph: Tensor,
    /// The smoothed loss, summed over the rows and divided by `normalizer`.
    pub loss: Tensor,
    /// The same without smoothing.
    pub nll: Tensor,
}

/// Cross entropy in nats between targets and the softmax of `hidden · embeddingᵀ`.
///
/// With smoothing ε a target's share is 1 − ε and ε is spread over all V entries, the target
/// among them (Szegedy et al. 2016, and PyTorch's `label_smoothing`). fairseq spreads its ε over
/// the V − 1 others: its ε is ours times (V − 1)/V.
///
/// The scores (`[n, v]`, the largest tensor of a step) are never kept: a block of rows is scored,
/// turned into the gradient in place, and used up at once. Autograd would write them five times.
///
/// # Shapes
/// `hidden_nd`, `embedding_vd`, `targets_n` (int64).
pub fn smoothed_cross_entropy(
    hidden_nd: &Tensor,
    embedding_vd: &Tensor,
    targets_n: &Tensor,
    smoothing: f64,
    normalizer: f64,
) -> SmoothedLoss {
    let (hidden, embedding) = (hidden_nd.detach(), embedding_vd.detach());
    let (rows, vocabulary) = (hidden.size()[0], embedding.size()[0]);
    let block = (CELLS / vocabulary).clamp(1, rows.max(1));
    let options = (Kind::Float, hidden.device());
    let (mut loss, mut nll) = (Tensor::zeros([], options), Tensor::zeros([], options));
    let mut embedding_gradient = embedding.zeros_like();
    let mut hidden_gradients = Vec::new();
    let share = smoothing / vocabulary as f64;
    tch::no_grad(|| {
        let mut start = 0;
        while start < rows {
            let length = block.min(rows - start);
            let part = hidden.narrow(0, start, length);
            let targets = targets_n.narrow(0, start, length).unsqueeze(1);
            let mut scores = part.mm(&embedding.tr());
            let normalizers = scores.logsumexp([1], true);
            let chosen = scores.gather(1, &targets, false);
            let missed = (&normalizers - chosen).sum(Kind::Float);
            nll += &missed;
            loss += if smoothing > 0.0 {
                // Σ over the vocabulary of −log p, without writing the log p
                let everywhere = (&normalizers * vocabulary as f64).sum(Kind::Float) - scores.sum(Kind::Float);
                missed * (1.0 - smoothing) + everywhere * share
            } else {
                missed
            };
            let _ = scores.g_sub_(&normalizers).exp_();
            if share > 0.0 {
                let _ = scores.g_sub_scalar_(share);
            }
            let ones = Tensor::full([length, 1], -(1.0 - smoothing), options);
            let _ = scores.scatter_add_(1, &targets, &ones);
            hidden_gradients.push(scores.mm(&embedding));
            let _ = embedding_gradient.addmm_(&scores.tr(), &part);
            start += length;
        }
    });
    let hidden_gradient = Tensor::cat(&hidden_gradients, 0);
    // linear in both, so that its gradients are the ones worked out above
    let graph = ((hidden_nd * hidden_gradient).sum(Kind::Float) + (embedding_vd * embedding_gradient).sum(Kind::Float))
        / normalizer;
    SmoothedLoss { graph, loss: loss / normalizer, nll: nll / normalizer }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Reduction};

    use super::*;

    #[test]
    fn loss_and_gradients_are_those_of_pytorch() {
        let options = (Kind::Float, Device::Cpu);
        tch::manual_seed(5);
        // more than one block: 2^20 / 3000 is 349
        let (rows, width, vocabulary) = (700, 8, 3000);
        for smoothing in [0.0, 0.1] {
            let make =
                |shape: [i64; 2], deviation: f64| (Tensor::randn(shape, options) * deviation).set_requires_grad(true);
            // the embedding as it starts: scores of 20 would already be rounded by more than we ask
            let (hidden, embedding) = (make([rows, width], 1.0), make([vocabulary, width], 0.35));
            let targets = Tensor::randint(vocabulary, [rows], (Kind::Int64, Device::Cpu));
            let expected = hidden.linear(&embedding, None::<&Tensor>).cross_entropy_loss(
                &targets,
                None::<&Tensor>,
                Reduction::Sum,
                -100,
                smoothing,
            ) / 7.0;
            expected.backward();
            let gradients = [hidden.grad().copy(), embedding.grad().copy()];
            let (mut zeroed, mut also) = (hidden.grad(), embedding.grad());
            let _ = (zeroed.zero_(), also.zero_());
            let found = smoothed_cross_entropy(&hidden, &embedding, &targets, smoothing, 7.0);
            found.graph.backward();
            let apart = |a: &Tensor, b: &Tensor| ((a - b).abs().max() / b.abs().max()).double_value(&[]);
            let relative = (found.loss - &expected).abs().double_value(&[]) / expected.double_value(&[]);
            assert!(relative < 1e-5, "{relative}");
            for (found, expected) in [(hidden.grad(), &gradients[0]), (embedding.grad(), &gradients[1])] {
                let apart = apart(&found, expected);
                assert!(apart < 1e-5, "{apart}");
            }
        }
    }
}
