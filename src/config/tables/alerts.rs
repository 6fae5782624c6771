use std::time::Duration;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::{key_path::KeyPath, problem::Problems},
    monitor::{AlertSettings, AlertTimes},
};

/// When operators are told that something does not go on: in the log, in the metrics, and by a
/// command. How long something may stand at a place before it is picked up, each place says itself.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AlertsTable {
    /// A batch that is not through with its steps for this long.
    #[schemars(range(min = 1))]
    batch_hours: u32,
    /// A batch, or messages, that are held for this long.
    #[schemars(range(min = 1))]
    held_hours: u32,
    /// A bundle that waits for its hand-over for this long.
    #[schemars(range(min = 1))]
    bundle_minutes: u32,
    /// A receipt that waits for its hand-over for this long.
    #[schemars(range(min = 1))]
    receipt_minutes: u32,
    /// A place, an inbox or a mailbox service that does not work for this long.
    #[schemars(range(min = 1))]
    place_minutes: u32,
    /// A message that waits for its mailbox status for this long.
    #[schemars(range(min = 1))]
    mailbox_status_hours: u32,
    /// The queue of a mailbox service that, at its rate, takes longer than this.
    #[schemars(range(min = 1))]
    mailbox_queue_hours: u32,
    /// A file that stands in an inbox and is not taken for this long.
    #[schemars(range(min = 1))]
    inbox_file_minutes: u32,
    /// What happened to messages and their sender was not told for this long.
    #[schemars(range(min = 1))]
    delivery_report_hours: u32,
    /// Starts in a row that did not end by themselves.
    #[schemars(range(min = 1))]
    crashes_in_a_row: u32,
    /// An alert that is on is told again after this long.
    #[schemars(range(min = 1))]
    repeat_hours: u32,
    /// How often it is looked whether anything is to be told.
    #[schemars(range(min = 1))]
    look_interval_secs: u32,
    /// Program and arguments that are run for each telling, with the alert as JSON on standard input
    /// and in `KUORI_ALERT_…`. Default: none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    command: Vec<String>,
    /// The command is ended after this long.
    #[schemars(range(min = 1, max = 3600))]
    command_secs: u32,
}

impl Default for AlertsTable {
    fn default() -> Self {
        let settings = AlertSettings::default();
        let AlertTimes {
            batch,
            held,
            bundle,
            receipt,
            place,
            mailbox_status,
            mailbox_queue,
            inbox_file,
            delivery_report,
            crashes,
        } = settings.times;
        let whole = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        let hours = |time: SignedDuration| whole(time.as_hours());
        let minutes = |time: SignedDuration| whole(time.as_mins());
        let secs = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        Self {
            batch_hours: hours(batch),
            held_hours: hours(held),
            bundle_minutes: minutes(bundle),
            receipt_minutes: minutes(receipt),
            place_minutes: minutes(place),
            mailbox_status_hours: hours(mailbox_status),
            mailbox_queue_hours: hours(mailbox_queue),
            inbox_file_minutes: minutes(inbox_file),
            delivery_report_hours: hours(delivery_report),
            crashes_in_a_row: u32::try_from(crashes).unwrap_or(u32::MAX),
            repeat_hours: hours(settings.repeat),
            look_interval_secs: secs(settings.look_every),
            command: settings.command,
            command_secs: secs(settings.command_time),
        }
    }
}

impl AlertsTable {
    /// `min_free_bytes`: what the inboxes leave on the disk.
    pub(super) fn read(
        self,
        min_free_bytes: u64,
        at: &KeyPath,
        problems: &mut Problems,
    ) -> AlertSettings {
        if self.command.first().is_some_and(String::is_empty) {
            problems.add(&at.key("command"), "must begin with a program");
        }
        let hours = |hours: u32| SignedDuration::from_hours(hours.into());
        let minutes = |minutes: u32| SignedDuration::from_mins(minutes.into());
        AlertSettings {
            times: AlertTimes {
                batch: hours(self.batch_hours),
                held: hours(self.held_hours),
                bundle: minutes(self.bundle_minutes),
                receipt: minutes(self.receipt_minutes),
                place: minutes(self.place_minutes),
                mailbox_status: hours(self.mailbox_status_hours),
                mailbox_queue: hours(self.mailbox_queue_hours),
                inbox_file: minutes(self.inbox_file_minutes),
                delivery_report: hours(self.delivery_report_hours),
                crashes: self.crashes_in_a_row.into(),
            },
            repeat: hours(self.repeat_hours),
            look_every: Duration::from_secs(self.look_interval_secs.into()),
            command: self.command,
            command_time: Duration::from_secs(self.command_secs.into()),
            min_free_bytes,
        }
    }
}
