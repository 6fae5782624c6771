use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{sender::service, site::Site};
use crate::{
    config::{key_path::KeyPath, problem::Problems},
    pipeline::PrintingService,
};

/// Suomi.fi prints: each letter waits in the queue of a service, no bundle is made, and there is no
/// folder.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PrintingServiceTable {
    /// Name of the service of Suomi.fi Messages, from a table `[suomifi.NAME]`.
    #[schemars(required)]
    service: Option<String>,
    /// The user whom the print house of Suomi.fi has named.
    #[schemars(required, length(min = 6, max = 6))]
    user: Option<String>,
    /// Holds that user's password of 4 characters; a line end behind it is not part of it.
    #[schemars(required)]
    password_file: Option<PathBuf>,
    /// Where the print house writes to.
    #[schemars(required, length(min = 5, max = 256))]
    contact_email: Option<String>,
    /// What the costs are booked under: A-Z and 0-9.
    #[schemars(length(min = 1, max = 15))]
    cost_pool: Option<String>,
    /// Whether letters of senders with this very service may go without a question for the mailbox: the
    /// service puts a letter into the mailbox of whoever has one, and prints the others.
    #[serde(default = "yes")]
    let_service_choose: bool,
}

fn yes() -> bool {
    true
}

impl PrintingServiceTable {
    pub(super) fn read(
        self,
        at: &KeyPath,
        site: &Site,
        problems: &mut Problems,
    ) -> Option<PrintingService> {
        let is_code = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        if self
            .cost_pool
            .as_ref()
            .is_some_and(|pool| !pool.chars().all(is_code))
        {
            problems.add(
                &at.key("cost_pool"),
                "must be of A-Z and 0-9, as `LETTERS01`",
            );
        }
        let email = self.contact_email?;
        if !email.contains('@') {
            let message = "must be an e-mail address, as `letters@example.com`";
            problems.add(&at.key("contact_email"), message);
        }
        Some(PrintingService {
            service: service(&self.service?, &at.key("service"), site, problems)?,
            user: self.user?,
            password_file: site.path(&self.password_file?),
            contact_email: email,
            cost_pool: self.cost_pool,
            lets_service_choose: self.let_service_choose,
        })
    }
}
