use jiff::Timestamp;
use rusqlite::params;

use super::{Kind, Reprocess, ReprocessPlan, Transaction, Way, plan::STAYS_OUT};
use crate::{
    domain::{BatchId, BatchState, Channel, Step},
    store::{
        Error, NewEvent, bundles,
        columns::{Word, millis},
        error::Doing,
        events, holds,
        mailbox_queue::IS_QUEUED,
    },
};

/// Does what the plan says, which is of this very moment and has no hindrance.
pub(super) fn all(
    tx: &Transaction<'_>,
    plan: &ReprocessPlan,
    wanted: &Reprocess<'_>,
    action: &NewEvent,
) -> Result<(), Error> {
    let what = told(plan, wanted.way);
    set_back(tx, plan, wanted, (action, &what))?;
    for &bundle in &plan.withdrawn {
        bundles::withdraw(tx, bundle)?;
        events::note_action(tx, action, plan.batch, None, &format!("withdrew {bundle}"))?;
    }
    events::note_action(tx, action, plan.batch, None, &what)?;
    let state = earliest(tx, plan.batch, BatchState::before(plan.from))?;
    make_due(tx, plan.batch, state, action.at)
}

fn told(plan: &ReprocessPlan, way: Way<'_>) -> String {
    let from = plan.from.as_str();
    match way {
        Way::AsBefore => format!("reprocess from {from}"),
        Way::ByTheRules => format!("reprocess from {from}, by the rules"),
        Way::Forced(Channel::Print, _) => format!("reprocess from {from}, forced to print"),
        Way::Forced(..) => format!("reprocess from {from}, forced to the mailbox"),
    }
}

/// Sets all messages of the plan back in one statement each for their history, their letter ids and
/// themselves: none of them is looked at by itself.
///
/// `again` grows with every repeat that was asked for by name, so that the mailbox, or the service,
/// can tell a second delivery that is wanted from one that is a crash's echo.
fn set_back(
    tx: &Transaction<'_>,
    plan: &ReprocessPlan,
    wanted: &Reprocess<'_>,
    (action, what): (&NewEvent, &str),
) -> Result<(), Error> {
    if plan.messages == 0 {
        return Ok(());
    }
    let doing = "set messages back";
    let batch = plan.batch.0;
    // Never moves, though all else of it may be as in what does.
    let moving = format!(
        "{STAYS_OUT} AND {}{}",
        any_of(&plan.kinds),
        wanted.messages.of_messages(plan.batch)
    );
    events::note_messages(tx, action, plan.batch, what, &moving)?;
    let claim = format!(
        "INSERT INTO letter_ids (sender, letter_id, batch, position)
         SELECT b.sender, m.sender_letter_id, m.batch, m.position
           FROM messages m JOIN batches b ON b.id = m.batch
          WHERE m.batch = ?1 AND {moving} AND m.sender_letter_id IS NOT NULL AND b.is_test = 0
         ON CONFLICT DO NOTHING"
    );
    tx.execute(&claim, [batch]).doing(doing)?;
    forget_what_waits(tx, plan.batch, &moving)?;
    let repeats: Vec<_> = plan
        .kinds
        .iter()
        .filter(|kind| kind.leaves_mailbox)
        .copied()
        .collect();
    let (to, repeats) = (to(&plan.kinds), any_of(&repeats));
    let reprints = is_another_post(wanted.way);
    let forced = match wanted.way {
        Way::AsBefore => "m.forced_channel".to_owned(),
        Way::ByTheRules => "NULL".to_owned(),
        Way::Forced(channel, _) => format!("'{}'", channel.word()),
    };
    let update = format!(
        "UPDATE messages AS m SET bundle = NULL, state = {to}, forced_channel = {forced},
            again = again + ({repeats} OR {reprints}),
            again_at = CASE WHEN {repeats} OR {reprints} THEN ?2 ELSE again_at END,
            delivered_at = CASE WHEN {repeats} THEN NULL ELSE delivered_at END,
            channel = CASE WHEN {to} = 'accepted' THEN NULL ELSE channel END
         WHERE m.batch = ?1 AND {moving}"
    );
    tx.execute(&update, params![batch, millis(action.at)])
        .doing(doing)?;
    Ok(())
}

