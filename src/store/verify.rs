//! Whether a data folder keeps to the rules of the house: its rows, as of one moment, and its files.
//!
//! Works beside a daemon: what looks wrong with a file is looked at once more in the rows, which may
//! have changed meanwhile. It changes nothing.

mod batch;
mod database;
mod files;

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::Connection;

use self::files::NamedFile;
use super::{Error, Store, error::Doing};
use crate::domain::{BatchId, Breach, Broken};

/// What problems of the database itself are about.
const DATABASE: &str = "kuori.sqlite";

/// What is verified, and how.
#[derive(Debug, Clone)]
pub struct Verification {
    /// Empty: all of them, and what belongs to no batch.
    pub batches: Vec<BatchId>,
    pub now: Timestamp,
    /// A process works in the data folder: its leases are alive, and files without a row may be on
    /// their way.
    pub is_worked_on: bool,
    /// Files are read and compared with their digests; else only with their sizes.
    pub deep: bool,
    /// Problems of one kind that are named; the others are only counted.
    pub named: usize,
}

impl Verification {
    /// Everything but the bytes of files, in a folder that nobody works in.
    pub fn at_rest(now: Timestamp) -> Self {
        Self {
            batches: Vec::new(),
            now,
            is_worked_on: false,
            deep: false,
            named: 100,
        }
    }
}

/// Something that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub breach: Breach,
    /// An id of ours, the name of a table, or a file of the spool.
    pub about: String,
    pub how: String,
}

/// What verifying came to.
#[derive(Debug, Clone, Default)]
pub struct Verified {
    /// In the order in which they were found; of each kind not more than were asked for.
    pub problems: Vec<Problem>,
    /// How many there are of each kind.
    pub found: BTreeMap<Breach, u64>,
    pub batches: u64,
    pub messages: u64,
    pub bundles: u64,
    pub files: u64,
    /// Of those files.
    pub bytes: u64,
    named: usize,
    is_readable: bool,
}

impl Verified {
    /// Nothing yet; of each kind of problem, so many will be named.
    pub fn nothing(named: usize) -> Self {
        Self {
            named,
            ..Self::default()
        }
    }

    /// Whether rows can be read at all.
    pub fn is_readable(&self) -> bool {
        self.is_readable
    }

    /// Counts a problem, and names it where not too many of its kind are.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an id is a number, and a text is given as it is"
    )]
    pub fn add(&mut self, breach: Breach, about: impl ToString, how: impl Into<String>) {
        let found = self.found.entry(breach).or_default();
        *found += 1;
        if *found <= self.named as u64 {
            self.problems.push(Problem {
                breach,
                about: about.to_string(),
                how: how.into(),
            });
        }
    }

    fn add_all(&mut self, about: &impl ToString, broken: Vec<Broken>) {
        for (breach, how) in broken {
            self.add(breach, about.to_string(), how);
        }
    }

    /// Whether no rule is broken; notes do not count.
    pub fn is_sound(&self) -> bool {
        self.found.keys().all(|breach| breach.is_note())
    }
}

/// How far verifying is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerifyProgress {
    /// Batches looked at, of how many.
    Rows(u64, u64),
    /// Bytes of files looked at, of how many.
    Files(u64, u64),
}

impl Store {
    /// Holds the data folder to the rules of the house.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read at all. A damaged one is a problem that is told.
    pub fn verify(
        &self,
        options: &Verification,
        on_progress: &dyn Fn(VerifyProgress),
    ) -> Result<Verified, Error> {
        let mut found = Verified::nothing(options.named);
        let rows = self.read(|db| verify_rows(db, options, &mut found, on_progress));
        match rows {
            // Without rows, every file would seem to have none.
            Ok(_) if !found.is_readable => {}
            Ok(named) => {
                self.verify_files(&named, options, &mut found, on_progress)?;
                self.verify_audit(options, &mut found)?;
            }
            Err(error) if error.is_damage() => {
                found.is_readable = false;
                found.add(Breach::DatabaseDamaged, DATABASE, error.to_string());
            }
            Err(error) => return Err(error),
        }
        Ok(found)
    }

    fn verify_audit(&self, options: &Verification, found: &mut Verified) -> Result<(), Error> {
        if options.batches.is_empty()
            && let Some(broken) = self.check_audit()?.broken
        {
            found.add(Breach::AuditBroken, "audit", broken.to_string());
        }
        Ok(())
    }

    /// Whether messages of a batch may lie in mailboxes that no row tells of yet.
    pub fn has_delivery_begun(&self, batch: BatchId) -> Result<bool, Error> {
        let sql = "SELECT delivery_begun_at IS NOT NULL FROM batches WHERE id = ?";
        self.read(|db| {
            db.query_row(sql, [batch.0], |row| row.get(0))
                .doing("look at a delivery")
        })
    }
}

/// Returns the files that the rows name.
fn verify_rows(
    db: &Connection,
    options: &Verification,
    found: &mut Verified,
    on_progress: &dyn Fn(VerifyProgress),
) -> Result<Vec<NamedFile>, Error> {
    let is_whole = options.batches.is_empty();
    if is_whole && !database::verify(db, found)? {
        return Ok(Vec::new());
    }
    found.is_readable = true;
    let batches = if is_whole {
        all_batches(db)?
    } else {
        options.batches.clone()
    };
    let mut files = Vec::new();
    let all = batches.len() as u64;
    for (done, batch) in (0..).zip(batches) {
        on_progress(VerifyProgress::Rows(done, all));
        batch::verify(db, batch, options, found, &mut files)?;
    }
    on_progress(VerifyProgress::Rows(all, all));
    Ok(files)
}

fn all_batches(db: &Connection) -> Result<Vec<BatchId>, Error> {
    let doing = "list batches";
    let mut query = db
        .prepare_cached("SELECT id FROM batches ORDER BY id")
        .doing(doing)?;
    let rows = query.query_map([], |row| Ok(BatchId(row.get(0)?)));
    rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
}
