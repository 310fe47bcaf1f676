//! What BLEU does about n-gram orders without a match.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use tessera_datasets::Error;

/// Smoothing of precisions (Chen and Cherry, "A systematic comparison of smoothing techniques for
/// sentence-level BLEU", 2014).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Smoothing {
    /// The first order without a match counts as half a match, the next as a quarter, and so on, as
    /// mteval does (method 3).
    #[default]
    Exponential,
    /// An order without a match counts as this many (method 1).
    Floor(f64),
    /// This many are added to matches and totals of every order but the first (method 2).
    Add(f64),
    /// None: a corpus without a match of some order has a BLEU of 0.
    None,
}

/// The name of a smoothing, before it has its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// [`Smoothing::Exponential`].
    #[default]
    Exp,
    /// [`Smoothing::Floor`].
    Floor,
    /// [`Smoothing::Add`].
    AddK,
    /// [`Smoothing::None`].
    None,
}

impl Method {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Exp, Self::Floor, Self::AddK, Self::None];

    /// The name in signatures, configs and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exp => "exp",
            Self::Floor => "floor",
            Self::AddK => "add-k",
            Self::None => "none",
        }
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|method| method.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(|method| format!("`{}`", method.name()));
            Error::input(format!("unknown smoothing `{name}`; known: {}", known.join(", ")))
        })
    }
}

impl Smoothing {
    /// A smoothing with a value, or with the usual one: 0.1 of `floor`, 1 of `add-k`.
    ///
    /// # Errors
    /// When the method has no value and one is given, or it is not above 0.
    pub fn new(method: Method, value: Option<f64>) -> Result<Self, Error> {
        if let Some(value) = value.filter(|value| !value.is_finite() || *value <= 0.0) {
            return Err(Error::input(format!("the value of a smoothing is {value}, not a number above 0")));
        }
        match (method, value) {
            (Method::Exp, None) => Ok(Self::Exponential),
            (Method::None, None) => Ok(Self::None),
            (Method::Floor, value) => Ok(Self::Floor(value.unwrap_or(0.1))),
            (Method::AddK, value) => Ok(Self::Add(value.unwrap_or(1.0))),
            (method, Some(value)) => {
                let message = format!("smoothing `{}` takes no value, and {value} is given", method.name());
                Err(Error::input(message).hint("only `floor` and `add-k` have one"))
            }
        }
    }

    /// The precision in per cent of an order.
    ///
    /// `zeros` is how many orders had no match so far, this one included; `over` divides.
    pub(super) fn precision(self, matches: f64, total: f64, zeros: i32, over: fn(f64, f64) -> f64) -> f64 {
        match self {
            _ if matches > 0.0 => over(100.0 * matches, total),
            Self::Exponential => over(100.0, 2_f64.powi(zeros) * total),
            Self::Floor(value) => over(100.0 * value, total),
            Self::Add(_) | Self::None => 0.0,
        }
    }
}

impl fmt::Display for Smoothing {
    /// As in a signature: `exp`, `floor[0.10]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exponential => f.write_str("exp"),
            Self::Floor(value) => write!(f, "floor[{value:.2}]"),
            Self::Add(value) => write!(f, "add-k[{value:.2}]"),
            Self::None => f.write_str("none"),
        }
    }
}
