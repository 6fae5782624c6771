//! Inflates; streams that hold structure (cross-references, objects) are read by this alone.

use flate2::{Decompress, FlushDecompress, Status};

use super::Refusal;
use super::allowance::Allowance;
use super::dictionary::{Dictionary, elements, is_array, is_name};
use super::predictor::unpredicted;

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
        Some(parameters) => unpredicted(inflated, parameters).ok_or(UNKNOWN_PREDICTOR),
        None => Ok(inflated),
    }
}

const UNKNOWN_FILTER: Refusal = Refusal::Unreadable {
    what: "a stream of objects or cross-references has a filter that is not Flate",
};

const UNKNOWN_PREDICTOR: Refusal = Refusal::Unreadable {
    what: "a stream of objects or cross-references has a predictor that is not known",
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
pub(super) fn inflated(data: &[u8], allowance: &Allowance) -> Result<Vec<u8>, Refusal> {
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
