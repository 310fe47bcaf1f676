//! The options of `tessera-eval bleu`, `chrf` and `ter`, which are sacrebleu's.

use std::ffi::OsString;

use clap::{Args, ValueEnum};
use tessera_datasets::{Error, Result};

use super::evaluation::{AnyMeasure, Question};
use super::output::Style;
use crate::bootstrap::SEED;
use crate::metrics::bleu::{self, Bleu, Smoothing};
use crate::metrics::chrf::Chrf;
use crate::metrics::ter::Ter;
use crate::metrics::tokenize::Tokenizer;
use crate::significance::{Method, Resamples};

/// sacrebleu's name for the seed of its resamples.
const SEED_VARIABLE: &str = "SACREBLEU_SEED";

/// Options of more than one letter behind one dash, which sacrebleu has for some long ones.
const SHORT: [(&str, &str); 14] = [
    ("-nr", "--num-refs"),
    ("-sl", "--sentence-level"),
    ("-sv", "--smooth-value"),
    ("-tok", "--tokenize"),
    ("-lc", "--lowercase"),
    ("-cc", "--chrf-char-order"),
    ("-cw", "--chrf-word-order"),
    ("-ci", "--confidence"),
    ("-cin", "--confidence-n"),
    ("-par", "--paired-ar"),
    ("-pbs", "--paired-bs"),
    ("-parn", "--paired-ar-n"),
    ("-pbsn", "--paired-bs-n"),
    ("-sh", "--short"),
];

/// A metric over text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Kind {
    /// BLEU.
    Bleu,
    /// chrF, or chrF++ with `--chrf-word-order 2`.
    Chrf,
    /// TER.
    Ter,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Json,
    Text,
}

/// What the three commands take.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The references: one file for each translation of the test set, a sentence a line; plain,
    /// `.gz` or `.zst`.
    #[arg(required = true, value_name = "REF")]
    pub(super) references: Vec<String>,
    /// Read the hypotheses from files, one for each system, instead of from standard input.
    #[arg(short, long, num_args = 1.., value_name = "FILE")]
    pub(super) input: Vec<String>,
    /// Cut the one reference file at tabs into this many references.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(super) num_refs: usize,
    /// Compute these metrics.
    #[arg(short, long, num_args = 1.., value_enum, value_name = "METRIC")]
    metrics: Vec<Kind>,
    /// Score every sentence.
    #[arg(long)]
    pub(super) sentence_level: bool,
    #[command(flatten)]
    bleu: BleuArguments,
    #[command(flatten)]
    chrf: ChrfArguments,
    #[command(flatten)]
    ter: TerArguments,
    #[command(flatten)]
    tests: TestArguments,
    /// Print only scores.
    #[arg(short = 'b', long, help_heading = "Output")]
    score_only: bool,
    /// Digits after the point.
    #[arg(short, long, default_value_t = 1, value_name = "N", help_heading = "Output")]
    width: usize,
    /// JSON, or lines of text.
    #[arg(short, long, value_enum, default_value = "json", help_heading = "Output")]
    pub(super) format: Format,
    /// Shorten the signatures.
    #[arg(long, help_heading = "Output")]
    short: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "BLEU")]
struct BleuArguments {
    /// How text becomes tokens: 13a, intl, char, zh or none. [default: 13a]
    #[arg(long, value_name = "NAME")]
    tokenize: Option<Tokenizer>,
    /// What is done about n-gram orders without a match: exp, floor, add-k or none. [default: exp]
    #[arg(short, long, value_name = "NAME")]
    smooth_method: Option<bleu::Method>,
    /// The value of floor (0.1) or add-k (1).
    #[arg(long, value_name = "X")]
    smooth_value: Option<f64>,
    /// Take upper and lower case for the same.
    #[arg(long)]
    lowercase: bool,
    /// Do not warn about text that looks as if it had been tokenized.
    #[arg(long)]
    force: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "chrF")]
