//! A house to which events happen, and the small model of what may come of them.

use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use jiff::SignedDuration;
use kuori::{
    domain::{
        BatchState, BundleId, BundleState, Channel, MessageId, MessageState, RecipientId, Step,
    },
    mailbox::{self, Delivery, DeliveryId, Mailbox, MailboxReceipt},
    pipeline::{self, HoldPolicy},
    sample::{Fault, FaultKind, Spec},
    store::{
        self, Again, BatchRow, Extent, MessageDeed, MessageRow, PurgeRule, ReprocessPlan,
        Selection, Way,
    },
};

use super::events::{Event, Kind, Mood, Reprocess, Upload};
use crate::hub::{self, Hub, because, sample_bytes};

/// What an operator asked for by name, of each message.
#[derive(Debug, Default, Clone, Copy)]
struct Asked {
    deliveries: usize,
    prints: usize,
}

/// What came of some plays: messages by where they ended, and messages that were set back.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Seen {
    plays: u64,
    batches: u64,
    pub(super) delivered: u64,
    pub(super) printed: u64,
    also_printed: u64,
    pub(super) refused: u64,
    cancelled: u64,
    pub(super) reprocessed: u64,
    withdrawn: u64,
    pub(super) held_batches: u64,
    pub(super) moved_messages: u64,
    pub(super) purged: u64,
}

impl Seen {
    pub(super) fn add(&mut self, other: &Self) {
        self.plays += 1;
        self.batches += other.batches;
        self.delivered += other.delivered;
        self.printed += other.printed;
        self.also_printed += other.also_printed;
        self.refused += other.refused;
        self.cancelled += other.cancelled;
        self.reprocessed += other.reprocessed;
        self.withdrawn += other.withdrawn;
        self.held_batches += other.held_batches;
        self.moved_messages += other.moved_messages;
        self.purged += other.purged;
    }
}

pub(super) struct Play {
    hub: Hub,
    seen: Seen,
    mood: Arc<Mutex<Mood>>,
    uploads: Vec<(String, Vec<u8>, Spec)>,
    asked: BTreeMap<MessageId, Asked>,
    /// Letters that the print house has got, by bundle.
    printed: BTreeMap<BundleId, Vec<MessageId>>,
}

impl Play {
    pub(super) fn begin(cautious: bool) -> Self {
        let mood = Arc::new(Mutex::new(Mood::Work));
        let moody = |inner| -> Arc<dyn Mailbox> {
            Arc::new(Moody {
                inner,
                mood: Arc::clone(&mood),
            })
        };
        let hub = Hub::with_house(|house| {
            house.mailbox = moody(Arc::clone(&house.mailbox));
            if cautious {
                for sender in house.senders.values_mut() {
                    sender.holds = HoldPolicy::default();
                }
            }
        });
        Self {
            hub,
            seen: Seen::default(),
            mood,
            uploads: Vec::new(),
            asked: BTreeMap::new(),
            printed: BTreeMap::new(),
        }
    }

    /// Answers what came of it, for whoever reads a failure.
    pub(super) async fn happen(&mut self, event: &Event) -> String {
        match *event {
            Event::Upload(upload) => self.upload(upload).await,
            Event::SameFile => self.upload_again(),
            Event::Poll => format!("{:?}", self.hub.poll().await),
            Event::Step => format!("{}", self.hub.run_one_step().await),
            Event::HandOver => self.hand_over().await,
            Event::PickUp => self.pick_up(),
            Event::Consent(is_granted) => self.consent(is_granted),
            Event::Mailbox(mood) => {
                *self.mood.lock().unwrap() = mood;
                String::new()
            }
            Event::HoldSender => {
                let held = self.sender_deed(true);
                format!("{held}")
            }
            Event::ReleaseSender => format!("{}", self.sender_deed(false)),
            Event::Approve(batch) => self.approve(batch),
            Event::Cancel(batch) => self.cancel(batch, Extent::Whole),
            Event::CancelRest(batch) => self.cancel(batch, Extent::Rest),
            Event::HoldBatch(batch) => self.hold_batch(batch),
            Event::ReleaseBatch(batch) => self.release_batch(batch),
            Event::Message(deed, batch, message) => self.message_deed(deed, batch, message),
            Event::Purge(batch) => self.purge(batch),
            Event::Reprocess(wanted) => self.reprocess(wanted),
            Event::Restart => {
                crate::chaos::start_again(&self.hub);
                String::new()
            }
            Event::Wait => {
                self.hub.pass(SignedDuration::from_hours(2));
                String::new()
            }
        }
    }

