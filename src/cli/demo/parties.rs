use std::{fs, io, net::SocketAddr, path::Path};

use super::summary::{Fetched, Paths};
use crate::{
    assemble::Party,
    cli::CommandError,
    domain::BatchId,
    store::{OutgoingKind, Store},
};

const SENDER: &str = "example-city";
const PRINT_HOUSE: &str = "example-print";

/// The sender and the print house before they log in: their public keys.
pub(super) struct Parties {
    pub(super) sender_key: String,
    pub(super) print_house_key: String,
}

/// Both, logged in to the embedded server.
pub(super) struct Lines {
    sender: Party,
    print_house: Party,
}

impl Parties {
    /// Makes their key pairs.
    pub(super) fn introduce(paths: &Paths) -> Result<Self, CommandError> {
        for folder in [&paths.keys, &paths.receipts, &paths.bundles] {
            fs::create_dir_all(folder)
                .map_err(|error: io::Error| CommandError::file("make", folder, &error))?;
        }
        Ok(Self {
            sender_key: Party::make_key(SENDER, &paths.keys.join(SENDER))?,
            print_house_key: Party::make_key(PRINT_HOUSE, &paths.keys.join(PRINT_HOUSE))?,
        })
    }

    pub(super) async fn log_in(
        &self,
        paths: &Paths,
        server: SocketAddr,
        fingerprints: Vec<String>,
    ) -> Result<Lines, CommandError> {
        let key = |name: &str| paths.keys.join(name);
        Ok(Lines {
            sender: Party::log_in(SENDER, &key(SENDER), server, fingerprints.clone()).await?,
            print_house: Party::log_in(PRINT_HOUSE, &key(PRINT_HOUSE), server, fingerprints)
                .await?,
        })
    }
}

impl Lines {
    /// Uploads as the sender: under a temporary name, then renamed.
    pub(super) async fn upload(&self, batch: &Path, name: &str) -> Result<(), CommandError> {
        Ok(self.sender.upload(batch, &format!("inbox/{name}")).await?)
    }

    /// Whether the house has taken everything that the sender has uploaded. A demo that goes on
    /// uploads a batch that is done already.
    pub(super) async fn all_taken(&self, store: &Store) -> Result<bool, CommandError> {
        // In this order: an arrival is recorded before its file leaves the inbox.
        let none_waits = self.sender.finds_empty("inbox").await?;
        Ok(none_waits && store.arrivals(SENDER)?.is_empty())
    }

    /// Fetches the receipts as the sender, and the bundles as the print house.
    pub(super) async fn fetch(
        &self,
        store: &Store,
        batch: BatchId,
        paths: &Paths,
    ) -> Result<Fetched, CommandError> {
        let receipts = self.sender.fetch("receipts", &paths.receipts).await?;
        let mut bundles = Vec::new();
        for outgoing in store.outgoing_of(batch)? {
            let Some(bundle) = outgoing
                .bundle
                .filter(|_| outgoing.kind == OutgoingKind::Bundle)
            else {
                continue;
            };
            let folder = paths.bundles.join(bundle.to_string());
            self.print_house
                .fetch(&format!("pickup/{bundle}"), &folder)
                .await?;
            bundles.push(bundle);
        }
        Fetched::count(batch, receipts, bundles, paths)
    }
}
