//! What a ViT looked at, and what it is made of.
//!
//! Shapes: b batch, n heads, t tokens (that of the class first), g patches along a side.

use tch::{Kind, Tensor};
use tessera_datasets::Result;

use super::config::Pool;
use super::network::Vit;
use crate::classification::Exhibit;

/// As many principal components as figure 7 of the paper shows.
const COMPONENTS: i64 = 28;

/// The attention behind one decision: rolled out over the layers, and of each head alone.
pub(super) fn explain(network: &Vit, image_1chw: &Tensor) -> Result<Vec<Exhibit>> {
    let weights = tch::no_grad(|| network.attention_weights(image_1chw));
    let (grid, prefix) = (network.config.grid(), network.config.prefix());
    let reader = Reader { of_class: network.config.global_pool == Pool::Token, prefix };
    let heads = Tensor::stack(&weights, 0).squeeze_dim(1);
    let (layers, count) = (heads.size()[0], heads.size()[1]);
    let by_head = reader.look(&heads).view([layers, count, grid, grid]);
    let rolled = reader.look(&rollout(&heads.mean_dim([1_i64].as_slice(), false, Kind::Float))).view([grid, grid]);
    Ok(vec![Exhibit::new("attention-rollout", &rolled)?, Exhibit::new("class-attention", &by_head)?])
}

/// Figure 7 of Dosovitskiy et al. 2021: the patches' filters, how alike the positions are, and how
/// far each head looks, measured on some images.
pub(super) fn portrait(network: &Vit, images_bchw: &Tensor) -> Result<Vec<Exhibit>> {
    tch::no_grad(|| {
        let (grid, prefix) = (network.config.grid(), network.config.prefix());
        let filters = principal_components(&network.patches.weight().detach(), COMPONENTS);
        let positions = network.positions.detach().narrow(1, prefix, grid * grid).squeeze_dim(0);
        let alike = similarity(&positions).view([grid, grid, grid, grid]);
        let distances_tt = distances(grid, network.config.patch_size).to_device(images_bchw.device());
        // image by image: the weights of a large model are many
        let each: Vec<Tensor> = (0..images_bchw.size()[0])
            .map(|image| {
                let weights = network.attention_weights(&images_bchw.narrow(0, image, 1));
                mean_distance(&Tensor::stack(&weights, 0).squeeze_dim(1), &distances_tt, prefix)
            })
            .collect();
        let far = Tensor::stack(&each, 0).mean_dim([0_i64].as_slice(), false, Kind::Float);
        Ok(vec![
            Exhibit::new("patch-filters", &filters)?,
            Exhibit::new("position-similarity", &alike)?,
            Exhibit::new("attention-distance", &far)?,
        ])
    })
}

/// Who looks: the class token, or all patches in the mean where the head sees their mean.
struct Reader {
    of_class: bool,
    prefix: i64,
}

impl Reader {
    /// `weights` `[…, t, t]` to what is looked at, `[…, patches]`.
    fn look(&self, weights: &Tensor) -> Tensor {
        let tokens = weights.size()[weights.dim() - 1];
        let at_patches = weights.narrow(-1, self.prefix, tokens - self.prefix);
        match self.of_class {
            true => at_patches.select(-2, 0),
            false => {
                let from_patches = at_patches.narrow(-2, self.prefix, tokens - self.prefix);
                from_patches.mean_dim([-2_i64].as_slice(), false, Kind::Float)
            }
        }
    }
}

/// Attention rollout (Abnar and Zuidema 2020): how much of each token of the input is in each
/// token of the output, when a layer passes on half of what it attends to and half of what it had.
///
/// # Shapes
/// `weights_ltt`, the mean over the heads of each layer, to `[t, t]`.
fn rollout(weights_ltt: &Tensor) -> Tensor {
    let tokens = weights_ltt.size()[1];
    let itself = Tensor::eye(tokens, (weights_ltt.kind(), weights_ltt.device()));
    let layers = weights_ltt.unbind(0);
    layers.iter().fold(itself.shallow_clone(), |below, layer| (layer * 0.5 + &itself * 0.5).matmul(&below))
}

/// The directions in which the filters of a convolution `[o, c, k, k]` differ most, `[n, c, k, k]`,
/// each with length 1 and with its largest number positive.
fn principal_components(filters: &Tensor, most: i64) -> Tensor {
    let (outputs, channels, size, _) = filters.size4().expect("filters have four dimensions");
    let rows = filters.to_kind(Kind::Double).flatten(1, -1);
    let centred = &rows - rows.mean_dim([0_i64].as_slice(), true, Kind::Double);
    let (_, vectors) = centred.tr().matmul(&centred).linalg_eigh("L");
    let count = most.min(outputs).min(channels * size * size);
    // eigenvalues ascend, vectors are columns
    let components = vectors.tr().flip([0]).narrow(0, 0, count);
    let largest = components.abs().argmax(1, true);
    let components = &components * components.gather(1, &largest, false).sign();
    components.view([count, channels, size, size])
}

/// The cosine between each two rows.
fn similarity(rows_nd: &Tensor) -> Tensor {
    let lengths = rows_nd.square().sum_dim_intlist([1_i64].as_slice(), true, Kind::Float).sqrt();
    let directions = rows_nd / lengths.clamp_min(1e-12);
    directions.matmul(&directions.tr())
}

/// How far apart the centres of two patches of a grid are, in pixels.
fn distances(grid: i64, patch_size: i64) -> Tensor {
    let places = Tensor::arange(grid, (Kind::Float, tch::Device::Cpu)) * patch_size as f64;
    let (rows, columns) = (places.repeat_interleave_self_int(grid, 0, None), places.repeat([grid]));
    let apart = |x: &Tensor| (x.unsqueeze(0) - x.unsqueeze(1)).square();
    (apart(&rows) + apart(&columns)).sqrt()
}

