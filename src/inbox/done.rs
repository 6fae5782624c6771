//! What becomes of a claimed file once it is recorded.

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use super::{
    Afterwards, Error, Way,
    desk::{Desk, join, remote},
};
use crate::{
    crash_points::around_remote,
    store::Arrival,
    telemetry,
    transport::{self, RemotePath},
};

/// How the time stands in front of the name of a file that is done.
const STAMP: &str = "%Y%m%dT%H%M%SZ";
/// Bytes that common file systems allow for one name.
const MAX_NAME_BYTES: usize = 255;

impl Desk {
    /// Removes the claimed file of a recorded batch, or moves it to the folder of what is done, and
    /// ends the arrival. It can be called again.
    pub(super) async fn put_away(&self, arrival: &Arrival) -> Result<(), Error> {
        let claimed = self.claimed_path(arrival)?;
        if self.stat(&claimed).await?.is_some() {
            match &self.settings.way {
                Way::Claim {
                    afterwards: Afterwards::Keep { folder, .. },
                } => self.keep(arrival, &claimed, folder).await?,
                Way::Claim { .. } | Way::ReadOnly { .. } => {
                    let removing = self.folder.remove(&claimed);
                    let removed = around_remote("inbox: put away", removing).await;
                    removed.map_err(remote("remove", &claimed))?;
                }
            }
        }
        Ok(self.store.end_arrival(arrival)?)
    }

    async fn keep(
        &self,
        arrival: &Arrival,
        claimed: &RemotePath,
        folder: &RemotePath,
    ) -> Result<(), Error> {
        let to = join(folder, &done_name(arrival))?;
        let keeping = self.folder.rename(claimed, &to);
        let renamed = match around_remote("inbox: keep", keeping).await {
            Err(transport::Error::Missing { .. }) => {
                self.make_dirs(folder).await?;
                self.folder.rename(claimed, &to).await
            }
            renamed => renamed,
        };
        renamed.map_err(remote("move to the done ones", claimed))
    }

    /// Removes what has been done for longer than it is to be kept, by the time in the names: it is
    /// ours. What the other side does not let us remove stays.
    pub(super) async fn clear_done(&self, now: Timestamp) -> Result<u32, Error> {
        let Way::Claim {
            afterwards:
                Afterwards::Keep {
                    folder,
                    keep_days: Some(days),
                },
        } = &self.settings.way
        else {
            return Ok(0);
        };
        let listed = match self.folder.list(folder).await {
            Err(transport::Error::Missing { .. }) => return Ok(0),
            listed => listed.map_err(remote("list", folder))?,
        };
        let days = SignedDuration::from_hours(24 * i64::from(*days));
        let is_old = |name: &str| done_at(name).is_some_and(|at| now.duration_since(at) >= days);
        let mut removed = 0;
        for file in listed.files.iter().filter(|file| is_old(&file.name)) {
            let path = join(folder, &file.name)?;
            let removing = self.folder.remove(&path);
            if let Err(error) = around_remote("inbox: clear done", removing).await {
                return Err(remote("remove", &path)(error));
            }
            removed += 1;
        }
        if removed > 0 {
            let inbox = &self.settings.place;
            tracing::info!(inbox, files = removed, "removed done files that were old");
        }
        Ok(removed)
    }

    /// As [`Desk::clear_done`], where nobody waits for it.
    pub(super) async fn try_to_clear_done(&self, now: Timestamp) {
        if let Err(error) = self.clear_done(now).await {
            let (inbox, error) = (&self.settings.place, telemetry::with_causes(&error));
            tracing::warn!(inbox, error, "cannot clear away done files");
        }
    }
}

/// `20261123T210000Z_3f9a-17_letters.zip`: when it was taken, what it was claimed as, and what its
/// sender called it. No two arrivals have the same.
fn done_name(arrival: &Arrival) -> String {
    let stamp = arrival.started_at.strftime(STAMP);
    let mut name = format!("{stamp}_{}_{}", arrival.claimed_name(), arrival.file_name);
    while name.len() > MAX_NAME_BYTES {
        name.pop();
    }
    name
}

fn done_at(name: &str) -> Option<Timestamp> {
    let (stamp, rest) = name.split_once('_')?;
    rest.split_once('_')?;
    let time = DateTime::strptime(STAMP, stamp).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn a_done_file_tells_when_it_was_taken_and_is_unlike_any_other() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let now: Timestamp = "2026-11-23T21:00:00Z".parse().unwrap();
        let sender = "example-city".parse().unwrap();
        let long = "ä".repeat(127);
        let names = ["a.zip", "a.zip", &long].map(|name| {
            let arrival = store.begin_arrival(&sender, "example-city", name, now);
            done_name(&arrival.unwrap())
        });
        assert!(names[0].starts_with("20261123T210000Z_") && names[0].ends_with("-1_a.zip"));
        assert_ne!(names[0], names[1]);
        assert!(names[2].len() <= MAX_NAME_BYTES && names[2].len() > 252);
        assert_eq!(names.map(|name| done_at(&name)), [Some(now); 3]);
        let strange = ["a.zip", "20261123T210000Z.zip", "2026_1_a.zip", "_x_y"];
        assert_eq!(strange.map(done_at), [None; 4]);
    }
}
