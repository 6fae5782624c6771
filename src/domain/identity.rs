use std::{fmt, str::FromStr};

/// A Finnish personal identity code (*henkilötunnus*), checked and in upper case.
///
/// Form: `DDMMYY`, century sign, three digits, check character. Since 2023 the century sign is
/// part of the identity: two people can share all ten other characters, so it is kept. Source:
/// Digital and Population Data Services Agency, in force 1 January 2023.
///
/// It prints as `[hidden]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonalIdentityCode(String);

/// The text is not a personal identity code. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentityCode {
    #[error("an identity code has the form DDMMYY, century sign, three digits, check character")]
    Form,
    #[error("the individual number of the identity code is below 002, which is given to nobody")]
    IndividualNumber,
    #[error("the date of the identity code is not a day of its century")]
    Date,
    #[error("the check character of the identity code does not match")]
    CheckCharacter,
}

/// Individual numbers are 002 to 899, and 900 to 999 where no person is meant.
const FIRST_INDIVIDUAL: u32 = 2;

const CHECK_CHARACTERS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";

impl PersonalIdentityCode {
    /// The code itself, for a place where a format demands it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the individual number is in 900–999: artificial, given to no person.
    pub fn is_artificial(&self) -> bool {
        self.0.as_bytes().get(7) == Some(&b'9')
    }

    /// The check character of nine digits `DDMMYYNNN`, by remainder modulo 31.
    pub fn check_character(digits: u32) -> char {
        let index = usize::try_from(digits % 31).unwrap_or_default();
        char::from(CHECK_CHARACTERS.get(index).copied().unwrap_or(b'0'))
    }
}

impl FromStr for PersonalIdentityCode {
    type Err = InvalidIdentityCode;

    fn from_str(text: &str) -> Result<Self, InvalidIdentityCode> {
        let code = text.to_ascii_uppercase();
        let parts = (code.len() == 11 && code.is_ascii())
            .then(|| (&code[..6], &code[6..7], &code[7..10], &code[10..]));
        let (date, sign, individual, check) = parts.ok_or(InvalidIdentityCode::Form)?;
        let century = century_of(sign).ok_or(InvalidIdentityCode::Form)?;
        let digits = all_digits(&format!("{date}{individual}")).ok_or(InvalidIdentityCode::Form)?;
        if !is_day(digits / 1000, century) {
            return Err(InvalidIdentityCode::Date);
        }
        if digits % 1000 < FIRST_INDIVIDUAL {
            return Err(InvalidIdentityCode::IndividualNumber);
        }
        if !check.starts_with(Self::check_character(digits)) {
            return Err(InvalidIdentityCode::CheckCharacter);
        }
        Ok(Self(code))
    }
}

fn century_of(sign: &str) -> Option<i16> {
    match sign {
        "+" => Some(1800),
        "-" | "Y" | "X" | "W" | "V" | "U" => Some(1900),
        "A" | "B" | "C" | "D" | "E" | "F" => Some(2000),
        _ => None,
    }
}

fn all_digits(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
    text.parse().ok()
}

fn is_day(ddmmyy: u32, century: i16) -> bool {
    let part = |value: u32| i8::try_from(value % 100).unwrap_or_default();
    let year = century + i16::from(part(ddmmyy));
    jiff::civil::Date::new(year, part(ddmmyy / 100), part(ddmmyy / 10_000)).is_ok()
}

impl fmt::Debug for PersonalIdentityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl fmt::Display for PersonalIdentityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// A Finnish business id (*Y-tunnus*): seven digits, hyphen, check digit. Public information.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BusinessId(String);

/// The text is not a business id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBusinessId {
    #[error("a business id is seven digits, a hyphen and a check digit")]
    Form,
    #[error("the check digit of the business id does not match")]
    CheckDigit,
    #[error("an OVT id is 0037, eight digits of the business id, and up to five more characters")]
    OvtForm,
}

const BUSINESS_ID_WEIGHTS: [u32; 8] = [7, 9, 10, 5, 8, 4, 2, 1];

impl BusinessId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BusinessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BusinessId {
    type Err = InvalidBusinessId;

    /// Accepts six-digit ids from before 1978 too and pads them with a leading zero.
    fn from_str(text: &str) -> Result<Self, InvalidBusinessId> {
        let (number, check) = text.split_once('-').ok_or(InvalidBusinessId::Form)?;
        let digits = format!("{number:0>7}{check}");
        if number.len() < 6
            || check.len() != 1
            || digits.len() != 8
            || all_digits(&digits).is_none()
        {
            return Err(InvalidBusinessId::Form);
        }
        let weighted = |(digit, weight): (u8, u32)| u32::from(digit - b'0') * weight;
        let sum: u32 = digits.bytes().zip(BUSINESS_ID_WEIGHTS).map(weighted).sum();
        if !sum.is_multiple_of(11) {
            return Err(InvalidBusinessId::CheckDigit);
        }
        Ok(Self(format!("{number:0>7}-{check}")))
    }
}

