//! Images in all formats against PIL, and bytes that are none.

mod broken;
mod parity;

use std::path::PathBuf;

use serde_json::Value;

/// A stored image by its name.
fn stored(name: &str) -> Vec<u8> {
    let path = fixtures().join(name);
    fs_err::read(path).unwrap()
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/image/tests/fixtures")
}

/// What `make.py` has noted.
fn expected() -> Value {
    serde_json::from_slice(&stored("expected.json")).unwrap()
}

/// The names of all stored images.
fn names() -> Vec<String> {
    expected()["images"].as_object().unwrap().keys().cloned().collect()
}

fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}
