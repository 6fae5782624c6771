//! Where a line is cut, and how everywhere is tried.

use std::{
    future::Future,
    io::{Cursor, Read, Write},
    path::Path,
    sync::{Arc, LazyLock},
};

use kuori::{
    inbox::{Headroom, Limits},
    sample::{Shape, Spec},
};
use pdf_writer::{Pdf, Rect, Ref};
use tokio::{sync::Semaphore, task::JoinSet};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::{
    hub::{Hub, sample_bytes},
    sftp::line::{Carried, Cut, Line},
};

/// Cuts that are tried at the same time.
const AT_ONCE: usize = 8;
/// Packets differ by a few bytes from one connection to the next.
const MARGIN: u64 = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
}

impl Way {
    pub(super) fn of(self, carried: Carried) -> u64 {
        match self {
            Self::Up => carried.up,
            Self::Down => carried.down,
        }
    }

    /// Cuts after byte `n` of this way; every other one by a reset.
    pub(super) fn cut(self, line: &Line, n: u64) {
        let how = if n.is_multiple_of(2) {
            Cut::Reset
        } else {
            Cut::Clean
        };
        match self {
            Self::Up => line.cut_after(Some(n), None, how),
            Self::Down => line.cut_after(None, Some(n), how),
        }
    }
}

/// How close to each other the cuts are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Grain {
    /// Each 127th byte of greeting, key exchange and login, each 33rd of what follows: odd, so that both
    /// ways to cut have their turn.
    Coarse,
    /// Each 16th byte of the former, whose lengths are the SSH library's affair; every byte of the latter.
    EveryByte,
}

/// Where to cut, of what went through a line before the deed and with it.
pub(super) fn everywhere(way: Way, grain: Grain, before: Carried, all: Carried) -> Vec<u64> {
    let (before, all) = (way.of(before), way.of(all));
    let (greeting_step, step) = match grain {
        Grain::Coarse => (127, 33),
        Grain::EveryByte => (16, 1),
    };
    let greeting = (0..before).step_by(greeting_step);
    let session = (before..=all + MARGIN).step_by(step);
    greeting.chain(session).collect()
}

/// Makes an attempt at each of `cuts`, several at once; returns how many struck.
pub(super) async fn try_all<A, F>(cuts: Vec<u64>, attempt: A) -> usize
where
    A: Fn(u64) -> F,
    F: Future<Output = bool> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut attempts = JoinSet::new();
    for cut in cuts {
        let place = Arc::clone(&places).acquire_owned().await.unwrap();
        let attempt = attempt(cut);
        attempts.spawn(async move {
            let struck = attempt.await;
            drop(place);
            struck
        });
    }
    let struck = attempts.join_all().await;
    struck.into_iter().filter(|struck| *struck).count()
}

/// There are more cuts than batches that may wait in a house in which nothing is done with them.
pub(super) fn boundless() -> Arc<Headroom> {
    Headroom::new(Limits {
        max_waiting_batches: u64::MAX,
        ..Limits::default()
    })
}

/// A batch of one letter, in as few bytes as it can have, and like no other `number`'s: that stands in
/// the comment at the end of the ZIP (APPNOTE 4.3.16).
pub(crate) fn small_batch(number: u64) -> Vec<u8> {
    static BATCH: LazyLock<Vec<u8>> = LazyLock::new(smallest_batch);
    let mut zip = BATCH.clone();
    let comment = number.to_string();
    let length = zip.len() - 2..;
    zip[length].copy_from_slice(&u16::try_from(comment.len()).unwrap().to_le_bytes());
    zip.extend(comment.bytes());
    zip
}

/// A sample with an empty page for its letter.
fn smallest_batch() -> Vec<u8> {
    let spec = Spec {
        letters: 1,
        shape: Shape::Csv,
        pages: 1..=1,
        ..Spec::default()
    };
    let mut sample = ZipArchive::new(Cursor::new(sample_bytes(&spec))).unwrap();
    let mut smaller = ZipWriter::new(Cursor::new(Vec::new()));
    for n in 0..sample.len() {
        let mut entry = sample.by_index(n).unwrap();
        let (name, mut content) = (entry.name().unwrap().into_owned(), Vec::new());
        entry.read_to_end(&mut content).unwrap();
        if Path::new(&name)
            .extension()
            .is_some_and(|ending| ending == "pdf")
        {
            content = empty_page();
        }
        let usual = SimpleFileOptions::default();
        smaller.start_file(name, usual).unwrap();
        smaller.write_all(&content).unwrap();
    }
    smaller.finish().unwrap().into_inner()
}

fn empty_page() -> Vec<u8> {
    let mut pdf = Pdf::new();
    let [catalog, pages, page] = [1, 2, 3].map(Ref::new);
    pdf.catalog(catalog).pages(pages);
    pdf.pages(pages).kids([page]).count(1);
    let a4 = Rect::new(0.0, 0.0, 595.0, 842.0);
    pdf.page(page).parent(pages).media_box(a4).resources();
    pdf.finish()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_small_batch_is_one_that_is_taken_and_printed() {
    let hub = Hub::new();
    hub.process("small.zip", &small_batch(1)).await;
    let counts = hub.counts();
    assert_eq!(counts.printed, 1, "{counts:?}");
    assert!(small_batch(1).len() < 1_500);
}
