use std::fs;

use kuori::domain::Code;

use super::{archive, control_data, documents, letters, pages, recipients};
use crate::committed::in_repository;

/// A committed batch with exactly one thing wrong.
pub(super) struct Sample {
    pub(super) code: Code,
    /// Its name in the folder of its code.
    pub(super) file: &'static str,
    /// What is wrong with it, for whoever opens it.
    pub(super) says: &'static str,
    pub(super) stops: Stops,
    pub(super) make: Make,
}

/// Makes the bytes of the batch.
pub(super) type Make = fn() -> Vec<u8>;

/// What the finding stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stops {
    Batch,
    /// One letter of two; the other goes on.
    Letter,
    /// Both letters go on.
    Nothing,
}

impl Sample {
    /// Makes samples of which each stops as much.
    pub(super) fn that_stops(
        stops: Stops,
    ) -> impl Fn(Code, &'static str, &'static str, Make) -> Self {
        move |code, file, says, make| Self {
            code,
            file,
            says,
            stops,
            make,
        }
    }

    pub(super) fn path(&self) -> String {
        format!("samples/batches/invalid/{}/{}", self.code, self.file)
    }

    /// What is found: an attachment that a mailbox does not take is one that print would lose, too.
    pub(super) fn codes(&self) -> Vec<Code> {
        let beside = (self.code == Code::AttachmentType).then_some(Code::AttachmentNotPrintable);
        beside.into_iter().chain([self.code]).collect()
    }

    pub(super) fn committed(&self) -> Vec<u8> {
        fs::read(in_repository(&self.path())).unwrap()
    }
}

/// In the order of the catalogue of findings.
pub(super) fn all() -> Vec<Sample> {
    let mut samples = archive::samples();
    samples.extend(control_data::samples());
    samples.extend(letters::samples());
    samples.extend(recipients::samples());
    samples.extend(documents::samples());
    samples.extend(pages::samples());
    samples.sort_by_key(|sample| sample.code);
    samples
}
