//! What must be true after each event, by the rows and by what left the house.

use std::{collections::BTreeMap, path::Path};

use kuori::domain::{Channel, MessageId, MessageState};

use super::Play;

impl Play {
    /// What must be true after each event.
    pub(in crate::lifecycle) fn check(&self, event: &str) {
        assert_eq!(self.hub.broken_rules(), [""; 0], "after {event}");
        for row in self.hub.store.batches(u32::MAX).unwrap() {
            let counts = self.hub.store.counts(row.id).unwrap();
            let ended = counts.delivered + counts.printed + counts.refused + counts.held;
            let ended = ended + counts.cancelled;
            let under_way = counts.in_progress + counts.composed;
            assert_eq!(counts.received, ended + under_way, "{event}: {counts:?}");
        }
        self.check_effects(event);
    }

    /// What left the house, seen from outside.
    fn check_effects(&self, event: &str) {
        let (delivered, printed) = (self.delivered(), self.printed());
        let mut batches = self.hub.store.batches(u32::MAX).unwrap();
        batches.sort_by_key(|row| row.id);
        for row in batches {
            for stored in self.hub.store.messages(row.id, &[], 0, u32::MAX).unwrap() {
                let asked = self.asked.get(&stored.id).copied().unwrap_or_default();
                let in_mailbox = delivered.get(&stored.id).copied().unwrap_or(0);
                let on_paper = printed.get(&stored.id).copied().unwrap_or(0);
                let told = format!(
                    "after {event}: {} is {:?} by {:?}, {in_mailbox} in its mailbox, {on_paper} on paper, {asked:?}",
                    stored.id, stored.state, stored.channel
                );
                assert!(in_mailbox <= 1 + asked.deliveries, "{told}");
                assert!(on_paper <= 1 + asked.prints, "{told}");
                let was_asked = asked.deliveries + asked.prints > 0;
                let may_be_both = stored.channel == Some(Channel::MailboxAndPrint) || was_asked;
                assert!(in_mailbox == 0 || on_paper == 0 || may_be_both, "{told}");
                match stored.state {
                    MessageState::Delivered => assert!(in_mailbox > 0, "{told}"),
                    MessageState::HandedOver => assert!(on_paper > 0, "{told}"),
                    MessageState::Refused | MessageState::Cancelled => {
                        assert!(in_mailbox <= asked.deliveries, "{told}");
                        assert!(on_paper <= asked.prints, "{told}");
                    }
                    _ => {}
                }
            }
        }
    }

    /// Files in mailboxes, by the message that their names say.
    fn delivered(&self) -> BTreeMap<MessageId, usize> {
        let mut delivered = BTreeMap::new();
        let mut ids = Vec::new();
        for path in self
            .hub
            .mailbox_messages_of(&["mailboxes", "test-mailboxes"])
        {
            let id = delivery_id(&path);
            assert!(!ids.contains(&id), "{id} lies there twice");
            let message: Vec<_> = id.split('-').take(3).collect();
            *delivered
                .entry(message.join("-").parse().unwrap())
                .or_default() += 1;
            ids.push(id);
        }
        delivered
    }

    fn printed(&self) -> BTreeMap<MessageId, usize> {
        let mut printed = BTreeMap::new();
        for letter in self.printed.values().flatten() {
            *printed.entry(*letter).or_default() += 1;
        }
        printed
    }
}

/// `…/new/1700000000.B-0001-3-0a1b2c3d.kuori`
fn delivery_id(path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.split('.').nth(1).unwrap().to_owned()
}
