//! The random numbers of numpy's `default_rng(seed)`, draw for draw.
//!
//! sacrebleu takes its resamples from them, so its intervals and p-values can be had exactly: a
//! `SeedSequence` that spreads the seed, PCG64 (O'Neill, "PCG: a family of simple fast
//! space-efficient statistically good algorithms for random number generation", 2014; XSL-RR
//! 128/64), and Lemire's bounded integers ("Fast random integer generation in an interval", 2019).
//! numpy promises its bit generators and not its distributions, but these have stood since 1.17.

const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

/// The words that a seed is spread over.
const POOL: usize = 4;

/// A `Generator` of numpy.
#[derive(Clone, Debug)]
pub struct Generator {
    state: u128,
    increment: u128,
    /// The upper half of the last word, where only its lower half was used.
    half: Option<u32>,
}

impl Generator {
    /// `numpy.random.default_rng(seed)`.
    pub fn new(seed: u64) -> Self {
        let [state_high, state_low, increment_high, increment_low] = spread(seed);
        let wide = |high: u64, low: u64| u128::from(high) << 64 | u128::from(low);
        let mut out = Self { state: 0, increment: wide(increment_high, increment_low) << 1 | 1, half: None };
        out.step();
        out.state = out.state.wrapping_add(wide(state_high, state_low));
        out.step();
        out
    }

    /// Fills a row of `choice(n, size)`: numbers below `n`, which is 1 to 2^32.
    pub fn choose(&mut self, n: usize, out: &mut [usize]) {
        if n <= 1 {
            // no word is used where there is no choice
            return out.fill(0);
        }
        out.iter_mut().for_each(|slot| *slot = self.below(n as u64) as usize);
    }

    /// The next 64 flips of `integers(2, dtype=bool)`, the first in the lowest bit. Flips and choices
    /// must not come from one generator.
    ///
    pub fn flips(&mut self) -> u64 {
        debug_assert!(self.half.is_none(), "flips begin with a whole word");
        self.word()
    }

    /// The next 64 bits.
    pub fn word(&mut self) -> u64 {
        self.step();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        folded.rotate_right((self.state >> 122) as u32)
    }

    fn step(&mut self) {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
    }

    fn half_word(&mut self) -> u64 {
        let half = match self.half.take() {
            Some(half) => half,
            None => {
                let word = self.word();
                self.half = Some((word >> 32) as u32);
                word as u32
            }
        };
        u64::from(half)
    }

    fn below(&mut self, n: u64) -> u64 {
        const LOW: u64 = u32::MAX as u64;
        let mut product = self.half_word() * n;
        if (product & LOW) < n {
            let threshold = (1 << 32) % n;
            while (product & LOW) < threshold {
                product = self.half_word() * n;
            }
        }
        product >> 32
    }
}

/// `SeedSequence(seed).generate_state(4, uint64)`.
fn spread(seed: u64) -> [u64; 4] {
    let mut constant = 0x43b0_d7e5_u32;
    let mut hashed = |value: u32| {
        let value = value ^ constant;
        constant = constant.wrapping_mul(0x931e_8875);
        let value = value.wrapping_mul(constant);
        value ^ value >> 16
    };
    let mut pool = [seed as u32, (seed >> 32) as u32, 0, 0].map(&mut hashed);
    for from in 0..POOL {
        for to in (0..POOL).filter(|to| *to != from) {
            let mixed = pool[to].wrapping_mul(0xca01_f9dd).wrapping_sub(hashed(pool[from]).wrapping_mul(0x4973_f715));
            pool[to] = mixed ^ mixed >> 16;
        }
    }
    let mut constant = 0x8b51_f9dd_u32;
    let mut next = |index: usize| {
        let value = pool[index % POOL] ^ constant;
        constant = constant.wrapping_mul(0x58f3_8ded);
        let value = value.wrapping_mul(constant);
        u64::from(value ^ value >> 16)
    };
    [0, 1, 2, 3].map(|word| next(2 * word) | next(2 * word + 1) << 32)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Made by `make_translation.py` with numpy 2.4.6.
    const FIXTURE: &str = include_str!("../../tests/fixtures/numpy_random.json");

    #[test]
    fn draws_what_numpy_draws() {
        let fixture: Value = serde_json::from_str(FIXTURE).unwrap();
        for case in fixture["cases"].as_array().unwrap() {
            let seed = case["seed"].as_u64().unwrap();
            let mut raw = Generator::new(seed);
            for word in case["raw"].as_array().unwrap() {
                assert_eq!(raw.word().to_string(), word.as_str().unwrap());
            }
            for (n, expected) in case["choice"].as_object().unwrap() {
                let expected: Vec<Vec<usize>> = serde_json::from_value(expected.clone()).unwrap();
                let mut generator = Generator::new(seed);
                for row in expected {
                    let mut drawn = vec![0; row.len()];
                    generator.choose(n.parse().unwrap(), &mut drawn);
                    assert_eq!(drawn, row, "choice of {n}, seed {seed}");
                }
            }
            let expected: Vec<Vec<u64>> = serde_json::from_value(case["flips"].clone()).unwrap();
            let mut generator = Generator::new(seed);
            let words: Vec<u64> = (0..3).map(|_| generator.flips()).collect();
            let flips = expected.concat();
            let ours: Vec<u64> = (0..flips.len()).map(|i| words[i / 64] >> (i % 64) & 1).collect();
            assert_eq!(ours, flips);
        }
    }
}
