//! What the network shows about some windows.

use tessera_datasets::Result;

use super::data::PoseData;
use super::network::Exhibit;
use super::task::PoseTask;
use crate::output::Explanation;
use crate::task::{Predict, Task};

/// Writes the exhibits of some rows.
pub(super) fn explain(task: &PoseTask, request: &Predict, data: &PoseData) -> Result<()> {
    let mut explanations = Vec::new();
    for row in chosen(data, request.explain) {
        let windows = data.tensors(&[row])?.to_device(task.device);
        for exhibit in task.network.explain(&windows.poses())? {
            let Exhibit { name, shape, row_labels, column_labels, values } = exhibit;
            explanations.push(Explanation {
                id: data.id(row).to_owned(),
                name,
                row_labels,
                column_labels,
                shape,
                values,
            });
        }
    }
    Explanation::write_all(&explanations, request, &task.details(), task.dataset.manifest())
}

/// So many rows in order, of as many corruptions as possible, and those of one corruption spread
/// evenly.
fn chosen(data: &PoseData, count: usize) -> Vec<usize> {
    let corruptions = data.corruptions();
    let mut out = Vec::new();
    for (place, corruption) in corruptions.iter().enumerate() {
        let rows: Vec<usize> = (0..data.len()).filter(|row| data.corruption(*row) == corruption).collect();
        let wanted = count / corruptions.len() + usize::from(place < count % corruptions.len());
        let wanted = wanted.min(rows.len());
        out.extend((0..wanted).map(|number| rows[(2 * number + 1) * rows.len() / (2 * wanted)]));
    }
    out.sort_unstable();
    out
}
