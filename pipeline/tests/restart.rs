//! A kill at any moment costs work, never a byte of the result.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Folder, LANGUAGE_MODEL, tree, write_corpus};

/// What can be seen in a dataset's folder while it is made.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Seen {
    lock: bool,
    /// Parts that are done, in the first and in the second group.
    parts: [usize; 2],
    folds: bool,
    placing: bool,
    shards: usize,
    manifest: bool,
}

fn look(dir: &Path) -> Seen {
    let names = |dir: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect()
    };
    let work = dir.join(".work");
    let mut seen = Seen {
        lock: dir.join(".lock").exists(),
        placing: work.join("unpublished.json").exists(),
        shards: names(&dir.join("data")).len(),
        manifest: dir.join("manifest.json").exists(),
        ..Seen::default()
    };
    for group in names(&work) {
        let files = names(&work.join(&group));
        let done = files.iter().filter(|f| f.starts_with("part-") && f.ends_with(".json")).count();
        if let Some(parts) = group.get(..1).and_then(|n| n.parse::<usize>().ok()).and_then(|n| seen.parts.get_mut(n)) {
            *parts = done;
        }
        seen.folds |= files.iter().any(|f| f == "folds.json");
    }
    seen
}

type Moment = (&'static str, fn(&Seen) -> bool);

/// From the first moment to the last.
const MOMENTS: [Moment; 10] = [
    ("at the start", |s| s.lock),
    ("with one part done", |s| s.parts[0] >= 1),
    ("with six parts done", |s| s.parts[0] >= 6),
    ("while the folds run", |s| s.parts[0] >= 20),
    ("when the folds are done", |s| s.folds),
    ("with one part of the second group done", |s| s.parts[1] >= 1),
    ("with ten parts of the second group done", |s| s.parts[1] >= 10),
    ("when names are about to be given", |s| s.placing),
    ("when some shards have their names", |s| s.shards >= 3),
    ("when the manifest is there", |s| s.manifest),
];

/// Starts a run, kills it (SIGKILL) at a moment; says whether it was still running.
fn kill_at(folder: &Folder, root: &str, moment: impl Fn(&Seen) -> bool) -> bool {
    let dir = folder.path().join(root).join("made");
    let mut child = folder.start(root);
    loop {
        if moment(&look(&dir)) {
            child.kill().unwrap();
        }
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().is_none();
        }
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// 20 parts and a run of a few hundred milliseconds.
fn corpus() -> Folder {
    let folder = Folder::new();
    write_corpus(&folder, 20, 2000);
    folder.config(LANGUAGE_MODEL);
    folder
}

#[test]
fn killed_at_any_moment_and_started_again_the_bytes_are_the_same() {
    let folder = corpus();
    let started = Instant::now();
    folder.run(&["--data-dir", "whole"]);
    let whole_run = started.elapsed();
    let whole = tree(&folder.path().join("whole/made"));
    assert!(whole.len() >= 24, "{} files", whole.len());

    let mut landed = 0;
    for (i, (name, moment)) in MOMENTS.into_iter().enumerate() {
        let root = format!("moment-{i}");
        landed += usize::from(kill_at(&folder, &root, moment));
        folder.run(&["--data-dir", &root, "--threads", if i % 2 == 0 { "1" } else { "2" }]);
        assert_eq!(tree(&folder.path().join(&root).join("made")), whole, "killed {name}");
    }
    // a moment may be over before it is seen, but not most of them
    assert!(landed >= 6, "only {landed} of 10 kills found the program running");

    for i in 0..6 {
        let root = format!("instant-{i}");
        let wait = whole_run.mul_f64((f64::from(i) + 0.5) / 6.0);
        let started = Instant::now();
        kill_at(&folder, &root, |_| started.elapsed() >= wait);
        folder.run(&["--data-dir", &root]);
        assert_eq!(tree(&folder.path().join(&root).join("made")), whole, "killed after {wait:?}");
    }
}

#[test]
fn killed_again_and_again_it_goes_on_from_where_it_was() {
    let folder = corpus();
    folder.run(&["--data-dir", "whole"]);
    let mut done = 0;
    for (name, moment) in MOMENTS {
        kill_at(&folder, "data", moment);
        let parts = look(&folder.made()).parts;
        let manifest = folder.made().join("manifest.json").exists();
        assert!(manifest || parts[0] + parts[1] >= done, "parts were lost by a kill {name}");
        done = parts[0] + parts[1];
    }
    folder.run(&[]);
    assert_eq!(tree(&folder.made()), tree(&folder.path().join("whole/made")));
}

#[test]
fn a_part_that_is_cut_short_is_made_again() {
    let folder = corpus();
    folder.run(&["--data-dir", "whole"]);
    assert!(kill_at(&folder, "data", |s| s.parts[0] >= 6), "the run was over too soon");
    let entries = walkdir::WalkDir::new(folder.made().join(".work")).sort_by_file_name().into_iter().flatten();
    let parquet: Vec<_> = entries.filter(|e| e.path().extension().is_some_and(|x| x == "parquet")).collect();
    let bytes = fs_err::read(parquet[0].path()).unwrap();
    fs_err::write(parquet[0].path(), &bytes[..bytes.len() / 2]).unwrap();
    let record =
        folder.made().join(".work").read_dir().unwrap().flatten().next().unwrap().path().join("part-00002.json");
    let text = fs_err::read(&record).unwrap();
    fs_err::write(&record, &text[..text.len() / 2]).unwrap();
    folder.run(&[]);
    assert_eq!(tree(&folder.made()), tree(&folder.path().join("whole/made")));
}

#[test]
fn a_kill_and_another_config_leave_nothing_behind() {
    let folder = corpus();
    kill_at(&folder, "data", |s| s.shards >= 3);
    folder.config(crate::support::READ_LINES);
    // the first run may have been quicker than the kill
    folder.run(&["--replace"]);
    folder.run(&["--data-dir", "whole"]);
    assert_eq!(tree(&folder.made()), tree(&folder.path().join("whole/made")));
    assert!(!folder.made().join("tokenizer.json").exists());
}

#[test]
fn two_runs_do_not_write_one_folder() {
    let folder = corpus();
    let mut first = folder.start("data");
    let dir = folder.made();
    while !look(&dir).lock && first.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_micros(50));
    }
    let second = folder.call(&["run", "config.toml"]);
    let still_running = first.try_wait().unwrap().is_none();
    if second.code == 1 {
        second.refused(&[&format!("process {} is making this dataset", first.id())]);
    } else {
        // only if the first one was done before the second one looked
        assert!(!still_running && second.stdout.contains("up to date"), "{second:?}");
    }
    assert!(first.wait().unwrap().success());
    assert_eq!(folder.call(&["verify", "data/made"]).code, 0);
}
