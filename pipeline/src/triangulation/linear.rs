//! The direct linear transformation.

use tessera_datasets::pose::geometry::{Point, singular};

use super::Projection;

/// What one camera says of a point.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'a> {
    /// From space to the image.
    pub projection: &'a Projection,
    /// Where the point is seen, in the coordinates that the projection gives.
    pub place: [f64; 2],
}

/// The point whose views are nearest to those that are seen, in the algebraic sense: the right
/// singular vector of the smallest singular value of the rows `p0 - u·p2` and `p1 - v·p2` of all
/// views. `None` where it is at infinity, as with fewer than two views.
///
/// `rows` is memory that is used again.
#[must_use]
pub fn triangulate<'a>(sightings: impl IntoIterator<Item = Sighting<'a>>, rows: &mut Vec<[f64; 4]>) -> Option<Point> {
    rows.clear();
    for Sighting { projection: [p0, p1, p2], place: [u, v] } in sightings {
        rows.push([0, 1, 2, 3].map(|i| p0[i] - u * p2[i]));
        rows.push([0, 1, 2, 3].map(|i| p1[i] - v * p2[i]));
    }
    if rows.len() < 4 {
        return None;
    }
    let (values, vectors) = singular(rows);
    let [x, y, z, w] = vectors[3];
    let point = [x / w, y / w, z / w];
    // views from one and the same place say nothing of the distance
    let is_open = values[2] <= 1e-12 * values[0];
    (!is_open && point.iter().all(|value| value.is_finite())).then_some(point)
}
