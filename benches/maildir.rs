//! Delivers messages into Maildirs and tells how long it took: `benches/peers/maildir.sh` runs it beside others.
//!
//! `maildir FOLDER [LETTERS] [BYTES] [RECIPIENTS] [ROUNDS]`: each round delivers LETTERS messages with a PDF of BYTES
//! to RECIPIENTS, in parcels as the deliver step makes them, into mailboxes of the round before (the first round
//! makes them). A line a round: messages a second, CPU seconds, peak MiB.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot make its input ends here, and it prints what it found"
)]

mod usage;

use std::{env, path::PathBuf, time::Instant};

use jiff::Timestamp;
use kuori::{
    domain::{BatchId, MessageId, RecipientId, ServiceKind},
    mailbox::{Delivery, DeliveryId, Mailbox, Maildirs},
};
use usage::Usage;

/// As `pipeline/deliver.rs` has it.
const PARCEL_BYTES: usize = 64 << 20;

fn main() {
    let mut given = env::args().skip(1).filter(|given| given != "--bench");
    let folder = PathBuf::from(
        given
            .next()
            .unwrap_or_else(|| "target/tmp/maildir".to_owned()),
    );
    let mut number = |usual| given.next().map_or(usual, |given| given.parse().unwrap());
    let (letters, bytes): (u32, usize) = (number(20_000), number(60_000) as usize);
    let (recipients, rounds) = (number(letters), number(2));
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let maildirs = Maildirs::new(folder, [7; 32].into()).unwrap();
    let pdf = noise(bytes);
    for round in 1..=rounds {
        let before = Usage::now();
        let mut seconds = 0.0;
        let parcel = u32::try_from(PARCEL_BYTES.div_ceil(bytes)).unwrap();
        for first in (1..=letters).step_by(parcel as usize) {
            let last = letters.min(first + parcel - 1);
            let page = (first..=last)
                .map(|position| delivery(round, position, recipients, &pdf))
                .collect();
            let began = Instant::now();
            let receipts = runtime.block_on(maildirs.deliver(page)).unwrap();
            seconds += began.elapsed().as_secs_f64();
            for receipt in receipts {
                receipt.unwrap();
            }
        }
        let after = Usage::now();
        let cpu = after.cpu_seconds - before.cpu_seconds;
        println!(
            "{:.0} {cpu:.2} {}",
            f64::from(letters) / seconds,
            after.peak_mib()
        );
    }
}

fn delivery(round: u32, position: u32, recipients: u32, pdf: &[u8]) -> Delivery {
    Delivery {
        id: DeliveryId {
            message: MessageId {
                batch: BatchId(u64::from(round)),
                position,
            },
            content: 0x3fa9_c2d1,
            repeat: 0,
        },
        sender: "example-city".parse().unwrap(),
        sender_name: "Esimerkkikaupunki".to_owned(),
        recipient: recipient(position % recipients),
        title: "Päätös".into(),
        body: "Hei!\n\nPäätös on liitteenä.\n".into(),
        pdf: pdf.to_vec(),
        pdf_file_name: "letter.pdf".to_owned(),
        attachments: Vec::new(),
        created: Timestamp::UNIX_EPOCH,
        service: ServiceKind::Ordinary,
    }
}

/// An artificial identity code: its individual number is 900 or more.
fn recipient(number: u32) -> RecipientId {
    let (individual, rest) = (900 + number % 100, number / 100);
    let (day, rest) = (1 + rest % 28, rest / 28);
    let (month, year) = (1 + rest % 12, rest / 12 % 100);
    let date = day * 10_000 + month * 100 + year;
    let check = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let check = char::from(
        *check
            .get(((date * 1_000 + individual) % 31) as usize)
            .unwrap(),
    );
    format!("{date:06}-{individual}{check}").parse().unwrap()
}

/// What a PDF of pictures is to a mail program: bytes without order.
fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    noise
}
