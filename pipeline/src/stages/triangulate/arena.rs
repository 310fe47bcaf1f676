//! The table `arena`.

use std::collections::BTreeMap;

use serde::Deserialize;
use tessera_datasets::pose::geometry::{Matrix, Point};
use tessera_datasets::{Error, Result};

use crate::triangulation::{Arena, Camera, Sighting, triangulate};

/// How points in the coordinates of the cameras are moved: by what is given, or by markers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ArenaConfig {
    /// Three rows; points stand on the left of it as rows.
    rotation: Option<Matrix>,
    /// By how much coordinates are multiplied; the `scale` of the card where it is not given.
    scale: Option<f64>,
    /// What is added in the end.
    translation: Option<Point>,
    /// Where the origin is.
    origin: Option<Marker>,
    /// Where a marker on the x axis is.
    x_axis: Option<Marker>,
    /// Where a marker on the y axis is.
    y_axis: Option<Marker>,
    /// How far the marker on the x axis is from the origin.
    x_length: Option<f64>,
    /// How far the marker on the y axis is from the origin.
    y_length: Option<f64>,
}

/// A place in space, or the pixels that show it by camera.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Marker {
    Place(Point),
    Views(BTreeMap<String, [f64; 2]>),
}

impl ArenaConfig {
    /// Refuses keys that contradict one another.
    pub(super) fn check(&self) -> Result<()> {
        let markers = [&self.origin, &self.x_axis, &self.y_axis].into_iter().flatten().count();
        let lengths = [self.x_length, self.y_length].into_iter().flatten().count();
        if markers != 0 && markers != 3 {
            return Err(Error::input("`arena` needs all of `origin`, `x_axis` and `y_axis`, or none"));
        }
        if markers == 3 && (self.rotation.is_some() || self.translation.is_some()) {
            return Err(Error::input("`arena` has markers, which stand in the place of `rotation` and `translation`"));
        }
        if lengths == 1 || (lengths == 2 && (markers == 0 || self.scale.is_some())) {
            return Err(Error::input(
                "`x_length` and `y_length` of `arena` go together, with markers and without `scale`",
            ));
        }
        if let Some(value) =
            [self.scale, self.x_length, self.y_length].into_iter().flatten().find(|v| !(*v > 0.0 && v.is_finite()))
        {
            return Err(Error::input(format!(
                "`arena` has a scale or length of {value}, which is not a positive number"
            )));
        }
        Ok(())
    }

    /// The arena; `scale` is what the card says.
    pub(super) fn arena(&self, cameras: &[Camera], scale: f64) -> Result<Arena> {
        let scale = self.scale.unwrap_or(scale);
        let (Some(origin), Some(x), Some(y)) = (&self.origin, &self.x_axis, &self.y_axis) else {
            let plain = Arena::scaled(scale);
            let rotation = self.rotation.unwrap_or(plain.rotation);
            return Ok(Arena { rotation, scale, translation: self.translation.unwrap_or(plain.translation) });
        };
        let mut places = [[0.0; 3]; 3];
        for ((slot, marker), key) in places.iter_mut().zip([origin, x, y]).zip(["origin", "x_axis", "y_axis"]) {
            *slot = marker.place(cameras).map_err(|error| Error::input(format!("`arena.{key}`: {error}")))?;
        }
        let lengths = self.x_length.zip(self.y_length).map(|(x, y)| [x, y]);
        Arena::of_markers(places, scale, lengths)
            .ok_or_else(|| Error::input("`arena`: the three markers are on one line, which leaves the turn open"))
    }
}

impl Marker {
    fn place(&self, cameras: &[Camera]) -> Result<Point> {
        let views = match self {
            Self::Place(place) => return Ok(*place),
            Self::Views(views) => views,
        };
        if views.len() < 2 {
            return Err(Error::input("needs the pixels of two cameras"));
        }
        let mut sightings = Vec::with_capacity(views.len());
        for (name, pixel) in views {
            let camera = cameras.iter().find(|camera| camera.name == *name);
            let camera = camera.ok_or_else(|| Error::input(format!("no camera is called `{name}`")))?;
            let place =
                camera.straighten(*pixel).ok_or_else(|| Error::input(format!("`{name}` sees nothing there")))?;
            sightings.push(Sighting { projection: &camera.projection, place });
        }
        triangulate(sightings, &mut Vec::new()).ok_or_else(|| Error::input("the views meet nowhere"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ArenaConfig {
        toml::from_str(text).unwrap()
    }

    fn cameras() -> Vec<Camera> {
        let looking = |name: &str, shift: f64| {
            Camera::projecting(name, None, [[1.0, 0.0, 0.0, shift], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 10.0]])
        };
        vec![looking("left", 1.0), looking("right", -1.0)]
    }

    #[test]
    fn keys_that_contradict_one_another_are_refused() {
        for (text, words) in [
            ("origin = [0, 0, 0]", "all of `origin`, `x_axis` and `y_axis`"),
            ("origin = [0, 0, 0]\nx_axis = [1, 0, 0]\ny_axis = [0, 1, 0]\ntranslation = [0, 0, 0]", "markers, which"),
            ("x_length = 1", "go together"),
            ("scale = 0", "not a positive number"),
        ] {
            let error = parse(text).check().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        assert!(parse("scale = 2.0\ntranslation = [1, 2, 3]").check().is_ok());
    }

    #[test]
    fn markers_may_be_given_by_what_the_cameras_see() {
        let seen = |p: Point| {
            let pixel = |camera: &Camera| format!("{} = {:?}", camera.name, camera.pixel(p));
            format!("{{ {} }}", cameras().iter().map(pixel).collect::<Vec<_>>().join(", "))
        };
        let (origin, x, y) = (seen([1.0, 1.0, 0.0]), seen([1.0, 3.0, 0.0]), seen([0.0, 1.0, 0.0]));
        let config = parse(&format!("origin = {origin}\nx_axis = {x}\ny_axis = {y}\nx_length = 20\ny_length = 10"));
        config.check().unwrap();
        let arena = config.arena(&cameras(), 7.0).unwrap();
        let [a, b, c] = arena.apply([1.0, 3.0, 0.5]);
        assert!((a - 20.0).abs() < 1e-6 && b.abs() < 1e-6 && (c - 5.0).abs() < 1e-6, "{a} {b} {c}");
        assert_eq!(parse("").arena(&cameras(), 7.0).unwrap(), Arena::scaled(7.0));
        let error = parse(&format!("origin = {{ left = [0, 0] }}\nx_axis = {x}\ny_axis = {y}"));
        let error = error.arena(&cameras(), 1.0).unwrap_err().to_string();
        assert_eq!(error, "`arena.origin`: needs the pixels of two cameras");
    }
}
