mod away;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use jiff::Timestamp;

use super::*;
use crate::domain::{BatchId, Disposition, MessageId, ServiceKind};

const CODE: &str = "010190Y900P";

fn delivery(position: u32) -> Delivery {
    Delivery {
        id: DeliveryId {
            message: MessageId {
                batch: BatchId(7),
                position,
            },
            content: 0x3fa9_c2d1,
            repeat: 0,
        },
        sender: "example-city".parse().unwrap(),
        sender_name: "Esimerkkikaupunki, päätökset".to_owned(),
        recipient: CODE.parse().unwrap(),
        title: "Päätös".into(),
        body: "Hei!\n\nPäätös on liitteenä.\n".into(),
        pdf: b"%PDF-1.7 not really".to_vec(),
        pdf_file_name: "päätös.pdf".to_owned(),
        attachments: Vec::new(),
        created: "2026-06-12T17:50:03Z".parse().unwrap(),
        service: ServiceKind::Ordinary,
    }
}

/// Mailboxes in a folder of their own.
struct House {
    folder: tempfile::TempDir,
    mailboxes: Maildirs,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mailboxes = Maildirs::new(folder.path().join("mail"), [7; 32].into()).unwrap();
        Self { folder, mailboxes }
    }

    fn deliver(&self, page: Vec<Delivery>) -> Vec<MailboxReceipt> {
        let answers = wait(self.mailboxes.deliver(page)).unwrap();
        answers.into_iter().map(Result::unwrap).collect()
    }

    fn has(&self, delivery: &Delivery) -> bool {
        wait(self.mailboxes.has(delivery.id, &delivery.recipient)).unwrap()
    }

    /// Every file and folder below the root, sorted.
    fn paths(&self) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        collect(&self.folder.path().join("mail"), &mut paths);
        paths.sort();
        paths
    }

    fn messages(&self) -> Vec<PathBuf> {
        let is_message = |path: &PathBuf| path.to_string_lossy().contains(".kuori");
        self.paths().into_iter().filter(is_message).collect()
    }

    fn only_message(&self) -> PathBuf {
        let messages = self.messages();
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages[0].clone()
    }
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        }
        paths.push(path);
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build();
    runtime.unwrap().block_on(future)
}

#[test]
fn a_message_delivered_twice_lies_in_the_mailbox_once() {
    let house = House::new();
    assert!(!house.has(&delivery(1)));
    let first = house.deliver(vec![delivery(1)]);
    let again = house.deliver(vec![delivery(1)]);
    assert_eq!(first, again);
    assert!(house.has(&delivery(1)));
    assert!(house.only_message().parent().unwrap().ends_with("new"));
}

#[test]
fn a_message_that_was_read_is_not_delivered_again() {
    let house = House::new();
    let first = house.deliver(vec![delivery(1)]);
    let new = house.only_message();
    let name = new.file_name().unwrap().to_string_lossy().into_owned();
    let cur = new.parent().unwrap().with_file_name("cur");
    let read = cur.join(format!("{name},S=1234:2,S"));
    rustix::fs::rename(&new, &read).unwrap();

    assert!(house.has(&delivery(1)));
    assert_eq!(house.deliver(vec![delivery(1)]), first);
    assert_eq!(house.only_message(), read);
}

#[test]
fn a_message_is_found_while_a_mail_program_changes_its_flags() {
    let house = House::new();
    house.deliver(vec![delivery(1)]);
    let new = house.only_message();
    let cur = new.parent().unwrap().with_file_name("cur");
    // So many that one listing takes several calls, between which a file can change its place.
    for other in 1_000..3_000 {
        fs::File::create(cur.join(format!("1.B-0007-{other}.kuori:2,S"))).unwrap();
    }
    let name = new.file_name().unwrap().to_string_lossy().into_owned();
    let flagged = ["", "S", "F", "RS"].map(|flags| cur.join(format!("{name}:2,{flags}")));
    rustix::fs::rename(&new, &flagged[0]).unwrap();

    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for turn in (0..4).cycle().take_while(|_| !done.load(Ordering::Relaxed)) {
                rustix::fs::rename(&flagged[turn], &flagged[(turn + 1) % 4]).unwrap();
                thread::sleep(Duration::from_micros(100));
            }
        });
        let missed = (0..50).filter(|_| !house.has(&delivery(1))).count();
        done.store(true, Ordering::Relaxed);
        assert_eq!(missed, 0);
    });
}

