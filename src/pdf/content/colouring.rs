//! Colours and graphics state parameters, set (ISO 32000-1, 8.4.5 and 8.6.8).

use std::rc::Rc;

use super::colour::{Colour, Space};
use super::colour_space;
use super::interpreter::Interpreter;
use super::operands::{Operand, Operands};
use super::parameters::{Parameters, font_of};
use super::pattern::Pattern;
use crate::pdf::Refusal;
use crate::pdf::dictionary::Dictionary;

impl<'s> Interpreter<'s, '_> {
    /// Answers whether it is an operator of these.
    pub(super) fn set_colour(&mut self, operator: &[u8], operands: &Operands<'_>) -> bool {
        let state = &mut self.state;
        let (place, space) = match operator {
            b"g" => (&mut state.fill, Space::Grey),
            b"G" => (&mut state.stroke, Space::Grey),
            b"rg" => (&mut state.fill, Space::Rgb),
            b"RG" => (&mut state.stroke, Space::Rgb),
            b"k" => (&mut state.fill, Space::Cmyk),
            b"K" => (&mut state.stroke, Space::Cmyk),
            _ => return false,
        };
        *place = Colour::new(space, Components::of(operands).all());
        true
    }

    /// `cs`, `sc`, `scn`, and those in capitals for strokes.
    pub(super) fn set_colour_by_name(
        &mut self,
        operator: &[u8],
        operands: &Operands<'_>,
    ) -> Result<(), Refusal> {
        let strokes = operator.first() == Some(&b'S') || operator == b"CS";
        let current = if strokes {
            self.state.stroke
        } else {
            self.state.fill
        };
        let colour = match (operator, operands.name()) {
            (b"cs" | b"CS", Some(name)) => Colour::initial(self.space(name)?),
            (b"cs" | b"CS", None) => return Ok(()),
            (_, Some(pattern)) => self.patterned(current.space, pattern, operands)?,
            (_, None) => Colour::new(current.space, Components::of(operands).all()),
        };
        if strokes {
            self.state.stroke = colour;
        } else {
            self.state.fill = colour;
        }
        Ok(())
    }

    /// The space of a name: a device's, or one of the resources.
    pub(super) fn space(&mut self, name: &[u8]) -> Result<Space, Refusal> {
        if let Some(space) = colour_space::device(name) {
            return Ok(space);
        }
        let resources = Rc::clone(&self.resources);
        let source = &self.source;
        let space = resources
            .spaces
            .get(source, name, |value| colour_space::read(source, value));
        Ok(self.tolerated(space)?.unwrap_or(Space::Unknown))
    }

    fn patterned(
        &mut self,
        space: Space,
        name: &[u8],
        operands: &Operands<'_>,
    ) -> Result<Colour, Refusal> {
        let resources = Rc::clone(&self.resources);
        let pattern = resources.patterns.lookup(&self.source, name);
        let pattern = match self.tolerated(pattern)? {
            Some((_, Some(known))) => known,
            Some((value, None)) => {
                // Should it be painted with itself, it is taken for a stencil.
                resources.patterns.know(name, Pattern::Uncoloured);
                let read = self.pattern(value).map(Some);
                let read = self.tolerated(read)?.unwrap_or(Pattern::Uncoloured);
                resources.patterns.know(name, read);
                read
            }
            None => Pattern::Uncoloured,
        };
        Ok(match pattern {
            Pattern::Coloured(paint) => Colour { space, paint },
            Pattern::Uncoloured => Colour::new(space, Components::of(operands).all()),
        })
    }

    fn pattern(&mut self, value: &'s [u8]) -> Result<Pattern, Refusal> {
        let dictionary = Dictionary::of(self.source.object(value)?.value);
        let kind = dictionary.and_then(|pattern| pattern.integer(b"PaintType"));
        if kind == Some(2) {
            return Ok(Pattern::Uncoloured);
        }
        Ok(Pattern::Coloured(self.looks_of_pattern(value)?))
    }

    pub(super) fn set_parameters(&mut self, operands: &Operands<'_>) -> Result<(), Refusal> {
        let Some(name) = operands.name() else {
            return Ok(());
        };
        let resources = Rc::clone(&self.resources);
        let parameters = resources.parameters.lookup(&self.source, name);
        let parameters = match self.tolerated(parameters)? {
            Some((_, Some(known))) => known,
            Some((value, None)) => {
                let read = self.parameters(value).map(Some);
                let read = self.tolerated(read)?.unwrap_or_default();
                resources.parameters.know(name, read);
                read
            }
            None => return Ok(()),
        };
        parameters.apply(&mut self.state);
        Ok(())
    }

    fn parameters(&mut self, value: &'s [u8]) -> Result<Parameters, Refusal> {
        let Some(dictionary) = Dictionary::of(self.source.object(value)?.value) else {
            return Ok(Parameters::default());
        };
        let mut parameters = Parameters::read(&self.source, dictionary)?;
        if let Some((font, size)) = font_of(&self.source, dictionary)? {
            let font = self.font(font, b"")?;
            parameters.font = Some((font, size));
        }
        Ok(parameters)
    }
}

/// The numbers of a colour.
struct Components {
    values: [f64; 32],
    count: usize,
}

impl Components {
    fn of(operands: &Operands<'_>) -> Self {
        let mut components = Self {
            values: [0.0; 32],
            count: 0,
        };
        for (place, operand) in components.values.iter_mut().zip(operands.all()) {
            if let Operand::Number(number) = operand {
                *place = *number;
                components.count += 1;
            }
        }
        components
    }

    fn all(&self) -> &[f64] {
        self.values.get(..self.count).unwrap_or_default()
    }
}
