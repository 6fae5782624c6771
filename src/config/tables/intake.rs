use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::mirror::mirror;
use crate::inbox::Limits;

/// How much is taken from all inboxes together before what was taken is done. What does not fit
/// stays where it is, and is taken later.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct IntakeTable {
    /// What the disk of the data folder has to have left once a file is here.
    min_free_bytes: u64,
    /// Batches whose steps are not done.
    #[schemars(range(min = 1))]
    max_waiting_batches: u64,
    /// Bytes of those batches. A larger batch is taken when nothing else is in hand.
    #[schemars(range(min = 1))]
    max_waiting_bytes: u64,
}

mirror!(IntakeTable of Limits {
    min_free_bytes,
    max_waiting_batches,
    max_waiting_bytes,
});

impl IntakeTable {
    pub(super) fn read(self) -> Limits {
        let mut limits = Limits::default();
        self.set(&mut limits);
        limits
    }
}
