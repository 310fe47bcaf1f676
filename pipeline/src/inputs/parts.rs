//! Raw files to parts of work.

use std::ops::Range;

use serde_json::{Value, json};

use crate::stage::Part;

/// How many skipped files are named.
const NAMED: usize = 5;

/// Puts items (a name and bytes each) together to parts of about `part_bytes`, in order. A large
/// item is a part of its own.
pub(crate) fn parts_of<'a>(
    items: impl Iterator<Item = (&'a str, u64)>,
    part_bytes: u64,
) -> (Vec<Part>, Vec<Range<usize>>) {
    let mut parts: Vec<Part> = Vec::new();
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (i, (name, bytes)) in items.enumerate() {
        match (parts.last_mut(), ranges.last_mut()) {
            (Some(part), Some(range)) if part.size + bytes <= part_bytes => {
                part.size += bytes;
                range.end = i + 1;
            }
            _ => {
                parts.push(Part { label: name.to_owned(), size: bytes });
                ranges.push(i..i + 1);
            }
        }
    }
    (parts, ranges)
}

/// What the manifest says of files that were not read; nothing where there are none.
pub(crate) fn skipped_note(skipped: &[String]) -> Option<Value> {
    let named: Vec<&String> = skipped.iter().take(NAMED).collect();
    (!skipped.is_empty()).then(|| json!({ "count": skipped.len(), "samples": named }))
}
