//! Patterns (ISO 32000-1, 8.7), by what they look like.

use super::Paint;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    /// A stencil for the colour that is set with it.
    Uncoloured,
    /// What its content, or its shading, looks like.
    Coloured(Paint),
}
