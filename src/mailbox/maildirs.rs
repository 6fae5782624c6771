use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use jiff::Timestamp;
use rayon::prelude::*;

use super::{
    Delivery, DeliveryId, Error, FolderKey, Look, Mailbox, MailboxReceipt, Unread,
    folder::{self, Folder},
    folder_key, mime,
    root_id::RootId,
};
use crate::{crash_points::around, domain::RecipientId};

/// A Maildir for each recipient, all below one folder on one file system.
///
/// A message that the recipient has moved out of `new` and `cur` is not found again, so delivering
/// it once more would make a second copy.
#[derive(Debug, Clone)]
pub struct Maildirs(Arc<Root>);

#[derive(Debug)]
struct Root {
    path: PathBuf,
    key: FolderKey,
    /// `None` where any will do that lie there.
    id: Option<RootId>,
}

impl Maildirs {
    /// Whatever mailboxes lie in the folder, which is made at its first use, with mode 0700.
    ///
    /// # Errors
    ///
    /// [`Error::KeyChanged`] where the mailboxes below it were made with another key.
    pub fn new(root: PathBuf, key: FolderKey) -> Result<Self, Error> {
        Root::prepared(root, key).map(Self::of)
    }

    /// The mailboxes of a house, which keeps their id in the file `known`. They are made at their first
    /// use. After that nothing else that lies there is taken for them, such as the empty folder
    /// on which their disk is not mounted: then nothing is made, and every call answers
    /// [`Error::Elsewhere`] until they are back.
    ///
    /// # Errors
    ///
    /// [`Error::Elsewhere`] where others lie there, or none; [`Error::KeyChanged`] as with [`Maildirs::new`].
    pub fn of_house(root: PathBuf, key: FolderKey, known: &Path) -> Result<Self, Error> {
        let id = RootId::known(known)?;
        if let Some(id) = &id {
            id.check(&root)?;
        }
        let mut root = Root::prepared(root, key)?;
        root.id = Some(match id {
            Some(id) => id,
            None => RootId::adopt(&root.path, known)?,
        });
        Ok(Self::of(root))
    }

    fn of(root: Root) -> Self {
        Self(Arc::new(root))
    }

    /// Does blocking work on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Root) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let root = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || root.as_its_own(work))
            .await
            .map_err(|source| Error::Stopped { source })?
    }
}

#[async_trait]
impl Mailbox for Maildirs {
    async fn deliver(
        &self,
        page: Vec<Delivery>,
    ) -> Result<Vec<Result<MailboxReceipt, Error>>, Error> {
        self.blocking(move |root| root.deliver(&page)).await
    }

    async fn has(&self, id: DeliveryId, recipient: &RecipientId) -> Result<bool, Error> {
        let recipient = recipient.clone();
        let message = id.message;
        self.blocking(move |root| {
            root.folder_of(&recipient)
                .delivered_at(id)
                .map(|delivered_at| delivered_at.is_some())
                .map_err(|source| Error::Find { message, source })
        })
        .await
    }

    async fn look(&self, page: Vec<Unread>) -> Result<Vec<Result<Look, Error>>, Error> {
        self.blocking(move |root| Ok(page.iter().map(|unread| root.look(unread)).collect()))
            .await
    }

    async fn discard(&self, id: DeliveryId, recipient: &RecipientId) -> Result<(), Error> {
        let recipient = recipient.clone();
        let message = id.message;
        self.blocking(move |root| {
            let discarded = root.folder_of(&recipient).discard(id);
            discarded.map_err(|source| Error::Discard { message, source })
        })
        .await
    }
}

/// A message on its way into a mailbox.
struct Staged {
    receipt: MailboxReceipt,
    folder: Folder,
    /// The name of its draft; `None` where it lay in the mailbox already.
    draft: Option<String>,
}

