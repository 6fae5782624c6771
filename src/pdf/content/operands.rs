//! What stands before an operator (ISO 32000-1, 7.8.2).

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Operand<'c> {
    Number(f64),
    /// Without the slash, escapes as they stand.
    Name(&'c [u8]),
    /// `(…)` or `<…>`, as it stands.
    Text(&'c [u8]),
    /// As it stands, with its brackets.
    Array(&'c [u8]),
    /// As it stands.
    Dictionary(&'c [u8]),
    Other,
}

/// A colour has 32 components at most, and a name.
const MOST: usize = 40;

/// The operands of one operator, in a place that is used for all.
pub(super) struct Operands<'c> {
    values: [Operand<'c>; MOST],
    count: usize,
}

impl<'c> Operands<'c> {
    pub(super) fn new() -> Self {
        Self {
            values: [Operand::Other; MOST],
            count: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    /// Those past the fortieth are left out: no operator takes as many.
    pub(super) fn push(&mut self, operand: Operand<'c>) {
        if let Some(place) = self.values.get_mut(self.count) {
            *place = operand;
            self.count += 1;
        }
    }

    pub(super) fn all(&self) -> &[Operand<'c>] {
        self.values.get(..self.count).unwrap_or_default()
    }

    /// The last `N`, if all are numbers.
    pub(super) fn numbers<const N: usize>(&self) -> Option<[f64; N]> {
        let values: &[Operand<'c>; N] = self.all().last_chunk()?;
        let mut numbers = [0.0; N];
        for (number, value) in numbers.iter_mut().zip(values) {
            match value {
                Operand::Number(value) => *number = *value,
                _ => return None,
            }
        }
        Some(numbers)
    }

    pub(super) fn number(&self) -> Option<f64> {
        self.numbers::<1>().map(|[number]| number)
    }

    /// The last one, if it is a name.
    pub(super) fn name(&self) -> Option<&'c [u8]> {
        match self.all().last() {
            Some(Operand::Name(name)) => Some(name),
            _ => None,
        }
    }
}
