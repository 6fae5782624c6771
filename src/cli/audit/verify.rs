use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{CommandError, Invocation, error::Outcome},
    store::AuditCheck,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// A head that was kept elsewhere: the row of that hash must still stand in the chain
    #[arg(long, value_name = "HASH", value_parser = head)]
    head: Option<String>,
}

/// Digits of a head that leave no doubt which it is.
const DIGITS: std::ops::RangeInclusive<usize> = 16..=64;

fn head(given: &str) -> Result<String, &'static str> {
    let head = given.to_ascii_lowercase();
    let is_hex = head.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hex && DIGITS.contains(&head.len()) {
        Ok(head)
    } else {
        Err(
            "a head is 64 hex digits, as `kuori audit verify` prints them, or at least the first 16",
        )
    }
}

/// `kuori audit verify`: whether all that operators did still stands there as it was written.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct AuditVerified {
    is_sound: bool,
    /// Rows up to the first that is not as it was written, or all.
    sound_rows: u64,
    /// Where the chain breaks first; absent where it does not.
    broken: Option<String>,
    /// How many rows the chain says that it has.
    rows: u64,
    /// The hash of the last one: keep it elsewhere.
    head: String,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let check = store.check_audit_since(arguments.head.as_deref())?;
    let verified = AuditVerified::from(check);
    invocation.output.show(&verified)?;
    if verified.is_sound {
        return Ok(Outcome::Done);
    }
    let next = verified.sound_rows + 1;
    invocation.output.hint(format!(
        "rows from {next} on are not to be trusted; compare them with a backup, and with the heads that \
         the daemon's log tells"
    ));
    Ok(Outcome::Findings)
}

impl From<AuditCheck> for AuditVerified {
    fn from(check: AuditCheck) -> Self {
        Self {
            is_sound: check.broken.is_none(),
            sound_rows: check.sound,
            broken: check.broken.map(|broken| broken.to_string()),
            rows: check.head.rows,
            head: check.head.hash,
        }
    }
}

impl fmt::Display for AuditVerified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.broken {
            None => {
                writeln!(f, "Sound  all {} rows", self.rows)?;
                writeln!(f, "Head   {}", self.head)
            }
            Some(broken) => {
                writeln!(f, "Broken  {broken}")?;
                writeln!(f, "Sound   the first {} rows", self.sound_rows)
            }
        }
    }
}
