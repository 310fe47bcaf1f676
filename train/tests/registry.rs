//! What is in the registry is tested: every model has a config under `configs/tiny/`, trains,
//! validates and predicts.

use std::path::Path;

use tessera_datasets::config::RunConfig;
use tessera_datasets::run_dir::RunDir;
use tessera_datasets::shard::Dataset;
use tessera_train::models::MODELS;
use tessera_train::run::{Setup, check};
use tessera_train::task::{Predict, Step};

use crate::support::Workshop;

#[test]
fn every_model_trains_validates_and_predicts_from_its_tiny_config() {
    let workshop = Workshop::new();
    for entry in MODELS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../configs/tiny/{}.toml", entry.name));
        let overrides = ["train.samples.prompt=the".to_owned()];
        let config = RunConfig::load(&path, &overrides).unwrap();
        check(&config).unwrap();
        let resolved = config.resolved();
        // a model reads the kind of rows that it is for
        let dataset = match entry.name {
            "transformer" => "data/pairs",
            "vit" | "convnext" => "data/pictures",
            "optipose" | "pose-transformer" => "data/poses",
            _ => "data/words",
        };
        let setup = Setup::new(config, &workshop.path(dataset), tch::Device::Cpu).unwrap();
        let mut task = setup.task().unwrap();
        assert!(task.parameters().count() > 0, "{}", entry.name);
        let before = task.validate().unwrap()[0].1;
        let source = task.batches().unwrap();
        for index in 0..10 {
            let batch = source.batch(index).unwrap();
            let measures = task.train_step(&batch, &Step { index, rate: 1.0 }).unwrap();
            let loss = measures.iter().find(|(name, _)| *name == "loss").unwrap();
            assert!(loss.1.double_value(&[]).is_finite(), "{}", entry.name);
        }
        let after = task.validate().unwrap()[0].1;
        assert!(after < before, "{} did not learn: {before} before, {after} after", entry.name);
        let run = RunDir::new(workshop.path(entry.name));
        let request = Predict {
            run: run.clone(),
            run_name: entry.name.to_owned(),
            split: "validation".to_owned(),
            step: 10,
            weights_sha256: String::new(),
            averaged: false,
            explain: 1,
            stride: None,
            config: resolved,
        };
        task.predict(&request).unwrap();
        Dataset::open(run.predictions("validation")).unwrap().verify().unwrap();
        assert!(task.reference_config().is_object());
    }
}
