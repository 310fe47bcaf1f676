//! Cameras, as aniposelib's `calibration.toml` has them, or as plain projections.

use serde::Deserialize;
use tessera_datasets::pose::geometry::{Matrix, Point};
use tessera_datasets::{Error, Result};

use super::{Lens, Projection};

/// A camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    /// What it is called.
    pub name: String,
    /// Its lens; without one pixels are taken as they are.
    pub lens: Option<Lens>,
    /// From space to what [`Camera::straighten`] gives: the image plane at distance 1 where there is
    /// a lens and no projection of its own, else pixels.
    pub projection: Projection,
    /// Whether the projection is to pixels.
    in_pixels: bool,
}

/// One table of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: Option<String>,
    /// Width and height of the image, which nothing needs.
    #[serde(default, rename = "size")]
    _size: Option<[f64; 2]>,
    matrix: Option<Matrix>,
    #[serde(default)]
    distortions: Vec<f64>,
    #[serde(default)]
    fisheye: bool,
    /// The axis of the rotation, as long as its angle in radians.
    rotation: Option<Point>,
    translation: Option<Point>,
    projection: Option<Projection>,
}

/// The cameras of a file: a table for each, and `metadata`, which is left alone.
///
/// Each has `name`, and `matrix`, `distortions`, `rotation` (Rodrigues) and `translation` as
/// aniposelib writes them (`fisheye` too), or `projection`, three rows of four numbers to pixels,
/// such as the DLT coefficients of EasyWand with a 1 at the end; with `matrix` and `distortions`
/// pixels are straightened before.
///
/// # Errors
/// When it is no TOML, a key is unknown or missing, or there are fewer than two cameras.
pub fn parse_cameras(text: &str) -> Result<Vec<Camera>> {
    let file: toml::Table = text.parse().map_err(|e| Error::input(format!("not a file of cameras: {e}")))?;
    let mut cameras: Vec<Camera> = Vec::new();
    for (key, value) in file.into_iter().filter(|(key, _)| key != "metadata") {
        let table: Table =
            value.try_into().map_err(|e| Error::input(format!("`{key}`: {}", e.to_string().trim_end())))?;
        let camera = Camera::of(&key, table)?;
        if cameras.iter().any(|other| other.name == camera.name) {
            return Err(Error::input(format!("two cameras are called `{}`", camera.name)));
        }
        cameras.push(camera);
    }
    match cameras.len() {
        0 | 1 => Err(Error::input("fewer than two cameras").hint("points in space need two views")),
        _ => Ok(cameras),
    }
}

impl Camera {
    /// A camera with a lens that stands somewhere: `rotation` is the axis of the turn, as long as
    /// its angle.
    #[must_use]
    pub fn standing(name: &str, lens: Lens, rotation: Point, translation: Point) -> Self {
        let turn = rodrigues(rotation);
        let row = |i: usize| [turn[i][0], turn[i][1], turn[i][2], translation[i]];
        Self { name: name.to_owned(), lens: Some(lens), projection: [row(0), row(1), row(2)], in_pixels: false }
    }

    /// A camera of which no more is known than where points go.
    #[must_use]
    pub fn projecting(name: &str, lens: Option<Lens>, projection: Projection) -> Self {
        Self { name: name.to_owned(), lens, projection, in_pixels: true }
    }

    fn of(key: &str, table: Table) -> Result<Self> {
        let name = table.name.unwrap_or_else(|| key.to_owned());
        let wrong = |what: &str| Error::input(format!("camera `{name}`: {what}"));
        if name.is_empty() {
            return Err(wrong("`name` is empty"));
        }
        let most = if table.fisheye { 4 } else { 8 };
        if table.distortions.len() > most {
            return Err(wrong(&format!("{} `distortions`; at most {most} are known", table.distortions.len()))
                .hint("k1, k2, p1, p2, k3, k4, k5, k6 as OpenCV has them, or k1, k2, k3, k4 of a fisheye"));
        }
        let numbers =
            table.matrix.iter().flatten().flatten().chain(&table.distortions).chain(table.rotation.iter().flatten());
        let numbers =
            numbers.chain(table.translation.iter().flatten()).chain(table.projection.iter().flatten().flatten());
        if numbers.into_iter().any(|value| !value.is_finite()) {
            return Err(wrong("a number is not finite"));
        }
        if let Some([[fx, _, _], [_, fy, _], _]) = table.matrix
            && (fx == 0.0 || fy == 0.0)
        {
            return Err(wrong("`matrix` has a focal length of 0"));
        }
        let is_bent = table.fisheye || !table.distortions.is_empty();
        let Table { distortions, fisheye, .. } = table;
        let lens = table.matrix.map(|matrix| Lens { matrix, distortions, fisheye });
        match (lens, table.rotation, table.translation, table.projection) {
            (Some(lens), Some(rotation), Some(translation), None) => {
                Ok(Self::standing(&name, lens, rotation, translation))
            }
            (lens, None, None, Some(projection)) => match lens.is_none() && is_bent {
                true => Err(wrong("`distortions` without `matrix`")),
                false => Ok(Self::projecting(&name, lens, projection)),
            },
            _ => Err(wrong("needs `matrix`, `rotation` and `translation`, or `projection`")),
        }
    }

    /// A pixel without what the lens does to it, in the coordinates of the projection; `None` where
    /// the lens shows nothing there.
    #[must_use]
    pub fn straighten(&self, pixel: [f64; 2]) -> Option<[f64; 2]> {
        let Some(lens) = &self.lens else {
            return Some(pixel);
        };
        let plain = lens.straighten(pixel)?;
        match self.in_pixels {
            true => Some(lens.project(plain)),
            false => Some(plain),
        }
    }

    /// The pixel that shows a point.
    #[must_use]
    pub fn pixel(&self, [x, y, z]: Point) -> [f64; 2] {
        let row = |[a, b, c, d]: [f64; 4]| a * x + b * y + c * z + d;
        let depth = row(self.projection[2]);
        let seen = [row(self.projection[0]) / depth, row(self.projection[1]) / depth];
        match (&self.lens, self.in_pixels) {
            (None, _) => seen,
            (Some(lens), false) => lens.pixel(seen),
            (Some(lens), true) => lens.pixel(lens.unproject(seen)),
        }
    }
}

/// The rotation about an axis by its length in radians.
fn rodrigues(axis: Point) -> Matrix {
    let angle = axis.iter().map(|a| a * a).sum::<f64>().sqrt();
    if angle < 1e-300 {
        return [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    }
    let [x, y, z] = axis.map(|a| a / angle);
    let (sin, cos) = angle.sin_cos();
    let rest = 1.0 - cos;
    [
        [cos + x * x * rest, x * y * rest - z * sin, x * z * rest + y * sin],
        [y * x * rest + z * sin, cos + y * y * rest, y * z * rest - x * sin],
        [z * x * rest - y * sin, z * y * rest + x * sin, cos + z * z * rest],
    ]
}
