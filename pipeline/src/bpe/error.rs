//! What can be wrong with a request for a vocabulary.

/// Why a vocabulary cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The wished size leaves no room for what every byte-level vocabulary holds.
    #[error("vocabulary size `{size}` is too small: {special_tokens} special tokens and 256 bytes need `{needed}`")]
    VocabularyTooSmall {
        /// The size that was asked for, in tokens.
        size: usize,
        /// How many special tokens were asked for.
        special_tokens: usize,
        /// The smallest size that would do, in tokens.
        needed: usize,
    },
    /// The wished size needs token ids beyond 32 bits.
    #[error("vocabulary size `{size}` is too large: token ids have 32 bits")]
    VocabularyTooLarge {
        /// The size that was asked for, in tokens.
        size: usize,
    },
    /// A special token is the empty string, which would match everywhere.
    #[error("a special token is empty")]
    EmptySpecialToken,
    /// The same special token was asked for twice, so it would need two ids.
    #[error("special token `{token}` is given twice")]
    RepeatedSpecialToken {
        /// The token.
        token: String,
    },
    /// A special token is spelled like a single byte or character of the vocabulary.
    #[error("special token `{token}` is already a symbol of the alphabet")]
    SpecialTokenInAlphabet {
        /// The token.
        token: String,
    },
    /// The distinct words are too long in all for 32-bit positions.
    #[error("the distinct words hold more than `{limit}` bytes in all; train on a sample, or lower the longest word")]
    TooManyBytes {
        /// How many bytes of distinct words the trainer can hold.
        limit: usize,
    },
    /// The counts are too large: some pair could occur more than 2^64 times.
    #[error("the counts of the words add up to more than 64 bits can hold")]
    CountsTooLarge,
}
