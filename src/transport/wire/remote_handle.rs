use std::fmt;

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::{Field, Held, Kind, Pending, SftpFailure, Wire};

/// An open file or folder on the server. A server gives out few handles, so this one is given
/// back also when what it was opened for is cancelled.
pub(in crate::transport) struct RemoteHandle {
    wire: Wire,
    name: Bytes,
    /// Kept until the server has closed the handle.
    turn: Option<OwnedSemaphorePermit>,
    is_open: bool,
}

impl RemoteHandle {
    pub(super) fn new(wire: Wire, name: Bytes, turn: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            wire,
            name,
            turn,
            is_open: true,
        }
    }

    pub(in crate::transport) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Sends a request whose first field is this handle and that has no others.
    pub(in crate::transport) fn send(&self, kind: Kind) -> Pending {
        self.wire.send(kind, &[Field::Text(&self.name)])
    }

    pub(in crate::transport) fn read(&self, offset: u64, bytes: u32, held: Held) -> Pending {
        let fields = [
            Field::Text(&self.name),
            Field::U64(offset),
            Field::U32(bytes),
        ];
        let wire = &self.wire;
        wire.send_holding(Kind::Read, &fields, Bytes::new(), held)
    }

    pub(in crate::transport) fn write(&self, offset: u64, data: Bytes, held: Held) -> Pending {
        let bytes = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let fields = [
            Field::Text(&self.name),
            Field::U64(offset),
            Field::U32(bytes),
        ];
        self.wire.send_holding(Kind::Write, &fields, data, held)
    }

    /// Has the server write the file through to its disk.
    pub(in crate::transport) fn sync(&self) -> Pending {
        let fields = [Field::Text(b"fsync@openssh.com"), Field::Text(&self.name)];
        self.wire.send(Kind::Extended, &fields)
    }

    /// For a written file, the answer says whether it arrived.
    pub(in crate::transport) fn close(mut self) -> Pending {
        self.send_close()
    }

    fn send_close(&mut self) -> Pending {
        self.is_open = false;
        let held = Held {
            _budget: None,
            handle: self.turn.take(),
        };
        let name = [Field::Text(&self.name)];
        self.wire
            .send_holding(Kind::Close, &name, Bytes::new(), held)
    }
}

impl Drop for RemoteHandle {
    fn drop(&mut self) {
        if self.is_open {
            drop(self.send_close());
        }
    }
}

impl fmt::Debug for RemoteHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RemoteHandle")
    }
}

impl Wire {
    /// Waits until one more file or folder may be open.
    pub(in crate::transport) async fn handle_turn(&self) -> Result<Held, SftpFailure> {
        let turn = std::sync::Arc::clone(&self.0.handles).acquire_owned().await;
        Ok(Held {
            _budget: None,
            handle: Some(turn.map_err(|_| SftpFailure::Lost)?),
        })
    }

    /// Asks for a file to be opened; `flags` as in [`super::READ`].
    pub(in crate::transport) fn opening(&self, path: &str, flags: u32, turn: Held) -> Pending {
        let fields = [
            Field::Text(path.as_bytes()),
            Field::U32(flags),
            Field::U32(0),
        ];
        self.send_holding(Kind::Open, &fields, Bytes::new(), turn)
    }

    pub(in crate::transport) async fn open_file(
        &self,
        path: &str,
        flags: u32,
    ) -> Result<RemoteHandle, SftpFailure> {
        let turn = self.handle_turn().await?;
        self.opening(path, flags, turn).opened().await
    }

    pub(in crate::transport) async fn open_folder(
        &self,
        path: &str,
    ) -> Result<RemoteHandle, SftpFailure> {
        let turn = self.handle_turn().await?;
        let path = [Field::Text(path.as_bytes())];
        let opening = self.send_holding(Kind::OpenDir, &path, Bytes::new(), turn);
        opening.opened().await
    }
}
