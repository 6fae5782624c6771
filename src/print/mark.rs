use crate::domain::BundleId;

/// What the mark on the front of a sheet says: which sheet of which piece of which bundle.
///
/// The payload is 24 digits, as many as a DataMatrix of 16 × 16 modules holds:
///
/// | digits | what |
/// | --- | --- |
/// | 1 | version, `1` |
/// | 9 | bundle number, its last nine digits |
/// | 6 | sequence of the piece in the bundle |
/// | 3 | sheet of the piece |
/// | 3 | sheets of the piece |
/// | 2 | check digits over the rest, ISO/IEC 7064 MOD 97-10 |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub bundle: BundleId,
    /// 1-based, at most [`Mark::MAX_SEQUENCE`].
    pub sequence: u32,
    /// 1-based, at most `sheets`.
    pub sheet: u32,
    /// At most [`Mark::MAX_SHEETS`].
    pub sheets: u32,
}

/// What was read is not the payload of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMark {
    #[error("a mark has {} digits", Mark::DIGITS)]
    Form,
    #[error("the check digits of the mark do not match the rest")]
    Check,
    #[error("the mark has a version other than 1")]
    Version,
    #[error("the mark names a sheet that its piece does not have")]
    Sheet,
}

impl Mark {
    pub const DIGITS: usize = 24;
    pub const MAX_SEQUENCE: u32 = 999_999;
    pub const MAX_SHEETS: u32 = 999;

    /// Bundles that a mark can tell apart.
    pub(super) const BUNDLE_NUMBERS: u64 = 1_000_000_000;

    pub fn payload(&self) -> String {
        let bundle = self.bundle.0 % Self::BUNDLE_NUMBERS;
        let digits = format!(
            "1{bundle:09}{:06}{:03}{:03}",
            self.sequence, self.sheet, self.sheets
        );
        format!("{digits}{:02}", 98 - remainder_97(&format!("{digits}00")))
    }

    /// Reads a payload back.
    ///
    /// # Errors
    ///
    /// [`InvalidMark`] says what is wrong with it.
    pub fn parse(payload: &str) -> Result<Self, InvalidMark> {
        if payload.len() != Self::DIGITS || !payload.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidMark::Form);
        }
        if remainder_97(payload) != 1 {
            return Err(InvalidMark::Check);
        }
        if !payload.starts_with('1') {
            return Err(InvalidMark::Version);
        }
        let mark = Self {
            bundle: BundleId(number(payload, 1, 10).into()),
            sequence: number(payload, 10, 16),
            sheet: number(payload, 16, 19),
            sheets: number(payload, 19, 22),
        };
        if (1..=mark.sheets).contains(&mark.sheet) {
            Ok(mark)
        } else {
            Err(InvalidMark::Sheet)
        }
    }

    /// What people read under the symbol: `31-12 1/3`.
    pub fn readable(&self) -> String {
        let Self {
            bundle,
            sequence,
            sheet,
            sheets,
        } = self;
        let bundle = bundle.0 % Self::BUNDLE_NUMBERS;
        format!("{bundle}-{sequence} {sheet}/{sheets}")
    }
}

fn remainder_97(digits: &str) -> u32 {
    let digits = digits.bytes().map(|digit| u32::from(digit & 0x0f));
    digits.fold(0, |remainder, digit| (remainder * 10 + digit) % 97)
}

/// At most nine digits, so that it fits.
fn number(payload: &str, from: usize, to: usize) -> u32 {
    let digits = payload.get(from..to).unwrap_or_default();
    digits.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MARK: Mark = Mark {
        bundle: BundleId(31),
        sequence: 12,
        sheet: 1,
        sheets: 3,
    };

    #[test]
    fn the_payload_has_the_documented_layout() {
        insta::assert_snapshot!(MARK.payload(), @"100000003100001200100344");
        assert_eq!(MARK.readable(), "31-12 1/3");
    }

    #[test]
    fn what_is_not_a_mark_is_refused_with_its_reason() {
        let last_wrong = MARK.payload().replace("31000012", "31000021");
        assert_eq!(Mark::parse(&last_wrong), Err(InvalidMark::Check));
        assert_eq!(Mark::parse("123"), Err(InvalidMark::Form));
        assert_eq!(Mark::parse(&"x".repeat(24)), Err(InvalidMark::Form));
        let sheet_four = Mark { sheet: 4, ..MARK };
        assert_eq!(Mark::parse(&sheet_four.payload()), Err(InvalidMark::Sheet));
    }

    #[test]
    fn a_bundle_past_nine_digits_keeps_its_last_nine() {
        let far = Mark {
            bundle: BundleId(1_000_000_031),
            ..MARK
        };
        assert_eq!(Mark::parse(&far.payload()), Ok(MARK));
    }

    proptest! {
        #[test]
        fn every_mark_survives_being_written_and_read(
            bundle in 0..1_000_000_000_u64,
            sequence in 1..=Mark::MAX_SEQUENCE,
            (sheet, sheets) in (1..=Mark::MAX_SHEETS).prop_flat_map(|n| (1..=n, Just(n))),
        ) {
            let mark = Mark { bundle: BundleId(bundle), sequence, sheet, sheets };
            prop_assert_eq!(Mark::parse(&mark.payload()), Ok(mark));
        }

        #[test]
        fn any_single_wrong_digit_is_noticed(at in 0..Mark::DIGITS, other in b'0'..=b'9') {
            let mut payload = MARK.payload().into_bytes();
            prop_assume!(payload[at] != other);
            payload[at] = other;
            prop_assert!(Mark::parse(std::str::from_utf8(&payload).unwrap()).is_err());
        }
    }
}