struct ChrfArguments {
    /// The longest n-grams of characters. [default: 6]
    #[arg(long, value_name = "N")]
    chrf_char_order: Option<usize>,
    /// The longest n-grams of words; 2 is chrF++. [default: 0]
    #[arg(long, value_name = "N")]
    chrf_word_order: Option<usize>,
    /// How many times recall weighs as much as precision. [default: 2]
    #[arg(long, value_name = "N")]
    chrf_beta: Option<u32>,
    /// Take spaces for characters.
    #[arg(long)]
    chrf_whitespace: bool,
    /// Take upper and lower case for the same.
    #[arg(long)]
    chrf_lowercase: bool,
    /// Average the F-scores of all orders, as chrF++.py, Moses and NLTK do.
    #[arg(long)]
    chrf_eps_smoothing: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "TER")]
struct TerArguments {
    /// Take upper and lower case for different.
    #[arg(long)]
    ter_case_sensitive: bool,
    /// With one of the next two: separate ideographs, or remove Chinese and Japanese punctuation.
    #[arg(long)]
    ter_asian_support: bool,
    /// Remove punctuation.
    #[arg(long)]
    ter_no_punct: bool,
    /// Separate punctuation and resolve the entities of XML.
    #[arg(long)]
    ter_normalized: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Significance")]
struct TestArguments {
    /// Give the interval of the score of one system, from resamples of its sentences.
    #[arg(long)]
    confidence: bool,
    /// Resamples of the interval.
    #[arg(long, default_value_t = 1000, value_name = "N")]
    confidence_n: usize,
    /// Test every system against the first by paired bootstrap.
    #[arg(long, conflicts_with_all = ["paired_ar", "confidence"])]
    paired_bs: bool,
    /// Resamples of the paired bootstrap.
    #[arg(long, default_value_t = 1000, value_name = "N")]
    paired_bs_n: usize,
    /// Test every system against the first by paired approximate randomisation.
    #[arg(long, conflicts_with = "confidence")]
    paired_ar: bool,
    /// Trials of the randomisation.
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    paired_ar_n: usize,
    /// The seed of all of them. [default: `SACREBLEU_SEED`, or 12345]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// Replaces sacrebleu's options of several letters behind one dash, where the command is one that
/// has them.
pub fn spelled_out(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let is_ours = arguments.get(1).is_some_and(|command| command == "bleu" || command == "chrf" || command == "ter");
    for argument in arguments.iter_mut().skip(2).filter(|_| is_ours) {
        if let Some((_, long)) = SHORT.iter().find(|(short, _)| argument == short) {
            *argument = (*long).into();
        }
    }
    arguments
}

impl Arguments {
    /// The metrics, sorted: those asked for, or that of the command.
    pub(super) fn kinds(&self, command: Kind) -> Vec<Kind> {
        let mut kinds = self.metrics.clone();
        if kinds.is_empty() {
            kinds.push(command);
        }
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// The metrics with their settings.
    ///
    /// # Errors
    /// When a setting cannot be, or is of a metric that is not asked for.
    pub(super) fn measures(&self, kinds: &[Kind]) -> Result<Vec<Box<dyn AnyMeasure>>> {
        self.refuse_unused(kinds)?;
        let measure = |kind: &Kind| -> Result<Box<dyn AnyMeasure>> {
            Ok(match kind {
                Kind::Bleu => Box::new(self.bleu.measure(self.sentence_level)?),
                Kind::Chrf => Box::new(self.chrf.measure()?),
                Kind::Ter => Box::new(self.ter.measure()),
            })
        };
        kinds.iter().map(measure).collect()
    }

    /// sacrebleu ignores options of metrics that are not computed, and one believes in vain that
    /// they did something.
    fn refuse_unused(&self, kinds: &[Kind]) -> Result<()> {
        let given = [
            (Kind::Bleu, "BLEU", self.bleu.given()),
            (Kind::Chrf, "chrF", self.chrf.given()),
            (Kind::Ter, "TER", self.ter.given()),
        ];
        for (kind, metric, option) in given {
            if let Some(option) = option.filter(|_| !kinds.contains(&kind)) {
                let error = Error::input(format!("`{option}` is for {metric}, which is not computed"));
                return Err(error.hint("`--metrics` names the metrics; each has options of its own, see `--help`"));
            }
        }
        Ok(())
    }

    /// What is asked for beside scores.
    ///
    /// # Errors
    /// When the seed of the environment is no number, or nothing is to be drawn.
    pub(super) fn question(&self) -> Result<Question> {
        let tests = &self.tests;
        let resamples = |count: usize| match count {
            0 | 1 => Err(Error::input("a test needs at least 2 resamples")),
            count => Ok(Resamples { count, seed: tests.seed()? }),
        };
        Ok(match () {
            () if tests.paired_bs => Question::Paired(Method::Bootstrap, resamples(tests.paired_bs_n)?),
            () if tests.paired_ar => Question::Paired(Method::Randomisation, resamples(tests.paired_ar_n)?),
            () if tests.confidence => Question::Confidence(resamples(tests.confidence_n)?),
            () => Question::Score,
        })
    }

    pub(super) fn style(&self) -> Style {
        Style { width: self.width, short: self.short, score_only: self.score_only }
    }

    /// Whether text that looks tokenized is to be reported.
    pub(super) fn warns(&self, kinds: &[Kind]) -> bool {
        kinds.contains(&Kind::Bleu) && !self.bleu.force
    }
}

impl BleuArguments {
    fn measure(&self, sentence_level: bool) -> Result<Bleu> {
        Ok(Bleu {
            tokenizer: self.tokenize.unwrap_or_default(),
            smoothing: Smoothing::new(self.smooth_method.unwrap_or_default(), self.smooth_value)?,
            lowercase: self.lowercase,
            effective_order: sentence_level,
            ..Bleu::default()
        })
    }

