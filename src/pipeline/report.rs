use jiff::Timestamp;

use super::{
    Error, House, SenderSettings,
    findings::take_own,
    receipt::{self, Reports},
    route::ask_again_at,
};
use crate::{
    domain::{BatchState, Finding, Language},
    receipts::{Level, MessageLine, ProcessingHeader, ReportHeader, ReportLine, Stopped},
    store::{BatchRow, Counts, MessageRow, NewOutgoing, OutgoingKind, StepOutcome},
};

/// Message lines written at a time.
const PAGE: u32 = 1_000;

/// Tells the sender what became of every message, once all are decided.
///
/// While messages wait for their mailbox status the batch comes due again instead.
pub(super) fn run(house: &House, row: &BatchRow) -> Result<(), Error> {
    let sender = house.sender(&row.sender)?;
    let now = house.clock.now();
    let counts = house.store.counts(row.id)?;
    let outcome = outcome(row, &counts, ask_again_at(sender, now));
    let report = if outcome.due_at.is_some() {
        None
    } else {
        write(house, row, sender, &counts, outcome.state, now)?
    };
    Ok(house
        .store
        .record_report(row, report.as_ref(), &outcome, now)?)
}

/// A stopped batch stays where it is; the others are reported.
fn outcome(row: &BatchRow, counts: &Counts, ask_again: Timestamp) -> StepOutcome {
    let is_stopped = row.state.is_stopped();
    StepOutcome {
        state: if is_stopped {
            row.state
        } else {
            BatchState::Reported
        },
        due_at: (!is_stopped && counts.waiting > 0).then_some(ask_again),
        reason: row.reason.clone(),
    }
}

/// `None` where the sender's settings want no report of this batch.
fn write(
    house: &House,
    row: &BatchRow,
    sender: &SenderSettings,
    counts: &Counts,
    state: BatchState,
    now: Timestamp,
) -> Result<Option<NewOutgoing>, Error> {
    let header = header(house, row, sender.language, counts, state, now)?;
    if !sender.receipts.level.wants_report(&header) {
        return Ok(None);
    }
    let mut reports = Reports::begin(house, row, ReportHeader::Processing(&header))?;
    write_messages(house, row, sender.receipts.level, &mut reports)?;
    let written = reports.finish()?;
    let (kind, revision) = (OutgoingKind::ProcessingReport, row.reports + 1);
    receipt::spooled(house, row, kind, revision, written).map(Some)
}

fn write_messages(
    house: &House,
    row: &BatchRow,
    level: Level,
    reports: &mut Reports,
) -> Result<(), Error> {
    let mut after = 0;
    loop {
        let page = house.store.messages(row.id, &[], after, PAGE)?;
        let Some((first, last)) = page.first().zip(page.last()) else {
            return Ok(());
        };
        let (first, last) = (first.id.position, last.id.position);
        after = last;
        let findings = house.store.findings_between(row.id, first, last)?;
        let mut findings = findings.into_iter().peekable();
        for message in page {
            let own = take_own(&mut findings, message.id.position);
            let line = line(message, own);
            if level.wants_message(&line) {
                reports.line(ReportLine::Processing(&line))?;
            }
        }
    }
}

fn line(row: MessageRow, findings: Vec<Finding>) -> MessageLine {
    MessageLine {
        message: row.id,
        sender_letter_id: row.message.sender_letter_id,
        state: row.state,
        fitness: row.fitness.after(&findings),
        channel: row.channel,
        reason: row.reason,
        asked: row.asked,
        decided_at: row.decided_at,
        delivered_at: row.delivered_at,
        bundle: row.bundle,
        piece: row.sequence,
        findings,
    }
}

fn header(
    house: &House,
    row: &BatchRow,
    language: Language,
    counts: &Counts,
    state: BatchState,
    now: Timestamp,
) -> Result<ProcessingHeader, Error> {
    Ok(ProcessingHeader {
        batch: row.id,
        sender: row.sender.clone(),
        file_name: row.file_name.clone(),
        state,
        reported_at: now,
        language,
        stopped: row.reason.as_ref().map(|why| Stopped {
            why: why.clone(),
            what_to_do: what_to_do(row.state, language).to_owned(),
        }),
        counts: receipt::counts(counts),
        findings: house.store.batch_findings(row.id)?,
    })
}

/// What the sender of a batch that stands still can do.
fn what_to_do(state: BatchState, language: Language) -> &'static str {
    use Language::{English, Finnish, Swedish};
    match (state, language) {
        (BatchState::Refused, English) => {
            "Correct what the findings name and upload the batch again."
        }
        (BatchState::Refused, Finnish) => {
            "Korjaa havainnoissa mainitut asiat ja lähetä erä uudelleen."
        }
        (BatchState::Refused, Swedish) => {
            "Rätta det som nämns i anmärkningarna och skicka satsen på nytt."
        }
        (BatchState::Held, English) => {
            "Nothing: the operator looks at it. Do not send the batch again."
        }
        (BatchState::Held, Finnish) => {
            "Toimenpiteitä ei tarvita: ylläpitäjä selvittää asian. Älä lähetä erää uudelleen."
        }
        (BatchState::Held, Swedish) => {
            "Inga åtgärder behövs: den driftsansvariga utreder saken. Skicka inte satsen på nytt."
        }
        (_, English) => {
            "Send the letters in a new file if they are still to go; the same file is not taken again."
        }
        (_, Finnish) => {
            "Lähetä kirjeet uudessa tiedostossa, jos ne on vielä tarkoitus lähettää. Samaa tiedostoa ei oteta uudelleen vastaan."
        }
        (_, Swedish) => {
            "Skicka breven i en ny fil om de fortfarande ska skickas. Samma fil tas inte emot på nytt."
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_stopped_batch_is_answered_in_every_language() {
        let states = [BatchState::Refused, BatchState::Held, BatchState::Cancelled];
        let told = states.map(|state| Language::ALL.map(|language| what_to_do(state, language)));
        let different: BTreeSet<_> = told.iter().flatten().collect();
        assert_eq!(different.len(), states.len() * Language::ALL.len());
    }
}
