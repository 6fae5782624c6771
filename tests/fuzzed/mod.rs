//! The intake's invariants (`fuzz/src`), held against what once broke them, against the samples,
//! and against what proptest makes up.

mod hostile;
#[path = "../../fuzz/src/lib.rs"]
mod invariants;
mod mutation;
mod properties;
mod replay;
mod seeds;
