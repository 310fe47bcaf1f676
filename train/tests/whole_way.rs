//! From a seed to a report: the three programs in a row, as `./tessera run` calls them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::stderr;

/// A program that was built beside ours. `cargo test --workspace` builds all three; a test of this
/// crate alone may not.
fn program(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_BIN_EXE_tessera-train")).with_file_name(name);
    path.is_file().then_some(path)
}

#[test]
fn a_tiny_gpt_goes_from_a_seed_to_a_report_and_up_to_date_again() {
    whole_way("gpt");
}

#[test]
fn so_does_a_tiny_vit() {
    whole_way("vit");
}

#[test]
fn so_does_a_tiny_convnext() {
    whole_way("convnext");
}

#[test]
fn so_does_a_tiny_optipose() {
    whole_way("optipose");
}

fn whole_way(model: &str) {
    let (Some(pipeline), Some(eval)) = (program("tessera-pipeline"), program("tessera-eval")) else {
        #[expect(clippy::print_stderr, reason = "a test that skips says so")]
        {
            eprintln!("skipped: tessera-pipeline and tessera-eval are not built; run `cargo test --workspace`");
        }
        return;
    };
    let train = PathBuf::from(env!("CARGO_BIN_EXE_tessera-train"));
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../configs/tiny/{model}.toml"));
    let config = config.to_str().unwrap();
    let (name, folder) = (format!("tiny-{model}"), format!("runs/tiny-{model}"));
    let dir = tempfile::tempdir().unwrap();
    let run = |program: &Path, arguments: &[&str]| {
        let output =
            Command::new(program).args(arguments).current_dir(dir.path()).env("OMP_NUM_THREADS", "1").output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    for sitting in ["first", "again"] {
        run(&pipeline, &["check", config]);
        assert_eq!(run(&train, &["check", config]).trim(), name, "{sitting}");
        run(&eval, &["check", config]);
        run(&pipeline, &["run", config]);
        run(&train, &["fit", config, "--device", "cpu"]);
        run(&train, &["predict", &folder, "--device", "cpu"]);
        run(&eval, &["report", &folder]);
    }
    let report = dir.path().join(&folder).join("report");
    for name in ["index.html", "report.md", "report.json"] {
        assert!(fs_err::metadata(report.join(name)).unwrap().len() > 1000, "{name}");
    }
    let json: serde_json::Value = serde_json::from_slice(&fs_err::read(report.join("report.json")).unwrap()).unwrap();
    assert_eq!(json["format"], "tessera-report");
}
