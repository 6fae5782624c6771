//! A house to which events happen, and the small model of what may come of them.

mod effects;
mod moody;
mod rest;

use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Read, Write},
    sync::{Arc, Mutex},
};

use jiff::SignedDuration;
use kuori::{
    domain::{BundleId, Channel, MessageId, MessageState},
    mailbox::Mailbox,
    pipeline::{self, HoldPolicy},
    sample::{Fault, FaultKind, Spec},
    store::{
        self, Again, BatchRow, Extent, MessageDeed, MessageRow, PurgeRule, ReprocessPlan,
        Selection, Way,
    },
};

use self::moody::Moody;
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
