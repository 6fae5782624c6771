use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{
    Blocked, Moved, Reprocess, ReprocessPlan, Way, is_handing_over, listing,
    verdict::{self, Standing, Terms, Verdict},
};
use crate::{
    domain::{BatchId, BatchState, BundleId, Channel, MessageId, Reason, Step},
    store::{
        BatchRow, Error, MessageFilter, batches,
        columns::Columns,
        error::Doing,
        holds,
        mailbox_queue::IN_QUEUE,
        messages::{self, message_row},
    },
};

/// Messages looked at in one go where each has to be.
const PAGE: u32 = 1_000;

/// What an operator holds, and of whom somebody wanted nothing kept.
pub(super) const STAYS_OUT: &str = "m.held_why IS NULL AND m.erased_at IS NULL";

/// What a message `m` stands as: the columns of [`standing`]. A repeat that was let through owns no
/// letter id and needs none; nor does a test. Of two refused messages that are the same letter, the
/// earlier one goes.
pub(super) fn columns(filter: &MessageFilter) -> String {
    let earlier = filter
        .of_earlier_letters()
        .map_or(String::new(), |earlier| {
            format!(
                " OR (m.state = 'refused' AND EXISTS (SELECT 1 FROM messages n
                JOIN batches nb ON nb.id = n.batch WHERE {earlier}))"
            )
        });
    format!(
        "m.state, m.channel, m.bundle, m.delivered_at IS NOT NULL AS is_in_mailbox,
        (m.delivered_at IS NOT NULL OR EXISTS (SELECT 1 FROM message_events e
            WHERE e.batch = m.batch AND e.position = m.position
            AND e.what = 'delivered')) AS was_delivered,
        (m.state = 'handed-over' OR EXISTS (SELECT 1 FROM message_events e WHERE e.batch = m.batch
            AND e.position = m.position AND e.what = 'handed-over')
            -- The service had it, to choose the way, and has printed nothing.
            AND NOT (m.state = 'delivered' AND m.channel IS 'mailbox'
                AND m.reason IS 'service-chooses')) AS was_printed,
        (b.is_test = 0 AND (EXISTS (SELECT 1 FROM letter_ids l WHERE l.sender = b.sender
                AND l.letter_id = m.sender_letter_id
                AND (l.batch <> m.batch OR l.position <> m.position)){earlier})
            AND NOT EXISTS (SELECT 1 FROM findings f WHERE f.batch = m.batch
                AND f.position = m.position AND f.code = 'message-repeated')) AS was_sent_anew,
        m.held_why IS NOT NULL AS is_on_hold, m.erased_at IS NOT NULL AS is_erased,
        {IN_QUEUE} AS in_queue
        FROM messages m JOIN batches b ON b.id = m.batch WHERE m.batch = ?1"
    )
}

/// What reprocessing would do to one batch.
pub(super) fn of(
    db: &Connection,
    batch: BatchId,
    wanted: &Reprocess<'_>,
    now: Timestamp,
) -> Result<ReprocessPlan, Error> {
    let row = batches::by_id(db, batch)?;
    let mut plan = ReprocessPlan {
        batch,
        from: first_step(&row, wanted),
        forced: wanted.way.forced(),
        messages: 0,
        kinds: Vec::new(),
        moved: Vec::new(),
        moves: Vec::new(),
        passed_over: 0,
        withdrawn: Vec::new(),
        freed: 0,
        report: row.reports + 1,
        blocked: Vec::new(),
        hindrances: 0,
    };
    if is_out_of_reach(&row, wanted, now, &mut plan) {
        return Ok(plan);
    }
    if holds::is_on_hold(db, batch)? {
        plan.block(Blocked::OnHold(batch));
    }
    let look = Look {
        db,
        row: &row,
        wanted,
        terms: Terms {
            from: plan.from,
            forced: plan.forced,
            again: wanted.again,
            is_delivering: is_delivering(db, batch)?,
            are_named: !wanted.messages.messages.is_empty(),
        },
    };
    let groups = look.groups()?;
    count(&groups, &mut plan);
    listing::fill(&look, &groups, &mut plan)?;
    look.foresee(&groups, &mut plan)?;
    look.report_unknown(&mut plan)?;
    plan.freed = look.freed(&groups, &plan.withdrawn)?;
    Ok(plan)
}

