//! Every trouble is over, and operators do what there is to do: a play comes to rest.

use jiff::SignedDuration;
use kuori::{
    domain::{BatchState, BundleState, Step},
    store::{Again, Extent, MessageDeed, Selection},
};

use super::{Play, Seen};
use crate::lifecycle::events::{Mood, Reprocess};

impl Play {
    /// Every trouble is over, and operators do what there is to do: then nothing is left under way.
    pub(in crate::lifecycle) async fn settle(mut self) -> Seen {
        *self.mood.lock().unwrap() = Mood::Work;
        self.sender_deed(false);
        for _ in 0..20 {
            self.hub.pass(SignedDuration::from_hours(2));
            self.hub.poll().await;
            while self.hub.run_one_step().await || self.hub.hand_over_one().await {
                self.note_printed();
            }
            self.check("the end");
            if !self.see_to_held() {
                break;
            }
        }
        let mut received = Vec::new();
        for row in self.hub.store.batches(u32::MAX).unwrap() {
            let counts = self.hub.store.counts(row.id).unwrap();
            assert!(
                counts.is_settled(),
                "{} is {:?}: {counts:?}",
                row.id,
                row.state
            );
            assert_ne!(row.state, BatchState::Held, "{row:?}");
            assert!(row.due_at.is_none(), "{row:?}");
            received.push(row.sha256);
            self.seen.batches += 1;
            self.seen.delivered += counts.delivered;
            self.seen.printed += counts.printed;
            self.seen.also_printed += counts.also_printed;
            self.seen.refused += counts.refused;
            self.seen.cancelled += counts.cancelled;
        }
        assert_eq!(received.len(), self.uploads.len(), "each file is one batch");
        let bundles = self.hub.store.bundles(None, u32::MAX).unwrap();
        let waits = |state| matches!(state, BundleState::Planned | BundleState::Composed);
        assert!(!bundles.iter().any(|bundle| waits(bundle.state)));
        self.forget_all();
        self.seen
    }

    /// What is forgotten stays as it is, whatever operators try.
    fn forget_all(&mut self) {
        for number in 0..u8::try_from(self.uploads.len()).unwrap() {
            let Some(row) = self.batch(number) else {
                continue;
            };
            self.purge(number);
            if self
                .hub
                .store
                .batch(row.id)
                .unwrap()
                .payload_purged_at
                .is_none()
            {
                continue;
            }
            self.seen.purged += 1;
            self.hold_batch(number);
            self.cancel(number, Extent::Whole);
            self.cancel(number, Extent::Rest);
            self.message_deed(MessageDeed::Cancel, number, 0);
            for from in Step::ALL {
                self.reprocess(Reprocess {
                    batch: number,
                    message: None,
                    from: Some(from),
                    again: true,
                    forced: None,
                });
            }
            assert_eq!(self.hub.store.batch(row.id).unwrap().state, row.state);
        }
        self.check("all was forgotten");
    }

    /// Whether an operator held any.
    fn release_messages(&self) -> bool {
        let mut any = false;
        for row in self.hub.store.batches(u32::MAX).unwrap() {
            for stored in self.hub.store.messages(row.id, &[], 0, u32::MAX).unwrap() {
                if self.hub.store.message_hold(stored.id).unwrap().is_none() {
                    continue;
                }
                any = true;
                let (release, action) = (MessageDeed::Release, self.because());
                let moved = self.hub.store.move_messages(release, &[stored.id], &action);
                assert_eq!(moved.unwrap().blocked, [], "{row:?}");
            }
        }
        any
    }

    /// Whether there was anything held.
    fn see_to_held(&self) -> bool {
        let mut any = self.release_messages();
        for row in self.hub.store.batches(u32::MAX).unwrap() {
            if row.state != BatchState::Held {
                continue;
            }
            any = true;
            if (self.hub.store.release_batch(row.id, &self.because()))
                .unwrap()
                .blocked
                .is_none()
            {
                continue;
            }
            let approved = self.hub.store.approve(row.id, &self.because()).unwrap();
            if approved.blocked.is_some() {
                let all = Selection {
                    batch: row.id,
                    positions: Vec::new(),
                    from: None,
                    again: Again::default(),
                };
                let plan = self.hub.store.reprocess(&all, &self.because()).unwrap();
                assert_eq!(plan.blocked, [], "{row:?}");
            }
        }
        any
    }
}
