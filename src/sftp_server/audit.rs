use std::{fmt::Display, net::SocketAddr, time::Duration};

use super::{handles::Download, refusal::Refusal, upload::Receipt, virtual_path::VirtualPath};
use crate::{
    domain::without_identity_codes,
    telemetry::meters::{SFTP_BYTES, SFTP_EVENTS},
};

/// Writes down who did what, as `tracing` events of target `audit`.
#[derive(Debug, Clone)]
pub(super) struct Audit {
    pub(super) account: String,
    pub(super) address: SocketAddr,
}

/// What an account did to a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    /// It goes on with an upload that broke off, which has so many bytes.
    Resume,
    /// The session ended before the file was closed; it is kept to be gone on with.
    BrokenUpload,
    Removal,
}

impl Deed {
    fn as_str(self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::BrokenUpload => "upload broken off",
            Self::Removal => "removal",
        }
    }
}

impl Audit {
    pub(super) fn login(&self, key: &impl Display) {
        SFTP_EVENTS.one(&["login"]);
        tracing::info!(target: "audit", event = "login", account = %self.account,
            address = %self.address, key = %key);
    }

    pub(super) fn received(&self, path: &VirtualPath, receipt: &Receipt) {
        SFTP_EVENTS.one(&["upload"]);
        SFTP_BYTES.add(&["up"], receipt.bytes);
        tracing::info!(target: "audit", event = "upload", account = %self.account,
            address = %self.address, path = masked(path), bytes = receipt.bytes,
            sha256 = %receipt.sha256, seconds = seconds(receipt.took));
    }

    pub(super) fn downloaded(&self, download: &Download) {
        SFTP_EVENTS.one(&["download"]);
        SFTP_BYTES.add(&["down"], download.bytes);
        tracing::info!(target: "audit", event = "download", account = %self.account,
            address = %self.address, path = masked(&download.path), bytes = download.bytes,
            seconds = seconds(download.started.elapsed()));
    }

    pub(super) fn done(&self, deed: Deed, path: &VirtualPath, bytes: u64) {
        SFTP_EVENTS.one(&[deed.as_str()]);
        tracing::info!(target: "audit", event = deed.as_str(), account = %self.account,
            address = %self.address, path = masked(path), bytes);
    }

    pub(super) fn renamed(&self, from: &VirtualPath, to: &VirtualPath) {
        SFTP_EVENTS.one(&["rename"]);
        tracing::info!(target: "audit", event = "rename", account = %self.account,
            address = %self.address, path = masked(to), from = masked(from));
    }

    /// Writes a refusal down that the operator wants to see.
    pub(super) fn refused_if_told(&self, request: &str, path: &str, refusal: &Refusal) {
        if refusal.is_worth_auditing() {
            self.refused(request, path, refusal);
        }
    }

    pub(super) fn refused(&self, request: &str, path: &str, reason: &dyn Display) {
        SFTP_EVENTS.one(&["refusal"]);
        tracing::warn!(target: "audit", event = "refusal", account = %self.account,
            address = %self.address, request, path = shortened(path), reason = reason.to_string());
    }
}

/// A refusal before anybody is logged in. `user` is what the stranger typed.
pub(super) fn login_refused(user: &str, address: SocketAddr, reason: &str) {
    SFTP_EVENTS.one(&["login refused"]);
    tracing::warn!(target: "audit", event = "login refused", account = ?shortened(user),
        %address, reason);
}

/// A connection that was closed before a word was said.
pub(super) fn connection_refused(address: SocketAddr, reason: &str) {
    SFTP_EVENTS.one(&["connection refused"]);
    tracing::warn!(target: "audit", event = "connection refused", %address, reason);
}

/// Too many logins failed: what comes from there is refused for a while.
pub(super) fn shut_out(address: SocketAddr, time: Duration) {
    SFTP_EVENTS.one(&["address shut out"]);
    tracing::warn!(target: "audit", event = "address shut out", %address,
        seconds = time.as_secs(), reason = "too many failed logins");
}

/// One who was logged in, and whose account, key or terms changed.
pub(super) fn sent_away(account: &str, address: SocketAddr) {
    SFTP_EVENTS.one(&["connection closed"]);
    tracing::warn!(target: "audit", event = "connection closed", account, %address,
        reason = "the account, its key or its terms changed");
}

/// In thousandths, which is as much as anybody reads.
fn seconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1000.0).round() / 1000.0
}

/// Bounds what a stranger can write into our log.
fn shortened(text: &str) -> String {
    without_identity_codes(text).chars().take(300).collect()
}

/// Some senders put identity codes into the names of files.
fn masked(path: &VirtualPath) -> String {
    without_identity_codes(&path.to_string()).into_owned()
}
