//! What stages that work on translations know of languages.

use std::collections::HashSet;

use tessera_datasets::Result;
use tessera_datasets::config::Section;

/// Whether a language can be called so: `en`, `zh-Hans`, `pt_br`. It becomes a column and a part of
/// file names.
fn is_language(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(plain)
}

/// Refuses names that are none, and languages that stand there twice.
///
/// # Errors
/// At the first of them.
pub(super) fn check_languages(section: &Section, key: &str, languages: &[String]) -> Result<()> {
    let mut known = HashSet::new();
    for language in languages {
        if !is_language(language) {
            let message = format!("`{language}` is no name for a language: use letters, digits, `-` and `_`");
            return Err(section.error(key, message).hint("for example `en` or `zh-Hans`"));
        }
        if !known.insert(language) {
            return Err(section.error(key, format!("`{key}` has `{language}` twice")));
        }
    }
    Ok(())
}