#[test]
fn a_message_that_is_to_be_delivered_again_by_name_is() {
    let house = House::new();
    house.deliver(vec![delivery(12)]);
    let mut again = delivery(12);
    again.id.repeat = 1;
    house.deliver(vec![again.clone()]);
    house.deliver(vec![again]);
    assert_eq!(house.messages().len(), 2);
}

#[test]
fn a_look_sees_what_was_read_and_nothing_twice() {
    let house = House::new();
    let look = |changed| {
        let Delivery { id, recipient, .. } = delivery(1);
        let page = vec![Unread {
            id,
            recipient,
            changed,
        }];
        wait(house.mailboxes.look(page)).unwrap().remove(0).unwrap()
    };
    house.deliver(vec![delivery(1)]);
    let new = house.only_message();
    let cur = new.parent().unwrap().with_file_name("cur");
    // It was made this moment: it could change again and keep its time.
    assert_eq!(look(None), Look::Unread { changed: None });
    let made = fs::metadata(&cur).unwrap().modified().unwrap();
    let then = made - Duration::from_mins(1);
    fs::File::open(&cur).unwrap().set_modified(then).unwrap();
    let Look::Unread { changed } = look(None) else {
        panic!("it is not read");
    };
    assert!(changed.is_some());
    assert_eq!(look(changed), Look::Unchanged);

    let name = new.file_name().unwrap().to_string_lossy().into_owned();
    // A size that a mail program writes down is no flag.
    let seen = cur.join(format!("{name},S=1234:2,"));
    rustix::fs::rename(&new, &seen).unwrap();
    assert_eq!(look(changed), Look::Unread { changed: None });
    rustix::fs::rename(&seen, cur.join(format!("{name},S=1234:2,RSa"))).unwrap();
    let Look::Read { at } = look(changed) else {
        panic!("it is read");
    };
    assert!(at > Timestamp::try_from(then).unwrap());
}

#[test]
fn who_looks_where_the_mailboxes_are_away_does_not_see_them_unread() {
    let house = House::new();
    house.deliver(vec![delivery(1)]);
    let Delivery { id, recipient, .. } = delivery(1);
    let page = vec![Unread {
        id,
        recipient,
        changed: None,
    }];
    let (root, away) = (
        house.folder.path().join("mail"),
        house.folder.path().join("away"),
    );
    rustix::fs::rename(&root, &away).unwrap();
    let looked = wait(house.mailboxes.look(page.clone())).unwrap().remove(0);
    assert!(matches!(looked, Err(Error::Find { .. })), "{looked:?}");
    rustix::fs::rename(&away, &root).unwrap();
    assert!(wait(house.mailboxes.look(page)).unwrap().remove(0).is_ok());
}

#[test]
fn attachments_go_with_the_message() {
    let house = House::new();
    let mut delivery = delivery(12);
    delivery.attachments = vec![AttachedFile {
        name: "kartta.png".to_owned(),
        bytes: b"\x89PNG".to_vec(),
    }];
    house.deliver(vec![delivery]);
    let text = fs::read_to_string(house.only_message()).unwrap();
    assert!(
        text.contains("image/png") && text.contains("kartta.png"),
        "{text}"
    );
}

#[test]
fn a_message_whose_number_begins_like_anothers_is_another() {
    let house = House::new();
    house.deliver(vec![delivery(12)]);
    assert!(!house.has(&delivery(1)));
    house.deliver(vec![delivery(1)]);
    assert_eq!(house.messages().len(), 2);
}

