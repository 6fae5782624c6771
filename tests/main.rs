//! One test binary, so that it links once. Each module tests the house from outside one of its doors.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "test code"
)]

mod architecture;
mod cancel;
mod chaos;
mod cli;
mod committed;
mod consent_feeds;
mod crash;
mod deeds;
mod deliveries;
#[cfg(debug_assertions)]
mod disk;
mod docs;
mod duplicates;
mod faults;
mod findings;
mod flow;
mod fuzzed;
mod gate;
mod holds;
mod households;
mod hub;
mod inbox;
mod keeping;
mod lifecycle;
mod mailboxes_away;
mod matters;
#[path = "../src/cli/tests/mismatch.rs"]
mod mismatch;
mod monitor;
mod notices;
mod operators;
mod outbox;
mod outside;
mod page_checks;
mod page_content;
mod privacy;
mod program;
mod queue;
mod read_back;
mod read_marks;
mod reload;
mod reprocess;
mod runner;
mod samples;
mod second_readings;
mod sftp;
mod suomifi;
mod verdicts;
mod verify;
mod withdrawals;
