//! From values to places, and the ticks between them.

use tessera_datasets::console::thousands;

/// How values become places.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Linear,
    /// With ticks at the powers of this base: 2 or 10.
    Log(u32),
}

/// A scale from values to coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    kind: Kind,
    from: f64,
    to: f64,
    start: f64,
    end: f64,
}

/// A tick.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: String,
}

impl Scale {
    /// A linear scale over some values.
    pub fn linear(from: f64, to: f64) -> Self {
        let (from, to) = opened(from, to);
        Self { kind: Kind::Linear, from, to, start: 0.0, end: 1.0 }
    }

    /// A logarithmic scale over some values above 0, with ticks at the powers of 2 or 10.
    pub fn log(from: f64, to: f64, base: u32) -> Self {
        let from = from.max(f64::MIN_POSITIVE);
        let to = if to > from { to } else { from * 2.0 };
        Self { kind: Kind::Log(base), from, to, start: 0.0, end: 1.0 }
    }

    /// The same scale, widened until it begins and ends at a tick. Only linear scales are.
    #[must_use]
    pub fn nice(mut self, ticks: usize) -> Self {
        if self.kind == Kind::Linear {
            let step = nice_step(self.to - self.from, ticks);
            // a value that is almost at a tick needs no room beyond it
            self.from = (self.from / step + 1e-6).floor() * step;
            self.to = (self.to / step - 1e-6).ceil() * step;
        }
        self
    }

    /// The same scale onto these coordinates.
    #[must_use]
    pub fn onto(self, start: f64, end: f64) -> Self {
        Self { start, end, ..self }
    }

    /// Where a value is.
    pub fn at(&self, value: f64) -> f64 {
        let share = match self.kind {
            Kind::Linear => (value - self.from) / (self.to - self.from),
            Kind::Log(_) => (value.max(f64::MIN_POSITIVE) / self.from).ln() / (self.to / self.from).ln(),
        };
        self.start + share * (self.end - self.start)
    }

    /// Whether a value is on the scale.
    pub fn holds(&self, value: f64) -> bool {
        let slack = 1e-9 * (self.to - self.from).abs();
        value >= self.from - slack && value <= self.to + slack
    }

    /// `linear,0,10` or `log,1,64`: what the page's script needs to go back.
    pub(super) fn describe(&self) -> String {
        let kind = if self.kind == Kind::Linear { "linear" } else { "log" };
        format!("{kind},{},{}", self.from, self.to)
    }

    /// At most about this many ticks.
    pub(super) fn ticks(&self, most: usize) -> Vec<Tick> {
        let values = match self.kind {
            Kind::Linear => self.linear_ticks(most),
            Kind::Log(base) => self.log_ticks(base, most),
        };
        let step = match values.as_slice() {
            [a, b, ..] => b - a,
            _ => 0.0,
        };
        let tick = |value: f64| Tick {
            value,
            label: if self.kind == Kind::Linear { label(value, step) } else { label(value, 0.0) },
        };
        values.into_iter().map(tick).collect()
    }

    fn linear_ticks(&self, most: usize) -> Vec<f64> {
        let step = nice_step(self.to - self.from, most);
        let first = (self.from / step - 1e-6).ceil() as i64;
        let last = (self.to / step + 1e-6).floor() as i64;
        (first..=last).map(|i| i as f64 * step).collect()
    }

    fn log_ticks(&self, base: u32, most: usize) -> Vec<f64> {
        let base = f64::from(base);
        let first = (self.from.ln() / base.ln() - 1e-9).ceil() as i32;
        let last = (self.to.ln() / base.ln() + 1e-9).floor() as i32;
        let powers = (last - first + 1).max(0) as usize;
        if base == 10.0 && powers * 3 <= most + 2 {
            let steps = (first - 1..=last).flat_map(|e| [1.0, 2.0, 5.0].map(|m| m * 10_f64.powi(e)));
            return steps.filter(|v| self.holds(*v)).collect();
        }
        let every = powers.div_ceil(most.max(1)).max(1);
        (first..=last).step_by(every).map(|e| base.powi(e)).collect()
    }
}

