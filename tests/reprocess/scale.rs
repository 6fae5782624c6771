//! How long it takes to set many messages back.

use std::time::Instant;

use kuori::{domain::Step, store::Reprocess};

use super::{done, failed, letters, plan};
use crate::hub::{Hub, sample_bytes};

/// `cargo test --release --test kuori a_hundred_thousand_messages_are_set_back -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn a_hundred_thousand_messages_are_set_back() {
    let hub = Hub::with(|sender| sender.print_house = None);
    hub.process("batch.zip", &sample_bytes(&letters(1))).await;
    let database = rusqlite::Connection::open(hub.path().join("data/kuori.sqlite")).unwrap();
    let columns = "recipient_kind, document, first_page, page_count, service, wish, deny_only,
         deny_copy, attachments, fit_mailbox, fit_print, state";
    let copies = format!(
        "WITH RECURSIVE n (position) AS
             (SELECT 2 UNION ALL SELECT position + 1 FROM n WHERE position < 100000)
         INSERT INTO messages (batch, position, sender_letter_id, {columns})
         SELECT batch, n.position, 'letter-' || n.position, {columns} FROM messages m, n"
    );
    database.execute_batch(&copies).unwrap();
    let wanted = Reprocess {
        from: Some(Step::Route),
        listed: 20,
        ..failed()
    };
    let began = Instant::now();
    let planned = plan(&hub, &wanted);
    let planning = began.elapsed();
    assert_eq!(planned.messages, 100_000);
    let began = Instant::now();
    assert!(done(&hub, &wanted).is_done);
    eprintln!(
        "100,000 messages: planned in {planning:?}, set back in {:?}",
        began.elapsed()
    );
    let undo = "DELETE FROM letter_ids WHERE position > 1; DELETE FROM events WHERE position > 1;
         DELETE FROM messages WHERE position > 1;
         UPDATE messages SET state = 'refused';
         UPDATE batches SET state = 'reported', due_at = NULL";
    database.execute_batch(undo).unwrap();
}
