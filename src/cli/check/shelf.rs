use std::{
    io::{self, Read},
    sync::Arc,
};

use crate::{
    batch::{self, SharedBytes},
    cli::progress::Progress,
    domain::DocumentName,
    store::Scratch,
};

/// Keeps unpacked documents in memory while they are small, else in files without a name.
pub(super) struct ScratchShelf<'a> {
    pub(super) scratch: &'a Scratch,
    pub(super) progress: &'a Progress,
}

impl batch::Shelf for ScratchShelf<'_> {
    fn keep(&self, _: &DocumentName, content: &mut dyn Read) -> io::Result<SharedBytes> {
        self.progress.wait();
        let kept = self.scratch.keep(content)?;
        self.progress.wait();
        Ok(Arc::new(kept))
    }
}
