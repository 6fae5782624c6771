//! Whether mailboxes hold what the rows say.

use std::sync::Arc;

use super::{Error, deliver};
use crate::{
    domain::{BatchId, Breach},
    mailbox::Mailbox,
    store::{BatchRow, MessageRow, Store, Verified},
};

/// Messages loaded at a time.
const PAGE: u32 = 1_000;

/// The mailboxes of a house.
pub struct Mailboxes {
    pub earnest: Arc<dyn Mailbox>,
    /// Where messages of test batches go.
    pub test: Arc<dyn Mailbox>,
}

/// Asks for each message of some batches whether its mailbox has it. What one has that no row tells of
/// is a problem; what one has no more may have been moved by its owner.
///
/// Each is a look into a folder: some ten thousand a second.
pub async fn verify_mailboxes(
    store: &Store,
    mailboxes: &Mailboxes,
    batches: &[BatchId],
    found: &mut Verified,
    on_progress: &dyn Fn(u64),
) -> Result<(), Error> {
    let mut done = 0;
    for &batch in batches {
        let row = store.batch(batch)?;
        let mut after = 0;
        loop {
            let page = store.messages(batch, &[], after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.id.position;
            for message in &page {
                ask(store, mailboxes, &row, message, found).await?;
            }
            done += page.len() as u64;
            on_progress(done);
        }
    }
    Ok(())
}

async fn ask(
    store: &Store,
    mailboxes: &Mailboxes,
    row: &BatchRow,
    stored: &MessageRow,
    found: &mut Verified,
) -> Result<(), Error> {
    let Some(recipient) = deliver::recipient(stored) else {
        return Ok(());
    };
    let mailbox = if row.is_test {
        &mailboxes.test
    } else {
        &mailboxes.earnest
    };
    let id = deliver::delivery_id(row, stored);
    let has = mailbox.has(id, recipient).await?;
    match (stored.delivered_at.is_some(), has) {
        (true, false) if !store.is_at_service(stored.id)? => {
            let how = "its mailbox does not have it any more";
            found.add(Breach::MailboxLacksIt, stored.id, how);
        }
        // While a delivery is under way, the row follows the message.
        (false, true) if !store.has_delivery_begun(row.id)? && !is_recorded_now(store, stored)? => {
            let how = "its mailbox has it, and no row tells of that";
            found.add(Breach::MailboxUnrecorded, stored.id, how);
        }
        _ => {}
    }
    Ok(())
}

fn is_recorded_now(store: &Store, stored: &MessageRow) -> Result<bool, Error> {
    Ok(store.message(stored.id)?.delivered_at.is_some())
}
