use std::sync::Arc;

use super::{Error, Outbox, hand_over::remote_path};
use crate::{
    crash_points::around_remote,
    store::{Outgoing, OutgoingFile},
    transport::{self, RemoteFolder, RemotePath},
};

impl Outbox {
    /// Removes what earlier tries have written of a bundle that was withdrawn since. No marker
    /// stands there: with the intent to place one, a bundle can be withdrawn no more. The bundle's
    /// folder stays, empty.
    pub(super) async fn remove(&self, outgoing: &Outgoing) -> Result<(), Error> {
        let folder = self.folder(&outgoing.place)?;
        let Some(first) = outgoing.files.first() else {
            return Ok(());
        };
        let parent = remote_path(&first.path)?.parent();
        let failed = |path: &RemotePath| {
            let (path, place) = (path.to_string(), outgoing.place.clone());
            move |source| Error::Remove {
                path,
                place,
                source,
            }
        };
        let Some(standing) = standing(folder, &parent).await.map_err(failed(&parent))? else {
            return Ok(());
        };
        for name in standing {
            let Ok(path) = parent.join(&name) else {
                continue;
            };
            if is_ours(folder, &outgoing.files, &path)
                .await
                .map_err(failed(&path))?
            {
                let removed = around_remote("outbox: remove", folder.remove(&path)).await;
                gone(removed).map_err(failed(&path))?;
            }
        }
        Ok(())
    }
}

/// The names in the bundle's folder; `None` where there is no such folder, and the one above it can
/// be listed.
async fn standing(
    folder: &Arc<dyn RemoteFolder>,
    parent: &RemotePath,
) -> Result<Option<Vec<String>>, transport::Error> {
    match folder.list(parent).await {
        Ok(listing) => Ok(Some(
            listing.files.into_iter().map(|file| file.name).collect(),
        )),
        Err(transport::Error::Missing { .. }) => {
            folder.list(&parent.top()).await?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether it is a file of this bundle, or what a broken upload left of one.
async fn is_ours(
    folder: &Arc<dyn RemoteFolder>,
    files: &[OutgoingFile],
    path: &RemotePath,
) -> Result<bool, transport::Error> {
    let name = path.name().unwrap_or_default();
    let names = |file: &OutgoingFile| file.path.rsplit('/').next().map(str::to_owned);
    let of_upload = |ours: String| name.starts_with(&format!(".{ours}."));
    if files.iter().filter_map(names).any(of_upload) {
        return Ok(true);
    }
    let Some(file) = files.iter().find(|file| file.path == path.as_str()) else {
        return Ok(false);
    };
    let digest = folder.digest(path).await?;
    Ok(digest.is_some_and(|found| found.sha256_hex() == file.file.sha256))
}

/// Somebody else may have removed it meanwhile.
fn gone(removed: Result<(), transport::Error>) -> Result<(), transport::Error> {
    match removed {
        Err(transport::Error::Missing { .. }) => Ok(()),
        removed => removed,
    }
}
