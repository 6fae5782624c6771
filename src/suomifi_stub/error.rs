use std::{io, net::SocketAddr};

use crate::domain::Disposition;

/// Why the stand-in does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },

    /// What it is sent may be of real people.
    #[error("{address} can be reached from other machines, and that was not asked for")]
    NotLoopback { address: SocketAddr },
}

impl Error {
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Listen { .. } => Disposition::Retry,
            Self::NotLoopback { .. } => Disposition::Hold,
        }
    }
}
