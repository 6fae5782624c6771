use std::{fs::File, io::Write, path::Path};

use clap::Parser;
use jiff::Timestamp;
use tempfile::TempDir;

use super::{Arguments, Invocation, Output, Renderer, carry_out};
use crate::{
    domain::{
        Asked, BatchId, BatchState, BundleId, Channel, ChannelWish, Code, Decision, DocumentName,
        EnvelopeName, Finding, Fitness, HoldCause, MailboxStatus, Message, MessageId, PageRange,
        Place, PostageClass, PostalAddress, PrintFacts, Reason, Recipient, Route, ServiceKind,
        StatedRecipient,
    },
    store::{
        Await, BatchRow, BundleGroup, NewBatch, NewBundle, NewHold, NewMessage, NewOutgoing,
        NewPiece, OpenOutcome, OutgoingKind, Received, Routed, SpoolKey, StepOutcome, Store,
    },
};

/// A data folder with a batch of six messages: 1 and 2 in mailboxes, 3 at the print house, 4 in a
/// bundle that waits, 5 held, 6 refused.
pub(super) struct House {
    folder: TempDir,
}

/// What a command said, and its exit code.
pub(super) struct Said {
    pub(super) code: u8,
    pub(super) out: String,
    pub(super) err: String,
}

impl Said {
    pub(super) fn both(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// Runs one command at 08:00 on the first of March, by `maija`.
pub(super) fn kuori(data_dir: &Path, line: &str, input: &str) -> Said {
    let mut arguments = vec!["kuori", "--data-dir", data_dir.to_str().unwrap()];
    arguments.extend(line.split_whitespace());
    let Arguments { options, command } = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(told) => {
            return Said {
                code: u8::try_from(told.exit_code()).unwrap(),
                out: String::new(),
                err: told.to_string(),
            };
        }
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = carry_out(
        &command,
        Invocation {
            options: &options,
            output: Output::new(&mut out, &mut err, &options),
            input: &mut input.as_bytes(),
            now: at("2026-03-01T08:00:00Z"),
            actor: "maija".to_owned(),
            renderer: Renderer::Here,
        },
    );
    Said {
        code,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

impl House {
    pub(super) fn filled() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("data")).unwrap();
        fill(&store);
        Self { folder }
    }

    /// A data folder with a batch of six messages that the gate holds.
    pub(super) fn held() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("data")).unwrap();
        let batch = receive(&store);
        open(&store, batch);
        let hold = |_: &_| {
            vec![NewHold {
                cause: HoldCause::ManyLetters,
                why: "5 messages are to go, which is over 4".to_owned(),
            }]
        };
        let row = store.batch(batch).unwrap();
        store
            .pass_gate(&row, hold, at("2026-03-01T06:01:30Z"))
            .unwrap();
        Self { folder }
    }

    pub(super) fn kuori(&self, line: &str) -> Said {
        self.asked(line, "")
    }

    pub(super) fn asked(&self, line: &str, input: &str) -> Said {
        kuori(&self.folder.path().join("data"), line, input)
    }

    /// What a command that must do its work says on standard output.
    pub(super) fn out(&self, line: &str) -> String {
        let said = self.kuori(line);
        assert_eq!(said.code, 0, "{}", said.err);
        said.out
    }

    pub(super) fn both(&self, line: &str) -> String {
        self.kuori(line).both()
    }

    pub(super) fn path(&self, name: &str) -> String {
        let path = self.folder.path().join(name);
        path.to_str().unwrap().to_owned()
    }

    pub(super) fn file(&self, name: &str, content: &str) -> String {
        let path = self.path(name);
        let mut file = File::create(&path).unwrap();
        file.write_all(content.as_bytes()).unwrap();
        path
    }

