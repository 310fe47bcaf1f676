//! `tessera-eval`: scores and reports on the command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use serde_json::json;
use tessera_datasets::config::RunConfig;
use tessera_datasets::console::{print, run_main, say};
use tessera_datasets::manifest::MANIFEST;
use tessera_datasets::run_dir::RunDir;
use tessera_datasets::{Error, Result};
use tessera_eval::config::EvalConfig;
use tessera_eval::corpus;
use tessera_eval::metrics::METRICS;
use tessera_eval::number::{with_interval, within};
use tessera_eval::predictions::Predictions;
use tessera_eval::table::{self, Table};
use tessera_eval::{metric::Direction, report};

/// From predictions to scores, and from a run to a report.
#[derive(Parser)]
#[command(name = "tessera-eval", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the scores of a run, or of a folder of predictions.
    Score {
        /// A run, or a dataset of kind `predictions`.
        target: PathBuf,
        /// Take the `[eval]` part of this config instead of the run's own.
        #[arg(long, value_name = "CONFIG")]
        config: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        shared: Shared,
    },
    /// Write the report of a run: index.html, report.md and report.json.
    Report {
        /// The run that the report is about, and others to compare it with.
        #[arg(required = true, value_name = "RUN")]
        runs: Vec<PathBuf>,
        /// Write to this folder instead of `report` in the run.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Open the page in a browser.
        #[arg(long)]
        open: bool,
        #[command(flatten)]
        shared: Shared,
    },
    /// Score translations in files by BLEU, as sacrebleu does: `bleu REF… < HYP`.
    Bleu(Box<corpus::Arguments>),
    /// Score translations in files by chrF: `chrf REF… < HYP`.
    Chrf(Box<corpus::Arguments>),
    /// Score translations in files by TER: `ter REF… < HYP`.
    Ter(Box<corpus::Arguments>),
    /// List the metrics.
    List,
    /// Check the `[eval]` part of a config.
    Check {
        /// The config.
        config: PathBuf,
        #[command(flatten)]
        shared: Shared,
    },
}

#[derive(Args)]
struct Shared {
    /// Change a key of the config, such as `eval.bootstrap=0`. May be given many times.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Where runs lie that are given by name.
    #[arg(long, default_value = "runs", value_name = "DIR")]
    runs_dir: PathBuf,
}

fn main() -> ExitCode {
    run_main(|| match Arguments::try_parse_from(corpus::spelled_out(std::env::args_os())) {
        Ok(arguments) => arguments.command.run(),
        Err(error) => usage(&error),
    })
}

/// Help and version are results; everything else that clap says is a usage error.
fn usage(error: &clap::Error) -> Result<()> {
    if !error.use_stderr() {
        print(error.to_string().trim_end());
        return Ok(());
    }
    let text = error.to_string();
    let text = text.trim_end().trim_start_matches("error: ");
    Err(Error::input(text))
}

impl Command {
    fn run(self) -> Result<()> {
        match self {
            Self::Score { target, config, json, shared } => {
                score(&shared.find(target), config.as_deref(), json, &shared.set)
            }
            Self::Report { runs, out, open, shared } => {
                let runs: Vec<PathBuf> = runs.into_iter().map(|run| shared.find(run)).collect();
                make_report(&runs, out, open, &shared.set)
            }
            Self::Bleu(arguments) => corpus::run(corpus::Kind::Bleu, &arguments),
            Self::Chrf(arguments) => corpus::run(corpus::Kind::Chrf, &arguments),
            Self::Ter(arguments) => corpus::run(corpus::Kind::Ter, &arguments),
            Self::List => list(),
            Self::Check { config, shared } => check(&config, &shared.set),
        }
    }
}

impl Shared {
    /// A folder as given, or the run of that name.
    fn find(&self, given: PathBuf) -> PathBuf {
        let named = self.runs_dir.join(&given);
        match !given.exists() && named.is_dir() {
            true => named,
            false => given,
        }
    }
}

