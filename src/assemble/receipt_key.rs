use super::{Error, adapters};
use crate::{
    config::Config,
    signing::{self, Signer},
};

/// The key that receipts are signed with, as a sender needs to know it.
#[derive(Debug, Clone)]
pub struct ReceiptKey {
    /// It was not there before.
    pub is_new: bool,
    /// What receipts are signed for: `ssh-keygen -Y verify -n`.
    pub namespace: &'static str,
    /// For the sender's `allowed_signers` file.
    pub allowed_signers_line: String,
}

/// Finds the key that the settings name, or makes it. `identity` is what senders call this house:
/// `ssh-keygen -Y verify -I`.
pub fn receipt_key(config: &Config, identity: &str) -> Result<ReceiptKey, Error> {
    let path = &config.receipt_key_file;
    let is_new = !path.exists();
    let signer = Signer::open_or_make(path)?;
    let namespace = signing::RECEIPTS;
    Ok(ReceiptKey {
        is_new,
        namespace,
        allowed_signers_line: signer.allowed_signers_line(identity, namespace)?,
    })
}

/// Whether receipts can be signed where the settings want it.
pub fn check_receipt_key(config: &Config) -> Result<(), Error> {
    adapters::signer(config).map(drop)
}
