use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{CommandError, Invocation, deed::LightDeed, error::Outcome},
    store::{AccountChange, Store},
};

/// What every command takes that changes an account.
#[derive(clap::Args)]
pub(in crate::cli) struct Deed {
    #[command(flatten)]
    deed: LightDeed,
}

/// `kuori account add`, `rotate`, `remove-key`, `remove-password`, `disable` and `enable`: what was
/// done, or with `--dry-run` what would be.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct AccountChanged {
    account: String,
    dry_run: bool,
    /// Why nothing was done.
    blocked: Option<String>,
    /// Each change, as the history has it.
    done: Vec<String>,
    /// With `--generate`: shown this once, and kept nowhere.
    password: Option<String>,
}

impl Deed {
    /// Changes an account in the data folder.
    pub(super) fn run(
        &self,
        account: &str,
        change: AccountChange,
        invocation: &mut Invocation<'_>,
    ) -> Result<Outcome, CommandError> {
        let store = invocation.store()?;
        self.carry_out(&store, account, &[change], None, invocation)
    }

    pub(super) fn carry_out(
        &self,
        store: &Store,
        account: &str,
        changes: &[AccountChange],
        password: Option<String>,
        invocation: &mut Invocation<'_>,
    ) -> Result<Outcome, CommandError> {
        let plan = match self.deed.action(invocation) {
            None => store.plan_account_change(account, changes)?,
            Some(action) => store.change_account(account, changes, &action)?,
        };
        let blocked = plan.as_ref().err().cloned();
        invocation.output.show(&AccountChanged {
            account: account.to_owned(),
            dry_run: self.deed.dry_run,
            password: password.filter(|_| blocked.is_none() && !self.deed.dry_run),
            done: plan.unwrap_or_default(),
            blocked: blocked.clone(),
        })?;
        match blocked {
            None => Ok(Outcome::Done),
            Some(blocked) => {
                let error = format!("nothing was done to account `{account}`");
                let hint = format!("`kuori account show {account}` has all of it");
                Err(CommandError::failed(error).caused_by(blocked).hint(hint))
            }
        }
    }
}

impl fmt::Display for AccountChanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let would = if self.dry_run { " (not done)" } else { "" };
        for done in &self.done {
            writeln!(f, "{}: {done}{would}", self.account)?;
        }
        match &self.password {
            Some(password) => writeln!(f, "Password  {password}"),
            None => Ok(()),
        }
    }
}
