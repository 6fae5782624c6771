//! Who said what when, and what the register said at any time before.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    ConsentStatus, Error, Store,
    columns::{Columns, millis},
    error::Doing,
};
use crate::domain::RecipientId;

/// What the register has of one recipient, or had at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consent {
    /// `None` where the recipient has said nothing but of matters, if at all.
    pub said: Option<SaidConsent>,
    /// Matters whose letters go on paper all the same, by name.
    pub print_only_matters: Vec<PrintOnlyMatter>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidConsent {
    pub status: ConsentStatus,
    pub since: Timestamp,
    /// Who told the house; `None` where nobody was noted.
    pub source: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintOnlyMatter {
    pub matter: String,
    /// They go to another address than control data says.
    pub has_address: bool,
    /// When the house was told.
    pub recorded_at: Timestamp,
}

/// One thing that was said of a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentWord {
    pub said: Said,
    pub recorded_at: Timestamp,
    pub source: Option<String>,
    /// Of a withdrawal that a full list has implied: from when on it stands no more, since a later list had
    /// the recipient again.
    pub lifted_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Consent {
        status: ConsentStatus,
        since: Timestamp,
    },
    Matter {
        matter: String,
        print_only: bool,
        has_address: bool,
    },
}

/// How many recipients' words of one status came from one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCount {
    /// `None` where nobody was noted.
    pub source: Option<String>,
    pub granted: u64,
    pub withdrawn: u64,
}

/// At any time that can be.
const ALWAYS: Timestamp = Timestamp::MAX;

impl Store {
    /// What the register has of a recipient.
    pub fn consent(&self, recipient: &RecipientId) -> Result<Consent, Error> {
        self.consent_as_of(recipient, ALWAYS)
    }

    /// What the register had of a recipient at `time`: what the house had been told by then.
    pub fn consent_as_of(
        &self,
        recipient: &RecipientId,
        time: Timestamp,
    ) -> Result<Consent, Error> {
        self.read(|db| {
            Ok(Consent {
                said: said(db, recipient, time)?,
                print_only_matters: matters(db, recipient, time)?,
            })
        })
    }

    /// All that was said of a recipient, in the order in which the house was told: of consent, and of
    /// matters, whatever the clock did; between the two, by the clock.
    pub fn consent_history(&self, recipient: &RecipientId) -> Result<Vec<ConsentWord>, Error> {
        let doing = "list what a recipient has said";
        let consents = "SELECT status, since, recorded_at, source, lifted_at
             FROM consent_history
             WHERE recipient_id = ? ORDER BY id";
        let of_matters =
            "SELECT matter, print_only, has_address, recorded_at, source FROM matter_history
             WHERE recipient_id = ? ORDER BY id";
        self.read(|db| {
            let words = |sql: &str, word: fn(&Row<'_>) -> rusqlite::Result<ConsentWord>| {
                let mut query = db.prepare_cached(sql).doing(doing)?;
                let words = query.query_map([recipient.expose()], word).doing(doing)?;
                words.collect::<Result<Vec<_>, _>>().doing(doing)
            };
            Ok(merged(
                words(consents, consent_word)?,
                words(of_matters, matter_word)?,
            ))
        })
    }

    /// The sources of what the register has, those with most recipients first; no more than `limit`.
    pub fn consent_sources(&self, limit: u32) -> Result<Vec<SourceCount>, Error> {
        let doing = "count the sources of consents";
        let sql = "SELECT source, SUM(status = 'granted') AS granted,
                SUM(status = 'withdrawn') AS withdrawn
             FROM consents GROUP BY source ORDER BY COUNT(*) DESC, source LIMIT ?";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let rows = query.query_map([limit], |row| {
                Ok(SourceCount {
                    source: row.get("source")?,
                    granted: row.get("granted")?,
                    withdrawn: row.get("withdrawn")?,
                })
            });
            rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
        })
    }
}

/// By when they were recorded, and each list in its own order.
fn merged(one: Vec<ConsentWord>, other: Vec<ConsentWord>) -> Vec<ConsentWord> {
    let mut merged = Vec::with_capacity(one.len() + other.len());
    let mut other = other.into_iter().peekable();
    for word in one {
        while let Some(earlier) = other.next_if(|it| it.recorded_at < word.recorded_at) {
            merged.push(earlier);
        }
        merged.push(word);
    }
    merged.extend(other);
    merged
}

/// The newest word of those that the house had been told; of two of the same time, the withdrawal.
fn said(
    db: &Connection,
    recipient: &RecipientId,
    time: Timestamp,
) -> Result<Option<SaidConsent>, Error> {
    let doing = "read a consent";
    let sql = "SELECT status, since, source FROM consent_history
         WHERE recipient_id = ?1 AND recorded_at <= ?2 AND (lifted_at IS NULL OR lifted_at > ?2)
         ORDER BY since DESC, status = 'withdrawn' DESC, id DESC LIMIT 1";
    let mut query = db.prepare_cached(sql).doing(doing)?;
    let found = query.query_row(params![recipient.expose(), millis(time)], |row| {
        Ok(SaidConsent {
            status: row.word("status")?,
            since: row.time("since")?,
            source: row.get("source")?,
        })
    });
    found.optional().doing(doing)
}

fn matters(
    db: &Connection,
    recipient: &RecipientId,
    time: Timestamp,
) -> Result<Vec<PrintOnlyMatter>, Error> {
    let doing = "list matters";
    let sql = "SELECT matter, has_address, recorded_at FROM matter_history h
         WHERE recipient_id = ?1 AND print_only AND id = (
            SELECT MAX(id) FROM matter_history l
             WHERE l.recipient_id = ?1 AND l.matter = h.matter AND l.recorded_at <= ?2)
         ORDER BY matter";
    let mut query = db.prepare_cached(sql).doing(doing)?;
    let rows = query.query_map(params![recipient.expose(), millis(time)], |row| {
        Ok(PrintOnlyMatter {
            matter: row.get("matter")?,
            has_address: row.get("has_address")?,
            recorded_at: row.time("recorded_at")?,
        })
    });
    rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
}

