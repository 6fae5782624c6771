//! aiosmtpd takes our notices, encrypted and with a login, and Python's `email` reads them as meant.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use kuori::{
    domain::Language,
    notices::{Error, Kind, Login, Mail, Mailer, Notice, Settings, Tls},
};
use serde::Deserialize;

use crate::hub::now;

/// A process, which ends with the test.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
        fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let python = std::env::var("KUORI_PYTHON")
            .expect("KUORI_PYTHON names the Python of a venv with tests/outside/requirements.txt");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outside/mail_server.py");
        let mut child = Command::new(python)
            .arg(script)
            .args(["certificate.pem", "key.pem", "mails.json"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut said).unwrap();
        Self {
            child,
            port: said.trim().parse().unwrap(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// As the server writes it.
#[derive(Deserialize)]
struct Taken {
    from: String,
    to: Vec<String>,
    is_encrypted: bool,
    headers: std::collections::BTreeMap<String, String>,
    defects: Vec<String>,
    text: String,
}

fn settings(folder: &Path, port: u16) -> Settings {
    fs::write(folder.join("password"), "secret\n").unwrap();
    Settings {
        port,
        tls: Tls::Starttls,
        ca_file: Some(folder.join("certificate.pem")),
        login: Some(Login {
            user: "kuori".to_owned(),
            password_file: folder.join("password"),
        }),
        ..Settings::new("localhost", "no-reply@example.fi".parse().unwrap())
    }
}

fn notice(to: &str, sender_name: &str, language: Option<Language>) -> Notice {
    Notice {
        delivery: "B-0007-12-c0ffee00".to_owned(),
        kind: Kind::First,
        to: to.parse().unwrap(),
        language,
        sender_name: sender_name.to_owned(),
        date: now(),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with aiosmtpd"]
async fn somebody_elses_mail_server_takes_notices_and_reads_them_as_meant() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let mailer = Mailer::new(settings(folder.path(), server.port));
    let mut session = mailer.open().await.unwrap();
    let long = "Ä".repeat(1_000);
    let names = [
        "Example City",
        "Äänekosken \"kaupunki\", <öljy>",
        "City\r\nBcc: x@y.fi",
        &long,
    ];
    for name in names {
        let notice = notice("maija@example.org", name, None);
        let mail = Mail::of(&notice, mailer.settings()).unwrap();
        session.send(&mail).await.unwrap();
    }
    session.close().await;
    let told = fs::read_to_string(folder.path().join("mails.json")).unwrap();
    let taken: Vec<Taken> = told
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    assert_eq!(taken.len(), names.len());
    let read = [
        "Example City",
        "Äänekosken \"kaupunki\", <öljy>",
        "City Bcc: x@y.fi",
        &long[..200],
    ];
    for (mail, name) in taken.iter().zip(read) {
        assert!(mail.is_encrypted);
        assert_eq!(
            (mail.from.as_str(), &mail.to[..]),
            ("no-reply@example.fi", &["maija@example.org".to_owned()][..])
        );
        assert_eq!(mail.defects, [""; 0]);
        let subject = format!("Uusi viesti: {name} / Ett nytt meddelande: {name}");
        assert_eq!(mail.headers["Subject"], subject);
        assert_eq!(
            mail.headers["Message-ID"],
            "<notice.B-0007-12-c0ffee00@example.fi>"
        );
        assert_eq!(mail.headers["Auto-Submitted"], "auto-generated");
        assert!(mail.headers["From"].ends_with("<no-reply@example.fi>"));
        assert!(!mail.headers.contains_key("Bcc"));
        assert_eq!(mail.text.matches(name).count(), 2, "{}", mail.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with aiosmtpd"]
async fn what_somebody_elses_mail_server_refuses_is_understood_without_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let settings = settings(folder.path(), server.port);
    let mailer = Mailer::new(settings.clone());
    let mut session = mailer.open().await.unwrap();
    let mail = |to| Mail::of(&notice(to, "City", None), mailer.settings()).unwrap();
    let refused = session.send(&mail("nobody@example.org")).await.unwrap_err();
    assert!(
        matches!(refused, Error::NoSuchAddress { .. }),
        "{refused:?}"
    );
    let later = session.send(&mail("later@example.org")).await.unwrap_err();
    assert!(matches!(later, Error::PutOff { .. }), "{later:?}");
    assert!(!format!("{refused:?} {later:?}").contains('@'));
    session.send(&mail("later@example.org")).await.unwrap();

    fs::write(folder.path().join("password"), "wrong").unwrap();
    let error = mailer.open().await.err().unwrap();
    assert!(matches!(error, Error::Login { .. }), "{error:?}");
    let without = Mailer::new(Settings {
        login: None,
        ..settings
    });
    let mut session = without.open().await.unwrap();
    let error = session.send(&mail("maija@example.org")).await.unwrap_err();
    assert!(matches!(error, Error::From { .. }), "{error:?}");
}
