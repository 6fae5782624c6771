use std::path::PathBuf;

use tempfile::TempDir;

use super::{credential, deed::Deed};
use crate::{
    assemble::accounts_of_settings,
    cli::{CommandError, Invocation, error::Outcome, settings},
    sftp_server::{self, network},
    store::{AccountChange, Store},
};

#[derive(clap::Args)]
#[group(id = "what", required = true, multiple = true, args = ["key", "password", "generate", "from"])]
pub(in crate::cli) struct Arguments {
    #[arg(value_name = "NAME")]
    account: String,

    /// A file with one public key; `-` for standard input
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// Ask for a password; where nobody is asked, the first line of standard input
    #[arg(long, conflicts_with = "generate")]
    password: bool,

    /// Make a password, and show it this once
    #[arg(long)]
    generate: bool,

    /// Addresses or networks that the account may come from, beside those of the settings; `any` takes
    /// back what was said here before
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    from: Vec<String>,

    /// The settings, before the first `kuori run`; later the data folder knows who has accounts
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    deed: Deed,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let (store, _rehearsal) = store(arguments, invocation)?;
    let account = &arguments.account;
    if !store.account(account)?.is_served {
        let error = format!("`{account}` has no account on the embedded server");
        return Err(CommandError::failed(error)
            .caused_by("its folders are elsewhere, or the settings name it no more")
            .hint("an account comes with a table without `directory` and `sftp`"));
    }
    let mut changes = Vec::new();
    if let Some(file) = &arguments.key {
        changes.push(AccountChange::AddKey(credential::key(file, invocation)?));
    }
    let (mut shown, mut password) = (None, None);
    if arguments.generate {
        shown = Some(sftp_server::new_password());
        password.clone_from(&shown);
    } else if arguments.password {
        password = Some(credential::password(invocation)?);
    }
    if let Some(password) = password {
        let hash = sftp_server::hash_password(&password).map_err(CommandError::failed)?;
        changes.push(AccountChange::SetPassword { hash });
    }
    if !arguments.from.is_empty() {
        changes.push(AccountChange::SetAddresses(networks(&arguments.from)?));
    }
    arguments
        .deed
        .carry_out(&store, account, &changes, shown, invocation)
}

/// The store that knows the account. A rehearsal that finds none has one of its own, in a folder that
/// goes with it: it writes nothing.
fn store(
    arguments: &Arguments,
    invocation: &Invocation<'_>,
) -> Result<(Store, Option<TempDir>), CommandError> {
    let Some(file) = &arguments.config else {
        return Ok((invocation.store()?, None));
    };
    let config = settings::load(Some(file), invocation.options)?;
    let folder = &config.data_folder;
    if !arguments.deed.is_rehearsal() {
        let store = Store::open(folder)?;
        store.know_accounts(&accounts_of_settings(&config))?;
        return Ok((store, None));
    }
    if folder.join("kuori.sqlite").exists() {
        let store = Store::open(folder)?;
        if store.account(&arguments.account).is_ok() {
            return Ok((store, None));
        }
    }
    let rehearsal = tempfile::tempdir().map_err(CommandError::failed)?;
    let store = Store::open(rehearsal.path())?;
    store.know_accounts(&accounts_of_settings(&config))?;
    Ok((store, Some(rehearsal)))
}

fn networks(given: &[String]) -> Result<Vec<String>, CommandError> {
    if given == ["any"] {
        return Ok(Vec::new());
    }
    let read = |text: &String| {
        let network = network(text).map(|network| network.to_string());
        network.ok_or_else(|| {
            let error = format!("`{text}` is neither an address nor a network");
            CommandError::usage(error).hint("such as `192.0.2.7` and `2001:db8::/32`")
        })
    };
    given.iter().map(read).collect()
}