impl Root {
    fn prepared(path: PathBuf, key: FolderKey) -> Result<Self, Error> {
        let failed = |source| Error::Root {
            root: path.clone(),
            source,
        };
        folder::private_folder(&path).map_err(failed)?;
        let ours = key.check_value().into_bytes();
        let check = path.join("folder-key.check");
        let made_with = folder_key::read_or_make(&check, || Ok(ours.clone())).map_err(failed)?;
        if made_with == ours {
            let id = None;
            Ok(Self { path, key, id })
        } else {
            Err(Error::KeyChanged { root: path })
        }
    }

    /// What comes of some work counts only where the mailboxes were the house's before and are so after
    /// it: their disk can go while it is under way, and then nobody knows where a page was written.
    fn as_its_own<T>(&self, work: impl FnOnce(&Self) -> Result<T, Error>) -> Result<T, Error> {
        self.check()?;
        let done = work(self);
        self.check()?;
        done
    }

    fn check(&self) -> Result<(), Error> {
        self.id.as_ref().map_or(Ok(()), |id| id.check(&self.path))
    }

    /// Writes all drafts, makes them durable together, shows them, and makes that durable.
    ///
    /// One sync of the file system costs about as much as one of a single file, so a page of
    /// messages costs two and not two hundred.
    fn deliver(&self, page: &[Delivery]) -> Result<Vec<Result<MailboxReceipt, Error>>, Error> {
        // Opened first: a sync reports the failed writes since its handle was opened (`syncfs(2)`).
        let handle = self.open()?;
        let staged: Vec<_> = page
            .par_iter()
            .map(|delivery| self.stage(delivery))
            .collect();
        self.sync(&handle)?;
        let receipts = staged
            .into_par_iter()
            .map(|staged| staged?.publish())
            .collect();
        self.sync(&handle)?;
        Ok(receipts)
    }

    fn stage(&self, delivery: &Delivery) -> Result<Staged, Error> {
        let message = delivery.id.message;
        let folder = self.folder_of(&delivery.recipient);
        let earlier = folder
            .delivered_at(delivery.id)
            .map_err(|source| Error::Find { message, source })?;
        let (delivered_at, draft) = if let Some(earlier) = earlier {
            (earlier, None)
        } else {
            let (written_at, name) = write_draft(&folder, delivery)?;
            (written_at, Some(name))
        };
        let receipt = MailboxReceipt {
            message,
            delivered_at,
            reference: mime::message_id(delivery.id),
        };
        Ok(Staged {
            receipt,
            folder,
            draft,
        })
    }

    fn look(&self, unread: &Unread) -> Result<Look, Error> {
        let message = unread.id.message;
        self.folder_of(&unread.recipient)
            .look(unread.id, unread.changed)
            .map_err(|source| Error::Find { message, source })
    }

    fn folder_of(&self, recipient: &RecipientId) -> Folder {
        Folder::of(&self.path, &self.key, recipient)
    }

    fn open(&self) -> Result<File, Error> {
        File::open(&self.path).map_err(|source| Error::Root {
            root: self.path.clone(),
            source,
        })
    }

    fn sync(&self, handle: &File) -> Result<(), Error> {
        let synced = around("sync", "mailbox: messages", || rustix::fs::syncfs(handle));
        synced.map_err(|source| Error::Sync {
            root: self.path.clone(),
            source: source.into(),
        })
    }
}

impl Staged {
    fn publish(self) -> Result<MailboxReceipt, Error> {
        let message = self.receipt.message;
        if let Some(draft) = self.draft {
            self.folder
                .publish(&draft)
                .map_err(|source| Error::Publish { message, source })?;
        }
        Ok(self.receipt)
    }
}

/// Answers when it was written, and under which name.
fn write_draft(folder: &Folder, delivery: &Delivery) -> Result<(Timestamp, String), Error> {
    let name = folder::file_name(delivery);
    let write = || {
        let mut draft = folder.draft(&name)?;
        mime::write(delivery, &mut draft)?;
        folder::written_at(&draft.metadata()?)
    };
    let written = around("write", "mailbox: draft", write);
    let written_at = written.map_err(|source| Error::Write {
        message: delivery.id.message,
        source,
    })?;
    Ok((written_at, name))
}