    async fn upload(&mut self, upload: Upload) -> String {
        let number = self.uploads.len() as u64 + 1;
        let faults = match upload.kind {
            Kind::Faulty => vec![Fault {
                letter: 2,
                kind: FaultKind::IdentityCodeSlip,
            }],
            _ => Vec::new(),
        };
        let spec = Spec {
            letters: upload.letters,
            seed: number,
            pages: 1..=1,
            is_test: upload.kind == Kind::Test,
            faults,
            ..Spec::default()
        };
        let bytes = match upload.kind {
            Kind::Nonsense => format!("this is no ZIP, for the {number}th time").into_bytes(),
            Kind::Both => on_paper_too(&sample_bytes(&spec)),
            _ => sample_bytes(&spec),
        };
        let name = format!("{number}.zip");
        self.hub.upload(&name, &bytes);
        self.hub.consent(&spec);
        self.uploads.push((name, bytes, spec));
        format!("batch {number}: {:?}", self.hub.poll().await)
    }

    fn upload_again(&self) -> String {
        if let Some((name, bytes, _)) = self.uploads.first() {
            self.hub.upload(&format!("again-{name}"), bytes);
        }
        String::new()
    }

    fn consent(&self, is_granted: bool) -> String {
        for (_, _, spec) in &self.uploads {
            if is_granted {
                self.hub.consent(spec);
            } else {
                self.hub.withdraw_consents(spec);
            }
        }
        String::new()
    }

    async fn hand_over(&mut self) -> String {
        let any = self.hub.hand_over_one().await;
        self.note_printed();
        format!("{any}")
    }

    /// What stands at the print house with its marker is printed.
    fn note_printed(&mut self) {
        for folder in ["print-house", "test-shelf"] {
            for name in self.hub.names(&format!("{folder}/pickup")) {
                let files = self.hub.names(&format!("{folder}/pickup/{name}"));
                if files.contains(&format!("{name}.ok")) {
                    let bundle: BundleId = name.parse().unwrap();
                    let pieces = self.hub.store.pieces(bundle).unwrap();
                    let letters = pieces.iter().map(|piece| piece.message).collect();
                    self.printed.insert(bundle, letters);
                }
            }
        }
    }

    fn pick_up(&self) -> String {
        let pickup = self.hub.print_house_folder().join("pickup");
        for name in self.hub.names("print-house/pickup") {
            if pickup.join(&name).join(format!("{name}.ok")).exists() {
                fs::remove_dir_all(pickup.join(name)).unwrap();
            }
        }
        String::new()
    }

    fn sender_deed(&self, hold: bool) -> bool {
        let sender = "example-city".parse().unwrap();
        self.hub.store.know_senders([&sender]).unwrap();
        let action = self.because();
        if hold {
            self.hub.store.hold_sender(&sender, &action).is_ok()
        } else {
            self.hub.store.release_sender(&sender, &action).is_ok()
        }
    }

    fn because(&self) -> kuori::store::NewEvent {
        kuori::store::NewEvent {
            at: self.hub.time(),
            ..because("a play")
        }
    }

    fn batch(&self, number: u8) -> Option<BatchRow> {
        let mut batches = self.hub.store.batches(u32::MAX).unwrap();
        let all = batches.len();
        (all > 0).then(|| batches.swap_remove(usize::from(number) % all))
    }

    fn approve(&self, number: u8) -> String {
        let Some(row) = self.batch(number) else {
            return String::new();
        };
        let approved = self.hub.store.approve(row.id, &self.because()).unwrap();
        format!("{}: {:?}", row.id, approved.blocked)
    }

    fn cancel(&self, number: u8, extent: Extent) -> String {
        let Some(row) = self.batch(number) else {
            return String::new();
        };
        let action = self.because();
        let cancelled = self.hub.store.cancel_of(row.id, extent, &action).unwrap();
        format!("{} was {:?}: {cancelled:?}", row.id, row.state)
    }

    fn hold_batch(&mut self, number: u8) -> String {
        let Some(row) = self.batch(number) else {
            return String::new();
        };
        let held = self.hub.store.hold_batch(row.id, &self.because()).unwrap();
        self.seen.held_batches += u64::from(held.blocked.is_none());
        format!("{} was {:?}: {:?}", row.id, row.state, held.blocked)
    }

    fn release_batch(&self, number: u8) -> String {
        let Some(row) = self.batch(number) else {
            return String::new();
        };
        let action = self.because();
        let released = self.hub.store.release_batch(row.id, &action).unwrap();
        format!("{} was {:?}: {:?}", row.id, row.state, released.blocked)
    }

    fn message_deed(&mut self, deed: MessageDeed, number: u8, message: u8) -> String {
        let Some(row) = self.batch(number) else {
            return String::new();
        };
        let Some(position) = self.position(&row, message) else {
            return String::new();
        };
        let id = MessageId {
            batch: row.id,
            position,
        };
        let action = self.because();
        let moved = self.hub.store.move_messages(deed, &[id], &action).unwrap();
        self.seen.moved_messages += moved.moves.len() as u64;
        format!("{id} of a batch that was {:?}: {moved:?}", row.state)
    }