fn score(target: &Path, config: Option<&Path>, as_json: bool, set: &[String]) -> Result<()> {
    let given = config.map(|path| EvalConfig::of(&RunConfig::load(path, set)?)).transpose()?;
    let is_predictions = target.join(MANIFEST).is_file();
    if is_predictions && given.is_none() && !set.is_empty() {
        return Err(Error::input("`--set` changes a config, and a folder of predictions has none")
            .hint("name one with `--config CONFIG`"));
    }
    let (config, predictions) = match is_predictions {
        true => (given.unwrap_or_default(), Predictions::open(target)?),
        false => {
            let run = RunDir::open(target)?;
            let config = given.map_or_else(|| report::config_of(&run, set), Ok)?;
            let predictions = report::predictions_of(&run, &config.split)?;
            (config, predictions)
        }
    };
    let tallies = predictions.tallies_by(&config, &config.metrics_for(predictions.task())?)?;
    let scores = predictions.finish(&tallies, &config.bootstrap)?;
    if as_json {
        let value = json!({ "format": "tessera-scores", "version": 1, "split": predictions.split(), "scores": scores });
        print(serde_json::to_string_pretty(&value).map_err(|e| Error::internal(e.to_string()))?);
        return Ok(());
    }
    print(table::scores(&scores).plain());
    print("");
    scores.iter().for_each(|score| print(&score.signature));
    Ok(())
}

fn make_report(runs: &[PathBuf], out: Option<PathBuf>, open: bool, set: &[String]) -> Result<()> {
    let (run, others) = runs.split_first().ok_or_else(|| Error::internal("clap asks for a run"))?;
    let made = report::build(run, others, set)?;
    let page = report::write(&made, &out.unwrap_or_else(|| RunDir::new(run).report()))?;
    for warning in &made.warnings {
        say(format!("warning: {}: {}", warning.text, warning.hint));
    }
    let headline = &made.scores[0];
    let shown = with_interval(headline.value, headline.interval.as_ref(), &headline.unit);
    let interval = shown.interval.map_or_else(String::new, |(low, high)| format!(" (95 % interval {low} – {high})"));
    say(format!("{}: {} {}{interval}", made.name, within(&headline.label), shown.value));
    print(page.display().to_string());
    if open {
        open_page(&page);
    }
    Ok(())
}

/// Shows the page with what the system has for it. A report that cannot be shown is still written.
fn open_page(page: &Path) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    if let Err(error) = std::process::Command::new(program).arg(page).spawn() {
        say(format!("could not start `{program}` ({error}): open the page yourself"));
    }
}

fn list() -> Result<()> {
    let mut table = Table::new(&["metric", "", "task", "columns", "what it is"]);
    for entry in METRICS {
        let about = entry.about;
        let arrow = if about.direction == Direction::HigherIsBetter { "↑" } else { "↓" };
        let tasks: Vec<&str> = about.tasks.iter().map(|task| task.name).collect();
        table.line([about.kind, arrow, &tasks.join(", "), &about.columns.join(", "), about.summary]);
    }
    print(table.plain());
    Ok(())
}

fn check(path: &Path, set: &[String]) -> Result<()> {
    let config = EvalConfig::of(&RunConfig::load(path, set)?)?;
    let kinds: Vec<&str> = config.metrics.iter().map(|metric| metric.about().kind).collect();
    let metrics = match kinds.as_slice() {
        [] => "all metrics for the task".to_owned(),
        [headline] => format!("`{headline}`"),
        [headline, rest @ ..] => format!("`{headline}` (headline), {}", rest.join(", ")),
    };
    let bootstrap = match config.bootstrap.count {
        0 => "no intervals".to_owned(),
        n => format!("intervals from {n} replicates"),
    };
    print(format!("eval         split `{}`, {bootstrap}, {metrics}", config.split));
    Ok(())
}
