//! Running the folds of a group over the rows of all its parts.

use tessera_datasets::console::{Progress, Unit};
use tessera_datasets::manifest::StageCounts;
use tessera_datasets::{Error, Result, files};

use super::group::GroupRun;
use crate::artifacts::Artifacts;
use crate::parallel;
use crate::plan::Step;
use crate::stage::{AnyFold, AnyState, FoldStart, Pass};

/// What says that the folds of a group are done.
const NOTE: &str = "folds.json";
/// Where folds put what does not fit into memory.
const SCRATCH: &str = "scratch";

pub(super) fn run_all(folds: &[Step<Box<dyn AnyFold>>], group: &mut GroupRun, artifacts: &mut Artifacts) -> Result<()> {
    let rows = group.rows();
    let counts = |fold: &Step<_>| StageCounts {
        stage: fold.name.to_owned(),
        rows_in: rows,
        rows_out: rows,
        ..StageCounts::default()
    };
    group.stages.extend(folds.iter().map(counts));
    let note = group.dir.join(NOTE);
    if folds.is_empty() || artifacts.recall(&note)? {
        return Ok(());
    }
    for fold in folds {
        files::remove_dir(group.dir.join(SCRATCH))?;
        run(fold, group, artifacts)?;
    }
    files::remove_dir(group.dir.join(SCRATCH))?;
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
    let at = |part| FoldStart {
        schema: &group.schema,
        artifacts,
        part,
        pass,
        scratch: group.dir.join(SCRATCH).join(format!("{pass}-{part:05}")),
    };
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arrow::array::RecordBatch;
    use tessera_datasets::schema::{Kind, text};

    use super::super::part::{PartRecord, PartWriter};
    use super::*;
    use crate::rejects::Rejects;
    use crate::rows::tests::origin;
    use crate::rows::{TextRows, strings};
    use crate::stage::Fold;

    /// Notes all ids in the order in which they come; wants to see them three times, and finds what
    /// the pass before has made.
    struct Ids;

    impl Fold for Ids {
        type State = Vec<String>;

        fn check(&self, _: Kind) -> Result<()> {
            Ok(())
        }

        fn provides(&self, _: Kind) -> Vec<String> {
            vec!["ids.txt".to_owned()]
        }

        fn start(&self, at: &FoldStart<'_>) -> Result<Self::State> {
            assert_eq!(at.artifacts.path("ids.txt").is_ok(), at.pass > 0);
            fs_err::create_dir_all(&at.scratch)?;
            Ok(vec![format!("part {}", at.part)])
        }

        fn add(&self, state: &mut Self::State, batch: &RecordBatch) -> Result<()> {
            state.extend(strings(batch, "id")?.iter().flatten().map(str::to_owned));
            Ok(())
        }

        fn merge(&self, first: Self::State, second: Self::State) -> Result<Self::State> {
            Ok([first, second].concat())
        }

        fn finish(&self, state: Self::State, pass: u32, artifacts: &mut Artifacts) -> Result<Pass> {
            artifacts.write("ids.txt", format!("pass {pass}: {}", state.join(", ")).as_bytes())?;
            Ok(if pass < 2 { Pass::Again } else { Pass::Done })
        }
    }

    fn group(dir: &std::path::Path) -> GroupRun {
        let parts = (0..5).map(|part| {
            let mut rows = TextRows::default();
            rows.push("x", &origin("train", &format!("{part}a")));
            rows.push("x", &origin("train", &format!("{part}b")));
            let schema = text();
            let mut writer = PartWriter::new(dir, part, &schema);
            writer.write(&rows.finish().unwrap()).unwrap();
            PartRecord { stages: Vec::new(), rejected: BTreeMap::new(), splits: writer.finish().unwrap() }
        });
        let parts = parts.collect();
        GroupRun { dir: dir.to_path_buf(), schema: text(), parts, stages: Vec::new(), rejects: Rejects::new() }
    }

    #[test]
    fn states_are_merged_in_order_pass_after_pass_and_only_once() {
        for threads in [1, 2, 3] {
            let dir = tempfile::tempdir().unwrap();
            let mut group = group(dir.path());
            let mut artifacts = Artifacts::new(dir.path().join("files"));
            let folds: Vec<Step<Box<dyn AnyFold>>> =
                vec![Step { name: "ids", table: String::new(), number: 1, stage: Box::new(Ids) }];
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| run_all(&folds, &mut group, &mut artifacts)).unwrap();
            let ids = fs_err::read_to_string(artifacts.path("ids.txt").unwrap()).unwrap();
            assert_eq!(ids, "pass 2: part 0, 0a, 0b, part 1, 1a, 1b, part 2, 2a, 2b, part 3, 3a, 3b, part 4, 4a, 4b");
            assert!(!dir.path().join(SCRATCH).exists());
            assert_eq!((group.stages[0].rows_in, group.stages[0].rows_out), (10, 10));

            // a second run takes what the first one made, and reads no row
            for part in &group.parts {
                fs_err::remove_file(dir.path().join(&part.splits["train"][0].path)).unwrap();
            }
            let mut again = Artifacts::new(dir.path().join("files"));
            run_all(&folds, &mut group, &mut again).unwrap();
            assert!(again.path("ids.txt").is_ok());
        }
    }
}
