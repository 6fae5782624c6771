use std::{
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    batch::{self, SharedBytes},
    domain::DocumentName,
    store::{Spool, SpoolKey},
};

/// Keeps unpacked documents as files of a temporary folder, so that they need not stand in memory.
pub(super) struct Shelf<'a> {
    spool: &'a Spool,
    kept: AtomicUsize,
}

impl<'a> Shelf<'a> {
    pub(super) fn new(spool: &'a Spool) -> Self {
        Self {
            spool,
            kept: AtomicUsize::new(0),
        }
    }
}

impl batch::Shelf for Shelf<'_> {
    fn keep(&self, _: &DocumentName, content: &mut dyn Read) -> io::Result<SharedBytes> {
        let mut file = self.spool.begin().map_err(io::Error::other)?;
        io::copy(content, &mut file)?;
        let number = self.kept.fetch_add(1, Ordering::Relaxed);
        let key = SpoolKey::new("documents", format!("{number}.pdf"));
        let kept = file.keep(&key).map_err(io::Error::other)?;
        let mapped = self.spool.map(&kept.key).map_err(io::Error::other)?;
        Ok(Arc::new(mapped))
    }
}
