//! From statistics to chrF.

use super::{Chrf, Counts};

/// What stands for a precision or recall of nothing in the smoothed variant.
const EPSILON: f64 = 1e-16;

/// chrF of some orders, from 0 to 100. `round` is applied after every operation.
///
/// Precision and recall are averaged over the orders that hypothesis and reference have, and the
/// F-score is taken of the averages. With `epsilon_smoothing` it is the F-score that is averaged,
/// over all orders, as in chrF++.py, Moses and NLTK.
pub(super) fn f_score(chrf: &Chrf, orders: &[Counts], round: fn(f64) -> f64) -> f64 {
    let factor = f64::from(chrf.beta * chrf.beta);
    let f_of = |precision: f64, recall: f64| {
        let below = round(round(factor * precision) + recall);
        let above = round(round((1.0 + factor) * precision) * recall);
        (above, below)
    };
    let (mut f_sum, mut precision_sum, mut recall_sum, mut counted) = (0.0, 0.0, 0.0, 0.0);
    for order in orders {
        let over = |whole: u64| if whole > 0 { round(order.matches as f64 / whole as f64) } else { EPSILON };
        let (precision, recall) = (over(order.hypothesis), over(order.reference));
        let (above, below) = f_of(precision, recall);
        f_sum = round(f_sum + if below > 0.0 { round(above / below) } else { EPSILON });
        if order.hypothesis > 0 && order.reference > 0 {
            precision_sum = round(precision_sum + precision);
            recall_sum = round(recall_sum + recall);
            counted += 1.0;
        }
    }
    if chrf.epsilon_smoothing {
        return round(round(100.0 * f_sum) / orders.len() as f64);
    }
    if counted == 0.0 {
        return 0.0;
    }
    let (above, below) = f_of(round(precision_sum / counted), round(recall_sum / counted));
    if below == 0.0 { 0.0 } else { round(100.0 * round(above / below)) }
}
