use jiff::{ToSpan, civil::Date};

use crate::domain::PersonalIdentityCode;

use super::dice::{Dice, Purpose};

/// How many letters a batch can have before a recipient comes twice.
pub const DISTINCT_CODES: u32 = DAYS * INDIVIDUAL_NUMBERS * SIGNS;

/// Days of birth from 1 January 1936 to 31 December 2007: adults, all of them.
const DAYS: u32 = 26_298;
const FIRST_DAY: Date = jiff::civil::date(1936, 1, 1);
/// Individual numbers 900 to 999 are artificial: no person has one.
const INDIVIDUAL_NUMBERS: u32 = 100;
/// Century signs a century, since 2023. All are used, so that a reader who drops the sign is caught.
const SIGNS: u32 = 6;
const SIGNS_1900: &str = "-YXWVU";
const SIGNS_2000: &str = "ABCDEF";

/// Coprime to [`DISTINCT_CODES`], so that stepping by it meets each code once before any comes again.
const STRIDE: u64 = 9_751_631;

/// The identity code of letter `letter` (1-based). Two letters of a seed never share one.
pub(super) fn of_letter(seed: u64, letter: u32) -> Option<PersonalIdentityCode> {
    let start = Dice::new(seed, 0, Purpose::IdentityCodes).below(DISTINCT_CODES);
    let steps = u64::from(start) + u64::from(letter) * STRIDE;
    code(u32::try_from(steps % u64::from(DISTINCT_CODES)).ok()?)
}

fn code(index: u32) -> Option<PersonalIdentityCode> {
    let (day, rest) = (index % DAYS, index / DAYS);
    let born = FIRST_DAY
        .checked_add(i32::try_from(day).ok()?.days())
        .ok()?;
    let signs = if born.year() < 2000 {
        SIGNS_1900
    } else {
        SIGNS_2000
    };
    let sign = signs.chars().nth((rest / INDIVIDUAL_NUMBERS) as usize)?;
    let date = born.strftime("%d%m%y").to_string();
    let individual = 900 + rest % INDIVIDUAL_NUMBERS;
    let digits = format!("{date}{individual}").parse().ok()?;
    let check = PersonalIdentityCode::check_character(digits);
    format!("{date}{sign}{individual}{check}").parse().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_hundred_thousand_codes_are_valid_artificial_and_distinct() {
        let mut seen = HashSet::new();
        for letter in 1..=100_000 {
            let code = of_letter(7, letter).unwrap();
            assert!(code.is_artificial());
            assert!(seen.insert(code), "letter {letter}");
        }
    }

    #[test]
    fn the_stride_meets_every_code() {
        let (mut a, mut b) = (STRIDE, u64::from(DISTINCT_CODES));
        while b != 0 {
            (a, b) = (b, a % b);
        }
        assert_eq!(a, 1);
    }

    #[test]
    fn the_first_and_the_last_code_are_codes() {
        assert!(code(0).unwrap().expose().starts_with("010136-900"));
        assert!(
            code(DISTINCT_CODES - 1)
                .unwrap()
                .expose()
                .starts_with("311207F999")
        );
        assert_eq!(code(DISTINCT_CODES), None);
    }
}
