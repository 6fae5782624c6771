use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::IncompleteAddressName;
use crate::{
    config::{key_path::KeyPath, problem::Problems},
    routing::Policy,
};

/// How a sender's messages find their channel.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RoutingTable {
    /// An answer about a mailbox older than this is asked for again.
    status_max_age_secs: u64,
    /// The wait before a mailbox service that did not answer is asked again.
    #[schemars(range(min = 1))]
    ask_again_secs: u64,
    /// How long to go on asking before the message is printed instead.
    patience_secs: u64,
    /// What happens to a letter that must be printed and has no complete address.
    incomplete_address: IncompleteAddressName,
}

impl Default for RoutingTable {
    fn default() -> Self {
        let policy = Policy::default();
        Self {
            status_max_age_secs: policy.status_max_age_secs,
            ask_again_secs: policy.ask_again_secs,
            patience_secs: policy.patience_secs,
            incomplete_address: policy.incomplete_address.into(),
        }
    }
}

impl RoutingTable {
    pub(super) fn read(
        self,
        print_contract: bool,
        has_address: bool,
        at: &KeyPath,
        problems: &mut Problems,
    ) -> Policy {
        if self.incomplete_address == IncompleteAddressName::UseSendersAddress && !has_address {
            problems.add(
                &at.key("incomplete_address"),
                "needs the sender's `address_rows`",
            );
        }
        Policy {
            status_max_age_secs: self.status_max_age_secs,
            ask_again_secs: self.ask_again_secs,
            patience_secs: self.patience_secs,
            print_contract,
            incomplete_address: self.incomplete_address.into(),
            service_chooses: false,
        }
    }
}
