//! The rooms that a stranger's bytes go through first, by their paths: with instrumentation they
//! build in a minute, and the whole house in ten.

#[path = "../../../src/batch/mod.rs"]
pub mod batch;
#[path = "../../../src/domain/mod.rs"]
pub mod domain;
#[path = "../../../src/pdf/mod.rs"]
pub mod pdf;
