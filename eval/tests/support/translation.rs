//! A run that looks like one that learned to translate the built-in world from English to German.
//!
//! The translations are the references with mistakes drawn from a seed, the weights of attention
//! follow the places of the words; all of it is written with the writers that real runs use.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, StructArray, UInt32Array};
use arrow::datatypes::{DataType, Field};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::json;
use tessera_datasets::Result;
use tessera_datasets::hash::sha256;
use tessera_datasets::manifest::{MadeBy, Manifest, Parent, SourceFile, StageCounts};
use tessera_datasets::run_dir::RunDir;
use tessera_datasets::schema::{self, Kind, PROVENANCE};
use tessera_datasets::world::{Scene, SceneOptions, sentence};

use super::run::{Spec, write_checkpoint, write_curves, write_provenance};
use super::tables::{self, float_lists, string_lists, strings};

/// What to make.
#[derive(Clone, Debug)]
pub struct Speech {
    pub name: String,
    pub sentences: usize,
    /// The share of the words that the model gets wrong.
    pub mistakes: f64,
    pub layers: usize,
    pub heads: usize,
    pub explain: usize,
    pub seed: u64,
    pub eval: String,
    /// Rows that replace the first ones: source, references, hypothesis.
    pub given: Vec<(String, Vec<String>, String)>,
}

/// A row of the predictions.
#[derive(Clone, Debug)]
pub struct Translated {
    pub id: String,
    pub source: String,
    pub references: Vec<String>,
    pub hypothesis: String,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct MadeSpeech {
    pub run: RunDir,
    pub dataset: PathBuf,
    pub rows: Vec<Translated>,
}

impl Speech {
    pub fn tiny(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            sentences: 120,
            mistakes: 0.15,
            layers: 2,
            heads: 3,
            explain: 2,
            seed: 1,
            eval: "[eval]\nbootstrap = 100\n".to_owned(),
            given: Vec::new(),
        }
    }
}

/// Makes `data/<name>` and `runs/<name>` below `root`.
pub fn make(root: &Path, speech: &Speech) -> Result<MadeSpeech> {
    let rows = translate(speech);
    let dataset = root.join("data").join(&speech.name);
    let manifest = write_dataset(&dataset, speech, &rows)?;
    let run = RunDir::new(root.join("runs").join(&speech.name));
    let spec = Spec {
        eval: speech.eval.clone(),
        train_seconds: 412.0,
        parameters: 3_150_848,
        steps: 400,
        ..Spec::tiny(&speech.name)
    };
    let checkpoint = write_checkpoint(&run, &spec)?;
    write_predictions(&run, speech, &rows, &spec, &checkpoint, &manifest)?;
    write_explanations(&run, speech, &rows)?;
    write_curves(&run, &spec, 1.1 + 2.0 * speech.mistakes, 6.2)?;
    write_provenance(&run, &spec, &dataset, &manifest)?;
    let mut provenance = run.provenance()?;
    provenance.task = "transformer".to_owned();
    run.write_provenance(&provenance)?;
    Ok(MadeSpeech { run, dataset, rows })
}

fn translate(speech: &Speech) -> Vec<Translated> {
    let mut random = ChaCha8Rng::seed_from_u64(speech.seed);
    let pairs = (0..speech.sentences as u64).map(|i| sentence(&Scene::draw(7, i, &SceneOptions::default()), 0));
    let pairs: Vec<(String, String)> = pairs.map(|pair| (pair.english, pair.german)).collect();
    let vocabulary: Vec<&str> = pairs.iter().take(20).flat_map(|(_, german)| german.split(' ')).collect();
    let mut rows: Vec<Translated> = Vec::new();
    for (i, (source, reference)) in pairs.iter().enumerate() {
        let mut words: Vec<&str> = Vec::new();
        for word in reference.split(' ') {
            let chance = f64::from(random.next_u32()) / f64::from(u32::MAX);
            match (chance < speech.mistakes, random.next_u32() % 4) {
                (true, 0) => {}
                (true, 1) => words.extend([vocabulary[random.next_u32() as usize % vocabulary.len()], word]),
                (true, 2) if !words.is_empty() => words.insert(words.len() - 1, word),
                (true, _) => words.push(vocabulary[random.next_u32() as usize % vocabulary.len()]),
                (false, _) => words.push(word),
            }
        }
        rows.push(Translated {
            id: format!("validation-{i:06}"),
            source: source.clone(),
            references: vec![reference.clone()],
            hypothesis: words.join(" "),
        });
    }
    for (row, (source, references, hypothesis)) in rows.iter_mut().zip(&speech.given) {
        (row.source, row.references, row.hypothesis) = (source.clone(), references.clone(), hypothesis.clone());
    }
    rows
}

