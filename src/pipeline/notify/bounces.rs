use std::sync::Arc;

use crate::{
    domain::MessageId,
    mailbox::DeliveryId,
    notices::{Bounces, Error},
    pipeline::{Clock, deliver},
    store::{self, NoticeId, Store},
    telemetry::{self, OnceAMinute, meters},
};

/// Mails that came back, read at once.
const AT_ONCE: usize = 100;

/// Looks for notices that came back.
pub(super) struct BounceReader {
    store: Arc<Store>,
    bounces: Bounces,
    clock: Clock,
    telling: OnceAMinute,
}

impl BounceReader {
    pub(super) fn new(store: Arc<Store>, bounces: Bounces, clock: Clock) -> Self {
        Self {
            store,
            bounces,
            clock,
            telling: OnceAMinute::default(),
        }
    }

    /// Records what has come back. Returns whether there was anything new.
    pub(super) fn read(&self) -> Result<bool, store::Error> {
        let read = match self.bounces.read(AT_ONCE) {
            Ok(read) => read,
            Err(error) => {
                self.tell(&error);
                return Ok(false);
            }
        };
        if let Some(error) = &read.unreadable {
            self.tell(error);
        }
        for bounce in &read.bounces {
            if let Some(delivery) = &bounce.failed {
                self.record(delivery, bounce.status.as_deref())?;
            }
            if let Err(error) = self.bounces.done(bounce) {
                self.tell(&error);
                return Ok(false);
            }
        }
        Ok(!read.bounces.is_empty())
    }

    fn tell(&self, error: &Error) {
        if self.telling.is_due() {
            let error = telemetry::with_causes(error);
            tracing::warn!(
                error,
                "cannot read all notices that came back: is the folder ours to read?"
            );
        }
    }

    /// Only where the report names a delivery that there is, of that very batch.
    fn record(&self, delivery: &str, status: Option<&str>) -> Result<(), store::Error> {
        let Some(named) = parse_delivery(delivery) else {
            return Ok(());
        };
        let batch = match self.store.batch(named.message.batch) {
            Ok(batch) => batch,
            Err(store::Error::NoBatch(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        if deliver::id_of(named.message, &batch.sha256, named.repeat) != named {
            return Ok(());
        }
        let status = status.unwrap_or("without a reason");
        let why = format!("the notice came back ({status})");
        let id = NoticeId {
            message: named.message,
            repeat: named.repeat,
        };
        if self
            .store
            .record_bounced_notice(id, &why, self.clock.now())?
        {
            meters::NOTICES.one(&["bounced"]);
        }
        Ok(())
    }
}

/// Reads what [`DeliveryId`] writes: `B-0007-12-c0ffee00r1`.
fn parse_delivery(text: &str) -> Option<DeliveryId> {
    let (message, rest) = text.rsplit_once('-')?;
    let (content, repeat) = rest.split_once('r').unwrap_or((rest, "0"));
    let message: MessageId = message.parse().ok()?;
    Some(DeliveryId {
        message,
        content: u32::from_str_radix(content, 16).ok()?,
        repeat: repeat.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::BatchId;

    #[test]
    fn a_delivery_is_read_as_it_is_written() {
        for repeat in [0, 1, 12] {
            let message = MessageId {
                batch: BatchId(7),
                position: 12,
            };
            let id = deliver::id_of(message, "c0ffee00aa", repeat);
            assert_eq!(parse_delivery(&id.to_string()), Some(id));
        }
        for bad in [
            "",
            "B-0007-12",
            "B-0007-12-",
            "B-0007-0-c0ffee00",
            "x-c0ffee00",
            "B-1-1-zz",
        ] {
            assert_eq!(parse_delivery(bad), None, "{bad}");
        }
    }
}
