//! The documents of a batch, for the steps that cut letters out of them.

use std::{
    borrow::Cow,
    collections::HashMap,
    io::{self, Read},
    ops::Range,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{Error, House};
use crate::{
    batch::{self, Archive, Entry, SharedBytes, Shelf},
    domain::{BatchId, DocumentName, Finding, PageRange},
    pdf::{Document, Limits, Refusal, Rewritten, SecondReader},
    print::{LetterPdf, LetterSource, SourceError},
    store::{BatchRow, MappedFile, NewSpoolFile, Spool, SpoolKey},
    telemetry,
};

/// How many were made since the start.
static SHELVES: AtomicU64 = AtomicU64::new(0);

/// Keeps unpacked documents as files of the spool, so that they need not stand in memory.
///
/// They can be unpacked again, so they go with the shelf.
pub(super) struct SpoolShelf<'a> {
    spool: &'a Spool,
    batch: BatchId,
    /// Several may have the same batch's documents open at once, each in files of its own.
    shelf: u64,
    /// Names in the ZIP are the sender's; names in the spool are numbers.
    numbers: Mutex<HashMap<DocumentName, usize>>,
}

impl<'a> SpoolShelf<'a> {
    pub(super) fn new(spool: &'a Spool, batch: BatchId) -> Self {
        Self {
            spool,
            batch,
            shelf: SHELVES.fetch_add(1, Ordering::Relaxed),
            numbers: Mutex::default(),
        }
    }

    fn key_of(&self, document: &DocumentName) -> SpoolKey {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let next = numbers.len();
        self.key(*numbers.entry(document.clone()).or_insert(next))
    }

    /// Keeps all as one file, and tells where in it each lies: a batch can have more nested
    /// archives than a process may map files.
    fn keep_together(
        &self,
        name: &DocumentName,
        contents: impl Iterator<Item = io::Result<impl Read>>,
    ) -> io::Result<(SharedBytes, Vec<Range<usize>>)> {
        let mut file = self.spool.begin().map_err(io::Error::other)?;
        let (mut ranges, mut end) = (Vec::new(), 0);
        for content in contents {
            let start = end;
            end +=
                usize::try_from(io::copy(&mut content?, &mut file)?).map_err(io::Error::other)?;
            ranges.push(start..end);
        }
        Ok((self.keep_file(name, file)?, ranges))
    }

    fn keep_file(&self, document: &DocumentName, file: NewSpoolFile) -> io::Result<SharedBytes> {
        let kept = file
            .keep_for_now(&self.key_of(document))
            .map_err(io::Error::other)?;
        Ok(Arc::new(
            self.spool.map(&kept.key).map_err(io::Error::other)?,
        ))
    }

    fn key(&self, number: usize) -> SpoolKey {
        let name = format!("{}-{}-{number}.pdf", self.batch, self.shelf);
        SpoolKey::new("documents", name)
    }
}

impl Shelf for SpoolShelf<'_> {
    fn keep(&self, document: &DocumentName, content: &mut dyn Read) -> io::Result<SharedBytes> {
        let mut file = self.spool.begin().map_err(io::Error::other)?;
        io::copy(content, &mut file)?;
        self.keep_file(document, file)
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

/// A batch's file, mapped; the archives inside it, and its documents that hold several letters,
/// unpacked once.
pub(super) struct Documents<'a> {
    batch: BatchId,
    limits: &'a batch::Limits,
    file: MappedFile,
    nested: Option<Nested>,
    shared: Vec<(DocumentName, SharedBytes)>,
    shelf: SpoolShelf<'a>,
    second_reader: &'a dyn SecondReader,
}

/// All archives inside the batch's, one after the other.
struct Nested {
    bytes: SharedBytes,
    ranges: Vec<(String, Range<usize>)>,
}

