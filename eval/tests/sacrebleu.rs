//! Every number that sacrebleu 2.6.0 (numpy 2) gives for six systems of newstest2017.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tessera_datasets::console::say;
use tessera_eval::corpus::{AnyMeasure, Corpus, Evaluated, Question, Stream, Text};
use tessera_eval::metric::Statistic;
use tessera_eval::metrics::bleu::{Bleu, BleuStatistic, Workspace};
use tessera_eval::metrics::chrf::Chrf;
use tessera_eval::metrics::ter::{self, Ter, TerStatistic};
use tessera_eval::metrics::tokenize::Tokenizer;
use tessera_eval::significance::{Method, Resamples};

const GOLDEN: &str = "golden/sacrebleu_wmt17.json";

/// The folder above `data/wmt17`, where there is one.
fn shared() -> Option<PathBuf> {
    let named = std::env::var_os("TESSERA_SHARED").map(PathBuf::from);
    let shared = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"));
    let is_there = shared.join(GOLDEN).is_file() && shared.join("data/wmt17/reference.de.gz").is_file();
    if !is_there {
        say("skipped: the outputs of newstest2017 are not here; set TESSERA_SHARED to the folder above `golden`");
    }
    is_there.then_some(shared)
}

struct Wmt17 {
    golden: Value,
    reference: Text,
    systems: Vec<Text>,
}

impl Wmt17 {
    /// The files, the systems in the order in which sacrebleu was given them.
    fn read() -> Option<Self> {
        let shared = shared()?;
        let golden: Value = serde_json::from_str(&fs::read_to_string(shared.join(GOLDEN)).unwrap()).unwrap();
        let text = |name: &str| Text::read(shared.join("data/wmt17").join(name).to_str().unwrap()).unwrap();
        let names = golden["systems"].as_object().unwrap().keys();
        let systems = names.map(|name| text(&format!("{name}.gz"))).collect();
        Some(Self { reference: text("reference.de.gz"), systems, golden })
    }

    fn corpus(&self) -> Corpus<'_> {
        Corpus::new(self.systems.iter().map(Stream::from).collect(), vec![Stream::from(&self.reference)]).unwrap()
    }

    /// What the file says of every system under a key.
    fn expected(&self, key: &str) -> Vec<&Value> {
        self.golden["systems"].as_object().unwrap().values().map(|system| &system[key]).collect()
    }
}

fn close(value: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((value - expected).abs() <= 1e-9, "{value} is not {expected}");
}

#[test]
fn bleu_with_every_tokenizer() {
    let Some(wmt17) = Wmt17::read() else { return };
    let corpus = wmt17.corpus();
    assert_eq!(corpus.sentences(&corpus.systems[0]).count() as u64, wmt17.golden["n_segments"].as_u64().unwrap());
    for tokenizer in Tokenizer::ALL {
        let bleu = Bleu { tokenizer, ..Bleu::default() };
        let expected = wmt17.expected(&format!("bleu_{tokenizer}"));
        let signature = bleu.evaluate(&corpus, Question::Score).unwrap().signature;
        let mut workspace = Workspace::default();
        for (system, expected) in corpus.systems.iter().zip(expected) {
            let mut total = BleuStatistic::default();
            for (hypothesis, references) in corpus.sentences(system) {
                total.merge(&bleu.segment(&mut workspace, hypothesis, references));
            }
            let score = bleu.score(&total);
            close(score.score, &expected["score"]);
            close(score.brevity_penalty, &expected["bp"]);
            assert_eq!(Value::from(score.matches), expected["counts"]);
            assert_eq!(Value::from(score.totals), expected["totals"]);
            assert_eq!(Value::from(score.hypothesis_length), expected["sys_len"]);
            assert_eq!(Value::from(score.reference_length), expected["ref_len"]);
            assert_eq!(expected["sig"], signature.of("").trim_start_matches('|'));
        }
    }
}

#[test]
fn scores_of_the_other_metrics() {
    let Some(wmt17) = Wmt17::read() else { return };
    let corpus = wmt17.corpus();
    let metrics: [(&str, Box<dyn AnyMeasure>); 3] = [
        ("bleu_13a_lc", Box::new(Bleu { lowercase: true, ..Bleu::default() })),
        ("chrf_w0", Box::new(Chrf::default())),
        ("chrf_w2", Box::new(Chrf { word_order: 2, ..Chrf::default() })),
    ];
    for (key, metric) in metrics {
        let found = metric.evaluate(&corpus, Question::Score).unwrap().systems;
        found.iter().zip(wmt17.expected(key)).for_each(|(found, expected)| close(found.score, expected));
    }
}

#[test]
fn ter_edit_for_edit() {
    let Some(wmt17) = Wmt17::read() else { return };
    let corpus = wmt17.corpus();
    let (ter, mut workspace) = (Ter::default(), ter::Workspace::default());
    // sacrebleu takes ten seconds for a system, and was asked about three
    let known = corpus.systems.iter().zip(wmt17.expected("ter")).filter(|(_, expected)| !expected.is_null());
    assert_eq!(known.clone().count(), 3);
    for (system, expected) in known {
        let mut total = TerStatistic::default();
        for (hypothesis, references) in corpus.sentences(system) {
            total.merge(&ter.segment(&mut workspace, hypothesis, references));
        }
        close(ter.score(&total), &expected["score"]);
        assert_eq!(Value::from(total.edits), expected["edits"]);
        assert_eq!(Value::from(total.reference_words()), expected["ref_len"]);
    }
    let signature = ter.evaluate(&corpus, Question::Score).unwrap().signature.of("ter");
    assert_eq!(signature, "ter|nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:2.6.0");
}

#[test]
fn paired_tests() {
    let Some(wmt17) = Wmt17::read() else { return };
    let corpus = wmt17.corpus();
    for (key, method) in [("paired_bs", Method::Bootstrap), ("paired_ar", Method::Randomisation)] {
        let question = Question::Paired(method, Resamples::usual(method));
        let found = Bleu::default().evaluate(&corpus, question).unwrap().systems;
        for (found, expected) in found.iter().zip(wmt17.expected(key)) {
            let Evaluated { score, estimate, p_value, .. } = found;
            close(*score, &expected["score"]);
            // the same draws and the same arithmetic: not only near
            assert_eq!(p_value.map_or(Value::Null, Value::from), expected["p"]);
            match estimate {
                None => assert!(expected["mean"].is_null() && expected["ci"].is_null()),
                Some(estimate) => {
                    close(estimate.mean, &expected["mean"]);
                    close(estimate.half_width, &expected["ci"]);
                }
            }
        }
    }
}
