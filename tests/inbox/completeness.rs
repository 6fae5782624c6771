use std::{
    fs,
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::SignedDuration;
use kuori::{
    inbox::{Completeness, Inbox, Settings},
    sample::Spec,
    store::{FileWait, Received},
    transport::RemoteFolder,
};

use super::trick::TrickFolder;
use crate::hub::{Hub, now, sample_bytes};

/// An inbox whose steady clock the test sets.
struct Settling {
    inbox: Inbox,
    seconds: Arc<AtomicU64>,
}

impl Settling {
    fn new(hub: &Hub, folder: Arc<dyn RemoteFolder>) -> Self {
        let seconds = Arc::new(AtomicU64::new(0));
        let clock = Arc::clone(&seconds);
        let settled = Completeness::Settled { settle_secs: 30 };
        let inbox = hub.inbox_with(folder, |settings| settings.completeness = settled);
        let steady = Arc::new(move || Duration::from_secs(clock.load(Ordering::SeqCst)));
        Self {
            inbox: inbox.with_clock(steady),
            seconds,
        }
    }

    async fn poll_at(&self, second: u64) -> Vec<Received> {
        self.seconds.store(second, Ordering::SeqCst);
        self.inbox.poll(now()).await.unwrap()
    }
}

fn waits(hub: &Hub) -> Vec<FileWait> {
    let looks = hub.store.inbox_looks().unwrap();
    looks[0].files.iter().map(|file| file.wait).collect()
}

fn zip() -> Vec<u8> {
    sample_bytes(&Spec {
        letters: 1,
        ..Spec::default()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_taken_when_it_is_still_and_ends_as_a_zip_does() {
    let hub = Hub::new();
    let settling = Settling::new(&hub, hub.sender_door());
    let zip = zip();
    hub.upload("letters.zip", &zip[..zip.len() - 1]);
    assert_eq!(settling.poll_at(0).await, []);
    assert_eq!(waits(&hub), [FileWait::Settles]);
    // Still for long enough, and not whole.
    assert_eq!(settling.poll_at(31).await, []);
    assert_eq!(settling.poll_at(31).await, []);
    assert_eq!(waits(&hub), [FileWait::NoZipEnd]);
    hub.upload("letters.zip", &zip);
    assert_eq!(settling.poll_at(32).await, []);
    assert_eq!(waits(&hub), [FileWait::Grows]);
    assert_eq!(settling.poll_at(61).await, []);
    assert_eq!(settling.poll_at(62).await.len(), 1);
    hub.run().await;
    assert_eq!(hub.counts().received, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_look_is_never_enough() {
    let hub = Hub::new();
    hub.upload("letters.zip", &zip());
    let settling = Settling::new(&hub, hub.sender_door());
    assert_eq!(settling.poll_at(1_000_000).await, []);
    assert_eq!(settling.poll_at(1_000_030).await.len(), 1);
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_grows_again_while_it_is_read_is_read_again_as_a_whole() {
    let hub = Hub::new();
    hub.upload("letters.zip", b"PK first half");
    let taking = hub.sender_folder().join(".kuori/taking");
    let has_grown = AtomicU64::new(0);
    let folder = TrickFolder::new(hub.sender_door(), move |call, _| {
        // Its sender has it open still.
        if call == "read" && has_grown.fetch_add(1, Ordering::SeqCst) == 0 {
            let claimed = fs::read_dir(&taking).unwrap().next().unwrap().unwrap();
            let mut file = fs::File::options().append(true).open(claimed.path());
            file.as_mut().unwrap().write_all(b", second half").unwrap();
        }
        Ok(())
    });
    let inbox = hub.inbox_through(folder);
    let received = inbox.poll(now()).await.unwrap().len() + inbox.poll(now()).await.unwrap().len();
    assert_eq!(received, 1);
    let batch = hub.store.batches(9).unwrap().remove(0);
    let file = hub.store.spool().map(&batch.spool).unwrap();
    assert_eq!(file.as_ref(), b"PK first half, second half");
    drop(file);
    hub.run().await;
}

fn quick(settings: &mut Settings) {
    settings.back_off.first = SignedDuration::from_millis(5);
    settings.back_off.longest = SignedDuration::from_millis(20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_copy_goes_on_at_its_offset_and_is_compared_as_a_whole() {
    let hub = Hub::new();
    let bytes: Vec<u8> = (0..10_000_u32).flat_map(u32::to_le_bytes).collect();
    hub.upload("letters.zip", &bytes);
    let folder = TrickFolder::new(hub.sender_door(), |_, _| Ok(()));
    *folder.cut_at.lock().unwrap() = Some(15_000);
    let inbox = hub.inbox_with(folder.clone(), quick);
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 1);
    let reads = folder.reads.lock().unwrap().clone();
    // The second time for its digest, which breaks as often.
    let once = [(0, 15_000), (15_000, 15_000), (30_000, 10_000)];
    assert_eq!(reads, [once, once].concat());
    let batch = hub.store.batches(9).unwrap().remove(0);
    let file = hub.store.spool().map(&batch.spool).unwrap();
    assert_eq!(file.as_ref(), bytes);
    drop(file);
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_does_not_get_on_is_given_up_and_begun_again_at_another_look() {
    let hub = Hub::new();
    hub.upload("letters.zip", b"PK and so on");
    let folder = TrickFolder::new(hub.sender_door(), |_, _| Ok(()));
    *folder.cut_at.lock().unwrap() = Some(0);
    let inbox = hub.inbox_with(folder.clone(), quick);
    assert_eq!(inbox.poll(now()).await.unwrap(), []);
    // After its first bytes it is given some more tries.
    *folder.cut_at.lock().unwrap() = None;
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 1);
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_changed_while_its_copy_was_broken_is_not_put_together() {
    let hub = Hub::new();
    hub.upload("letters.zip", b"PK the first file");
    let path = hub.sender_folder().join("inbox/letters.zip");
    let changed = path.clone();
    let reads = AtomicU64::new(0);
    let folder = TrickFolder::new(hub.sender_door(), move |call, _| {
        if call == "read" && reads.fetch_add(1, Ordering::SeqCst) == 1 {
            fs::write(&changed, b"PK the other file").unwrap();
        }
        Ok(())
    });
    *folder.cut_at.lock().unwrap() = Some(9);
    let inbox = hub.inbox_with(folder.clone(), |settings| {
        quick(settings);
        settings.way = kuori::inbox::Way::ReadOnly { forget_days: 1 };
    });
    // The size is the same, and the time may be: the digest of the whole is not.
    assert_eq!(inbox.poll(now()).await.unwrap(), []);
    assert_eq!(hub.store.batches(9).unwrap().len(), 0);
    *folder.cut_at.lock().unwrap() = None;
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 1);
    fs::remove_file(path).unwrap();
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_disk_that_is_full_leaves_the_file_claimed() {
    let hub = Hub::new();
    hub.upload("letters.zip", b"PK and so on");
    let folder = TrickFolder::new(hub.sender_door(), |call, path| {
        let source = io::ErrorKind::StorageFull.into();
        let path = path.clone();
        match call {
            "read" => Err(kuori::transport::Error::Write { path, source }),
            _ => Ok(()),
        }
    });
    let inbox = hub.inbox_through(folder);
    assert_eq!(inbox.poll(now()).await.unwrap(), []);
    assert_eq!(hub.names("sender/.kuori/taking").len(), 1);
    let inbox = hub.inbox_through(hub.sender_door());
    assert_eq!(inbox.poll(now()).await.unwrap().len(), 1);
    hub.run().await;
}
