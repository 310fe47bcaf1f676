//! The command line.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tessera_datasets::config::RunConfig;
use tessera_datasets::console::print;
use tessera_datasets::pose::Skeleton;
use tessera_datasets::pose::formats::Format as Layout;
use tessera_datasets::run_dir::RunDir;
use tessera_datasets::{Error, Result};

use crate::checkpoint::Weights;
use crate::device::{check_libtorch, doctor, parse_device};
use crate::export::{Format, export};
use crate::models::MODELS;
use crate::optimise_files::{Recordings, optimise_files, read_as};
use crate::run::{Setup, Which, check, open_trained, run_fit};
use crate::task::{Generate, Optimise, Predict};
use crate::translate_lines::translate_lines;

/// Trains models on the shards that tessera-pipeline made.
#[derive(Debug, Parser)]
#[command(name = "tessera-train", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train the model of a config; a run that was stopped goes on
    ///
    /// Example: tessera-train fit configs/lm/gpt-shakespeare.toml --set train.steps=500
    Fit {
        /// The config
        config: PathBuf,
        #[command(flatten)]
        overrides: Overrides,
        #[command(flatten)]
        place: Place,
        /// Start anew although the run exists
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        device: DeviceArgs,
    },
    /// Go on with a run that was stopped
    ///
    /// Example: tessera-train resume runs/gpt-shakespeare
    Resume {
        /// The run's folder
        run: PathBuf,
        /// The dataset, if it has moved
        #[arg(long)]
        dataset: Option<PathBuf>,
        #[command(flatten)]
        device: DeviceArgs,
    },
    /// Write a run's predictions for a split, for tessera-eval
    ///
    /// Example: tessera-train predict runs/gpt-shakespeare --split validation --explain 4
    Predict {
        #[command(flatten)]
        trained: TrainedArgs,
        /// The split; the one of `[eval]` where it is not given
        #[arg(long)]
        split: Option<String>,
        /// For how many rows to write what only the model can show
        #[arg(long, default_value_t = 4)]
        explain: usize,
        /// Tokens between two windows of a language model; the context where it is not given
        #[arg(long)]
        stride: Option<usize>,
        #[command(flatten)]
        decode: DecodeArgs,
    },
    /// Translate sentences, one per line, from standard input to standard output
    ///
    /// Example: echo "A dog runs." | tessera-train translate runs/transformer-multi30k
    Translate {
        #[command(flatten)]
        trained: TrainedArgs,
        #[command(flatten)]
        decode: DecodeArgs,
        /// Write `line ||| translation ||| log-probability ||| score`, one line per hypothesis
        #[arg(long)]
        scores: bool,
        /// Lines that are read before any is translated; 1 where the input is a terminal
        #[arg(long, default_value_t = 1024)]
        lines: usize,
    },
    /// Optimise recordings of 3D keypoints: gaps are filled, noise and jumps smoothed
    ///
    /// Each file is written to the output folder under its name and in its format.
    ///
    /// Example: tessera-train optimise runs/rat23 recordings/*.csv --output optimised/
    Optimise {
        #[command(flatten)]
        trained: TrainedArgs,
        /// The recordings: flattened, CVKit3D or DeepLabCut, plain or .gz
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The folder to write into
        #[arg(long)]
        output: PathBuf,
        /// A skeleton card whose `scale` brings the files into the model's unit
        #[arg(long)]
        skeleton: Option<PathBuf>,
        /// `flattened`, `cvkit3d` or `deeplabcut` [default: as the header says]
        #[arg(long)]
        format: Option<PoseFormat>,
        /// Only fill what is missing; known keypoints stay where they are
        #[arg(long)]
        only_missing: bool,
        /// Frames that two windows share [default: half a window]
        #[arg(long)]
        overlap: Option<usize>,
        /// Least shares of known keypoints, pass by pass: first windows that are well known, then
        /// others, in which what the first have found is known, such as `0.7,0.5,0`
        #[arg(long, value_delimiter = ',')]
        occupancy: Vec<f64>,
    },
    /// Let a language model continue a prompt
    ///
    /// Example: tessera-train generate runs/gpt-shakespeare --prompt "ROMEO:" --temperature 0.8
    Generate {
        #[command(flatten)]
        trained: TrainedArgs,
        /// What to continue
        #[arg(long, default_value = "\n", hide_default_value = true)]
        prompt: String,
        /// Tokens to add at most
        #[arg(long, default_value_t = 300)]
        tokens: usize,
        /// 0 takes the most probable token, 1 samples from the model's own distribution
        #[arg(long, default_value_t = 0.8)]
        temperature: f64,
        /// Only the k most probable tokens; 0 for all
        #[arg(long, default_value_t = 0)]
        top_k: usize,
        /// Only the most probable tokens that together reach this probability
        #[arg(long, default_value_t = 1.0)]
        top_p: f64,
        /// The seed of the first text
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// How many texts, each with the next seed
        #[arg(long, default_value_t = 1)]
        count: u64,
    },
    /// Write a run's model as timm or Hugging Face open it
    ///
    /// Example: tessera-train export runs/vit-cifar10 --format timm --output vit-cifar10
    Export {
        #[command(flatten)]
        trained: TrainedArgs,
        /// `timm` or `huggingface`
        #[arg(long)]
        format: Format,
        /// The folder to write `model.safetensors` and `config.json` into
        #[arg(long)]
        output: PathBuf,
    },
    /// Check a config's `[train]` without data, and print the run's name where there is one
    Check {
        /// The config
        config: PathBuf,
        #[command(flatten)]
        overrides: Overrides,
    },
    /// List the models
    List,
    /// Say which libtorch, devices and threads there are
    Doctor,
}

