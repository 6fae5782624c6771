//! Dovecot serves the mailboxes over IMAP, Python's `imaplib` reads a message there, and its sender hears
//! of it.

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::{Child, Command},
    thread::sleep,
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use kuori::{pipeline::ReadSettings, sample::Spec};
use serde::Deserialize;
use tempfile::TempDir;

use super::{mail, print_run::SentBatch, tools};
use crate::hub::{Hub, now, sample_bytes};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Dovecot, Python, qpdf and pdftoppm"]
async fn a_message_that_is_read_over_imap_is_told_to_its_sender() {
    let hub = Hub::new();
    let spec = Spec {
        letters: 20,
        ..Spec::default()
    };
    hub.consent(&spec);
    let bytes = sample_bytes(&spec);
    hub.process("batch.zip", &bytes).await;
    let new = hub.mailbox_messages().remove(0);
    let mailbox = new.ancestors().nth(2).unwrap();

    let dovecot = Dovecot::serve(&hub);
    let read = hub.path().join("read.eml");
    let user = mailbox.file_name().unwrap().to_str().unwrap();
    let arguments = [dovecot.port.as_str(), user, read.to_str().unwrap()];
    let told: Flags = serde_json::from_str(&tools::python("read_imap.py", arguments)).unwrap();
    assert_eq!((told.seen_before, told.seen_after), (false, true));
    let id = mail::holds_its_letter(&hub, &SentBatch::of(&bytes), &read);
    drop(dovecot);

    let looked = hub.look_for_reads(None, ReadSettings::default()).await;
    assert_eq!(looked.read, 1);
    hub.run_at(now() + SignedDuration::from_hours(24)).await;
    let report = hub.receipt(".delivery-2");
    let (_, message) = report.split_once(&format!("<Message id=\"{id}\"")).unwrap();
    let (message, _) = message.split_once("</Message>").unwrap();
    assert!(message.contains("<Event what=\"read\""), "{report}");
}

#[derive(Debug, Deserialize)]
struct Flags {
    seen_before: bool,
    seen_after: bool,
}

/// A server of a hub's mailboxes; the password of each is `secret`.
struct Dovecot {
    port: String,
    process: Child,
    folder: TempDir,
}

impl Dovecot {
    fn serve(hub: &Hub) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap().port().to_string()
        };
        let user = User::of(hub);
        let settings = folder.path().join("dovecot.conf");
        fs::write(
            &settings,
            settings_text(folder.path(), hub.path(), &port, &user),
        )
        .unwrap();
        let said = File::create(folder.path().join("said")).unwrap();
        let process = Command::new("/usr/sbin/dovecot")
            .args(["-F", "-c", settings.to_str().unwrap()])
            .stderr(said)
            .spawn()
            .expect("dovecot-imapd is there: `.ci/run` installs it");
        let dovecot = Self {
            port,
            process,
            folder,
        };
        dovecot.wait();
        dovecot
    }

    fn wait(&self) {
        let address = format!("127.0.0.1:{}", self.port);
        let began = Instant::now();
        while TcpStream::connect(&address).is_err() {
            let said = fs::read_to_string(self.folder.path().join("said")).unwrap();
            assert!(began.elapsed() < Duration::from_mins(1), "{said}");
            sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Dovecot {
    /// It ends its own processes where it is asked to end.
    fn drop(&mut self) {
        let id = self.process.id().to_string();
        let _ = Command::new("kill").arg(id).status();
        let _ = self.process.wait();
    }
}

/// Whose processes serve, and who owns the mailboxes.
struct User {
    master: String,
    login: String,
    mail: (u32, u32),
}

impl User {
    /// Nobody logs in as root, so where root runs the tests the mailboxes are given to nobody.
    fn of(hub: &Hub) -> Self {
        let owner = fs::metadata(hub.path()).unwrap();
        let master = tools::run("id", ["-un"]).out.trim().to_owned();
        if owner.uid() != 0 {
            return Self {
                login: master.clone(),
                master,
                mail: (owner.uid(), owner.gid()),
            };
        }
        fs::set_permissions(hub.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let mailboxes = hub.path().join("mailboxes");
        tools::run("chown", ["-R", "65534:65534", mailboxes.to_str().unwrap()]);
        Self {
            master,
            login: "nobody".to_owned(),
            mail: (65_534, 65_534),
        }
    }
}

fn settings_text(folder: &Path, hub: &Path, port: &str, user: &User) -> String {
    let (folder, mailboxes) = (folder.display(), hub.join("mailboxes"));
    let group = tools::run("id", ["-gn"]).out;
    let (uid, gid) = user.mail;
    format!(
        "base_dir = {folder}/run
log_path = {folder}/said
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = {}
default_internal_group = {}
default_login_user = {}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
first_valid_uid = {uid}
mail_location = maildir:{}/%2u/%u:INDEX=MEMORY
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}
}}
",
        user.master,
        group.trim(),
        user.login,
        mailboxes.display(),
    )
}
