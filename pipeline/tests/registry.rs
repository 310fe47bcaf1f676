//! Every stage that is registered.

use std::collections::HashSet;
use std::path::Path;

use tessera_datasets::config::{DataConfig, RunConfig};
use tessera_datasets::pose::Skeleton;
use tessera_pipeline::plan::Plan;
use tessera_pipeline::stage::{Stage, StageContext};
use tessera_pipeline::stages::{self, STAGES};

fn parse(kind: &str, table: &str) -> tessera_datasets::Result<Stage> {
    let text = format!(
        "version = 1\nname = \"a\"\n[data]\ncard = \"world\"\n[[pipeline.stage]]\nkind = \"{kind}\"\n{table}\n"
    );
    let config = RunConfig::parse(Path::new("a.toml"), &text, &[])?;
    let data = DataConfig { card: Some("world".to_owned()), ..DataConfig::default() };
    let context = StageContext { name: "a".to_owned(), seed: 1, data };
    let sections = config.section("pipeline")?.children("stage")?;
    stages::parse(&sections[0], &context).map(|(entry, stage)| {
        assert_eq!(entry.name, kind);
        stage
    })
}

#[test]
fn every_stage_parses_its_example_and_refuses_any_other_key() {
    for entry in STAGES {
        parse(entry.name, entry.example).unwrap_or_else(|e| panic!("{}: {e}", entry.name));
        let error = parse(entry.name, format!("{}\nnonsense = 1", entry.example).trim_start()).err();
        let error = error.unwrap_or_else(|| panic!("{} takes `nonsense`", entry.name)).to_string();
        let place = format!(
            "`a.toml`, row {}: unknown key `nonsense` in `pipeline.stage[0]`",
            7 + entry.example.lines().count()
        );
        assert!(error.starts_with(&place), "{}: {error}", entry.name);
        for key in entry.example.lines().filter_map(|line| line.split(" = ").next()) {
            assert!(error.contains(&format!("`{key}`")), "{}: no `{key}` in {error}", entry.name);
        }
    }
}

#[test]
fn every_stage_needs_what_its_example_gives() {
    for entry in STAGES.iter().filter(|e| !e.example.is_empty()) {
        assert!(parse(entry.name, "").is_err(), "{}", entry.name);
    }
}

#[test]
fn names_and_summaries_read_well() {
    let mut names = HashSet::new();
    for entry in STAGES {
        assert!(names.insert(entry.name), "{} twice", entry.name);
        assert!(entry.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", entry.name);
        assert!(
            !entry.summary.is_empty() && !entry.summary.ends_with('.') && !entry.summary.contains('\n'),
            "{}",
            entry.name
        );
    }
}

#[test]
fn every_config_that_is_kept_makes_a_plan() {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs");
    let entries = walkdir::WalkDir::new(configs).sort_by_file_name().into_iter().map(Result::unwrap);
    let mut plans = 0;
    for entry in entries.filter(|e| e.path().extension().is_some_and(|x| x == "toml")) {
        if entry.file_name().to_string_lossy().ends_with("skeleton.toml") {
            Skeleton::read(entry.path()).unwrap_or_else(|e| panic!("{e}"));
            continue;
        }
        let config = RunConfig::load(entry.path(), &[]).unwrap_or_else(|e| panic!("{e}"));
        if config.data.dataset.is_none() {
            Plan::of(&config).unwrap_or_else(|e| panic!("{e}"));
            plans += 1;
        }
    }
    assert!(plans > 0);
}