/// How far each head looks from patch to patch in the mean, the class token left out: `weights`
/// `[l, n, t, t]` to `[l, n]`.
fn mean_distance(weights_lntt: &Tensor, distances_tt: &Tensor, prefix: i64) -> Tensor {
    let patches = distances_tt.size()[0];
    let weights = weights_lntt.narrow(2, prefix, patches).narrow(3, prefix, patches);
    let weights = &weights / weights.sum_dim_intlist([3_i64].as_slice(), true, Kind::Float);
    (weights * distances_tt).sum_dim_intlist([3_i64].as_slice(), false, Kind::Float).mean_dim(
        [2_i64].as_slice(),
        false,
        Kind::Float,
    )
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::models::vit::VitConfig;
    use crate::parameters::Parameters;

    fn numbers(tensor: &Tensor) -> Vec<f64> {
        Vec::try_from(tensor.to_kind(Kind::Double).reshape([-1])).unwrap()
    }

    fn assert_near(found: &Tensor, expected: &[f64]) {
        let found = numbers(found);
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?} for {expected:?}");
    }

    #[test]
    fn rollout_multiplies_half_attention_and_half_itself() {
        let layers = Tensor::from_slice(&[0.0_f32, 1.0, 1.0, 0.0, 1.0, 0.0, 0.5, 0.5]).view([2, 2, 2]);
        // the first layer: [[.5, .5], [.5, .5]]; the second: [[1, 0], [.25, .75]]
        assert_near(&rollout(&layers), &[0.5, 0.5, 0.5, 0.5]);
        assert_near(&rollout(&layers.flip([0])), &[0.625, 0.375, 0.625, 0.375]);
    }

    #[test]
    fn the_class_token_looks_or_the_patches_do() {
        let weights = Tensor::arange(9, (Kind::Float, Device::Cpu)).view([3, 3]);
        assert_near(&Reader { of_class: true, prefix: 1 }.look(&weights), &[1.0, 2.0]);
        assert_near(&Reader { of_class: false, prefix: 1 }.look(&weights), &[5.5, 6.5]);
        assert_near(&Reader { of_class: false, prefix: 0 }.look(&weights), &[3.0, 4.0, 5.0]);
    }

    #[test]
    fn the_first_component_is_what_all_filters_share() {
        // multiples of one pattern around another
        let pattern = Tensor::from_slice(&[0.6_f32, 0.0, 0.0, -0.8]);
        let scales = Tensor::from_slice(&[-1.0_f32, 2.0, 5.0]).unsqueeze(1);
        let filters = (scales * &pattern + 3.0).view([3, 1, 2, 2]);
        let found = principal_components(&filters, 1);
        assert_eq!(found.size(), [1, 1, 2, 2]);
        assert_near(&found, &[-0.6, 0.0, 0.0, 0.8]);
    }

    #[test]
    fn positions_are_alike_by_the_angle_between_them() {
        let rows = Tensor::from_slice(&[2.0_f32, 0.0, 0.0, 3.0, 1.0, 1.0]).view([3, 2]);
        let half = 0.5_f64.sqrt();
        assert_near(&similarity(&rows), &[1.0, 0.0, half, 0.0, 1.0, half, half, half, 1.0]);
    }

    #[test]
    fn a_head_that_looks_everywhere_looks_as_far_as_the_mean_distance() {
        let apart = distances(2, 4);
        let diagonal = 32.0_f64.sqrt();
        assert_near(&apart.get(0), &[0.0, 4.0, 4.0, diagonal]);
        let everywhere = Tensor::full([1, 1, 5, 5], 0.2, (Kind::Float, Device::Cpu));
        let itself = Tensor::eye(5, (Kind::Float, Device::Cpu)).view([1, 1, 5, 5]);
        let found = mean_distance(&Tensor::cat(&[everywhere, itself], 1), &apart, 1);
        assert_near(&found, &[(8.0 + diagonal) / 4.0, 0.0]);
    }

    #[test]
    fn exhibits_have_their_shapes_and_attention_sums_to_one() {
        for (class_token, global_pool) in [(true, Pool::Token), (false, Pool::Avg), (true, Pool::Avg)] {
            let config = VitConfig {
                image_size: 12,
                patch_size: 4,
                width: 12,
                layers: 3,
                heads: 2,
                feed_forward: 24,
                class_token,
                global_pool,
                classes: 4,
                ..VitConfig::preset("tiny").unwrap()
            };
            let parameters = Parameters::create(&config.declare(), Device::Cpu, 1).unwrap();
            let network = Vit::new(config, &parameters).unwrap();
            let images = Tensor::randn([2, 3, 12, 12], (Kind::Float, Device::Cpu));
            let [rolled, by_head] = explain(&network, &images.narrow(0, 0, 1)).unwrap().try_into().unwrap();
            assert_eq!((rolled.shape.as_slice(), by_head.shape.as_slice()), (&[3, 3][..], &[3, 2, 3, 3][..]));
            if !class_token {
                assert!((rolled.values.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                assert!((by_head.values.iter().sum::<f32>() - 6.0).abs() < 1e-4);
            }
            let [filters, alike, far] = portrait(&network, &images).unwrap().try_into().unwrap();
            assert_eq!(filters.shape, [12, 3, 4, 4]);
            assert_eq!(alike.shape, [3, 3, 3, 3]);
            assert_eq!(far.shape, [3, 2]);
            assert!(far.values.iter().all(|d| *d > 0.0 && *d < 12.0), "{far:?}");
        }
    }
}