    /// Takes the one batch that is due, as the daemon would.
    pub(super) fn lease(&self, batch: &str) {
        let store = Store::open(&self.folder.path().join("data")).unwrap();
        let until = at("2026-03-01T08:05:00Z");
        let claimed = store.claim_due_batch(at("2026-03-01T08:00:00Z"), until);
        assert_eq!(claimed.unwrap().unwrap().id.to_string(), batch);
    }
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn fill(store: &Store) {
    let batch = receive(store);
    store
        .record_acknowledgement(&outgoing(batch, None), at("2026-03-01T06:00:01Z"))
        .unwrap();
    open(store, batch);
    route(store, batch);
    let delivered = [1, 2].map(|position| (position, format!("ref-{position}")));
    store
        .record_deliveries(batch, &delivered, at("2026-03-01T06:05:00Z"))
        .unwrap();
    plan(store, batch);
    hand_over_first(store);
    move_on(store, batch, BatchState::Composed);
}

fn receive(store: &Store) -> BatchId {
    let mut file = store.spool().begin().unwrap();
    file.write_all(b"bytes of a ZIP").unwrap();
    let received = store.receive(
        &NewBatch {
            sender: "example-city".parse().unwrap(),
            file_name: "taxes_20260301060000.zip".to_owned(),
            file: file.keep(&SpoolKey::new("batches", "a.zip")).unwrap(),
            received_at: at("2026-03-01T06:00:00Z"),
        },
        None,
    );
    match received.unwrap() {
        Received::New(id) | Received::Again(id) => id,
    }
}

fn open(store: &Store, batch: BatchId) {
    let messages: Vec<_> = (1..=6).map(message).collect();
    store.record_messages(batch, &messages).unwrap();
    let opened = OpenOutcome {
        shape: Some("many-in-one"),
        is_test: false,
        print_only: false,
        findings: vec![Finding::new(
            Code::ControlDataUnknown,
            Place::entry("control.xml").on_line(3),
            "`Letter@mood` is not known",
        )],
    };
    let row = store.batch(batch).unwrap();
    let outcome = StepOutcome::next(BatchState::Opened, at("2026-03-01T06:01:00Z"));
    store
        .finish_open(&row, &opened, &outcome, at("2026-03-01T06:01:00Z"))
        .unwrap();
}

fn message(position: u32) -> NewMessage {
    let bad = Finding::new(
        Code::PageSize,
        Place::entry("letters.pdf").of_message(position).on_page(12),
        "216 × 279 mm",
    );
    NewMessage {
        message: Message {
            position,
            sender_letter_id: Some(format!("case-{position}").as_str().into()),
            recipient: recipient(),
            pages: PageRange {
                document: DocumentName("letters.pdf".to_owned()),
                first: position * 2 - 1,
                count: 2,
            },
            subject: Some("Invoice 17".into()),
            body: None,
            service: ServiceKind::default(),
            wish: ChannelWish::default(),
            deny_electronic_only: false,
            deny_electronic_copy: false,
            colour: None,
            duplex: None,
            postage: None,
            matter: None,
            attachments: Vec::new(),
        },
        facts: PrintFacts {
            lacks_address: position == 6,
            colour_pages: position % 2,
            ..PrintFacts::default()
        },
        fitness: if position == 6 {
            Fitness::NEITHER
        } else {
            Fitness::BOTH
        },
        findings: if position == 6 { vec![bad] } else { Vec::new() },
    }
}

fn recipient() -> Recipient {
    Recipient {
        id: StatedRecipient::Valid("010190-999W".parse().unwrap()),
        address: PostalAddress {
            name: Some("Maija Mallikas".into()),
            street: Some("Mallikatu 1".into()),
            postal_code: Some("00100".into()),
            city: Some("Helsinki".into()),
            ..PostalAddress::default()
        },
    }
}

fn route(store: &Store, batch: BatchId) {
    let decided = at("2026-03-01T06:02:00Z");
    let decision = |status, channel, reason| Decision {
        route: Route::To(channel),
        reason,
        asked: Some(Asked {
            status,
            at: decided,
        }),
        registered: false,
    };
    let page = (1..=5).map(|position| Routed {
        position,
        decision: match position {
            1 | 2 => decision(
                MailboxStatus::Active,
                Channel::Mailbox,
                Reason::MailboxActive,
            ),
            _ => decision(
                MailboxStatus::Inactive,
                Channel::Print,
                Reason::MailboxInactive,
            ),
        },
    });
    store
        .record_decisions(batch, &page.collect::<Vec<_>>(), decided)
        .unwrap();
}

/// Three bundles of one letter each; the letter of the third cannot be composed.
fn plan(store: &Store, batch: BatchId) {
    let planned = at("2026-03-01T06:10:00Z");
    let bundles = [3, 4, 5].map(|position| NewBundle {
        print_house: "example-print".parse().unwrap(),
        group: BundleGroup {
            postage_code: None,
            postage: PostageClass::Economy,
            registered: false,
            colour: false,
            duplex: true,
            envelope: EnvelopeName("C5".to_owned()),
            foreign: false,
        },
        pieces: vec![NewPiece {
            sequence: 1,
            position,
            first_page: 1,
            pages: 2,
            sheets: 1,
        }],
    });
    store.record_plan(batch, bundles, planned).unwrap();
    for id in [BundleId(1), BundleId(2)] {
        let bundle = store.bundle(id).unwrap();
        store
            .record_composed(&bundle, &outgoing(batch, Some(id)), planned)
            .unwrap();
    }
    let letter = MessageId { batch, position: 5 };
    let place = Place::message(5);
    let why = Finding::new(Code::LetterNotComposable, place, "a page has no content");
    store
        .hold_letter_of(&store.bundle(BundleId(3)).unwrap(), letter, &why)
        .unwrap();
}

fn outgoing(batch: BatchId, bundle: Option<BundleId>) -> NewOutgoing {
    let (kind, place) = match bundle {
        Some(_) => (OutgoingKind::Bundle, "print-house:example-print"),
        None => (OutgoingKind::Acknowledgement, "sender:example-city"),
    };
    NewOutgoing {
        batch,
        bundle,
        kind,
        place: place.parse().unwrap(),
        files: Vec::new(),
    }
}

/// The acknowledgement and the first bundle reach their places; the second one does not.
fn hand_over_first(store: &Store) {
    let (now, until) = (at("2026-03-01T06:12:09Z"), at("2026-03-01T06:13:00Z"));
    for _ in 0..2 {
        let due = store.claim_due_outgoing(now, until).unwrap().unwrap();
        let awaited = match due.bundle {
            Some(_) => Await::PickUpWithin(jiff::SignedDuration::from_hours(1)),
            None => Await::Nothing,
        };
        store.record_handed_over(&due, awaited, now).unwrap();
    }
    let due = store.claim_due_outgoing(now, until).unwrap().unwrap();
    let error = "cannot reach `example-print`: connection refused";
    store
        .retry_outgoing(&due, error, at("2026-03-01T08:02:00Z"))
        .unwrap();
}

fn move_on(store: &Store, batch: BatchId, state: BatchState) {
    let row: BatchRow = store.batch(batch).unwrap();
    let now = at("2026-03-01T06:13:00Z");
    store
        .finish_step(&row, &StepOutcome::next(state, now), now)
        .unwrap();
}
