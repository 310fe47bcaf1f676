//! Why bytes are not taken for an image.

use std::fmt;

/// Why bytes are not taken for an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// They start like none of the formats.
    NotAnImage,
    /// The file ends before the image does.
    Truncated,
    /// More pixels than the limit; nothing was decoded.
    TooManyPixels {
        /// The width that the header states.
        width: u32,
        /// The height that the header states.
        height: u32,
    },
    /// A form of the format that is not decoded; what it is.
    Unsupported(String),
    /// The bytes contradict the format; how.
    Corrupt(String),
}

impl Refusal {
    /// The reason in a few words, under which such rows are counted.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotAnImage => "not an image",
            Self::Truncated => "truncated image",
            Self::TooManyPixels { .. } => "too many pixels",
            Self::Unsupported(_) => "unsupported image",
            Self::Corrupt(_) => "corrupt image",
        }
    }

    /// What is special about this image, for a sample; empty where the reason says it all.
    pub fn excerpt(&self) -> String {
        match self {
            Self::NotAnImage | Self::Truncated => String::new(),
            Self::TooManyPixels { width, height } => format!("{width} × {height}"),
            Self::Unsupported(what) | Self::Corrupt(what) => what.clone(),
        }
    }

    pub(super) fn corrupt(what: impl fmt::Display) -> Self {
        Self::Corrupt(what.to_string())
    }

    pub(super) fn unsupported(what: impl fmt::Display) -> Self {
        Self::Unsupported(what.to_string())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())?;
        match self.excerpt() {
            excerpt if excerpt.is_empty() => Ok(()),
            excerpt => write!(f, ": {excerpt}"),
        }
    }
}

impl std::error::Error for Refusal {}