/// A batch that is refused as a whole has to be opened again before anything of it goes on.
fn first_step(row: &BatchRow, wanted: &Reprocess<'_>) -> Step {
    let usual = match wanted.way {
        Way::AsBefore => Step::Open,
        Way::ByTheRules | Way::Forced(..) => Step::Route,
    };
    let from = wanted.from.filter(|_| row.state != BatchState::Refused);
    let usual = if row.state == BatchState::Refused {
        Step::Open
    } else {
        usual
    };
    from.unwrap_or(usual)
}

/// Whether nothing of the batch can be said or done.
fn is_out_of_reach(
    row: &BatchRow,
    wanted: &Reprocess<'_>,
    now: Timestamp,
    plan: &mut ReprocessPlan,
) -> bool {
    let is_known = |senders: &Vec<_>| senders.contains(&row.sender);
    if row.lease_until.is_some_and(|until| until > now) {
        plan.block(Blocked::Working(row.id));
    }
    if row.state == BatchState::Cancelled {
        plan.block(Blocked::Cancelled(row.id));
        return true;
    }
    if row.payload_purged_at.is_some() || row.messages_purged_at.is_some() {
        plan.block(Blocked::Purged(row.id));
        return true;
    }
    if !wanted.senders.as_ref().is_none_or(is_known) {
        plan.block(Blocked::SenderGone(row.id));
        return true;
    }
    false
}

fn is_delivering(db: &Connection, batch: BatchId) -> Result<bool, Error> {
    let sql = "SELECT delivery_begun_at IS NOT NULL FROM batches WHERE id = ?";
    db.query_row(sql, [batch.0], |row| row.get(0))
        .doing("look at a delivery")
}

/// Messages that stand alike, and what becomes of them.
pub(super) struct Group {
    pub(super) verdict: Verdict,
    messages: u64,
}

pub(super) type Groups = HashMap<Standing, Group>;

/// One look at one batch.
pub(super) struct Look<'a> {
    pub(super) db: &'a Connection,
    pub(super) row: &'a BatchRow,
    pub(super) wanted: &'a Reprocess<'a>,
    terms: Terms,
}

