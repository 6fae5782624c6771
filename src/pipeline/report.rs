use std::iter::Peekable;

use jiff::Timestamp;

use super::{Error, House, SenderSettings, receipt, route::ask_again_at};
use crate::{
    domain::{BatchState, Finding, Language},
    receipts::{self, MessageLine, ProcessingHeader, ProcessingReport, Stopped},
    store::{BatchRow, Counts, MessageRow, NewOutgoing, NewSpoolFile, OutgoingKind, StepOutcome},
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
    let stopped = matches!(
        row.state,
        BatchState::Refused | BatchState::Held | BatchState::Cancelled
    );
    StepOutcome {
        state: if stopped {
            row.state
        } else {
            BatchState::Reported
        },
        due_at: (!stopped && counts.waiting > 0).then_some(ask_again),
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
    if !sender.receipts.wants_report(&header) {
        return Ok(None);
    }
    let file = house.store.spool().begin()?;
    let mut report = ProcessingReport::begin(&header, file)?;
    write_messages(house, row, sender.receipts, &mut report)?;
    let file = report.finish()?;
    let revision = row.reports + 1;
    receipt::spooled(row, OutgoingKind::ProcessingReport, revision, file).map(Some)
}

fn write_messages(
    house: &House,
    row: &BatchRow,
    level: receipts::Level,
    report: &mut ProcessingReport<NewSpoolFile>,
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
                report.message(&line)?;
            }
        }
    }
}

fn line(row: MessageRow, findings: Vec<Finding>) -> MessageLine {
    MessageLine {
        message: row.id,
        sender_letter_id: row.message.sender_letter_id,
        state: row.state,
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

/// Takes a message's own findings off those of its page: both are in the order of position.
fn take_own(findings: &mut Peekable<impl Iterator<Item = Finding>>, position: u32) -> Vec<Finding> {
    let is_own = |finding: &Finding| finding.place.message <= Some(position);
    std::iter::from_fn(|| findings.next_if(is_own)).collect()
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
        counts: receipts::Counts {
            received: counts.received,
            delivered: counts.delivered,
            printed: counts.composed + counts.printed,
            also_printed: counts.also_to_print + counts.also_printed,
            refused: counts.refused,
            held: counts.held,
            waiting: counts.in_progress,
            cancelled: counts.cancelled,
        },
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
    use crate::domain::{Code, Place};

    #[test]
    fn every_stopped_batch_is_answered_in_every_language() {
        let states = [BatchState::Refused, BatchState::Held, BatchState::Cancelled];
        let told = states.map(|state| Language::ALL.map(|language| what_to_do(state, language)));
        let different: BTreeSet<_> = told.iter().flatten().collect();
        assert_eq!(different.len(), states.len() * Language::ALL.len());
    }

    #[test]
    fn every_message_gets_its_own_findings_and_no_others() {
        let at = |position| Finding::new(Code::PageSize, Place::message(position), "");
        let mut findings = [1, 1, 3].map(at).into_iter().peekable();
        let taken = [1, 2, 3].map(|position| take_own(&mut findings, position));
        assert_eq!(taken, [vec![at(1), at(1)], vec![], vec![at(3)]]);
    }
}