/// Takes away what waits for these messages, and what was printed of them before a restore.
fn forget_what_waits(tx: &Transaction<'_>, batch: BatchId, moving: &str) -> Result<(), Error> {
    let doing = "set messages back";
    // What the print house had before a restore is printed anew only where that is asked for.
    let printed = format!(
        "DELETE FROM printed_before WHERE batch = ?1 AND position IN
            (SELECT m.position FROM messages m
              WHERE m.batch = ?1 AND m.state = 'handed-over' AND {moving})"
    );
    // What is sent or printed by name has no time to be read in any more.
    let timers = format!(
        "DELETE FROM timers WHERE batch = ?1 AND position IN
            (SELECT m.position FROM messages m WHERE m.batch = ?1 AND {moving})"
    );
    // Those that stay routed are queued anew, perhaps for another service; who goes elsewhere leaves
    // the queue by that.
    let queued = format!(
        "DELETE FROM mailbox_queue WHERE batch = ?1 AND is_sending = 0 AND is_in_doubt = 0
            AND position IN (SELECT m.position FROM messages m WHERE m.batch = ?1 AND {moving})"
    );
    for sql in [printed, timers, queued] {
        tx.execute(&sql, [batch.0]).doing(doing)?;
    }
    Ok(())
}

/// Whether a message `m` is to go as another post than one that a service has, or may have: paper of
/// which it has had the letter before, and paper of what it may have in its mailbox. Under its old id,
/// it would say of the latter that it has printed it.
fn is_another_post(way: Way<'_>) -> String {
    let reprints = "m.state = 'handed-over' AND EXISTS (SELECT 1 FROM sent_posts s
            WHERE s.batch = m.batch AND s.position = m.position AND s.door <> 'electronic')";
    let is_in_doubt = "EXISTS (SELECT 1 FROM mailbox_queue q WHERE q.batch = m.batch
            AND q.position = m.position AND q.is_in_doubt = 1 AND q.door <> 'paper')";
    match way {
        Way::Forced(Channel::Print, _) => format!("({reprints} OR {is_in_doubt})"),
        Way::AsBefore | Way::ByTheRules | Way::Forced(..) => format!("({reprints})"),
    }
}

/// `CASE WHEN m.state = … THEN 'routed' … END`: the state that each kind comes to.
fn to(kinds: &[Kind]) -> String {
    let arms = kinds
        .iter()
        .map(|kind| format!(" WHEN {} THEN '{}'", is(*kind), kind.to.word()));
    format!("CASE{} ELSE m.state END", arms.collect::<String>())
}

/// Whether a message `m` is of one of the kinds.
fn any_of(kinds: &[Kind]) -> String {
    if kinds.is_empty() {
        return "0".to_owned();
    }
    let kinds: Vec<_> = kinds.iter().copied().map(is).collect();
    format!("({})", kinds.join(" OR "))
}

fn is(kind: Kind) -> String {
    let channel = kind
        .channel
        .map_or("NULL".to_owned(), |channel| format!("'{}'", channel.word()));
    format!(
        "(m.state = '{}' AND m.channel IS {channel} AND (m.delivered_at IS NOT NULL) = {})",
        kind.state.word(),
        u8::from(kind.is_in_mailbox)
    )
}

/// The state that skips nothing: `wanted`, or an earlier one where a message of the batch, perhaps
/// one that nobody named, has a step before that still to come.
fn earliest(tx: &Transaction<'_>, batch: BatchId, wanted: BatchState) -> Result<BatchState, Error> {
    let sql = format!(
        "SELECT CASE
            WHEN shape IS NULL THEN 'open'
            WHEN EXISTS (SELECT 1 FROM messages WHERE batch = b.id
                 AND state IN ('accepted', 'waiting')) THEN 'route'
            WHEN EXISTS (SELECT 1 FROM messages m WHERE batch = b.id
                 AND state = 'routed' AND channel <> 'print' AND NOT {IS_QUEUED}) THEN 'deliver'
            WHEN EXISTS (SELECT 1 FROM messages m WHERE batch = b.id
                 AND (state = 'routed' OR (state = 'delivered' AND channel = 'mailbox-and-print'))
                 AND NOT {IS_QUEUED}) THEN 'compose'
            ELSE 'report' END
         FROM batches b WHERE id = ?"
    );
    let doing = "find the first step to do";
    let due: String = tx
        .query_row(&sql, [batch.0], |row| row.get(0))
        .doing(doing)?;
    let due = Step::ALL.into_iter().find(|step| step.as_str() == due);
    let due = due.map_or(BatchState::Received, BatchState::before);
    Ok(if due.next_step() < wanted.next_step() {
        due
    } else {
        wanted
    })
}

/// One that is to be opened again is as one that nobody has opened: so it is, too, after a hold.
fn make_due(
    tx: &Transaction<'_>,
    batch: BatchId,
    state: BatchState,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "UPDATE batches SET state = ?2, due_at = ?3, lease_until = NULL,
            attempts = 0, crashes = 0, resume_after = 0,
            last_error = NULL, reason = NULL,
            shape = CASE WHEN ?2 = 'received' THEN NULL ELSE shape END
         WHERE id = ?1";
    let given = params![batch.0, state.word(), millis(now)];
    tx.execute(sql, given).doing("set a batch back")?;
    holds::forget_open(tx, batch)
}
