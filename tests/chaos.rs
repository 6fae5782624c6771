//! Every point between the house and a folder elsewhere, one after the other, as the last thing
//! that happened before a crash, or as a call that failed: files are taken once and handed over
//! once.

use std::{
    collections::BTreeSet,
    fs,
    future::pending,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use kuori::{
    domain::RecipientId,
    mailbox::{self, Delivery, DeliveryId, Mailbox, MailboxReceipt},
    sample::Spec,
    store::{Again, CannotCancel, NewEvent, Selection, Standing},
    transport::{
        Action, Error, FileDigest, Listing, ReadBack, RemoteFile, RemoteFolder, RemotePath,
        Uploaded,
    },
};
use tokio::sync::Notify;

use crate::hub::{Hub, because, now, sample_bytes};

/// What happens at the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The program ends before the other side hears of the call.
    StopsBefore,
    /// The program ends when the other side has done what was asked; of a download, half.
    StopsAfter,
    FailsBefore,
    /// The other side has done what was asked, and its answer is lost.
    FailsAfter,
}

pub(crate) const TROUBLES: [Trouble; 4] = [
    Trouble::StopsBefore,
    Trouble::StopsAfter,
    Trouble::FailsBefore,
    Trouble::FailsAfter,
];

/// A folder that makes trouble at its `at`-th call, and none before or after.
pub(crate) struct ChaosFolder {
    inner: Arc<dyn RemoteFolder>,
    trouble: Trouble,
    at: u32,
    calls: AtomicU32,
    stopped: Notify,
    /// A print house that takes a bundle away once its marker stands there.
    print_house: Option<PrintHouse>,
}

impl ChaosFolder {
    pub(crate) fn new(inner: Arc<dyn RemoteFolder>, trouble: Trouble, at: u32) -> Self {
        Self {
            inner,
            trouble,
            at,
            calls: AtomicU32::new(0),
            stopped: Notify::new(),
            print_house: None,
        }
    }

    /// Whether the chosen call was made.
    pub(crate) fn has_struck(&self) -> bool {
        self.calls.load(Ordering::SeqCst) >= self.at
    }

    /// Does work to its end, or drops it where the program would have ended.
    pub(crate) async fn until_stopped<T>(&self, work: impl Future<Output = T>) {
        tokio::select! {
            _ = work => {}
            () = self.stopped.notified() => {}
        }
    }

    /// Counts a call; returns whether it is the chosen one.
    async fn before(&self) -> Result<bool, Error> {
        let is_chosen = self.calls.fetch_add(1, Ordering::SeqCst) + 1 == self.at;
        match self.trouble {
            Trouble::StopsBefore if is_chosen => self.stop().await,
            Trouble::FailsBefore if is_chosen => Err(lost()),
            _ => Ok(is_chosen),
        }
    }

    async fn after<T>(&self, is_chosen: bool, done: Result<T, Error>) -> Result<T, Error> {
        match self.trouble {
            Trouble::StopsAfter if is_chosen => self.stop().await,
            Trouble::FailsAfter if is_chosen => Err(lost()),
            _ => done,
        }
    }

    fn let_print_house_look(&self, when: impl FnOnce(Clears) -> bool) {
        if let Some(print_house) = &self.print_house
            && when(print_house.clears)
        {
            print_house.take_bundles();
        }
    }

    async fn stop<T>(&self) -> T {
        self.stopped.notify_one();
        pending().await
    }
}

fn lost() -> Error {
    Error::Io {
        action: Action::Stat,
        path: RemotePath::root(),
        source: io::ErrorKind::ConnectionReset.into(),
    }
}

