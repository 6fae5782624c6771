//! What a start does before anything else: what a crash left is taken away, and what is missing is told.

use super::Error;
use crate::store::Store;

/// Names of files that are told one by one.
const TOLD: usize = 10;

/// Frees what was claimed, removes files that no row names, and tells which files are missing. The
/// batch or hand-over that needs one of those is held when its turn comes; the others go on.
///
/// # Errors
///
/// [`Error::Restored`] where the house was brought back from a backup and may not go on yet.
pub(super) fn put_in_order(store: &Store) -> Result<(), Error> {
    if let Some(moment) = store.restored_at()? {
        return Err(Error::Restored { moment });
    }
    store.release_leases()?;
    let swept = store.sweep()?;
    if swept > 0 {
        tracing::info!(files = swept, "removed what an earlier run left half done");
    }
    let missing = store.missing_files()?;
    for file in missing.iter().take(TOLD) {
        tracing::error!(%file, "missing in the spool: what needs it will be held");
    }
    if missing.len() > TOLD {
        let more = missing.len() - TOLD;
        tracing::error!(more, "more files are missing in the spool");
    }
    Ok(())
}
