use std::{
    convert::Infallible,
    io::{self, Read},
    sync::{Arc, Mutex},
};

use kuori::{
    batch::{self, Archive, NoCheck, Opened, OpenedMessage, Settings, SharedBytes, Shelf},
    domain::{DocumentName, Finding},
};

use super::{bounds::settings, documents, findings, messages};

/// Opens whatever it is as a batch.
pub fn batch(bytes: &[u8]) {
    let settings = settings();
    let archive = match Archive::open(bytes, &settings.limits) {
        Ok(archive) => archive,
        Err(findings) => return findings::of_a_refused_archive(&findings),
    };
    let run = Run::of(&archive, &settings);
    findings::of_a_batch(&run.opened.findings);
    run.messages.iter().for_each(findings::of_a_message);
    messages::come_in_order(&run);
    messages::say_why_they_are_refused(&run);
    documents::keep_the_limits(&run, &settings.limits);
    documents::hold_the_pages_of_their_messages(&run);
    if !run.opened.is_refused() {
        messages::are_all_there(&run);
        documents::give_no_page_twice(&run);
        documents::have_names_of_their_own(&archive, &settings);
        documents::are_read_again(&run, &archive, &settings);
        assert!(
            run.is_like(&Run::of(&archive, &settings)),
            "opened twice, two outcomes"
        );
    }
}

/// Everything that is said of a batch, whether its ZIP is opened or not.
pub fn told(bytes: &[u8], settings: &Settings) -> Vec<Finding> {
    let archive = match Archive::open(bytes, &settings.limits) {
        Ok(archive) => archive,
        Err(findings) => return findings,
    };
    let Run {
        opened, messages, ..
    } = Run::of(&archive, settings);
    let of_messages = messages.into_iter().flat_map(|message| message.findings);
    opened.findings.into_iter().chain(of_messages).collect()
}

/// A batch that was opened, and all that came out.
pub(super) struct Run {
    pub(super) opened: Opened,
    pub(super) messages: Vec<OpenedMessage>,
    /// How many messages were handed over at a time.
    pub(super) parcels: Vec<usize>,
    /// What stands on the shelf.
    pub(super) shelved: Vec<(DocumentName, SharedBytes)>,
}

impl Run {
    fn of(archive: &Archive<'_>, settings: &Settings) -> Self {
        let shelf = Remembering::default();
        let (mut messages, mut parcels) = (Vec::new(), Vec::new());
        let mut sink = |parcel: Vec<OpenedMessage>| {
            parcels.push(parcel.len());
            messages.extend(parcel);
            Ok::<(), Infallible>(())
        };
        let opened = batch::open(archive, "a.zip", settings, &shelf, &NoCheck, &mut sink);
        Self {
            opened: opened.expect("neither shelf nor sink fails"),
            messages,
            parcels,
            shelved: shelf.kept.into_inner().expect("nobody panicked"),
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.opened == other.opened && self.messages == other.messages
    }

    pub(super) fn has_error(&self) -> bool {
        self.opened.findings.iter().any(Finding::is_error)
    }
}

/// A shelf that remembers all it was given.
#[derive(Default)]
struct Remembering {
    kept: Mutex<Vec<(DocumentName, SharedBytes)>>,
}

impl Shelf for Remembering {
    fn keep(&self, document: &DocumentName, content: &mut dyn Read) -> io::Result<SharedBytes> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        let bytes: SharedBytes = Arc::new(bytes);
        let mut kept = self.kept.lock().expect("nobody panicked");
        kept.push((document.clone(), Arc::clone(&bytes)));
        Ok(bytes)
    }
}
