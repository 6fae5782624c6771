use std::sync::Arc;

use russh_sftp::{
    client::error::Error as SftpError,
    protocol::{FileAttributes, OpenFlags},
};

use super::connection::Connection;

/// An open file or folder on the server. A server gives out few handles, so this one is given
/// back also when what it was opened for is cancelled.
pub(super) struct RemoteHandle {
    connection: Arc<Connection>,
    name: Arc<str>,
    is_open: bool,
}

impl RemoteHandle {
    pub(super) async fn open_file(
        connection: &Arc<Connection>,
        path: &str,
        flags: OpenFlags,
    ) -> Result<Self, SftpError> {
        let (connection, path) = (Arc::clone(connection), path.to_owned());
        uncancelled(async move {
            let opened = connection.sftp.open(path, flags, FileAttributes::empty());
            let name = opened.await?.handle;
            Ok(Self::new(connection, name))
        })
        .await
    }

    pub(super) async fn open_folder(
        connection: &Arc<Connection>,
        path: &str,
    ) -> Result<Self, SftpError> {
        let (connection, path) = (Arc::clone(connection), path.to_owned());
        uncancelled(async move {
            let name = connection.sftp.opendir(path).await?.handle;
            Ok(Self::new(connection, name))
        })
        .await
    }

    /// What the server calls it.
    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// For a written file, the answer says whether it arrived.
    pub(super) async fn close(mut self) -> Result<(), SftpError> {
        self.is_open = false;
        self.connection.sftp.close(&*self.name).await.map(|_| ())
    }

    fn new(connection: Arc<Connection>, name: String) -> Self {
        Self {
            connection,
            name: name.into(),
            is_open: true,
        }
    }
}

impl Drop for RemoteHandle {
    fn drop(&mut self) {
        if self.is_open
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (connection, name) = (Arc::clone(&self.connection), Arc::clone(&self.name));
            runtime.spawn(async move { connection.sftp.close(&*name).await });
        }
    }
}

/// Lets `open` run to its end though nobody waits for it any more: the server opens the file all
/// the same, and only the answer tells the name to close it by.
async fn uncancelled(
    open: impl Future<Output = Result<RemoteHandle, SftpError>> + Send + 'static,
) -> Result<RemoteHandle, SftpError> {
    match tokio::spawn(open).await {
        Ok(opened) => opened,
        Err(lost) => Err(SftpError::UnexpectedBehavior(lost.to_string())),
    }
}
