//! The program `tessera-pipeline`.

mod commands;
mod summary;

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tessera_datasets::config::RunConfig;
use tessera_datasets::pose::formats::Format;
use tessera_datasets::{Error, Result, console};

/// Raw files to Parquet shards: the first third of Tessera.
///
/// A config describes a run from raw data to report; this program reads its `[data]` and
/// `[[pipeline.stage]]` tables and makes a dataset: a folder of Parquet shards with a manifest, a
/// data card, and the tokenizer and statistics that were learned from it. `datasets`, DuckDB,
/// polars and pyarrow open it as it is.
#[derive(Debug, Parser)]
#[command(name = "tessera-pipeline", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the dataset of a config
    ///
    /// Killed at any moment, the same command goes on from there and gives the same bytes. Where
    /// the dataset is there already, made from the same config and files, nothing is done.
    #[command(
        after_help = "Example:\n  tessera-pipeline run configs/tiny/text.toml --set pipeline.stage.0.scenes=1000"
    )]
    Run(RunArgs),
    /// Check a config, and that its raw files are there, without making anything
    #[command(after_help = "Example:\n  tessera-pipeline check configs/tiny/text.toml")]
    Check(ConfigArgs),
    /// Check every file of a dataset against the hashes in its manifest
    #[command(after_help = "Example:\n  tessera-pipeline verify data/tiny-text")]
    Verify {
        /// The folder of a dataset
        dir: PathBuf,
    },
    /// Show the first rows of a dataset and what its columns hold
    #[command(
        after_help = "Long values are cut; POLARS_FMT_STR_LEN=200 shows more of them.\n\nExample:\n  tessera-pipeline show data/tiny-text --split validation --rows 3"
    )]
    Show {
        /// The folder of a dataset
        dir: PathBuf,
        /// The split; the first one where none is named
        #[arg(long)]
        split: Option<String>,
        /// How many rows
        #[arg(long, default_value_t = 5)]
        rows: usize,
    },
    /// Write the recordings of a dataset of poses back to the files of other programs
    ///
    /// A file for each subject, with the frames of all splits in the order of time. Reading it again
    /// gives the same numbers.
    #[command(after_help = "Example:\n  tessera-pipeline export-poses data/rat23 --format cvkit3d --output exported")]
    ExportPoses(ExportArgs),
    /// List the stages that a pipeline can have
    #[command(after_help = "Example:\n  tessera-pipeline list")]
    List,
    /// List the cards: the data sets that `[data]` can name
    #[command(after_help = "Example:\n  tessera-pipeline cards")]
    Cards,
    /// Download the files of a card, once for this machine
    ///
    /// The files go to `data` in the cache: TESSERA_CACHE, else `tessera` in XDG_CACHE_HOME or
    /// ~/.cache. What is there already and whole is not fetched again. Needs the program `curl`.
    #[command(after_help = "Example:\n  tessera-pipeline fetch tiny-shakespeare")]
    Fetch {
        /// The name of a card
        card: String,
    },
}

#[derive(Debug, Args)]
struct ConfigArgs {
    /// The config, a TOML file
    config: PathBuf,
    /// Override a value of the config; can be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

#[derive(Debug, Args)]
struct ExportArgs {
    /// The folder of a dataset of kind pose
    dir: PathBuf,
    /// How the files are laid out: flattened, cvkit3d or deeplabcut
    #[arg(long, value_parser = format)]
    format: Format,
    /// The folder for the files
    #[arg(long)]
    output: PathBuf,
    /// One split; all of them where none is named
    #[arg(long)]
    split: Option<String>,
    /// Compress the files with gzip
    #[arg(long)]
    gzip: bool,
    /// Overwrite files that are there
    #[arg(long)]
    replace: bool,
}

fn format(name: &str) -> Result<Format, String> {
    let known = Format::ALL.iter().find(|format| format.name() == name);
    known.copied().ok_or_else(|| format!("the formats are {}", Format::ALL.map(Format::name).join(", ")))
}

#[derive(Debug, Args)]
struct RunArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The folder above the dataset's
    #[arg(long, default_value = "data")]
    data_dir: PathBuf,
    /// How many parts are worked on at once; 0 is one for each core. The result is the same
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Throw a dataset away that was made from another config or other files
    #[arg(long)]
    replace: bool,
}

/// Runs the command line of this process.
///
/// # Errors
/// What the command failed with; usage errors are input errors.
pub fn main() -> Result<()> {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => {
            let help = error.render();
            let help = match std::io::stdout().is_terminal() {
                true => help.ansi().to_string(),
                false => help.to_string(),
            };
            console::print(help.trim_end());
            return Ok(());
        }
        Err(error) => return Err(usage(&error)),
    };
    match cli.command {
        Command::Run(args) => commands::run(&args),
        Command::Check(args) => commands::check(&args),
        Command::Verify { dir } => commands::verify(&dir),
        Command::Show { dir, split, rows } => commands::show(&dir, split.as_deref(), rows),
        Command::ExportPoses(args) => commands::export_poses(&args),
        Command::List => commands::list(),
        Command::Cards => commands::cards(),
        Command::Fetch { card } => commands::fetch(&card),
    }
}

/// clap's words as an error of ours: the first line is the message, the rest stays below it.
fn usage(error: &clap::Error) -> Error {
    let text = error.render().to_string();
    let text = text.trim().strip_prefix("error: ").unwrap_or(text.trim());
    Error::input(text.to_owned())
}

impl ConfigArgs {
    fn load(&self) -> Result<RunConfig> {
        RunConfig::load(&self.config, &self.overrides)
    }
}
