use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use super::Works;
use crate::{
    config::Config,
    domain::MessageId,
    pipeline::{Clock, ReadLooks},
    telemetry,
};

/// Looks which messages in Maildirs have been read, at the interval of the settings, until `stop` turns
/// true.
pub(super) fn look_for_reads(
    works: &Works,
    config: &Config,
    mut stop: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + use<> {
    let (looks, clock) = (Arc::clone(&works.read_looks), works.clock.clone());
    let every = config.reads.every;
    async move {
        let mut round = Round::default();
        while !*stop.borrow() {
            let (looks, clock, stopped) = (Arc::clone(&looks), clock.clone(), stop.clone());
            let look = move || look(&looks, round, &clock, &stopped);
            // A panic is told by its own line; the next look begins with the oldest message.
            round = tokio::task::spawn_blocking(look).await.unwrap_or_default();
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                _ = stop.changed() => {}
            }
        }
    }
}

/// Looks from the oldest message to the newest one.
#[derive(Debug, Clone, Copy, Default)]
struct Round {
    /// `None`: before the first look of it.
    began: Option<Timestamp>,
    after: Option<MessageId>,
}

/// Answers where the round stands by then. One that is through says of all messages whether they have been
/// read, or that their mailbox was missed: only then may others go on paper.
fn look(looks: &ReadLooks, round: Round, clock: &Clock, stop: &watch::Receiver<bool>) -> Round {
    let now = clock.now();
    let began = round.began.unwrap_or(now);
    let looked = looks
        .look(round.after, now, &|| *stop.borrow())
        .and_then(|looked| {
            if looked.is_through {
                looks.note_round(began)?;
            }
            Ok(looked)
        });
    match looked {
        Ok(looked) => {
            if looked.read > 0 {
                tracing::info!(messages = looked.read, "messages were read");
            }
            if looked.is_through {
                return Round::default();
            }
            Round {
                began: Some(began),
                after: looked.next_after,
            }
        }
        Err(error) => {
            let error = telemetry::with_causes(&error);
            tracing::warn!(error, "cannot see which messages were read");
            round
        }
    }
}
