//! What each command does.

use std::path::Path;

use tessera_datasets::card::Card;
use tessera_datasets::config::RunConfig;
use tessera_datasets::console::{bytes, print, say, thousands};
use tessera_datasets::manifest::Manifest;
use tessera_datasets::shard::Dataset;
use tessera_datasets::{Error, Result};

use super::{ConfigArgs, ExportArgs, RunArgs, summary};
use crate::data_card::split_names;
use crate::executor::{self, Options, Outcome};
use crate::export_poses;
use crate::inputs::{InputFile, counted};
use crate::plan::Plan;
use crate::stages::STAGES;

pub(super) fn run(args: &RunArgs) -> Result<()> {
    let config = args.config.load()?;
    if let Some(dataset) = finished(&config)? {
        say(format!("nothing to do: `dataset` in `[data]` names `{}`, which is there", dataset.dir().display()));
        return Ok(());
    }
    let options = Options { data_root: args.data_dir.clone(), threads: args.threads, replace: args.replace };
    match executor::run(&config, &options)? {
        Outcome::Made(dir, manifest) => summary::print(&dir, &manifest),
        Outcome::UpToDate(dir, _) => print(format!("{} is up to date", dir.display())),
    }
    Ok(())
}

/// The dataset that `[data]` names, where it names one instead of raw files.
fn finished(config: &RunConfig) -> Result<Option<Dataset>> {
    let Some(dir) = &config.data.dataset else {
        return Ok(None);
    };
    if config.has("pipeline") {
        let pipeline = config.section("pipeline")?;
        return Err(pipeline
            .error("", "`dataset` in `[data]` is a finished dataset: no stage can follow")
            .hint("take `[[pipeline.stage]]` out, or name raw files with `paths`"));
    }
    Dataset::open(dir).map(Some)
}

pub(super) fn check(args: &ConfigArgs) -> Result<()> {
    let config = args.load()?;
    if let Some(dataset) = finished(&config)? {
        print(format!("{} is there", describe(dataset.manifest())));
        return Ok(());
    }
    let plan = Plan::of(&config)?;
    let source = plan.open_source()?;
    let files = source.inputs();
    let size: u64 = files.iter().map(|f: &InputFile| f.bytes).sum();
    let from = match files.len() {
        0 => String::new(),
        n => format!(" from {} of {}", counted(n as u64, "file"), bytes(size)),
    };
    let stages = plan.stage_names().join(" → ");
    let parts = counted(source.parts().len() as u64, "part");
    print(format!("{}: {stages}; {} in {parts}{from}", config.name, plan.kind));
    Ok(())
}

pub(super) fn verify(dir: &Path) -> Result<()> {
    let dataset = Dataset::open(dir)?;
    dataset.verify()?;
    let manifest = dataset.manifest();
    let files = manifest.shards().count() + manifest.files.len();
    print(format!("{}: {files} files are as they were published", describe(manifest)));
    Ok(())
}

fn describe(manifest: &Manifest) -> String {
    format!("{}, {} rows of kind {}", manifest.name, thousands(manifest.rows.kept), manifest.kind)
}

pub(super) fn show(dir: &Path, split: Option<&str>, rows: usize) -> Result<()> {
    let dataset = Dataset::open(dir)?;
    let manifest = dataset.manifest();
    let splits = split_names(manifest);
    let split = split.or(splits.first().copied()).ok_or_else(|| Error::input("the dataset has no splits").at(dir))?;
    let tables = crate::show::show(&dataset, split, rows)?;
    print(format!("{} · splits {}", describe(manifest), splits.join(", ")));
    print(format!("split {split}, {} rows", thousands(manifest.splits.get(split).map_or(0, |s| s.rows))));
    tables.iter().for_each(print);
    Ok(())
}

pub(super) fn export_poses(args: &ExportArgs) -> Result<()> {
    let options = export_poses::Options {
        format: args.format,
        split: args.split.as_deref(),
        gzip: args.gzip,
        replace: args.replace,
    };
    let written = export_poses::export(&Dataset::open(&args.dir)?, &args.output, &options)?;
    let (files, frames) = (counted(written.files, "recording"), counted(written.frames, "frame"));
    print(format!("{files} of {frames} as `{}` in {}", args.format, args.output.display()));
    Ok(())
}

pub(super) fn list() -> Result<()> {
    let width = STAGES.iter().map(|e| e.name.len()).max().unwrap_or(0);
    for entry in STAGES {
        print(format!("{:width$}  {}", entry.name, entry.summary));
    }
    Ok(())
}

pub(super) fn cards() -> Result<()> {
    for card in Card::all()? {
        let size: u64 = card.file.iter().map(|f| f.bytes).sum();
        let place = match (card.is_made(), card.locate()) {
            (true, _) => "made from a seed".to_owned(),
            (false, Ok(folder)) => format!("{}, in {}", bytes(size), folder.display()),
            (false, Err(_)) => format!("{}, not here: `tessera-pipeline fetch {}`", bytes(size), card.name),
        };
        print(format!("{:18} {:12} {} ({}; {place})", card.name, card.kind.name(), card.title, card.license));
    }
    Ok(())
}

pub(super) fn fetch(name: &str) -> Result<()> {
    let folder = crate::fetch::fetch(&Card::find(name)?)?;
    print(format!("card `{name}` is in {}", folder.display()));
    Ok(())
}
