//! Colour spaces, read as far as they tell white from grey from colour (ISO 32000-1, 8.6).

use super::Paint;
use super::colour::{Colour, Space, stronger};
use super::shown_bytes::bytes_of;
use super::source::Source;
use crate::pdf::Refusal;
use crate::pdf::dictionary::{Dictionary, elements, is_name};
use crate::pdf::lexer::{Lexer, Token};

/// Spaces within spaces: an alternate within a base, at the most.
const MOST_DEPTH: u32 = 4;

/// The space of a device by its name, abbreviated as in inline images or not.
pub(super) fn device(name: &[u8]) -> Option<Space> {
    match name {
        b"DeviceGray" | b"G" | b"CalGray" => Some(Space::Grey),
        b"DeviceRGB" | b"RGB" | b"CalRGB" => Some(Space::Rgb),
        b"DeviceCMYK" | b"CMYK" => Some(Space::Cmyk),
        b"Pattern" => Some(Space::Unknown),
        _ => None,
    }
}

/// The space that a name or an array gives. What is not known is [`Space::Unknown`].
pub(super) fn read<'s>(source: &Source<'s>, value: &'s [u8]) -> Result<Space, Refusal> {
    read_within(source, value, MOST_DEPTH)
}

fn read_within<'s>(source: &Source<'s>, value: &'s [u8], depth: u32) -> Result<Space, Refusal> {
    let value = source.object(value)?.value;
    if let Some(Token::Name(name)) = Lexer::new(value, 0).next() {
        return Ok(device(name).unwrap_or(Space::Unknown));
    }
    let mut parts = elements(value);
    let (Some(family), Some(depth)) = (parts.next(), depth.checked_sub(1)) else {
        return Ok(Space::Unknown);
    };
    let Some(Token::Name(family)) = Lexer::new(source.object(family)?.value, 0).next() else {
        return Ok(Space::Unknown);
    };
    let parts = [parts.next(), parts.next(), parts.next()].map(Option::unwrap_or_default);
    match family {
        b"ICCBased" => icc(source, parts[0]),
        b"Lab" => Ok(Space::Lab),
        b"Separation" => separation(source, parts, depth),
        b"DeviceN" => several_inks(source, parts[0]),
        b"Indexed" | b"I" => Ok(Space::Indexed(palette(source, parts, depth)?)),
        // What an uncoloured pattern is painted with.
        b"Pattern" => read_within(source, parts[0], depth),
        _ => Ok(device(family).unwrap_or(Space::Unknown)),
    }
}

/// By the number of components: the profile itself is not looked at.
fn icc<'s>(source: &Source<'s>, profile: &'s [u8]) -> Result<Space, Refusal> {
    let Some(profile) = Dictionary::of(source.object(profile)?.value) else {
        return Ok(Space::Unknown);
    };
    Ok(match profile.integer(b"N") {
        Some(1) => Space::Grey,
        Some(3) => Space::Rgb,
        Some(4) => Space::Cmyk,
        _ => Space::Unknown,
    })
}

fn separation<'s>(
    source: &Source<'s>,
    [name, alternate, _]: [&'s [u8]; 3],
    depth: u32,
) -> Result<Space, Refusal> {
    let name = source.object(name)?.value;
    if is_name(name, b"None") {
        return Ok(Space::NoInk);
    }
    let is_grey = is_black(name) || read_within(source, alternate, depth)? == Space::Grey;
    Ok(Space::Inks {
        grey: if is_grey { u32::MAX } else { 0 },
    })
}

/// `All` is every ink over another: registration marks.
fn is_black(name: &[u8]) -> bool {
    is_name(name, b"Black") || is_name(name, b"All")
}

fn several_inks<'s>(source: &Source<'s>, names: &'s [u8]) -> Result<Space, Refusal> {
    let mut grey = u32::MAX;
    for (at, name) in (0..u32::BITS).zip(elements(source.object(names)?.value)) {
        if !is_black(name) && !is_name(name, b"None") {
            grey &= !(1 << at);
        }
    }
    Ok(Space::Inks { grey })
}

/// A palette has 256 colours at most, of a few components each.
const MOST_PALETTE_BYTES: usize = 256 * 32;

/// What the colours of a palette look like together.
fn palette<'s>(
    source: &Source<'s>,
    [base, _, colours]: [&'s [u8]; 3],
    depth: u32,
) -> Result<Paint, Refusal> {
    let base = read_within(source, base, depth)?;
    let components = match base {
        Space::Grey => return Ok(Paint::Grey),
        Space::Rgb => 3,
        Space::Cmyk => 4,
        _ => return Ok(Paint::Colour),
    };
    let colours = source.object(colours)?;
    let bytes = match colours.data {
        Some(_) => source.decoded(colours)?.unwrap_or_default(),
        None => bytes_of(colours.value, &mut Vec::new()).to_vec(),
    };
    source.spend(bytes.len())?;
    if bytes.is_empty() || bytes.len() > MOST_PALETTE_BYTES {
        return Ok(Paint::Colour);
    }
    let mut paint = Paint::Grey;
    for colour in bytes.chunks_exact(components) {
        let mut values = [0.0; 4];
        for (value, byte) in values.iter_mut().zip(colour) {
            *value = f64::from(*byte) / 255.0;
        }
        paint = stronger(paint, Colour::new(base, &values).paint);
    }
    Ok(paint)
}

/// What a shading looks like (8.7.4.3): the colours in it are not looked at.
pub(super) fn of_shading<'s>(source: &Source<'s>, value: &'s [u8]) -> Result<Paint, Refusal> {
    let Some(shading) = Dictionary::of(source.object(value)?.value) else {
        return Ok(Paint::Invisible);
    };
    match shading.get(b"ColorSpace") {
        Some(space) => Ok(read(source, space)?.strongest()),
        None => Ok(Paint::Colour),
    }
}