/// An OVT (EDI) id: `0037`, the eight digits of a business id, and up to five characters of unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OvtId {
    text: String,
    business: BusinessId,
}

impl OvtId {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn business_id(&self) -> &BusinessId {
        &self.business
    }
}

impl FromStr for OvtId {
    type Err = InvalidBusinessId;

    fn from_str(text: &str) -> Result<Self, InvalidBusinessId> {
        let plausible =
            (12..=17).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        let digits = text.strip_prefix("0037").filter(|_| plausible);
        let (number, rest) = digits
            .and_then(|rest| rest.split_at_checked(7))
            .ok_or(InvalidBusinessId::OvtForm)?;
        let check = rest.get(..1).ok_or(InvalidBusinessId::OvtForm)?;
        Ok(Self {
            text: text.to_owned(),
            business: format!("{number}-{check}").parse()?,
        })
    }
}

/// Who a digital mailbox belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecipientId {
    Person(PersonalIdentityCode),
    Business(BusinessId),
}

impl RecipientId {
    /// The id itself, for a place where a format demands it.
    pub fn expose(&self) -> &str {
        match self {
            Self::Person(code) => code.expose(),
            Self::Business(id) => id.as_str(),
        }
    }
}

impl FromStr for RecipientId {
    type Err = InvalidIdentityCode;

    /// Reads a personal identity code, or a business id where the text has the form of one.
    fn from_str(text: &str) -> Result<Self, InvalidIdentityCode> {
        if let Ok(business) = text.parse() {
            return Ok(Self::Business(business));
        }
        text.parse().map(Self::Person)
    }
}

