//! The run itself: dataset, predictions, explanations, curves, samples.

use std::io::Write;
use std::path::{Path, PathBuf};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Map, json};
use tessera_datasets::hash::{sha256, sha256_file};
use tessera_datasets::manifest::{MadeBy, Manifest, Parent, RejectSample, Rejected, SourceFile, StageCounts};
use tessera_datasets::run_dir::{Best, MetricLine, Provenance, RUN_VERSION, RunDir, Sample};
use tessera_datasets::schema::{self, Kind};
use tessera_datasets::{Result, VERSION};

use super::ngram::Ngram;
use super::tables::{self, Candidates, Window};
use super::text::{Cut, Encoded, display, shapes};

/// What to make.
#[derive(Clone, Debug)]
pub struct Spec {
    pub name: String,
    pub text: String,
    pub cut: Cut,
    pub order: usize,
    pub context: usize,
    pub steps: u64,
    pub explain: usize,
    pub candidates: usize,
    pub prompt: String,
    pub sample_length: usize,
    /// Parameters that the run claims to have.
    pub parameters: u64,
    pub train_seconds: f64,
    pub eval: String,
}

impl Spec {
    pub fn tiny(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: shapes(400, 5),
            cut: Cut::Characters,
            order: 4,
            context: 32,
            steps: 60,
            explain: 3,
            candidates: 4,
            prompt: "the red ".to_owned(),
            sample_length: 60,
            parameters: 12_345,
            train_seconds: 12.5,
            eval: "[eval]\nbootstrap = 100\n".to_owned(),
        }
    }
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Made {
    pub dataset: PathBuf,
    pub run: RunDir,
    /// Sum of nll in nats, tokens, bytes, tokens guessed right, over all windows.
    pub totals: (f64, u64, u64, u64),
}

/// Makes `data/<name>` and `runs/<name>` below `root`.
pub fn make(root: &Path, spec: &Spec) -> Result<Made> {
    let encoded = spec.cut.encode(&spec.text);
    let wanted = spec.text.len() * 9 / 10;
    let mut bytes = 0;
    let cut = encoded.ids.iter().take_while(|id| {
        bytes += encoded.tokens[**id as usize].len();
        bytes <= wanted
    });
    let cut = cut.count();
    let (train, validation) = encoded.ids.split_at(cut);
    let model = Ngram::train(train, encoded.tokens.len(), spec.order);

    let dataset = root.join("data").join(&spec.name);
    let manifest = write_dataset(&dataset, spec, train, validation, &encoded)?;
    let run = RunDir::new(root.join("runs").join(&spec.name));
    let checkpoint = write_checkpoint(&run, spec)?;
    let windows = predict(&model, spec, &encoded, validation);
    write_predictions(&run, spec, &windows, &checkpoint, &manifest, encoded.tokens.len())?;
    write_explanations(&run, spec, &windows, &model, validation, &encoded)?;

    let nll: f64 = windows.iter().flat_map(|w| &w.token_nll).map(|x| f64::from(*x)).sum();
    let tokens: u64 = windows.iter().map(|w| w.token_nll.len() as u64).sum();
    write_curves(&run, spec, nll / tokens as f64, (encoded.tokens.len() as f64).ln())?;
    write_samples(&run, spec, &model, &encoded)?;
    write_provenance(&run, spec, &dataset, &manifest)?;
    let bytes = windows.iter().map(|w| u64::from(w.bytes)).sum();
    let correct = windows.iter().map(|w| u64::from(w.correct)).sum();
    Ok(Made { dataset, run, totals: (nll, tokens, bytes, correct) })
}

fn predict(model: &Ngram, spec: &Spec, encoded: &Encoded, validation: &[u32]) -> Vec<Window> {
    let mut windows = Vec::new();
    for (index, ids) in validation.chunks_exact(spec.context + 1).enumerate() {
        let mut correct = 0;
        let mut token_nll = Vec::with_capacity(spec.context);
        for end in 1..ids.len() {
            let probabilities = model.next(&ids[..end]);
            token_nll.push(-probabilities[ids[end] as usize].ln() as f32);
            correct += u32::from(Ngram::top(&probabilities, 1)[0] == ids[end]);
        }
        let text: String = ids[1..].iter().map(|id| encoded.tokens[*id as usize].as_str()).collect();
        windows.push(Window {
            id: format!("validation-{index:06}"),
            offset: (index * (spec.context + 1)) as u64 + 1,
            bytes: text.len() as u32,
            token_nll,
            correct,
            text,
        });
    }
    windows
}

