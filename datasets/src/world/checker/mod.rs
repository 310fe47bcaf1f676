//! Reading a picture: which things are in it, from its pixels alone.
//!
//! It judges pictures that a model made, so it expects noise, blur and shapes that are a little
//! off. The steps are those of classical machine vision: background by median, colour by the
//! nearest direction from the background, connected components, shape by the best template of the
//! same area and centre of mass, place by the centre. It uses only operations that IEEE 754
//! defines to the last bit, so every machine reads the same.

mod canvas;
mod patch;

use super::{Colour, Picture, Reading, Statement, Thing, holds};
use canvas::Canvas;
use patch::{Likeness, Patch};

/// An object that was found in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// What it was read as.
    pub thing: Thing,
    /// Horizontal centre of its bounding box, in pixels from the left edge.
    pub x: f32,
    /// Vertical centre of its bounding box, in pixels from the upper edge.
    pub y: f32,
    /// Covered area in pixels.
    pub area: f32,
    /// How well the shape fits: the share of the object's energy that its template explains, from
    /// [`MIN_FIT`] to 1. Clean renders are above 0.9.
    pub fit: f32,
}

/// Below this fit a blob is no shape at all and is not reported.
pub const MIN_FIT: f32 = 0.6;

/// What is in a picture, in reading order. A picture without pixels, or with fewer bytes than its
/// size needs, has nothing in it.
#[must_use]
pub fn read(picture: &Picture) -> Reading {
    Reading::new(find(picture).into_iter().map(|found| found.thing).collect())
}

/// Which of the statements hold in a picture.
#[must_use]
pub fn check(picture: &Picture, statements: &[Statement]) -> Vec<bool> {
    let reading = read(picture);
    statements.iter().map(|statement| holds(statement, &reading)).collect()
}

/// The objects in a picture with where and how well they were found, in the order of their first
/// pixels from the top.
#[must_use]
pub fn find(picture: &Picture) -> Vec<Found> {
    let Some(canvas) = Canvas::new(picture) else {
        return Vec::new();
    };
    let recognise = |(colour, patch): (Colour, Patch)| {
        let Likeness { shape, fit, x, y, area } = patch.recognise()?;
        let place = canvas.place(x, y).filter(|_| fit >= MIN_FIT)?;
        Some(Found { thing: Thing { place, colour, shape }, x, y, area, fit })
    };
    canvas.patches().into_iter().filter_map(recognise).collect()
}

#[cfg(test)]
mod tests;
