//! Streams that hold structure (cross-references, objects) are inflated; content never is.

use flate2::{Decompress, FlushDecompress, Status};

use super::Refusal;
use super::allowance::Allowance;
use super::dictionary::{Dictionary, elements, is_array, is_name};

const CHUNK: usize = 16 * 1024;

/// The bytes of a cross-reference or object stream, unfiltered. Takes from the allowance what
/// comes out.
pub(super) fn decoded(
    dictionary: Dictionary<'_>,
    data: &[u8],
    allowance: &Allowance,
) -> Result<Vec<u8>, Refusal> {
    let Some(filter) = only_element(dictionary.get(b"Filter")) else {
        allowance.spend(data.len())?;
        return Ok(data.to_vec());
    };
    if !is_name(filter, b"FlateDecode") {
        return Err(UNKNOWN_FILTER);
    }
    let inflated = inflated(data, allowance)?;
    let parameters = only_element(dictionary.get(b"DecodeParms")).and_then(Dictionary::of);
    match parameters {
        Some(parameters) => unpredicted(inflated, parameters),
        None => Ok(inflated),
    }
}

const UNKNOWN_FILTER: Refusal = Refusal::Unreadable {
    what: "a stream of objects or cross-references has a filter that is not Flate",
};

/// An array of one counts as the one; an array of none as nothing.
fn only_element(value: Option<&[u8]>) -> Option<&[u8]> {
    let value = value?;
    if !is_array(value) {
        return Some(value);
    }
    let mut values = elements(value);
    let first = values.next()?;
    // More than one filter: what is answered here is no name, and so unknown.
    if values.next().is_some() {
        Some(value)
    } else {
        Some(first)
    }
}

/// What comes out before the first fault: a wrong check sum at the end harms nothing.
fn inflated(data: &[u8], allowance: &Allowance) -> Result<Vec<u8>, Refusal> {
    let mut decompress = Decompress::new(true);
    let mut out = Vec::with_capacity(data.len().saturating_mul(4).min(1 << 20));
    loop {
        let before = out.len();
        let used = usize::try_from(decompress.total_in()).unwrap_or(usize::MAX);
        out.reserve(CHUNK);
        let rest = data.get(used..).unwrap_or_default();
        let status = decompress.decompress_vec(rest, &mut out, FlushDecompress::None);
        allowance.spend(out.len() - before)?;
        let ended = !matches!(status, Ok(Status::Ok));
        let stuck = out.len() == before && decompress.total_in() == used as u64;
        if ended || stuck {
            return Ok(out);
        }
    }
}

/// Undoes the PNG predictors (PNG specification, 9; ISO 32000-1, 7.4.4.4).
fn unpredicted(bytes: Vec<u8>, parameters: Dictionary<'_>) -> Result<Vec<u8>, Refusal> {
    let parameter = |key, default| parameters.integer(key).unwrap_or(default);
    match parameter(b"Predictor", 1) {
        1 => return Ok(bytes),
        10..=15 => {}
        _ => return Err(UNKNOWN_PREDICTOR),
    }
    let bits = parameter(b"Colors", 1).saturating_mul(parameter(b"BitsPerComponent", 8));
    let pixel = usize::try_from(bits.saturating_add(7) / 8).unwrap_or(0);
    let row_bits = bits.saturating_mul(parameter(b"Columns", 1));
    let row = usize::try_from(row_bits.saturating_add(7) / 8).unwrap_or(0);
    if pixel == 0 || row == 0 || row > 1 << 20 {
        return Err(UNKNOWN_PREDICTOR);
    }
    Ok(unpredicted_rows(&bytes, pixel, row))
}

const UNKNOWN_PREDICTOR: Refusal = Refusal::Unreadable {
    what: "a stream of objects or cross-references has a predictor that is not known",
};

fn unpredicted_rows(bytes: &[u8], pixel: usize, row: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut above = vec![0; row];
    let mut line = Vec::with_capacity(row);
    for encoded in bytes.chunks(row + 1) {
        let Some((&kind, encoded)) = encoded.split_first() else {
            break;
        };
        line.clear();
        for (at, &byte) in encoded.iter().enumerate() {
            let up = above.get(at).copied().unwrap_or(0);
            let before = |values: &[u8]| {
                let at = at.checked_sub(pixel);
                at.and_then(|at| values.get(at)).copied().unwrap_or(0)
            };
            let predicted = prediction(kind, before(&line), up, before(&above));
            line.push(byte.wrapping_add(predicted));
        }
        out.extend_from_slice(&line);
        line.resize(row, 0);
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
