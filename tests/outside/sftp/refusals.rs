//! What clients hear of what they may not do. Each has to end with another code than 0, and to say
//! what is wrong as well as it can: some hand on no more than the kind of a refusal.

use std::fs;

use super::{
    Client, Door, Step,
    deeds::{city, latin1, names_on_disk},
    small_disk::SmallDisk,
};
use crate::sftp::house::{House, noise, put};

/// What a client that says no more than this makes of `SSH_FX_PERMISSION_DENIED`.
const DENIED: &str = "denied";
/// And of `SSH_FX_FAILURE`: OpenSSH, `PuTTY`; curl; paramiko.
const FAILURE: &[&str] = &[
    "failure",
    "error in the ssh layer",
    "size mismatch",
    "no such file",
];

pub(super) async fn hears_that_a_name_is_taken(client: &dyn Client) {
    let house = House::start().await;
    let first = house.local("first", b"first");
    let second = house.local("second", b"the second");
    let door = city(&house);
    door.ask(client, &[Step::put(&first, "inbox/a.zip")])
        .assert_done();
    let words = ["a file of this name is there already", DENIED];
    door.ask(client, &[Step::put(&second, "inbox/a.zip")])
        .assert_refused(&words);
    assert_eq!(names_on_disk(&house, "city/inbox"), ["a.zip"]);
    assert_eq!(on_disk(&house, "city/inbox/a.zip"), b"first");
}

pub(super) async fn renames_over_nothing(client: &dyn Client) {
    let house = House::start().await;
    put(&house.on_disk("city/inbox/a.zip"), b"first");
    let second = house.local("second", b"the second");
    let steps = [
        Step::put(&second, "inbox/a.zip.part"),
        Step::rename("inbox/a.zip.part", "inbox/a.zip"),
    ];
    let words = ["a file of this name is there already", DENIED];
    city(&house).ask(client, &steps).assert_refused(&words);
    assert_eq!(on_disk(&house, "city/inbox/a.zip"), b"first");
    // What was sent is still there under its temporary name, and the sender's to clear away.
    city(&house)
        .ask(client, &[Step::remove("inbox/a.zip.part")])
        .assert_done();
    assert_eq!(names_on_disk(&house, "city/inbox"), ["a.zip"]);
}

pub(super) async fn hears_that_a_name_is_not_utf8(client: &dyn Client) {
    let house = House::start().await;
    let local = house.local("local", b"x");
    let step = Step::put(&local, latin1("inbox/", "J\u{f6}rg.zip"));
    city(&house)
        .ask(client, &[step])
        .assert_refused(&["utf-8", DENIED]);
    assert!(names_on_disk(&house, "city/inbox").is_empty());
    assert_eq!(house.staged("city"), 0);
}

pub(super) async fn hears_what_it_may_not_do(client: &dyn Client) {
    let house = House::start().await;
    put(&house.on_disk("city/inbox/a.zip"), b"ours by now");
    let local = house.local("local", b"x");
    for (step, why) in [
        (Step::put(&local, "b.zip"), "upload folder"),
        (Step::put(&local, "receipts/b.zip"), "upload folder"),
        (Step::remove("inbox/a.zip"), "cannot be removed"),
        (Step::make_folder("inbox/folder"), "folders are made"),
    ] {
        // A client that cannot even ask has nothing to hear.
        if client
            .commands(&city(&house), std::slice::from_ref(&step))
            .is_empty()
        {
            continue;
        }
        let answer = city(&house).ask(client, &[step]);
        answer.assert_refused(&[why, DENIED]);
    }
    assert_eq!(names_on_disk(&house, "city"), ["inbox", "receipts"]);
    assert_eq!(names_on_disk(&house, "city/inbox"), ["a.zip"]);
    assert!(names_on_disk(&house, "city/receipts").is_empty());
}

/// A file of which a part did not fit is no file: it must not be taken for the whole.
pub(super) async fn hears_that_its_quota_is_full(client: &dyn Client) {
    let house = House::start_with_quota(|_| {}, Some(1_000_000), None).await;
    let large = house.local("large", &noise(2_000_000));
    let answer = city(&house).ask(client, &[Step::put(&large, "inbox/a.zip")]);
    answer.assert_refused(&words(client, "quota", FAILURE));
    assert!(names_on_disk(&house, "city/inbox").is_empty());
    others_are_unharmed(&house, client);
}

pub(super) async fn hears_that_the_disk_is_full(client: &dyn Client) {
    let disk = SmallDisk::mount();
    let house = House::start_with(|settings| settings.root.clone_from(&disk.0)).await;
    let large = house.local("large", &noise(20_000_000));
    let answer = city(&house).ask(client, &[Step::put(&large, "inbox/a.zip")]);
    answer.assert_refused(&words(client, "full", FAILURE));
    let taken = fs::read_dir(disk.0.join("city/inbox")).unwrap();
    assert_eq!(taken.count(), 0);
    house.server.stop().await;
}

fn others_are_unharmed(house: &House, client: &dyn Client) {
    let local = house.local("small", &noise(500_000));
    let other = Door {
        house,
        user: "other",
    };
    other
        .ask(client, &[Step::put(&local, "inbox/b.zip")])
        .assert_done();
    assert_eq!(on_disk(house, "other/inbox/b.zip"), noise(500_000));
}

/// The server's own word where the client hands it on, else the client's for the kind of refusal.
fn words<'w>(client: &dyn Client, ours: &'w str, theirs: &[&'w str]) -> Vec<&'w str> {
    let mut words = vec![ours];
    if !client.says_why() {
        words.extend(theirs);
    }
    words
}

fn on_disk(house: &House, path: &str) -> Vec<u8> {
    fs::read(house.on_disk(path)).unwrap()
}