impl Look<'_> {
    pub(super) fn filter(&self) -> &MessageFilter {
        &self.wanted.messages
    }

    fn groups(&self) -> Result<Groups, Error> {
        let doing = "group messages";
        let sql = format!(
            "SELECT COUNT(*) AS messages, {}{} GROUP BY 2, 3, 4, 5, 6, 7, 8, 9, 10, 11",
            columns(self.filter()),
            self.filter().of_messages(self.row.id)
        );
        let mut query = self.db.prepare(&sql).doing(doing)?;
        let rows = query.query_map([self.row.id.0], |row| {
            Ok((standing(row)?, row.get("messages")?))
        });
        let mut groups = Groups::new();
        for row in rows.doing(doing)? {
            let (standing, messages) = row.doing(doing)?;
            let is_handing_over = match standing.bundle {
                Some(bundle) => is_handing_over(self.db, bundle)?,
                None => false,
            };
            let verdict = verdict::of(&standing, self.terms, is_handing_over);
            groups.insert(standing, Group { verdict, messages });
        }
        Ok(groups)
    }

    /// Each message that is to go by one channel is asked whether it can; not one that stays.
    fn foresee(&self, groups: &Groups, plan: &mut ReprocessPlan) -> Result<(), Error> {
        let Way::Forced(channel, foresee) = self.wanted.way else {
            return Ok(());
        };
        let doing = "list messages";
        let rest = format!(
            "WHERE m.batch = ?1 AND m.position > ?2 AND {STAYS_OUT} AND m.state <> 'cancelled'{}
             ORDER BY m.position LIMIT ?3",
            self.filter().of_messages(self.row.id)
        );
        let sql = messages::select(&rest);
        let mut query = self.db.prepare(&sql).doing(doing)?;
        let mut after = 0;
        // Where nothing moves, nothing is to be foreseen.
        while groups.values().any(Group::moves) {
            let given = params![self.row.id.0, after, PAGE];
            let rows = query.query_map(given, message_row).doing(doing)?;
            let page: Vec<_> = rows.collect::<Result<_, _>>().doing(doing)?;
            let Some(last) = page.last() else { break };
            after = last.id.position;
            let reasons = foresee(self.row, &page, channel)?;
            for (message, reason) in page.iter().zip(reasons) {
                if let Some(reason) = reason {
                    self.forbid(message.id, channel, reason, plan);
                }
            }
        }
        Ok(())
    }

    fn forbid(
        &self,
        message: MessageId,
        channel: Channel,
        reason: Reason,
        plan: &mut ReprocessPlan,
    ) {
        plan.hindrances += 1;
        if plan.blocked.len() < self.wanted.listed {
            plan.blocked.push(Blocked::Forbidden {
                message,
                channel,
                reason,
            });
        }
    }

    fn report_unknown(&self, plan: &mut ReprocessPlan) -> Result<(), Error> {
        let sql = "SELECT 1 FROM messages WHERE batch = ?1 AND position = ?2";
        let mut query = self.db.prepare_cached(sql).doing("look for a message")?;
        let batch = self.row.id;
        for position in self.filter().named_in(batch) {
            let is_there = query.exists(params![batch.0, position]);
            if !is_there.doing("look for a message")? {
                plan.block(Blocked::Unknown(MessageId { batch, position }));
            }
        }
        Ok(())
    }

    /// How many letters of the withdrawn bundles were not picked themselves.
    fn freed(&self, groups: &Groups, withdrawn: &[BundleId]) -> Result<u64, Error> {
        let sql = "SELECT COUNT(*) FROM messages WHERE bundle = ?";
        let mut query = self.db.prepare_cached(sql).doing("count letters")?;
        let mut letters: u64 = 0;
        for bundle in withdrawn {
            let counted: rusqlite::Result<u64> = query.query_row([bundle.0], |row| row.get(0));
            letters += counted.doing("count letters")?;
        }
        let moving = groups
            .iter()
            .filter(|(standing, group)| group.moves() && standing.is_bundled());
        let moving = moving.filter(|(standing, _)| standing.bundle.is_some());
        let picked: u64 = moving.map(|(_, group)| group.messages).sum();
        Ok(letters.saturating_sub(picked))
    }
}

impl Group {
    fn moves(&self) -> bool {
        matches!(self.verdict, Verdict::Moves { .. })
    }
}

fn count(groups: &Groups, plan: &mut ReprocessPlan) {
    let mut moved: HashMap<_, u64> = HashMap::new();
    let mut withdrawn: BTreeSet<BundleId> = BTreeSet::new();
    let mut kinds = HashSet::new();
    for (standing, group) in groups {
        match group.verdict {
            Verdict::Moves {
                to,
                delivers_again,
                prints_again,
            } => {
                plan.messages += group.messages;
                let kind = Moved {
                    was: standing.state,
                    to,
                    delivers_again,
                    prints_again,
                    messages: 0,
                };
                *moved.entry(kind).or_default() += group.messages;
                kinds.insert(standing.kind(to, plan.from));
                withdrawn.extend(standing.bundle.filter(|_| standing.is_bundled()));
            }
            Verdict::PassedOver => plan.passed_over += group.messages,
            Verdict::Blocked(_) => plan.hindrances += group.messages,
        }
    }
    plan.kinds = kinds.into_iter().collect();
    plan.kinds.sort_unstable_by_key(|kind| kind.order());
    plan.withdrawn = withdrawn.into_iter().collect();
    let moved = moved.into_iter();
    plan.moved = moved
        .map(|(kind, messages)| Moved { messages, ..kind })
        .collect();
    plan.moved.sort_unstable_by_key(Moved::order);
}

pub(super) fn standing(row: &Row<'_>) -> rusqlite::Result<Standing> {
    Ok(Standing {
        state: row.word("state")?,
        channel: row.maybe_word("channel")?,
        bundle: row.maybe_bundle("bundle")?,
        is_in_mailbox: row.get("is_in_mailbox")?,
        was_delivered: row.get("was_delivered")?,
        was_printed: row.get("was_printed")?,
        was_sent_anew: row.get("was_sent_anew")?,
        is_on_hold: row.get("is_on_hold")?,
        is_erased: row.get("is_erased")?,
        in_queue: row.maybe_word("in_queue")?,
    })
}
