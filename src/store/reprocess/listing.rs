//! The first messages that move, and the first that are blocked, one by one.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, params};

use super::{
    Blocked, Move, ReprocessPlan, message_id,
    plan::{Groups, Look, columns, standing},
    verdict::{Hindrance, Standing, Verdict},
};
use crate::{
    domain::{BundleId, MessageId, MessageState, Step},
    store::{Error, error::Doing, letter_ids},
};

/// Lists what `plan` has counted, in the order of the messages.
pub(super) fn fill(
    look: &Look<'_>,
    groups: &Groups,
    plan: &mut ReprocessPlan,
) -> Result<(), Error> {
    let doing = "list messages";
    let filter = look.filter();
    let sql = format!(
        "SELECT m.batch, m.position, {}{} ORDER BY m.position",
        columns(filter),
        filter.of_messages(look.row.id)
    );
    let mut listing = Listing {
        look,
        is_named: filter.named_in(look.row.id).next().is_some(),
        moves: plan.messages,
        hindrances: plan.hindrances,
        handing_over: BTreeSet::new(),
    };
    let mut query = look.db.prepare(&sql).doing(doing)?;
    let mut rows = query.query([look.row.id.0]).doing(doing)?;
    while !listing.is_complete(plan)
        && let Some(row) = rows.next().doing(doing)?
    {
        let message = message_id(row).doing(doing)?;
        let standing = standing(row).doing(doing)?;
        if let Some(group) = groups.get(&standing) {
            listing.add(message, &standing, group.verdict, plan)?;
        }
    }
    Ok(())
}

struct Listing<'a> {
    look: &'a Look<'a>,
    /// Single messages are named: whoever names one wants something done with it.
    is_named: bool,
    /// Those that were counted and not met yet.
    moves: u64,
    hindrances: u64,
    handing_over: BTreeSet<BundleId>,
}

impl Listing<'_> {
    fn is_complete(&self, plan: &ReprocessPlan) -> bool {
        let has_moves = self.moves == 0 || self.is_full(plan.moves.len());
        let has_hindrances = self.hindrances == 0 || self.is_full(plan.blocked.len());
        has_moves && has_hindrances && !self.is_named
    }

    fn is_full(&self, listed: usize) -> bool {
        listed >= self.look.wanted.listed
    }

    fn add(
        &mut self,
        message: MessageId,
        standing: &Standing,
        verdict: Verdict,
        plan: &mut ReprocessPlan,
    ) -> Result<(), Error> {
        match verdict {
            Verdict::Moves {
                to,
                delivers_again,
                prints_again,
            } => {
                self.moves = self.moves.saturating_sub(1);
                if !self.is_full(plan.moves.len()) {
                    plan.moves.push(Move {
                        message,
                        was: standing.state,
                        to,
                        delivers_again,
                        prints_again,
                    });
                }
            }
            Verdict::Blocked(hindrance) => {
                self.hindrances = self.hindrances.saturating_sub(1);
                if self.is_new(hindrance) && !self.is_full(plan.blocked.len()) {
                    plan.blocked.push(self.told(message, standing, hindrance)?);
                }
            }
            Verdict::PassedOver if self.is_named && plan.from != Step::Report => {
                plan.passed_over = plan.passed_over.saturating_sub(1);
                plan.block(Blocked::NotForIt {
                    message,
                    step: plan.from,
                    possible: standing.possible(),
                });
            }
            Verdict::PassedOver => {}
        }
        Ok(())
    }

    /// A bundle on its way out is told once.
    fn is_new(&mut self, hindrance: Hindrance) -> bool {
        match hindrance {
            Hindrance::HandingOver(bundle) => self.handing_over.insert(bundle),
            _ => true,
        }
    }

    fn told(
        &self,
        message: MessageId,
        standing: &Standing,
        hindrance: Hindrance,
    ) -> Result<Blocked, Error> {
        Ok(match hindrance {
            Hindrance::Delivered => Blocked::Delivered(message),
            Hindrance::MayBeDelivered => Blocked::MayBeDelivered(message),
            Hindrance::Printed => match (standing.state, standing.bundle) {
                (MessageState::HandedOver, Some(bundle)) => Blocked::HandedOver(message, bundle),
                _ => Blocked::Printed(message),
            },
            Hindrance::SentAnew => {
                let owner = letter_ids::other_owner(self.look.db, message)?;
                let other = owner.map_or_else(|| self.earlier_letter(message), Ok)?;
                Blocked::SentAnew(message, other)
            }
            Hindrance::HandingOver(bundle) => Blocked::HandingOver(bundle),
            Hindrance::Sending => Blocked::Sending(message),
            Hindrance::OnHold => Blocked::MessageOnHold(message),
            Hindrance::Erased => Blocked::Erased(message),
            Hindrance::Illegal(illegal) => Blocked::Illegal(message, illegal),
        })
    }

    /// The refused message of an earlier batch that was picked too, and goes instead.
    fn earlier_letter(&self, message: MessageId) -> Result<MessageId, Error> {
        let Some(earlier) = self.look.filter().of_earlier_letters() else {
            return Ok(message);
        };
        let sql = format!(
            "SELECT n.batch, n.position FROM messages m JOIN batches b ON b.id = m.batch,
                messages n JOIN batches nb ON nb.id = n.batch
              WHERE m.batch = ?1 AND m.position = ?2 AND {earlier}
              ORDER BY n.batch, n.position LIMIT 1"
        );
        let given = params![message.batch.0, message.position];
        let found = self.look.db.query_row(&sql, given, message_id).optional();
        Ok(found.doing("look for a letter id")?.unwrap_or(message))
    }
}
