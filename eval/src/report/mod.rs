//! A run's report: one structure, shown as a page, as Markdown and as JSON.
//!
//! [`build`] makes the [`Report`]; [`write()`] writes `index.html`, `report.md` and `report.json`.
//! A section of its own (attention maps, thumbnails, captions) is a field of [`Report`], a builder
//! beside `language_model`, a template under `templates/` and a part of `markdown/`.

pub mod chart;
pub mod classification;
mod comparison;
mod curves;
mod data;
pub mod html;
mod json;
mod language_model;
pub mod markdown;
mod model;
pub mod pose;
mod provenance;
mod run;
pub mod translation;
mod verdict;
mod warnings;

use std::path::{Path, PathBuf};

use tessera_datasets::files::write_atomic;
use tessera_datasets::run_dir::RunDir;
use tessera_datasets::{Error, Result};

pub use classification::Classification;
pub use comparison::{Compared, Comparison};
pub use curves::{Curves, Series};
pub use data::{Data, Reason, SplitSize};
pub use language_model::{
    Candidate, Excerpt, Explained, Guess, Histogram, LanguageModel, Piece, Position, Stretch, Strip, Token,
};
pub use model::{Evaluated, FORMAT, FORMAT_VERSION, Fact, Report};
pub use pose::Poses;
pub use provenance::Origin;
pub use run::{ScoredRun, config_of, predictions_of};
pub use translation::Translation;
pub use warnings::Warning;

/// The report of a run, with others to compare it with.
///
/// All runs are scored by the `[eval]` part of the first one's config.
///
/// # Errors
/// When a run is given twice, is incomplete, or holds something it should not.
pub fn build(run: &Path, others: &[PathBuf], overrides: &[String]) -> Result<Report> {
    let dir = RunDir::open(run)?;
    let config = config_of(&dir, overrides)?;
    refuse_twice(run, others)?;
    let mut runs = vec![ScoredRun::read(run, &config, false)?];
    for other in others {
        runs.push(ScoredRun::read(other, &config, true)?);
    }
    let comparison = if others.is_empty() { None } else { Some(Comparison::of(&runs, &config.bootstrap)?) };
    report_of(runs.swap_remove(0), comparison)
}

fn report_of(run: ScoredRun, comparison: Option<Comparison>) -> Result<Report> {
    let manifest = run.predictions.manifest();
    let details = run.predictions.details();
    let best = run.dir.best()?;
    let checkpoint_sha256 = details.text("checkpoint_sha256").map(str::to_owned);
    let evaluated = Evaluated {
        is_average: warnings::is_average(&run.dir, checkpoint_sha256.as_deref())?,
        split: run.predictions.split().to_owned(),
        step: details.number("checkpoint_step"),
        checkpoint_sha256,
        predictions_sha256: manifest.sha256(),
        best_step: best.as_ref().map(|best| best.step),
        best_value: best.as_ref().map(|best| best.value),
        best_metric: best.map(|best| best.metric),
    };
    let mut report = Report {
        format: FORMAT,
        version: FORMAT_VERSION,
        program: format!("tessera {}", tessera_datasets::VERSION),
        name: run.provenance.name.clone(),
        task: run.predictions.task().to_owned(),
        model: run.provenance.task.clone(),
        evaluated,
        verdict: Vec::new(),
        warnings: Vec::new(),
        facts: Vec::new(),
        comparison,
        samples: run.dir.samples()?,
        data: Data::read(&run.provenance.dataset, &run.provenance.manifest_sha256)?,
        origin: Origin::read(&run.dir, &manifest.parents, &manifest.program)?,
        curves: run.curves,
        language_model: run.language_model,
        translation: run.translation,
        classification: run.classification,
        poses: run.poses,
        average: run.dir.average()?,
        scores: run.scores,
    };
    report.facts = verdict::facts(&report);
    report.verdict = verdict::verdict(&report);
    report.warnings = warnings::all(&report, &run.dir)?;
    Ok(report)
}

/// Writes the files (of images also `results.csv`, timm's table) and returns the path of the page.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(report: &Report, dir: &Path) -> Result<PathBuf> {
    let page = dir.join("index.html");
    write_atomic(dir.join("report.json"), &json(report)?)?;
    if let Some(table) = results(report) {
        write_atomic(dir.join("results.csv"), table.as_bytes())?;
    }
    write_atomic(dir.join("report.md"), markdown::render(report).as_bytes())?;
    write_atomic(&page, html::render(report)?.as_bytes())?;
    Ok(page)
}

/// timm's results file: a line for the run and for every other that classifies images, the best
/// first.
fn results(report: &Report) -> Option<String> {
    let own = &report.classification.as_ref()?.results;
    let mut lines: Vec<&classification::Results> = vec![own];
    lines.extend(report.comparison.iter().flat_map(|comparison| &comparison.results));
    lines.sort_by(|a, b| b.share().total_cmp(&a.share()));
    let lines = lines.into_iter().map(|line| line.line() + "\n");
    Some(format!("{}\n{}", classification::RESULTS_HEADER, lines.collect::<String>()))
}

/// The bytes of `report.json`.
///
/// # Errors
/// Never, unless the structure holds what JSON cannot: a fault of ours.
pub fn json(report: &Report) -> Result<Vec<u8>> {
    json::bytes(report)
}

fn refuse_twice(run: &Path, others: &[PathBuf]) -> Result<()> {
    let place = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let mut seen = vec![place(run)];
    for other in others {
        match seen.contains(&place(other)) {
            true => return Err(Error::input("the run is given twice").at(other)),
            false => seen.push(place(other)),
        }
    }
    Ok(())
}