#[async_trait]
impl RemoteFolder for ChaosFolder {
    async fn list(&self, folder: &RemotePath) -> Result<Listing, Error> {
        let is_chosen = self.before().await?;
        self.after(is_chosen, self.inner.list(folder).await).await
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, Error> {
        let is_chosen = self.before().await?;
        self.after(is_chosen, self.inner.stat(path).await).await
    }

    async fn read_from(
        &self,
        path: &RemotePath,
        offset: u64,
        to: &mut (dyn Write + Send),
    ) -> Result<u64, Error> {
        let is_chosen = self.before().await?;
        if !is_chosen {
            return self.inner.read_from(path, offset, to).await;
        }
        let mut whole = Vec::new();
        let done = self.inner.read_from(path, offset, &mut whole).await;
        to.write_all(&whole[..whole.len() / 2]).unwrap();
        self.after(is_chosen, done).await
    }

    async fn upload(
        &self,
        from: &Path,
        to: &RemotePath,
        read_back: ReadBack,
    ) -> Result<Uploaded, Error> {
        let is_chosen = self.before().await?;
        self.let_print_house_look(|clears| clears == Clears::BeforeTheNextWrite);
        let done = self.inner.upload(from, to, read_back).await;
        self.let_print_house_look(|clears| clears != Clears::BeforeTheNextWrite);
        self.after(is_chosen, done).await
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath) -> Result<(), Error> {
        let is_chosen = self.before().await?;
        self.after(is_chosen, self.inner.rename(from, to).await)
            .await
    }

    async fn remove(&self, path: &RemotePath) -> Result<(), Error> {
        let is_chosen = self.before().await?;
        self.after(is_chosen, self.inner.remove(path).await).await
    }

    async fn make_dir(&self, path: &RemotePath) -> Result<(), Error> {
        let is_chosen = self.before().await?;
        self.let_print_house_look(|clears| clears == Clears::BeforeTheNextWrite);
        self.after(is_chosen, self.inner.make_dir(path).await).await
    }

    async fn digest(&self, path: &RemotePath) -> Result<Option<FileDigest>, Error> {
        let is_chosen = self.before().await?;
        self.after(is_chosen, self.inner.digest(path).await).await
    }
}

/// How a print house clears its folder away once it has a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clears {
    AllAtOnce,
    /// Only the first file so far: it is still at it when the house looks again.
    PdfFirst,
    PieceListFirst,
    /// Everything, but late: after the house has looked what stands there, before it writes.
    BeforeTheNextWrite,
}

struct PrintHouse {
    pickup: PathBuf,
    clears: Clears,
    /// How often a marker was seen.
    taken: AtomicU32,
}

impl PrintHouse {
    fn take_bundles(&self) {
        for entry in fs::read_dir(&self.pickup).unwrap() {
            let folder = entry.unwrap().path();
            let file = |ending: &str| {
                let id = folder.file_name().unwrap().to_str().unwrap();
                folder.join(format!("{id}.{ending}"))
            };
            if !file("ok").exists() {
                continue;
            }
            for ending in ["pdf", "pieces.csv", "job.xml"] {
                assert!(
                    file(ending).exists(),
                    "a marker stands without the {ending}"
                );
            }
            self.taken.fetch_add(1, Ordering::SeqCst);
            fs::remove_file(file("ok")).unwrap();
            match self.clears {
                Clears::AllAtOnce | Clears::BeforeTheNextWrite => {
                    fs::remove_dir_all(&folder).unwrap();
                }
                Clears::PdfFirst => fs::remove_file(file("pdf")).unwrap(),
                Clears::PieceListFirst => fs::remove_file(file("pieces.csv")).unwrap(),
            }
        }
    }
}

/// What a start does before anything else.
pub(crate) fn start_again(hub: &Hub) {
    hub.store.release_leases().unwrap();
    hub.store.sweep().unwrap();
}

