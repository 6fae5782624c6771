//! Each commit of a batch's way through the house fails once.

use kuori::store::Fault;
use rusqlite::ffi;

use super::outcome::{Outcome, house, run_to_the_end, undisturbed};

const LETTERS: u32 = 6;

/// Of the commits of a batch, every fifth fails in every run of the tests; each in those that take long.
const SOME: usize = 5;
const EACH: usize = 1;

/// Fails one commit in each house, and holds the outcome to that of a house without trouble.
async fn fail_one(every: usize, is_after: bool, code: i32) {
    let (expected, commits) = undisturbed(LETTERS).await;
    assert!(commits > 10, "{commits} commits");
    for nth in (1..=commits).step_by(every) {
        let hub = house(LETTERS);
        let fault = Fault {
            nth,
            is_after,
            code,
        };
        hub.store.fail_commit(fault);
        run_to_the_end(&hub).await;
        let when = format!("commit {nth} of {commits}");
        expected.assert_same(&Outcome::of(&hub), &when);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_at_a_commit_changes_nothing_of_the_outcome() {
    fail_one(SOME, false, ffi::SQLITE_FULL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_on_the_disk_and_is_said_to_have_failed_changes_nothing_of_the_outcome() {
    fail_one(SOME, true, ffi::SQLITE_IOERR_FSYNC).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute"]
async fn nor_does_either_at_any_commit() {
    fail_one(EACH, false, ffi::SQLITE_FULL).await;
    fail_one(EACH, true, ffi::SQLITE_IOERR_FSYNC).await;
}
