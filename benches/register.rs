//! The register of consents at its largest: `cargo bench --bench register [-- RECIPIENTS]`.
//!
//! A file of 1,000,000 rows is imported three times, by `kuori consent import` itself: all are granted,
//! withdrawn a month later, granted again. So the register has 1,000,000 rows and its history 3,000,000. Then
//! it is asked about 10,000 recipients from all over it. A small file first: memory is to be the same.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench that cannot make its input ends here, and it prints what it found"
)]

#[allow(dead_code, reason = "other benches use the rest")]
mod filled;
#[allow(dead_code, reason = "other benches use the rest")]
mod samples;

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use filled::{NOW, recipient, timed, timed_kuori};
use kuori::{domain::RecipientId, store::Store};

const ASKED: u32 = 10_000;

fn main() {
    let mut recipients = std::env::args().filter_map(|given| given.parse().ok());
    let recipients = recipients.next_back().unwrap_or(1_000_000);
    let folder = tempfile::tempdir().unwrap();
    println!("a register of {recipients} recipients");
    for rows in [recipients / 100, recipients] {
        let data = folder.path().join(format!("data-{rows}"));
        drop(Store::open(&data).unwrap());
        for (status, since) in [
            ("granted", "2026-01-01"),
            ("withdrawn", "2026-02-01"),
            ("granted", "2026-03-01"),
        ] {
            let file = folder.path().join("consents.csv");
            write(&file, rows, (status, since));
            let (data, file) = (data.to_str().unwrap(), file.to_str().unwrap());
            timed_kuori(
                &format!("import {rows}, {status}"),
                &["--data-dir", data, "consent", "import", file],
            );
        }
        ask(&Store::open(&data).unwrap(), rows);
    }
}

fn write(file: &Path, rows: u32, (status, since): (&str, &str)) {
    let mut file = BufWriter::new(File::create(file).unwrap());
    writeln!(file, "recipient_id,status,since").unwrap();
    for number in 0..rows {
        let id = recipient(scattered(number, rows));
        writeln!(file, "{},{status},{since}T00:00:00Z", id.expose()).unwrap();
    }
    file.flush().unwrap();
}

/// Every number below `rows` once, far from the one before: registers come in no order.
fn scattered(number: u32, rows: u32) -> u32 {
    // A prime that does not divide any round number.
    let number = u64::from(number) * 7_368_787 % u64::from(rows);
    u32::try_from(number).unwrap()
}

fn ask(store: &Store, rows: u32) {
    let asked = ASKED.min(rows);
    let ids: Vec<RecipientId> = (0..asked)
        .map(|it| recipient(it * (rows / asked)))
        .collect();
    let ids: Vec<_> = ids.iter().collect();
    for what in ["first time", "again"] {
        timed(&format!("ask about {asked}, {what}"), || {
            let answers = store.mailbox_statuses(&ids, NOW).unwrap();
            assert_eq!(answers.len(), ids.len());
        });
    }
}