impl<'a> Documents<'a> {
    pub(super) fn load(
        house: &'a House,
        row: &BatchRow,
        limits: &'a batch::Limits,
    ) -> Result<Self, Error> {
        let store = &*house.store;
        let mut documents = Self {
            batch: row.id,
            limits,
            // What came months ago may have changed on the disk since: compared once a step.
            file: store.spool().map_checked(&row.spool, &row.sha256)?,
            nested: None,
            shared: Vec::new(),
            shelf: SpoolShelf::new(store.spool(), row.id),
            second_reader: house.second_reader.as_ref(),
        };
        documents.nested = documents.unpack_nested()?;
        documents.shared = documents.unpack_shared(store.shared_documents(row.id)?)?;
        Ok(documents)
    }

    /// Opens the shared documents and lends all to `work`.
    pub(super) fn lend<T>(
        &self,
        work: impl FnOnce(&Letters<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let rewritten: Vec<_> = self.shared.iter().map(|_| OnceLock::new()).collect();
        let mut shared = HashMap::new();
        for ((name, bytes), rewritten) in self.shared.iter().zip(&rewritten) {
            let bytes = (**bytes).as_ref();
            let document = self.open(bytes, rewritten)?;
            let size = bytes.len() as u64;
            shared.insert(name.clone(), SharedDocument { document, size });
        }
        work(&Letters {
            archives: self.archives()?,
            shared,
            second_reader: self.second_reader,
        })
    }

    /// What stands for a document that only the second reader reads is in `rewritten` afterwards.
    fn open<'b>(
        &self,
        bytes: &'b [u8],
        rewritten: &'b OnceLock<Rewritten>,
    ) -> Result<Document<'b>, Error> {
        let limits = Limits::default();
        let changed = |refusal: Refusal| self.changed(&refusal);
        let refusal = match Document::open(bytes, &limits) {
            Ok(document) => return Ok(document),
            Err(refusal) => refusal,
        };
        let plain = Rewritten::of(bytes, &refusal, &limits, self.second_reader);
        let plain = plain.map_err(|source| self.not_unpacked(source))?;
        let plain = plain.map_err(changed)?;
        let opened = rewritten.get_or_init(|| plain).open(&limits);
        opened.map_err(changed)
    }

    fn unpack_nested(&self) -> Result<Option<Nested>, Error> {
        let archive = self.archive(self.file.as_ref())?;
        let entries = batch::inner_archives(&archive);
        if entries.is_empty() {
            return Ok(None);
        }
        let reader = |entry: &&Entry| {
            let opened = archive.reader(&entry.name);
            opened.map_err(|finding| io::Error::other(finding.code.as_str()))
        };
        // No document has an empty name.
        let name = DocumentName(String::new());
        let readers = entries.iter().map(reader);
        let kept = self.shelf.keep_together(&name, readers);
        let (bytes, ranges) = kept.map_err(|source| self.not_unpacked(source))?;
        let names = entries.iter().map(|entry| entry.name.clone());
        let ranges = names.zip(ranges).collect();
        Ok(Some(Nested { bytes, ranges }))
    }

    fn unpack_shared(
        &self,
        names: Vec<DocumentName>,
    ) -> Result<Vec<(DocumentName, SharedBytes)>, Error> {
        let archives = self.archives()?;
        let unpack_one = |name: DocumentName| {
            let bytes = self.unpack_one(&archives, &name)?;
            Ok((name, bytes))
        };
        names.into_iter().map(unpack_one).collect()
    }

    /// Streams onto the shelf, but for a document more than one archive deep.
    fn unpack_one(
        &self,
        archives: &Archives<'_>,
        name: &DocumentName,
    ) -> Result<SharedBytes, Error> {
        let changed = |finding: Finding| self.changed(&finding.code);
        let (archive, inner) = archives.home_of(name);
        let kept = if archive.entry(&inner.0).is_some() {
            let mut reader = archive.reader(&inner.0).map_err(changed)?;
            self.shelf.keep(name, &mut reader)
        } else {
            let deeper = archives.read(name).map_err(changed)?;
            self.shelf.keep(name, &mut deeper.as_ref())
        };
        kept.map_err(|source| self.not_unpacked(source))
    }

    fn archives(&self) -> Result<Archives<'_>, Error> {
        let mut nested = HashMap::new();
        if let Some(Nested { bytes, ranges }) = &self.nested {
            for (name, range) in ranges {
                let bytes = (**bytes).as_ref().get(range.clone()).unwrap_or_default();
                nested.insert(name.clone(), self.archive(bytes)?);
            }
        }
        Ok(Archives {
            outer: self.archive(self.file.as_ref())?,
            nested,
            limits: self.limits,
        })
    }

    fn archive<'b>(&self, bytes: &'b [u8]) -> Result<Archive<'b>, Error> {
        Archive::open(bytes, self.limits).map_err(|findings| {
            let first = findings.first().map(|finding| finding.code.to_string());
            self.changed(&first.unwrap_or_default())
        })
    }

    fn not_unpacked(&self, source: io::Error) -> Error {
        Error::Unpack {
            batch: self.batch,
            source,
        }
    }

    fn changed(&self, what: &dyn std::fmt::Display) -> Error {
        Error::Changed {
            batch: self.batch,
            what: what.to_string(),
        }
    }
}

