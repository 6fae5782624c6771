//! What clients are tried with. Refusals are in `refusals`.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::{self, File},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use russh_sftp::protocol::OpenFlags;
use sha2::{Digest, Sha256};

use super::{Client, Door, Step};
use crate::sftp::house::{House, noise, put};

pub(super) use super::refusals::{
    hears_that_a_name_is_not_utf8, hears_that_a_name_is_taken, hears_that_its_quota_is_full,
    hears_that_the_disk_is_full, hears_what_it_may_not_do, renames_over_nothing,
};

const BIG_BYTES: usize = 100_000_000;
const MANY: usize = 1000;
const LISTED: usize = 100_000;

/// For what a loaded machine does in a second otherwise.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) async fn uploads_under_a_temporary_name_and_renames(client: &dyn Client) {
    let house = House::start().await;
    let content = noise(300_000);
    let local = house.local("local", &content);
    let steps = [
        Step::put(&local, "inbox/a.zip.part"),
        Step::rename("inbox/a.zip.part", "inbox/a.zip"),
    ];
    city(&house).ask(client, &steps).assert_done();
    assert_eq!(names_on_disk(&house, "city/inbox"), ["a.zip"]);
    assert!(fs::read(house.on_disk("city/inbox/a.zip")).unwrap() == content);
    assert_eq!(house.staged("city"), 0);
}

pub(super) async fn carries_a_hundred_megabytes_both_ways(client: &dyn Client) {
    let house = House::start().await;
    carry_a_hundred_megabytes(&house, client);
}

/// For further options of a client that has done all else.
pub(super) fn carry_a_hundred_megabytes(house: &House, client: &dyn Client) {
    let content = noise(BIG_BYTES);
    let digest = Sha256::digest(&content);
    let local = house.local("local", &content);
    put(&house.on_disk("city/receipts/big.csv"), &content);
    let got = house.key("got");
    let steps = [
        Step::put(&local, "inbox/big.zip"),
        Step::get("receipts/big.csv", &got),
    ];
    city(house).ask(client, &steps).assert_done();
    for file in [house.on_disk("city/inbox/big.zip"), got] {
        assert!(Sha256::digest(fs::read(file).unwrap()) == digest);
    }
}

pub(super) async fn carries_a_thousand_small_files_both_ways(client: &dyn Client) {
    let house = House::start().await;
    let (local, got) = (house.key("local"), house.key("got"));
    let receipts = house.on_disk("city/receipts");
    fs::create_dir(&local).unwrap();
    fs::create_dir(&got).unwrap();
    for n in 0..MANY {
        let content = noise(n * 7);
        put(&local.join(format!("{n}.zip")), &content);
        put(&receipts.join(format!("{n}.csv")), &content);
    }
    let steps = [
        Step::put_all(&local, "inbox"),
        Step::get_all("receipts", &got),
    ];
    city(&house).ask(client, &steps).assert_done();
    for n in 0..MANY {
        let content = noise(n * 7);
        let arrived = house.on_disk(&format!("city/inbox/{n}.zip"));
        assert!(fs::read(arrived).unwrap() == content, "{n}.zip");
        let fetched = got.join(format!("{n}.csv"));
        assert!(fs::read(fetched).unwrap() == content, "{n}.csv");
    }
}

/// The connection broke when 3 of 5 MB were there.
pub(super) async fn goes_on_with_a_broken_upload(client: &dyn Client) {
    let house = House::start().await;
    let content = noise(5_000_000);
    let (sent, _) = content.split_at(3_000_000);
    break_off(&house, "/inbox/a.zip", sent).await;
    let local = house.local("local", &content);
    city(&house)
        .ask(client, &[Step::resume(&local, "inbox/a.zip")])
        .assert_done();
    assert!(fs::read(house.on_disk("city/inbox/a.zip")).unwrap() == content);
    assert_eq!(house.staged("city"), 0);
}

pub(super) async fn goes_on_with_a_broken_download(client: &dyn Client) {
    let house = House::start().await;
    let content = noise(5_000_000);
    put(&house.on_disk("city/receipts/a.csv"), &content);
    let (had, _) = content.split_at(3_000_000);
    let local = house.local("local", had);
    city(&house)
        .ask(client, &[Step::get_rest("receipts/a.csv", &local)])
        .assert_done();
    assert!(fs::read(local).unwrap() == content);
}

pub(super) async fn lists_a_hundred_thousand_files(client: &dyn Client) {
    let house = House::start().await;
    let pickup = house.on_disk("print/pickup");
    for n in 0..LISTED {
        File::create(pickup.join(format!("P-{n:06}.pdf"))).unwrap();
    }
    let door = Door {
        house: &house,
        user: "print",
    };
    let since = Instant::now();
    let answer = door.ask(client, &[Step::list("pickup")]);
    let took = since.elapsed();
    answer.assert_done();
    let names: BTreeSet<_> = answer
        .out
        .split_whitespace()
        .filter_map(|word| word.rsplit('/').next())
        .filter(|name| name.starts_with("P-"))
        .collect();
    assert_eq!(names.len(), LISTED);
    // A few seconds on a machine that does nothing else.
    assert!(took < PATIENCE, "{took:?}");
}

