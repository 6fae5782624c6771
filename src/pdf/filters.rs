//! Undoes the filters of a stream (ISO 32000-1, 7.4), as far as they are not a picture's own.

use weezl::decode::Decoder;
use weezl::{BitOrder, LzwStatus};

use super::Refusal;
use super::allowance::Allowance;
use super::dictionary::{Dictionary, elements, is_array, is_name};
use super::inflate::inflated;
use super::object::Object;
use super::objects::Objects;
use super::predictor::unpredicted;

/// The bytes of a stream with all its filters undone. `None` where one of them is not read: those
/// of pictures, encryption, and what is not known. Data that ends too early gives what there is.
/// What comes out of any one filter is at most `most_bytes`; more is a [`Refusal::Limit`].
pub(super) fn decoded(
    objects: &Objects<'_>,
    stream: Object<'_>,
    most_bytes: u64,
) -> Result<Option<Vec<u8>>, Refusal> {
    let (Some(dictionary), Some(data)) = (Dictionary::of(stream.value), stream.data) else {
        return Ok(None);
    };
    let Some(steps) = steps(objects, dictionary)? else {
        return Ok(None);
    };
    let allowance = || Allowance::new(most_bytes, "a stream, unfiltered");
    let Some((first, others)) = steps.split_first() else {
        allowance().spend(data.len())?;
        return Ok(Some(data.to_vec()));
    };
    let mut bytes = first.undone(data, &allowance())?;
    for step in others {
        let Some(filtered) = bytes else {
            return Ok(None);
        };
        bytes = step.undone(&filtered, &allowance())?;
    }
    Ok(bytes)
}

/// A filter with its parameters.
struct Step<'s> {
    filter: Filter,
    parameters: Option<Dictionary<'s>>,
}

#[derive(Clone, Copy)]
enum Filter {
    Flate,
    Lzw,
    Ascii85,
    AsciiHex,
    RunLength,
}

/// Abbreviations are those of inline images (8.9.7); readers take them anywhere.
const FILTERS: [(&[u8], Filter); 10] = [
    (b"FlateDecode", Filter::Flate),
    (b"LZWDecode", Filter::Lzw),
    (b"ASCII85Decode", Filter::Ascii85),
    (b"ASCIIHexDecode", Filter::AsciiHex),
    (b"RunLengthDecode", Filter::RunLength),
    (b"Fl", Filter::Flate),
    (b"LZW", Filter::Lzw),
    (b"A85", Filter::Ascii85),
    (b"AHx", Filter::AsciiHex),
    (b"RL", Filter::RunLength),
];

/// Each may give as much as a whole stream: more than honest files ask for costs too much.
const MOST_FILTERS: usize = 8;

/// In the order in which they are undone; `None` if one is not read.
fn steps<'s>(
    objects: &'s Objects<'_>,
    dictionary: Dictionary<'s>,
) -> Result<Option<Vec<Step<'s>>>, Refusal> {
    let mut steps = Vec::new();
    let names = one_or_many(objects, dictionary, [b"Filter", b"F"])?;
    let parameters = one_or_many(objects, dictionary, [b"DecodeParms", b"DP"])?;
    if names.len() > MOST_FILTERS {
        return Err(Refusal::Limit {
            what: "filters of a stream",
        });
    }
    for (at, name) in names.into_iter().enumerate() {
        let known = FILTERS.iter().find(|(known, _)| is_name(name, known));
        let Some((_, filter)) = known else {
            return Ok(None);
        };
        let parameters = parameters.get(at).copied().and_then(Dictionary::of);
        steps.push(Step {
            filter: *filter,
            parameters,
        });
    }
    Ok(Some(steps))
}

/// The values of an array, or the one that stands without it; references followed.
fn one_or_many<'s>(
    objects: &'s Objects<'_>,
    dictionary: Dictionary<'s>,
    [key, abbreviation]: [&[u8]; 2],
) -> Result<Vec<&'s [u8]>, Refusal> {
    let value = match objects.get(dictionary, key)? {
        Some(value) => value,
        // `/F` of a stream that is no inline image names a file (7.3.8.2).
        None => match objects.get(dictionary, abbreviation)? {
            Some(value) if !value.starts_with(b"(") => value,
            _ => return Ok(Vec::new()),
        },
    };
    if !is_array(value) {
        return Ok(vec![value]);
    }
    let values = elements(value).take(MOST_FILTERS + 1);
    values.map(|value| objects.resolved(value)).collect()
}

