use std::{collections::HashSet, sync::Arc};

use jiff::Timestamp;
use tokio::task::JoinSet;

use super::{Error, Outbox, hand_over::remote_path};
use crate::{
    store::{Outgoing, Place},
    telemetry::{self, meters},
    transport::{self, RemoteFolder, RemotePath},
};

/// Rows that are looked at before the next ones are read.
const PAGE: u32 = 500;
/// Files that a place is asked about at once.
const ASKED_AT_ONCE: usize = 8;

impl Outbox {
    /// Looks at every place that is watched. Returns how much was found to be picked up.
    pub async fn look_for_pickups(&self, now: Timestamp) -> Result<u64, Error> {
        let mut found = 0;
        for place in self.watched() {
            found += self.look_at(&place, now).await?;
        }
        Ok(found)
    }

    /// Places of which the settings want to know what the other side has taken away.
    pub(super) fn watched(&self) -> Vec<Place> {
        let places = self.settings.places.iter();
        let watched = places.filter(|(_, settings)| settings.pickup.wanted.is_watched());
        watched.map(|(place, _)| place.clone()).collect()
    }

    /// Brings what was handed over before in line with the settings.
    pub(super) fn expect_pickups(&self) -> Result<(), Error> {
        for (place, settings) in &self.settings.places {
            self.store.expect_pickup(place, settings.pickup.wanted)?;
        }
        Ok(())
    }

    /// Looks what of one place is gone.
    ///
    /// What is gone was picked up only where the place itself is there: it is listed before it is
    /// asked for its files and after.
    ///
    /// # Errors
    ///
    /// [`Error::Look`] where the place cannot be listed; nothing is recorded then.
    pub async fn look_at(&self, place: &Place, now: Timestamp) -> Result<u64, Error> {
        let (mut after, mut found) = (0, 0);
        loop {
            let page = self.store.awaited(place, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.id;
            let gone = match place {
                Place::PrintHouse(_) | Place::TestShelf => self.gone_bundles(place, page).await?,
                Place::Sender(_) => self.gone_receipts(place, page).await?,
            };
            for outgoing in gone {
                self.store.record_picked_up(&outgoing, now)?;
                meters::PICK_UPS.one(&[&place.to_string()]);
                tracing::info!(batch = %outgoing.batch, what = outgoing.what(), %place, "picked up");
                found += 1;
            }
        }
        Ok(found)
    }

    /// Bundles whose PDF, which is to be removed first, is gone.
    async fn gone_bundles(
        &self,
        place: &Place,
        page: Vec<Outgoing>,
    ) -> Result<Vec<Outgoing>, Error> {
        let folder = self.folder(place)?;
        let tops: HashSet<_> = page
            .iter()
            .filter_map(first_path)
            .map(|it| it.top())
            .collect();
        list_all(folder, place, &tops).await?;
        let mut gone = Vec::new();
        for some in page.chunks(ASKED_AT_ONCE) {
            let mut asked = JoinSet::new();
            for outgoing in some.iter().cloned() {
                let folder = Arc::clone(folder);
                asked.spawn(async move { (is_gone(&folder, &outgoing).await, outgoing) });
            }
            while let Some(answered) = asked.join_next().await {
                let Ok((is_gone, outgoing)) = answered else {
                    continue;
                };
                let failed = look_failed(place, outgoing.what());
                if is_gone.map_err(failed)? {
                    gone.push(outgoing);
                }
            }
        }
        list_all(folder, place, &tops).await?;
        gone.sort_by_key(|outgoing| outgoing.id);
        Ok(gone)
    }

    /// Receipts of which a file is gone. They all lie in one folder, so that one look is enough.
    async fn gone_receipts(
        &self,
        place: &Place,
        mut page: Vec<Outgoing>,
    ) -> Result<Vec<Outgoing>, Error> {
        let folder = self.folder(place)?;
        let paths = page.iter().filter_map(first_path);
        let parents: HashSet<_> = paths.map(|path| path.parent()).collect();
        let standing = list_all(folder, place, &parents).await?;
        page.retain(|outgoing| {
            outgoing
                .files
                .iter()
                .any(|file| !standing.contains(&file.path))
        });
        Ok(page)
    }

    /// A look that did not work is told when it is the first.
    pub(super) async fn look_once(&self, place: &Place, now: Timestamp, is_away: &mut bool) {
        match self.look_at(place, now).await {
            Ok(_) => *is_away = false,
            Err(error) => {
                if !*is_away {
                    let error = telemetry::with_causes(&error);
                    tracing::warn!(%place, error, "cannot see what was picked up");
                }
                *is_away = true;
            }
        }
    }
}

async fn is_gone(
    folder: &Arc<dyn RemoteFolder>,
    outgoing: &Outgoing,
) -> Result<bool, transport::Error> {
    match first_path(outgoing) {
        Some(path) => Ok(folder.stat(&path).await?.is_none()),
        None => Ok(false),
    }
}

/// The files in some folders, by their paths.
async fn list_all(
    folder: &Arc<dyn RemoteFolder>,
    place: &Place,
    paths: &HashSet<RemotePath>,
) -> Result<HashSet<String>, Error> {
    let mut standing = HashSet::new();
    for path in paths {
        let listed = folder.list(path).await;
        let listed = listed.map_err(look_failed(place, path.to_string()))?;
        let files = listed.files.into_iter();
        standing.extend(files.map(|file| format!("{path}/{}", file.name)));
    }
    Ok(standing)
}

fn look_failed(place: &Place, folder: String) -> impl FnOnce(transport::Error) -> Error {
    let place = place.clone();
    move |source| Error::Look {
        folder,
        place,
        source,
    }
}

fn first_path(outgoing: &Outgoing) -> Option<RemotePath> {
    remote_path(&outgoing.files.first()?.path).ok()
}
