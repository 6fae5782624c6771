use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{
    SharedBytes, Shelf,
    document::{Lent, Opened},
    kept::Kept,
};
use crate::{
    domain::DocumentName,
    pdf::{self, Document, Refusal, Rewritten, SecondReader},
};

/// How PDFs are opened: as they stand, with their cross-references rebuilt, and by the second reader in
/// the end.
pub(super) struct Ladder<'l, 'd> {
    pub(super) limits: &'l pdf::Limits,
    pub(super) second: &'l dyn SecondReader,
    /// How many documents of the batch the second reader may still get.
    pub(super) readings_left: &'l AtomicU32,
    pub(super) shelf: &'l dyn Shelf,
    pub(super) kept: &'d Kept,
}

impl<'d> Ladder<'_, 'd> {
    /// Opens a PDF for as long as `work` takes.
    pub(super) fn open_briefly<T>(
        &self,
        bytes: &[u8],
        work: impl FnOnce(Result<&Document<'_>, &Refusal>) -> T,
    ) -> io::Result<T> {
        let refusal = match Document::open(bytes, self.limits) {
            Ok(document) => return Ok(work(Ok(&document))),
            Err(refusal) => refusal,
        };
        Ok(match self.rewritten(bytes, &refusal)? {
            Ok(rewritten) => work(rewritten.open(self.limits).as_ref()),
            Err(refusal) => work(Err(&refusal)),
        })
    }

    /// Opens a PDF whose bytes stay, and hands it back: of the sender's bytes, or of those that stand for
    /// them from here on.
    pub(super) fn open_lent<T>(
        &self,
        lent: Lent<'d>,
        name: &DocumentName,
        work: impl FnOnce(Result<&Document<'_>, &Refusal>) -> T,
    ) -> io::Result<(T, Option<Opened<'d>>)> {
        let refusal = match lent.open(self.limits) {
            Ok(document) => return Ok(stands(lent, Ok(document), work)),
            Err(refusal) => refusal,
        };
        let rewritten = match self.rewritten(lent.bytes, &refusal)? {
            Ok(rewritten) => rewritten,
            Err(refusal) => return Ok(stands(lent, Err(refusal), work)),
        };
        match self.keep(&rewritten, name)? {
            Some(lent) => Ok(stands(lent, lent.open(self.limits), work)),
            None => Ok((work(rewritten.open(self.limits).as_ref()), None)),
        }
    }

    fn rewritten(&self, bytes: &[u8], refusal: &Refusal) -> io::Result<Result<Rewritten, Refusal>> {
        if !Rewritten::may_help(refusal) {
            return Ok(Err(refusal.clone()));
        }
        let take = |left: u32| left.checked_sub(1);
        let (store, load) = (Ordering::Relaxed, Ordering::Relaxed);
        if self.readings_left.fetch_update(store, load, take).is_err() {
            let what = "documents of one batch that only a second reader reads";
            return Ok(Err(Refusal::Limit { what }));
        }
        Rewritten::of(bytes, refusal, self.limits, self.second)
    }

    /// Puts what was rewritten beside the sender's on the shelf.
    fn keep(&self, rewritten: &Rewritten, name: &DocumentName) -> io::Result<Option<Lent<'d>>> {
        // No document has a name that ends so.
        let name = DocumentName(format!("{}/", name.0));
        let kept: SharedBytes = self.shelf.keep(&name, &mut rewritten.bytes.as_slice())?;
        let bytes = self.kept.keep(&Arc::clone(&kept));
        Ok(bytes.map(|bytes| Lent {
            bytes,
            reading: rewritten.reading,
        }))
    }
}

fn stands<'d, T>(
    lent: Lent<'d>,
    opened: Result<Document<'d>, Refusal>,
    work: impl FnOnce(Result<&Document<'_>, &Refusal>) -> T,
) -> (T, Option<Opened<'d>>) {
    let done = work(opened.as_ref());
    let document = opened.ok();
    (done, Some(Opened { lent, document }))
}