impl Step<'_> {
    /// `None` if it was predicted in a way that is not known.
    fn undone(&self, data: &[u8], allowance: &Allowance) -> Result<Option<Vec<u8>>, Refusal> {
        let bytes = match self.filter {
            Filter::Flate => inflated(data, allowance)?,
            Filter::Lzw => lzw(data, self.changes_early(), allowance)?,
            Filter::Ascii85 => return ascii85(data, allowance).map(Some),
            Filter::AsciiHex => return ascii_hex(data, allowance).map(Some),
            Filter::RunLength => return run_length(data, allowance).map(Some),
        };
        Ok(match self.parameters {
            Some(parameters) => unpredicted(bytes, parameters),
            None => Some(bytes),
        })
    }

    /// Codes of LZW grow one code before they must (7.4.4.2, table 8).
    fn changes_early(&self) -> bool {
        let stated = self.parameters.and_then(|of| of.integer(b"EarlyChange"));
        stated != Some(0)
    }
}

const CHUNK: usize = 16 * 1024;

fn lzw(data: &[u8], changes_early: bool, allowance: &Allowance) -> Result<Vec<u8>, Refusal> {
    let mut decoder = if changes_early {
        Decoder::with_tiff_size_switch(BitOrder::Msb, 8)
    } else {
        Decoder::new(BitOrder::Msb, 8)
    };
    let mut out = Vec::new();
    let mut chunk = vec![0; CHUNK];
    let mut rest = data;
    loop {
        let step = decoder.decode_bytes(rest, &mut chunk);
        allowance.spend(step.consumed_out)?;
        out.extend_from_slice(chunk.get(..step.consumed_out).unwrap_or_default());
        rest = rest.get(step.consumed_in..).unwrap_or_default();
        let stuck = step.consumed_in == 0 && step.consumed_out == 0;
        if stuck || !matches!(step.status, Ok(LzwStatus::Ok)) {
            return Ok(out);
        }
    }
}

fn ascii85(data: &[u8], allowance: &Allowance) -> Result<Vec<u8>, Refusal> {
    let data = data.trim_ascii_start();
    let data = data.strip_prefix(b"<~").unwrap_or(data);
    let mut out = Vec::with_capacity(data.len() / 5 * 4);
    let mut group = Group::default();
    for &byte in data.iter().take_while(|&&byte| byte != b'~') {
        let whole = match byte {
            b'z' if group.digits == 0 => Some([0; 4]),
            b'!'..=b'u' => group.push(byte - b'!'),
            _ => None,
        };
        if let Some(bytes) = whole {
            allowance.spend(bytes.len())?;
            out.extend_from_slice(&bytes);
        }
    }
    let left = group.left();
    allowance.spend(left.len())?;
    out.extend_from_slice(&left);
    Ok(out)
}

/// Five digits of base 85 are four bytes.
#[derive(Default)]
struct Group {
    value: u32,
    digits: u8,
}

impl Group {
    fn push(&mut self, digit: u8) -> Option<[u8; 4]> {
        // Digits that say more than four bytes hold: readers let them wrap.
        self.value = self.value.wrapping_mul(85).wrapping_add(u32::from(digit));
        self.digits += 1;
        if self.digits < 5 {
            return None;
        }
        let whole = self.value.to_be_bytes();
        *self = Self::default();
        Some(whole)
    }

    /// A group of n digits at the end is n - 1 bytes; one alone is an error that readers pass over.
    fn left(mut self) -> Vec<u8> {
        let bytes = usize::from(self.digits.saturating_sub(1));
        while self.digits > 0 {
            if let Some(padded) = self.push(84) {
                return padded.into_iter().take(bytes).collect();
            }
        }
        Vec::new()
    }
}

fn ascii_hex(data: &[u8], allowance: &Allowance) -> Result<Vec<u8>, Refusal> {
    let digits = data.iter().take_while(|&&byte| byte != b'>');
    let mut digits = digits.filter_map(|&byte| char::from(byte).to_digit(16));
    let mut out = Vec::with_capacity(data.len() / 2);
    while let Some(high) = digits.next() {
        let low = digits.next().unwrap_or(0);
        out.extend(u8::try_from(high << 4 | low));
    }
    allowance.spend(out.len())?;
    Ok(out)
}

