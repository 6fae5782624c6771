use std::{path::Path, sync::Arc};

use jiff::Timestamp;

use super::{Error, adapters, lock::is_taken};
use crate::{
    config::Config,
    domain::SenderId,
    inbox::Inbox,
    store::{InboxLook, Store},
    telemetry,
    transport::SftpServers,
};

/// Whether a process works in the data folder now.
pub fn is_in_use(data_folder: &Path) -> bool {
    is_taken(data_folder)
}

/// The names of the inboxes of the settings, and whose they are.
pub fn inboxes(config: &Config) -> Vec<(String, SenderId)> {
    let senders = config.senders.iter();
    let settings = senders.flat_map(|sender| {
        let further = sender.further_inboxes.iter().map(|inbox| &inbox.settings);
        [&sender.inbox].into_iter().chain(further)
    });
    settings
        .map(|inbox| (inbox.place.clone(), inbox.sender.clone()))
        .collect()
}

/// Looks into the inboxes of the settings, or of one sender, and takes and changes nothing there.
pub async fn inspect_inboxes(
    config: &Config,
    store: &Arc<Store>,
    sender: Option<&SenderId>,
    now: Timestamp,
) -> Result<Vec<InboxLook>, Error> {
    let servers = SftpServers::default();
    let places = adapters::places(config, &servers)?;
    let inboxes = adapters::inboxes(config, &servers, store, &places)?;
    let is_wanted = |inbox: &&Arc<Inbox>| sender.is_none_or(|id| inbox.settings().sender == *id);
    let mut looks = Vec::new();
    for inbox in inboxes.iter().filter(is_wanted) {
        looks.push(match inbox.inspect(now).await {
            Ok(look) => look,
            Err(error) => InboxLook {
                place: inbox.settings().place.clone(),
                sender: inbox.settings().sender.clone(),
                looked_at: now,
                error: Some(telemetry::with_causes(&error)),
                since: now,
                waiting: 0,
                files: Vec::new(),
            },
        });
    }
    Ok(looks)
}
