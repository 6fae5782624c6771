use crate::{
    batch::Limits,
    domain::{
        BusinessId, Code, CountryCode, Finding, InvalidBusinessId, InvalidIdentityCode, OvtId,
        PersonalIdentityCode, Place, Private, RecipientId, StatedRecipient,
    },
};

/// Reads the fields of one message, and collects what is wrong with them. Values are trimmed, an
/// empty one is absent, and no value is ever repeated in a finding.
pub(super) struct Fields<'l> {
    limits: &'l Limits,
    /// The control data.
    place: &'l Place,
    line: u32,
    findings: Vec<Finding>,
}

/// A letter may repeat its elements a million times; it is refused at the first.
const MAX_FINDINGS: usize = 50;

impl<'l> Fields<'l> {
    pub(super) fn new(limits: &'l Limits, place: &'l Place, line: u32) -> Self {
        Self {
            limits,
            place,
            line,
            findings: Vec::new(),
        }
    }

    pub(super) fn place(&self) -> Place {
        self.place.clone().on_line(self.line)
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    pub(super) fn find(&mut self, code: Code, detail: impl Into<String>) {
        if self.findings.len() < MAX_FINDINGS {
            self.find_surely(code, detail);
        }
    }

    /// Whatever was found before.
    pub(super) fn find_surely(&mut self, code: Code, detail: impl Into<String>) {
        let finding = Finding::new(code, self.place(), detail);
        self.findings.push(finding);
    }

    /// One line of text.
    pub(super) fn line(&mut self, field: &str, value: &str) -> Option<String> {
        let value = self.bounded(field, value, self.limits.max_field_chars)?;
        if has_control(value) {
            self.find(
                Code::ControlDataValue,
                format!("`{field}` holds a control character or a line break"),
            );
            return None;
        }
        Some(value.to_owned())
    }

    pub(super) fn private(&mut self, field: &str, value: &str) -> Option<Private<String>> {
        self.line(field, value).map(Private::new)
    }

    /// Text of several lines.
    pub(super) fn paragraphs(&mut self, field: &str, value: &str) -> Option<Private<String>> {
        let value = self.bounded(field, value, self.limits.max_body_chars)?;
        let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if value.chars().any(is_odd) {
            self.find(
                Code::ControlDataValue,
                format!("`{field}` holds a control character"),
            );
            return None;
        }
        Some(Private::new(value.to_owned()))
    }

    fn bounded<'v>(&mut self, field: &str, value: &'v str, limit: usize) -> Option<&'v str> {
        let value = value.trim();
        let is_long = value.len() > limit && value.chars().count() > limit;
        if is_long {
            self.find(
                Code::FieldTooLong,
                format!("`{field}` has more than {limit} characters"),
            );
        }
        (!is_long && !value.is_empty()).then_some(value)
    }

    pub(super) fn flag(&mut self, field: &str, value: &str) -> Option<bool> {
        let allowed = [
            ("true", true),
            ("1", true),
            ("yes", true),
            ("false", false),
            ("0", false),
            ("no", false),
        ];
        self.choice(field, value, &allowed)
    }

    /// One of the words allowed, upper and lower case alike.
    pub(super) fn choice<T: Copy>(
        &mut self,
        field: &str,
        value: &str,
        allowed: &[(&str, T)],
    ) -> Option<T> {
        let value = value.trim();
        if value.is_empty() {
            return None;
        }
        let found = allowed
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(value));
        if found.is_none() {
            let words: Vec<_> = allowed
                .iter()
                .map(|(word, _)| format!("`{word}`"))
                .collect();
            let detail = format!("`{field}` is none of {}", words.join(", "));
            self.find(Code::ControlDataValue, detail);
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// A whole number from 1, or `Err` where something else is written.
    pub(super) fn count(&mut self, field: &str, value: &str) -> Result<Option<u32>, ()> {
        let value = value.trim();
        if value.is_empty() {
            return Ok(None);
        }
        let is_plain = value.bytes().all(|b| b.is_ascii_digit());
        let number = value
            .parse()
            .ok()
            .filter(|&number: &u32| is_plain && number > 0);
        if number.is_none() {
            self.find(
                Code::ControlDataValue,
                format!("`{field}` is no whole number from 1"),
            );
        }
        number.map(Some).ok_or(())
    }

    /// A person's or an organisation's id; `N/A` is what some senders write for none.
    pub(super) fn recipient(&mut self, field: &str, value: &str) -> StatedRecipient {
        self.stated(field, value, |text| {
            text.parse()
                .map_err(|error: InvalidIdentityCode| error.to_string())
        })
    }

    /// A personal identity code.
    pub(super) fn person(&mut self, field: &str, value: &str) -> StatedRecipient {
        self.stated(field, value, |text| {
            let code = text.parse::<PersonalIdentityCode>();
            code.map(RecipientId::Person)
                .map_err(|error| error.to_string())
        })
    }

    /// An OVT id, or the business id itself, which some senders write in its place.
    pub(super) fn organisation(&mut self, field: &str, value: &str) -> StatedRecipient {
        self.stated(field, value, |text| {
            let id = text.parse::<BusinessId>().or_else(|_| {
                let ovt = text.parse::<OvtId>()?;
                Ok(ovt.business_id().clone())
            });
            id.map(RecipientId::Business)
                .map_err(|error: InvalidBusinessId| error.to_string())
        })
    }

    fn stated(
        &mut self,
        field: &str,
        value: &str,
        parse: impl Fn(&str) -> Result<RecipientId, String>,
    ) -> StatedRecipient {
        let value = value.trim();
        if value.is_empty() || value.eq_ignore_ascii_case("n/a") {
            return StatedRecipient::Absent;
        }
        match parse(value) {
            Ok(id) => StatedRecipient::Valid(id),
            Err(reason) => {
                self.find(Code::RecipientIdInvalid, format!("`{field}`: {reason}"));
                StatedRecipient::Invalid
            }
        }
    }

    /// A country; one that is no code becomes `XX` (unknown), so that it is not taken for home.
    pub(super) fn country(&mut self, field: &str, value: &str) -> Option<CountryCode> {
        let value = value.trim();
        if value.is_empty() {
            return None;
        }
        if let Ok(country) = value.parse() {
            return Some(country);
        }
        self.find(
            Code::CountryInvalid,
            format!("`{field}` is not two letters"),
        );
        "XX".parse().ok()
    }
}

