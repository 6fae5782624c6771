mod add;
mod credential;
pub(super) mod deed;
pub(super) mod list;
mod rotate;
pub(super) mod show;

use super::{CommandError, Invocation, error::Outcome};
use crate::store::AccountChange;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List accounts: their keys, who logged in last, and who was refused
    List,
    /// Show one account, and what commands did to it
    Show {
        #[arg(value_name = "NAME")]
        account: String,
    },
    /// Give an account a key, a password, or addresses that it may come from
    ///
    /// The account is that of a sender or print house of the settings. What the settings give it
    /// stays; to take a key of the settings away, use `remove-key`.
    Add(add::Arguments),
    /// Give an account a new key, and end the old ones
    Rotate(rotate::Arguments),
    /// End a key, those of the settings too
    RemoveKey {
        #[arg(value_name = "NAME")]
        account: String,
        /// As `kuori account list` prints it: `SHA256:…`
        #[arg(value_name = "FINGERPRINT")]
        fingerprint: String,
        #[command(flatten)]
        deed: deed::Deed,
    },
    /// Take an account's password away; its keys stay
    RemovePassword {
        #[arg(value_name = "NAME")]
        account: String,
        #[command(flatten)]
        deed: deed::Deed,
    },
    /// Let nobody log in to an account, and close its connections
    Disable {
        #[arg(value_name = "NAME")]
        account: String,
        #[command(flatten)]
        deed: deed::Deed,
    },
    /// Let an account log in again that was disabled
    Enable {
        #[arg(value_name = "NAME")]
        account: String,
        #[command(flatten)]
        deed: deed::Deed,
    },
}

pub(super) fn run(
    command: &Command,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    match command {
        Command::List => list::run(invocation),
        Command::Show { account } => show::run(account, invocation),
        Command::Add(arguments) => add::run(arguments, invocation),
        Command::Rotate(arguments) => rotate::run(arguments, invocation),
        Command::RemoveKey {
            account,
            fingerprint,
            deed,
        } => {
            let fingerprint = fingerprint.clone();
            deed.run(
                account,
                AccountChange::RemoveKey { fingerprint },
                invocation,
            )
        }
        Command::RemovePassword { account, deed } => {
            deed.run(account, AccountChange::RemovePassword, invocation)
        }
        Command::Disable { account, deed } => deed.run(account, AccountChange::Disable, invocation),
        Command::Enable { account, deed } => deed.run(account, AccountChange::Enable, invocation),
    }
}
