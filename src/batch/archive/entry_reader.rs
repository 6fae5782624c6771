use std::{
    error::Error,
    fmt,
    io::{self, Read},
};

use crc32fast::Hasher;
use flate2::bufread::DeflateDecoder;

use super::Entry;
use crate::domain::{Code, Finding, Place};

/// Reads one entry, and counts it: more or fewer bytes than declared, a wrong checksum or packed
/// bytes left over are errors, and the bytes read before must then be thrown away.
pub struct EntryReader<'a> {
    source: Source<'a>,
    place: Place,
    declared_bytes: u64,
    declared_crc: u32,
    counted_bytes: u64,
    crc: Hasher,
    problem: Option<Finding>,
}

enum Source<'a> {
    Stored(&'a [u8]),
    Deflated(DeflateDecoder<&'a [u8]>),
}

impl<'a> EntryReader<'a> {
    pub(super) fn new(entry: &Entry, packed: &'a [u8]) -> Self {
        let source = if entry.is_stored {
            Source::Stored(packed)
        } else {
            Source::Deflated(DeflateDecoder::new(packed))
        };
        Self {
            source,
            place: entry.place(),
            declared_bytes: entry.size,
            declared_crc: entry.crc32,
            counted_bytes: 0,
            crc: Hasher::new(),
            problem: None,
        }
    }

    /// What stopped the reading, where it was the archive's fault.
    pub fn problem(&self) -> Option<&Finding> {
        self.problem.as_ref()
    }

    /// Whether everything was read and everything fitted.
    pub fn is_complete(&self) -> bool {
        self.problem.is_none() && self.counted_bytes == self.declared_bytes && self.fits()
    }

    fn fits(&self) -> bool {
        self.crc.clone().finalize() == self.declared_crc
    }

    fn check_end(&self) -> Result<(), Fault> {
        let has_rest = match &self.source {
            Source::Stored(rest) => !rest.is_empty(),
            Source::Deflated(decoder) => !decoder.get_ref().is_empty(),
        };
        if self.counted_bytes < self.declared_bytes || has_rest {
            return Err(Fault::Less);
        }
        self.fits().then_some(()).ok_or(Fault::Checksum)
    }

    fn read_counted(&mut self, buffer: &mut [u8]) -> Result<usize, Fault> {
        let read = match &mut self.source {
            Source::Stored(rest) => rest.read(buffer),
            Source::Deflated(decoder) => decoder.read(buffer),
        };
        let read = read.map_err(|_| Fault::Damaged)?;
        if read == 0 && !buffer.is_empty() {
            self.check_end()?;
        }
        self.crc.update(buffer.get(..read).unwrap_or_default());
        self.counted_bytes += read as u64;
        if self.counted_bytes > self.declared_bytes {
            return Err(Fault::More);
        }
        Ok(read)
    }
}

impl Read for EntryReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(problem) = &self.problem {
            return Err(Problem::wrap(problem.clone()));
        }
        self.read_counted(buffer).map_err(|fault| {
            let finding = fault.finding(self.place.clone());
            self.problem = Some(finding.clone());
            Problem::wrap(finding)
        })
    }
}

/// How an entry's content is not what its headers declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Less,
    More,
    Damaged,
    Checksum,
}

impl Fault {
    pub(super) fn finding(self, place: Place) -> Finding {
        let (code, detail) = match self {
            Self::Less => (
                Code::ArchiveInconsistent,
                "the entry holds less than the archive declares",
            ),
            Self::More => (
                Code::ArchiveInconsistent,
                "the entry holds more than the archive declares",
            ),
            Self::Damaged => (
                Code::ArchiveDamaged,
                "the entry cannot be unpacked to its end",
            ),
            Self::Checksum => (Code::ArchiveDamaged, "the checksum does not match"),
        };
        Finding::new(code, place, detail)
    }
}

/// A finding on its way through code that only knows [`io::Error`].
#[derive(Debug)]
pub(in crate::batch) struct Problem(Finding);

impl Problem {
    pub(in crate::batch) fn wrap(finding: Finding) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, Self(finding))
    }

    /// The finding inside, where there is one.
    pub(in crate::batch) fn inside(error: &io::Error) -> Option<&Finding> {
        let inner = error.get_ref()?.downcast_ref::<Self>()?;
        Some(&inner.0)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl Error for Problem {}
