//! Mailboxes on a disk that is not there, and an empty folder in its place.

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{super::folder::file_name, *};

/// Mailboxes that a house has delivered into.
struct Mounted {
    folder: tempfile::TempDir,
    mailboxes: Maildirs,
}

impl Mounted {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mailboxes = open(folder.path(), "mail").unwrap();
        Self { folder, mailboxes }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What is left of a mount point.
    fn unmount(&self) {
        rustix::fs::rename(self.path("mail"), self.path("disk")).unwrap();
        fs::create_dir(self.path("mail")).unwrap();
    }

    fn mount(&self) {
        fs::remove_dir_all(self.path("mail")).unwrap();
        rustix::fs::rename(self.path("disk"), self.path("mail")).unwrap();
    }

    fn deliver(&self, position: u32) -> Result<(), Error> {
        let receipts = wait(self.mailboxes.deliver(vec![delivery(position)]))?;
        receipts.into_iter().try_for_each(|it| it.map(drop))
    }

    fn has(&self, position: u32) -> Result<bool, Error> {
        let Delivery { id, recipient, .. } = delivery(position);
        wait(self.mailboxes.has(id, &recipient))
    }

    fn look(&self, position: u32) -> Result<Look, Error> {
        let Delivery { id, recipient, .. } = delivery(position);
        let changed = None;
        let page = vec![Unread {
            id,
            recipient,
            changed,
        }];
        wait(self.mailboxes.look(page))?.remove(0)
    }

    fn discard(&self, position: u32) -> Result<(), Error> {
        let Delivery { id, recipient, .. } = delivery(position);
        wait(self.mailboxes.discard(id, &recipient))
    }
}

fn open(folder: &Path, root: &str) -> Result<Maildirs, Error> {
    let known = folder.join("mailboxes.id");
    Maildirs::of_house(folder.join(root), [7; 32].into(), &known)
}

fn is_elsewhere<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Elsewhere { .. }))
}

#[test]
fn while_the_disk_is_away_nothing_is_written_nor_asked_below_its_mount_point() {
    let house = Mounted::new();
    house.deliver(1).unwrap();
    house.unmount();
    assert!(is_elsewhere(&house.deliver(2)));
    assert!(is_elsewhere(&house.has(1)));
    assert!(is_elsewhere(&house.look(1)));
    assert!(is_elsewhere(&house.discard(2)));
    assert_eq!(fs::read_dir(house.path("mail")).unwrap().count(), 0);

    house.mount();
    assert!(house.has(1).unwrap() && !house.has(2).unwrap());
    house.deliver(2).unwrap();
    assert!(house.has(2).unwrap());
    assert!(house.look(1).is_ok());
}

#[test]
fn what_is_written_while_the_disk_goes_does_not_count() {
    let house = Mounted::new();
    house.deliver(1).unwrap();
    let new = fs::read_dir(house.path("mail")).unwrap();
    let shard = new.map(|entry| entry.unwrap().path());
    let shard = shard.filter(|path| path.is_dir()).last().unwrap();
    let maildir = fs::read_dir(shard).unwrap().next().unwrap().unwrap().path();
    let draft = maildir.join("tmp").join(file_name(&delivery(2)));
    // Who opens it to write waits for one who reads.
    mknodat(CWD, &draft, FileType::Fifo, Mode::from(0o600), 0).unwrap();
    thread::scope(|scope| {
        let delivered = scope.spawn(|| wait(house.mailboxes.deliver(vec![delivery(2)])));
        thread::sleep(Duration::from_millis(200));
        house.unmount();
        let below = draft.strip_prefix(house.path("mail")).unwrap();
        fs::read(house.path("disk").join(below)).unwrap();
        assert!(is_elsewhere(&delivered.join().unwrap()));
    });
}

#[test]
fn a_house_does_not_open_other_mailboxes_than_its_own() {
    let house = Mounted::new();
    house.unmount();
    let error = open(house.folder.path(), "mail").unwrap_err();
    assert_eq!(
        (error.disposition(), error.is_of_all()),
        (Disposition::Retry, true)
    );
    let told = error.to_string();
    assert!(told.contains("is their disk mounted?"), "{told}");
    let known = house.path("mailboxes.id");
    assert!(
        told.contains(&format!("remove `{}`", known.display())),
        "{told}"
    );
    // Nor is one made where there is none.
    assert!(is_elsewhere(&open(house.folder.path(), "none")));
    assert!(!house.path("none").exists());
    assert_eq!(fs::read_dir(house.path("mail")).unwrap().count(), 0);
    // Those of another house, made with the same key.
    let other = house.path("other.id");
    Maildirs::of_house(house.path("other"), [7; 32].into(), &other).unwrap();
    assert!(is_elsewhere(&open(house.folder.path(), "other")));
    assert!(open(house.folder.path(), "disk").is_ok());
}

#[test]
fn mailboxes_of_before_become_the_houses_and_stay_it() {
    let folder = tempfile::tempdir().unwrap();
    let (root, known) = (
        folder.path().join("mail"),
        folder.path().join("mailboxes.id"),
    );
    Maildirs::new(root.clone(), [7; 32].into()).unwrap();
    assert!(!root.join("mailboxes.id").exists());
    open(folder.path(), "mail").unwrap();
    let id = fs::read_to_string(&known).unwrap();
    assert_eq!(id.trim_end().len(), 64);
    assert_eq!(fs::read_to_string(root.join("mailboxes.id")).unwrap(), id);
    // A house that was restored without the file.
    fs::remove_file(&known).unwrap();
    open(folder.path(), "mail").unwrap();
    assert_eq!(fs::read_to_string(&known).unwrap(), id);
}

#[test]
fn mailboxes_that_are_gone_for_good_are_made_anew_once_the_id_is_removed() {
    let house = Mounted::new();
    house.deliver(1).unwrap();
    house.unmount();
    fs::remove_file(house.path("mailboxes.id")).unwrap();
    let anew = open(house.folder.path(), "mail").unwrap();
    wait(anew.deliver(vec![delivery(2)])).unwrap();
    // Who still holds the old ones is not content with these.
    assert!(is_elsewhere(&house.has(2)));
}

#[test]
fn mailboxes_of_another_key_do_not_become_the_houses() {
    let folder = tempfile::tempdir().unwrap();
    Maildirs::new(folder.path().join("mail"), [8; 32].into()).unwrap();
    let error = open(folder.path(), "mail").unwrap_err();
    assert!(matches!(error, Error::KeyChanged { .. }), "{error}");
    assert!(!folder.path().join("mailboxes.id").exists());
}