fn write_dataset(dir: &Path, speech: &Speech, rows: &[Translated]) -> Result<Manifest> {
    let schema = schema::translation(&["de", "en"]);
    let config = MadeBy { sha256: sha256(b"world"), toml: "[data]\ncard = \"world\"\n".to_owned() };
    let mut manifest = Manifest::new(&speech.name, Kind::Translation, config);
    let text = |of: fn(&Translated) -> &str| -> ArrayRef { strings(rows.iter().map(of)) };
    let fields = ["de", "en"].map(|language| Arc::new(Field::new(language, DataType::Utf8, true)));
    let first = |row: &Translated| -> String { row.references.first().cloned().unwrap_or_default() };
    let german: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(first)));
    let pairs = StructArray::from(vec![(fields[0].clone(), german), (fields[1].clone(), text(|row| &row.source))]);
    let mut columns: Vec<ArrayRef> = vec![Arc::new(pairs)];
    columns.extend(PROVENANCE.iter().map(|_| text(|row| &row.id)));
    let batch = RecordBatch::try_new(schema.arrow(), columns)?;
    manifest.splits.insert("validation".to_owned(), tables::publish(dir, "validation", &schema, &batch)?);
    let count = rows.len() as u64;
    (manifest.rows.read, manifest.rows.kept) = (count, count);
    manifest.rows.stages =
        vec![StageCounts { stage: "draw-world".to_owned(), rows_in: 0, rows_out: count, ..StageCounts::default() }];
    manifest.sources.push(SourceFile {
        path: "world".to_owned(),
        bytes: 0,
        sha256: sha256(b"world"),
        source: "world".to_owned(),
        license: "CC0-1.0".to_owned(),
    });
    manifest.details.insert("languages".to_owned(), json!(["de", "en"]));
    manifest.publish(dir)?;
    Ok(manifest)
}

fn write_predictions(
    run: &RunDir,
    speech: &Speech,
    rows: &[Translated],
    spec: &Spec,
    checkpoint: &str,
    dataset: &Manifest,
) -> Result<()> {
    let schema = schema::translation_predictions();
    let dir = run.predictions("validation");
    let tokens = |row: &Translated| row.references.first().map_or(1, |r| r.split(' ').count() as u32 + 1);
    let losses: Vec<Vec<f32>> =
        rows.iter().map(|row| (0..tokens(row)).map(|i| 0.2 + (i % 5) as f32 * 0.3).collect()).collect();
    let sums: Vec<f64> = losses.iter().map(|row| row.iter().map(|x| f64::from(*x)).sum()).collect();
    let scores: Float64Array = sums.iter().map(|sum| -sum / 4.0).collect();
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let hypothesis_tokens: Vec<Vec<String>> = rows.iter().map(|row| words(&row.hypothesis)).collect();
    let nbest: Vec<Vec<String>> = rows.iter().map(|row| vec![row.hypothesis.clone()]).collect();
    let bytes = |row: &Translated| row.references.first().map_or(0, |r| r.len() as u32);
    let references: Vec<&[String]> = rows.iter().map(|row| row.references.as_slice()).collect();
    let columns: Vec<ArrayRef> = vec![
        strings(rows.iter().map(|row| row.id.as_str())),
        strings(rows.iter().map(|row| row.source.as_str())),
        string_lists(references.into_iter()),
        strings(rows.iter().map(|row| row.hypothesis.as_str())),
        Arc::new(scores.clone()),
        Arc::new(sums.iter().map(|sum| -sum).collect::<Float64Array>()),
        string_lists(hypothesis_tokens.iter().map(Vec::as_slice)),
        float_lists(losses.iter().map(Vec::as_slice)),
        string_lists(nbest.iter().map(Vec::as_slice)),
        tables::double_lists(scores.values().iter().map(std::slice::from_ref)),
        Arc::new(rows.iter().map(tokens).collect::<UInt32Array>()),
        Arc::new(rows.iter().map(bytes).collect::<UInt32Array>()),
        Arc::new(sums.into_iter().collect::<Float64Array>()),
        Arc::new(rows.iter().map(|row| tokens(row) / 2).collect::<UInt32Array>()),
        float_lists(losses.iter().map(Vec::as_slice)),
    ];
    let batch = RecordBatch::try_new(schema.arrow(), columns)?;
    let mut manifest = Manifest::new(&speech.name, Kind::Predictions, dataset.config.clone());
    manifest.splits.insert("validation".to_owned(), tables::publish(&dir, "validation", &schema, &batch)?);
    let parent = |what: &str, sha256: &str| Parent {
        what: what.to_owned(),
        name: speech.name.clone(),
        sha256: sha256.to_owned(),
    };
    manifest.parents = vec![parent("run", checkpoint), parent("dataset", &dataset.sha256())];
    let details = json!({
        "task": "translation", "split": "validation", "source_language": "en", "target_language": "de",
        "beam": 4, "length_penalty": 0.6, "tokenizer_sha256": sha256(b"pieces"),
        "checkpoint_step": spec.steps, "checkpoint_sha256": checkpoint,
    });
    manifest.details = details.as_object().cloned().unwrap_or_default();
    manifest.publish(&dir)
}

