//! Coordinates from text and back.

use super::cells;
use crate::pose::{MISSING, Skeleton};
use crate::{Error, Result};

/// What a cell says of a coordinate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell {
    /// Where it is.
    At(f32),
    /// The same, and before scaling it was what stands for missing if all coordinates are that.
    Sentinel(f32),
    /// Nothing.
    Missing,
    /// A number that no position can be.
    Infinite,
}

/// The text is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotANumber;

/// By how much coordinates in a file are multiplied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale(Option<f64>);

impl Scale {
    pub(super) const NONE: Self = Self(None);

    pub(super) fn of(skeleton: &Skeleton) -> Self {
        // without a factor the text of an f32 is read as one, to the bit
        Self(skeleton.scale.filter(|scale| *scale != 1.0))
    }

    pub(super) fn parse(self, text: &[u8]) -> Result<Cell, NotANumber> {
        let text = text.trim_ascii();
        let text = std::str::from_utf8(text).map_err(|_| NotANumber)?;
        let (raw, value) = match self.0 {
            None => {
                let value: Result<f32, _> = text.parse();
                (value.clone().map(f64::from), value)
            }
            Some(scale) => {
                let raw: Result<f64, _> = text.parse();
                (raw.clone(), raw.map(|raw| (raw * scale) as f32))
            }
        };
        match (raw, value) {
            (Ok(_), Ok(value)) if value.is_nan() => Ok(Cell::Missing),
            (Ok(_), Ok(value)) if value.is_infinite() => Ok(Cell::Infinite),
            (Ok(raw), Ok(value)) if raw == f64::from(MISSING) => Ok(Cell::Sentinel(value)),
            (Ok(_), Ok(value)) => Ok(Cell::At(value)),
            _ if is_missing(text.as_bytes()) => Ok(Cell::Missing),
            _ => Err(NotANumber),
        }
    }

    /// Writes a short text that [`Scale::parse`] reads as this value.
    pub(super) fn write(self, out: &mut String, value: f32) {
        let Some(scale) = self.0 else {
            return cells::write(out, format_args!("{value}"));
        };
        let (exact, start) = (f64::from(value) / scale, out.len());
        // an f32 has at most nine digits that matter, and so has what a factor makes of it
        let magnitude = if exact == 0.0 { 0 } else { exact.abs().log10().floor() as i32 };
        for digits in 7..=9 {
            let decimals = usize::try_from(digits - 1 - magnitude).unwrap_or(0);
            cells::write(out, format_args!("{exact:.decimals$}"));
            if out[start..].contains('.') {
                out.truncate(out.trim_end_matches('0').trim_end_matches('.').len());
            }
            let back = self.parse(&out.as_bytes()[start..]);
            if matches!(back, Ok(Cell::At(same) | Cell::Sentinel(same)) if same == value) {
                return;
            }
            out.truncate(start);
        }
        cells::write(out, format_args!("{exact}"));
    }

    /// Refuses a point whose text would mean that it is missing.
    pub(super) fn refuse_missing(self, point: [f32; 3]) -> Result<()> {
        let is_missing = |value: f32| {
            let mut text = String::new();
            self.write(&mut text, value);
            matches!(self.parse(text.as_bytes()), Ok(Cell::Sentinel(_)))
        };
        // hardly ever more than the first comparison
        let near = |value: f32| (f64::from(value) / self.0.unwrap_or(1.0) - f64::from(MISSING)).abs() < 0.01;
        match point.into_iter().all(near) && point.into_iter().all(is_missing) {
            true => Err(Error::input(format!("a position that is written as {MISSING} would be read as missing"))),
            false => Ok(()),
        }
    }
}

/// Whether a cell says that there is nothing, in the words that pandas understands.
pub(super) fn is_missing(text: &[u8]) -> bool {
    matches!(
        text,
        b"" | b"NaN" | b"nan" | b"NA" | b"N/A" | b"n/a" | b"<NA>" | b"#N/A" | b"#NA" | b"NULL" | b"null" | b"None"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_reads_back_as_the_same_number(value in prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL, scale in 1e-3..1e3_f64) {
            for scale in [Scale(None), Scale(Some(scale)), Scale(Some(1000.0))] {
                if f64::from(value).abs() > 1e30 {
                    continue;
                }
                let mut text = String::new();
                scale.write(&mut text, value);
                let back = scale.parse(text.as_bytes());
                prop_assert!(matches!(back, Ok(Cell::At(same) | Cell::Sentinel(same)) if same == value), "{text}: {back:?}");
            }
        }
    }

    #[test]
    fn cells_are_what_pandas_takes_them_for() {
        let plain = Scale(None);
        for (text, cell) in [
            (" 1.5 ", Cell::At(1.5)),
            ("-2e-3", Cell::At(-0.002)),
            ("", Cell::Missing),
            ("NaN", Cell::Missing),
            ("-nan", Cell::Missing),
            ("<NA>", Cell::Missing),
            ("inf", Cell::Infinite),
            ("-Infinity", Cell::Infinite),
            ("1e39", Cell::Infinite),
            ("-4668", Cell::Sentinel(-4668.0)),
            ("-4668.0", Cell::Sentinel(-4668.0)),
        ] {
            assert_eq!(plain.parse(text.as_bytes()), Ok(cell), "{text}");
        }
        for text in ["x", "1,5", "0x1", "1 2", "\u{b2}"] {
            assert_eq!(plain.parse(text.as_bytes()), Err(NotANumber), "{text}");
        }
        assert_eq!(Scale(Some(1000.0)).parse(b"-4668"), Ok(Cell::Sentinel(-4_668_000.0)));
        assert_eq!(Scale(Some(1000.0)).parse(b"0.0123"), Ok(Cell::At(12.3)));
    }

    #[test]
    fn a_number_is_written_in_the_unit_of_the_file() {
        let mut text = String::new();
        Scale(Some(1000.0)).write(&mut text, 12.3);
        assert_eq!(text, "0.0123");
        assert!(Scale(None).refuse_missing([MISSING; 3]).is_err());
        assert!(Scale(None).refuse_missing([MISSING, MISSING, 0.0]).is_ok());
        assert!(Scale(Some(1000.0)).refuse_missing([-4_668_000.0; 3]).is_err());
    }
}
