//! What the network shows about some rows and about itself.

use tch::Tensor;
use tessera_datasets::Result;

use super::chosen::Verdict;
use super::network::Exhibit;
use super::task::ClassificationTask;
use crate::images::{EvaluationImages, ImageData};
use crate::output::Explanation;
use crate::task::{Predict, Task};

/// The id under which a model explains itself.
const MODEL: &str = "model";

/// Writes the exhibits of some rows, and those of the model itself.
pub(super) fn explain(
    task: &ClassificationTask,
    request: &Predict,
    data: &ImageData,
    verdicts: &[Verdict],
    rows: &[usize],
) -> Result<()> {
    let mut reader = EvaluationImages::new(data, task.preparation, 1);
    let (mut images, mut explanations) = (Vec::new(), Vec::new());
    for row in rows {
        let image_1chw = reader.image(*row)?.to_device(task.device);
        let exhibits = task.network.explain(&image_1chw, verdicts[*row].prediction)?;
        explanations.extend(exhibits.into_iter().map(|exhibit| of(data.id(*row), exhibit)));
        images.push(image_1chw);
    }
    if !images.is_empty() {
        let portrait = task.network.portrait(&Tensor::cat(&images, 0))?;
        explanations.extend(portrait.into_iter().map(|exhibit| of(MODEL, exhibit)));
    }
    Explanation::write_all(&explanations, request, &task.details(), task.dataset.manifest())
}

fn of(id: &str, exhibit: Exhibit) -> Explanation {
    let Exhibit { name, shape, row_labels, column_labels, values } = exhibit;
    Explanation { id: id.to_owned(), name, row_labels, column_labels, shape, values }
}
