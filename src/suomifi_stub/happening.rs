use serde::{Deserialize, Serialize};

use super::{
    events::Kind,
    message::{Accepted, Route},
    world::World,
};

/// What recipients, the print house and the post do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Happening {
    /// The recipient opens it; a verifiable one only once its receipt is confirmed.
    Read,
    /// The recipient confirms the receipt of a verifiable one.
    Acknowledge,
    /// The print house has it.
    Print,
    /// The post tells of a verifiable one that is printed: received with a signature,
    PostConfirm,
    /// or brought back,
    PostReturn,
    /// or nothing to the end of the time that it is watched.
    PostLose,
}

impl Happening {
    pub(super) fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "read" => Self::Read,
            "acknowledge" => Self::Acknowledge,
            "print" => Self::Print,
            "post-confirm" => Self::PostConfirm,
            "post-return" => Self::PostReturn,
            "post-lose" => Self::PostLose,
            _ => return None,
        })
    }

    fn kind(self) -> Kind {
        match self {
            Self::Read => Kind::ElectronicRead,
            Self::Acknowledge => Kind::ReceiptConfirmed,
            Self::Print => Kind::SentForPrinting,
            Self::PostConfirm => Kind::PostConfirmed,
            Self::PostReturn => Kind::PostReturned,
            Self::PostLose => Kind::PostUnresolved,
        }
    }

    /// Whether it can happen to this message, and has not yet.
    fn can_happen_to(self, message: &Accepted) -> bool {
        let is_electronic = message.route == Route::Electronic;
        match self {
            Self::Read => {
                let is_open = !message.is_verifiable || message.is_acknowledged;
                is_electronic && is_open && !message.is_read
            }
            Self::Acknowledge => is_electronic && message.is_verifiable && !message.is_acknowledged,
            Self::Print => !is_electronic && !message.is_printed,
            Self::PostConfirm | Self::PostReturn | Self::PostLose => {
                let is_watched = message.is_verifiable && message.is_printed;
                !is_electronic && is_watched && !message.is_settled_by_post
            }
        }
    }

    fn note(self, message: &mut Accepted) {
        match self {
            Self::Read => message.is_read = true,
            Self::Acknowledge => message.is_acknowledged = true,
            Self::Print => message.is_printed = true,
            Self::PostConfirm | Self::PostReturn | Self::PostLose => {
                message.is_settled_by_post = true;
            }
        }
    }
}

/// Which messages: those that are named, or all where none is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Selection {
    pub message_ids: Vec<i64>,
    pub external_ids: Vec<String>,
    /// Of these, 0 to 1, by the dice.
    pub share: f64,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            message_ids: Vec::new(),
            external_ids: Vec::new(),
            share: 1.0,
        }
    }
}

impl Selection {
    fn has(&self, message: &Accepted) -> bool {
        let names_none = self.message_ids.is_empty() && self.external_ids.is_empty();
        names_none
            || self.message_ids.contains(&message.message_id)
            || self.external_ids.contains(&message.external_id)
    }
}

/// Lets it happen to all that were picked and that it can happen to: their numbers.
pub(super) fn happen(world: &mut World, what: Happening, picked: &Selection) -> Vec<i64> {
    let now = world.now();
    let mut touched = Vec::new();
    for message in world.messages.iter_mut() {
        let is_meant = picked.has(message) && what.can_happen_to(message);
        if is_meant && world.dice.f64() < picked.share {
            what.note(message);
            world.events.add(now, what.kind(), message.message_id);
            touched.push(message.message_id);
        }
    }
    touched
}
