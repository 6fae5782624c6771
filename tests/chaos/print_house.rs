//! A print house that clears its folder away.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

/// How a print house clears its folder away once it has a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clears {
    AllAtOnce,
    /// Only the first file so far: it is still at it when the house looks again.
    PdfFirst,
    PieceListFirst,
    /// Everything, but late: after the house has looked what stands there, before it writes.
    BeforeTheNextWrite,
}

pub(super) struct PrintHouse {
    pub(super) pickup: PathBuf,
    pub(super) clears: Clears,
    /// How often a marker was seen.
    pub(super) taken: AtomicU32,
}

impl PrintHouse {
    pub(super) fn take_bundles(&self) {
        for entry in fs::read_dir(&self.pickup).unwrap() {
            let folder = entry.unwrap().path();
            let file = |ending: &str| {
                let id = folder.file_name().unwrap().to_str().unwrap();
                folder.join(format!("{id}.{ending}"))
            };
            if !file("ok").exists() {
                continue;
            }
            for ending in ["pdf", "pieces.csv", "job.xml"] {
                assert!(
                    file(ending).exists(),
                    "a marker stands without the {ending}"
                );
            }
            self.taken.fetch_add(1, Ordering::SeqCst);
            fs::remove_file(file("ok")).unwrap();
            match self.clears {
                Clears::AllAtOnce | Clears::BeforeTheNextWrite => {
                    fs::remove_dir_all(&folder).unwrap();
                }
                Clears::PdfFirst => fs::remove_file(file("pdf")).unwrap(),
                Clears::PieceListFirst => fs::remove_file(file("pieces.csv")).unwrap(),
            }
        }
    }
}
