use std::path::PathBuf;

use super::shown::InboxList;
use crate::{
    assemble,
    cli::{CommandError, Invocation, error::Outcome, settings},
    domain::SenderId,
    store::{self, InboxLook, Store},
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Only those of one sender
    #[arg(long, value_name = "NAME")]
    sender: Option<SenderId>,
    /// A settings file: its inboxes that were never looked into are listed too
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let sender = arguments.sender.as_ref();
    let (store, never) = match &arguments.config {
        None => (invocation.store()?, Vec::new()),
        Some(file) => {
            let config = settings::load(Some(file), invocation.options)?;
            let store = Invocation::store_in(&config.data_folder)?;
            (store, assemble::inboxes(&config))
        }
    };
    let looks = looks_of(&store, sender)?;
    let is_new = |(place, of): &(String, SenderId)| {
        sender.is_none_or(|sender| sender == of) && looks.iter().all(|look| look.place != *place)
    };
    let never: Vec<_> = never.into_iter().filter(is_new).collect();
    invocation
        .output
        .show(&InboxList::new(looks, never, invocation.now))?;
    Ok(Outcome::Done)
}

/// The last looks into the inboxes of a sender, or of all.
pub(super) fn looks_of(
    store: &Store,
    sender: Option<&SenderId>,
) -> Result<Vec<InboxLook>, CommandError> {
    let mut looks = store.inbox_looks()?;
    if let Some(sender) = sender {
        let senders = store.senders()?;
        if senders.iter().all(|row| row.name != *sender) {
            let known = senders.iter().map(|row| row.name.to_string()).collect();
            let given = sender.clone();
            return Err(store::Error::NoSender { given, known }.into());
        }
        looks.retain(|look| look.sender == *sender);
    }
    Ok(looks)
}
