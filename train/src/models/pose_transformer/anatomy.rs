//! What is known of an animal's shape before the network learns anything.

use tch::{Kind, Tensor};
use tessera_datasets::pose::geometry::Point;
use tessera_datasets::{Error, Result};

use crate::parameters::Parameters;

/// The mean pose and how keypoints hang together. It is part of the model's parameters, so that a
/// checkpoint carries it, but it is not trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Anatomy {
    /// The mean pose with one heading, in the skeleton's unit.
    pub mean: Vec<Point>,
    /// How much each keypoint says about where the animal is and where it heads; 1 on average.
    pub weights: Vec<f64>,
    /// The standard deviation of a coordinate about the mean pose, in the skeleton's unit.
    pub scale: f64,
    /// The largest error of a coordinate that is given, in the skeleton's unit.
    pub noise: f64,
    /// Covariance of all coordinates about the mean pose, `[3K, 3K]` in squares of `scale`.
    pub covariance: Vec<f64>,
    /// For each keypoint how the others lie about it.
    pub local: Vec<Local>,
}

/// The poses aligned for the sake of one keypoint: onto those others that keep their distance to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Local {
    /// How much each other keypoint counts when poses are aligned; they sum to 1.
    pub weights: Vec<f64>,
    /// The mean of the aligned poses, in units of `scale`.
    pub mean: Vec<Point>,
    /// Covariance of all coordinates about it, `[3K, 3K]`.
    pub covariance: Vec<f64>,
}

impl Anatomy {
    /// How many keypoints there are.
    pub fn keypoints(&self) -> usize {
        self.mean.len()
    }

    /// The error of a given coordinate in units of `scale`.
    pub(super) fn relative_noise(&self) -> f64 {
        self.noise / self.scale
    }

    /// Puts it into a model's parameters.
    ///
    /// # Errors
    /// When they were not declared.
    pub(super) fn store(&self, parameters: &Parameters) -> Result<()> {
        let flat = |points: &[Point]| points.as_flattened().to_vec();
        let of_all = |part: &dyn Fn(&Local) -> Vec<f64>| self.local.iter().flat_map(part).collect::<Vec<f64>>();
        for (name, values) in [
            ("mean", flat(&self.mean)),
            ("weight", self.weights.clone()),
            ("scale", vec![self.scale]),
            ("noise", vec![self.noise]),
            ("covariance", self.covariance.clone()),
            ("local.weight", of_all(&|local| local.weights.clone())),
            ("local.mean", of_all(&|local| flat(&local.mean))),
            ("local.covariance", of_all(&|local| local.covariance.clone())),
        ] {
            let mut parameter = parameters.get(&format!("anatomy.{name}"))?;
            let values = Tensor::from_slice(&values).view(parameter.size().as_slice());
            tch::no_grad(|| parameter.copy_(&values));
        }
        Ok(())
    }

    /// Takes it out of a model's parameters.
    ///
    /// # Errors
    /// When they were not declared, or are of no animal.
    pub(super) fn of(parameters: &Tensors) -> Result<Self> {
        let values = |tensor: &Tensor| -> Result<Vec<f64>> {
            let flat = tensor.detach().to_device(tch::Device::Cpu).to_kind(Kind::Double).reshape([-1]);
            Vec::try_from(flat).map_err(|e: tch::TchError| Error::internal(e.to_string()))
        };
        let [mean, weights, scale, noise, covariance, local_weights, local_means, local_covariances] =
            parameters.0.each_ref().map(values);
        let points = |values: &[f64]| values.as_chunks::<3>().0.to_vec();
        let (mean, scale, noise) = (points(&mean?), scale?[0], noise?[0]);
        let sound = |value: f64| value.is_finite() && value > 0.0;
        if !(sound(scale) && sound(noise)) {
            return Err(Error::input("the model's `anatomy` is empty: these are weights of another model"));
        }
        let (k, size) = (mean.len(), mean.len() * mean.len() * 9);
        let (local_weights, local_means, local_covariances) = (local_weights?, local_means?, local_covariances?);
        let local = (0..k).map(|i| Local {
            weights: local_weights[i * k..(i + 1) * k].to_vec(),
            mean: points(&local_means[i * k * 3..(i + 1) * k * 3]),
            covariance: local_covariances[i * size..(i + 1) * size].to_vec(),
        });
        Ok(Self { local: local.collect(), mean, weights: weights?, scale, noise, covariance: covariance? })
    }
}

/// The parameters that hold an [`Anatomy`].
#[derive(Debug)]
pub(super) struct Tensors([Tensor; 8]);

impl Tensors {
    /// Finds them.
    ///
    /// # Errors
    /// When one was not declared.
    pub(super) fn new(parameters: &Parameters) -> Result<Self> {
        let get = |name: &str| parameters.get(&format!("anatomy.{name}"));
        Ok(Self([
            get("mean")?,
            get("weight")?,
            get("scale")?,
            get("noise")?,
            get("covariance")?,
            get("local.weight")?,
            get("local.mean")?,
            get("local.covariance")?,
        ]))
    }
}
