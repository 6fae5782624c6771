//! What `Do` draws: forms and pictures (ISO 32000-1, 8.9 and 8.10).

use std::rc::Rc;

use super::colour::Space;
use super::matrix::Matrix;
use super::resources::Resources;
use super::source::Source;
use super::{Paint, colour_space};
use crate::pdf::Refusal;
use crate::pdf::dictionary::{Dictionary, is_name, reference};
use crate::pdf::object::Object;

#[derive(Clone)]
pub(super) enum External<'s> {
    Form(Rc<Form<'s>>),
    Picture(Picture),
    /// Nothing that is drawn.
    Nothing,
}

/// Content within content, decoded.
pub(super) struct Form<'s> {
    pub(super) number: Option<u32>,
    pub(super) bytes: Vec<u8>,
    pub(super) matrix: Matrix,
    /// Left, bottom, right, top.
    pub(super) bounds: Option<[f64; 4]>,
    /// `None`: those of what draws it.
    pub(super) resources: Option<Rc<Resources<'s>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Picture {
    /// `None`: a stencil, through which the fill colour is painted.
    pub(super) paint: Option<Paint>,
    pub(super) has_soft_mask: bool,
}

impl<'s> Form<'s> {
    /// `None` if a filter of it is not read.
    pub(super) fn read(
        source: &Source<'s>,
        number: Option<u32>,
        stream: Object<'s>,
    ) -> Result<Option<Self>, Refusal> {
        let Some(dictionary) = Dictionary::of(stream.value) else {
            return Ok(None);
        };
        let Some(bytes) = source.decoded(stream)? else {
            return Ok(None);
        };
        let resources = source.dictionary(dictionary, b"Resources")?;
        Ok(Some(Self {
            number,
            bytes,
            matrix: source
                .numbers(dictionary, b"Matrix")?
                .map_or(Matrix::IDENTITY, Matrix::of),
            bounds: source.numbers(dictionary, b"BBox")?,
            resources: resources.map(|resources| Resources::new(Some(resources))),
        }))
    }
}

impl Picture {
    pub(super) fn read<'s>(
        source: &Source<'s>,
        dictionary: Dictionary<'s>,
    ) -> Result<Self, Refusal> {
        let mask = source.get(dictionary, b"SMask")?;
        let has_soft_mask = mask.is_some()
            || dictionary
                .integer(b"SMaskInData")
                .is_some_and(|kind| kind != 0);
        let is_stencil = source.get(dictionary, b"ImageMask")? == Some(b"true");
        let space = match dictionary.get(b"ColorSpace") {
            Some(space) => colour_space::read(source, space)?,
            // JPEG 2000 says it itself.
            None => Space::Unknown,
        };
        Ok(Self {
            paint: (!is_stencil).then(|| space.strongest()),
            has_soft_mask,
        })
    }
}

/// Whether a form or a picture, or something else.
pub(super) fn is_kind<'s>(
    source: &Source<'s>,
    dictionary: Dictionary<'s>,
    kind: &[u8],
) -> Result<bool, Refusal> {
    let subtype = source.get(dictionary, b"Subtype")?;
    Ok(subtype.is_some_and(|subtype| is_name(subtype, kind)))
}

/// The number of the object that a value refers to, by which it is known again.
pub(super) fn number_of(value: &[u8]) -> Option<u32> {
    reference(value)
}
