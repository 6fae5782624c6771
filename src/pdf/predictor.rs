//! Undoes predictors: differences between neighbouring samples (ISO 32000-1, 7.4.4.4).

use super::dictionary::Dictionary;

/// What the parameters of a Flate or LZW filter say was predicted, made whole; `None` if their
/// predictor is not known.
pub(super) fn unpredicted(bytes: Vec<u8>, parameters: Dictionary<'_>) -> Option<Vec<u8>> {
    let predictor = parameters.integer(b"Predictor").unwrap_or(1);
    if predictor == 1 {
        return Some(bytes);
    }
    let shape = Shape::of(parameters)?;
    match predictor {
        2 => tiff(bytes, &shape),
        10..=15 => Some(png(&bytes, &shape)),
        _ => None,
    }
}

/// How samples lie in rows.
struct Shape {
    sample_bits: i64,
    /// Bytes of a pixel, rounded up.
    pixel: usize,
    /// Bytes of a row, rounded up.
    row: usize,
}

impl Shape {
    fn of(parameters: Dictionary<'_>) -> Option<Self> {
        let parameter = |key, default| parameters.integer(key).unwrap_or(default);
        let sample_bits = parameter(b"BitsPerComponent", 8);
        let bits = parameter(b"Colors", 1).saturating_mul(sample_bits);
        let row_bits = bits.saturating_mul(parameter(b"Columns", 1));
        let bytes = |bits: i64| usize::try_from(bits.saturating_add(7) / 8).unwrap_or(0);
        let (pixel, row) = (bytes(bits), bytes(row_bits));
        (pixel > 0 && (1..=LONGEST_ROW).contains(&row)).then_some(Self {
            sample_bits,
            pixel,
            row,
        })
    }
}

const LONGEST_ROW: usize = 1 << 20;

/// Of samples of whole bytes; smaller ones are met in pictures only.
fn tiff(mut bytes: Vec<u8>, shape: &Shape) -> Option<Vec<u8>> {
    if shape.sample_bits != 8 {
        return None;
    }
    for row in bytes.chunks_mut(shape.row) {
        for at in shape.pixel..row.len() {
            let before = row.get(at - shape.pixel).copied().unwrap_or(0);
            if let Some(byte) = row.get_mut(at) {
                *byte = byte.wrapping_add(before);
            }
        }
    }
    Some(bytes)
}

/// PNG specification, 9. Each row says by its first byte how it was predicted.
fn png(bytes: &[u8], shape: &Shape) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut above = vec![0; shape.row];
    let mut line = Vec::with_capacity(shape.row);
    for encoded in bytes.chunks(shape.row + 1) {
        let Some((&kind, encoded)) = encoded.split_first() else {
            break;
        };
        line.clear();
        for (at, &byte) in encoded.iter().enumerate() {
            let up = above.get(at).copied().unwrap_or(0);
            let before = |values: &[u8]| {
                let at = at.checked_sub(shape.pixel);
                at.and_then(|at| values.get(at)).copied().unwrap_or(0)
            };
            let predicted = prediction(kind, before(&line), up, before(&above));
            line.push(byte.wrapping_add(predicted));
        }
        out.extend_from_slice(&line);
        line.resize(shape.row, 0);
        std::mem::swap(&mut above, &mut line);
    }
    out
}

fn prediction(kind: u8, left: u8, up: u8, up_left: u8) -> u8 {
    match kind {
        1 => left,
        2 => up,
        3 => left.midpoint(up),
        4 => paeth(left, up, up_left),
        _ => 0,
    }
}

fn paeth(left: u8, up: u8, up_left: u8) -> u8 {
    let estimate = i16::from(left) + i16::from(up) - i16::from(up_left);
    let distance = |value: u8| (estimate - i16::from(value)).abs();
    if distance(left) <= distance(up) && distance(left) <= distance(up_left) {
        left
    } else if distance(up) <= distance(up_left) {
        up
    } else {
        up_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_whole(parameters: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        let parameters = Dictionary::of(parameters.as_bytes()).unwrap();
        unpredicted(bytes.to_vec(), parameters)
    }

    #[test]
    fn tiff_rows_add_up_by_colour_and_start_anew() {
        let parameters = "<</Predictor 2/Colors 2/Columns 3>>";
        let rows = [1, 10, 1, 10, 1, 10, 5, 50, 251, 0];
        let whole = [1, 10, 2, 20, 3, 30, 5, 50, 0, 50];
        assert_eq!(made_whole(parameters, &rows).unwrap(), whole);
    }

    #[test]
    fn png_rows_say_themselves_how_they_were_predicted() {
        let parameters = "<</Predictor 12/Columns 3>>";
        let rows = [0, 1, 2, 3, 2, 1, 1, 1, 1, 5, 1, 1];
        let whole = [1, 2, 3, 2, 3, 4, 5, 6, 7];
        assert_eq!(made_whole(parameters, &rows).unwrap(), whole);
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        for parameters in [
            "<</Predictor 3>>",
            "<</Predictor 2/BitsPerComponent 4>>",
            "<</Predictor 12/Columns 0>>",
            "<</Predictor 12/Columns 99999999999>>",
        ] {
            assert_eq!(made_whole(parameters, b"x"), None, "{parameters}");
        }
    }
}