pub(super) async fn keeps_odd_names(client: &dyn Client) {
    let house = House::start().await;
    let local = house.local("local", b"odd");
    let longest = format!("{}.zip", "x".repeat(251));
    let mut odd = [
        "with space.zip",
        "J\u{e4}rvenp\u{e4}\u{e4} \u{5d0}.zip",
        "it's \"quoted\".zip",
        "-dash.zip",
        "#1 50%&+=;$HOME`~.zip",
        &longest,
    ];
    let steps = odd.map(|name| Step::put(&local, format!("inbox/{name}")));
    city(&house).ask(client, &steps).assert_done();
    odd.sort_unstable();
    assert_eq!(names_on_disk(&house, "city/inbox"), odd);
}

/// Clients take a refusal of the times for a failed upload, and send it again.
pub(super) async fn sets_times_and_modes(client: &dyn Client) {
    let house = House::start().await;
    let local = house.local("local", b"old");
    let long_ago = std::time::UNIX_EPOCH + Duration::from_hours(24 * 365);
    File::options()
        .write(true)
        .open(&local)
        .and_then(|file| file.set_modified(long_ago))
        .unwrap();
    city(&house)
        .ask(client, &[Step::put_with_times(&local, "inbox/a.zip")])
        .assert_done();
    assert_eq!(names_on_disk(&house, "city/inbox"), ["a.zip"]);
}

/// It is killed while a file of 3 GB is on its way; what did arrive is no batch.
pub(super) async fn leaves_nothing_to_take_when_it_is_killed(client: &dyn Client) {
    let house = House::start().await;
    let local = house.key("endless");
    File::create(&local)
        .and_then(|file| file.set_len(3_000_000_000))
        .unwrap();
    let steps = [Step::put(&local, "inbox/a.zip")];
    let Some(command) = client.commands(&city(&house), &steps).pop() else {
        panic!("nothing to run");
    };
    let running = Group::start(command);
    eventually("bytes arrive", || {
        assert!(!house.on_disk("city/inbox/a.zip").exists());
        staged_bytes(&house) > 1_000_000
    })
    .await;
    drop(running);
    // Whoever logs in next finds the server as before.
    let again = house.local("local", b"again");
    let steps = [Step::put(&again, "inbox/b.zip")];
    city(&house).ask(client, &steps).assert_done();
    let house = house.restart().await;
    assert_eq!(names_on_disk(&house, "city/inbox"), ["b.zip"]);
}

/// A program with its children; dropped, all are killed.
struct Group(Child);

impl Group {
    fn start(mut command: Command) -> Self {
        command.process_group(0);
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
        Self(quiet.stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // `timeout` makes a group of its own, which has its number too.
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.0.wait();
    }
}

pub(super) fn city(house: &House) -> Door<'_> {
    Door {
        house,
        user: "city",
    }
}

pub(super) fn names_on_disk(house: &House, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(house.on_disk(folder)).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

/// Uploads `sent`, and lets the connection go without a close.
async fn break_off(house: &House, path: &str, sent: &[u8]) {
    let raw = house.raw("city").await;
    let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let handle = raw.open(path, flags).await.unwrap();
    for (n, chunk) in sent.chunks(200_000).enumerate() {
        let offset = (n * 200_000) as u64;
        let written = raw.sftp.write(&*handle, offset, chunk.to_vec()).await;
        written.unwrap();
    }
    drop(raw);
    // The sender sees what the server has kept.
    let since = Instant::now();
    loop {
        let seen = house.raw("city").await.sftp.stat(path).await;
        match seen.ok().and_then(|found| found.attrs.size) {
            Some(bytes) if bytes == sent.len() as u64 => break,
            _ if since.elapsed() > PATIENCE => panic!("the server has not kept the upload"),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Bytes of unfinished uploads.
fn staged_bytes(house: &House) -> u64 {
    fn below(folder: &Path) -> u64 {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let bytes = entries.map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => below(&entry.path()),
            found => found.map_or(0, |found| found.len()),
        });
        bytes.sum()
    }
    below(&house.on_disk(".staging"))
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// `name` in Latin-1, as a program that knows no other encoding sends it.
pub(super) fn latin1(folder: &str, name: &str) -> std::ffi::OsString {
    use std::os::unix::ffi::OsStrExt;
    let name = name.chars().map(|c| u8::try_from(u32::from(c)).unwrap());
    let bytes: Vec<u8> = folder.bytes().chain(name).collect();
    OsStr::from_bytes(&bytes).to_owned()
}
