//! Numbers as a person reads them: no digit that means nothing, no digit too few.

use tessera_datasets::console::{bytes, duration, thousands};

use crate::bootstrap::Interval;

/// A narrow space that does not break, between a number and its unit.
const THIN: char = '\u{202f}';

/// How a number is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `1,234,567`.
    Count,
    /// `10.8 M`.
    Compact,
    /// `1.5 MiB`.
    Bytes,
    /// `3 min 05 s`.
    Duration,
    /// `54.2 %` of a fraction.
    Percent,
    /// Three significant digits.
    Short,
    /// Four significant digits, for losses that are compared.
    Fine,
    /// Two decimals, or two digits where that would be nothing: the loss of a token.
    Nats,
    /// Three decimals, for the probability of a chance.
    Chance,
    /// As it was given, for settings such as a temperature.
    Plain,
}

impl Style {
    /// The style of a name that templates use.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "count" => Self::Count,
            "compact" => Self::Compact,
            "bytes" => Self::Bytes,
            "duration" => Self::Duration,
            "percent" => Self::Percent,
            "short" => Self::Short,
            "fine" => Self::Fine,
            "nats" => Self::Nats,
            "chance" => Self::Chance,
            "plain" => Self::Plain,
            _ => return None,
        })
    }

    /// The number in this style.
    pub fn show(self, value: f64) -> String {
        match self {
            _ if !value.is_finite() => "–".to_owned(),
            Self::Count => count(value),
            Self::Compact => compact(value),
            Self::Bytes => bytes(value.max(0.0) as u64),
            Self::Duration => duration(value.max(0.0)),
            Self::Percent => percent(value),
            Self::Chance => chance(value),
            Self::Short => significant(value, 3),
            Self::Fine => significant(value, 4),
            Self::Nats if value.abs() < 0.001 => "<0.001".to_owned(),
            Self::Nats if value.abs() >= 0.1 => format!("{value:.2}"),
            Self::Nats => significant(value, 2),
            Self::Plain => value.to_string(),
        }
    }
}

/// A whole number with separators, `-` where it is below 0.
fn count(value: f64) -> String {
    let sign = if value <= -0.5 { "-" } else { "" };
    format!("{sign}{}", thousands(value.abs().round() as u64))
}

/// `950`, `10.8 M`, `1.50 G`.
pub fn compact(value: f64) -> String {
    for (unit, name) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")] {
        if value.abs() >= unit {
            let unit = if name == "k" { 1e3 } else { unit };
            return format!("{}{THIN}{name}", significant(value / unit, 3));
        }
    }
    match value.fract() == 0.0 {
        true => count(value),
        false => significant(value, 3),
    }
}

/// `54.2 %` of a fraction; more digits near 0, where they matter.
pub fn percent(fraction: f64) -> String {
    let value = 100.0 * fraction;
    let text = match value.abs() {
        v if v == 0.0 || v >= 9.995 => format!("{value:.1}"),
        v if v >= 0.095 => format!("{value:.2}"),
        _ => significant(value, 2),
    };
    format!("{text}{THIN}%")
}

/// A probability where space is short: `>99 %`, `43 %`, `0.3 %`, `<0.1 %`.
pub fn probability(p: f64) -> String {
    match 100.0 * p {
        v if (99.5..100.0).contains(&v) => format!(">99{THIN}%"),
        v if v >= 9.95 => format!("{v:.0}{THIN}%"),
        v if v >= 0.1 => format!("{v:.1}{THIN}%"),
        _ => format!("<0.1{THIN}%"),
    }
}

/// `0.031`, `<0.001`: a p-value.
pub fn chance(p: f64) -> String {
    match p < 0.0005 {
        true => "<0.001".to_owned(),
        false => format!("{p:.3}"),
    }
}

/// A number with this many significant digits; below 1/1,000 in powers of ten.
pub fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return "–".to_owned();
    }
    let exponent = exponent_of(value, digits);
    match exponent {
        ..=-4 => {
            let mantissa = value / 10_f64.powi(exponent);
            let text = format!("{mantissa:.*}", digits - 1);
            format!("{}e{exponent}", trim(&text))
        }
        _ if value.abs() >= 1e4 => count(value),
        _ => {
            let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
            format!("{value:.decimals$}")
        }
    }
}

/// The power of ten of the first digit, after rounding to `digits`.
fn exponent_of(value: f64, digits: usize) -> i32 {
    let written = format!("{:.*e}", digits.saturating_sub(1), value.abs());
    written.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0)
}

fn trim(text: &str) -> &str {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text,
    }
}

/// A value and the ends of its interval with as many decimals as the interval allows: none where
/// it is four significant digits of the value alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The value.
    pub value: String,
    /// The lower end and the upper end.
    pub interval: Option<(String, String)>,
}