    fn given(&self) -> Option<&'static str> {
        match self {
            Self { tokenize: Some(_), .. } => Some("--tokenize"),
            Self { smooth_method: Some(_), .. } => Some("--smooth-method"),
            Self { smooth_value: Some(_), .. } => Some("--smooth-value"),
            Self { lowercase: true, .. } => Some("--lowercase"),
            _ => None,
        }
    }
}

impl ChrfArguments {
    fn measure(&self) -> Result<Chrf> {
        let usual = Chrf::default();
        let chrf = Chrf::new(
            self.chrf_char_order.unwrap_or(usual.char_order),
            self.chrf_word_order.unwrap_or(usual.word_order),
            self.chrf_beta.unwrap_or(usual.beta),
        )?;
        Ok(Chrf {
            lowercase: self.chrf_lowercase,
            whitespace: self.chrf_whitespace,
            epsilon_smoothing: self.chrf_eps_smoothing,
            ..chrf
        })
    }

    fn given(&self) -> Option<&'static str> {
        match self {
            Self { chrf_char_order: Some(_), .. } => Some("--chrf-char-order"),
            Self { chrf_word_order: Some(_), .. } => Some("--chrf-word-order"),
            Self { chrf_beta: Some(_), .. } => Some("--chrf-beta"),
            Self { chrf_whitespace: true, .. } => Some("--chrf-whitespace"),
            Self { chrf_lowercase: true, .. } => Some("--chrf-lowercase"),
            Self { chrf_eps_smoothing: true, .. } => Some("--chrf-eps-smoothing"),
            _ => None,
        }
    }
}

impl TerArguments {
    fn measure(&self) -> Ter {
        Ter {
            normalized: self.ter_normalized,
            no_punct: self.ter_no_punct,
            asian_support: self.ter_asian_support,
            case_sensitive: self.ter_case_sensitive,
        }
    }

    fn given(&self) -> Option<&'static str> {
        match self {
            Self { ter_case_sensitive: true, .. } => Some("--ter-case-sensitive"),
            Self { ter_asian_support: true, .. } => Some("--ter-asian-support"),
            Self { ter_no_punct: true, .. } => Some("--ter-no-punct"),
            Self { ter_normalized: true, .. } => Some("--ter-normalized"),
            _ => None,
        }
    }
}

impl TestArguments {
    fn seed(&self) -> Result<u64> {
        let Some(text) = std::env::var_os(SEED_VARIABLE).filter(|_| self.seed.is_none()) else {
            return Ok(self.seed.unwrap_or(SEED));
        };
        let text = text.to_string_lossy();
        text.parse().map_err(|_| {
            Error::input(format!("`{SEED_VARIABLE}` is `{text}`, not a whole number"))
                .hint("a score that others can check has a seed; `--seed` gives one too")
        })
    }
}