fn write_dataset(dir: &Path, spec: &Spec, train: &[u32], validation: &[u32], encoded: &Encoded) -> Result<Manifest> {
    let schema = schema::tokens(encoded.tokens.len());
    let toml = format!("[data]\npaths = [\"{}.txt\"]\n", spec.name);
    let config = MadeBy { sha256: sha256(toml.as_bytes()), toml };
    let mut manifest = Manifest::new(&spec.name, Kind::Tokens, config);
    for (split, ids) in [("train", train), ("validation", validation)] {
        let batch = tables::tokens(&schema, ids, 2048, split)?;
        manifest.splits.insert(split.to_owned(), tables::publish(dir, split, &schema, &batch)?);
    }
    let lines = spec.text.lines().count() as u64;
    manifest.rows.read = lines + 3;
    manifest.rows.kept = lines;
    let sample = RejectSample {
        src: format!("{}.txt", spec.name),
        loc: "line 12".to_owned(),
        excerpt: "\u{fffd}\u{fffd} <b>not text</b>".to_owned(),
    };
    let rejected = Rejected { count: 3, samples: vec![sample] };
    manifest.rows.rejected.insert("not UTF-8".to_owned(), rejected);
    let kept = manifest.splits.values().map(|s| s.rows).sum();
    manifest.rows.stages =
        [("read-text", 0, lines), ("split", lines, lines), ("encode", lines, lines), ("pack", lines, kept)]
            .map(|(stage, rows_in, rows_out)| StageCounts {
                stage: stage.to_owned(),
                rows_in,
                rows_out,
                ..StageCounts::default()
            })
            .to_vec();
    manifest.sources.push(SourceFile {
        path: format!("{}.txt", spec.name),
        bytes: spec.text.len() as u64,
        sha256: sha256(spec.text.as_bytes()),
        source: spec.name.clone(),
        license: "CC0-1.0".to_owned(),
    });
    manifest.details.insert("vocabulary".to_owned(), json!(encoded.tokens.len()));
    manifest.details.insert("train_tokens".to_owned(), json!(train.len()));
    manifest.details.insert("validation_tokens".to_owned(), json!(validation.len()));
    manifest.publish(dir)?;
    Ok(manifest)
}

/// Writes a checkpoint and returns the hash of its weights.
pub fn write_checkpoint(run: &RunDir, spec: &Spec) -> Result<String> {
    let dir = run.checkpoint(spec.steps);
    fs_err::create_dir_all(&dir)?;
    fs_err::write(dir.join("model.safetensors"), format!("weights of {}", spec.name))?;
    fs_err::write(dir.join("state.json"), "{}")?;
    sha256_file(dir.join("model.safetensors"))
}

fn write_predictions(
    run: &RunDir,
    spec: &Spec,
    windows: &[Window],
    checkpoint: &str,
    dataset: &Manifest,
    vocabulary: usize,
) -> Result<()> {
    let schema = schema::language_model_predictions();
    let dir = run.predictions("validation");
    let mut manifest = Manifest::new(&spec.name, Kind::Predictions, dataset.config.clone());
    let split = tables::publish(&dir, "validation", &schema, &tables::predictions(&schema, windows)?)?;
    manifest.splits.insert("validation".to_owned(), split);
    let parent =
        |what: &str, sha256: &str| Parent { what: what.to_owned(), name: spec.name.clone(), sha256: sha256.to_owned() };
    manifest.parents = vec![parent("run", checkpoint), parent("dataset", &dataset.sha256())];
    let details = json!({
        "task": "language-model", "split": "validation", "context": spec.context, "stride": spec.context,
        "tokenizer_sha256": sha256(format!("{:?} {vocabulary}", spec.cut).as_bytes()), "vocabulary": vocabulary,
        "checkpoint_step": spec.steps, "checkpoint_sha256": checkpoint,
    });
    manifest.details = details.as_object().cloned().unwrap_or_default();
    manifest.publish(&dir)
}

fn write_explanations(
    run: &RunDir,
    spec: &Spec,
    windows: &[Window],
    model: &Ngram,
    validation: &[u32],
    encoded: &Encoded,
) -> Result<()> {
    let name = |id: &u32| display(&encoded.tokens[*id as usize]);
    let every = (windows.len() / spec.explain.max(1)).max(1);
    let chosen = windows.iter().zip(validation.chunks_exact(spec.context + 1)).step_by(every).take(spec.explain);
    let rows: Vec<Candidates> = chosen
        .map(|(window, ids)| {
            let mut row = Candidates {
                id: window.id.clone(),
                truth: ids[1..].iter().map(name).collect(),
                names: Vec::new(),
                probabilities: Vec::new(),
            };
            for end in 1..ids.len() {
                let probabilities = model.next(&ids[..end]);
                let top = Ngram::top(&probabilities, spec.candidates);
                row.names.extend(top.iter().map(name));
                row.probabilities.extend(top.iter().map(|id| probabilities[*id as usize] as f32));
            }
            row
        })
        .collect();
    let schema = schema::explanations();
    let dir = run.explanations("validation");
    let mut manifest =
        Manifest::new(&spec.name, Kind::Explanations, MadeBy { sha256: String::new(), toml: String::new() });
    let split = tables::publish(&dir, "validation", &schema, &tables::explanations(&schema, &rows)?)?;
    manifest.splits.insert("validation".to_owned(), split);
    manifest.publish(&dir)
}

