//! A row of the predictions of image classification, checked.

use tessera_datasets::Result;

use crate::rows::Rows;

/// How far above 0 rounding may push a log-probability, in nats.
const ROUNDING: f32 = 1e-3;
/// How far from 1 the probabilities of a row may be together: bfloat16 keeps eight bits.
const SLACK: f64 = 0.03;

/// What a model said about one image.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The row's id.
    pub id: &'a str,
    /// The class of the image, where it is known.
    pub label: Option<usize>,
    /// The class that the model says.
    pub prediction: usize,
    /// Natural logarithms of the probabilities of all classes.
    pub log_probabilities: &'a [f32],
}

impl Judged<'_> {
    /// The probability of the class that the model says, in single precision as torch computes it.
    pub fn confidence(&self) -> f32 {
        f64::from(self.log_probabilities[self.prediction]).exp() as f32
    }

    /// The probability of a class.
    pub fn probability(&self, class: usize) -> f64 {
        f64::from(self.log_probabilities[class]).exp()
    }

    /// How many classes the model finds more probable than this one.
    ///
    /// Of classes with the same probability the one that the model says comes first, then the one
    /// with the lower number. `torch.topk`, which timm's `accuracy` asks, leaves their order open.
    pub fn rank(&self, class: usize) -> usize {
        if class == self.prediction {
            return 0;
        }
        let own = self.log_probabilities[class];
        let before = |(other, p): (usize, &f32)| {
            *p > own || (*p == own && other != class && (other == self.prediction || other < class))
        };
        self.log_probabilities.iter().enumerate().filter(|pair| before(*pair)).count()
    }

    /// The most probable classes, at most this many, the most probable first.
    pub fn most_probable(&self, most: usize) -> Vec<usize> {
        let mut classes: Vec<usize> = (0..self.log_probabilities.len()).collect();
        classes.sort_by(|a, b| {
            let p = |class: usize| self.log_probabilities[class];
            p(*b).total_cmp(&p(*a)).then((*b == self.prediction).cmp(&(*a == self.prediction))).then(a.cmp(b))
        });
        classes.truncate(most);
        classes
    }
}

/// The rows of a batch.
///
/// # Errors
/// When a column is absent, a class is none of the classes, or the log-probabilities of a row are
/// none, or have their maximum elsewhere than at the prediction.
pub fn judged<'a>(rows: &Rows<'a>) -> Result<Vec<Judged<'a>>> {
    let ids = rows.strings("id")?;
    let (labels, predictions) = (rows.i64s("label")?, rows.i64s("prediction")?);
    let log_probabilities = rows.fixed_f32_lists("log_probabilities")?;
    let one = |row: usize| {
        let classes = log_probabilities[row].len();
        let class = |name: &str, value: i64| {
            let found = usize::try_from(value).ok().filter(|class| *class < classes);
            found.ok_or_else(|| rows.error(row, format!("`{name}` is {value}, and there are {classes} classes")))
        };
        let judged = Judged {
            id: ids.value(row),
            label: if labels[row] == -1 { None } else { Some(class("label", labels[row])?) },
            prediction: class("prediction", predictions[row])?,
            log_probabilities: log_probabilities[row],
        };
        match complaint(&judged) {
            None => Ok(judged),
            Some(complaint) => Err(rows.error(row, complaint)),
        }
    };
    (0..rows.len()).map(one).collect()
}

/// What is wrong with the log-probabilities of a row.
fn complaint(row: &Judged<'_>) -> Option<String> {
    let values = row.log_probabilities;
    if let Some((class, wrong)) = values.iter().enumerate().find(|(_, p)| p.is_nan() || **p > ROUNDING) {
        return Some(format!("the log-probability of class {class} is {wrong}: not the logarithm of a probability"));
    }
    let sum: f64 = values.iter().map(|p| f64::from(*p).exp()).sum();
    if (sum - 1.0).abs() > SLACK {
        return Some(format!("the probabilities of the classes add up to {sum:.3}, not to 1"));
    }
    let said = values[row.prediction];
    let better = values.iter().position(|p| *p > said)?;
    Some(format!(
        "`prediction` is {}, but class {better} is more probable ({} and {said} nats)",
        row.prediction, values[better]
    ))
}
