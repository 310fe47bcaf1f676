//! Learning rates by layer and weight decay by parameter, beside timm's groups for the same
//! networks (`fixtures/make_parameter_groups.py`, timm 1.0.31).

use std::collections::BTreeMap;
use std::path::Path;

use tch::Device;
use tessera_train::classification::{Network, rule};
use tessera_train::models::convnext::{ConvNext, ConvNextConfig};
use tessera_train::models::vit::{Pool, Vit, VitConfig};
use tessera_train::optimizer::Rule;
use tessera_train::parameters::Parameters;

fn timms(model: &str) -> BTreeMap<String, (f64, bool)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/parameter_groups.json");
    let text = fs_err::read_to_string(path).unwrap();
    let mut all: BTreeMap<String, BTreeMap<String, (f64, bool)>> = serde_json::from_str(&text).unwrap();
    all.remove(model).unwrap()
}

fn compare(model: &str, parameters: &Parameters, network: &dyn Network) {
    let found: BTreeMap<String, (f64, bool)> = parameters
        .iter()
        .map(|(name, tensor)| {
            let Rule { rate, decays } = rule(network, 0.75, name, tensor);
            (name.to_owned(), (rate, decays))
        })
        .collect();
    assert_eq!(found, timms(model));
}

#[test]
fn of_a_vit_with_a_class_token_and_without() {
    let tiny = VitConfig {
        image_size: 32,
        patch_size: 8,
        width: 16,
        layers: 3,
        heads: 2,
        feed_forward: 64,
        classes: 5,
        ..VitConfig::preset("tiny").unwrap()
    };
    let pooled = VitConfig { layers: 2, class_token: false, global_pool: Pool::Avg, fc_norm: true, ..tiny };
    for (name, config) in [("vit", tiny), ("vit-avg", pooled)] {
        let parameters = Parameters::create(&config.declare(), Device::Cpu, 0).unwrap();
        compare(name, &parameters, &Vit::new(config, &parameters).unwrap());
    }
}

#[test]
fn of_a_convnext() {
    let (depths, dims) = (vec![1, 2, 3, 1], vec![4, 8, 12, 16]);
    let config = ConvNextConfig { depths, dims, classes: 5, ..ConvNextConfig::preset("tiny").unwrap() };
    let parameters = Parameters::create(&config.declare(), Device::Cpu, 0).unwrap();
    compare("convnext", &parameters, &ConvNext::new(config, &parameters).unwrap());
}
