//! The one connection that writes, and what one commit covers.
//!
//! A commit waits for the disk, some milliseconds each. So those who come while somebody writes take
//! turns inside the same open transaction, each in a part of its own that is undone alone where it
//! fails, and the last one in line commits for all. Nobody returns before that commit, and nobody
//! else sees what it covers: readers have their own snapshot.

use std::{
    mem,
    ops::Deref,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ffi};

use super::{
    Error,
    database::locked,
    error::Doing,
    line::{Call, Failure, Line, Outcome},
};
use crate::crash_points;

/// Calls that one commit covers at most.
const MAX_CALLS: usize = 256;
/// A transaction that has been open for so long is joined by nobody more.
const MAX_OPEN: Duration = Duration::from_millis(10);
/// How long a transaction is kept open for those who are likely to come.
const MAX_HOSTING: Duration = Duration::from_millis(2);

/// An open write transaction, as each caller's part of it sees it.
pub(super) struct Transaction<'a>(pub(super) &'a Connection);

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

/// Writes, one caller at a time, in the order in which they come.
pub(super) struct Writer {
    line: Line,
    desk: Mutex<Desk>,
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            line: Line::default(),
            desk: Mutex::new(Desk::new(connection)),
        }
    }

    /// Runs one change: all of it is on the disk when this returns, or none of it.
    pub(super) fn write<T>(
        &self,
        doing: &'static str,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let call = self.line.come();
        let changed = locked(&self.desk).serve(&call, doing, change);
        let is_kept = matches!(changed, Ok(Ok(_)));
        if is_kept {
            crash_points::before("commit", doing);
        }
        self.conclude(&call);
        let committed = call.outcome();
        if is_kept {
            crash_points::after("commit", doing);
        }
        let result = changed.unwrap_or_else(|panic| resume_unwind(panic));
        // What the change answered may rest on what others wrote: it counts once that is on the disk.
        match committed {
            Ok(()) => result,
            Err(failure) => Err(failure.while_doing(doing)),
        }
    }

    /// Does something with the connection, outside of a transaction: one that is open, and was left
    /// to the next one in line, is committed first.
    pub(super) fn alone<T>(&self, deed: impl FnOnce(&Connection) -> T) -> T {
        let call = self.line.come();
        tell(locked(&self.desk).commit());
        let result = catch_unwind(AssertUnwindSafe(|| deed(&locked(&self.desk).connection)));
        self.line.leave();
        drop(call);
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// How many transactions were committed that changed a row.
    pub(super) fn commits(&self) -> u64 {
        locked(&self.desk).commits
    }

    /// How many wait in line.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.line.waiting()
    }

    #[cfg(any(test, debug_assertions))]
    pub(super) fn fail_commit(&self, fault: Fault) {
        locked(&self.desk).fault = Some(fault);
    }

    /// Leaves the commit to the next one in line; the last one commits for all.
    fn conclude(&self, call: &Arc<Call>) {
        let (has_room, until) = locked(&self.desk).room();
        if has_room && (self.line.pass_on() || self.line.host(call, until)) {
            return;
        }
        let committed = locked(&self.desk).commit();
        self.line.leave();
        tell(committed);
    }
}

fn tell((calls, outcome): (Vec<Arc<Call>>, Outcome)) {
    for call in calls {
        call.tell(outcome.clone());
    }
}

/// The connection and the transaction that is open on it.
struct Desk {
    connection: Connection,
    /// Those who had a turn since the last commit.
    calls: Vec<Arc<Call>>,
    begun: Instant,
    /// Why there is nothing left to commit.
    failure: Option<Failure>,
    /// What the last commit covered, and how long it took.
    last: (usize, Duration),
    commits: u64,
    /// Rows that were changed on this connection, up to the last commit.
    changes: u64,
    #[cfg(any(test, debug_assertions))]
    fault: Option<Fault>,
}

impl Desk {
    fn new(connection: Connection) -> Self {
        Self {
            changes: connection.total_changes(),
            connection,
            calls: Vec::new(),
            begun: Instant::now(),
            failure: None,
            last: (0, Duration::ZERO),
            commits: 0,
            #[cfg(any(test, debug_assertions))]
            fault: None,
        }
    }

    /// One caller's part. A panic is handed back, so that the others' parts are not lost with it.
    fn serve<T>(
        &mut self,
        call: &Arc<Call>,
        doing: &'static str,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
    ) -> thread::Result<Result<T, Error>> {
        let part = if self.calls.is_empty() {
            Part::First
        } else {
            Part::Further
        };
        self.calls.push(Arc::clone(call));
        if part == Part::First {
            self.begun = Instant::now();
        }
        if let Err(source) = self.run(part.begin()) {
            return Ok(Err(source).doing(doing));
        }
        let result = catch_unwind(AssertUnwindSafe(|| change(&Transaction(&self.connection))));
        let is_kept = matches!(result, Ok(Ok(_)));
        if let Err(ended) = self.end(part, is_kept) {
            let cause = match &result {
                Ok(Err(error)) => Failure::of(error),
                _ => None,
            };
            self.give_up(cause.unwrap_or(ended));
        }
        result
    }

