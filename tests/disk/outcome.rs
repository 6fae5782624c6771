//! What has come of a batch, to be compared between two houses.

use std::{collections::BTreeMap, fs, path::Path};

use kuori::{domain::BatchState, sample::Spec, store::Fault};

use crate::{
    hub::{Hub, because, now, sample_bytes},
    program::files_below,
};

/// Everything that left the house, and what its rows say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    files: BTreeMap<String, Vec<u8>>,
    mailboxes: Vec<(String, Vec<u8>)>,
    counts: String,
}

/// A house with a batch in its inbox.
pub(crate) fn house(letters: u32) -> Hub {
    let spec = Spec {
        letters,
        ..Spec::default()
    };
    let hub = Hub::new();
    hub.consent(&spec);
    hub.upload("kirjeet.zip", &sample_bytes(&spec));
    hub
}

/// The outcome of a house whose disk never failed.
pub(crate) async fn undisturbed(letters: u32) -> (Outcome, u64) {
    let hub = house(letters);
    let before = hub.store.commits();
    hub.try_to_run().await.unwrap();
    (Outcome::of(&hub), hub.store.commits() - before)
}

/// Goes on as often as it takes, as a daemon does: by the clock, and without a restart.
pub(crate) async fn run_to_the_end(hub: &Hub) {
    for _ in 0..30 {
        let ran = hub.try_to_run().await;
        if let Err(error) = &ran {
            assert!(!error.to_string().contains("panicked"), "{error}");
            // What the daemon keeps in hand until the store works.
            hub.store.release_leases().unwrap();
            continue;
        }
        let rows = hub.store.batches(1).unwrap();
        let Some(row) = rows.first() else { continue };
        if row.state == BatchState::Reported && row.due_at.is_none() {
            // What was put off comes due, and what was said to have failed, and had not, is seen at
            // the next look.
            let is_due = hub.store.retry_waiting(None, &because("later")).is_ok();
            if !is_due || hub.try_to_run().await.is_err() {
                continue;
            }
            hub.store.fail_commit(NEVER);
            hub.run_at(LATER.parse().unwrap()).await;
            return;
        }
        assert_ne!(row.state, BatchState::Held, "{:?}", row.reason);
        hub.store.retry_step(row, "", now()).unwrap();
    }
    panic!("it does not come to an end: {:?}", hub.store.batches(1));
}

/// A house counts a commit more or less, as its files happen to be seen: the last fault may be left.
const NEVER: Fault = Fault {
    nth: u64::MAX,
    is_after: false,
    code: 0,
};

/// When what was put off has come due.
const LATER: &str = "2026-11-23T22:00:00Z";

/// A file, without what depends on which of two steps comes first, and when.
fn told(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    match String::from_utf8(bytes) {
        Ok(text) => text
            .replace("\"handed-over\"", "\"composed\"")
            .replace(LATER, &now().to_string())
            .into_bytes(),
        Err(other) => other.into_bytes(),
    }
}

impl Outcome {
    pub(crate) fn of(hub: &Hub) -> Self {
        let mut files = BTreeMap::new();
        for folder in ["sender", "print-house"] {
            for path in files_below(&hub.path().join(folder)) {
                let name = path.strip_prefix(hub.path()).unwrap();
                files.insert(name.to_str().unwrap().to_owned(), told(&path));
            }
        }
        // Folders are named by a key of each house.
        let message = |path: &Path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        };
        let mut mailboxes: Vec<_> = hub
            .mailbox_messages()
            .iter()
            .map(|path| message(path))
            .collect();
        mailboxes.sort();
        Self {
            files,
            mailboxes,
            counts: format!("{:?}", hub.counts()),
        }
    }

    pub(crate) fn assert_same(&self, other: &Self, when: &str) {
        let names = |outcome: &Self| outcome.files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(self), names(other), "{when}");
        for (name, bytes) in &self.files {
            assert!(other.files[name] == *bytes, "{name} differs, {when}");
        }
        let names = |outcome: &Self| -> Vec<_> {
            let mailboxes = outcome.mailboxes.iter();
            mailboxes.map(|(name, _)| name.clone()).collect()
        };
        assert_eq!(names(self), names(other), "{when}");
        assert!(
            self.mailboxes == other.mailboxes,
            "a message differs, {when}"
        );
        assert_eq!(self.counts, other.counts, "{when}");
    }
}