#[test]
fn a_page_of_a_hundred_is_answered_in_its_order() {
    let house = House::new();
    let codes = ["010190Y900P", "150385X9013", "010523B902P", "2077474-0"];
    let page: Vec<_> = (1..=100)
        .zip(codes.iter().cycle())
        .map(|(position, code)| Delivery {
            recipient: code.parse().unwrap(),
            ..delivery(position)
        })
        .collect();
    let receipts = house.deliver(page);
    let positions: Vec<_> = receipts.iter().map(|r| r.message.position).collect();
    assert_eq!(positions, (1..=100).collect::<Vec<_>>());
    assert_eq!(house.messages().len(), 100);
    let drafts = |path: &&PathBuf| path.parent().unwrap().ends_with("tmp");
    assert_eq!(house.messages().iter().filter(drafts).count(), 0);
}

#[test]
fn what_a_crash_left_in_tmp_is_overwritten() {
    let house = House::new();
    house.deliver(vec![delivery(1)]);
    let new = house.only_message();
    let whole = fs::read(&new).unwrap();
    let draft = new
        .parent()
        .unwrap()
        .with_file_name("tmp")
        .join(new.file_name().unwrap());
    rustix::fs::rename(&new, &draft).unwrap();
    fs::File::options()
        .append(true)
        .open(&draft)
        .unwrap()
        .set_len(9_999)
        .unwrap();

    assert!(!house.has(&delivery(1)));
    house.deliver(vec![delivery(1)]);
    assert_eq!(house.only_message(), new);
    assert_eq!(fs::read(&new).unwrap(), whole);
}

#[test]
fn what_a_crash_left_of_a_message_that_goes_elsewhere_is_cleared_away() {
    let house = House::new();
    house.deliver(vec![delivery(1), delivery(2)]);
    let new = house.messages().remove(0);
    let draft = new.parent().unwrap().with_file_name("tmp");
    rustix::fs::rename(&new, draft.join(new.file_name().unwrap())).unwrap();

    for position in [1, 2, 3] {
        let Delivery { id, recipient, .. } = delivery(position);
        wait(house.mailboxes.discard(id, &recipient)).unwrap();
    }
    assert!(!house.has(&delivery(1)) && house.has(&delivery(2)));
    assert_eq!(house.messages().len(), 1);
}

#[test]
fn a_mailbox_that_a_crash_left_half_made_is_made_whole() {
    let house = House::new();
    house.deliver(vec![delivery(1)]);
    let new = house.only_message();
    fs::remove_dir_all(new.parent().unwrap()).unwrap();
    house.deliver(vec![delivery(1)]);
    assert_eq!(house.only_message(), new);
}

#[test]
fn a_failed_delivery_leaves_the_others_of_its_page_alone() {
    let house = House::new();
    house.deliver(vec![delivery(1)]);
    let blocked = house.only_message();
    let tmp = blocked.parent().unwrap().with_file_name("tmp");
    fs::remove_dir(&tmp).unwrap();
    fs::File::create(&tmp).unwrap();

    let other = Delivery {
        recipient: "2077474-0".parse().unwrap(),
        ..delivery(3)
    };
    let answers = wait(house.mailboxes.deliver(vec![delivery(2), other.clone()])).unwrap();
    let error = answers[0].as_ref().unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot write message `B-0007-2` into its mailbox"
    );
    assert_eq!(error.disposition(), Disposition::Retry);
    assert!(answers[1].is_ok() && house.has(&other));
}

#[test]
fn neither_names_nor_headers_reveal_the_recipient() {
    let house = House::new();
    let telling = Delivery {
        title: format!("Päätös: {}, {CODE}", CODE.to_lowercase())
            .as_str()
            .into(),
        pdf_file_name: format!("{CODE}.pdf"),
        ..delivery(1)
    };
    house.deliver(vec![telling.clone()]);
    for path in house.paths() {
        assert!(!path.to_string_lossy().contains("010190"), "{path:?}");
    }
    let text = fs::read_to_string(house.only_message()).unwrap();
    assert!(!text.to_uppercase().contains(CODE), "{text}");
    assert!(!format!("{telling:?}").contains("010190"));
}

#[test]
fn folders_and_files_are_the_owners_alone() {
    let house = House::new();
    house.deliver(vec![delivery(1)]);
    for path in house.paths() {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, wanted, "{path:?}");
    }
}

