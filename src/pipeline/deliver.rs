use std::sync::Arc;

use jiff::Timestamp;
use rayon::prelude::*;

use super::{
    Error, House, SenderSettings,
    documents::{Documents, Letters},
    letter_pdf,
};
use crate::{
    domain::{Attachment, BatchState, MailboxStatus, RecipientId, StatedRecipient},
    mailbox::{AttachedFile, Delivery, DeliveryId, Mailbox},
    store::{BatchRow, MessageRow, StepOutcome},
};

/// Messages cut and delivered at a time: what is in memory at once, and what one sync covers.
const PAGE: u32 = 500;

/// Puts each message that goes to a mailbox there, page by page.
///
/// The mailbox knows a message by its id, so delivering a page again after a crash adds nothing.
/// A message whose consent was withdrawn since it was routed goes back to be routed again.
pub(super) fn run(house: &House, row: &BatchRow) -> Result<(), Error> {
    let sender = house.sender(&row.sender)?;
    let mut rerouted = 0;
    if has_work(house, row)? {
        let documents = Documents::load(&house.store, row, &sender.batch.limits)?;
        rerouted = documents.lend(|letters| deliver_all(house, sender, row, letters))?;
    }
    let now = house.clock.now();
    let next = if rerouted > 0 {
        BatchState::Opened
    } else {
        BatchState::Delivered
    };
    Ok(house
        .store
        .finish_step(row, &StepOutcome::next(next, now), now)?)
}

fn has_work(house: &House, row: &BatchRow) -> Result<bool, Error> {
    Ok(!routed_page(house, row, 0, 1)?.is_empty())
}

fn routed_page(
    house: &House,
    row: &BatchRow,
    after: u32,
    limit: u32,
) -> Result<Vec<MessageRow>, Error> {
    Ok(house.store.messages_for_mailbox(row.id, after, limit)?)
}

/// Returns how many went back to be routed again.
fn deliver_all(
    house: &House,
    sender: &SenderSettings,
    row: &BatchRow,
    letters: &Letters<'_>,
) -> Result<usize, Error> {
    let (mut after, mut rerouted) = (0, 0);
    loop {
        let page = routed_page(house, row, after, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(rerouted);
        };
        after = last.id.position;
        let loaded = page.len();
        let page = still_active(house, &page)?;
        rerouted += loaded - page.len();
        deliver_page(house, sender, row, letters, &page)?;
    }
}

/// Asks once more, at send time: withdrawn consent counts at once.
fn still_active(house: &House, page: &[MessageRow]) -> Result<Vec<MessageRow>, Error> {
    let now = house.clock.now();
    let ids: Vec<_> = page.iter().filter_map(recipient).collect();
    let answers = house.store.mailbox_statuses(&ids, now)?;
    let mut active = Vec::with_capacity(page.len());
    for (message, answer) in page.iter().zip(answers) {
        if answer.status == MailboxStatus::Active {
            active.push(message.clone());
        } else {
            house.store.route_again(message.id, now)?;
        }
    }
    Ok(active)
}

fn deliver_page(
    house: &House,
    sender: &SenderSettings,
    row: &BatchRow,
    letters: &Letters<'_>,
    page: &[MessageRow],
) -> Result<(), Error> {
    let cut = |message: &MessageRow| delivery(sender, row, letters, message);
    let deliveries: Vec<_> = page.par_iter().map(cut).collect::<Result<Vec<_>, _>>()?;
    let deliveries: Vec<_> = deliveries.into_iter().flatten().collect();
    let receipts = wait(house.mailbox_for(row.is_test), deliveries)?;
    let delivered = receipts
        .into_iter()
        .map(|receipt| receipt.map(|receipt| (receipt.message.position, receipt.reference)));
    // Those that the mailbox took are recorded before an error of another one is answered.
    let (delivered, failed): (Vec<_>, Vec<_>) = delivered.partition(Result::is_ok);
    let delivered: Vec<_> = delivered.into_iter().flatten().collect();
    house
        .store
        .record_deliveries(row.id, &delivered, house.clock.now())?;
    match failed.into_iter().find_map(Result::err) {
        Some(error) => Err(Error::Mailbox(error)),
        None => Ok(()),
    }
}

/// Steps run on threads of their own, where waiting for the network is allowed.
fn wait(
    mailbox: &Arc<dyn Mailbox>,
    page: Vec<Delivery>,
) -> Result<Vec<Result<crate::mailbox::MailboxReceipt, crate::mailbox::Error>>, Error> {
    let runtime = tokio::runtime::Handle::current();
    Ok(runtime.block_on(mailbox.deliver(page))?)
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
    Ok(Some(Delivery {
        id: DeliveryId {
            message: stored.id,
            repeat: stored.again,
        },
        recipient: recipient.clone(),
        sender: sender.id.clone(),
        title: message
            .subject
            .clone()
            .unwrap_or_else(|| sender.default_subject.as_str().into()),
        body: message.body.clone().unwrap_or_default(),
        sender_name: sender.display_name.clone(),
        pdf: letter_pdf::cut(letters, row.id, &message.pages, row.received_at)?,
        pdf_file_name: format!("{}.pdf", stored.id),
        attachments: attachments(row, letters, stored)?,
        created: decided_at(row, stored),
        service: message.service,
    }))
}

fn attachments(
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

/// A time that stays the same when the step runs twice.
fn decided_at(row: &BatchRow, stored: &MessageRow) -> Timestamp {
    stored.decided_at.unwrap_or(row.received_at)
}

fn recipient(stored: &MessageRow) -> Option<&RecipientId> {
    match &stored.message.recipient.id {
        StatedRecipient::Valid(id) => Some(id),
        StatedRecipient::Absent | StatedRecipient::Invalid => None,
    }
}