    /// # Errors
    ///
    /// Where the other parts went with this one.
    fn end(&self, part: Part, is_kept: bool) -> Result<(), Failure> {
        // A full disk makes SQLite give up the whole transaction, whoever's statement met it.
        if self.connection.is_autocommit() {
            return if part == Part::First && !is_kept {
                Ok(())
            } else {
                Err(Failure::aborted())
            };
        }
        let end = if is_kept { part.keep() } else { part.undo() };
        end.iter()
            .try_for_each(|sql| self.run(sql))
            .map_err(|error| Failure::of_sql(&error).unwrap_or_else(Failure::aborted))
    }

    fn give_up(&mut self, failure: Failure) {
        self.roll_back();
        self.failure = Some(failure);
    }

    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // Where even that fails, the next BEGIN says so.
            let _ = self.run("ROLLBACK");
        }
    }

    /// Whether others may join the open transaction, and until when it is kept open for them: only
    /// where as many as last time are likely to come, and no longer than a commit of theirs would
    /// take.
    fn room(&self) -> (bool, Instant) {
        let is_open = self.failure.is_none() && !self.connection.is_autocommit();
        let has_room = self.calls.len() < MAX_CALLS && self.begun.elapsed() < MAX_OPEN;
        let (expected, took) = self.last;
        let hosting = if self.calls.len() < expected {
            took.min(MAX_HOSTING)
        } else {
            Duration::ZERO
        };
        (is_open && has_room, self.begun + hosting)
    }

    fn commit(&mut self) -> (Vec<Arc<Call>>, Outcome) {
        let calls = mem::take(&mut self.calls);
        let outcome = match self.failure.take() {
            Some(failure) => Err(failure),
            None if self.connection.is_autocommit() => Ok(()),
            None => self.commit_open(calls.len()),
        };
        (calls, outcome)
    }

    fn commit_open(&mut self, calls: usize) -> Outcome {
        let begun = Instant::now();
        let committed = self.faulty_commit();
        self.last = (calls, begun.elapsed());
        if let Err(error) = committed {
            self.roll_back();
            return Err(Failure::of_sql(&error).unwrap_or_else(Failure::aborted));
        }
        let changes = self.connection.total_changes();
        self.commits += u64::from(changes != self.changes);
        self.changes = changes;
        Ok(())
    }

    #[cfg(not(any(test, debug_assertions)))]
    fn faulty_commit(&self) -> rusqlite::Result<()> {
        self.run("COMMIT")
    }

    #[cfg(any(test, debug_assertions))]
    fn faulty_commit(&mut self) -> rusqlite::Result<()> {
        // What changes nothing is no commit that could fail: `Store::commits` does not count it either.
        let is_change = self.connection.total_changes() != self.changes;
        let Some(fault) = self.fault.take_if(|fault| is_change && fault.is_due()) else {
            return self.run("COMMIT");
        };
        if fault.is_after {
            self.run("COMMIT")?;
        }
        Err(rusqlite::Error::SqliteFailure(
            ffi::Error::new(fault.code),
            None,
        ))
    }

    fn run(&self, sql: &str) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute([]).map(drop)
    }
}

/// For tests: a commit that fails.
#[cfg(any(test, debug_assertions))]
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Which commit from now on: 1 is the next.
    pub nth: u64,
    /// The transaction is on the disk all the same.
    pub is_after: bool,
    /// What SQLite says, such as `SQLITE_FULL`.
    pub code: i32,
}

#[cfg(any(test, debug_assertions))]
impl Fault {
    fn is_due(&mut self) -> bool {
        self.nth = self.nth.saturating_sub(1);
        self.nth == 0
    }
}

/// One caller's part of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Nobody else's is there that would have to be kept.
    First,
    Further,
}

impl Part {
    fn begin(self) -> &'static str {
        match self {
            Self::First => "BEGIN IMMEDIATE",
            Self::Further => "SAVEPOINT part",
        }
    }

    fn keep(self) -> &'static [&'static str] {
        match self {
            Self::First => &[],
            Self::Further => &["RELEASE part"],
        }
    }

    fn undo(self) -> &'static [&'static str] {
        match self {
            Self::First => &["ROLLBACK"],
            Self::Further => &["ROLLBACK TO part", "RELEASE part"],
        }
    }
}

impl Failure {
    fn of(error: &Error) -> Option<Self> {
        match error {
            Error::Sql { source, .. } => Self::of_sql(source),
            _ => None,
        }
    }

    pub(super) fn of_sql(error: &rusqlite::Error) -> Option<Self> {
        match error {
            rusqlite::Error::SqliteFailure(code, message) => Some(Self {
                code: *code,
                message: message.clone(),
            }),
            _ => None,
        }
    }

    pub(super) fn aborted() -> Self {
        Self {
            code: ffi::Error::new(ffi::SQLITE_ABORT),
            message: Some("the transaction was given up".to_owned()),
        }
    }

    pub(super) fn while_doing(self, doing: &'static str) -> Error {
        let source = rusqlite::Error::SqliteFailure(self.code, self.message);
        Error::Sql { doing, source }
    }
}

#[cfg(test)]
mod tests;
