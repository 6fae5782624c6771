//! The documents of a batch, for the steps that cut letters out of them.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
};

use super::Error;
use crate::{
    batch::{self, Archive, SharedBytes, Shelf},
    domain::{BatchId, DocumentName, Finding, PageRange},
    pdf::{Document, Limits},
    print::{LetterPdf, LetterSource, SourceError},
    store::{BatchRow, MappedFile, Spool, SpoolKey, Store},
    telemetry,
};

/// Keeps unpacked documents as files of the spool, so that they need not stand in memory.
///
/// They can be unpacked again, so they go with the shelf.
pub(super) struct SpoolShelf<'a> {
    spool: &'a Spool,
    batch: BatchId,
    /// Names in the ZIP are the sender's; names in the spool are numbers.
    numbers: Mutex<HashMap<DocumentName, usize>>,
}

impl<'a> SpoolShelf<'a> {
    pub(super) fn new(spool: &'a Spool, batch: BatchId) -> Self {
        Self {
            spool,
            batch,
            numbers: Mutex::default(),
        }
    }

    fn key_of(&self, document: &DocumentName) -> SpoolKey {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let next = numbers.len();
        self.key(*numbers.entry(document.clone()).or_insert(next))
    }

    fn key(&self, number: usize) -> SpoolKey {
        SpoolKey::new("documents", format!("{}-{number}.pdf", self.batch))
    }
}

impl Shelf for SpoolShelf<'_> {
    fn keep(&self, document: &DocumentName, content: &mut dyn Read) -> io::Result<SharedBytes> {
        let mut file = self.spool.begin().map_err(io::Error::other)?;
        io::copy(content, &mut file)?;
        let kept = file
            .keep_for_now(&self.key_of(document))
            .map_err(io::Error::other)?;
        Ok(Arc::new(
            self.spool.map(&kept.key).map_err(io::Error::other)?,
        ))
    }
}

impl Drop for SpoolShelf<'_> {
    fn drop(&mut self) {
        let shelved = self.numbers.get_mut().map_or(0, |numbers| numbers.len());
        for number in 0..shelved {
            if let Err(error) = self.spool.remove(&self.key(number)) {
                tracing::warn!(
                    error = telemetry::with_causes(&error),
                    "left for the next sweep"
                );
            }
        }
    }
}

/// A batch's file, mapped, and its documents that hold several letters, unpacked once.
pub(super) struct Documents<'a> {
    batch: BatchId,
    limits: &'a batch::Limits,
    file: MappedFile,
    shared: Vec<(DocumentName, SharedBytes)>,
    shelf: SpoolShelf<'a>,
}

impl<'a> Documents<'a> {
    pub(super) fn load(
        store: &'a Store,
        row: &BatchRow,
        limits: &'a batch::Limits,
    ) -> Result<Self, Error> {
        let mut documents = Self {
            batch: row.id,
            limits,
            file: store.spool().map(&row.spool)?,
            shared: Vec::new(),
            shelf: SpoolShelf::new(store.spool(), row.id),
        };
        documents.shared = documents.unpack(store.shared_documents(row.id)?)?;
        Ok(documents)
    }

    /// Opens the shared documents and lends all to `work`.
    pub(super) fn lend<T>(
        &self,
        work: impl FnOnce(&Letters<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut shared = HashMap::new();
        for (name, bytes) in &self.shared {
            let document = Document::open((**bytes).as_ref(), &Limits::default());
            let document = document.map_err(|refusal| self.changed(&refusal))?;
            shared.insert(name.clone(), document);
        }
        work(&Letters {
            archive: self.archive()?,
            limits: self.limits,
            shared,
        })
    }

    fn unpack(&self, names: Vec<DocumentName>) -> Result<Vec<(DocumentName, SharedBytes)>, Error> {
        let archive = self.archive()?;
        let unpack_one = |name: DocumentName| {
            let bytes = self.unpack_one(&archive, &name)?;
            Ok((name, bytes))
        };
        names.into_iter().map(unpack_one).collect()
    }

    /// An entry of the batch itself streams onto the shelf; one of a nested archive is in memory
    /// before.
    fn unpack_one(&self, archive: &Archive<'_>, name: &DocumentName) -> Result<SharedBytes, Error> {
        let changed = |finding: Finding| self.changed(&finding.code);
        let kept = if archive.entry(&name.0).is_some() {
            let mut reader = archive.reader(&name.0).map_err(changed)?;
            self.shelf.keep(name, &mut reader)
        } else {
            let nested = batch::read_document(archive, name, self.limits).map_err(changed)?;
            self.shelf.keep(name, &mut nested.as_ref())
        };
        kept.map_err(|source| Error::Unpack {
            batch: self.batch,
            source,
        })
    }

    fn archive(&self) -> Result<Archive<'_>, Error> {
        Archive::open(self.file.as_ref(), self.limits).map_err(|findings| {
            let first = findings.first().map(|finding| finding.code.to_string());
            self.changed(&first.unwrap_or_default())
        })
    }

    fn changed(&self, what: &dyn std::fmt::Display) -> Error {
        Error::Changed {
            batch: self.batch,
            what: what.to_string(),
        }
    }
}

/// Where composing and cutting get a letter's PDF from.
pub(super) struct Letters<'a> {
    archive: Archive<'a>,
    limits: &'a batch::Limits,
    shared: HashMap<DocumentName, Document<'a>>,
}

impl<'a> Letters<'a> {
    /// The document that several letters are pages of, if this is one.
    pub(super) fn shared(&self, document: &DocumentName) -> Option<&Document<'a>> {
        self.shared.get(document)
    }

    /// The whole PDF of a letter that has one of its own.
    pub(super) fn own(&self, document: &DocumentName) -> Result<Cow<'a, [u8]>, SourceError> {
        let read = batch::read_document(&self.archive, document, self.limits);
        read.map_err(|finding| finding.code.to_string().into())
    }
}

impl LetterSource for Letters<'_> {
    fn letter_pdf(&self, pages: &PageRange) -> Result<LetterPdf<'_>, SourceError> {
        match self.shared(&pages.document) {
            Some(document) => Ok(LetterPdf::Shared(document)),
            None => Ok(LetterPdf::Own(self.own(&pages.document)?.into_owned())),
        }
    }

    fn held_bytes(&self, pages: &PageRange) -> u64 {
        if self.shared.contains_key(&pages.document) {
            return 0;
        }
        self.archive
            .entry(&pages.document.0)
            .map_or(0, |entry| entry.size)
    }
}
