//! What the house of the tests is told: its sender, its print houses, its doors.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use jiff::Timestamp;
use kuori::{
    batch,
    domain::{DuplicateLetterIds, Language, PostageClass, PostageCode, PrintHouseId, ServiceKind},
    inbox,
    mailbox::{FolderKey, Mailbox, Maildirs},
    outbox::Places,
    pdf::NoSecondReader,
    pipeline::{
        Clock, Gate, HoldPolicy, House, Landscape, Patience, PrintHouseSettings, SenderSettings,
        Shown,
    },
    print::{self, PostageRule},
    receipts, routing,
    store::{Place, Store, TimerRule},
    transport::{DirectoryFolder, RemoteFolder},
};

pub(super) fn timer_rule(sender: &SenderSettings) -> TimerRule {
    TimerRule {
        sender: sender.id.clone(),
        acknowledge_within_days: sender.patience.acknowledge_within_days,
        print_if_unread_days: sender.patience.print_if_unread_days,
    }
}

pub(crate) fn sender() -> SenderSettings {
    SenderSettings {
        id: "example-city".parse().unwrap(),
        display_name: "Example City".to_owned(),
        address_rows: vec![
            "Example City".to_owned(),
            "PL 1, 00099 EXAMPLE CITY".to_owned(),
        ],
        gate: Gate::Partial,
        holds: HoldPolicy::NONE,
        duplicate_letter_ids: DuplicateLetterIds::Refuse,
        receipts: receipts::Settings::default(),
        language: Language::English,
        batch: batch::Settings::default(),
        routing: routing::Policy::default(),
        print_house: Some("example-print".parse().unwrap()),
        suomifi: None,
        shown: Shown::default(),
        patience: Patience::default(),
        duplex: true,
        colour: false,
        postage: PostageClass::Economy,
        service: ServiceKind::Ordinary,
        address_page: false,
        compare_address: true,
        landscape: Landscape::default(),
        household: false,
        default_subject: "A letter for you".to_owned(),
    }
}

pub(crate) fn house(
    store: &Arc<Store>,
    folder: &Path,
    sender: SenderSettings,
    print: print::Settings,
    time: &Arc<Mutex<Timestamp>>,
) -> House {
    let time = Arc::clone(time);
    let print_houses = [("example-print", print), ("economy-print", economy_alone())];
    let print_houses = print_houses.map(|(id, print)| {
        let id: PrintHouseId = id.parse().unwrap();
        let print = print::Settings {
            // Here every mark is read back, not a sample of them.
            verify_marks: u32::MAX,
            ..print
        };
        (
            id.clone(),
            PrintHouseSettings {
                id,
                print,
                service: None,
            },
        )
    });
    House {
        store: Arc::clone(store),
        services: BTreeMap::new(),
        postal_accounts: BTreeMap::new(),
        mailbox: maildirs(folder, Some("mailboxes.id"), "mailboxes"),
        test_mailbox: maildirs(folder, None, "test-mailboxes"),
        senders: BTreeMap::from([(sender.id.clone(), sender)]),
        print_houses: BTreeMap::from(print_houses),
        second_reader: Arc::new(NoSecondReader),
        clock: Clock::new(move || *time.lock().unwrap()),
        time_zone: jiff::tz::TimeZone::get("Europe/Helsinki").unwrap(),
        signer: None,
        sends_notices: false,
    }
}

fn maildirs(folder: &Path, known: Option<&str>, name: &str) -> Arc<dyn Mailbox> {
    let key = FolderKey::open(&folder.join("mailbox.key")).unwrap();
    let root = folder.join(name);
    let maildirs = match known {
        Some(known) => Maildirs::of_house(root, key, &folder.join(known)),
        None => Maildirs::new(root, key),
    };
    Arc::new(maildirs.unwrap())
}

/// What a print house wants that has no postage but for economy letters at home.
fn economy_alone() -> print::Settings {
    print::Settings {
        postage: vec![PostageRule {
            class: PostageClass::Economy,
            destination: print::Destination::Domestic,
            max_grams: 2_000,
            code: PostageCode("E-2000".to_owned()),
        }],
        ..print::Settings::default()
    }
}

pub(super) fn places(folder: &Path) -> Places {
    let place = |name: &str| -> Arc<dyn RemoteFolder> {
        for inner in ["inbox", "receipts", "pickup"] {
            fs::create_dir_all(folder.join(name).join(inner)).unwrap();
        }
        Arc::new(DirectoryFolder::new(folder.join(name)))
    };
    Places::from([
        (
            Place::Sender("example-city".parse().unwrap()),
            place("sender"),
        ),
        (
            Place::PrintHouse("example-print".parse().unwrap()),
            place("print-house"),
        ),
        (Place::TestShelf, place("test-shelf")),
    ])
}

pub(crate) fn inbox_settings() -> inbox::Settings {
    let sender = "example-city".parse().unwrap();
    let mut settings = inbox::Settings::new(sender, "example-city".to_owned()).unwrap();
    // A copy that breaks goes on soon.
    settings.back_off.first = jiff::SignedDuration::from_millis(5);
    settings
}