#[test]
fn a_message_is_mime_with_a_text_and_the_pdf() {
    let house = House::new();
    house.deliver(vec![delivery(1)]);
    let text = fs::read_to_string(house.only_message()).unwrap();
    insta::assert_snapshot!(text.replace('\r', ""), @r#"
    From: =?utf-8?Q?Esimerkkikaupunki=2C_p=C3=A4=C3=A4t=C3=B6kset?=
     <example-city@kuori.invalid>
    Subject: =?utf-8?B?UMOkw6R0w7Zz?=
    Date: Fri, 12 Jun 2026 17:50:03 +0000
    Message-ID: <B-0007-1-3fa9c2d1@kuori>
    X-Kuori-Message: B-0007-1
    X-Kuori-Service: ordinary
    MIME-Version: 1.0
    Content-Type: multipart/mixed;
     boundary="kuori-2aebe5093bfae22b8d813c9346b940a372c0f5ac3fc837dc285b1ef740a754ca"

    --kuori-2aebe5093bfae22b8d813c9346b940a372c0f5ac3fc837dc285b1ef740a754ca
    Content-Type: text/plain; charset="utf-8"
    Content-Transfer-Encoding: base64

    SGVpIQ0KDQpQw6TDpHTDtnMgb24gbGlpdHRlZW7DpC4NCg==

    --kuori-2aebe5093bfae22b8d813c9346b940a372c0f5ac3fc837dc285b1ef740a754ca
    Content-Type: application/pdf
    Content-Disposition: attachment; filename*=UTF-8''p%C3%A4%C3%A4t%C3%B6s.pdf
    Content-Transfer-Encoding: base64

    JVBERi0xLjcgbm90IHJlYWxseQ==

    --kuori-2aebe5093bfae22b8d813c9346b940a372c0f5ac3fc837dc285b1ef740a754ca--
    "#);
}

#[test]
fn a_title_cannot_add_a_header() {
    let house = House::new();
    let sly = Delivery {
        title: "A\r\nBcc: someone@example.org".into(),
        pdf_file_name: "a\"\r\nX-Bad: 1\r\n\r\n.pdf".to_owned(),
        sender_name: "B\nX-Bad: 1".to_owned(),
        ..delivery(1)
    };
    house.deliver(vec![sly]);
    let text = fs::read_to_string(house.only_message()).unwrap();
    let starts = |line: &str| line.starts_with("Bcc") || line.starts_with("X-Bad");
    assert!(!text.lines().any(starts), "{text}");
}

#[test]
fn the_folder_key_is_made_once_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("folder.key");
    let key = FolderKey::open(&path).unwrap();
    let again = FolderKey::open(&path).unwrap();
    assert_eq!(key.check_value(), again.check_value());
    assert_eq!(fs::read(&path).unwrap().len(), 32);
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode, format!("{key:?}")), (0o600, "[hidden]".to_owned()));
}

#[test]
fn a_folder_key_cut_short_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("folder.key");
    FolderKey::open(&path).unwrap();
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(31)
        .unwrap();
    let error = FolderKey::open(&path).unwrap_err();
    assert!(
        matches!(error, Error::KeyLength { bytes: 31, .. }),
        "{error}"
    );
    assert_eq!(error.disposition(), Disposition::Hold);
}

#[test]
fn another_folder_key_is_refused_so_that_nobody_gets_a_second_mailbox() {
    let house = House::new();
    let root = house.folder.path().join("mail");
    assert!(Maildirs::new(root.clone(), [7; 32].into()).is_ok());
    let error = Maildirs::new(root, [8; 32].into()).unwrap_err();
    assert!(matches!(error, Error::KeyChanged { .. }), "{error}");
}

/// The endings are those that `batch` lets through: of another kind it says so when a batch is opened.
#[test]
fn each_kind_of_attachment_that_comes_through_has_a_type_of_its_own() {
    let endings = "pdf doc docx xls xlsx ppt pptx odt ods jpg png txt";
    let types: std::collections::BTreeSet<_> = endings
        .split(' ')
        .map(|ending| super::media_type(&format!("a.{ending}")))
        .collect();
    assert_eq!(types.len(), 12);
    assert!(!types.contains("application/octet-stream"));
    assert_eq!(super::media_type("A.PDF"), "application/pdf");
}