#[derive(Debug, Args)]
struct Overrides {
    /// Override a value of the config, such as `train.steps=10`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

#[derive(Debug, Args)]
struct Place {
    /// The folder that holds datasets
    #[arg(long, default_value = "data")]
    data_dir: PathBuf,
    /// The folder that holds runs
    #[arg(long, default_value = "runs")]
    runs_dir: PathBuf,
}

#[derive(Debug, Args)]
struct DeviceArgs {
    /// `auto`, `cpu`, `cuda` or `cuda:N`
    #[arg(long, default_value = "auto")]
    device: String,
}

#[derive(Debug, Args)]
struct TrainedArgs {
    /// The run's folder
    run: PathBuf,
    /// `best`, `last`, `average` or a step
    #[arg(long, default_value = "best")]
    checkpoint: Which,
    /// The weights as the optimiser left them, of a run that keeps their moving average
    #[arg(long)]
    raw: bool,
    /// The dataset, if it has moved
    #[arg(long)]
    dataset: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArgs,
}

#[derive(Debug, Args)]
struct DecodeArgs {
    /// Hypotheses kept per sentence; 1 is greedy [default: the run's]
    #[arg(long)]
    beam: Option<usize>,
    /// Alpha in ((5 + length) / 6)^alpha, which a log-probability is divided by [default: the run's]
    #[arg(long)]
    length_penalty: Option<f64>,
    /// How many hypotheses to write, best first [default: the run's]
    #[arg(long)]
    n_best: Option<usize>,
    /// A hypothesis may have so many tokens more than its source [default: the run's]
    #[arg(long)]
    extra_length: Option<usize>,
    /// Sentences that are translated side by side [default: the run's]
    #[arg(long)]
    sentences: Option<usize>,
}

/// A layout of recordings on the command line.
#[derive(Clone, Copy, Debug)]
struct PoseFormat(Layout);

impl std::str::FromStr for PoseFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Layout::ALL.into_iter().find(|format| format.name() == text);
        let known = || Layout::ALL.map(Layout::name).join("`, `");
        found.map(Self).ok_or_else(|| format!("`{text}` is none of `{}`", known()))
    }
}

impl DecodeArgs {
    /// As overrides of the run's config.
    fn overrides(&self) -> Vec<String> {
        let number = |key: &str, value: Option<usize>| value.map(|value| format!("train.decode.{key}={value}"));
        let mut out: Vec<String> = [
            number("beam", self.beam),
            number("n_best", self.n_best),
            number("extra_length", self.extra_length),
            number("batch", self.sentences),
        ]
        .into_iter()
        .flatten()
        .collect();
        out.extend(self.length_penalty.map(|value| format!("train.decode.length_penalty={value:?}")));
        out
    }
}

