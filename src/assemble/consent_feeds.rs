//! Looks into the feeds of consents.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;
use tokio::sync::watch;

use super::{Error, adapters};
use crate::{
    config::{Config, ConsentFeedConfig},
    consents::{self, Desk, Fed, FedFile, Feed, FileState, Settings},
    pipeline::Clock,
    store::{ConsentFeedFound, ConsentFeedLook, NewEvent, Store},
    telemetry,
};

/// A feed, and the store that it changes.
#[derive(Clone)]
pub(super) struct ConsentFeed {
    name: String,
    settings: Settings,
    every: std::time::Duration,
    store: Arc<Store>,
    clock: Clock,
}

/// The feeds of the settings; of the others nothing is told any more.
pub(super) fn consent_feeds(
    config: &Config,
    store: &Arc<Store>,
    clock: &Clock,
) -> Result<Vec<ConsentFeed>, Error> {
    let names: Vec<_> = config
        .consent_feeds
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    store.keep_consent_feeds(&names)?;
    let feed = |feed: &ConsentFeedConfig| {
        Ok(ConsentFeed {
            name: feed.name.clone(),
            settings: Settings {
                folder: adapters::consent_folder(config, feed)?,
                inbox: "inbox",
                settle: feed.settle,
                how: feed.how,
            },
            every: feed.every,
            store: Arc::clone(store),
            clock: clock.clone(),
        })
    };
    config.consent_feeds.iter().map(feed).collect()
}

/// Looks into `feed` at its interval until `stop` turns true.
pub(super) fn take_consents(
    feed: &ConsentFeed,
    mut stop: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + use<> {
    let feed = feed.clone();
    async move {
        while !*stop.borrow() {
            let (looked, stopped) = (feed.clone(), stop.clone());
            let look = move || looked.look(&|| *stopped.borrow());
            // A panic is told by its own line; the file in hand stays claimed.
            let _ = tokio::task::spawn_blocking(look).await;
            tokio::select! {
                () = tokio::time::sleep(feed.every) => {}
                _ = stop.changed() => {}
            }
        }
    }
}

impl ConsentFeed {
    fn look(&self, is_stopped: &dyn Fn() -> bool) {
        let now = self.clock.now();
        let desk = Desk {
            store: &self.store,
            source: format!("brought by {}", self.name),
            action: NewEvent {
                at: now,
                actor: format!("feed {}", self.name),
                why: String::new(),
            },
            progress: &|_| {},
            is_stopped,
        };
        let looked = Feed::new(&self.settings).look(&desk);
        if let Ok(fed) = &looked {
            fed.files.iter().for_each(|file| self.tell(file));
        }
        self.note(&looked, now);
    }

    fn tell(&self, file: &FedFile) {
        let (feed, name, told) = (&self.name, &file.name, &file.told);
        let (rows, bad, kept) = (told.rows, told.bad, file.kept.as_deref());
        if told.unheeded > 0 {
            tracing::warn!(
                feed,
                name,
                unheeded = told.unheeded,
                "withdrawals are older than what the register has, and do not count"
            );
        }
        match file.state {
            FileState::Taken if bad == 0 => {
                tracing::info!(feed, name, rows, "took a file of consents");
            }
            FileState::Taken => {
                tracing::warn!(
                    feed,
                    name,
                    rows,
                    bad,
                    kept,
                    "took a file of consents with bad rows"
                );
            }
            FileState::Repeated => {
                tracing::info!(feed, name, "a file of consents was taken before");
            }
            FileState::Refused => {
                let why = file.why.as_deref();
                tracing::error!(
                    feed,
                    name,
                    rows,
                    bad,
                    why,
                    kept,
                    "refused a file of consents"
                );
            }
        }
    }

    /// A look that was told to stop says nothing of how the feed does.
    fn note(&self, looked: &Result<Fed, consents::Error>, now: Timestamp) {
        let found = match looked {
            Ok(fed) => Ok(found(
                fed,
                fed.untaken.as_ref().map(|error| self.warn(error)),
            )),
            Err(consents::Error::Stopped) => return,
            Err(error) => Err(self.warn(error)),
        };
        let look = ConsentFeedLook {
            name: self.name.clone(),
            is_full: self.settings.how.is_full,
            found,
        };
        if let Err(error) = self.store.note_consent_feed(&look, now) {
            let error = telemetry::with_causes(&error);
            tracing::warn!(feed = self.name, error, "cannot note how a feed does");
        }
    }

    fn warn(&self, error: &consents::Error) -> String {
        let error = telemetry::with_causes(error);
        tracing::warn!(feed = self.name, error, "cannot take files of consents");
        error
    }
}

fn found(fed: &Fed, untaken: Option<String>) -> ConsentFeedFound {
    let standing = &fed.standing;
    let mut refused = fed.files.iter().rev();
    let refused = refused.find(|file| file.state == FileState::Refused);
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    ConsentFeedFound {
        refused: standing.refused,
        refused_path: path(&standing.refused_path),
        refused_why: refused.and_then(|file| file.why.clone()),
        bad: standing.bad,
        bad_path: path(&standing.bad_path),
        others: standing.others,
        others_since: standing.others_since,
        untaken,
    }
}
