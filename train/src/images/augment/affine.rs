//! Shears, shifts and turns, as PIL's `Image.transform` with `AFFINE`.

use tessera_datasets::image::Rgb;

/// From a place in the result to one in the source: `x' = m[0] x + m[1] y + m[2]` and
/// `y' = m[3] x + m[4] y + m[5]`, with the middle of the first pixel at 0.5.
pub type Matrix = [f64; 6];

/// How a place between pixels gets its colour. There is no antialiasing, as in PIL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// The pixel that it lies in.
    Nearest,
    /// Of four pixels.
    Bilinear,
    /// Of sixteen pixels; cubic with a = -1.
    Bicubic,
}

/// Shears along a row.
pub fn shear_x(factor: f64) -> Matrix {
    [1.0, factor, 0.0, 0.0, 1.0, 0.0]
}

/// Shears along a column.
pub fn shear_y(factor: f64) -> Matrix {
    [1.0, 0.0, 0.0, factor, 1.0, 0.0]
}

/// Shifts by so many pixels, to the left and up where they are above 0.
pub fn translate(x: f64, y: f64) -> Matrix {
    [1.0, 0.0, x, 0.0, 1.0, y]
}

/// Turns around the middle, against the clock (PIL's `Image.rotate`).
pub fn rotate(degrees: f64, width: u32, height: u32) -> Matrix {
    let (sine, cosine) = (-degrees.to_radians()).sin_cos();
    // PIL's own rounding, so that a turn by nothing is one
    let round = |value: f64| (value * 1e15).round() / 1e15;
    let (a, b, d, e) = (round(cosine), round(sine), round(-sine), round(cosine));
    let (x, y) = (f64::from(width) / 2.0, f64::from(height) / 2.0);
    [a, b, -a * x - b * y + x, d, e, -d * x - e * y + y]
}

/// The image seen through a matrix; `fill` where nothing is seen. `out` gets the same size.
pub fn transform(image: &Rgb, matrix: &Matrix, sampling: Sampling, fill: [u8; 3], out: &mut Rgb) {
    let (width, height) = (image.width as usize, image.height as usize);
    (out.width, out.height) = (image.width, image.height);
    out.pixels.resize(image.pixels.len(), 0);
    let (source, _) = image.pixels.as_chunks::<3>();
    let [a, b, c, d, e, f] = *matrix;
    let (right, bottom) = (f64::from(image.width), f64::from(image.height));
    for (y, row) in out.pixels.chunks_exact_mut(width * 3).enumerate() {
        let down = y as f64 + 0.5;
        for (x, pixel) in row.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let across = x as f64 + 0.5;
            let (from_x, from_y) = (a * across + b * down + c, d * across + e * down + f);
            let inside = from_x >= 0.0 && from_x < right && from_y >= 0.0 && from_y < bottom;
            *pixel = match sampling {
                _ if !inside => fill,
                Sampling::Nearest => source[from_y as usize * width + from_x as usize],
                Sampling::Bilinear => bilinear(source, width, height, from_x - 0.5, from_y - 0.5),
                Sampling::Bicubic => bicubic(source, width, height, from_x - 0.5, from_y - 0.5),
            };
        }
    }
}

/// `N` places along one axis from `start` on, at the border where they would be outside.
fn places<const N: usize>(start: isize, length: usize) -> [usize; N] {
    std::array::from_fn(|i| (start + i as isize).clamp(0, length as isize - 1) as usize)
}

fn bilinear(source: &[[u8; 3]], width: usize, height: usize, x: f64, y: f64) -> [u8; 3] {
    let (left, top) = (x.floor(), y.floor());
    let (dx, dy) = (x - left, y - top);
    let columns = places::<2>(left as isize, width);
    let rows = places::<2>(top as isize, height).map(|row| {
        let [one, two] = columns.map(|column| source[row * width + column].map(f64::from));
        std::array::from_fn::<f64, 3, _>(|i| one[i] + (two[i] - one[i]) * dx)
    });
    std::array::from_fn(|i| (rows[0][i] + (rows[1][i] - rows[0][i]) * dy) as u8)
}

fn bicubic(source: &[[u8; 3]], width: usize, height: usize, x: f64, y: f64) -> [u8; 3] {
    let (left, top) = (x.floor(), y.floor());
    let (dx, dy) = (x - left, y - top);
    let columns = places::<4>(left as isize - 1, width);
    let rows = places::<4>(top as isize - 1, height).map(|row| {
        let pixels = columns.map(|column| source[row * width + column].map(f64::from));
        std::array::from_fn::<f64, 3, _>(|i| cubic(pixels.map(|pixel| pixel[i]), dx))
    });
    std::array::from_fn(|i| cubic(rows.map(|row| row[i]), dy) as u8)
}

fn cubic([one, two, three, four]: [f64; 4], d: f64) -> f64 {
    let first = three - one;
    let second = 2.0 * (one - two) + three - four;
    let third = two - one - three + four;
    two + d * (first + d * (second + d * third))
}
