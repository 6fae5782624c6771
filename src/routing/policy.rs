use jiff::{SignedDuration, Timestamp};

use crate::domain::{Asked, MailboxStatus};

/// What to do with a letter that must be printed and cannot be posted to its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IncompleteAddress {
    #[default]
    Refuse,
    /// Post it to the sender, who knows more. The settings prove that there is such an address.
    UseSendersAddress,
}

/// What a sender's contract and settings say about routing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// An answer about a mailbox older than this is asked for again.
    pub status_max_age_secs: u64,
    /// How long to wait before a service that did not answer is asked again.
    pub ask_again_secs: u64,
    /// How long to go on asking, from the first time, before the message is printed instead.
    pub patience_secs: u64,
    /// The sender has a contract for printing.
    pub print_contract: bool,
    pub incomplete_address: IncompleteAddress,
    /// The service that prints for the sender looks itself whether a recipient has a mailbox, and
    /// prints for those who have none.
    pub service_chooses: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            status_max_age_secs: 3_600,
            ask_again_secs: 600,
            patience_secs: 86_400,
            print_contract: true,
            incomplete_address: IncompleteAddress::Refuse,
            service_chooses: false,
        }
    }
}

impl Policy {
    /// The mailbox status that holds now. Nothing asked, or asked too long ago, is `Unknown`.
    pub(super) fn current(&self, asked: Option<Asked>, now: Timestamp) -> MailboxStatus {
        asked
            .filter(|asked| self.is_fresh(*asked, now))
            .map_or(MailboxStatus::Unknown, |asked| asked.status)
    }

    /// An answer from the future, after a clock was set back, is believed no longer than one from
    /// the past.
    fn is_fresh(&self, asked: Asked, now: Timestamp) -> bool {
        let age = now.duration_since(asked.at).unsigned_abs();
        age.as_secs() <= self.status_max_age_secs
    }

    /// When to ask again, or `None` when the sender's patience is over.
    pub(super) fn ask_again_at(
        &self,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let last = later(since.unwrap_or(now), self.patience_secs);
        (now < last).then(|| later(now, self.ask_again_secs).min(last))
    }
}

fn later(start: Timestamp, secs: u64) -> Timestamp {
    let secs = i64::try_from(secs).unwrap_or(i64::MAX);
    start
        .checked_add(SignedDuration::from_secs(secs))
        .unwrap_or(Timestamp::MAX)
}
