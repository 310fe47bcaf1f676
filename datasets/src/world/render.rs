//! Drawing a scene, in integers only, so that the same scene has the same bytes on every machine.

use rand::Rng;

use super::{Object, Scene, Shape, random, scene::SUBPIXELS};

/// A picture of 8-bit sRGB pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green and blue of each pixel, row by row from the top left; `width * height * 3` bytes.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// The pixel in `column` and `row`, or `None` outside the picture.
    #[must_use]
    pub fn pixel(&self, column: u32, row: u32) -> Option<[u8; 3]> {
        if column >= self.width || row >= self.height {
            return None;
        }
        let start = (row as usize * self.width as usize + column as usize) * 3;
        self.rgb.get(start..start + 3)?.try_into().ok()
    }
}

/// Draws a scene: anti-aliased objects on a dark background with a slight gradient and grain.
#[must_use]
pub fn render(scene: &Scene) -> Picture {
    let size = scene.size as i32;
    let mut rgb = background(scene);
    for object in &scene.objects {
        let Object { thing, x, y, half } = *object;
        let colour = thing.colour.rgb();
        let outline = Outline { shape: thing.shape, x, y, half };
        let span = |middle: i32| {
            let first = (middle - half).div_euclid(SUBPIXELS).max(0);
            let last = (middle + half).div_euclid(SUBPIXELS).min(size - 1);
            first..=last
        };
        for row in span(y) {
            for column in span(x) {
                let covered = outline.coverage(column, row, SAMPLES);
                let start = ((row * size + column) * 3) as usize;
                for (value, &paint) in rgb[start..start + 3].iter_mut().zip(&colour) {
                    let mix = i32::from(*value) * (FULL - covered) + i32::from(paint) * covered;
                    *value = ((mix + FULL / 2) / FULL) as u8;
                }
            }
        }
    }
    Picture { width: scene.size, height: scene.size, rgb }
}

/// A dark ground: one base colour, a gradient of up to 8 levels and grain of up to 4.
fn background(scene: &Scene) -> Vec<u8> {
    let mut rng = random::generator(scene.texture, 0);
    let size = scene.size as i32;
    let mut pick = |low: i32, high: i32| low + (rng.next_u32() % (high - low + 1) as u32) as i32;
    let base: [i32; 3] = std::array::from_fn(|_| pick(14, 36));
    let across: [i32; 3] = std::array::from_fn(|_| pick(-8, 8));
    let down: [i32; 3] = std::array::from_fn(|_| pick(-8, 8));
    let mut rgb = Vec::with_capacity((size * size * 3) as usize);
    for row in 0..size {
        for column in 0..size {
            let grain = rng.next_u32().to_le_bytes();
            for channel in 0..3 {
                let gradient = (across[channel] * column + down[channel] * row) / size;
                let value = base[channel] + gradient + i32::from(grain[channel] % 9) - 4;
                rgb.push(value.clamp(0, 255) as u8);
            }
        }
    }
    rgb
}

/// Samples in a pixel along each axis.
const SAMPLES: i32 = 8;

/// What [`Outline::coverage`] is for a pixel that is wholly inside.
const FULL: i32 = SAMPLES * SAMPLES;

/// A shape on the canvas; centre and half side of its bounding box in [`SUBPIXELS`].
#[derive(Clone, Copy)]
pub(super) struct Outline {
    pub(super) shape: Shape,
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) half: i32,
}

impl Outline {
    /// How many of `samples * samples` points of the pixel in `column` and `row` are inside.
    /// `samples` divides [`SUBPIXELS`].
    pub(super) fn coverage(self, column: i32, row: i32, samples: i32) -> i32 {
        // Most pixels are wholly in or out, and need no samples.
        let upper_left = [column * SUBPIXELS - self.x, row * SUBPIXELS - self.y];
        let lower_right = upper_left.map(|value| value + SUBPIXELS);
        if upper_left.into_iter().any(|value| value > self.half)
            || lower_right.into_iter().any(|value| value < -self.half)
        {
            return 0;
        }
        if self.fills(upper_left, lower_right) {
            return samples * samples;
        }
        let step = SUBPIXELS / samples;
        let mut inside = 0;
        for sample_row in 0..samples {
            let dy = row * SUBPIXELS + step * sample_row + step / 2 - self.y;
            for sample_column in 0..samples {
                let dx = column * SUBPIXELS + step * sample_column + step / 2 - self.x;
                inside += i32::from(contains(self.shape, dx, dy, self.half));
            }
        }
        inside
    }

    /// Whether a pixel, by its corners from the centre, is wholly inside. May miss some that are,
    /// of a cross: those in more than one of its bars.
    fn fills(self, [left, upper]: [i32; 2], [right, lower]: [i32; 2]) -> bool {
        let corners = [(left, upper), (right, upper), (left, lower), (right, lower)];
        match self.shape {
            // Convex: with its corners, all of a pixel is inside.
            Shape::Circle | Shape::Square | Shape::Triangle => {
                corners.into_iter().all(|(dx, dy)| contains(self.shape, dx, dy, self.half))
            }
            Shape::Cross => {
                let bar = |across: i32, along: i32| 3 * across.abs() <= self.half && along.abs() <= self.half;
                corners.into_iter().all(|(dx, dy)| bar(dx, dy)) || corners.into_iter().all(|(dx, dy)| bar(dy, dx))
            }
        }
    }
}

