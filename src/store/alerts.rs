//! Alerts that are on: kept, so that a restart repeats none.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Row, params};

use super::{
    Error, Store, Transaction,
    columns::{Columns, millis},
    error::Doing,
};

/// Something that an operator is to know of now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAlert {
    pub code: &'static str,
    /// A sender, a place or an inbox of the settings, or the house.
    pub subject: String,
    pub since: Timestamp,
    pub text: String,
}

/// An alert that is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    pub code: String,
    pub subject: String,
    /// Since when it is so.
    pub since: Timestamp,
    /// When it was first told.
    pub begun_at: Timestamp,
    /// When it was last told.
    pub told_at: Timestamp,
    pub text: String,
}

/// What is to be told of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    Begun,
    /// It is still on, and it was told long ago.
    Again,
    Over,
}

impl Store {
    /// Alerts that are on, oldest first.
    pub fn alerts(&self) -> Result<Vec<Alert>, Error> {
        self.read(all)
    }

    /// Takes over which alerts are on now, and returns what is to be told: each once when it begins,
    /// again after `repeat`, and once when it is over.
    pub fn take_alerts(
        &self,
        on: &[NewAlert],
        repeat: SignedDuration,
        now: Timestamp,
    ) -> Result<Vec<(Telling, Alert)>, Error> {
        let told = plan(&self.alerts()?, on, repeat, now);
        if told.is_empty() {
            return Ok(told);
        }
        self.write("record alerts", |tx| {
            let told = plan(&all(tx)?, on, repeat, now);
            told.iter()
                .try_for_each(|(what, alert)| record(tx, *what, alert))?;
            Ok(told)
        })
    }
}

fn plan(
    known: &[Alert],
    on: &[NewAlert],
    repeat: SignedDuration,
    now: Timestamp,
) -> Vec<(Telling, Alert)> {
    let is = |alert: &Alert, new: &NewAlert| alert.code == new.code && alert.subject == new.subject;
    let mut told = Vec::new();
    for new in on {
        let before = known.iter().find(|alert| is(alert, new));
        let what = match before {
            None => Telling::Begun,
            Some(alert) if is_long_ago(alert.told_at, repeat, now) => Telling::Again,
            Some(_) => continue,
        };
        told.push((
            what,
            Alert {
                code: new.code.to_owned(),
                subject: new.subject.clone(),
                since: new.since,
                begun_at: before.map_or(now, |alert| alert.begun_at),
                told_at: now,
                text: new.text.clone(),
            },
        ));
    }
    let is_over = |alert: &&Alert| !on.iter().any(|new| is(alert, new));
    let over = known.iter().filter(is_over).cloned();
    told.extend(over.map(|alert| (Telling::Over, alert)));
    told
}

/// A clock that was set back does not keep an alert quiet.
fn is_long_ago(told_at: Timestamp, repeat: SignedDuration, now: Timestamp) -> bool {
    now.duration_since(told_at).abs() >= repeat
}

fn record(tx: &Transaction<'_>, what: Telling, alert: &Alert) -> Result<(), Error> {
    let doing = "record an alert";
    let Alert { code, subject, .. } = alert;
    if what == Telling::Over {
        let sql = "DELETE FROM alerts WHERE code = ?1 AND subject = ?2";
        tx.execute(sql, params![code, subject]).doing(doing)?;
        return Ok(());
    }
    let sql = "INSERT OR REPLACE INTO alerts (code, subject, since, begun_at, told_at, text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (since, begun, told) = (
        millis(alert.since),
        millis(alert.begun_at),
        millis(alert.told_at),
    );
    tx.execute(sql, params![code, subject, since, begun, told, alert.text])
        .doing(doing)?;
    Ok(())
}

fn all(db: &Connection) -> Result<Vec<Alert>, Error> {
    let sql = "SELECT * FROM alerts ORDER BY begun_at, code, subject";
    let mut query = db.prepare_cached(sql).doing("list alerts")?;
    let rows = query.query_map([], alert_row).doing("list alerts")?;
    rows.collect::<Result<_, _>>().doing("list alerts")
}

fn alert_row(row: &Row<'_>) -> rusqlite::Result<Alert> {
    Ok(Alert {
        code: row.get("code")?,
        subject: row.get("subject")?,
        since: row.time("since")?,
        begun_at: row.time("begun_at")?,
        told_at: row.time("told_at")?,
        text: row.get("text")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_told_when_it_begins_again_after_its_time_and_when_it_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let start = Timestamp::UNIX_EPOCH;
        let alert = NewAlert {
            code: "place-down",
            subject: "print-house:example-print".to_owned(),
            since: start,
            text: "away".to_owned(),
        };
        let told = |on: &[NewAlert], hours: i64| {
            // Opened anew each time: a restart repeats nothing.
            let store = Store::open(folder.path()).unwrap();
            let now = start + SignedDuration::from_hours(hours);
            let told = store.take_alerts(on, SignedDuration::from_hours(24), now);
            let told: Vec<_> = told.unwrap().into_iter().map(|(what, _)| what).collect();
            told
        };
        let on = [alert];
        assert_eq!(told(&on, 1), [Telling::Begun]);
        assert_eq!(told(&on, 24), []);
        assert_eq!(told(&on, 25), [Telling::Again]);
        assert_eq!(told(&on, 26), []);
        assert_eq!(told(&[], 27), [Telling::Over]);
        assert_eq!(told(&[], 28), []);
        assert_eq!(told(&on, 29), [Telling::Begun]);
    }
}