/// Shows a value with its interval. The decimals follow the rule of the Particle Data Group (Review
/// of Particle Physics, introduction, 5.3): two digits of the half-width where its first three are
/// below 355, else one. A `fraction` is shown in per cent.
pub fn with_interval(value: f64, interval: Option<&Interval>, unit: &str) -> Shown {
    let (scale, suffix) = if unit == "fraction" { (100.0, format!("{THIN}%")) } else { (1.0, String::new()) };
    let half = interval.map(|i| scale * (i.high - i.low) / 2.0).filter(|half| half.is_finite() && *half > 0.0);
    let show = |x: f64| match half.map(decimals) {
        Some(decimals) => grouped(&format!("{:.decimals$}", scale * x)) + &suffix,
        None => significant(scale * x, 4) + &suffix,
    };
    Shown { value: show(value), interval: interval.map(|i| (show(i.low), show(i.high))) }
}

fn decimals(half_width: f64) -> usize {
    let exponent = half_width.log10().floor() as i32;
    let lead = (half_width / 10_f64.powi(exponent) * 100.0).round();
    let digits = if lead < 355.0 { 2 } else { 1 };
    (digits - 1 - exponent).clamp(0, 12) as usize
}

fn grouped(text: &str) -> String {
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    match whole.parse::<u64>() {
        Ok(whole) if whole >= 10_000 => thousands(whole) + rest,
        _ => text.to_owned(),
    }
}

/// A label as it stands within a sentence: `perplexity per token`, but `BLEU` and `chrF2`.
pub fn within(label: &str) -> String {
    let word = label.split(' ').next().unwrap_or_default();
    match word.chars().skip(1).all(|c| c.is_lowercase() || c.is_ascii_digit() || c == '-') {
        true => label.chars().take(1).flat_map(char::to_lowercase).chain(label.chars().skip(1)).collect(),
        false => label.to_owned(),
    }
}

/// Seconds since 1970 as `2026-01-31 09:05 UTC` (Howard Hinnant, "chrono-compatible low-level date
/// algorithms", civil_from_days).
pub fn utc(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + 400 * era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", rest / 3600, rest % 3600 / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(low: f64, high: f64) -> Interval {
        Interval { low, high, confidence: 0.95, method: "test" }
    }

    #[test]
    fn the_interval_decides_the_decimals() {
        let shown = |value, low, high, unit| with_interval(value, Some(&interval(low, high)), unit);
        assert_eq!(shown(4.85312, 4.762, 4.944, "").value, "4.85");
        assert_eq!(shown(4.85312, 4.762, 4.944, "").interval, Some(("4.76".into(), "4.94".into())));
        assert_eq!(shown(1.57964, 1.5601, 1.5989, "").value, "1.580");
        assert_eq!(shown(123.4, 80.0, 170.0, "").value, "123");
        assert_eq!(shown(123_456.0, 123_000.0, 124_000.0, "").value, "123,456");
        assert_eq!(shown(0.5421, 0.539, 0.5452, "fraction").value, "54.21\u{202f}%");
        // an interval of no width says nothing about decimals
        assert_eq!(shown(2.0, 2.0, 2.0, "").value, "2.000");
        assert_eq!(with_interval(4.85312, None, "").value, "4.853");
    }

    #[test]
    fn significant_digits() {
        let cases = [
            (0.0, "0"),
            (9.996, "10.0"),
            (0.012345, "0.0123"),
            (0.0001, "1e-4"),
            (3e-5, "3e-5"),
            (9.999e-5, "1e-4"),
            (0.00123, "0.00123"),
            (-1.5, "-1.50"),
            (12345.6, "12,346"),
            (f64::NAN, "–"),
        ];
        for (value, expected) in cases {
            assert_eq!(significant(value, 3), expected, "{value}");
        }
    }

    #[test]
    fn amounts() {
        assert_eq!(compact(10_788_929.0), "10.8\u{202f}M");
        assert_eq!(compact(950.0), "950");
        assert_eq!(compact(9_999.0), "9,999");
        assert_eq!(compact(12_345.0), "12.3\u{202f}k");
        assert_eq!(percent(0.5421), "54.2\u{202f}%");
        assert_eq!(percent(0.0031), "0.31\u{202f}%");
        assert_eq!(percent(0.000031), "0.0031\u{202f}%");
        assert_eq!(percent(0.0), "0.0\u{202f}%");
        assert_eq!(probability(0.431), "43\u{202f}%");
        assert_eq!(probability(0.9971), ">99\u{202f}%");
        assert_eq!(probability(0.0001), "<0.1\u{202f}%");
        assert_eq!(Style::Count.show(-1234.0), "-1,234");
        assert_eq!([0.0001, 0.000_999, 0.0595, 1.0].map(chance), ["<0.001", "0.001", "0.059", "1.000"]);
    }

    #[test]
    fn names_keep_their_capitals() {
        assert_eq!(
            ["Perplexity per token", "BLEU", "chrF2++", "TER", "Top-1 accuracy", "Calibration error (ECE)", ""]
                .map(within),
            ["perplexity per token", "BLEU", "chrF2++", "TER", "top-1 accuracy", "calibration error (ECE)", ""]
        );
    }

    #[test]
    fn dates() {
        // from GNU date 9.1: date -u -d @N
        assert_eq!(utc(0), "1970-01-01 00:00 UTC");
        assert_eq!(utc(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(utc(1_767_225_599), "2025-12-31 23:59 UTC");
    }
}
