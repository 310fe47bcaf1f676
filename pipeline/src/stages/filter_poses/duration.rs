//! Durations in configs.

use serde::Deserialize;
use tessera_datasets::Result;

use super::Animal;

/// A time: seconds, `0.15`, or frames, `"10 frames"`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Given")]
pub(super) enum Duration {
    Seconds(f64),
    Frames(u32),
}

/// As it stands in the config.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Number(f64),
    Words(String),
}

impl TryFrom<Given> for Duration {
    type Error = String;

    fn try_from(given: Given) -> std::result::Result<Self, String> {
        let form = "a duration is seconds, such as `0.15`, or frames, such as `\"10 frames\"`";
        match given {
            Given::Number(seconds) if seconds.is_finite() && seconds >= 0.0 => Ok(Self::Seconds(seconds)),
            Given::Number(seconds) => Err(format!("`{seconds}` is no duration; {form}")),
            Given::Words(words) => match words.split_once(' ') {
                Some((number, "frame" | "frames")) => {
                    number.parse().map(Self::Frames).map_err(|_| format!("`{words}` is no duration; {form}"))
                }
                _ => Err(format!("`{words}` is no duration; {form}")),
            },
        }
    }
}

impl Duration {
    /// How many frames that is, rounded.
    ///
    /// # Errors
    /// When it is in seconds and nobody says how many frames they have; the message has the key.
    pub(super) fn frames(self, animal: &Animal<'_>, frames_per_second: Option<f64>, key: &str) -> Result<u64> {
        match self {
            Self::Frames(frames) => Ok(frames.into()),
            Self::Seconds(0.0) => Ok(0),
            Self::Seconds(seconds) => {
                let error = |e: tessera_datasets::Error| e.hint(format!("or count frames: `{key} = \"10 frames\"`"));
                let rate = animal.needs_frames_per_second(frames_per_second, key).map_err(error)?;
                Ok((seconds * rate).round() as u64)
            }
        }
    }
}
