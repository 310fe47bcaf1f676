//! Learning rates over time.

use std::num::NonZeroU64;

use serde::Deserialize;

/// `[train.schedule]`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// Linear warm-up, then the same rate throughout.
    Constant {
        /// Steps of warm-up.
        #[serde(default)]
        warmup: u64,
    },
    /// Linear warm-up, then half a cosine down to `minimum` times the peak, as nanoGPT's `get_lr`:
    /// step `i` of the warm-up has `(i + 1) / (warmup + 1)` of the peak.
    Cosine {
        /// Steps of warm-up.
        #[serde(default)]
        warmup: u64,
        /// The last rate as a share of the peak.
        #[serde(default = "tenth")]
        minimum: f64,
        /// The step at which the minimum is reached; the last step where it is not given.
        decay_steps: Option<u64>,
    },
    /// Linear warm-up, then down with the square root of the step (Vaswani et al. 2017, section
    /// 5.3): the paper's rate `d^-0.5 · min(s^-0.5, s · warmup^-1.5)` has its peak
    /// `(d · warmup)^-0.5` at the end of the warm-up.
    InverseSquareRoot {
        /// Steps of warm-up.
        warmup: u64,
    },
    /// Linear warm-up, then `factor` times as much after every so many steps of the run, as
    /// PyTorch's `StepLR`.
    Step {
        /// Steps of warm-up.
        #[serde(default)]
        warmup: u64,
        /// Steps between two changes.
        every: NonZeroU64,
        /// What the rate is multiplied by.
        factor: f64,
    },
}

fn tenth() -> f64 {
    0.1
}

impl Default for Schedule {
    fn default() -> Self {
        Schedule::Constant { warmup: 0 }
    }
}

impl Schedule {
    /// The share of the peak rate at a step, counted from 0, of a run of `steps`.
    pub fn factor(&self, step: u64, steps: u64) -> f64 {
        match *self {
            Schedule::Constant { warmup } => warming(step, warmup).unwrap_or(1.0),
            Schedule::Cosine { warmup, minimum, decay_steps } => warming(step, warmup).unwrap_or_else(|| {
                let end = decay_steps.unwrap_or(steps);
                if step >= end {
                    return minimum;
                }
                let done = (step - warmup) as f64 / (end - warmup) as f64;
                minimum + (1.0 - minimum) * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }),
            Schedule::InverseSquareRoot { warmup } => {
                let (step, warmup) = ((step + 1) as f64, warmup.max(1) as f64);
                (step / warmup).min((warmup / step).sqrt())
            }
            Schedule::Step { warmup, every, factor } => {
                warming(step, warmup).unwrap_or_else(|| factor.powf((step / every) as f64))
            }
        }
    }
}

fn warming(step: u64, warmup: u64) -> Option<f64> {
    (step < warmup).then(|| (step + 1) as f64 / (warmup + 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_follows_nanogpt() {
        let schedule = Schedule::Cosine { warmup: 3, minimum: 0.1, decay_steps: None };
        // nanoGPT get_lr(it, learning_rate=3e-3, warmup_iters=3, lr_decay_iters=10, min_lr=3e-4),
        // run by train/tests/fixtures/make_gpt2_tiny.py
        let expected = [7.5e-4, 1.5e-3, 2.25e-3, 3e-3, 2.866_308e-3, 2.491_711e-3];
        for (step, rate) in expected.iter().enumerate() {
            let found = 3e-3 * schedule.factor(step as u64, 10);
            assert!((found - rate).abs() < 1e-8, "step {step}: {found} {rate}");
        }
        assert!((schedule.factor(10, 10) - 0.1).abs() < 1e-12);
    }

    #[test]
    fn inverse_square_root_is_the_papers() {
        let schedule = Schedule::InverseSquareRoot { warmup: 4000 };
        let (width, warmup) = (512_f64, 4000_f64);
        for step in [1_u64, 100, 3999, 4000, 4001, 100_000] {
            let s = step as f64;
            let paper = width.powf(-0.5) * s.powf(-0.5).min(s * warmup.powf(-1.5));
            let found = (width * warmup).powf(-0.5) * schedule.factor(step - 1, 100_000);
            assert!((found - paper).abs() < 1e-12, "step {step}: {found} {paper}");
        }
    }

    #[test]
    fn steps_are_pytorchs() {
        let schedule = Schedule::Step { warmup: 0, every: NonZeroU64::new(4).unwrap(), factor: 0.95 };
        // torch 2.11.0: StepLR(SGD(lr=1), step_size=4, gamma=0.95)
        for (step, rate) in [(0, 1.0), (3, 1.0), (4, 0.95), (7, 0.95), (8, 0.9025), (41, 0.598_736_939)] {
            assert!((schedule.factor(step, 50) - rate).abs() < 1e-9, "step {step}");
        }
    }

    #[test]
    fn a_warm_up_longer_than_the_run_is_no_fault() {
        let schedule = Schedule::Cosine { warmup: 100, minimum: 0.1, decay_steps: None };
        assert!(schedule.factor(150, 10).is_finite());
        assert!(Schedule::Constant { warmup: 4 }.factor(0, 10) > 0.0);
    }
}