/// An interval that is not empty.
fn opened(from: f64, to: f64) -> (f64, f64) {
    match from < to {
        true => (from, to),
        false => (from - 0.5 * from.abs().max(1.0), from + 0.5 * from.abs().max(1.0)),
    }
}

/// 1, 2 or 5 times a power of ten, so that about `count` steps cover the span (Heckbert, "Nice
/// numbers for graph labels", 1990).
fn nice_step(span: f64, count: usize) -> f64 {
    let raw = span / count.max(1) as f64;
    let power = 10_f64.powf(raw.log10().floor());
    let lead = raw / power;
    let nice = [1.0, 2.0, 5.0, 10.0].into_iter().find(|n| lead <= n * 1.0001).unwrap_or(10.0);
    nice * power
}

/// A tick's label, with the decimals that tell it from the next.
fn label(value: f64, step: f64) -> String {
    if value.abs() < 1e-12 * step.abs().max(1.0) {
        return "0".to_owned();
    }
    if value.abs() < 1e-2 && (step == 0.0 || step < 1e-2) {
        return power_of_ten(value);
    }
    if value.abs() >= 1e6 {
        let text = format!("{:.2}", value / 1e6);
        return text.trim_end_matches('0').trim_end_matches('.').to_owned() + " M";
    }
    let decimals = if step > 0.0 { (-step.log10().floor()).max(0.0) as usize } else { 0 };
    let text = match step > 0.0 || value.fract() == 0.0 {
        true => format!("{:.decimals$}", value.abs()),
        false => format!("{}", value.abs()),
    };
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), thousands);
    format!("{}{whole}{rest}", if value < 0.0 { "−" } else { "" })
}

/// `5·10⁻⁴`.
fn power_of_ten(value: f64) -> String {
    let exponent = (value.abs().log10() + 1e-9).floor() as i32;
    let mantissa = value / 10_f64.powi(exponent);
    let exponent = exponent.to_string();
    let digits = exponent.chars().map(|c| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        c => char::from_u32('⁰' as u32 + c.to_digit(10).unwrap_or(0)).unwrap_or(c),
    });
    let power = format!("10{}", digits.collect::<String>());
    let text = format!("{mantissa:.1}");
    match text.trim_end_matches(".0") {
        "1" => power,
        lead => format!("{lead}·{power}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, most: usize) -> Vec<String> {
        scale.ticks(most).into_iter().map(|t| t.label).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(labels(Scale::linear(1.3, 4.2).nice(5), 5), ["1", "2", "3", "4", "5"]);
        assert_eq!(labels(Scale::linear(0.0, 2000.0), 4), ["0", "500", "1,000", "1,500", "2,000"]);
        assert_eq!(labels(Scale::linear(0.0, 0.001), 4), ["0", "5·10⁻⁴", "10⁻³"]);
        assert_eq!(labels(Scale::linear(4.7, 5.0), 3), ["4.7", "4.8", "4.9", "5.0"]);
        assert_eq!(labels(Scale::linear(-1.0, 1.0), 2), ["−1", "0", "1"]);
        assert_eq!(labels(Scale::log(1.0, 64.0, 2), 8), ["1", "2", "4", "8", "16", "32", "64"]);
        assert_eq!(labels(Scale::log(1.0, 1024.0, 2), 6), ["1", "4", "16", "64", "256", "1,024"]);
        assert_eq!(labels(Scale::log(0.5, 30.0, 10), 8), ["0.5", "1", "2", "5", "10", "20"]);
    }

    #[test]
    fn places_lie_between_the_ends() {
        let scale = Scale::log(1.0, 100.0, 10).onto(0.0, 200.0);
        assert!((scale.at(10.0) - 100.0).abs() < 1e-9);
        let flat = Scale::linear(3.0, 3.0).onto(0.0, 10.0);
        assert_eq!(flat.at(3.0), 5.0);
        assert!(!Scale::linear(0.0, f64::MIN_POSITIVE).nice(5).at(0.0).is_infinite());
    }

    #[test]
    fn tiny_and_huge_spans_end() {
        for span in [1e-12, 1e-3, 1.0, 1e9] {
            assert!(Scale::linear(7.0, 7.0 + span).ticks(5).len() <= 8, "{span}");
        }
    }
}