fn write_explanations(run: &RunDir, speech: &Speech, rows: &[Translated]) -> Result<()> {
    let tokens = |text: &str| -> Vec<String> {
        let words =
            text.split(' ').enumerate().map(|(i, word)| if i == 0 { word.to_owned() } else { format!("·{word}") });
        words.chain(["</s>".to_owned()]).collect()
    };
    let mut arrays = Vec::new();
    let every = (rows.len() / speech.explain.max(1)).max(1);
    for row in rows.iter().step_by(every).take(speech.explain) {
        let (source, target) = (tokens(&row.source), tokens(&row.hypothesis));
        for (name, rows, columns) in [
            ("encoder-attention", &source, &source),
            ("decoder-attention", &target, &target),
            ("cross-attention", &target, &source),
        ] {
            let mut values = Vec::new();
            for head in 0..speech.layers * speech.heads {
                values.extend(weights(head, rows.len(), columns.len(), name == "decoder-attention"));
            }
            let shape = [speech.layers, speech.heads, rows.len(), columns.len()].map(|n| n as u32).to_vec();
            arrays.push(tables::Shaped {
                id: row.id.clone(),
                name: name.to_owned(),
                rows: rows.clone(),
                columns: columns.clone(),
                shape,
                values,
            });
        }
    }
    let schema = schema::explanations();
    let dir = run.explanations("validation");
    let made_by = MadeBy { sha256: String::new(), toml: String::new() };
    let mut manifest = Manifest::new(&speech.name, Kind::Explanations, made_by);
    let split = tables::publish(&dir, "validation", &schema, &tables::shaped(&schema, &arrays)?)?;
    manifest.splits.insert("validation".to_owned(), split);
    manifest.publish(&dir)
}

/// The weights of a head that looks before itself, at itself, behind itself, at the end, or around.
fn weights(head: usize, rows: usize, columns: usize, causal: bool) -> Vec<f32> {
    let mut values = Vec::with_capacity(rows * columns);
    for i in 0..rows {
        let along = i as f64 * columns as f64 / rows as f64;
        let wide = 0.35 + 0.4 * (head % 4) as f64;
        let logit = |j: usize| match head % 5 {
            4 => {
                if j + 1 == columns {
                    2.5
                } else {
                    0.0
                }
            }
            shift => -((j as f64 - along - shift as f64 + 1.0) / wide).powi(2),
        };
        let seen = if causal { i + 1 } else { columns };
        let highest = (0..seen).map(logit).fold(f64::NEG_INFINITY, f64::max);
        let exponents: Vec<f64> = (0..seen).map(|j| (logit(j) - highest).exp()).collect();
        let sum: f64 = exponents.iter().sum();
        values.extend((0..columns).map(|j| exponents.get(j).map_or(0.0, |x| (x / sum) as f32)));
    }
    values
}

/// A folder with one small run `runs/tiny` that translates.
pub struct TranslationPlace {
    pub dir: tempfile::TempDir,
    pub made: MadeSpeech,
}

impl TranslationPlace {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Speech)) -> Self {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let made = make_changed(dir.path(), "tiny", change);
        Self { dir, made }
    }

    /// Another run beside the first.
    pub fn add(&self, name: &str, change: impl FnOnce(&mut Speech)) -> MadeSpeech {
        make_changed(self.dir.path(), name, change)
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn report(&self, file: &str) -> String {
        fs_err::read_to_string(self.path().join("runs/tiny/report").join(file)).expect("the report was written")
    }
}

fn make_changed(root: &Path, name: &str, change: impl FnOnce(&mut Speech)) -> MadeSpeech {
    let mut speech = Speech::tiny(name);
    change(&mut speech);
    make(root, &speech).expect("a run can be made")
}
