//! Keras' names for the weights.

use std::collections::BTreeMap;

use tch::Tensor;

/// Keras' tensors under our names, which are its own with dots:
/// `cm_0_scm_1_out/p_re_lu_391/alpha:0` is `cm_0_scm_1_out.alpha`. The number of the slopes' layer
/// depends on what else was made before it, so it is left out.
pub(super) fn from_keras(found: BTreeMap<String, Tensor>) -> BTreeMap<String, Tensor> {
    found.into_iter().map(|(name, tensor)| (own(&name), tensor)).collect()
}

fn own(name: &str) -> String {
    let name = name.strip_suffix(":0").unwrap_or(name);
    let parts = name.split(['/', '.']).filter(|part| !part.starts_with("p_re_lu"));
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_keras_become_ours_and_ours_stay() {
        for (theirs, ours) in [
            ("cm_0_scm_1_out/p_re_lu_391/alpha:0", "cm_0_scm_1_out.alpha"),
            ("cm_0_scm_0_attn/query/kernel:0", "cm_0_scm_0_attn.query.kernel"),
            ("pcm_out/bias:0", "pcm_out.bias"),
            ("pcm_out.bias", "pcm_out.bias"),
        ] {
            assert_eq!(own(theirs), ours);
        }
    }
}
