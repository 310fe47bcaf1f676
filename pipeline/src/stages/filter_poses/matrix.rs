//! Square matrices in NumPy's `.npy` files.

use std::path::Path;

use tessera_datasets::{Error, Result};

/// The longest header that is believed; a real one has about a hundred bytes.
const LONGEST_HEADER: usize = 1 << 12;

/// Reads a symmetric K × K matrix of `float64` or `float32`, as `numpy.save` writes it.
///
/// # Errors
/// When the file cannot be read or is something else.
pub(super) fn read_square(path: &Path, keypoints: usize) -> Result<Vec<f64>> {
    let bytes = fs_err::read(path)?;
    let matrix = parse(&bytes, keypoints).map_err(|message| {
        Error::input(message).at(path).hint("write it by `numpy.save`, keypoints in the skeleton's order")
    })?;
    let asymmetric = (0..keypoints).flat_map(|i| (0..i).map(move |j| (i, j))).find(|(i, j)| {
        let [one, other] = [matrix[i * keypoints + j], matrix[j * keypoints + i]];
        (one - other).abs() > 1e-6 * one.abs().max(other.abs()) || one.is_nan() != other.is_nan()
    });
    if let Some((i, j)) = asymmetric {
        return Err(Error::input(format!("it is not symmetric: [{i}, {j}] is not [{j}, {i}]")).at(path));
    }
    Ok(matrix)
}

fn parse(bytes: &[u8], keypoints: usize) -> std::result::Result<Vec<f64>, String> {
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("not a file of NumPy")?;
    let (length, start) = match rest {
        [1, _, a, b, ..] => (usize::from(u16::from_le_bytes([*a, *b])), 4),
        [2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 6),
        _ => return Err("a file of NumPy of an unknown version".to_owned()),
    };
    let header =
        Some(length).filter(|length| *length <= LONGEST_HEADER).and_then(|length| rest.get(start..start + length));
    let header = header.and_then(|header| std::str::from_utf8(header).ok()).ok_or("its header is cut short")?;
    let plain: String = header.chars().filter(|c| !c.is_whitespace()).collect();
    if !plain.contains(&format!("'shape':({keypoints},{keypoints})")) {
        return Err(format!("it is not {keypoints} × {keypoints}, as the skeleton is: `{}`", header.trim()));
    }
    let data = &rest[start + length..];
    let values: Vec<f64> = match () {
        () if plain.contains("'<f8'") => data.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect(),
        () if plain.contains("'<f4'") => data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b).into()).collect(),
        () => return Err(format!("its numbers are neither `<f8` nor `<f4`: `{}`", header.trim())),
    };
    match values.len() == keypoints * keypoints {
        // a symmetric matrix is the same in both orders
        true => Ok(values),
        false => Err(format!("it has {} numbers instead of {}", values.len(), keypoints * keypoints)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn what_numpy_saves_is_read_and_all_else_refused() {
        let values = [0.0_f64, 2.5, 2.5, 0.0];
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(parse(&file("<f8", "(2, 2)", &data), 2).unwrap(), values);
        let short: Vec<u8> = values.iter().flat_map(|value| (*value as f32).to_le_bytes()).collect();
        assert_eq!(parse(&file("<f4", "(2, 2)", &short), 2).unwrap(), values);
        for (bytes, words) in [
            (b"1,2\n".to_vec(), "not a file of NumPy"),
            (file("<f8", "(2, 2)", &data[..24]), "has 3 numbers instead of 4"),
            (file("<f8", "(3, 2)", &data), "not 2 × 2"),
            (file("<i8", "(2, 2)", &data), "neither `<f8` nor `<f4`"),
            (b"\x93NUMPY\x01\x00\xff\xff".to_vec(), "cut short"),
            (b"\x93NUMPY\x07".to_vec(), "unknown version"),
        ] {
            let message = parse(&bytes, 2).unwrap_err();
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn a_matrix_that_is_not_symmetric_is_refused() {
        let data: Vec<u8> = [0.0_f64, 2.5, 2.4, 0.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mean.npy");
        fs_err::write(&path, file("<f8", "(2, 2)", &data)).unwrap();
        assert!(read_square(&path, 2).unwrap_err().to_string().contains("not symmetric: [1, 0]"));
    }
}
