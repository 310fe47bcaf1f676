//! Position embeddings of one grid of patches brought to another.

use tch::{Kind, Tensor};
use tessera_datasets::{Error, Result};

/// Follows timm's `resample_abs_pos_embed`: bicubic with antialiasing, without aligned corners;
/// the first `prefix` embeddings belong to tokens that are no patches and stay.
///
/// # Shapes
/// `positions` `[1, prefix + n², d]` to `[1, prefix + grid², d]`.
///
/// # Errors
/// When the embeddings are not those of a square grid.
pub fn resample_positions(positions: &Tensor, prefix: i64, grid: i64) -> Result<Tensor> {
    let (_, tokens, width) = positions
        .size3()
        .map_err(|_| Error::input(format!("`pos_embed` has shape {:?}, not three dimensions", positions.size())))?;
    let patches = tokens - prefix;
    let side = (patches.max(0) as f64).sqrt().round() as i64;
    if side * side != patches || patches < 1 {
        return Err(Error::input(format!("`pos_embed` has {tokens} tokens: {patches} patches are no square grid")));
    }
    if side == grid {
        return Ok(positions.shallow_clone());
    }
    let on_grid = positions.narrow(1, prefix, patches).to_kind(Kind::Float);
    let on_grid = on_grid.reshape([1, side, side, width]).permute([0, 3, 1, 2]);
    let resampled = on_grid.internal_upsample_bicubic2d_aa([grid, grid], false, None, None);
    let resampled = resampled.permute([0, 2, 3, 1]).reshape([1, grid * grid, width]).to_kind(positions.kind());
    Ok(Tensor::cat(&[positions.narrow(1, 0, prefix), resampled], 1))
}
