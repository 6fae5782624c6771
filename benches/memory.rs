//! What a batch costs in memory, whole flow: `cargo bench --bench memory [-- --sizes N,N]`. A child
//! process for each size, since a peak never goes down again.
//!
//! Resident counts what the kernel has of mapped files too: the batch's ZIP and its unpacked PDF,
//! which it drops when memory is short. Own memory is what the program itself asked for.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot make its input ends here, and it prints what it found"
)]

mod house;
mod usage;

use std::{
    env,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use house::House;
use kuori::sample::Spec;
use usage::{Usage, status_bytes};

const SIZES: &str = "1000,20000";

fn main() {
    match (argument("--letters"), argument("--sizes")) {
        (Some(letters), _) => run(letters.parse().unwrap()),
        (None, sizes) => {
            let sizes = sizes.unwrap_or_else(|| SIZES.to_owned());
            sizes.split(',').for_each(run_in_child);
        }
    }
}

fn argument(name: &str) -> Option<String> {
    env::args().skip_while(|given| given != name).nth(1)
}

fn run_in_child(letters: &str) {
    let mut child = Command::new(env::current_exe().unwrap());
    let ended = child.args(["--letters", letters]).status().unwrap();
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
