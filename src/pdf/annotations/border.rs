//! The border of a link (ISO 32000-1, 12.5.4), which readers draw where there is no appearance.

use std::io::Write as _;

use crate::pdf::Refusal;
use crate::pdf::dictionary::{Dictionary, elements, number};
use crate::pdf::objects::Objects;
use crate::pdf::page::rectangle;

struct Border {
    width: f64,
    /// Lengths of dashes and gaps; empty for a solid line.
    dashes: Vec<f64>,
    is_underline: bool,
}

/// More dashes than this are a fault, and drawn as a solid line.
const MOST_DASHES: usize = 16;

/// Operators in the page's coordinates; `None` if no border is to be seen.
pub(super) fn of_link(
    objects: &Objects<'_>,
    link: Dictionary<'_>,
) -> Result<Option<Vec<u8>>, Refusal> {
    let Some([left, bottom, right, top]) = rectangle(objects, link.get(b"Rect"))? else {
        return Ok(None);
    };
    let border = Border::of(objects, link)?;
    let Some(mut out) = colour(objects, link)?.filter(|_| border.width > 0.0) else {
        return Ok(None);
    };
    border.put_style(&mut out);
    // Writing to a vector does not fail.
    let _ = if border.is_underline {
        write!(out, " {left} {bottom} m {right} {bottom} l S")
    } else {
        write!(
            out,
            " {left} {bottom} {} {} re S",
            right - left,
            top - bottom
        )
    };
    Ok(Some(out))
}

impl Border {
    /// A line of one unit if nothing is said.
    fn of(objects: &Objects<'_>, link: Dictionary<'_>) -> Result<Self, Refusal> {
        match objects.dictionary(link, b"BS")? {
            Some(style) => Self::of_style(objects, style),
            None => Self::of_array(objects, link),
        }
    }

    fn of_style(objects: &Objects<'_>, style: Dictionary<'_>) -> Result<Self, Refusal> {
        let dashes = match objects.get(style, b"D")? {
            _ if !style.has_name(b"S", b"D") => Vec::new(),
            Some(dashes) => numbers(objects, dashes)?,
            None => vec![3.0],
        };
        Ok(Self {
            width: objects.get(style, b"W")?.and_then(number).unwrap_or(1.0),
            dashes: usable(dashes),
            is_underline: style.has_name(b"S", b"U"),
        })
    }

    /// `[horizontal radius, vertical radius, width, dashes]`; corners stay square, as others draw
    /// them.
    fn of_array(objects: &Objects<'_>, link: Dictionary<'_>) -> Result<Self, Refusal> {
        let values = objects.get(link, b"Border")?;
        let mut values = values.into_iter().flat_map(elements).skip(2);
        let width = values.next().map(|width| objects.resolved(width));
        let dashes = values.next().map(|dashes| objects.resolved(dashes));
        let dashes = dashes.transpose()?.unwrap_or_default();
        Ok(Self {
            width: width.transpose()?.and_then(number).unwrap_or(1.0),
            dashes: usable(numbers(objects, dashes)?),
            is_underline: false,
        })
    }

    fn put_style(&self, out: &mut Vec<u8>) {
        let _ = write!(out, " {} w [", self.width);
        for dash in &self.dashes {
            let _ = write!(out, " {dash}");
        }
        out.extend_from_slice(b"] 0 d");
    }
}

/// The operator that sets the colour of lines: black if nothing is said, `None` for no colour.
fn colour(objects: &Objects<'_>, link: Dictionary<'_>) -> Result<Option<Vec<u8>>, Refusal> {
    let values = match objects.get(link, b"C")? {
        Some(values) => numbers(objects, values)?,
        None => vec![0.0],
    };
    let operator = match values.len() {
        1 => "G",
        3 => "RG",
        4 => "K",
        _ => return Ok(None),
    };
    let mut out = Vec::new();
    for value in values {
        let _ = write!(out, "{value} ");
    }
    out.extend_from_slice(operator.as_bytes());
    Ok(Some(out))
}

fn usable(dashes: Vec<f64>) -> Vec<f64> {
    let adds_up = dashes.iter().sum::<f64>() > 0.0 && dashes.iter().all(|dash| *dash >= 0.0);
    if adds_up { dashes } else { Vec::new() }
}

fn numbers(objects: &Objects<'_>, array: &[u8]) -> Result<Vec<f64>, Refusal> {
    let mut found = Vec::new();
    for value in elements(array).take(MOST_DASHES) {
        found.extend(number(objects.resolved(value)?));
    }
    Ok(found)
}