/// The batch's archive and those inside it, open.
struct Archives<'a> {
    outer: Archive<'a>,
    nested: HashMap<String, Archive<'a>>,
    limits: &'a batch::Limits,
}

impl<'a> Archives<'a> {
    fn read(&self, document: &DocumentName) -> Result<Cow<'a, [u8]>, Finding> {
        let (archive, name) = self.home_of(document);
        batch::read_document(archive, &name, self.limits)
    }

    /// Bytes that reading takes: of a document more than one archive deep, those of the archive
    /// around it.
    fn bytes_of(&self, document: &DocumentName) -> u64 {
        let (archive, name) = self.home_of(document);
        let deeper = batch::split_name(archive, &name);
        let entry =
            deeper.map_or_else(|| archive.entry(&name.0), |(outer, _)| archive.entry(outer));
        entry.map_or(0, |entry| entry.size)
    }

    /// The archive that holds a document, and the document's name in it.
    fn home_of<'n>(&self, document: &'n DocumentName) -> (&Archive<'a>, Cow<'n, DocumentName>) {
        let nested = batch::split_name(&self.outer, document)
            .and_then(|(outer, inner)| Some((self.nested.get(outer)?, Cow::Owned(inner))));
        nested.unwrap_or((&self.outer, Cow::Borrowed(document)))
    }
}

/// Where composing and cutting get a letter's PDF from.
pub(super) struct Letters<'a> {
    archives: Archives<'a>,
    shared: HashMap<DocumentName, SharedDocument<'a>>,
    second_reader: &'a dyn SecondReader,
}

struct SharedDocument<'a> {
    document: Document<'a>,
    /// In bytes.
    size: u64,
}

impl<'a> Letters<'a> {
    /// The document that several letters are pages of, if this is one.
    pub(super) fn shared(&self, document: &DocumentName) -> Option<&Document<'a>> {
        self.shared.get(document).map(|shared| &shared.document)
    }

    /// The whole PDF of a letter that has one of its own.
    pub(super) fn own(&self, document: &DocumentName) -> Result<Cow<'a, [u8]>, SourceError> {
        let read = self.archives.read(document);
        read.map_err(|finding| finding.code.to_string().into())
    }

    /// Bytes of PDF that a letter adds to its bundle: its own, or its pages' share of the document.
    pub(super) fn bytes_of(&self, pages: &PageRange) -> u64 {
        let Some(shared) = self.shared.get(&pages.document) else {
            return self.archives.bytes_of(&pages.document);
        };
        let all = u64::from(shared.document.page_count()).max(1);
        shared
            .size
            .saturating_mul(u64::from(pages.count))
            .div_ceil(all)
    }
}

impl LetterSource for Letters<'_> {
    fn letter_pdf(&self, pages: &PageRange) -> Result<LetterPdf<'_>, SourceError> {
        match self.shared(&pages.document) {
            Some(document) => Ok(LetterPdf::Shared(document)),
            None => Ok(LetterPdf::Own(self.own(&pages.document)?.into_owned())),
        }
    }

    fn second_reader(&self) -> &dyn SecondReader {
        self.second_reader
    }

    fn held_bytes(&self, pages: &PageRange) -> u64 {
        if self.shared.contains_key(&pages.document) {
            return 0;
        }
        self.archives.bytes_of(&pages.document)
    }
}
