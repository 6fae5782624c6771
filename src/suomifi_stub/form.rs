use std::{cell::RefCell, ops::RangeInclusive};

use serde_json::{Map, Value};

/// All that is wrong with a request, in words that name the field and never its value.
#[derive(Default)]
pub(super) struct Faults(RefCell<Vec<String>>);

impl Faults {
    pub(super) fn add(&self, fault: String) {
        self.0.borrow_mut().push(fault);
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.0.take()
    }
}

/// An object of a request, where it stands (`electronic.notifications.`), and where what is wrong
/// with it is noted. What is asked for and is not there, or is something else, is a fault; fields
/// that nobody asks for are none.
pub(super) struct Form<'a> {
    fields: &'a Map<String, Value>,
    path: String,
    faults: &'a Faults,
}

impl<'a> Form<'a> {
    pub(super) fn of(value: &'a Value, faults: &'a Faults) -> Option<Self> {
        Self::at(value, String::new(), faults)
    }

    fn at(value: &'a Value, path: String, faults: &'a Faults) -> Option<Self> {
        let Value::Object(fields) = value else {
            let what = path.strip_suffix('.').unwrap_or("the body");
            faults.add(format!("{what} must be an object"));
            return None;
        };
        let form = Self {
            fields,
            path,
            faults,
        };
        Some(form)
    }

    pub(super) fn fault(&self, name: &str, what: &str) {
        self.faults.add(format!("{}{name} {what}", self.path));
    }

    pub(super) fn part(&self, name: &str) -> Option<Form<'a>> {
        let value = self.wanted(name)?;
        Self::at(value, format!("{}{name}.", self.path), self.faults)
    }

    pub(super) fn optional_part(&self, name: &str) -> Option<Form<'a>> {
        let value = self.fields.get(name)?;
        Self::at(value, format!("{}{name}.", self.path), self.faults)
    }

    /// A list of objects.
    pub(super) fn parts(&self, name: &str, count: RangeInclusive<usize>) -> Vec<Form<'a>> {
        let Some(Value::Array(values)) = self.wanted(name) else {
            if self.fields.contains_key(name) {
                self.fault(name, "must be a list");
            }
            return Vec::new();
        };
        if !count.contains(&values.len()) {
            let (least, most) = (count.start(), count.end());
            self.fault(name, &format!("must have {least} to {most} items"));
            return Vec::new();
        }
        let at = |(index, value)| {
            let path = format!("{}{name}[{index}].", self.path);
            Self::at(value, path, self.faults)
        };
        values.iter().enumerate().filter_map(at).collect()
    }

    /// A text of so many characters.
    pub(super) fn text(&self, name: &str, length: RangeInclusive<usize>) -> Option<&'a str> {
        self.text_of(name, self.wanted(name)?, length)
    }

    pub(super) fn optional_text(
        &self,
        name: &str,
        length: RangeInclusive<usize>,
    ) -> Option<&'a str> {
        self.text_of(name, self.fields.get(name)?, length)
    }

    fn text_of(
        &self,
        name: &str,
        value: &'a Value,
        length: RangeInclusive<usize>,
    ) -> Option<&'a str> {
        let Value::String(text) = value else {
            self.fault(name, "must be a text");
            return None;
        };
        if !length.contains(&text.chars().count()) {
            let (least, most) = (length.start(), length.end());
            self.fault(name, &format!("must have {least} to {most} characters"));
            return None;
        }
        Some(text)
    }

    /// One of some words.
    pub(super) fn word(&self, name: &str, words: &[&str]) -> Option<&'a str> {
        let value = self.wanted(name)?.as_str();
        let word = value.filter(|word| words.contains(word));
        if word.is_none() {
            self.fault(name, &format!("must be one of: {}", words.join(", ")));
        }
        word
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        let value = self.wanted(name)?.as_bool();
        if value.is_none() {
            self.fault(name, "must be true or false");
        }
        value
    }

    pub(super) fn optional_number(&self, name: &str) -> Option<i64> {
        let value = self.fields.get(name)?.as_i64();
        if value.is_none() {
            self.fault(name, "must be a whole number of 64 bits");
        }
        value
    }

    fn wanted(&self, name: &str) -> Option<&'a Value> {
        let value = self.fields.get(name);
        if value.is_none() {
            self.fault(name, "is missing");
        }
        value
    }
}
