use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};

use serde::Serialize;

use super::{CommandError, Options, error::ErrorKind, progress::Progress};

/// Where a command speaks: data on standard output, everything else on standard error.
///
/// Nothing that a stranger wrote can move the cursor or turn the text around: control characters
/// and direction marks are shown as `�`.
pub(super) struct Output<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    json: bool,
    quiet: bool,
    /// Whether somebody is looking at standard error.
    is_watched: bool,
}

impl<'a> Output<'a> {
    pub(super) fn new(out: &'a mut dyn Write, err: &'a mut dyn Write, options: &Options) -> Self {
        Self {
            out,
            err,
            json: options.json,
            quiet: options.quiet,
            is_watched: io::stderr().is_terminal() && !options.quiet,
        }
    }

    /// The command's one document: JSON with `--json`, else its text.
    pub(super) fn show<T: Serialize + Display>(
        &mut self,
        document: &T,
    ) -> Result<(), CommandError> {
        let text = if self.json {
            let json = serde_json::to_string_pretty(document);
            format!("{}\n", json.map_err(CommandError::failed)?)
        } else {
            harmless(&document.to_string())
        };
        self.bytes(text.as_bytes())
    }

    /// A line after the document.
    pub(super) fn line(&mut self, text: &str) -> Result<(), CommandError> {
        self.bytes(format!("{}\n", harmless(text)).as_bytes())
    }

    /// Whether the document is to be JSON. For one that is written as it is read.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// A part of a document as text.
    pub(super) fn text(&mut self, part: &dyn Display) -> Result<(), CommandError> {
        let text = harmless(&part.to_string());
        self.bytes(text.as_bytes())
    }

    /// What is no document and goes out as it is.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), CommandError> {
        let written = self.out.write_all(bytes);
        written
            .and_then(|()| self.out.flush())
            .map_err(|error| unwritten(&error))
    }

    /// Something worth knowing that is not the data.
    pub(super) fn note(&mut self, text: impl Display) {
        self.aside("note", &text.to_string());
    }

    /// What to type next. A program that reads JSON types nothing.
    pub(super) fn hint(&mut self, text: impl Display) {
        if !self.json {
            self.aside("hint", &text.to_string());
        }
    }

    pub(super) fn error(&mut self, error: &CommandError) {
        // Where standard error is gone too, there is nobody to tell.
        let _ = self.err.write_all(harmless(&error.to_string()).as_bytes());
    }

    /// A bar of `length` steps, drawn only for somebody who waits for more than a moment.
    pub(super) fn progress(&self, length: u64, unit: &'static str) -> Progress {
        Progress::new(length, unit, self.is_watched)
    }

    /// As [`Output::progress`], where nobody knows yet how many there will be.
    pub(super) fn counter(&self, unit: &'static str) -> Progress {
        Progress::new(0, unit, self.is_watched)
    }

    fn aside(&mut self, label: &str, text: &str) {
        if !self.quiet {
            let _ = writeln!(self.err, "{label}: {}", harmless(text));
        }
    }
}

fn unwritten(error: &io::Error) -> CommandError {
    let kind = match error.kind() {
        io::ErrorKind::BrokenPipe => ErrorKind::ReaderGone,
        _ => ErrorKind::Failed,
    };
    CommandError::new(kind, "cannot write to standard output").caused_by(error.to_string())
}

fn harmless(text: &str) -> String {
    let is_harmful = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let shown = |c| if is_harmful(c) { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_words_cannot_steer_the_terminal() {
        assert_eq!(
            harmless("a\u{1b}[2Jb\u{202e}c\nö"),
            "a\u{fffd}[2Jb\u{fffd}c\nö"
        );
    }

    #[test]
    fn a_reader_who_has_had_enough_is_no_failure() {
        let error = unwritten(&io::ErrorKind::BrokenPipe.into());
        assert_eq!(error.kind.exit_code(), 0);
    }
}
