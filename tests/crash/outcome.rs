//! What came of a day, by the files that the others have in their hands, and by the rows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use super::{day::Day, ledger::Ledger, props::ATTACHED};
use crate::program::{InHands, files_below};

/// What is the same in every day, whatever was killed; batches by the names of their files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// State and channel of each message, in their order.
    messages: BTreeMap<String, Vec<String>>,
    states: BTreeMap<String, String>,
    /// Rows of the piece lists that were fetched; a set of bundles for each batch.
    bundles: BTreeMap<String, BTreeSet<Vec<String>>>,
    /// Names of the receipts that each sender has. Delivery reports are counted apart: how many
    /// there are hangs on how long things take.
    receipts: BTreeSet<String>,
    /// What delivery reports say of each letter, all of them together.
    told: BTreeMap<String, Vec<String>>,
    /// In mailboxes and bundles.
    pub(super) letters: u32,
}

/// Folders of receipts; that of the far side is named apart.
const RECEIPTS: [&str; 4] = [
    "sender/receipts",
    "parish/receipts",
    "area/receipts",
    "data/sftp/example-region/receipts",
];

/// Folders that a finished day leaves empty.
const EMPTY: [&str; 11] = [
    "sender/inbox",
    "sender/.kuori/taking",
    "parish/inbox",
    "parish/.kuori/taking",
    "area/inbox",
    "area/.kuori/taking",
    "print-house/pickup",
    "data/sftp/example-region/inbox",
    "data/sftp/example-region/.kuori/taking",
    "data/spool/temporary",
    "data/spool/documents",
];

impl Outcome {
    /// Looks at everything that a day left, and fails where something is lost, doubled or left over.
    pub(super) fn of(day: &Day<'_>) -> Self {
        let ledger = Ledger::open(&day.site.data()).unwrap();
        let hands = InHands::count(&day.site.path("data/mailboxes"), &day.site.path("printed"));
        hands.assert_nothing_twice();
        assert_nothing_is_left_over(day, &ledger);
        assert_rows_are_whole(&ledger);
        assert_each_is_where_its_row_says(&ledger, &hands);
        assert_attachment_is_delivered(day);
        let deep = "verify --deep --config kuori.toml";
        day.site.done(deep);
        let batches = names_of_batches(&ledger);
        let papers = papers(day);
        Self {
            messages: of_batches(&ledger, &batches, |id| {
                format!(
                    "SELECT state || ' ' || COALESCE(channel, '-') FROM messages
                      WHERE batch = {id} ORDER BY position"
                )
            }),
            states: of_batches(&ledger, &batches, |id| {
                format!("SELECT state FROM batches WHERE id = {id}")
            })
            .into_iter()
            .map(|(name, states)| (name, states.concat()))
            .collect(),
            bundles: bundles(day, &batches),
            receipts: receipts(&papers),
            told: told(&papers),
            letters: hands.letters(),
        }
    }
}

fn names_of_batches(ledger: &Ledger) -> BTreeMap<u64, String> {
    let ids: Vec<u64> = ledger.column("SELECT id FROM batches ORDER BY id");
    let names: Vec<String> = ledger.column("SELECT file_name FROM batches ORDER BY id");
    ids.into_iter().zip(names).collect()
}

fn of_batches(
    ledger: &Ledger,
    batches: &BTreeMap<u64, String>,
    sql: impl Fn(u64) -> String,
) -> BTreeMap<String, Vec<String>> {
    let rows = |(&id, name): (&u64, &String)| (name.clone(), ledger.column(&sql(id)));
    batches.iter().map(rows).collect()
}

/// The pieces of all fetched bundles, with the batch's number taken out of their names.
fn bundles(
    day: &Day<'_>,
    batches: &BTreeMap<u64, String>,
) -> BTreeMap<String, BTreeSet<Vec<String>>> {
    let mut found: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for list in day.site.files("printed") {
        if !list.to_str().unwrap().ends_with(".pieces.csv") {
            continue;
        }
        let text = fs::read_to_string(&list).unwrap();
        let id = text.split("B-").nth(1).unwrap().split('-').next().unwrap();
        let rows = text.replace(&format!("B-{id}-"), "");
        let rows: Vec<_> = rows.lines().map(str::to_owned).collect();
        let name = batches[&id.parse().unwrap()].clone();
        assert!(
            found.entry(name).or_default().insert(rows),
            "{} holds what another bundle holds",
            list.display()
        );
    }
    found
}

/// All receipts, by their names with `B` for the batch's number.
fn papers(day: &Day<'_>) -> BTreeMap<String, PathBuf> {
    let mut paths: Vec<_> = RECEIPTS.iter().flat_map(|it| day.site.files(it)).collect();
    paths.extend(files_below(&day.far.on_disk("town/receipts")));
    let without_number = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_number = |word: &&str| word.starts_with("B-");
        let words = name.split('.');
        let words = words.map(|word| if is_number(&word) { "B" } else { word });
        (words.collect::<Vec<_>>().join("."), path)
    };
    paths.into_iter().map(without_number).collect()
}

/// Their names; of the delivery reports of a batch, which have to be numbered without a gap, one
/// stands for all.
fn receipts(papers: &BTreeMap<String, PathBuf>) -> BTreeSet<String> {
    let name = |name: &String| match name.split_once(".delivery-") {
        Some((batch, rest)) => {
            let (number, ending) = rest.split_once('.').unwrap();
            let number: u32 = number.parse().unwrap();
            let before = format!("{batch}.delivery-{}.{ending}", number - 1);
            assert!(number == 1 || papers.contains_key(&before), "no {before}");
            format!("{batch}.delivery.{ending}")
        }
        None => name.clone(),
    };
    papers.keys().map(name).collect()
}

