//! What a crash, a cut or a full disk interrupted goes on.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{
    Error,
    desk::{Desk, Taken, join, remote},
    headroom::Reservation,
};
use crate::{
    crash_points::around_remote,
    store::{Arrival, ArrivalState},
    telemetry, transport,
};

/// The files that are claimed in an inbox.
#[derive(Debug, Default)]
pub(super) struct Claimed {
    /// Whether the folder of claimed files could be seen.
    pub(super) is_known: bool,
    /// Ours, and no row tells of them; by their claimed names.
    pub(super) orphans: Vec<String>,
    /// Of other houses that take from this inbox, or nobody's.
    pub(super) strange: Vec<String>,
    sizes: HashMap<String, u64>,
}

impl Claimed {
    /// What a claimed file has; 0 where none is seen.
    pub(super) fn bytes(&self, name: &str) -> u64 {
        self.sizes.get(name).copied().unwrap_or(0)
    }
}

impl Desk {
    /// Looks for files that are claimed and not recorded.
    pub(super) async fn claimed(&self) -> Result<Claimed, Error> {
        if self.settings.is_read_only() {
            return Ok(Claimed {
                is_known: true,
                ..Claimed::default()
            });
        }
        let listed = match self.folder.list(&self.settings.taking).await {
            Ok(listed) => listed,
            Err(transport::Error::Missing { .. }) => return Ok(Claimed::default()),
            Err(error) => {
                let (inbox, error) = (&self.settings.place, telemetry::with_causes(&error));
                tracing::warn!(inbox, error, "cannot look for claimed files");
                return Ok(Claimed::default());
            }
        };
        // Another sender's too: by hand, several may have been processed in one folder.
        let known = self.store.claimed_names()?;
        let house = self.store.house_name()?;
        let sizes = listed.files.into_iter().map(|file| (file.name, file.bytes));
        let sizes: HashMap<_, _> = sizes.collect();
        let unknown = sizes.keys().filter(|name| !known.contains(*name)).cloned();
        let (orphans, strange) = unknown.partition(|name| is_ours(name, &house));
        Ok(Claimed {
            is_known: true,
            orphans,
            strange,
            sizes,
        })
    }

    /// Goes on with a file that was being taken.
    pub(super) async fn resume(
        &self,
        arrival: &Arrival,
        claimed_are_known: bool,
        room: &Reservation,
        now: Timestamp,
    ) -> Result<Taken, Error> {
        if arrival.state == ArrivalState::Recorded {
            self.put_away(arrival).await?;
            return Ok(Taken::Nothing);
        }
        let original = self.path_in_inbox(&arrival.file_name)?;
        let is_claimed = self.stat(&self.claimed_path(arrival)?).await?.is_some();
        let is_original_there = self.stat(&original).await?.is_some();
        match (is_claimed, is_original_there) {
            // The sender has put another file of the name there: a marker is that one's.
            (true, true) => {}
            (true, false) => self.remove_marker(arrival).await?,
            // Nothing has been done to it, and since then nothing may be.
            (false, true) if self.settings.is_read_only() => {
                self.store.end_arrival(arrival)?;
                return Ok(Taken::Nothing);
            }
            // Its marker goes only after it is claimed: this is another file, which may still grow.
            (false, true) if self.lacks_marker(arrival).await? => {
                self.store.end_arrival(arrival)?;
                return Ok(Taken::Nothing);
            }
            (false, true) => self.claim(arrival).await?,
            (false, false) => return self.end_removed(arrival, claimed_are_known),
        }
        self.copy_in(arrival, None, room, now).await
    }

    /// Ends an arrival whose file is nowhere, unless nothing can be seen there at all.
    fn end_removed(&self, arrival: &Arrival, claimed_are_known: bool) -> Result<Taken, Error> {
        if claimed_are_known {
            tracing::warn!(
                inbox = self.settings.place,
                arrival = arrival.id,
                "the file was removed before it was taken"
            );
            self.store.end_arrival(arrival)?;
        }
        Ok(Taken::Nothing)
    }

    /// Takes a claimed file whose row is lost, as after a restored backup; its name went with the row.
    pub(super) async fn adopt(
        &self,
        orphan: &str,
        room: &Reservation,
        now: Timestamp,
    ) -> Result<Taken, Error> {
        let from = join(&self.settings.taking, orphan)?;
        if self.stat(&from).await?.is_none() {
            return Ok(Taken::Nothing);
        }
        let inbox = &self.settings.place;
        tracing::warn!(inbox, file = %from, "a claimed file has no row: it is taken again");
        let name = recovered_name(orphan);
        let arrival = self
            .store
            .begin_arrival(&self.settings.sender, inbox, &name, now)?;
        let to = self.claimed_path(&arrival)?;
        // Ids may start again with a restored backup: what stands there already is an orphan too.
        if self.stat(&to).await?.is_none() {
            let renamed = around_remote("inbox: adopt", self.folder.rename(&from, &to)).await;
            renamed.map_err(remote("adopt", &from))?;
        }
        self.copy_in(&arrival, None, room, now).await
    }
}

/// What a claimed file without a row is called.
pub(super) fn recovered_name(orphan: &str) -> String {
    format!("recovered-{orphan}.zip")
}

/// Whether a claimed name is of this house, or from before houses had names.
fn is_ours(name: &str, house: &str) -> bool {
    let is_number = |text: &str| text.parse::<u64>().is_ok();
    let number = name.strip_prefix(house);
    let number = number.and_then(|rest| rest.strip_prefix('-'));
    is_number(name) || number.is_some_and(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_file_of_another_house_is_not_ours() {
        for name in ["3f9a-17", "17"] {
            assert!(is_ours(name, "3f9a"), "{name}");
        }
        for name in ["beef-17", "3f9a-", "3f9a", "3f9a17", "a.zip", "3f9a-x"] {
            assert!(!is_ours(name, "3f9a"), "{name}");
        }
    }
}
