use std::sync::Arc;

use super::{
    Error, Gate, House, PageCheck, SenderSettings, acknowledge, documents::SpoolShelf,
    house::NOT_WHOLE, stop::Stop,
};
use crate::{
    batch::{self, Archive, OpenError, Opened, OpenedMessage},
    domain::{BatchState, Finding, ServiceKind},
    store::{BatchRow, MappedFile, NewMessage, OpenOutcome, StepOutcome},
    telemetry::meters,
};

/// Opens a batch: messages become rows page by page, then the verdict on the whole of it.
pub(super) fn run(house: &House, row: &BatchRow, stop: &Stop) -> Result<(), Error> {
    acknowledge::run(house, row)?;
    house.store.begin_open(row.id)?;
    let file = house.store.spool().map_checked(&row.spool, &row.sha256)?;
    match read(house, row, &file, stop)? {
        Ok(opened) => conclude(house, row, opened),
        Err(findings) => refuse(house, row, &unreadable(findings), "the file cannot be read"),
    }
}

/// Messages into rows; the findings of a file that is no readable batch at all.
fn read(
    house: &House,
    row: &BatchRow,
    file: &MappedFile,
    stop: &Stop,
) -> Result<Result<Opened, Vec<Finding>>, Error> {
    let sender = house.sender(&row.sender)?;
    let print_house = sender.print_house.as_ref();
    let print_house = print_house.map(|id| house.print_house(id)).transpose()?;
    let settings = &sender.batch_settings(print_house);
    let archive = match Archive::open(file.as_ref(), &settings.limits) {
        Ok(archive) => archive,
        Err(findings) => return Ok(Err(findings)),
    };
    let check =
        PageCheck::of(sender, print_house).with_second_reader(Arc::clone(&house.second_reader));
    let shelf = SpoolShelf::new(house.store.spool(), row.id);
    let mut record = |page: Vec<OpenedMessage>| {
        let page: Vec<_> = page
            .into_iter()
            .map(|opened| new_message(opened, sender))
            .collect();
        stop.check()?;
        if house.store.has_moved(row)? {
            return Err(Error::OnHold(row.id));
        }
        let recorded = house.store.record_messages(row.id, &page);
        recorded.map_err(Error::Store)
    };
    let name = &row.file_name;
    match batch::open(&archive, name, settings, &shelf, &check, &mut record) {
        Ok(opened) => Ok(Ok(opened)),
        Err(OpenError::Sink(error)) => Err(error),
        Err(OpenError::Shelf(source)) => Err(Error::Unpack {
            batch: row.id,
            source,
        }),
    }
}

fn conclude(house: &House, row: &BatchRow, opened: Opened) -> Result<(), Error> {
    let whole = opened.is_refused();
    let outcome = OpenOutcome {
        shape: opened.shape.map(batch::Shape::as_str),
        is_test: opened.is_test,
        print_only: opened.print_only,
        findings: opened.findings,
    };
    if whole {
        return refuse(house, row, &outcome, "the batch as a whole is unusable");
    }
    let sender = house.sender(&row.sender)?;
    // A sender who tries a batch out sends the same letters in earnest, before or afterwards.
    if !outcome.is_test {
        let duplicates = sender.duplicate_letter_ids;
        house.store.claim_letter_ids(row, duplicates)?;
    }
    if sender.gate == Gate::AllOrNothing && is_refused_whole(house, row)? {
        return refuse(house, row, &outcome, NOT_WHOLE);
    }
    let now = house.clock.now();
    let next = StepOutcome::next(BatchState::Opened, now);
    house.store.finish_open(row, &outcome, &next, now)?;
    count(house, row)
}

/// Whether a message was refused. Not where an operator has the batch opened again of which some has gone,
/// or waits for a mailbox service: that would stay where it is, and be told to be refused.
fn is_refused_whole(house: &House, row: &BatchRow) -> Result<bool, Error> {
    let counts = house.store.counts(row.id)?;
    let has_gone = counts.delivered + counts.printed > 0 || house.store.has_queued(row.id)?;
    Ok(counts.refused > 0 && !has_gone)
}

/// Refuses the whole batch; its file is kept in quarantine.
fn refuse(house: &House, row: &BatchRow, outcome: &OpenOutcome, why: &str) -> Result<(), Error> {
    let now = house.clock.now();
    house.store.refuse_all(row.id)?;
    house.store.quarantine(row)?;
    let next = StepOutcome {
        reason: Some(why.to_owned()),
        ..StepOutcome::next(BatchState::Refused, now)
    };
    house.store.finish_open(row, outcome, &next, now)?;
    count(house, row)
}

fn count(house: &House, row: &BatchRow) -> Result<(), Error> {
    let counts = house.store.counts(row.id)?;
    meters::MESSAGES.add(&["received"], counts.received);
    meters::MESSAGES.add(&["refused"], counts.refused);
    Ok(())
}

fn unreadable(findings: Vec<Finding>) -> OpenOutcome {
    OpenOutcome {
        shape: None,
        is_test: false,
        print_only: false,
        findings,
    }
}

/// Control data cannot ask for verifiable service; the sender's settings can.
fn new_message(opened: OpenedMessage, sender: &SenderSettings) -> NewMessage {
    let mut message = opened.message;
    if sender.service == ServiceKind::Verifiable {
        message.service = ServiceKind::Verifiable;
    }
    NewMessage {
        message,
        fitness: opened.fitness,
        facts: opened.facts,
        findings: opened.findings,
    }
}
