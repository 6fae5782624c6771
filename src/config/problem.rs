use std::{collections::BTreeMap, fmt};

use super::key_path::KeyPath;

/// One thing that is wrong with a settings file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Dotted, as in `senders.example-city.gate`; empty for the file as a whole.
    pub key: String,
    /// 1-based; for a key that is missing, the line of the table that should have it.
    pub line: Option<usize>,
    pub message: String,
    /// What was probably meant: a key, a name or a value.
    pub suggestion: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "`{}` ", self.key)?;
        }
        f.write_str(&self.message)?;
        match &self.suggestion {
            Some(meant) => write!(f, "; did you mean `{meant}`?"),
            None => Ok(()),
        }
    }
}

/// What was found so far, and where each key stands in the text.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: Vec<Problem>,
    lines: BTreeMap<KeyPath, usize>,
}

impl Problems {
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// In the order of the file.
    pub(super) fn into_list(mut self) -> Vec<Problem> {
        self.found
            .sort_by(|one, other| (one.line, &one.key).cmp(&(other.line, &other.key)));
        self.found
    }

    pub(super) fn note_line(&mut self, at: &KeyPath, line: usize) {
        self.lines.entry(at.clone()).or_insert(line);
    }

    /// Whether the text has this key, usable or not.
    pub(super) fn was_written(&self, at: &KeyPath) -> bool {
        self.lines.contains_key(at)
    }

    pub(super) fn add(&mut self, at: &KeyPath, message: impl Into<String>) {
        self.add_suggesting(at, message, None);
    }

    /// A key has one problem at most: what follows from the first one would only confuse.
    pub(super) fn add_suggesting(
        &mut self,
        at: &KeyPath,
        message: impl Into<String>,
        suggestion: Option<&str>,
    ) {
        if self.found.iter().any(|known| known.key == at.as_str()) {
            return;
        }
        self.found.push(Problem {
            key: at.as_str().to_owned(),
            line: self.line_of(at),
            message: message.into(),
            suggestion: suggestion.map(str::to_owned),
        });
    }

    pub(super) fn add_syntax(&mut self, line: Option<usize>, message: &str) {
        self.found.push(Problem {
            key: String::new(),
            line,
            message: message.to_owned(),
            suggestion: None,
        });
    }

    fn line_of(&self, at: &KeyPath) -> Option<usize> {
        let mut place = Some(at.clone());
        while let Some(key) = place {
            if let Some(line) = self.lines.get(&key) {
                return Some(*line);
            }
            place = key.parent();
        }
        None
    }
}
