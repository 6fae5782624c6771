use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{
    Accepted, Counts, Error, Happening, Mailboxes, Selection, Settings, Trouble, control,
    happening::happen, serve, world::Shared,
};

/// A stand-in that runs until it is dropped.
pub struct Stub {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Stub {
    /// Listens; needs a tokio runtime.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        let address = settings.listen;
        if !address.ip().is_loopback() && !settings.open_to_others {
            return Err(Error::NotLoopback { address });
        }
        let failed = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let connections = settings.limits.connections;
        let shared = Arc::new(Shared::new(settings));
        let task = tokio::spawn(serve::keep(listener, Arc::clone(&shared), connections));
        Ok(Self {
            address,
            shared,
            task,
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What goes before the paths of the API: `http://127.0.0.1:…`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What may be asked of `/_stub/`, in words.
    pub fn help() -> &'static str {
        control::HELP
    }

    pub fn counts(&self) -> Counts {
        self.shared.lock().tally.counts()
    }

    /// When each message was accepted, since the start, by a clock that nobody sets.
    pub fn sent_at(&self) -> Vec<Duration> {
        self.shared.lock().tally.sent_at.clone()
    }

    /// The messages that were accepted, in their order.
    pub fn accepted(&self) -> Vec<Accepted> {
        self.shared.lock().messages.iter().cloned().collect()
    }

    /// The file of this id, as it came: its name, its type and, where bodies are kept, its bytes.
    pub fn upload(&self, id: &str) -> Option<(String, String, Vec<u8>)> {
        let world = self.shared.lock();
        let upload = world.uploads.find(id, world.now())?;
        let bytes = upload.bytes.as_deref().unwrap_or_default().to_vec();
        Some((upload.name.clone(), upload.media_type.clone(), bytes))
    }

    /// From now on, until it is over or [`Stub::end_troubles`]. One that makes no sense
    /// ([`Trouble::fault`]) does nothing good.
    pub fn trouble(&self, trouble: Trouble) {
        self.shared.lock().troubles.add(trouble);
    }

    pub fn end_troubles(&self) {
        self.shared.lock().troubles.clear();
    }

    pub fn open_mailbox(&self, id: &str) {
        self.shared.lock().mailboxes.open(id);
    }

    pub fn close_mailbox(&self, id: &str) {
        self.shared.lock().mailboxes.close(id);
    }

    pub fn replace_mailboxes(&self, mailboxes: Mailboxes) {
        self.shared.lock().mailboxes.replace(mailboxes);
    }

    /// Lets something happen to messages: the numbers of those that it happened to.
    pub fn happen(&self, what: Happening, picked: &Selection) -> Vec<i64> {
        happen(&mut self.shared.lock(), what, picked)
    }

    /// An event as senders are to be told of it, whatever it is.
    pub fn add_event(&self, event: Value) {
        let mut world = self.shared.lock();
        let now = world.now();
        world.events.give(now, event);
    }

    pub fn put_clock_forward(&self, by: Duration) {
        self.shared.lock().put_forward(by);
    }

    pub fn expire_tokens(&self) {
        self.shared.lock().tokens.forget_all();
    }

    /// The password as it is now.
    pub fn password(&self) -> String {
        self.shared.lock().password.clone()
    }

    /// Requests and answers, where they are kept: one JSON document each.
    pub fn exchanges(&self) -> Vec<Value> {
        let world = self.shared.lock();
        world.exchanges.iter().map(|one| json!(one)).collect()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Stub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stub")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
