//! A bundle on its way to a print house, cut off all along the way.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use jiff::SignedDuration;
use kuori::{
    domain::{BatchId, DuplicateLetterIds},
    store::{Outgoing, OutgoingState},
    transport::SftpFolder,
};
use sha2::{Digest, Sha256};

use super::{
    cuts::{Way, small_batch},
    far_side::FarSide,
};
use crate::{
    hub::{Hub, now},
    sftp::line::Line,
};

/// A hand-over is too long to cut it at each byte: so many cuts, at even distances.
const FEW_CUTS: u64 = 9;
const MANY_CUTS: u64 = 80;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_marker_follows_whole_files_only_wherever_the_line_is_cut() {
    hand_over_cut_everywhere(Way::Up, FEW_CUTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_bundle_is_handed_over_wherever_the_answers_are_cut() {
    hand_over_cut_everywhere(Way::Down, FEW_CUTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes a minute"]
async fn a_marker_follows_whole_files_only_at_many_more_cuts() {
    hand_over_cut_everywhere(Way::Up, MANY_CUTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes a minute"]
async fn a_bundle_is_handed_over_at_many_more_cuts_of_the_answers() {
    hand_over_cut_everywhere(Way::Down, MANY_CUTS).await;
}

async fn hand_over_cut_everywhere(way: Way, cuts: u64) {
    let hub = Hub::with(|sender| sender.duplicate_letter_ids = DuplicateLetterIds::Accept);
    let far = FarSide::start().await;
    let whole = Attempt::at(&hub, &far, 0).await;
    let line = Line::to(far.address());
    whole.try_through(&line, 0).await;
    whole.assert_handed_over();
    let bytes = way.of(line.carried());

    for cut in 1..=cuts {
        let attempt = Attempt::at(&hub, &far, cut).await;
        let line = Line::to(far.address());
        way.cut(&line, bytes * cut / (cuts + 1));
        for hours in 0..4 {
            attempt.try_through(&line, hours).await;
            attempt.assert_no_marker_without_its_files();
        }
        assert!(!line.is_cut_to_come());
        attempt.assert_handed_over();
    }
    hub.run().await;
}

/// One batch that is composed and not handed over.
pub(super) struct Attempt<'a> {
    hub: &'a Hub,
    far: &'a FarSide,
    batch: BatchId,
}

impl<'a> Attempt<'a> {
    pub(super) async fn at(hub: &'a Hub, far: &'a FarSide, cut: u64) -> Self {
        hub.upload("kirjeet.zip", &small_batch(cut));
        hub.run_without_hand_over().await;
        let batch = hub.store.batches(1).unwrap()[0].id;
        Self { hub, far, batch }
    }

    /// Tries what is due at a time when the waits of earlier tries are over.
    pub(super) async fn try_through(&self, line: &Line, hours: i64) {
        let folder = SftpFolder::new(self.far.settings(line.address()));
        let outbox = self.hub.outbox_through(Arc::new(folder));
        let time = now() + SignedDuration::from_hours(2 * hours);
        while outbox.hand_over_next(time).await.unwrap() {}
    }

    pub(super) fn bundle(&self) -> Outgoing {
        let rows = self.hub.store.outgoing_of(self.batch).unwrap();
        rows.into_iter().find(|row| row.bundle.is_some()).unwrap()
    }

    pub(super) fn assert_no_marker_without_its_files(&self) {
        let (row, standing) = (self.bundle(), self.standing());
        let wanted = wanted(&row);
        let marker = &row.files.last().unwrap().path;
        if standing.contains_key(marker) {
            assert_eq!(standing, wanted);
        }
        // Under its own name a file is whole, also before the marker.
        for (path, digest) in &standing {
            let is_ours = wanted.get(path) == Some(digest);
            assert!(is_ours || path.contains("/."), "{path}");
        }
    }

    pub(super) fn assert_handed_over(&self) {
        let row = self.bundle();
        assert_eq!(row.state, OutgoingState::HandedOver, "{:?}", row.last_error);
        assert_eq!(self.standing(), wanted(&row));
    }

    /// Digests of what stands in the bundle's folder, by path.
    fn standing(&self) -> BTreeMap<String, String> {
        let row = self.bundle();
        let folder = PathBuf::from(&row.files[0].path);
        let folder = folder.parent().unwrap();
        let entries = fs::read_dir(self.far.on_disk(folder.to_str().unwrap()));
        let digest = |entry: std::io::Result<fs::DirEntry>| {
            let path = entry.unwrap().path();
            let name = folder.join(path.file_name().unwrap());
            let digest = Sha256::digest(fs::read(path).unwrap());
            let digest = digest
                .iter()
                .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
            (name.to_str().unwrap().to_owned(), digest)
        };
        entries.into_iter().flatten().map(digest).collect()
    }
}

fn wanted(row: &Outgoing) -> BTreeMap<String, String> {
    let files = row.files.iter();
    let wanted = files.map(|file| (file.path.clone(), file.file.sha256.clone()));
    wanted.collect()
}
