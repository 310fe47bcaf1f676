//! What a ConvNeXt saw in an image, stage by stage.
//!
//! Shapes: h height, w width, c channels.

use tch::{Kind, Tensor};
use tessera_datasets::Result;

use super::network::ConvNext;
use crate::classification::Exhibit;

/// For every stage, counted from 1: what spoke for a class, and how strong the features are.
pub(super) fn explain(network: &ConvNext, image_1chw: &Tensor, class: i64) -> Result<Vec<Exhibit>> {
    let (features, gradients) = features(network, image_1chw, class);
    let mut out = Vec::new();
    for (stage, (features, gradients)) in features.iter().zip(&gradients).enumerate() {
        let (features, gradients) = (features.squeeze_dim(0), gradients.squeeze_dim(0));
        out.push(Exhibit::new(format!("grad-cam-stage-{}", stage + 1), &grad_cam(&features, &gradients))?);
        let norm = features.square().sum_dim_intlist([2_i64].as_slice(), false, Kind::Float).sqrt();
        out.push(Exhibit::new(format!("feature-norm-stage-{}", stage + 1), &norm)?);
    }
    Ok(out)
}

/// The filters of the stem as they are.
pub(super) fn portrait(network: &ConvNext) -> Result<Vec<Exhibit>> {
    Ok(vec![Exhibit::new("stem-filters", &network.stem.weight().detach())?])
}

/// What comes out of each stage, `[1, h, w, c]`, and the gradients of a class's logit by it.
fn features(network: &ConvNext, image_1chw: &Tensor, class: i64) -> (Vec<Tensor>, Vec<Tensor>) {
    let all_kept = network.all_kept(image_1chw);
    // a start with a gradient of its own: every parameter may be frozen
    let mut x_bhwc = tch::no_grad(|| network.embed(image_1chw)).set_requires_grad(true);
    let mut features = Vec::new();
    for stage in 0..network.config.dims.len() {
        x_bhwc = network.run_stage(stage, &x_bhwc, &all_kept);
        features.push(x_bhwc.shallow_clone());
    }
    let logit = network.classify(&x_bhwc, false).select(1, class).sum(Kind::Float);
    let gradients = Tensor::run_backward(&[logit], &features.iter().collect::<Vec<_>>(), false, false);
    (features.iter().map(Tensor::detach).collect(), gradients)
}

/// Grad-CAM (Selvaraju et al. 2017): the channels, each as much as a class's score rises with it
/// in the mean over all places, and of their sum what speaks for the class.
///
/// # Shapes
/// Two of `[h, w, c]` to `[h, w]`.
fn grad_cam(features: &Tensor, gradients: &Tensor) -> Tensor {
    let weights = gradients.mean_dim([0_i64, 1].as_slice(), true, Kind::Float);
    (features * weights).sum_dim_intlist([2_i64].as_slice(), false, Kind::Float).relu()
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::models::convnext::ConvNextConfig;
    use crate::parameters::Parameters;

    fn numbers(tensor: &Tensor) -> Vec<f32> {
        Vec::try_from(tensor.reshape([-1])).unwrap()
    }

    fn tiny() -> (Parameters, ConvNext) {
        let config = ConvNextConfig {
            depths: vec![1, 1],
            dims: vec![6, 8],
            strides: vec![1, 2],
            layer_scale: Some(0.5),
            classes: 3,
            ..ConvNextConfig::preset("tiny").unwrap()
        };
        let parameters = Parameters::create(&config.declare(), Device::Cpu, 1).unwrap();
        let network = ConvNext::new(config, &parameters).unwrap();
        (parameters, network)
    }

    #[test]
    fn grad_cam_weighs_channels_by_their_mean_gradient_and_keeps_what_is_positive() {
        // two places, two channels: (1, 2) and (3, −1)
        let features = Tensor::from_slice(&[1.0_f32, 2.0, 3.0, -1.0]).view([1, 2, 2]);
        // mean gradients: 2 of the first channel, −1.5 of the second
        let gradients = Tensor::from_slice(&[4.0_f32, -1.0, 0.0, -2.0]).view([1, 2, 2]);
        // 2·1 − 1.5·2 = −1 is cut off, 2·3 + 1.5 = 7.5
        assert_eq!(numbers(&grad_cam(&features, &gradients)), [0.0, 7.5]);
    }

    #[test]
    fn gradients_are_how_much_the_logit_changes() {
        let (_, network) = tiny();
        let image = Tensor::randn([1, 3, 16, 16], (Kind::Float, Device::Cpu));
        let (features, gradients) = features(&network, &image, 2);
        let logit = |x: &Tensor| network.classify(x, false).double_value(&[0, 2]);
        let last = &features[1];
        let step = last.randn_like() * 1e-2;
        let found = logit(&(last + &step)) - logit(&(last - &step));
        let expected = 2.0 * (step * &gradients[1]).sum(Kind::Float).double_value(&[]);
        assert!((found - expected).abs() < 0.02 * expected.abs() + 1e-6, "{found} for {expected}");
    }

    #[test]
    fn exhibits_have_their_shapes_even_of_a_frozen_network() {
        let (parameters, network) = tiny();
        let image = Tensor::randn([1, 3, 17, 16], (Kind::Float, Device::Cpu));
        let before = explain(&network, &image, 1).unwrap();
        let shapes: Vec<(&str, &[u32])> = before.iter().map(|e| (e.name.as_str(), e.shape.as_slice())).collect();
        let expected: [(&str, &[u32]); 4] = [
            ("grad-cam-stage-1", &[4, 4]),
            ("feature-norm-stage-1", &[4, 4]),
            ("grad-cam-stage-2", &[2, 2]),
            ("feature-norm-stage-2", &[2, 2]),
        ];
        assert_eq!(shapes, expected);
        assert!(before.iter().all(|e| e.values.iter().all(|v| *v >= 0.0)));
        assert!(parameters.iter().all(|(_, tensor)| !tensor.grad().defined()), "explaining leaves no gradient");
        for (_, tensor) in parameters.iter() {
            let _ = tensor.shallow_clone().requires_grad_(false);
        }
        assert_eq!(explain(&network, &image, 1).unwrap(), before);
        assert_eq!(portrait(&network).unwrap()[0].shape, [6, 3, 4, 4]);
    }
}
