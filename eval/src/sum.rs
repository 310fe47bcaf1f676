//! Sums that do not depend on the order of their terms.

/// A sum in twice the precision of `f64`.
///
/// It keeps what every addition rounds away (Knuth's two-sum): the relative error of a sum of
/// positive terms is near 2^-100, so its value is the same in whatever order and in however many
/// parts the terms were added. See Ogita, Rump and Oishi, "Accurate sum and dot product",
/// 2005.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    /// Adds a term.
    pub fn add(&mut self, term: f64) {
        let (sum, lost) = two_sum(self.high, term);
        let low = self.low + lost;
        self.high = sum + low;
        self.low = low - (self.high - sum);
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Self) {
        self.add(other.high);
        self.add(other.low);
    }

    /// The sum, rounded once.
    pub fn value(&self) -> f64 {
        self.high + self.low
    }
}

impl From<f64> for Sum {
    fn from(term: f64) -> Self {
        Self { high: term, low: 0.0 }
    }
}

/// The rounded sum and what the rounding lost.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    let a_part = sum - b_part;
    (sum, (a - a_part) + (b - b_part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_what_plain_addition_loses() {
        let mut sum = Sum::default();
        let plain: f64 = [1e16, 1.0, -1e16].iter().sum();
        [1e16, 1.0, -1e16].iter().for_each(|x| sum.add(*x));
        assert_eq!(plain, 0.0);
        assert_eq!(sum.value(), 1.0);
    }

    proptest! {
        #[test]
        fn order_and_parts_do_not_matter(mut terms in prop::collection::vec(0.0..1e4_f64, 0..200), cut in 0_usize..200) {
            let of = |terms: &[f64]| terms.iter().fold(Sum::default(), |mut s, x| { s.add(*x); s });
            let whole = of(&terms).value();
            let cut = cut.min(terms.len());
            let mut parts = of(&terms[..cut]);
            parts.merge(&of(&terms[cut..]));
            prop_assert_eq!(parts.value(), whole);
            terms.reverse();
            prop_assert_eq!(of(&terms).value(), whole);
        }
    }
}
