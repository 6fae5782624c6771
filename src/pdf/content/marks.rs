//! Marked content (ISO 32000-1, 14.6), of which what is on a hidden layer is not drawn (8.11.3.2).

use super::interpreter::Interpreter;
use super::operands::{Operand, Operands};
use crate::pdf::Refusal;
use crate::pdf::dictionary::name_is;

/// What is open in a page or form.
#[derive(Default)]
pub(super) struct Marks {
    depth: u32,
    /// How many were open where the outermost began that does not show.
    hidden: Option<u32>,
}

impl Marks {
    pub(super) fn hide(&self) -> bool {
        self.hidden.is_some()
    }

    fn open(&mut self, shows: bool) {
        if !shows {
            self.hidden.get_or_insert(self.depth);
        }
        self.depth = self.depth.saturating_add(1);
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.hidden = self.hidden.filter(|at| *at < self.depth);
    }
}

impl Interpreter<'_, '_> {
    /// Answers whether it is an operator of these, or one that changes nothing here.
    pub(super) fn mark(&mut self, operator: &[u8]) -> bool {
        match operator {
            b"BMC" => self.marks.open(true),
            b"EMC" => self.marks.close(),
            b"MP" | b"DP" | b"BX" | b"EX" | b"i" | b"ri" | b"j" | b"J" | b"M" | b"d" => {}
            _ => return false,
        }
        true
    }

    /// `BDC`.
    pub(super) fn mark_with_properties(&mut self, operands: &Operands<'_>) -> Result<(), Refusal> {
        let shows = match operands.all() {
            [.., Operand::Name(tag), Operand::Name(name)] if name_is(tag, b"OC") => {
                self.marks.hide() || self.layer_shows(name)?
            }
            _ => true,
        };
        self.marks.open(shows);
        Ok(())
    }

    /// What names no layer shows.
    fn layer_shows(&mut self, name: &[u8]) -> Result<bool, Refusal> {
        let source = &self.source;
        let read = |membership| source.shows(membership);
        let shows = self.resources.layers.get(source, name, read);
        Ok(self.tolerated(shows)?.unwrap_or(true))
    }
}