    fn purge(&self, number: u8) -> String {
        let Some(row) = self.batch(number) else {
            return String::new();
        };
        let later = Some(self.hub.time() + SignedDuration::from_secs(1));
        let rule = PurgeRule {
            batch: Some(row.id),
            payload_before: later,
            people_before: later,
            ..PurgeRule::default()
        };
        let action = self.because();
        let purged = self.hub.store.purge(&rule, row.id, &action).unwrap();
        format!("{} was {:?}: {purged:?}", row.id, row.state)
    }

    /// A message of the batch, by a number modulo how many there are.
    fn position(&self, row: &BatchRow, message: u8) -> Option<u32> {
        let received = self.hub.store.counts(row.id).unwrap().received;
        let position = u64::from(message).checked_rem(received)?;
        Some(u32::try_from(position).unwrap() + 1)
    }

    fn reprocess(&mut self, wanted: Reprocess) -> String {
        let Some(row) = self.batch(wanted.batch) else {
            return String::new();
        };
        let named = wanted.message.and_then(|it| self.position(&row, it));
        let again = Again {
            print: wanted.again,
            deliver: wanted.again,
        };
        let selection = Selection {
            batch: row.id,
            positions: named.into_iter().collect(),
            from: wanted.from,
            again,
        };
        let plan = self.set_back(&selection, wanted.forced);
        if plan.blocked.is_empty() {
            self.seen.reprocessed += plan.moves.len() as u64;
            self.seen.withdrawn += plan.withdrawn.len() as u64;
            let forces = |channel| wanted.forced == Some(channel);
            for step in &plan.moves {
                let asked = self.asked.entry(step.message).or_default();
                let delivers = step.delivers_again || forces(Channel::Mailbox) && wanted.again;
                asked.deliveries += usize::from(delivers);
                let prints = forces(Channel::Print) && step.prints_again;
                asked.prints += usize::from(prints || step.was == MessageState::HandedOver);
            }
        }
        format!("{} was {:?}: {plan:?}", row.id, row.state)
    }

    fn set_back(&self, selection: &Selection, forced: Option<Channel>) -> ReprocessPlan {
        let (store, action) = (&self.hub.store, self.because());
        let Some(channel) = forced else {
            return store.reprocess(selection, &action).unwrap();
        };
        let sender = hub::sender();
        let now = self.hub.time();
        let foresee = |row: &BatchRow, page: &[MessageRow], channel| {
            pipeline::foresee(store, &sender, row, page, (channel, now))
        };
        let wanted = store::Reprocess {
            way: Way::Forced(channel, &foresee),
            ..selection.into()
        };
        let batches = [(selection.batch, None)];
        let mut done = store.reprocess_all(&batches, &wanted, &action).unwrap();
        done.plans.remove(0)
    }

    /// What must be true after each event.
    pub(super) fn check(&self, event: &str) {
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

    /// Every trouble is over, and operators do what there is to do: then nothing is left under way.
    pub(super) async fn settle(mut self) -> Seen {
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

/// `…/new/1700000000.B-0001-3-0a1b2c3d.kuori`
fn delivery_id(path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.split('.').nth(1).unwrap().to_owned()
}

/// The same batch, whose letters are to go on paper beside the mailbox.
fn on_paper_too(bytes: &[u8]) -> Vec<u8> {
    let mut from = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..from.len() {
        let mut entry = from.by_index(index).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if let Ok(text) = std::str::from_utf8(&content) {
            let (no, yes) = (
                "denyElectronicOnlyDelivery=\"false\"",
                "denyElectronicOnlyDelivery=\"true\"",
            );
            content = text.replace(no, yes).into_bytes();
        }
        let options = zip::write::SimpleFileOptions::default();
        let name = entry.name().unwrap().into_owned();
        to.start_file(name, options).unwrap();
        to.write_all(&content).unwrap();
    }
    to.finish().unwrap().into_inner()
}

/// Mailboxes that do as they are told.
struct Moody {
    inner: Arc<dyn Mailbox>,
    mood: Arc<Mutex<Mood>>,
}

#[async_trait]
impl Mailbox for Moody {
    async fn deliver(
        &self,
        page: Vec<Delivery>,
    ) -> Result<Vec<Result<MailboxReceipt, mailbox::Error>>, mailbox::Error> {
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Work => self.inner.deliver(page).await,
            Mood::Silent => {
                self.inner.deliver(page).await?;
                Err(no_room())
            }
            Mood::Fail => Err(no_room()),
            Mood::Broken => Err(mailbox::Error::KeyChanged {
                root: PathBuf::new(),
            }),
        }
    }

    async fn has(&self, id: DeliveryId, recipient: &RecipientId) -> Result<bool, mailbox::Error> {
        self.inner.has(id, recipient).await
    }

    async fn discard(&self, id: DeliveryId, recipient: &RecipientId) -> Result<(), mailbox::Error> {
        self.inner.discard(id, recipient).await
    }
}

fn no_room() -> mailbox::Error {
    mailbox::Error::Sync {
        root: PathBuf::new(),
        source: std::io::ErrorKind::StorageFull.into(),
    }
}
