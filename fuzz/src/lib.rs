//! What must hold of the intake, whatever bytes it is given: a function a fuzz target.
//!
//! Each panics where something does not hold. The targets in `fuzz_targets/` feed them from
//! libFuzzer; `tests/fuzzed/` takes this file in by its path, and feeds them what once went
//! wrong, the samples, and what proptest makes up.

mod archive;
mod bounds;
mod control;
mod documents;
mod findings;
mod messages;
mod pdf;
mod run;

pub use self::{
    archive::archive,
    bounds::settings,
    control::{batch_csv, letter_bundle, small_pdf, zipped},
    pdf::pdf,
    run::{batch, told},
};

/// Its name, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets. The names are those of `fuzz_targets/`, of `regressions/` and of the corpus.
pub const TARGETS: [Target; 5] = [
    ("archive", archive),
    ("batch", batch),
    ("batch_csv", batch_csv),
    ("letter_bundle", letter_bundle),
    ("pdf", pdf),
];
