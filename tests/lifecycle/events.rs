//! What can happen to a house.

use kuori::{
    domain::{Channel, Step},
    store::MessageDeed,
};
use proptest::prelude::*;

/// One event. Numbers name a batch or a message modulo how many there are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// A file comes and is taken.
    Upload(Upload),
    /// The file that came first comes again.
    SameFile,
    Poll,
    Step,
    HandOver,
    /// The print house takes away all that stands there.
    PickUp,
    Consent(bool),
    Mailbox(Mood),
    HoldSender,
    ReleaseSender,
    Approve(u8),
    Cancel(u8),
    CancelRest(u8),
    HoldBatch(u8),
    ReleaseBatch(u8),
    /// Of one batch, the message of that number.
    Message(MessageDeed, u8, u8),
    Reprocess(Reprocess),
    /// Files and people of what is settled are forgotten.
    Purge(u8),
    Restart,
    Wait,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Upload {
    pub(super) letters: u32,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    /// The second letter is refused.
    Faulty,
    /// What lies in a mailbox goes on paper too.
    Both,
    Test,
    /// No batch at all.
    Nonsense,
}

/// What mailboxes do from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Work,
    /// Nothing gets there.
    Fail,
    /// It gets there, and nobody is told.
    Silent,
    /// Nothing gets there, and waiting does not help.
    Broken,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Reprocess {
    pub(super) batch: u8,
    pub(super) message: Option<u8>,
    pub(super) from: Option<Step>,
    pub(super) again: bool,
    /// The only way that they may go.
    pub(super) forced: Option<Channel>,
}

pub(super) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => upload().prop_map(Event::Upload),
        1 => Just(Event::SameFile),
        1 => Just(Event::Poll),
        16 => Just(Event::Step),
        4 => Just(Event::HandOver),
        1 => Just(Event::PickUp),
        3 => any::<bool>().prop_map(Event::Consent),
        2 => mood().prop_map(Event::Mailbox),
        1 => Just(Event::HoldSender),
        1 => Just(Event::ReleaseSender),
        2 => (0..3_u8).prop_map(Event::Approve),
        1 => (0..3_u8).prop_map(Event::Cancel),
        1 => (0..3_u8).prop_map(Event::CancelRest),
        2 => (0..3_u8).prop_map(Event::HoldBatch),
        2 => (0..3_u8).prop_map(Event::ReleaseBatch),
        6 => message_deed(),
        1 => (0..3_u8).prop_map(Event::Purge),
        6 => reprocess().prop_map(Event::Reprocess),
        1 => Just(Event::Restart),
        2 => Just(Event::Wait),
    ]
}

pub(super) fn upload() -> impl Strategy<Value = Upload> {
    let kind = prop_oneof![
        4 => Just(Kind::Plain),
        2 => Just(Kind::Faulty),
        2 => Just(Kind::Both),
        1 => Just(Kind::Test),
        1 => Just(Kind::Nonsense),
    ];
    (2..6_u32, kind).prop_map(|(letters, kind)| Upload { letters, kind })
}

fn mood() -> impl Strategy<Value = Mood> {
    prop_oneof![
        3 => Just(Mood::Work),
        1 => Just(Mood::Fail),
        1 => Just(Mood::Silent),
        1 => Just(Mood::Broken),
    ]
}

fn message_deed() -> impl Strategy<Value = Event> {
    let deed = prop_oneof![
        2 => Just(MessageDeed::Hold),
        2 => Just(MessageDeed::Release),
        1 => Just(MessageDeed::Cancel),
    ];
    (deed, 0..3_u8, 0..5_u8).prop_map(|(deed, batch, message)| Event::Message(deed, batch, message))
}

fn reprocess() -> impl Strategy<Value = Reprocess> {
    let message = proptest::option::of(0..5_u8);
    let from = proptest::option::of(proptest::sample::select(Step::ALL.to_vec()));
    let forced = prop_oneof![
        4 => Just(None),
        1 => Just(Some(Channel::Print)),
        1 => Just(Some(Channel::Mailbox)),
    ];
    (0..3_u8, message, from, any::<bool>(), forced).prop_map(
        |(batch, message, from, again, forced)| Reprocess {
            batch,
            message,
            // A channel is chosen before later steps.
            from: from.filter(|from| forced.is_none() || *from <= Step::Route),
            again,
            forced,
        },
    )
}
