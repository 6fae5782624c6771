//! Words of the house on the command line and in JSON.

use std::{borrow::Cow, fmt};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use jiff::{SignedDuration, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::domain::{
    BatchState, BundleState, Channel, HoldCause, Language, MessageState, Reason, Severity, Step,
};
use crate::store::ConsentStatus;

/// Reads one of a closed set of values by its word; help and errors list the words.
pub(super) fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    word: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|&value| word(value))).try_map(move |given| {
        let found = all.iter().copied().find(|&value| word(value) == given);
        found.ok_or("unknown word")
    })
}

/// A time as people and programs read it: RFC 3339 in UTC, whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time(pub(super) Timestamp);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = SignedDuration::from_nanos(i64::from(self.0.subsec_nanosecond()));
        let whole = self.0.checked_sub(second).unwrap_or(self.0);
        whole.fmt(f)
    }
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

/// A value of the language of the house, by its stable word.
macro_rules! word {
    ($name:ident: $type:ty, $all:expr) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) struct $name(pub(super) $type);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.0.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.as_str())
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let words: Vec<_> = $all.iter().map(|value| value.as_str()).collect();
                json_schema!({"type": "string", "enum": words})
            }
        }
    };
}

word!(BatchStateWord: BatchState, BatchState::ALL);
word!(MessageStateWord: MessageState, MessageState::ALL);
word!(BundleStateWord: BundleState, BundleState::ALL);
word!(HoldCauseWord: HoldCause, HoldCause::ALL);
word!(ChannelWord: Channel, Channel::ALL);
word!(ReasonWord: Reason, Reason::ALL);
word!(StepWord: Step, Step::ALL);
word!(ConsentStatusWord: ConsentStatus, [ConsentStatus::Granted, ConsentStatus::Withdrawn]);
word!(SeverityWord: Severity, [Severity::Info, Severity::Warning, Severity::Error]);
word!(LanguageWord: Language, Language::ALL);

/// What stands before what the reader should do.
pub(super) fn to_do(language: Language) -> &'static str {
    match language {
        Language::English => "To do",
        Language::Finnish => "Ohje",
        Language::Swedish => "Anvisning",
    }
}

/// `1 message`, `2 messages`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `45 s`, `12 min`, `7 h`, `3 d`.
pub(super) fn age(secs: i64) -> String {
    let age = SignedDuration::from_secs(secs);
    match (age.as_hours(), age.as_mins()) {
        (48.., _) => format!("{} d", age.as_hours() / 24),
        (2.., _) => format!("{} h", age.as_hours()),
        (_, 2..) => format!("{} min", age.as_mins()),
        _ => format!("{secs} s"),
    }
}

/// `45 s`, `12 min`, `2 h 46 min`, `3 d 4 h`: how long something takes.
pub(super) fn span(secs: i64) -> String {
    let (mins, hours) = (secs / 60, secs / 3_600);
    match (hours, mins) {
        (24.., _) => format!("{} d {} h", hours / 24, hours % 24),
        (1.., _) => format!("{hours} h {} min", mins % 60),
        (_, 1..) => format!("{mins} min"),
        _ => format!("{secs} s"),
    }
}

/// `812 B`, `3.4 KiB`, `12.0 GiB`.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut tenths = u128::from(bytes) * 10;
    let mut unit = None;
    for name in UNITS {
        if tenths < 10_240 {
            break;
        }
        tenths /= 1_024;
        unit = Some(name);
    }
    match unit {
        None => format!("{bytes} B"),
        Some(unit) => format!("{}.{} {unit}", tenths / 10, tenths % 10),
    }
}

/// A word as a shell takes it, in quotes where it must be.
pub(super) fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./+:@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_whole_seconds() {
        let time: Timestamp = "2026-03-01T06:12:09.987Z".parse().unwrap();
        assert_eq!(Time(time).to_string(), "2026-03-01T06:12:09Z");
    }

    #[test]
    fn ages_are_told_in_the_unit_that_says_enough() {
        let ages = [0, 119, 120, 7_199, 7_200, 172_799, 172_800].map(age);
        let expected = ["0 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 d"];
        assert_eq!(ages, expected);
    }

    #[test]
    fn spans_are_told_in_the_two_units_that_say_enough() {
        let spans = [0, 59, 60, 3_599, 9_960, 86_399, 273_600].map(span);
        let expected = [
            "0 s",
            "59 s",
            "1 min",
            "59 min",
            "2 h 46 min",
            "23 h 59 min",
            "3 d 4 h",
        ];
        assert_eq!(spans, expected);
    }

    #[test]
    fn sizes_are_told_in_the_unit_that_says_enough() {
        let sizes = [0, 1_023, 1_024, 1_536, 1 << 30, 5 << 40].map(bytes);
        assert_eq!(
            sizes,
            ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 GiB", "5.0 TiB"]
        );
    }

    #[test]
    fn what_is_to_be_typed_survives_a_shell() {
        assert_eq!(shell_word("out/a-1.zip"), "out/a-1.zip");
        assert_eq!(shell_word("it's $5.zip"), r"'it'\''s $5.zip'");
    }
}
