//! What a batch costs in memory, whole flow, and what the directory of a ZIP costs that has many
//! entries: `cargo bench --bench memory [-- --sizes N,N]`. A child process for each size, since a
//! peak never goes down again.
//!
//! Resident counts what the kernel has of mapped files too: the batch's ZIP and its unpacked PDF,
//! which it drops when memory is short. Own memory is what the program itself asked for.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot make its input ends here, and it prints what it found"
)]

mod crowd;
mod house;
mod usage;

use std::{
    env,
    fs::{self, File},
    io::Write,
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use house::House;
use kuori::{
    batch::{Archive, Limits},
    sample::Spec,
    store::{Spool, SpoolKey},
};
use usage::{Usage, status_bytes};

const SIZES: &str = "1000,20000";
const ENTRIES: u32 = 100_000;

fn main() {
    match (argument("--letters"), argument("--spool")) {
        (Some(letters), _) => return run(letters.parse().unwrap()),
        (None, Some(spool)) => return open(Path::new(&spool)),
        (None, None) => {}
    }
    let sizes = argument("--sizes").unwrap_or_else(|| SIZES.to_owned());
    for letters in sizes.split(',') {
        run_in_child(["--letters", letters]);
    }
    let spool = tempfile::tempdir().unwrap();
    fs::create_dir(spool.path().join("batches")).unwrap();
    let zip = File::create(spool.path().join("batches/crowd.zip"));
    zip.unwrap().write_all(&crowd::zip(ENTRIES)).unwrap();
    run_in_child(["--spool", spool.path().to_str().unwrap()]);
}

fn argument(name: &str) -> Option<String> {
    env::args().skip_while(|given| given != name).nth(1)
}

fn run_in_child(arguments: [&str; 2]) {
    let mut child = Command::new(env::current_exe().unwrap());
    let ended = child.args(arguments).status().unwrap();
    assert!(ended.success());
}

fn run(letters: u32) {
    let spec = Spec {
        letters,
        pages: 2..=2,
        ..Spec::default()
    };
    let house = House::new();
    house.upload(&spec);
    let (before, started) = (Usage::now(), Instant::now());
    let own_peak = own_peak_while(|| house.run(letters));
    let (after, wall) = (Usage::now(), started.elapsed().as_secs_f64());
    println!(
        "{letters:>7} letters: peak {:>4} MiB own, {:>4} MiB resident; CPU {:.2} s, wall {wall:.2} s",
        own_peak >> 20,
        after.peak_mib(),
        after.cpu_seconds - before.cpu_seconds,
    );
}

/// The ZIP's own bytes are mapped, and count as resident where they were looked at.
fn open(spool: &Path) {
    let spool = Spool::open(spool).unwrap();
    let file = spool.map(&SpoolKey::new("batches", "crowd.zip")).unwrap();
    let (before, started) = (status_bytes("RssAnon"), Instant::now());
    let archive = Archive::open(file.as_ref(), &Limits::default()).unwrap();
    let wall = started.elapsed().as_secs_f64();
    let kept = status_bytes("RssAnon") - before;
    println!(
        "{:>7} entries: keeps {:>4} MiB own, peak {:>4} MiB resident, {} MiB of it the ZIP; wall {wall:.3} s",
        archive.listed(),
        kept >> 20,
        Usage::now().peak_mib(),
        status_bytes("RssFile") >> 20,
    );
}

/// The kernel keeps no peak of own memory, so it is looked at every few milliseconds.
fn own_peak_while(work: impl FnOnce()) -> u64 {
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut peak = 0;
            while !is_done.load(Ordering::Relaxed) {
                peak = peak.max(status_bytes("RssAnon"));
                thread::sleep(Duration::from_millis(5));
            }
            peak
        });
        work();
        is_done.store(true, Ordering::Relaxed);
        watch.join().unwrap()
    })
}