fn consent_word(row: &Row<'_>) -> rusqlite::Result<ConsentWord> {
    Ok(ConsentWord {
        said: Said::Consent {
            status: row.word("status")?,
            since: row.time("since")?,
        },
        recorded_at: row.time("recorded_at")?,
        source: row.get("source")?,
        lifted_at: row.maybe_time("lifted_at")?,
    })
}

fn matter_word(row: &Row<'_>) -> rusqlite::Result<ConsentWord> {
    Ok(ConsentWord {
        said: Said::Matter {
            matter: row.get("matter")?,
            print_only: row.get("print_only")?,
            has_address: row.get("has_address")?,
        },
        recorded_at: row.time("recorded_at")?,
        source: row.get("source")?,
        lifted_at: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ConsentChange;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn person() -> RecipientId {
        RecipientId::Person("010190-900P".parse().unwrap())
    }

    fn say(store: &Store, status: ConsentStatus, since: &str, now: &str) {
        let change = ConsentChange {
            recipient: person(),
            status,
            since: at(since),
        };
        store
            .record_consents(&[change], "by letter", at(now))
            .unwrap();
    }

    /// Granted in January, withdrawn in March; in April the house hears of a grant of February.
    fn told() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (granted, withdrawn) = (ConsentStatus::Granted, ConsentStatus::Withdrawn);
        say(
            &store,
            granted,
            "2026-01-01T00:00:00Z",
            "2026-01-02T00:00:00Z",
        );
        say(
            &store,
            withdrawn,
            "2026-03-01T00:00:00Z",
            "2026-03-02T00:00:00Z",
        );
        say(
            &store,
            granted,
            "2026-02-01T00:00:00Z",
            "2026-04-02T00:00:00Z",
        );
        (folder, store)
    }

    #[test]
    fn the_register_of_a_time_has_what_the_house_had_been_told_by_then() {
        let (_folder, store) = told();
        let status = |time| {
            let consent = store.consent_as_of(&person(), at(time)).unwrap();
            consent.said.map(|said| said.status)
        };
        assert_eq!(status("2026-01-01T12:00:00Z"), None);
        assert_eq!(status("2026-01-02T00:00:00Z"), Some(ConsentStatus::Granted));
        assert_eq!(status("2026-03-01T12:00:00Z"), Some(ConsentStatus::Granted));
        assert_eq!(
            status("2026-03-02T00:00:00Z"),
            Some(ConsentStatus::Withdrawn)
        );
        // What is older does not overrule what is newer, whenever the house hears of it.
        assert_eq!(
            status("2026-05-01T00:00:00Z"),
            Some(ConsentStatus::Withdrawn)
        );
    }

    #[test]
    fn the_history_is_in_the_order_in_which_the_house_was_told() {
        let (_folder, store) = told();
        store
            .set_print_only_matter(&person(), "school", true, at("2026-02-15T00:00:00Z"))
            .unwrap();
        let words = store.consent_history(&person()).unwrap();
        let told: Vec<_> = words
            .iter()
            .map(|word| word.recorded_at.to_string())
            .collect();
        assert_eq!(
            told,
            [
                "2026-01-02T00:00:00Z",
                "2026-02-15T00:00:00Z",
                "2026-03-02T00:00:00Z",
                "2026-04-02T00:00:00Z",
            ]
        );
        assert!(matches!(
            words[1].said,
            Said::Matter {
                print_only: true,
                ..
            }
        ));
        assert_eq!(words[0].source.as_deref(), Some("by letter"));
    }

    #[test]
    fn the_order_of_words_stands_where_the_clock_is_set_back() {
        let (_folder, store) = told();
        let told_late = "2026-02-20T00:00:00Z";
        say(
            &store,
            ConsentStatus::Granted,
            "2026-02-19T00:00:00Z",
            told_late,
        );
        let words = store.consent_history(&person()).unwrap();
        assert_eq!(words.last().unwrap().recorded_at, at(told_late));
    }

    #[test]
    fn a_matter_holds_from_when_it_was_recorded_until_it_is_taken_back() {
        let (_folder, store) = told();
        let set = |print_only, now| {
            store
                .set_print_only_matter(&person(), "school", print_only, at(now))
                .unwrap();
        };
        set(true, "2026-02-01T00:00:00Z");
        set(true, "2026-02-10T00:00:00Z");
        set(false, "2026-03-01T00:00:00Z");
        let matters = |time| {
            let consent = store.consent_as_of(&person(), at(time)).unwrap();
            consent.print_only_matters.len()
        };
        assert_eq!(matters("2026-01-31T00:00:00Z"), 0);
        assert_eq!(matters("2026-02-20T00:00:00Z"), 1);
        assert_eq!(matters("2026-03-01T00:00:00Z"), 0);
        let words = store.consent_history(&person()).unwrap();
        let of_matters = |word: &&ConsentWord| matches!(word.said, Said::Matter { .. });
        assert_eq!(words.iter().filter(of_matters).count(), 2);
    }

    #[test]
    fn sources_are_counted_by_what_the_register_has() {
        let (_folder, store) = told();
        let counts = store.consent_sources(10).unwrap();
        let count = SourceCount {
            source: Some("by letter".to_owned()),
            granted: 0,
            withdrawn: 1,
        };
        assert_eq!(counts, [count]);
    }
}
