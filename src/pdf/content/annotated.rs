//! What annotations add to a page: [`crate::pdf::Fragment`] draws them after its own content.

use super::external::External;
use super::interpreter::Interpreter;
use super::matrix::Matrix;
use crate::pdf::Refusal;
use crate::pdf::annotations::{Appearance, Drawn};

impl<'s> Interpreter<'s, '_> {
    /// In the coordinates of the page.
    pub(super) fn draw_annotation(&mut self, drawn: &Drawn) -> Result<(), Refusal> {
        match drawn {
            Drawn::Border(operators) => {
                self.source.spend(operators.len())?;
                self.run(operators)
            }
            Drawn::Appearance(appearance) => {
                let matrix = Matrix::of(appearance.matrix);
                self.state.matrix = matrix.then(&self.state.matrix);
                let read = self.appearance(appearance).map(Some);
                let read = self.tolerated(read)?.unwrap_or(External::Nothing);
                self.draw_object(&read)
            }
        }
    }

    /// One that does not say that it is a form is made one.
    fn appearance(&mut self, appearance: &Appearance) -> Result<External<'s>, Refusal> {
        let number = appearance.number;
        if appearance.says_so {
            return self.external_of(number);
        }
        let stream = self.source.numbered(number)?;
        self.form(Some(number), stream)
    }
}
