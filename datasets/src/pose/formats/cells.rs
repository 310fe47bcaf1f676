//! Writing cells.

use std::fmt::Write;

use super::File;
use crate::Error;
use crate::pose::Skeleton;

/// A line that is being written.
pub(super) struct Line<'a> {
    out: &'a mut String,
    separator: char,
    is_first: bool,
    start: usize,
}

impl<'a> Line<'a> {
    pub(super) fn new(out: &'a mut String, separator: char) -> Self {
        Self { start: out.len(), out, separator, is_first: true }
    }

    /// Begins the next cell; what is written there must need no quotes.
    pub(super) fn next(&mut self) -> &mut String {
        if !self.is_first {
            self.out.push(self.separator);
        }
        self.is_first = false;
        self.out
    }

    pub(super) fn number(&mut self, number: i64) {
        write(self.next(), format_args!("{number}"));
    }

    /// A cell of any text.
    pub(super) fn cell(&mut self, text: &str) {
        let separator = self.separator;
        let out = self.next();
        match text.contains([separator, '"', '\n', '\r']) {
            false => out.push_str(text),
            true => {
                out.push('"');
                out.push_str(&text.replace('"', "\"\""));
                out.push('"');
            }
        }
    }

    /// Ends the line. One that would be empty gets quotes, since readers skip empty lines.
    pub(super) fn end(self) {
        if self.out.len() == self.start {
            self.out.push_str("\"\"");
        }
        self.out.push('\n');
    }
}

/// Writes text where writing cannot fail.
pub(super) fn write(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes any text");
}

/// The likelihood of a keypoint: 0 of one that is not known.
pub(super) fn likelihood(line: &mut Line<'_>, file: &File, likelihood_tk: &[f32], frame: usize, keypoint: usize) {
    let at = frame * file.track.keypoints + keypoint;
    let likelihood = if file.track.known_tk[at] { likelihood_tk[at] } else { 0.0 };
    write(line.next(), format_args!("{likelihood}"));
}

/// The error with its place.
pub(super) fn placed(error: Error, skeleton: &Skeleton, keypoint: usize, frame: i64) -> Error {
    Error::input(format!("`{}` in frame {frame}: {error}", skeleton.keypoints[keypoint]))
}
