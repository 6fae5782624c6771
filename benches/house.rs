use std::{
    fs::{self, File},
    path::Path,
};

use jiff::Timestamp;
use kuori::{
    assemble::Works,
    config::{Config, FolderConfig},
    domain::RecipientId,
    pipeline::Clock,
    sample::{self, SampleRecipient, Spec},
    store::{BatchRow, ConsentChange, ConsentStatus},
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// A whole house in a temporary folder, with the embedded settings and plain folders for its doors.
pub(crate) struct House {
    works: Works,
    runtime: Runtime,
    folder: TempDir,
}

impl House {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = settings(folder.path());
        for door in ["inbox", "receipts", "pickup"] {
            fs::create_dir_all(folder.path().join(door)).unwrap();
        }
        let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
        let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
        let works = Works::open(&config, clock).unwrap();
        Self {
            works,
            runtime,
            folder,
        }
    }

    /// Puts a batch into the inbox, and the consents of its recipients into the register.
    pub(crate) fn upload(&self, spec: &Spec) {
        let consents: Vec<_> = sample::recipients(spec).filter_map(consent).collect();
        self.works
            .store
            .record_consents(&consents, "bench", Timestamp::UNIX_EPOCH)
            .unwrap();
        let zip = File::create(self.folder.path().join("inbox/batch.zip")).unwrap();
        sample::write(spec, zip, &|_| {}).unwrap();
    }

    /// As [`House::run`], whatever comes of it.
    #[allow(dead_code, reason = "not in every bench")]
    pub(crate) fn begin(&self) {
        self.runtime.block_on(self.works.run_until_idle()).unwrap();
    }

    #[allow(dead_code, reason = "not in every bench")]
    pub(crate) fn newest(&self) -> Option<BatchRow> {
        self.works.store.batches(1).unwrap().pop()
    }

    #[allow(dead_code, reason = "not in every bench")]
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// From the inbox to mailboxes, print house and receipts.
    pub(crate) fn run(&self, letters: u32) {
        let works = &self.works;
        self.runtime.block_on(works.run_until_idle()).unwrap();
        let batch = works.store.batches(1).unwrap().first().unwrap().id;
        let counts = works.store.counts(batch).unwrap();
        assert_eq!(counts.delivered + counts.printed, u64::from(letters));
    }
}

/// The embedded settings with plain folders for doors.
pub(crate) fn settings(folder: &Path) -> Config {
    let mut config = Config::embedded(folder.to_owned());
    let doors = FolderConfig::Directory(config.data_folder.clone());
    config.server = None;
    for sender in &mut config.senders {
        sender.folder = doors.clone();
    }
    for print_house in &mut config.print_houses {
        print_house.folder = Some(doors.clone());
    }
    config
}

fn consent(recipient: SampleRecipient) -> Option<ConsentChange> {
    let id = recipient.id.filter(|_| recipient.has_mailbox)?;
    Some(ConsentChange {
        recipient: RecipientId::Person(id),
        status: ConsentStatus::Granted,
        since: Timestamp::UNIX_EPOCH,
    })
}
