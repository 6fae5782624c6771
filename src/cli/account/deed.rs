use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{CommandError, Invocation, deed::LightDeed, error::Outcome},
    store::{AccountChange, AccountRow, Store},
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
    pub(super) fn is_rehearsal(&self) -> bool {
        self.deed.dry_run
    }

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
        let before = store.account(account).ok();
        let plan = match self.deed.action(invocation) {
            None => store.plan_account_change(account, changes)?,
            Some(action) => store.change_account(account, changes, &action)?,
        };
        let shuts_out = plan.is_ok() && shuts_out(before.as_ref(), changes, invocation.now);
        let blocked = plan.as_ref().err().cloned();
        invocation.output.show(&AccountChanged {
            account: account.to_owned(),
            dry_run: self.deed.dry_run,
            password: password.filter(|_| blocked.is_none() && !self.deed.dry_run),
            done: plan.unwrap_or_default(),
            blocked: blocked.clone(),
        })?;
        if shuts_out {
            invocation.output.note(format!(
                "that was the last that opened account `{account}`: nobody can log in to it before \
                 `kuori account add {account}` gives it a key"
            ));
        }
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

/// Whether the account was open, and neither a key nor a password of it is left.
fn shuts_out(before: Option<&AccountRow>, changes: &[AccountChange], now: Timestamp) -> bool {
    let Some(before) = before else {
        return false;
    };
    let mut keys: Vec<_> = before.keys.iter().filter(|key| key.is_valid(now)).collect();
    let mut has_password = before.password_hash.is_some();
    let was_open = has_password || !keys.is_empty();
    for change in changes {
        match change {
            AccountChange::RemoveKey { fingerprint } => {
                keys.retain(|key| key.key.fingerprint != *fingerprint);
            }
            AccountChange::RemovePassword => has_password = false,
            AccountChange::AddKey(_)
            | AccountChange::RotateKey { .. }
            | AccountChange::SetPassword { .. } => return false,
            AccountChange::SetAddresses(_) | AccountChange::Disable | AccountChange::Enable => {}
        }
    }
    was_open && !has_password && keys.is_empty()
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