fn run_length(data: &[u8], allowance: &Allowance) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::new();
    let mut rest = data;
    while let Some((&length, after)) = rest.split_first() {
        let before = out.len();
        match length {
            0..=127 => {
                let (run, others) = after.split_at(after.len().min(usize::from(length) + 1));
                out.extend_from_slice(run);
                rest = others;
            }
            128 => break,
            129..=255 => {
                let Some((&byte, others)) = after.split_first() else {
                    break;
                };
                out.resize(before + 257 - usize::from(length), byte);
                rest = others;
            }
        }
        allowance.spend(out.len() - before)?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use weezl::encode::Encoder;

    use super::*;
    use crate::pdf::Limits;

    fn read(dictionary: &str, data: &[u8], most_bytes: u64) -> Result<Option<Vec<u8>>, Refusal> {
        let limits = Limits::default();
        let stream = Object {
            value: dictionary.as_bytes(),
            data: Some(data),
        };
        decoded(&Objects::new(b"", &limits), stream, most_bytes)
    }

    #[track_caller]
    fn check(dictionary: &str, data: &[u8], expected: &str) {
        let bytes = read(dictionary, data, 1000).unwrap().unwrap();
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
    }

    const DEFLATED: &[u8] = b"x\x9c\xf3H\xcd\xc9\xc9W\x08\xcf/\xcaI\x01\x00\x17J\x04\x1d";

    #[test]
    fn each_filter_is_undone_and_so_are_chains_of_them() {
        check("<<>>", b"Hello World", "Hello World");
        check("<</Filter/FlateDecode>>", DEFLATED, "Hello World");
        check("<</Filter/AHx>>", b"48 65\n6C6c 6F>00", "Hello");
        check(
            "<</Filter/ASCII85Decode>>",
            b"87cUR\nD]i,\"Ebo7~>",
            "Hello World",
        );
        check("<</F/A85>>", b"<~z!!~>", "\0\0\0\0\0");
        check("<</Filter[/RL]>>", b"\x01He\xffl\x00o\x80zz", "Hello");
        let hexadecimal: Vec<_> = DEFLATED.iter().map(|byte| format!("{byte:02x}")).collect();
        let hexadecimal = hexadecimal.concat();
        let dictionary = "<</Filter[/ASCIIHexDecode/FlateDecode]/DecodeParms[null null]>>";
        check(dictionary, hexadecimal.as_bytes(), "Hello World");
    }

    #[test]
    fn codes_of_lzw_grow_early_unless_it_is_said_that_they_do_not() {
        let numbers: Vec<_> = (0..200).map(|n| n.to_string()).collect();
        let text = numbers.join(" ");
        let early = Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(text.as_bytes());
        check("<</Filter/LZWDecode>>", &early.unwrap(), &text);
        let late = Encoder::new(BitOrder::Msb, 8).encode(text.as_bytes());
        let dictionary = "<</Filter/LZW/DecodeParms<</EarlyChange 0>>>>";
        check(dictionary, &late.unwrap(), &text);
    }

    #[test]
    fn a_wrong_end_gives_what_there_is() {
        let cut = DEFLATED.get(..DEFLATED.len() - 3).unwrap();
        check("<</Filter/FlateDecode>>", cut, "Hello World");
        check("<</Filter/ASCIIHexDecode>>", b"48657", "Hep");
        check("<</Filter/A85>>", b"87cURD]", "Hello");
        check("<</Filter/RL>>", b"\x05He", "He");
        check("<</Filter/LZWDecode>>", b"\x80\x0b\x60", "-");
    }

    #[test]
    fn what_is_not_read_is_not_an_error() {
        for dictionary in [
            "<</Filter/DCTDecode>>",
            "<</Filter[/FlateDecode/JPXDecode]>>",
            "<</Filter/FlateDecode/DecodeParms<</Predictor 9>>>>",
        ] {
            assert_eq!(read(dictionary, DEFLATED, 1000), Ok(None), "{dictionary}");
        }
    }

    #[test]
    fn no_filter_gives_more_than_is_asked_for() {
        let lzw = Encoder::with_tiff_size_switch(BitOrder::Msb, 8).encode(&[7; 100]);
        for (dictionary, data, length) in [
            ("<<>>", &b"12345"[..], 5),
            ("<</Filter/FlateDecode>>", DEFLATED, 11),
            ("<</Filter/A85>>", b"zzz", 12),
            ("<</Filter/AHx>>", b"0102", 2),
            ("<</Filter/RL>>", b"\x81a", 128),
            ("<</Filter/LZW>>", &lzw.unwrap(), 100),
            ("<</Filter[/RL/RL]>>", b"\x01\x81a", 128),
        ] {
            let taken = read(dictionary, data, length).unwrap().unwrap();
            assert_eq!(taken.len() as u64, length, "{dictionary}");
            let refused = read(dictionary, data, length - 1);
            assert!(
                matches!(refused, Err(Refusal::Limit { .. })),
                "{dictionary}"
            );
        }
        let nine = format!("<</Filter[{}]>>", "/AHx".repeat(9));
        assert!(matches!(read(&nine, b"", 9), Err(Refusal::Limit { .. })));
        let eight = format!("<</Filter[{}]>>", "/AHx".repeat(8));
        assert_eq!(read(&eight, b"", 9), Ok(Some(Vec::new())));
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_they_are_decoded_within_bounds(data: Vec<u8>, filter in 0..5_usize) {
            let name = ["Fl", "LZW", "A85", "AHx", "RL"][filter];
            let bytes = read(&format!("<</Filter/{name}>>"), &data, 300);
            prop_assert!(bytes.is_err() || bytes.unwrap().unwrap().len() <= 300);
        }
    }
}
