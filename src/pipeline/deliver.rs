use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use rayon::prelude::*;

use super::{
    Error, House, SenderSettings,
    documents::{Documents, Letters},
    enqueue, gate,
    letter_pdf::{self, not_composable},
    routed_pages,
    statuses::{AtSendTime, may_still_go},
    stop::Stop,
};
use crate::{
    domain::{
        Attachment, BatchState, Code, Finding, MessageId, MessageState, Place, RecipientId,
        StatedRecipient,
    },
    mailbox::{AttachedFile, Delivery, DeliveryId, Mailbox},
    store::{BatchRow, MessageRow, StepOutcome},
    telemetry::{self, meters},
};

/// Bytes of PDF that stand in memory before they are delivered.
const PARCEL_BYTES: usize = 64 << 20;
/// Letters cut at once on all cores; the last ones may exceed [`PARCEL_BYTES`].
///
/// A letter of its own PDF has at most `max_letter_pdf_bytes` with its attachments, by default
/// 10 MiB, so 64 MiB + 16 × 10 MiB = 224 MiB stand in memory; 384 MiB where vectors grew to twice
/// what they hold (64 MiB + 16 × 20 MiB).
const CUT_AT_ONCE: usize = 16;

/// Puts each message that goes to a mailbox there, page by page; or into the queue of the service that
/// takes it there ([`enqueue`]).
///
/// The mailbox knows a message by its id, so delivering a page again after a crash adds nothing.
/// A message whose consent was withdrawn since it was routed goes back to be routed again. Where an
/// operator holds the batch meanwhile, the page in hand is the last.
pub(super) fn run(house: &House, row: &BatchRow, stop: &Stop) -> Result<(), Error> {
    let sender = house.sender(&row.sender)?;
    house.store.settle_printed(row.id, house.clock.now())?;
    if has_work(house, row)? {
        if !gate::may_deliver(house, row)? {
            return Ok(());
        }
        match house.service_for(sender, row.is_test) {
            Some(service) => enqueue::run(house, row, &service.settings().name, stop)?,
            None => into_folders(house, row, stop)?,
        }
    }
    let now = house.clock.now();
    let next = if has_rerouted(house, row)? {
        BatchState::Opened
    } else {
        BatchState::Delivered
    };
    Ok(house
        .store
        .finish_delivery(row, &StepOutcome::next(next, now), now)?)
}

fn into_folders(house: &House, row: &BatchRow, stop: &Stop) -> Result<(), Error> {
    let sender = house.sender(&row.sender)?;
    let documents = Documents::load(house, row, &sender.batch.limits)?;
    let was_in_doubt = house.store.has_delivery_begun(row.id)?;
    house.store.begin_delivery(row, house.clock.now())?;
    let delivered = documents.lend(|letters| deliver_all(house, row, letters, stop));
    delivered.inspect_err(|error| leave_no_doubt(house, row, was_in_doubt, error))
}

/// After a failure the mailboxes are asked which messages lie there, so that operators may cancel or hold
/// the others. Where they do not answer, the doubt stays until the step is done again. A step that
/// was put down between two pages has recorded all that it delivered: nobody is asked then, unless
/// an earlier one left a doubt.
fn leave_no_doubt(house: &House, row: &BatchRow, was_in_doubt: bool, error: &Error) {
    let found_out = match error {
        Error::Stopped | Error::GaveWay { .. } | Error::OnHold(_) if !was_in_doubt => {
            house.store.end_delivery(row).map_err(Error::Store)
        }
        Error::Stopped => return,
        _ => find_out(house, row),
    };
    if let Err(error) = found_out {
        let error = telemetry::with_causes(&error);
        tracing::warn!(batch = %row.id, error, "cannot see which messages lie in mailboxes");
    }
}