/// Parses the command line and runs the command.
///
/// # Errors
/// When the input, the config or the machine is wrong.
pub fn main() -> Result<()> {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => {
            // `--help | head` closes the pipe early, which is no fault
            let _ = error.print();
            return Ok(());
        }
        Err(error) => {
            let text = error.render().to_string();
            let text = text.trim_start_matches("error: ").trim_end();
            return Err(Error::input(text.to_owned()));
        }
    };
    match cli.command {
        Command::List => {
            for entry in MODELS {
                print(format!("{:<12} {}", entry.name, entry.summary));
            }
            Ok(())
        }
        Command::Doctor => {
            doctor();
            check_libtorch()
        }
        Command::Check { config, overrides } => {
            let config = RunConfig::load(config, &overrides.set)?;
            if config.has("train") {
                check(&config)?;
                print(&config.name);
            }
            Ok(())
        }
        Command::Fit { config, overrides, place, replace, device } => {
            let config = RunConfig::load(config, &overrides.set)?;
            check(&config)?;
            check_libtorch()?;
            let dataset = config.dataset_dir(&place.data_dir);
            let run = RunDir::new(place.runs_dir.join(&config.name));
            let setup = Setup::new(config, &dataset, parse_device(&device.device)?)?;
            run_fit(&setup, &run, replace, &command_line())
        }
        Command::Resume { run, dataset, device } => {
            check_libtorch()?;
            let run = RunDir::open(run)?;
            let provenance = run.provenance()?;
            let config = RunConfig::load(run.config_path(), &[])?;
            let dataset = dataset.unwrap_or_else(|| PathBuf::from(&provenance.dataset));
            let setup = Setup::new(config, &dataset, parse_device(&device.device)?)?;
            run_fit(&setup, &run, false, &provenance.command)
        }
        Command::Predict { trained, split, explain, stride, decode } => {
            predict(trained, split, explain, stride, &decode.overrides())
        }
        Command::Export { trained, format, output } => {
            let (_, found) = open(trained, &[])?;
            export(found.task.as_ref(), format, &output)
        }
        Command::Translate { trained, decode, scores, lines } => {
            let lines = if std::io::stdin().is_terminal() { 1 } else { lines.max(1) };
            let (_, mut found) = open(trained, &decode.overrides())?;
            translate_lines(found.task.as_mut(), std::io::stdin().lock(), lines, found.n_best, scores)
        }
        Command::Optimise { trained, files, output, skeleton, format, only_missing, overlap, occupancy } => {
            let mut found = open(trained, &[])?.1;
            let model = Skeleton::of_details(&found.task.details())
                .map_err(|_| Error::input("this model does not optimise poses"))?;
            let skeleton = skeleton.map_or(Ok(model.clone()), |card| read_as(&model, &card))?;
            let windows = Optimise { overlap, occupancy };
            let request = Recordings { files, output, format: format.map(|f| f.0), only_missing, windows };
            optimise_files(found.task.as_mut(), &skeleton, &request)
        }
        Command::Generate { trained, prompt, tokens, temperature, top_k, top_p, seed, count } => {
            let mut found = open(trained, &[])?.1;
            for index in 0..count {
                let request =
                    Generate { prompt: prompt.clone(), tokens, temperature, top_k, top_p, seed: seed + index };
                let sample = found.task.generate(&request)?;
                if count > 1 {
                    print(format!("--- seed {}", sample.seed));
                }
                print(format!("{}{}", sample.prompt, sample.text));
            }
            Ok(())
        }
    }
}

fn open(arguments: TrainedArgs, overrides: &[String]) -> Result<(RunDir, crate::run::Trained)> {
    check_libtorch()?;
    let run = RunDir::open(arguments.run)?;
    let device = parse_device(&arguments.device.device)?;
    let weights = if arguments.raw { Weights::Raw } else { Weights::Averaged };
    let trained = open_trained(&run, &arguments.checkpoint, weights, arguments.dataset, device, overrides)?;
    Ok((run, trained))
}

fn predict(
    arguments: TrainedArgs,
    split: Option<String>,
    explain: usize,
    stride: Option<usize>,
    overrides: &[String],
) -> Result<()> {
    let (run, mut trained) = open(arguments, overrides)?;
    let eval = trained.config.section("eval")?;
    let named = eval.table().get("split").and_then(|s| s.as_str()).map(str::to_owned);
    let request = Predict {
        run,
        run_name: trained.config.name.clone(),
        split: split.or(named).unwrap_or_else(|| "validation".to_owned()),
        step: trained.step,
        weights_sha256: trained.weights_sha256.clone(),
        averaged: trained.averaged,
        explain,
        stride,
        config: trained.config.resolved(),
    };
    trained.task.predict(&request)?;
    print(format!("{}", request.run.predictions(&request.split).display()));
    Ok(())
}

fn command_line() -> Vec<String> {
    let mut words = std::env::args();
    // the program's name, not its place on this machine
    words.next();
    std::iter::once("tessera-train".to_owned()).chain(words).collect()
}