/// Late enough for everything that was put off.
pub(crate) fn later() -> Timestamp {
    now() + SignedDuration::from_hours(2)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_taken_once_whatever_happens_at_any_call() {
    let mut points = 0;
    for trouble in TROUBLES {
        for at in 1.. {
            let hub = Hub::new();
            hub.upload("letters.zip", b"what a batch is does not matter here");
            let folder = Arc::new(ChaosFolder::new(hub.sender_door(), trouble, at));
            let inbox = hub.inbox_through(folder.clone());
            folder.until_stopped(inbox.poll(now())).await;
            start_again(&hub);
            hub.inbox_through(hub.sender_door())
                .poll(now())
                .await
                .unwrap();
            assert_taken_once(&hub, &format!("{trouble:?} at call {at}"));
            hub.run().await;
            if !folder.has_struck() {
                break;
            }
            points += 1;
        }
    }
    assert!(points > 25, "{points} points");
}

fn assert_taken_once(hub: &Hub, when: &str) {
    let batches = hub.store.batches(10).unwrap();
    assert_eq!(batches.len(), 1, "{when}");
    let file = hub.store.spool().map(&batches[0].spool).unwrap();
    assert_eq!(
        file.as_ref(),
        b"what a batch is does not matter here",
        "{when}"
    );
    assert_eq!(hub.names("sender/inbox"), [""; 0], "{when}");
    assert_eq!(hub.names("sender/.kuori/taking"), [""; 0], "{when}");
    assert!(
        hub.store.arrivals("example-city").unwrap().is_empty(),
        "{when}"
    );
    assert_eq!(hub.names("data/spool/temporary"), [""; 0], "{when}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_taken_is_begun_once_and_taken_when_it_can_be() {
    let hub = Hub::new();
    hub.upload("letters.zip", b"PK");
    let inbox = hub.inbox_through(hub.sender_door());
    // A file where the folder of claimed files has to be.
    fs::create_dir_all(hub.path().join("sender/.kuori")).unwrap();
    fs::write(hub.path().join("sender/.kuori/taking"), "").unwrap();
    for _ in 0..3 {
        assert!(inbox.poll(now()).await.unwrap().is_empty());
        assert_eq!(hub.store.arrivals("example-city").unwrap().len(), 1);
    }
    fs::remove_file(hub.path().join("sender/.kuori/taking")).unwrap();
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 1);
    assert!(hub.store.arrivals("example-city").unwrap().is_empty());
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claimed_file_without_a_row_is_adopted() {
    let hub = Hub::new();
    let taking = hub.sender_folder().join(".kuori/taking");
    fs::create_dir_all(&taking).unwrap();
    // Ids start at 1 again with a lost database: one orphan has the id that is given next.
    for orphan in ["1", "2", "77"] {
        fs::write(taking.join(orphan), format!("PK {orphan}")).unwrap();
    }
    let inbox = hub.inbox_through(hub.sender_door());
    let received = inbox.poll(now()).await.unwrap().len() + inbox.poll(now()).await.unwrap().len();
    assert_eq!(received, 3);
    let rows = hub.store.batches(10).unwrap();
    let mut contents: Vec<_> = rows
        .iter()
        .map(|row| hub.store.spool().map(&row.spool).unwrap().as_ref().to_vec())
        .collect();
    contents.sort();
    assert_eq!(contents, [&b"PK 1"[..], b"PK 2", b"PK 77"]);
    assert!(
        rows.iter()
            .all(|row| row.file_name.starts_with("recovered-"))
    );
    assert_eq!(hub.names("sender/.kuori/taking"), [""; 0]);
    assert!(hub.store.arrivals("example-city").unwrap().is_empty());
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arrival_is_ended_only_where_the_claimed_files_can_be_seen() {
    let hub = Hub::new();
    let sender = "example-city".parse().unwrap();
    let inbox = hub.inbox_through(hub.sender_door());
    let arrivals = || hub.store.arrivals("example-city").unwrap().len();
    hub.store
        .begin_arrival(&sender, "example-city", "letters.zip", now())
        .unwrap();
    inbox.poll(now()).await.unwrap();
    assert_eq!(arrivals(), 1);
    fs::create_dir_all(hub.sender_folder().join(".kuori/taking")).unwrap();
    inbox.poll(now()).await.unwrap();
    assert_eq!(arrivals(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_marker_of_a_second_file_of_the_same_name_is_left_to_it() {
    let hub = Hub::new();
    hub.upload("letters.zip", b"PK first");
    hub.upload("letters.zip.ok", b"");
    // The claim is done and the copy fails: list ×2, two folders, rename, stat and remove of the
    // marker, stat of the copy, download.
    let folder = ChaosFolder::new(hub.sender_door(), Trouble::FailsBefore, 9);
    let inbox = hub.inbox_with_markers(Arc::new(folder));
    assert!(inbox.poll(now()).await.unwrap().is_empty());
    assert_eq!(hub.names("sender/inbox"), [""; 0]);

    hub.upload("letters.zip", b"PK second");
    hub.upload("letters.zip.ok", b"");
    for _ in 0..2 {
        inbox.poll(now()).await.unwrap();
    }
    assert_eq!(hub.store.batches(10).unwrap().len(), 2);
    assert_eq!(hub.names("sender/inbox"), [""; 0]);
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_handed_over_once_whatever_happens_at_any_call() {
    for trouble in TROUBLES {
        assert!(points_handed_over(Clears::AllAtOnce, trouble).await >= 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_is_half_cleared_away_is_not_handed_over_again() {
    for clears in [Clears::PdfFirst, Clears::PieceListFirst] {
        for trouble in [Trouble::StopsAfter, Trouble::FailsAfter] {
            assert!(points_handed_over(clears, trouble).await >= 5);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_is_cleared_away_after_a_look_is_not_handed_over_again() {
    for trouble in [Trouble::StopsAfter, Trouble::FailsAfter] {
        assert!(points_handed_over(Clears::BeforeTheNextWrite, trouble).await >= 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_not_taken_for_fetched_while_its_place_is_away() {
    let hub = Hub::new();
    let letters = Spec {
        letters: 2,
        ..Spec::default()
    };
    hub.upload("letters.zip", &sample_bytes(&letters));
    hub.run_without_hand_over().await;
    let pickup = hub.print_house_folder().join("pickup");
    let away = hub.path().join("away");
    // The folder, three files, and then the marker that does not get there.
    let door = |at| ChaosFolder::new(hub.print_house_door(), Trouble::FailsBefore, at);
    let outbox = hub.outbox_through(Arc::new(door(5)));
    while outbox.hand_over_next(now()).await.unwrap() {}
    let outbox = hub.outbox_through(Arc::new(door(u32::MAX)));
    fs::rename(&pickup, &away).unwrap();
    while outbox.hand_over_next(later()).await.unwrap() {}
    assert_eq!(hub.counts().printed, 0);
    assert!(
        !pickup.exists(),
        "a folder was made where the mount has to be"
    );

    fs::rename(&away, &pickup).unwrap();
    let later = later() + SignedDuration::from_hours(1);
    while outbox.hand_over_next(later).await.unwrap() {}
    assert_eq!(hub.counts().printed, 2);
    let bundle = fs::read_dir(&pickup).unwrap().next().unwrap().unwrap();
    assert_eq!(fs::read_dir(bundle.path()).unwrap().count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_marker_follows_a_damaged_file() {
    let hub = Hub::new();
    let letters = Spec {
        letters: 2,
        ..Spec::default()
    };
    hub.upload("letters.zip", &sample_bytes(&letters));
    hub.run_without_hand_over().await;
    let batch = hub.store.batches(1).unwrap()[0].id;
    let hand_overs = hub.store.outgoing_of(batch).unwrap();
    let bundle = hand_overs.iter().find(|row| row.bundle.is_some()).unwrap();
    let pdf = hub.store.spool().path(&bundle.files[0].file.key);
    let whole = fs::read(&pdf).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs::write(&pdf, damaged).unwrap();
    let outbox = hub.outbox_through(hub.print_house_door());
    while outbox.hand_over_next(now()).await.unwrap() {}
    let rows = hub.store.outgoing_of(batch).unwrap();
    let held = rows.iter().find(|row| row.held_at.is_some()).unwrap();
    assert_eq!(held.standing(), Standing::Held);
    let error = held.last_error.clone().unwrap();
    assert!(error.contains("damaged"), "{error}");
    let standing = fs::read_dir(hub.print_house_folder().join("pickup")).unwrap();
    let standing = standing.map(|entry| entry.unwrap().path());
    let folder = standing.into_iter().next().unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    assert_eq!(hub.counts().printed, 0);

    fs::write(&pdf, whole).unwrap();
    // No wait makes it whole: somebody says that it is.
    while outbox.hand_over_next(later()).await.unwrap() {}
    assert_eq!(hub.counts().printed, 0);
    let action = because("brought back");
    hub.store.retry_waiting(None, &action).unwrap();
    while outbox.hand_over_next(now()).await.unwrap() {}
    assert_eq!(hub.counts().printed, 2);
    hub.run().await;
}

/// Hands over with trouble at the first call, at the second and so on; returns how many there are.
async fn points_handed_over(clears: Clears, trouble: Trouble) -> u32 {
    let mut points = 0;
    while hand_over(clears, trouble, points + 1).await {
        points += 1;
    }
    points
}

/// Hands one bundle over with trouble, then without. Returns whether there was any.
async fn hand_over(clears: Clears, trouble: Trouble, at: u32) -> bool {
    let hub = Hub::new();
    let letters = Spec {
        letters: 2,
        ..Spec::default()
    };
    hub.upload("letters.zip", &sample_bytes(&letters));
    hub.run_without_hand_over().await;
    let print_house = |trouble, at| {
        let mut folder = ChaosFolder::new(hub.print_house_door(), trouble, at);
        folder.print_house = Some(PrintHouse {
            pickup: hub.print_house_folder().join("pickup"),
            clears,
            taken: AtomicU32::new(0),
        });
        Arc::new(folder)
    };
    let (first, second) = (print_house(trouble, at), print_house(trouble, u32::MAX));
    let outbox = hub.outbox_through(first.clone());
    first
        .until_stopped(async { while outbox.hand_over_next(now()).await.unwrap() {} })
        .await;
    start_again(&hub);
    let outbox = hub.outbox_through(second.clone());
    for at in [later(), later() + SignedDuration::from_hours(1)] {
        while outbox.hand_over_next(at).await.unwrap() {}
    }
    second.let_print_house_look(|_| true);

    let taken = [&first, &second].map(|folder| {
        let print_house = folder.print_house.as_ref().unwrap();
        print_house.taken.load(Ordering::SeqCst)
    });
    let when = format!("{clears:?}, {trouble:?} at call {at}");
    assert_eq!(taken.iter().sum::<u32>(), 1, "{when}: {taken:?}");
    assert_eq!(hub.counts().printed, 2, "{when}");
    // What was handed over is told.
    hub.run().await;
    first.has_struck()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_who_takes_every_file_at_once_gets_each_receipt_whatever_happens_at_any_call() {
    for trouble in TROUBLES {
        let mut at = 1;
        while receipts_arrive(trouble, at).await {
            at += 1;
        }
        assert!(at > 6, "{trouble:?}: only {at} calls");
    }
}

/// Hands two signed receipts over with trouble, then without. Returns whether there was any.
async fn receipts_arrive(trouble: Trouble, at: u32) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::signing(|_| {}, &folder.path().join("receipt.key"));
    hub.upload("letters.zip", b"this is no ZIP");
    hub.run_without_hand_over().await;
    let receipts = hub.sender_folder().join("receipts");
    let mut taken = BTreeSet::new();
    let mut take_all = || {
        for entry in fs::read_dir(&receipts).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if !name.starts_with('.') {
                fs::remove_file(path).unwrap();
                taken.insert(name);
            }
        }
    };
    let door = |trouble, at| Arc::new(ChaosFolder::new(hub.sender_door(), trouble, at));
    let (first, second) = (door(trouble, at), door(trouble, u32::MAX));
    let outbox = hub.outbox_to_sender_through(first.clone());
    first
        .until_stopped(async { while outbox.hand_over_next(now()).await.unwrap() {} })
        .await;
    take_all();
    start_again(&hub);
    let outbox = hub.outbox_to_sender_through(second);
    while outbox.hand_over_next(later()).await.unwrap() {}
    take_all();
    let kinds = ["acknowledgement", "processing"];
    let expected = kinds.into_iter().flat_map(|kind| {
        ["xml", "xml.sig"].map(|ending| format!("letters.B-0001.{kind}.{ending}"))
    });
    assert_eq!(taken, expected.collect(), "{trouble:?} at call {at}");
    first.has_struck()
}

/// Mailboxes that take the first page of messages and do not get round to saying so, nor to answering
/// when they are asked next.
struct SilentOnce {
    inner: Arc<dyn Mailbox>,
    has_been: AtomicBool,
    has_been_asked: AtomicBool,
}

#[async_trait]
impl Mailbox for SilentOnce {
    async fn deliver(
        &self,
        page: Vec<Delivery>,
    ) -> Result<Vec<Result<MailboxReceipt, mailbox::Error>>, mailbox::Error> {
        let receipts = self.inner.deliver(page).await?;
        if self.has_been.swap(true, Ordering::SeqCst) {
            return Ok(receipts);
        }
        Err(mailbox::Error::Sync {
            root: PathBuf::new(),
            source: io::ErrorKind::StorageFull.into(),
        })
    }

    async fn has(&self, id: DeliveryId, recipient: &RecipientId) -> Result<bool, mailbox::Error> {
        if self.has_been_asked.swap(true, Ordering::SeqCst) {
            return self.inner.has(id, recipient).await;
        }
        Err(mailbox::Error::Find {
            message: id.message,
            source: io::ErrorKind::TimedOut.into(),
        })
    }

    async fn discard(&self, id: DeliveryId, recipient: &RecipientId) -> Result<(), mailbox::Error> {
        self.inner.discard(id, recipient).await
    }
}

/// Twenty letters, of which those with a mailbox lie in it, and no row tells of it.
async fn delivered_unrecorded() -> (Hub, Spec) {
    let hub = Hub::with_mailbox(|inner| {
        Arc::new(SilentOnce {
            inner,
            has_been: AtomicBool::new(false),
            has_been_asked: AtomicBool::new(false),
        })
    });
    let spec = Spec {
        letters: 20,
        ..Spec::default()
    };
    hub.consent(&spec);
    hub.upload_sample("letters.zip", &spec);
    hub.run().await;
    (hub, spec)
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_withdrawn_after_an_unrecorded_delivery_sends_nothing_on_paper_too() {
    let (hub, spec) = delivered_unrecorded().await;
    let in_mailboxes = hub.mailbox_messages().len() as u64;
    assert!(in_mailboxes > 5 && hub.counts().delivered == 0);

    hub.withdraw_consents(&spec);
    hub.try_again_now();
    hub.run().await;
    let counts = hub.counts();
    assert_eq!(
        (counts.delivered, counts.printed),
        (in_mailboxes, 20 - in_mailboxes)
    );
    assert_eq!(hub.mailbox_messages().len() as u64, in_mailboxes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_not_cancelled_while_nobody_knows_what_lies_in_mailboxes() {
    let (hub, _) = delivered_unrecorded().await;
    assert!(hub.counts().delivered == 0 && !hub.mailbox_messages().is_empty());
    let batch = hub.store.batches(1).unwrap()[0].id;
    let action = NewEvent {
        at: now(),
        actor: "maija".to_owned(),
        why: "a try".to_owned(),
    };
    let begun = [CannotCancel::DeliveryBegun(batch)];
    assert_eq!(hub.store.cancel(batch, &action).unwrap().blocked, begun);
    // Nor after it was set back to its first step.
    let all = Selection {
        batch,
        positions: Vec::new(),
        from: None,
        again: Again::default(),
    };
    hub.store.reprocess(&all, &action).unwrap();
    assert_eq!(hub.store.cancel(batch, &action).unwrap().blocked, begun);
    hub.run().await;
    let counts = hub.counts();
    assert_eq!(counts.delivered + counts.printed, 20);
}
