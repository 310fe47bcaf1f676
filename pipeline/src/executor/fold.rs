//! Running the folds of a group over the rows of all its parts.

use tessera_datasets::console::{Progress, Unit};
use tessera_datasets::manifest::StageCounts;
use tessera_datasets::{Error, Result};

use super::group::GroupRun;
use crate::artifacts::Artifacts;
use crate::parallel;
use crate::plan::Step;
use crate::stage::{AnyFold, AnyState, FoldStart, Pass};

/// What says that the folds of a group are done.
const NOTE: &str = "folds.json";

pub(super) fn run_all(folds: &[Step<Box<dyn AnyFold>>], group: &mut GroupRun, artifacts: &mut Artifacts) -> Result<()> {
    let rows = group.rows();
    let counts = |fold: &Step<_>| StageCounts { stage: fold.name.to_owned(), rows_in: rows, rows_out: rows };
    group.stages.extend(folds.iter().map(counts));
    let note = group.dir.join(NOTE);
    if folds.is_empty() || artifacts.recall(&note)? {
        return Ok(());
    }
    for fold in folds {
        run(fold, group, artifacts)?;
    }
    artifacts.remember(&note)
}

fn run(fold: &Step<Box<dyn AnyFold>>, group: &GroupRun, artifacts: &mut Artifacts) -> Result<()> {
    for pass in 0.. {
        let progress = Progress::new(fold.name, group.rows(), Unit::Count("rows"));
        let state = fold_parts(fold.stage.as_ref(), group, artifacts, pass, &progress)?;
        progress.finish("");
        if fold.stage.finish(state, pass, artifacts)? == Pass::Done {
            break;
        }
    }
    Ok(())
}

/// One state for each part, merged in the order of the parts. Only as many states as there are
/// threads, and one more, are in memory at once.
fn fold_parts(
    fold: &dyn AnyFold,
    group: &GroupRun,
    artifacts: &Artifacts,
    pass: u32,
    progress: &Progress,
) -> Result<AnyState> {
    let at = |part| FoldStart { schema: &group.schema, artifacts, part, pass };
    let one = |part: usize| {
        let mut state = fold.start(&at(part))?;
        group.parts[part].read(&group.dir, &group.schema, &mut |batch| {
            fold.add(&mut state, &batch)?;
            progress.advance(batch.num_rows() as u64, String::new);
            Ok(())
        })?;
        Ok(state)
    };
    let mut merged: Option<AnyState> = None;
    let parts = group.parts.len();
    let width = rayon::current_num_threads();
    for first in (0..parts).step_by(width) {
        for state in parallel::each(width.min(parts - first), |i| one(first + i))? {
            merged = Some(match merged {
                None => state,
                Some(before) => fold.merge(before, state)?,
            });
        }
    }
    merged.ok_or_else(|| Error::internal("a fold over no parts"))
}
