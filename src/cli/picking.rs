//! Which messages a command is about, as options say it.

use std::{path::PathBuf, str::FromStr};

use jiff::tz::TimeZone;

use super::{CommandError, Invocation, finding, moment::Moment, settings, words};
use crate::{
    config::Config,
    domain::{BatchId, BundleId, MessageId, MessageState, SenderId},
    store::{MessageFilter, Store},
};

/// Options that pick messages; all that is given must hold.
#[derive(clap::Args)]
pub(super) struct Picking {
    /// Batches `B-0007`, or single messages of them `B-0007-12`
    #[arg(value_name = "BATCH|MESSAGE")]
    named: Vec<Named>,

    /// Only those of this sender; may be given more than once
    #[arg(long = "sender", value_name = "NAME")]
    senders: Vec<SenderId>,

    /// Only the letter that has this id of its sender's own; may be given more than once
    #[arg(long = "letter-id", value_name = "ID", requires = "senders")]
    letter_ids: Vec<String>,

    /// Only those in this state; may be given more than once
    #[arg(long = "state", value_name = "STATE",
          value_parser = words::one_of(&MessageState::ALL, MessageState::as_str))]
    states: Vec<MessageState>,

    /// Only those with this finding, of their own or of their batch; may be given more than once
    #[arg(long = "finding", value_name = "CODE")]
    findings: Vec<String>,

    /// Only those that are in this bundle
    #[arg(long, value_name = "BUNDLE")]
    bundle: Option<BundleId>,

    /// Only those received at this time or later: `2026-11-22`, or `2026-11-22T18:30`
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,

    /// Only those received before this time, or until this day is over
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,

    /// The settings file, for its senders and its time zone [default: `kuori.toml`, where it is]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// A batch or a message of one.
#[derive(Debug, Clone, Copy)]
enum Named {
    Batch(BatchId),
    Message(MessageId),
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let batch = text.parse().map(Self::Batch);
        let either = batch.or_else(|_| text.parse().map(Self::Message));
        either.map_err(|_| "a batch is `B-0007`, and a message of it `B-0007-12`".to_owned())
    }
}

/// Where a command that picks messages looks: the data folder, and the settings where there are any.
pub(super) struct Ground {
    pub(super) store: Store,
    /// The embedded settings where no file was found.
    pub(super) config: Config,
    pub(super) has_settings: bool,
}

impl Picking {
    pub(super) fn ground(&self, invocation: &Invocation<'_>) -> Result<Ground, CommandError> {
        let found = self.config.clone().or_else(settings::in_current_folder);
        let config = settings::load(found.as_deref(), invocation.options)?;
        let store = match &self.config {
            Some(_) => Invocation::store_in(&config.data_folder)?,
            None => invocation.store()?,
        };
        Ok(Ground {
            store,
            config,
            has_settings: found.is_some(),
        })
    }

    pub(super) fn filter(&self, ground: &Ground) -> Result<MessageFilter, CommandError> {
        let zone: &TimeZone = &ground.config.time_zone;
        let mut filter = MessageFilter {
            senders: self.senders.clone(),
            since: self.since.map(|since| since.begins(zone)),
            until: self.until.map(|until| until.ends(zone)),
            states: self.states.clone(),
            bundle: self.bundle,
            ..MessageFilter::default()
        };
        for code in &self.findings {
            filter.findings.push(finding::code(code, "--finding ")?);
        }
        for &named in &self.named {
            match named {
                Named::Batch(batch) => filter.batches.push(batch),
                Named::Message(message) => filter.messages.push(message),
            }
        }
        if let Some(bundle) = self.bundle {
            filter.batches.push(ground.store.bundle(bundle)?.batch);
        }
        for letter_id in &self.letter_ids {
            let found = self.letters(letter_id, &ground.store)?;
            filter.messages.extend(found);
        }
        Ok(filter)
    }

    /// The letter id is not repeated in an error: it may be somebody's case number.
    fn letters(&self, letter_id: &str, store: &Store) -> Result<Vec<MessageId>, CommandError> {
        let mut found = Vec::new();
        for sender in &self.senders {
            found.extend(store.messages_of_letter(sender, letter_id)?);
        }
        let Some(sender) = self.senders.first().filter(|_| found.is_empty()) else {
            return Ok(found);
        };
        let error = format!("no message of `{sender}` has that letter id");
        Err(CommandError::failed(error)
            .hint("it is the `senderLetterId`, or `letter_id`, of the sender's control data"))
    }

    /// Whether single messages are named, by our id or the sender's, or those of a bundle.
    pub(super) fn names_messages(&self) -> bool {
        let is_message = |named: &Named| matches!(named, Named::Message(_));
        self.named.iter().any(is_message) || !self.letter_ids.is_empty() || self.bundle.is_some()
    }

    /// The only batch that is named, for what is said of a batch alone.
    pub(super) fn only_batch(&self) -> Option<BatchId> {
        match self.named.as_slice() {
            [Named::Batch(batch)] => Some(*batch),
            _ => None,
        }
    }

    pub(super) fn names_states(&self) -> bool {
        !self.states.is_empty()
    }

    pub(super) fn bundle(&self) -> Option<BundleId> {
        self.bundle
    }
}