pub fn write_curves(run: &RunDir, spec: &Spec, reached: f64, start: f64) -> Result<()> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut noise = || (random.next_u32() as f64 / 2_f64.powi(31) - 1.0) * 0.5;
    let mut out = Vec::new();
    let every = (spec.steps / 20).max(1);
    for step in 1..=spec.steps {
        let done = step as f64 / spec.steps as f64;
        let smooth = reached + (start - reached) * (0.75 * (-done * 40.0).exp() + 0.25 * (-done * 6.0).exp());
        let warm = (done * 20.0).min(1.0);
        let values = json!({
            "loss": smooth - 0.08 * done + 0.12 * noise(), "learning_rate": 1e-3 * warm * (0.55 + 0.45 * (done * std::f64::consts::PI).cos()),
            "gradient_norm": 0.4 + 1.8 * (-done * 25.0).exp() + 0.12 * noise(), "tokens_per_second": 21_000.0 + 1500.0 * noise(),
        });
        out.push(line(step, "train", &values));
        if step % every == 0 || step == spec.steps {
            let value = if step == spec.steps { reached } else { smooth + 0.01 * noise() };
            out.push(line(step, "validation", &json!({ "loss": value })));
        }
    }
    let mut file = fs_err::File::create(run.metrics_path())?;
    for line in &out {
        writeln!(file, "{}", serde_json::to_string(line).expect("a metric line is plain data"))?;
    }
    let best = Best { step: spec.steps, metric: "loss".to_owned(), value: reached };
    run.write_best(&best)
}

fn line(step: u64, split: &str, values: &serde_json::Value) -> MetricLine {
    MetricLine { step, split: split.to_owned(), values: values.as_object().cloned().unwrap_or_else(Map::new) }
}

fn write_samples(run: &RunDir, spec: &Spec, model: &Ngram, encoded: &Encoded) -> Result<()> {
    let known = |piece: &String| encoded.tokens.iter().position(|t| t == piece).map(|id| id as u32);
    let prompt: Vec<u32> = spec.cut.pieces(&spec.prompt).iter().filter_map(known).collect();
    let lines = [(1_u64, 0.7), (2, 0.9), (3, 1.1)].map(|(seed, temperature)| {
        let ids = model.sample(&prompt, spec.sample_length, seed, temperature);
        let sample = Sample {
            prompt: spec.prompt.clone(),
            text: ids.iter().map(|id| encoded.tokens[*id as usize].as_str()).collect(),
            seed,
            temperature,
            top_k: 0,
            top_p: 1.0,
        };
        serde_json::to_string(&sample).expect("a sample is plain data") + "\n"
    });
    Ok(fs_err::write(run.samples_path(), lines.concat())?)
}

pub fn write_provenance(run: &RunDir, spec: &Spec, dataset: &Path, manifest: &Manifest) -> Result<()> {
    let config = format!(
        "version = 1\nname = \"{}\"\nseed = 1337\n\n[data]\npaths = [\"{0}.txt\"]\nlicense = \"CC0-1.0\"\n\n[train]\nsteps = {}\nbatch = 12\n\n[train.model]\nkind = \"gpt\"\nlayers = 4\n\n{}",
        spec.name, spec.steps, spec.eval
    );
    fs_err::write(run.config_path(), &config)?;
    run.write_provenance(&Provenance {
        version: RUN_VERSION,
        name: spec.name.clone(),
        task: "gpt".to_owned(),
        program: format!("tessera {VERSION}"),
        revision: "3f9c1d27a60b".to_owned(),
        command: ["tessera-train", "fit", "configs/lm/a run.toml"].map(String::from).to_vec(),
        config_sha256: sha256(config.as_bytes()),
        seed: 1337,
        device: "cpu".to_owned(),
        threads: 2,
        precision: "float32".to_owned(),
        libtorch: "2.11.0".to_owned(),
        machine: "Linux 6.1 x86_64, AMD EPYC 7B13".to_owned(),
        dataset: dataset.to_string_lossy().into_owned(),
        manifest_sha256: manifest.sha256(),
        parameters: spec.parameters,
        reproducible: "yes".to_owned(),
        started: 1_767_225_599,
        train_seconds: spec.train_seconds,
        steps: spec.steps,
    })
}
