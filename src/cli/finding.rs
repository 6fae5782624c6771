use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    CommandError, Invocation,
    error::Outcome,
    table::Table,
    words::{self, LanguageWord, SeverityWord, to_do},
};
use crate::{
    config::nearest,
    domain::{Code, Language, Reason, Words},
};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Such as `page-size`; without it, all are listed
    code: Option<String>,

    /// The language of what codes mean and of what to do
    #[arg(long, value_name = "LANGUAGE", default_value = Language::English.as_str(),
          value_parser = words::one_of(&Language::ALL, Language::as_str))]
    language: Language,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let language = arguments.language;
    let codes = match &arguments.code {
        Some(named) => vec![code(named, "kuori finding ")?],
        None => Code::ALL.to_vec(),
    };
    invocation.output.show(&Explained {
        language: LanguageWord(language),
        findings: codes
            .into_iter()
            .map(|code| explanation(code, language))
            .collect(),
    })?;
    Ok(Outcome::Done)
}

/// `before` is what the code was typed behind.
pub(super) fn code(named: &str, before: &str) -> Result<Code, CommandError> {
    Code::from_code(named).ok_or_else(|| {
        let error = CommandError::usage(format!("there is no code `{named}`"));
        if Reason::ALL.iter().any(|reason| reason.as_str() == named) {
            return error.hint("that is a reason for mailbox or print: see docs/routing.md");
        }
        match nearest(named, Code::ALL.iter().map(|code| code.as_str())) {
            Some(meant) => error.hint(format!("did you mean `{before}{meant}`?")),
            None => error.hint("`kuori finding` lists them all"),
        }
    })
}

/// `kuori finding`: what codes mean, and what to do.
#[derive(Serialize, JsonSchema)]
pub(super) struct Explained {
    /// Of the meanings and remedies.
    language: LanguageWord,
    findings: Vec<Explanation>,
}

#[derive(Serialize, JsonSchema)]
struct Explanation {
    /// The stable code that receipts carry.
    code: &'static str,
    severity: SeverityWord,
    /// Which channel it closes: `both`, `mailbox` or `print`.
    affects: &'static str,
    meaning: &'static str,
    remedy: &'static str,
}

fn explanation(code: Code, language: Language) -> Explanation {
    let Words { meaning, remedy } = code.words(language);
    Explanation {
        code: code.as_str(),
        severity: SeverityWord(code.severity()),
        affects: code.affects().as_str(),
        meaning,
        remedy,
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.findings.as_slice() {
            [one] => {
                writeln!(f, "Code      {}", one.code)?;
                writeln!(f, "Severity  {}", one.severity)?;
                writeln!(f, "Channel   {}", one.affects)?;
                writeln!(f, "\n{}", one.meaning)?;
                writeln!(f, "{}: {}", to_do(self.language.0), one.remedy)
            }
            all => Table::new(
                ["CODE", "SEVERITY", "CHANNEL", "MEANING"],
                all.iter().map(row),
            )
            .fmt(f),
        }
    }
}

fn row(explanation: &Explanation) -> [String; 4] {
    [
        explanation.code.to_owned(),
        explanation.severity.to_string(),
        explanation.affects.to_owned(),
        explanation.meaning.to_owned(),
    ]
}
