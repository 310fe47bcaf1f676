//! The 256 characters that stand for the 256 bytes in a byte-level vocabulary.

/// The character that stands for `byte`, after GPT-2's `bytes_to_unicode`.
///
/// Printable bytes of Latin-1 stand for themselves; the other 68, in ascending order, take the
/// code points from 256 on, so that a vocabulary is readable and free of spaces and controls.
pub(super) fn character(byte: u8) -> char {
    match byte {
        // 33 unprintable bytes before `!`, then the delete character to the no-break space, then
        // the soft hyphen
        0..=32 => shifted(byte),
        127..=160 => shifted(byte - 127 + 33),
        173 => shifted(67),
        _ => char::from(byte),
    }
}

/// The `rank`-th character past Latin-1.
fn shifted(rank: u8) -> char {
    char::from_u32(256 + u32::from(rank)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The bytes in the order in which Hugging Face numbers them: by the character that stands for each.
pub(super) fn bytes_in_order() -> [u8; 256] {
    let mut bytes: [u8; 256] = std::array::from_fn(|byte| byte as u8);
    bytes.sort_unstable_by_key(|&byte| character(byte));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_characters_of_gpt2() {
        for (byte, expected) in [
            (b' ', 'Ġ'),
            (b'\n', 'Ċ'),
            (b'\t', 'ĉ'),
            (0, 'Ā'),
            (b'!', '!'),
            (b'~', '~'),
            (127, 'ġ'),
            (160, 'ł'),
            (161, '¡'),
            (172, '¬'),
            (173, 'Ń'),
            (174, '®'),
            (255, 'ÿ'),
        ] {
            assert_eq!(character(byte), expected, "byte {byte}");
        }
    }

    #[test]
    fn each_byte_has_a_character_of_its_own() {
        let characters: std::collections::BTreeSet<char> = (0..=255).map(character).collect();
        assert_eq!(characters.len(), 256);
        assert_eq!(characters.last(), Some(&'\u{143}'));
    }

    #[test]
    fn order_starts_with_printable_ascii_and_ends_with_the_soft_hyphen() {
        let order = bytes_in_order();
        assert_eq!(order[..3], *b"!\"#");
        assert_eq!(order[188], 0);
        assert_eq!(order[255], 173);
    }
}
