//! Scores of a network on a split during training.

use std::collections::BTreeMap;

use tch::{Device, Kind, Tensor};
use tessera_datasets::{Error, Result};

use super::data::PoseData;
use super::network::Network;

/// Windows that are scored side by side.
const ROWS: usize = 64;

/// How far keypoints are off, as a sum over so many.
#[derive(Clone, Copy, Debug, Default)]
struct Errors {
    sum: f64,
    count: f64,
}

impl Errors {
    fn add(&mut self, sum: f64, count: f64) {
        self.sum += sum;
        self.count += count;
    }

    fn mean(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }
}

/// The loss of a window on average; the mean distance of keypoints from the truth in the
/// skeleton's unit (`mpjpe`), and that of those which were not given (`mpjpe_masked`), over all
/// windows and for each corruption. At most `limit` windows, spread evenly.
pub(super) fn validate(
    network: &dyn Network,
    data: &PoseData,
    limit: usize,
    device: Device,
) -> Result<Vec<(String, f64)>> {
    let count = limit.clamp(1, data.len());
    let rows: Vec<usize> = (0..count).map(|place| place * data.len() / count).collect();
    let (mut all, mut masked) = (Errors::default(), Errors::default());
    let mut by_corruption = BTreeMap::<&str, [Errors; 2]>::new();
    let mut loss = 0.0;
    for rows in rows.chunks(ROWS) {
        let windows = data.tensors(rows)?.to_device(device);
        let (target_btkc, known_btk) = (&windows.target_btkc, &windows.known_btk);
        let (of_loss, pred_btkc) = tch::no_grad(|| {
            let (of_loss, _) = network.loss(&windows.poses(), target_btkc, known_btk, false)?;
            Ok::<_, Error>((of_loss, network.optimise(&windows.poses(), false)))
        })?;
        loss += of_loss.double_value(&[]) * rows.len() as f64;
        let off_btk = (pred_btkc - target_btkc).square().sum_dim_intlist(-1, false, Kind::Float).sqrt();
        let hidden_btk = known_btk.logical_and(&windows.given_btk.logical_not());
        let of_all = Sums::new(&off_btk, known_btk)?;
        let of_hidden = Sums::new(&off_btk, &hidden_btk)?;
        for (place, row) in rows.iter().enumerate() {
            let [every, hidden] = by_corruption.entry(data.corruption(*row)).or_default();
            for errors in [&mut all, every] {
                errors.add(of_all.sums[place], of_all.counts[place]);
            }
            for errors in [&mut masked, hidden] {
                errors.add(of_hidden.sums[place], of_hidden.counts[place]);
            }
        }
    }
    let mut out = vec![("loss".to_owned(), loss / count as f64)];
    let mut put = |name: String, errors: &Errors| out.extend(errors.mean().map(|mean| (name, mean)));
    put("mpjpe".to_owned(), &all);
    put("mpjpe_masked".to_owned(), &masked);
    if by_corruption.len() > 1 {
        for (corruption, [every, hidden]) in &by_corruption {
            let corruption = corruption.replace('-', "_");
            put(format!("mpjpe_{corruption}"), every);
            put(format!("mpjpe_masked_{corruption}"), hidden);
        }
    }
    Ok(out)
}

/// Sums over the points of each window that are marked.
struct Sums {
    sums: Vec<f64>,
    counts: Vec<f64>,
}

impl Sums {
    fn new(off_btk: &Tensor, marked_btk: &Tensor) -> Result<Self> {
        let marked = marked_btk.to_kind(Kind::Float);
        let of_windows = |x_btk: &Tensor| -> Result<Vec<f64>> {
            let sums = x_btk.sum_dim_intlist([1, 2].as_slice(), false, Kind::Double).to_device(Device::Cpu);
            Vec::try_from(sums).map_err(|e: tch::TchError| Error::internal(e.to_string()))
        };
        Ok(Self { sums: of_windows(&(off_btk * &marked))?, counts: of_windows(&marked)? })
    }
}