/// What the control data says about who the recipient is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatedRecipient {
    /// Nothing, or the literal `N/A` that some senders write instead.
    Absent,
    Valid(RecipientId),
    /// Something that is no id. It is not kept: it may be somebody's id with a slip in it.
    Invalid,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn identity_codes_of_every_century_are_accepted() {
        let codes = [
            "311299+903B",
            "131052-9085",
            "010190Y900P",
            "150385X9013",
            "150385W913F",
            "240680V914E",
            "150385U915J",
            "290200A999J",
            "010523B902P",
            "010523C922B",
            "010523D923C",
            "010523E924D",
            "010523F925E",
            "010190y900p",
        ];
        for code in codes {
            let parsed: PersonalIdentityCode = code.parse().unwrap();
            assert_eq!(parsed.expose(), code.to_ascii_uppercase());
        }
    }

    #[test]
    fn a_wrong_identity_code_says_what_is_wrong_and_not_the_code() {
        let of = |text: &str| text.parse::<PersonalIdentityCode>().unwrap_err();
        assert_eq!(of("010190-999K"), InvalidIdentityCode::CheckCharacter);
        assert_eq!(of("111111-9111"), InvalidIdentityCode::CheckCharacter);
        assert_eq!(of("123456-989A"), InvalidIdentityCode::Date);
        assert_eq!(of("290201A999T"), InvalidIdentityCode::Date);
        assert_eq!(of("N/A"), InvalidIdentityCode::Form);
        assert_eq!(of("010190G900P"), InvalidIdentityCode::Form);
        assert_eq!(of("0101ä0-900"), InvalidIdentityCode::Form);
    }

    /// Put together here, so that no code that may be somebody's stands in the source.
    fn text_of(ddmmyy: u32, sign: char, individual: u32) -> String {
        let check = PersonalIdentityCode::check_character(ddmmyy * 1000 + individual);
        format!("{ddmmyy:06}{sign}{individual:03}{check}")
    }

    fn code_of(ddmmyy: u32, individual: u32) -> Result<PersonalIdentityCode, InvalidIdentityCode> {
        text_of(ddmmyy, '-', individual).parse()
    }

    #[test]
    fn artificial_codes_are_told_from_those_of_people() {
        for (individual, is_artificial) in [(2, false), (899, false), (900, true), (999, true)] {
            let code = code_of(131_052, individual).unwrap();
            assert_eq!(code.is_artificial(), is_artificial, "{individual}");
        }
        for individual in [0, 1] {
            let nobody = Err(InvalidIdentityCode::IndividualNumber);
            assert_eq!(code_of(131_052, individual), nobody);
        }
    }

    #[test]
    fn the_date_is_a_day_of_the_calendar() {
        for day in [311_299, 290_200, 10_100, 280_223] {
            assert!(
                text_of(day, 'A', 900)
                    .parse::<PersonalIdentityCode>()
                    .is_ok(),
                "{day}"
            );
        }
        for day in [310_299, 310_400, 290_201, 500, 11_300, 320_199] {
            assert_eq!(code_of(day, 900), Err(InvalidIdentityCode::Date), "{day}");
        }
        // 1900 was no leap year, 2000 was.
        assert_eq!(code_of(290_200, 900), Err(InvalidIdentityCode::Date));
    }

    proptest! {
        /// The check character of one code is that of another code too, if the date stays one; no
        /// slip makes the same code out of another.
        #[test]
        fn a_code_with_one_character_changed_is_refused_or_another(
            day in 1_u32..=28, month in 1_u32..=12, year in 0_u32..100, individual in 900_u32..1000,
            sign in "[-+A-FU-Y]", at in 0_usize..11, put in "[0-9A-Za-z+-]",
        ) {
            let text = text_of(day * 10_000 + month * 100 + year, sign.chars().next().unwrap(), individual);
            let code: PersonalIdentityCode = text.parse().unwrap();
            let mut changed = text.clone();
            changed.replace_range(at..=at, &put);
            match changed.parse::<PersonalIdentityCode>() {
                // The sum of digits catches every single slip; the century sign is not in it.
                Ok(other) if at == 6 => prop_assert_eq!(other == code, changed.eq_ignore_ascii_case(&text)),
                Ok(other) => prop_assert_eq!(other, code),
                Err(_) => prop_assert!(!changed.eq_ignore_ascii_case(&text)),
            }
        }

        #[test]
        fn a_business_id_with_one_digit_changed_is_refused(
            number in 0_u32..10_000_000, at in 0_usize..9, put in 0_u32..10,
        ) {
            let ids = (0..10).map(|check| format!("{number:07}-{check}"));
            let valid: Vec<_> = ids.filter(|id| id.parse::<BusinessId>().is_ok()).collect();
            // Where the remainder is 1 there is no check digit, and no id.
            prop_assert!(valid.len() <= 1);
            for id in valid.iter().filter(|_| at != 7) {
                let mut changed = id.clone();
                changed.replace_range(at..=at, &put.to_string());
                prop_assert_eq!(changed.parse::<BusinessId>().is_ok(), changed == *id);
            }
        }
    }

    #[test]
    fn an_identity_code_hides_itself_when_printed() {
        let code: PersonalIdentityCode = "010190Y900P".parse().unwrap();
        assert_eq!(format!("{code} {code:?}"), "[hidden] [hidden]");
    }

    #[test]
    fn business_ids_are_checked_and_old_ones_padded() {
        for id in ["2077474-0", "0201256-6", "1234567-1"] {
            assert_eq!(id.parse::<BusinessId>().unwrap().as_str(), id);
        }
        assert_eq!(
            "201256-6".parse::<BusinessId>().unwrap().as_str(),
            "0201256-6"
        );
        // 6 × 2 leaves the remainder 1 modulo 11: such an id is not issued.
        assert!((0..10).all(|check| format!("0000006-{check}").parse::<BusinessId>().is_err()));
        for form in ["12345-1", "12345678-1", "201256-66", "-6", "201256–6"] {
            let told = form.parse::<BusinessId>();
            assert_eq!(told, Err(InvalidBusinessId::Form), "{form}");
        }
        assert_eq!(
            "2077474-1".parse::<BusinessId>(),
            Err(InvalidBusinessId::CheckDigit)
        );
        assert_eq!(
            "20774740".parse::<BusinessId>(),
            Err(InvalidBusinessId::Form)
        );
    }

    #[test]
    fn an_ovt_id_carries_a_valid_business_id() {
        let ovt: OvtId = "003712345671".parse().unwrap();
        assert_eq!(ovt.business_id().as_str(), "1234567-1");
        for unit in ["", "1", "12345", "ABC", "ab1"] {
            assert!(
                format!("003712345671{unit}").parse::<OvtId>().is_ok(),
                "{unit}"
            );
        }
        for form in [
            "00371234567112345X",
            "0037123456",
            "003712345671-1",
            "12345671",
        ] {
            let told = form.parse::<OvtId>();
            assert_eq!(told, Err(InvalidBusinessId::OvtForm), "{form}");
        }
        assert_eq!(
            "003712345678".parse::<OvtId>(),
            Err(InvalidBusinessId::CheckDigit)
        );
        assert_eq!(
            "0038123456711".parse::<OvtId>(),
            Err(InvalidBusinessId::OvtForm)
        );
    }
}
