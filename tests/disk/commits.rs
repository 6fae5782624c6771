//! Each commit of a batch's way through the house fails once.

use kuori::store::Fault;
use rusqlite::ffi;

use super::outcome::{Outcome, house, run_to_the_end, undisturbed};

const LETTERS: u32 = 6;

/// Fails the n-th commit, for every n, and holds the outcome to that of a house without trouble.
async fn fail_each(is_after: bool, code: i32) {
    let (expected, commits) = undisturbed(LETTERS).await;
    assert!(commits > 10, "{commits} commits");
    for nth in 1..=commits {
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
    println!("{commits} commits failed, one at a time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_at_any_commit_changes_nothing_of_the_outcome() {
    fail_each(false, ffi::SQLITE_FULL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_on_the_disk_and_is_said_to_have_failed_changes_nothing_of_the_outcome() {
    fail_each(true, ffi::SQLITE_IOERR_FSYNC).await;
}