fn told(papers: &BTreeMap<String, PathBuf>) -> BTreeMap<String, Vec<String>> {
    let mut told: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (name, path) in papers {
        let is_xml = path.extension().is_some_and(|ending| ending == "xml");
        if !name.contains(".delivery-") || !is_xml {
            continue;
        }
        let said = fs::read_to_string(path).unwrap();
        for message in said.split("<Message ").skip(1) {
            let batch = name.split('.').next().unwrap();
            let letter = format!("{batch} {}", attribute(message, "senderLetterId"));
            let events = message.split("<Event ").skip(1);
            let events = events.map(|event| attribute(event, "what"));
            told.entry(letter).or_default().extend(events);
        }
    }
    for events in told.values_mut() {
        events.sort();
    }
    told
}

/// The first attribute of that name.
fn attribute(element: &str, name: &str) -> String {
    let after = element.split_once(&format!("{name}=\"")).unwrap().1;
    after.split_once('"').unwrap().0.to_owned()
}

/// Once, with its letter.
fn assert_attachment_is_delivered(day: &Day<'_>) {
    let named = format!("filename=\"{ATTACHED}\"");
    let mails = day.site.files("data/mailboxes").into_iter();
    let has_it = |mail: &PathBuf| {
        let bytes = fs::read(mail).unwrap();
        String::from_utf8_lossy(&bytes).contains(&named)
    };
    assert_eq!(mails.filter(has_it).count(), 1, "mails with {ATTACHED}");
}

fn assert_nothing_is_left_over(day: &Day<'_>, ledger: &Ledger) {
    for folder in EMPTY {
        assert_eq!(day.site.names(folder), [""; 0], "{folder}");
    }
    for folder in ["town/inbox", "town/.kuori/taking", "press/pickup"] {
        let left = files_below(&day.far.on_disk(folder));
        assert!(left.is_empty(), "far {left:?}");
    }
    let left = day.site.files("copy-house");
    assert!(left.is_empty(), "{left:?}");
    let done = day.site.names("sender/done");
    assert_eq!(done.len(), 2, "{done:?}");
    let mut places = day.site.files("");
    places.extend(files_below(&day.far.on_disk("")));
    for file in places {
        let is_unfinished = file.extension().is_some_and(|ending| ending == "part");
        assert!(!is_unfinished, "{} is left", file.display());
    }
    let staged = day.site.names("data/sftp/.staging/example-region");
    assert_eq!(staged, [""; 0]);
    assert_spool_is_named(day, ledger);
}

/// Every spooled file has its row, and every row its file.
fn assert_spool_is_named(day: &Day<'_>, ledger: &Ledger) {
    let spool = day.site.path("data/spool");
    let standing = files_below(&spool).into_iter().map(|path| {
        let key = path.strip_prefix(&spool).unwrap();
        key.to_str().unwrap().to_owned()
    });
    let standing: BTreeSet<_> = standing.collect();
    let named = "SELECT spool FROM batches UNION
         SELECT f.spool FROM outgoing_files f JOIN outgoing o ON o.id = f.outgoing
          WHERE o.state <> 'withdrawn'";
    let named: BTreeSet<String> = ledger.column(named).into_iter().collect();
    assert_eq!(standing, named);
}

/// What no row may say once all is done.
const WRONG: [(&str, &str); 8] = [
    (
        "is claimed",
        "SELECT id FROM batches WHERE lease_until IS NOT NULL",
    ),
    (
        "is claimed",
        "SELECT id FROM outgoing WHERE lease_until IS NOT NULL",
    ),
    (
        "has begun to be delivered",
        "SELECT id FROM batches WHERE delivery_begun_at IS NOT NULL",
    ),
    (
        "is a bundle on its way",
        "SELECT id FROM bundles WHERE state NOT IN ('handed-over', 'withdrawn')",
    ),
    (
        "is a message on its way",
        "SELECT position FROM messages
          WHERE state NOT IN ('delivered', 'handed-over', 'refused', 'cancelled')",
    ),
    (
        "is a bundle that nobody got",
        "SELECT id FROM bundles b WHERE state = 'handed-over' AND NOT EXISTS
            (SELECT 1 FROM outgoing WHERE bundle = b.id AND state = 'handed-over')",
    ),
    (
        "is a letter that is in no piece of its bundle",
        "SELECT position FROM messages m WHERE bundle IS NOT NULL AND NOT EXISTS
            (SELECT 1 FROM pieces WHERE bundle = m.bundle AND batch = m.batch
                AND position = m.position)",
    ),
    (
        "is a letter id of no message",
        "SELECT position FROM letter_ids l WHERE NOT EXISTS
            (SELECT 1 FROM messages WHERE batch = l.batch AND position = l.position)",
    ),
];

fn assert_rows_are_whole(ledger: &Ledger) {
    let said: Vec<String> = ledger.column("PRAGMA integrity_check");
    assert_eq!(said, ["ok"]);
    let orphans: Vec<String> = ledger.column("PRAGMA foreign_key_check");
    assert_eq!(orphans, [""; 0]);
    for (what, sql) in WRONG {
        let found: Vec<u64> = ledger.column(sql);
        assert!(found.is_empty(), "{found:?} {what}");
    }
}

fn assert_each_is_where_its_row_says(ledger: &Ledger, hands: &InHands) {
    let of_state = |state: &str| -> BTreeSet<String> {
        let sql = format!(
            "SELECT printf('B-%04d-%d', batch, position) FROM messages WHERE state = '{state}'"
        );
        ledger.column(&sql).into_iter().collect()
    };
    let names = |found: &BTreeMap<String, u32>| found.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&hands.in_mailboxes), of_state("delivered"));
    assert_eq!(names(&hands.in_piece_lists), of_state("handed-over"));
}
