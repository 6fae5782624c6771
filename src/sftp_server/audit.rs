use std::{fmt::Display, net::SocketAddr, time::Duration};

use super::virtual_path::VirtualPath;

/// Writes down who did what, as `tracing` events of target `audit`.
#[derive(Debug, Clone)]
pub(super) struct Audit {
    pub(super) account: String,
    pub(super) address: SocketAddr,
}

/// What an account did to a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    Upload,
    /// The session ended before the file was closed; nothing of it is kept.
    UploadAbandoned,
    Download,
    Removal,
}

impl Deed {
    fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::UploadAbandoned => "upload abandoned",
            Self::Download => "download",
            Self::Removal => "removal",
        }
    }
}

impl Audit {
    pub(super) fn login(&self, key: &impl Display) {
        tracing::info!(target: "audit", event = "login", account = %self.account,
            address = %self.address, key = %key);
    }

    pub(super) fn done(&self, deed: Deed, path: &VirtualPath, bytes: u64) {
        tracing::info!(target: "audit", event = deed.as_str(), account = %self.account,
            address = %self.address, path = %path, bytes);
    }

    pub(super) fn renamed(&self, from: &VirtualPath, to: &VirtualPath) {
        tracing::info!(target: "audit", event = "rename", account = %self.account,
            address = %self.address, path = %to, from = %from);
    }

    pub(super) fn refused(&self, request: &str, path: &str, reason: &dyn Display) {
        tracing::warn!(target: "audit", event = "refusal", account = %self.account,
            address = %self.address, request, path = ?shortened(path), reason = %reason);
    }
}

/// A refusal before anybody is logged in. `user` is what the stranger typed.
pub(super) fn login_refused(user: &str, address: SocketAddr, reason: &str) {
    tracing::warn!(target: "audit", event = "login refused", account = ?shortened(user),
        %address, reason);
}

/// A connection that was closed before a word was said.
pub(super) fn connection_refused(address: SocketAddr, reason: &str) {
    tracing::warn!(target: "audit", event = "connection refused", %address, reason);
}

/// Too many logins failed: what comes from there is refused for a while.
pub(super) fn shut_out(address: SocketAddr, time: Duration) {
    tracing::warn!(target: "audit", event = "address shut out", %address,
        seconds = time.as_secs(), reason = "too many failed logins");
}

/// One who was logged in, and whose account, key or terms changed.
pub(super) fn sent_away(account: &str, address: SocketAddr) {
    tracing::warn!(target: "audit", event = "connection closed", account, %address,
        reason = "the account, its key or its terms changed");
}

/// Bounds what a stranger can write into our log.
fn shortened(text: &str) -> String {
    text.chars().take(300).collect()
}