fn has_control(text: &str) -> bool {
    // Nearly every field is plain ASCII, which takes one look a byte.
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    !is_plain && text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(read: impl FnOnce(&mut Fields<'_>) -> T) -> (T, Vec<String>) {
        let limits = Limits::default();
        let place = Place::batch();
        let mut fields = Fields::new(&limits, &place, 1);
        let value = read(&mut fields);
        let told = fields.into_findings().into_iter();
        (
            value,
            told.map(|finding| format!("{}: {}", finding.code, finding.detail))
                .collect(),
        )
    }

    #[test]
    fn a_field_is_trimmed_and_an_empty_one_is_absent() {
        assert_eq!(
            with(|f| f.line("city", " Helsinki ")),
            (Some("Helsinki".into()), vec![])
        );
        assert_eq!(with(|f| f.line("city", " \u{a0}")), (None, vec![]));
    }

    #[test]
    fn a_field_may_have_as_many_characters_as_the_limit_and_no_more() {
        assert_eq!(with(|f| f.line("name", &"ä".repeat(512))).1.len(), 0);
        let told = with(|f| f.line("name", &"ä".repeat(513))).1;
        assert_eq!(
            told,
            ["field-too-long: `name` has more than 512 characters"]
        );
        assert_eq!(
            with(|f| f.paragraphs("body", &"ä".repeat(5_000))).1.len(),
            0
        );
        assert_eq!(
            with(|f| f.paragraphs("body", &"ä".repeat(5_001))).1.len(),
            1
        );
    }

    #[test]
    fn line_breaks_belong_into_paragraphs_only() {
        assert!(with(|f| f.line("name", "a\nb")).0.is_none());
        assert!(with(|f| f.paragraphs("body", "a\nb")).0.is_some());
        assert!(with(|f| f.paragraphs("body", "a\u{7}b")).0.is_none());
    }

    #[test]
    fn recipients_are_recognised_and_wrong_ones_are_not_repeated() {
        assert_eq!(with(|f| f.person("SSN", "N/A")).0, StatedRecipient::Absent);
        let person = "010190Y900P".parse().map(StatedRecipient::Valid).unwrap();
        assert_eq!(
            with(|f| f.recipient("recipient_id", "010190y900p")).0,
            person
        );
        let business = "1234567-1".parse().map(StatedRecipient::Valid).unwrap();
        assert_eq!(
            with(|f| f.organisation("ovtID", "003712345671")).0,
            business
        );
        assert_eq!(with(|f| f.organisation("ovtID", "1234567-1")).0, business);
        let (wrong, told) = with(|f| f.person("SSN", "010190Y900A"));
        assert_eq!(wrong, StatedRecipient::Invalid);
        assert_eq!(
            told,
            [
                "recipient-id-invalid: `SSN`: the check character of the identity code does not match"
            ]
        );
    }

    #[test]
    fn a_country_that_is_no_code_is_not_taken_for_home() {
        let (country, told) = with(|f| f.country("country", "Sweden"));
        assert_eq!(country.unwrap().as_str(), "XX");
        assert_eq!(told, ["country-invalid: `country` is not two letters"]);
    }

    #[test]
    fn numbers_and_words_are_taken_strictly() {
        assert_eq!(with(|f| f.count("pages", "2")).0, Ok(Some(2)));
        for bad in ["0", "-1", "+1", "1.0", "x", "4294967296"] {
            assert_eq!(with(|f| f.count("pages", bad)).0, Err(()), "{bad}");
        }
        assert_eq!(with(|f| f.flag("duplex", "TRUE")).0, Some(true));
        let told = with(|f| f.choice("postage", "fast", &[("priority", 1), ("economy", 2)])).1;
        assert_eq!(
            told,
            ["control-data-value: `postage` is none of `priority`, `economy`"]
        );
    }
}
