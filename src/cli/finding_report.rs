use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::Serialize;

use super::words::{SeverityWord, counted, to_do};
use crate::domain::{Code, Finding, Language, Place, Severity, Words};

/// Findings grouped by code: how many, where the first ones are, what they mean, and what to do.
#[derive(Serialize, JsonSchema)]
pub(super) struct FindingReport {
    /// How many there are of each severity.
    severities: SeverityCounts,
    findings: Vec<CodeReport>,
    #[serde(skip)]
    examples: usize,
    #[serde(skip)]
    language: Language,
    /// Where in `findings` a code stands.
    #[serde(skip)]
    by_code: BTreeMap<Code, usize>,
}

#[derive(Serialize, JsonSchema, Default)]
struct SeverityCounts {
    errors: u64,
    warnings: u64,
    infos: u64,
}

#[derive(Serialize, JsonSchema)]
struct CodeReport {
    /// The stable code that receipts carry.
    code: &'static str,
    severity: SeverityWord,
    /// Which channel it is about: `both`, `mailbox` or `print`.
    affects: &'static str,
    /// Whether it closes that channel.
    closes: bool,
    count: u64,
    meaning: &'static str,
    remedy: &'static str,
    /// The first ones.
    examples: Vec<Example>,
    #[serde(skip)]
    language: Language,
}

#[derive(Serialize, JsonSchema)]
struct Example {
    /// The entry of the ZIP.
    entry: Option<String>,
    /// The control data that `line` counts in, where that is another entry.
    control: Option<String>,
    /// 1-based line of the control data.
    line: Option<u32>,
    /// 1-based position of the message in the batch; absent means the whole batch.
    message: Option<u32>,
    /// 1-based page of the entry.
    page: Option<u32>,
    detail: String,
}

impl FindingReport {
    /// Keeps at most `examples` places of each code; meanings and remedies are in `language`.
    pub(super) fn new(examples: u32, language: Language) -> Self {
        Self {
            severities: SeverityCounts::default(),
            findings: Vec::new(),
            examples: usize::try_from(examples).unwrap_or(usize::MAX),
            language,
            by_code: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, finding: &Finding) {
        self.take(finding, None);
    }

    /// As [`FindingReport::add`], for a finding of a message that the control data describes at
    /// that place.
    pub(super) fn add_of(&mut self, finding: &Finding, described: &Place) {
        self.take(finding, Some(described));
    }

    fn take(&mut self, finding: &Finding, described: Option<&Place>) {
        *self.severities.of(finding.severity()) += 1;
        let end = self.findings.len();
        let index = *self.by_code.entry(finding.code).or_insert(end);
        if index == end {
            self.findings.push(code_report(finding.code, self.language));
        }
        if let Some(report) = self.findings.get_mut(index) {
            report.count += 1;
            if report.examples.len() < self.examples {
                report.examples.push(example(finding, described));
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether there is more than information.
    pub(super) fn has_trouble(&self) -> bool {
        self.severities.errors + self.severities.warnings > 0
    }

    fn worst_first(&self) -> Vec<&CodeReport> {
        let mut reports: Vec<_> = self.findings.iter().collect();
        reports.sort_by_key(|report| (std::cmp::Reverse(report.severity.0), report.code));
        reports
    }
}

impl SeverityCounts {
    fn of(&mut self, severity: Severity) -> &mut u64 {
        match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Info => &mut self.infos,
        }
    }
}

fn code_report(code: Code, language: Language) -> CodeReport {
    let Words { meaning, remedy } = code.words(language);
    CodeReport {
        code: code.as_str(),
        severity: SeverityWord(code.severity()),
        affects: code.affects().as_str(),
        closes: code.closes().is_some(),
        count: 0,
        meaning,
        remedy,
        examples: Vec::new(),
        language,
    }
}

fn example(finding: &Finding, described: Option<&Place>) -> Example {
    let Place {
        entry,
        line,
        message,
        page,
    } = finding.place.clone();
    let elsewhere = described.filter(|described| described.entry != entry);
    Example {
        entry,
        control: elsewhere.and_then(|described| described.entry.clone()),
        line: line.or(described.and_then(|described| described.line)),
        message,
        page,
        detail: finding.detail.clone(),
    }
}

impl fmt::Display for FindingReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, report) in self.worst_first().into_iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            report.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for CodeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = counted(self.count, "time", "times");
        writeln!(f, "{} {}, {times}", self.severity, self.code)?;
        writeln!(f, "  {}", self.meaning)?;
        writeln!(f, "  {}: {}", to_do(self.language), self.remedy)?;
        for example in &self.examples {
            writeln!(f, "  - {example}")?;
        }
        let others = self.count - self.examples.len() as u64;
        if others > 0 && !self.examples.is_empty() {
            writeln!(f, "  - and {}", counted(others, "other", "others"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = [
            self.message.map(|position| format!("message {position}")),
            self.entry.as_ref().map(|entry| format!("`{entry}`")),
            self.page.map(|page| format!("page {page}")),
            self.control.as_ref().map(|entry| format!("`{entry}`")),
            self.line.map(|line| format!("line {line}")),
        ];
        let places: Vec<_> = places.into_iter().flatten().collect();
        if places.is_empty() {
            f.write_str("the batch")?;
        }
        f.write_str(&places.join(", "))?;
        if self.detail.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", self.detail)
    }
}
