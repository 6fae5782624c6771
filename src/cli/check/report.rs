use std::fmt::{self, Write as _};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    kind::Kind,
    overlay::Pictures,
    source::Source,
    verdict::{Rules, Verdict},
};
use crate::{
    batch::{Opened, OpenedMessage, Shape},
    cli::{finding_report::FindingReport, words::counted},
    domain::Finding,
    pipeline::Gate,
};

/// `kuori check`: what is in each batch, what is wrong with it, and what would become of it.
#[derive(Serialize, JsonSchema, Default)]
pub(in crate::cli) struct Report {
    batches: Vec<Checked>,
    /// Of all batches, as the other counts here.
    messages: u64,
    accepted: u64,
    accepted_with_mailbox: u64,
    refused: u64,
}

/// One batch.
#[derive(Serialize, JsonSchema)]
pub(super) struct Checked {
    /// The name by which an inbox would know it.
    file: String,
    /// As it was named on the command line, or found in a folder; `-` is standard input.
    path: String,
    /// What it is, where it is no ZIP and that can be told.
    looks_like: Option<&'static str>,
    /// How it is packed; absent where the archive does not even say that.
    shape: Option<&'static str>,
    is_test: bool,
    /// The file name asks for print.
    print_only: bool,
    documents: u64,
    /// Of all documents.
    pages: u64,
    messages: u64,
    /// The whole batch is refused, whatever its messages are worth.
    is_refused: bool,
    /// Codes of the findings that refuse the whole batch. None, where it is refused because one
    /// message is and the sender's batches go whole or not at all.
    refused_by: Vec<&'static str>,
    #[serde(flatten)]
    verdict: Verdict,
    #[serde(flatten)]
    findings: FindingReport,
    /// Of pages with an error or a warning; absent where none were asked for.
    overlay: Option<Pictures>,
    #[serde(skip)]
    kind: Option<Kind>,
}

impl Report {
    pub(super) fn take(&mut self, checked: Checked) {
        self.messages += checked.messages;
        self.accepted += checked.verdict.accepted;
        self.accepted_with_mailbox += checked.verdict.accepted_with_mailbox;
        self.refused += checked.verdict.refused;
        self.batches.push(checked);
    }

    /// Whether there is more than information.
    pub(super) fn has_trouble(&self) -> bool {
        let mut batches = self.batches.iter();
        batches.any(|checked| checked.findings.has_trouble())
    }

    /// What to do with files that are no ZIP.
    pub(super) fn hints(&self) -> impl Iterator<Item = String> + '_ {
        let files = self.batches.iter().filter(|checked| checked.path != "-");
        files.filter_map(|checked| Some(checked.kind?.hint(&checked.path)))
    }
}

impl Checked {
    pub(super) fn new(source: &Source, findings: FindingReport) -> Self {
        Self {
            file: source.name(),
            path: source.path(),
            looks_like: None,
            shape: None,
            is_test: false,
            print_only: false,
            documents: 0,
            pages: 0,
            messages: 0,
            is_refused: true,
            refused_by: Vec::new(),
            verdict: Verdict::default(),
            findings,
            overlay: None,
            kind: None,
        }
    }

    pub(super) fn with_pictures(mut self, pictures: Pictures) -> Self {
        self.overlay = Some(pictures);
        self
    }

    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// The file is no archive that can be opened.
    pub(super) fn unopened(mut self, findings: &[Finding], kind: Option<Kind>) -> Self {
        self.kind = kind;
        self.looks_like = kind.map(Kind::as_str);
        self.tell(findings);
        self
    }

    pub(super) fn count(&mut self, mut message: OpenedMessage, rules: &Rules) {
        self.messages += 1;
        self.verdict.count(&mut message, rules);
        for finding in &message.findings {
            self.findings.add_of(finding, &message.place);
        }
    }

    pub(super) fn messages(&self) -> u64 {
        self.messages
    }

    pub(super) fn finish(mut self, opened: &Opened, gate: Gate) -> Self {
        self.shape = opened.shape.map(Shape::as_str);
        self.is_test = opened.is_test;
        self.print_only = opened.print_only;
        self.documents = opened.documents.len() as u64;
        let pages = opened.documents.iter().map(|document| document.pages);
        self.pages = pages.map(u64::from).sum();
        self.messages = opened.messages.into();
        self.tell(&opened.findings);
        self.verdict.sort();
        let by_gate = gate == Gate::AllOrNothing && self.verdict.unfit > 0;
        self.is_refused = opened.is_refused() || by_gate;
        if self.is_refused {
            self.verdict.refuse(self.messages);
        }
        self
    }

    fn tell(&mut self, findings: &[Finding]) {
        for finding in findings {
            self.findings.add(finding);
            let code = finding.code.as_str();
            if finding.is_error() && !self.refused_by.contains(&code) {
                self.refused_by.push(code);
            }
        }
    }

    fn heading(&self, name: &str) -> String {
        if let Some(what) = self.looks_like {
            return format!("{name}: {what}");
        }
        let letters = counted(self.messages, "letter", "letters");
        let documents = counted(self.documents, "document", "documents");
        let pages = counted(self.pages, "page", "pages");
        let shape = self.shape.map(|shape| format!("{shape}, "));
        let shape = shape.unwrap_or_default();
        let test = if self.is_test { ", a test" } else { "" };
        let print_only = if self.print_only { ", print only" } else { "" };
        format!("{name}: {shape}{letters}, {documents}, {pages}{test}{print_only}")
    }

    fn show(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Batch     {}", self.heading(name))?;
        if self.refused_by.is_empty() {
            write!(f, "{}", self.verdict)?;
        }
        if self.findings.is_empty() {
            writeln!(f, "Findings  none")?;
        } else {
            write!(f, "\n{}\n", self.findings)?;
        }
        writeln!(f, "Verdict   {}", self.outcome())?;
        match &self.overlay {
            Some(pictures) => write!(f, "{pictures}"),
            None => Ok(()),
        }
    }

    fn outcome(&self) -> String {
        if !self.is_refused {
            return outcome(
                self.verdict.accepted,
                self.verdict.accepted_with_mailbox,
                self.verdict.refused,
            );
        }
        if self.refused_by.is_empty() {
            let letters = counted(self.verdict.unfit, "letter is", "letters are");
            return format!(
                "would be refused: the whole batch, since {letters} refused and this sender's batches go whole or not at all"
            );
        }
        format!(
            "would be refused: the whole batch, by {}",
            self.refused_by.join(", ")
        )
    }
}

/// `would be accepted: 412 of 417 letters; 5 refused`
fn outcome(accepted: u64, with_mailbox: u64, refused: u64) -> String {
    let letters = counted(accepted + with_mailbox + refused, "letter", "letters");
    let mut told = format!("would be accepted: {accepted} of {letters}");
    let parts = [
        (with_mailbox, "only if the recipient has a mailbox"),
        (refused, "refused"),
    ];
    for (count, what) in parts.iter().filter(|(count, _)| *count > 0) {
        let _ = write!(told, "; {count} {what}");
    }
    told
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.batches.as_slice() {
            return only.show(&only.file, f);
        }
        for checked in &self.batches {
            checked.show(&checked.path, f)?;
            writeln!(f)?;
        }
        let outcome = outcome(self.accepted, self.accepted_with_mailbox, self.refused);
        writeln!(f, "Batches   {}; {outcome}", self.batches.len())
    }
}
