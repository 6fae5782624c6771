//! What a batch costs in memory, whole flow; what opening it alone costs, and reading its control
//! data alone, up to a million letters; what planning its letters costs; and what the directory of a
//! ZIP costs that has many entries:
//! `cargo bench --bench memory [-- --sizes N,N] [--opened N,N] [--planned N,N]`. A child process for
//! each size, since a peak never goes down again.
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
mod multitude;
mod planned;
mod usage;

use std::{
    convert::Infallible,
    env,
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use house::House;
use kuori::{
    batch::{self, Archive, Limits, SharedBytes, Shelf},
    domain::DocumentName,
    pipeline::PageCheck,
    print::{Planner, Settings},
    sample::Spec,
    store::{MappedFile, Scratch, Spool, SpoolKey},
};
use usage::{Usage, status_bytes};

const SIZES: &str = "1000,20000";
const OPENED: &str = "1000,1000000";
const PLANNED: &str = "1000000";
const ENTRIES: u32 = 100_000;

fn main() {
    if let Some(letters) = argument("--letters") {
        return run(letters.parse().unwrap());
    }
    if let Some(spool) = argument("--crowd") {
        return list(&mapped(&spool));
    }
    if let Some(spool) = argument("--multitude") {
        return open(&mapped(&spool));
    }
    if let Some(letters) = argument("--plan") {
        return plan(letters.parse().unwrap(), false);
    }
    if let Some(letters) = argument("--share") {
        return plan(letters.parse().unwrap(), true);
    }
    for letters in sizes("--sizes", SIZES) {
        run_in_child(["--letters", &letters.to_string()]);
    }
    for letters in sizes("--opened", OPENED) {
        in_spool("--multitude", |out| multitude::zip(letters, out));
    }
    for letters in sizes("--planned", PLANNED) {
        run_in_child(["--plan", &letters.to_string()]);
        run_in_child(["--share", &letters.to_string()]);
    }
    in_spool("--crowd", |mut out| {
        out.write_all(&crowd::zip(ENTRIES)).unwrap();
    });
}

fn sizes(name: &str, usual: &str) -> Vec<u32> {
    let sizes = argument(name).unwrap_or_else(|| usual.to_owned());
    sizes.split(',').map(|size| size.parse().unwrap()).collect()
}

/// Runs a child on a batch that this process has made, so that making it is not measured.
fn in_spool(argument: &str, make: impl FnOnce(File)) {
    let spool = tempfile::tempdir().unwrap();
    fs::create_dir(spool.path().join("batches")).unwrap();
    make(File::create(spool.path().join("batches/made.zip")).unwrap());
    run_in_child([argument, spool.path().to_str().unwrap()]);
}

fn mapped(spool: &str) -> MappedFile {
    let spool = Spool::open(Path::new(spool)).unwrap();
    spool.map(&SpoolKey::new("batches", "made.zip")).unwrap()
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
fn list(file: &MappedFile) {
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

/// Control data alone, then all of the batch. The PDF is unpacked into a file.
fn open(file: &MappedFile) {
    let settings = batch::Settings::default();
    let archive = Archive::open(file.as_ref(), &settings.limits).unwrap();
    let before = status_bytes("RssAnon");
    let mut letters = 0;
    let control = own_peak_while(|| {
        letters = batch::count_letters(&archive, &settings.limits).unwrap();
    });
    let check = PageCheck::default();
    let shelf = ScratchShelf(Scratch::new(env::temp_dir()));
    let started = Instant::now();
    let whole = own_peak_while(|| {
        let mut sink = |_| Ok::<_, Infallible>(());
        let opened =
            batch::open(&archive, "made.zip", &settings, &shelf, &check, &mut sink).unwrap();
        assert_eq!(
            (opened.messages, opened.is_refused()),
            (u32::try_from(letters).unwrap(), false)
        );
    });
    println!(
        "{letters:>7} letters: own memory of {:.1} MiB to read control data, {:.1} MiB to open the batch, in {:.2} s",
        mebibytes(control - before),
        mebibytes(whole - before),
        started.elapsed().as_secs_f64(),
    );
}

/// Letters come one at a time and go at once, so that what is kept is the plan.
fn plan(letters: u32, shares_envelopes: bool) {
    let settings = Settings::default();
    let spec = Spec {
        letters,
        ..Spec::default()
    };
    let before = status_bytes("RssAnon");
    let (mut kept, mut bundles) = (0, 0);
    let started = Instant::now();
    let peak = own_peak_while(|| {
        let mut planner = Planner::new(&settings);
        for letter in planned::letters(&spec, shares_envelopes) {
            planner.add(&letter, 0).unwrap();
        }
        kept = status_bytes("RssAnon") - before;
        bundles = planner.finish().count();
    });
    println!(
        "{letters:>7} letters in {bundles} bundles{}: the plan keeps {} bytes a letter, peak {} bytes a letter; wall {:.2} s",
        if shares_envelopes {
            ", some shared"
        } else {
            ""
        },
        kept / u64::from(letters),
        (peak - before) / u64::from(letters),
        started.elapsed().as_secs_f64(),
    );
}

fn mebibytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes >> 10).unwrap()) / 1024.0
}

struct ScratchShelf(Scratch);

impl Shelf for ScratchShelf {
    fn keep(&self, _: &DocumentName, content: &mut dyn Read) -> io::Result<SharedBytes> {
        Ok(Arc::new(self.0.keep(content)?))
    }
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