fn find_out(house: &House, row: &BatchRow) -> Result<(), Error> {
    let mut after = 0;
    loop {
        let page = routed_pages::after(house, row, after, routed_pages::PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.id.position;
        let mut delivered = Vec::new();
        for stored in &page {
            if is_delivered(house, row, stored)? {
                let known_by = delivery_id(row, stored).to_string();
                delivered.push((stored.id.position, known_by));
            }
        }
        let now = house.clock.now();
        record(house, row, &delivered, now)?;
    }
    Ok(house.store.end_delivery(row)?)
}

fn has_work(house: &House, row: &BatchRow) -> Result<bool, Error> {
    Ok(!routed_pages::after(house, row, 0, 1)?.is_empty())
}

/// Asked of the rows, since an earlier try that failed may have sent messages back too.
fn has_rerouted(house: &House, row: &BatchRow) -> Result<bool, Error> {
    let accepted = house
        .store
        .messages(row.id, &[MessageState::Accepted], 0, 1)?;
    Ok(!accepted.is_empty())
}

fn deliver_all(
    house: &House,
    row: &BatchRow,
    letters: &Letters<'_>,
    stop: &Stop,
) -> Result<(), Error> {
    let sender = house.sender(&row.sender)?;
    routed_pages::each(house, row, stop, |mut page| {
        let withdrawn = route_withdrawn_again(house, row, &page)?;
        page.retain(|message| !withdrawn.contains(&message.id));
        deliver_page(house, sender, row, letters, &page)
    })
}

/// Asks once more, at send time: withdrawn consent counts at once, and so does a matter. Messages that may
/// not go any more are routed again; returns which ones.
///
/// Not a message that lies in its mailbox already, since before a crash: routed again it would
/// reach the recipient on paper as well.
fn route_withdrawn_again(
    house: &House,
    row: &BatchRow,
    messages: &[MessageRow],
) -> Result<BTreeSet<MessageId>, Error> {
    let now = house.clock.now();
    let still_go = may_still_go(house, row, messages)?;
    let mut withdrawn = Vec::new();
    for (message, at_send_time) in messages.iter().zip(still_go) {
        if at_send_time != AtSendTime::MayGo && !is_delivered(house, row, message)? {
            // Before it is somebody else's: nobody would come back for it.
            discard(house, row, message)?;
            withdrawn.push(message.id);
        }
    }
    if !withdrawn.is_empty() {
        house.store.route_again(&withdrawn, now)?;
    }
    Ok(withdrawn.into_iter().collect())
}

fn is_delivered(house: &House, row: &BatchRow, stored: &MessageRow) -> Result<bool, Error> {
    let Some(recipient) = recipient(stored) else {
        return Ok(false);
    };
    let mailbox = house.mailbox_for(row.is_test);
    let runtime = tokio::runtime::Handle::current();
    Ok(runtime.block_on(mailbox.has(delivery_id(row, stored), recipient))?)
}

fn discard(house: &House, row: &BatchRow, stored: &MessageRow) -> Result<(), Error> {
    let Some(recipient) = recipient(stored) else {
        return Ok(());
    };
    let mailbox = house.mailbox_for(row.is_test);
    let runtime = tokio::runtime::Handle::current();
    Ok(runtime.block_on(mailbox.discard(delivery_id(row, stored), recipient))?)
}

fn deliver_page(
    house: &House,
    sender: &SenderSettings,
    row: &BatchRow,
    letters: &Letters<'_>,
    page: &[MessageRow],
) -> Result<(), Error> {
    let mut left = page;
    while !left.is_empty() {
        let (parcel, messages) = next_parcel(house, sender, row, letters, left)?;
        let (messages, others) = left.split_at(messages);
        deliver_parcel(house, row, messages, parcel)?;
        left = others;
    }
    Ok(())
}

/// What stands in memory at once, and of how many of these messages it was cut, from the first one on.
fn next_parcel(
    house: &House,
    sender: &SenderSettings,
    row: &BatchRow,
    letters: &Letters<'_>,
    left: &[MessageRow],
) -> Result<(Vec<Delivery>, usize), Error> {
    let cut = |message: &MessageRow| (message.id, delivery(sender, row, letters, message));
    let (mut parcel, mut messages) = (Vec::new(), 0);
    for few in left.chunks(CUT_AT_ONCE) {
        messages += few.len();
        let few: Vec<_> = few.par_iter().map(cut).collect();
        parcel.extend(set_aside_what_does_not_fit(house, few)?);
        if bytes(&parcel) >= PARCEL_BYTES {
            break;
        }
    }
    Ok((parcel, messages))
}

fn bytes(parcel: &[Delivery]) -> usize {
    let of_attachments = |delivery: &Delivery| -> usize {
        delivery
            .attachments
            .iter()
            .map(|attachment| attachment.bytes.len())
            .sum()
    };
    parcel
        .iter()
        .map(|delivery| delivery.pdf.len() + of_attachments(delivery))
        .sum()
}

/// The register is asked about each parcel: the first ones of a page may have taken a while, and recipients
/// do not wait for them with what they have to say.
fn deliver_parcel(
    house: &House,
    row: &BatchRow,
    messages: &[MessageRow],
    mut parcel: Vec<Delivery>,
) -> Result<(), Error> {
    let withdrawn = route_withdrawn_again(house, row, messages)?;
    parcel.retain(|delivery| !withdrawn.contains(&delivery.id.message));
    if parcel.is_empty() {
        return Ok(());
    }
    let receipts = wait(house.mailbox_for(row.is_test), parcel)?;
    let delivered = receipts
        .into_iter()
        .map(|receipt| receipt.map(|receipt| (receipt.message.position, receipt.reference)));
    // Those that the mailbox took are recorded before an error of another one is answered.
    let (delivered, failed): (Vec<_>, Vec<_>) = delivered.partition(Result::is_ok);
    let delivered: Vec<_> = delivered.into_iter().flatten().collect();
    record(house, row, &delivered, house.clock.now())?;
    meters::MESSAGES.add(&["delivered"], delivered.len() as u64);
    match failed.into_iter().find_map(Result::err) {
        Some(error) => Err(Error::Mailbox(error)),
        None => Ok(()),
    }
}

/// Recipients of test batches are told nothing: they have nothing.
fn record(
    house: &House,
    row: &BatchRow,
    delivered: &[(u32, String)],
    now: Timestamp,
) -> Result<(), Error> {
    let store = &house.store;
    let recorded = if house.sends_notices && !row.is_test {
        store.record_deliveries_and_tell(row.id, delivered, now)
    } else {
        store.record_deliveries(row.id, delivered, now)
    };
    Ok(recorded?)
}

/// A letter whose pages cannot be cut out of its document waits for the operator; the others go on.
///
/// One that turns out larger than a mailbox takes is routed again, and goes on paper if it may.
fn set_aside_what_does_not_fit(
    house: &House,
    cut: Vec<(MessageId, Result<Option<Delivery>, Error>)>,
) -> Result<Vec<Delivery>, Error> {
    let mut deliveries = Vec::with_capacity(cut.len());
    for (message, delivery) in cut {
        match delivery {
            Err(Error::Cut { source, .. }) => {
                let finding = not_composable(message, &source);
                house.store.hold_message(message, &finding)?;
            }
            Err(Error::TooLargeForMailbox { bytes }) => {
                let detail = format!("the letter's pages make a PDF of {bytes} bytes");
                let place = Place::message(message.position);
                let finding = Finding::new(Code::TooLargeForMailbox, place, detail);
                house.store.close_mailbox(message, &finding)?;
            }
            other => deliveries.extend(other?),
        }
    }
    Ok(deliveries)
}

/// Steps run on threads of their own, where waiting for the network is allowed.
fn wait(
    mailbox: &Arc<dyn Mailbox>,
    parcel: Vec<Delivery>,
) -> Result<Vec<Result<crate::mailbox::MailboxReceipt, crate::mailbox::Error>>, Error> {
    let runtime = tokio::runtime::Handle::current();
    Ok(runtime.block_on(mailbox.deliver(parcel))?)
}

fn delivery(
    sender: &SenderSettings,
    row: &BatchRow,
    letters: &Letters<'_>,
    stored: &MessageRow,
) -> Result<Option<Delivery>, Error> {
    let Some(recipient) = recipient(stored) else {
        return Ok(None);
    };
    let message = &stored.message;
    let pdf = letter_pdf::cut(letters, row.id, &message.pages, row.received_at)?;
    if pdf.len() as u64 > sender.batch.limits.max_letter_pdf_bytes {
        return Err(Error::TooLargeForMailbox { bytes: pdf.len() });
    }
    Ok(Some(Delivery {
        id: delivery_id(row, stored),
        recipient: recipient.clone(),
        sender: sender.id.clone(),
        title: message
            .subject
            .clone()
            .unwrap_or_else(|| sender.default_subject.as_str().into()),
        body: message.body.clone().unwrap_or_default(),
        sender_name: sender.display_name.clone(),
        pdf,
        pdf_file_name: format!("{}.pdf", stored.id),
        attachments: attachments(row, letters, stored)?,
        created: decided_at(row, stored),
        service: message.service,
    }))
}

pub(super) fn attachments(
    row: &BatchRow,
    letters: &Letters<'_>,
    stored: &MessageRow,
) -> Result<Vec<AttachedFile>, Error> {
    let read = |attachment: &Attachment| {
        let document = &attachment.document;
        let bytes = letters.own(document).map_err(|source| Error::Changed {
            batch: row.id,
            what: source.to_string(),
        })?;
        let name = document.0.rsplit('/').next().unwrap_or_default();
        Ok(AttachedFile {
            name: name.to_owned(),
            bytes: bytes.into_owned(),
        })
    };
    stored.message.attachments.iter().map(read).collect()
}

pub(super) fn delivery_id(row: &BatchRow, stored: &MessageRow) -> DeliveryId {
    id_of(stored.id, &row.sha256, stored.again)
}

/// `sha256` is that of the batch's file, in hexadecimal digits.
pub(super) fn id_of(message: MessageId, sha256: &str, again: u32) -> DeliveryId {
    DeliveryId {
        message,
        content: sha256
            .get(..8)
            .and_then(|text| u32::from_str_radix(text, 16).ok())
            .unwrap_or(0),
        repeat: again,
    }
}

/// A time that stays the same when the step runs twice.
fn decided_at(row: &BatchRow, stored: &MessageRow) -> Timestamp {
    stored.decided_at.unwrap_or(row.received_at)
}

pub(super) fn recipient(stored: &MessageRow) -> Option<&RecipientId> {
    match &stored.message.recipient.id {
        StatedRecipient::Valid(id) => Some(id),
        StatedRecipient::Absent | StatedRecipient::Invalid => None,
    }
}