/// Whether the point `dx`, `dy` from the centre of its bounding box is inside a shape.
fn contains(shape: Shape, dx: i32, dy: i32, half: i32) -> bool {
    if dx.abs() > half || dy.abs() > half {
        return false;
    }
    match shape {
        Shape::Circle => dx * dx + dy * dy <= half * half,
        Shape::Square => true,
        Shape::Triangle => 2 * dx.abs() <= dy + half,
        Shape::Cross => 3 * dx.abs() <= half || 3 * dy.abs() <= half,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{Colour, Combinations, Place, SceneOptions, Thing};

    fn scene_of(shape: Shape, size: u32) -> Scene {
        let thing = Thing { place: Place::Middle, colour: Colour::White, shape };
        let middle = size as i32 * SUBPIXELS / 2;
        let object = Object { thing, x: middle, y: middle, half: size as i32 * SUBPIXELS / 4 };
        Scene { size, objects: vec![object], texture: 1, wording: 1 }
    }

    #[test]
    fn short_cuts_give_what_samples_give() {
        for shape in Shape::ALL {
            for half in [43, 57, 160] {
                let outline = Outline { shape, x: 203, y: 196, half };
                let sampled = |column: i32, row: i32| {
                    let at = |pixel: i32, i: i32| pixel * SUBPIXELS + 2 * i + 1;
                    (0..FULL).filter(move |i| {
                        let (dx, dy) = (at(column, i % SAMPLES) - 203, at(row, i / SAMPLES) - 196);
                        contains(shape, dx, dy, half)
                    })
                };
                for (column, row) in (0..26 * 26).map(|i| (i % 26, i / 26)) {
                    let expected = sampled(column, row).count() as i32;
                    assert_eq!(outline.coverage(column, row, SAMPLES), expected);
                }
            }
        }
    }

    #[test]
    fn areas_are_those_of_geometry() {
        // The bounding box has a side of half the canvas: its area is a quarter of all pixels.
        for (shape, share) in [
            (Shape::Circle, std::f64::consts::FRAC_PI_4),
            (Shape::Square, 1.0),
            (Shape::Triangle, 0.5),
            (Shape::Cross, 5.0 / 9.0),
        ] {
            let Object { x, y, half, .. } = scene_of(shape, 64).objects[0];
            let outline = Outline { shape, x, y, half };
            let covered: i32 = (0..64)
                .flat_map(|row| (0..64).map(move |column| (column, row)))
                .map(|(column, row)| outline.coverage(column, row, SAMPLES))
                .sum();
            let area = f64::from(covered) / f64::from(FULL) / (32.0 * 32.0);
            assert!((area - share).abs() < 0.02, "{shape:?}: {area}");
        }
    }

    #[test]
    fn objects_are_bright_and_ground_is_dark() {
        for shape in Shape::ALL {
            let picture = render(&scene_of(shape, 32));
            assert_eq!(picture.rgb.len(), 32 * 32 * 3);
            assert_eq!(picture.pixel(16, 16), Some([240, 240, 240]), "{shape:?}");
            for corner in [(0, 0), (31, 0), (0, 31), (31, 31)] {
                let pixel = picture.pixel(corner.0, corner.1).unwrap();
                assert!(pixel.iter().all(|&value| value < 60), "{pixel:?}");
            }
        }
    }

    #[test]
    fn triangle_points_up() {
        let picture = render(&scene_of(Shape::Triangle, 32));
        let lit = |row| (0..32).filter(|&c| picture.pixel(c, row).unwrap()[0] > 128).count();
        assert!(lit(9) < lit(16) && lit(16) < lit(22));
    }

    #[test]
    fn pixels_outside_are_none() {
        let picture = render(&scene_of(Shape::Circle, 32));
        assert_eq!(picture.pixel(32, 0), None);
        assert_eq!(picture.pixel(0, 32), None);
        assert_eq!(Picture { width: 2, height: 2, rgb: vec![0; 3] }.pixel(1, 1), None);
    }

    /// A change here changes the built-in data set: it must be meant, and said in the change log.
    /// Golden value: made by this code, version 0.1.0 (FNV-1a, 64 bit, over 20 pictures).
    #[test]
    fn bytes_are_stable() {
        let options = SceneOptions::new(32, 1, 3, Combinations::All).unwrap();
        let hash = (0..20)
            .flat_map(|i| render(&Scene::draw(1, i, &options)).rgb)
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        assert_eq!(hash, 0x47db_bda7_5d7b_3bd3, "{hash:#x}");
    }
}
