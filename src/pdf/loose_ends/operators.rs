//! The operators of page content, and what each needs before it (ISO 32000-1, annex A).

/// What stands before an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Real,
    Name,
    Text,
    Array,
    Dictionary,
    /// `true`, `false`, `null`.
    Other,
}

pub(super) struct Operator {
    pub(super) role: Role,
    operands: Operands,
}

/// What an operator does to what must be balanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Save,
    Restore,
    BeginText,
    EndText,
    BeginMarked,
    EndMarked,
    BeginCompatible,
    EndCompatible,
    /// Goes on with a path.
    Path,
    /// Ends the path.
    Paint,
    InlineImage,
    Other,
}

#[derive(Clone, Copy)]
enum Operands {
    /// So many numbers.
    Numbers(usize),
    /// One number without a point: poppler stops at another.
    Integer,
    Name,
    Text,
    Array,
    /// `Tf`.
    NameNumber,
    /// `d`.
    ArrayNumber,
    /// `"`.
    TwoNumbersText,
    /// `BDC`: a name, and a name or a dictionary.
    NameProperties,
    /// `sc`: one number or more.
    Colour,
    /// `scn`: numbers, a pattern's name behind them, or it alone.
    ColourOrPattern,
}

impl Operator {
    /// `None` if it is none that page content may have.
    pub(super) fn of(word: &[u8]) -> Option<Self> {
        use Operands as Takes;
        let (role, operands) = match word {
            b"q" => (Role::Save, Takes::Numbers(0)),
            b"Q" => (Role::Restore, Takes::Numbers(0)),
            b"BT" => (Role::BeginText, Takes::Numbers(0)),
            b"ET" => (Role::EndText, Takes::Numbers(0)),
            b"BMC" => (Role::BeginMarked, Takes::Name),
            b"BDC" => (Role::BeginMarked, Takes::NameProperties),
            b"EMC" => (Role::EndMarked, Takes::Numbers(0)),
            b"BX" => (Role::BeginCompatible, Takes::Numbers(0)),
            b"EX" => (Role::EndCompatible, Takes::Numbers(0)),
            b"BI" => (Role::InlineImage, Takes::Numbers(0)),
            b"h" | b"W" | b"W*" => (Role::Path, Takes::Numbers(0)),
            b"m" | b"l" => (Role::Path, Takes::Numbers(2)),
            b"v" | b"y" | b"re" => (Role::Path, Takes::Numbers(4)),
            b"c" => (Role::Path, Takes::Numbers(6)),
            b"S" | b"s" | b"f" | b"F" | b"f*" | b"B" | b"B*" | b"b" | b"b*" | b"n" => {
                (Role::Paint, Takes::Numbers(0))
            }
            _ => (Role::Other, operands_of_others(word)?),
        };
        Some(Self { role, operands })
    }

    /// Whether it finds what it needs. More, before that, is passed over by readers.
    pub(super) fn takes(&self, found: &[Kind]) -> bool {
        use Kind::{Array, Dictionary, Integer, Name, Text};
        match self.operands {
            Operands::Numbers(count) => {
                let first = found.len().checked_sub(count);
                let last = first.and_then(|first| found.get(first..));
                last.is_some_and(are_numbers)
            }
            Operands::Integer => matches!(found, [.., Integer]),
            Operands::Name => matches!(found, [.., Name]),
            Operands::Text => matches!(found, [.., Text]),
            Operands::Array => matches!(found, [.., Array]),
            Operands::NameNumber => matches!(found, [.., Name, size] if is_number(*size)),
            Operands::ArrayNumber => matches!(found, [.., Array, phase] if is_number(*phase)),
            Operands::TwoNumbersText => {
                matches!(found, [.., words, letters, Text] if are_numbers(&[*words, *letters]))
            }
            Operands::NameProperties => matches!(found, [.., Name, Name | Dictionary]),
            Operands::Colour => !found.is_empty() && are_numbers(found),
            Operands::ColourOrPattern => match found {
                [colour @ .., Name] => are_numbers(colour),
                colour => !colour.is_empty() && are_numbers(colour),
            },
        }
    }
}

fn operands_of_others(word: &[u8]) -> Option<Operands> {
    Some(match word {
        b"T*" => Operands::Numbers(0),
        b"w" | b"M" | b"i" | b"g" | b"G" | b"Tc" | b"Tw" | b"Tz" | b"TL" | b"Ts" => {
            Operands::Numbers(1)
        }
        b"Td" | b"TD" => Operands::Numbers(2),
        b"rg" | b"RG" => Operands::Numbers(3),
        b"k" | b"K" => Operands::Numbers(4),
        b"cm" | b"Tm" => Operands::Numbers(6),
        b"J" | b"j" | b"Tr" => Operands::Integer,
        b"cs" | b"CS" | b"gs" | b"Do" | b"sh" | b"ri" | b"MP" => Operands::Name,
        b"Tj" | b"'" => Operands::Text,
        b"\"" => Operands::TwoNumbersText,
        b"TJ" => Operands::Array,
        b"Tf" => Operands::NameNumber,
        b"d" => Operands::ArrayNumber,
        b"DP" => Operands::NameProperties,
        b"sc" | b"SC" => Operands::Colour,
        b"scn" | b"SCN" => Operands::ColourOrPattern,
        _ => return None,
    })
}

fn is_number(kind: Kind) -> bool {
    matches!(kind, Kind::Integer | Kind::Real)
}

fn are_numbers(kinds: &[Kind]) -> bool {
    kinds.iter().copied().all(is_number)
}
