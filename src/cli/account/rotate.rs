use std::path::PathBuf;

use jiff::{Span, Timestamp, tz::TimeZone};

use super::{credential, deed::Deed};
use crate::{
    cli::{CommandError, Invocation, error::Outcome},
    store::AccountChange,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    #[arg(value_name = "NAME")]
    account: String,

    /// A file with the new public key; `-` for standard input
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// Let the old keys open the account until then: `2026-12-01T00:00:00Z`, or in how long: `14d`.
    /// Without this they end now
    #[arg(long, value_name = "TIME")]
    keep_old_until: Option<String>,

    #[command(flatten)]
    deed: Deed,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let old_until = match &arguments.keep_old_until {
        None => None,
        Some(text) => Some(time(text, invocation.now).ok_or_else(|| {
            let error = format!("`{text}` is not a time to come");
            CommandError::usage(error).hint("such as `2026-12-01T00:00:00Z`, or `14d`")
        })?),
    };
    let key = credential::key(&arguments.key, invocation)?;
    let change = AccountChange::RotateKey { key, old_until };
    arguments.deed.run(&arguments.account, change, invocation)
}

fn time(text: &str, now: Timestamp) -> Option<Timestamp> {
    let at = text.parse::<Timestamp>().ok().or_else(|| {
        let span: Span = text.parse().ok()?;
        let then = now.to_zoned(TimeZone::UTC).checked_add(span).ok()?;
        Some(then.timestamp())
    });
    at.filter(|at| *at > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_moment_or_a_while_and_lies_ahead() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let then = |text| time(text, now).map(|at| at.to_string());
        assert_eq!(then("14d").as_deref(), Some("2026-12-04T12:00:00Z"));
        assert_eq!(
            then("2026-12-01T00:00:00Z").as_deref(),
            Some("2026-12-01T00:00:00Z")
        );
        for wrong in ["2026-11-20T12:00:00Z", "-1d", "soon", ""] {
            assert_eq!(then(wrong), None, "{wrong}");
        }
    }
}
