use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::outbox::Settings;

/// How much is handed over to all places together; each place has a `hand_overs_at_once` of its own.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OutboxTable {
    /// The most bundles and receipts that are handed over at once.
    #[schemars(range(min = 1, max = 1024))]
    pub(super) hand_overs_at_once: usize,
}

impl Default for OutboxTable {
    fn default() -> Self {
        Self {
            hand_overs_at_once: Settings::default().at_once,
        }
    }
}
