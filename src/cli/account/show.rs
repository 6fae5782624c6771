use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::list::AccountLine;
use crate::{
    cli::{CommandError, Invocation, error::Outcome, table::Table, words::Time},
    store::Event,
};

/// `kuori account show`: one account, and what commands did to it, oldest first.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct AccountShown {
    account: AccountLine,
    events: Vec<EventLine>,
}

#[derive(Serialize, JsonSchema)]
struct EventLine {
    at: Time,
    actor: String,
    what: String,
    why: Option<String>,
}

pub(super) fn run(account: &str, invocation: &mut Invocation<'_>) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let row = store.account(account)?;
    let events = store.account_events(account)?;
    invocation.output.show(&AccountShown {
        account: AccountLine::new(row, invocation.now),
        events: events.into_iter().map(EventLine::from).collect(),
    })?;
    Ok(Outcome::Done)
}

impl From<Event> for EventLine {
    fn from(event: Event) -> Self {
        Self {
            at: Time(event.at),
            actor: event.actor,
            what: event.what,
            why: event.why,
        }
    }
}

impl fmt::Display for AccountShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = &self.account;
        writeln!(f, "Account     {}: {}", account.account, account.state)?;
        let password = if account.has_password {
            "one is set"
        } else {
            "none"
        };
        writeln!(f, "Password    {password}")?;
        if !account.addresses.is_empty() {
            writeln!(f, "Addresses   {}", account.addresses.join(", "))?;
        }
        if let Some(login) = &account.last_login {
            writeln!(
                f,
                "Last login  {} from {} by {}",
                login.at, login.from, login.by
            )?;
        }
        if let (Some(at), Some(from)) = (&account.last_refused_at, &account.last_refused_from) {
            let refused = account.refused;
            writeln!(
                f,
                "Refused     {refused} since the last login, the last at {at} from {from}"
            )?;
        }
        writeln!(f)?;
        let heading = ["KEY", "FROM", "ADDED", "BY", "COMMENT"];
        Table::new(heading, account.keys()).fmt(f)?;
        writeln!(f)?;
        let event = |event: &EventLine| {
            let why = event.why.clone().unwrap_or_default();
            [
                event.at.to_string(),
                event.actor.clone(),
                event.what.clone(),
                why,
            ]
        };
        let heading = ["AT", "BY", "WHAT", "WHY"];
        Table::new(heading, self.events.iter().map(event)).fmt(f)
    }
}
