//! How the mail server is reached: encrypted, and with a login.

use std::fs;

use kuori::notices::{Error, Login, Mail, Mailer, Settings, Tls};

use super::{
    flow::settings,
    server::{Encrypts, Rules, Server},
};
use crate::hub::now;

fn server(tls: Encrypts, login: Option<(&'static str, &'static str)>) -> Server {
    Server::start(Rules {
        tls,
        login,
        ..Rules::default()
    })
}

/// Of a server that shows a certificate of `localhost`, which is trusted.
fn trusting(server: &Server, tls: Tls) -> Settings {
    Settings {
        host: "localhost".to_owned(),
        tls,
        ca_file: Some(server.certificate().to_owned()),
        ..settings(server)
    }
}

async fn send(settings: Settings) -> Result<(), Error> {
    let mailer = Mailer::new(settings);
    let to = "maija@example.org".parse().unwrap();
    let mail = Mail::trial(&to, now(), mailer.settings()).unwrap();
    let mut session = mailer.open().await?;
    session.send(&mail).await?;
    session.close().await;
    Ok(())
}

fn with_login(settings: Settings, password: &str) -> (Settings, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let password_file = folder.path().join("password");
    fs::write(&password_file, format!("{password}\n")).unwrap();
    let login = Some(Login {
        user: "kuori".to_owned(),
        password_file,
    });
    (Settings { login, ..settings }, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_goes_encrypted_in_both_ways() {
    for (encrypts, tls) in [
        (Encrypts::FromTheFirstByte, Tls::Required),
        (Encrypts::ByStartTls, Tls::Starttls),
    ] {
        let server = server(encrypts, Some(("kuori", "secret")));
        let (settings, _folder) = with_login(trusting(&server, tls), "secret");
        send(settings).await.unwrap();
        assert_eq!(server.taken().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_to_a_server_that_nobody_vouches_for() {
    for (encrypts, tls) in [
        (Encrypts::FromTheFirstByte, Tls::Required),
        (Encrypts::ByStartTls, Tls::Starttls),
    ] {
        let server = server(encrypts, None);
        let unknown = Settings {
            ca_file: None,
            ..trusting(&server, tls)
        };
        let another_name = Settings {
            host: "127.0.0.1".to_owned(),
            ..trusting(&server, tls)
        };
        for settings in [unknown, another_name] {
            let error = send(settings).await.unwrap_err();
            assert!(matches!(error, Error::Trust { .. }), "{error}");
        }
        assert_eq!(server.taken().len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_in_the_clear_where_it_is_to_be_encrypted() {
    let server = server(Encrypts::Never, None);
    let error = send(trusting(&server, Tls::Starttls)).await.unwrap_err();
    assert!(matches!(error, Error::NoStartTls { .. }), "{error}");
    assert_eq!(server.taken().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_without_it_and_without_an_address() {
    let server = server(Encrypts::ByStartTls, Some(("kuori", "secret")));
    let (settings, _folder) = with_login(trusting(&server, Tls::Starttls), "wrong one");
    let told = format!("{} {0:?}", send(settings.clone()).await.unwrap_err());
    assert!(
        told.contains("does not let `kuori` in") && told.contains("5.7.8"),
        "{told}"
    );
    assert!(!told.contains("wrong one") && !told.contains('@'), "{told}");
    let without = Settings {
        login: None,
        ..settings
    };
    let error = send(without).await.unwrap_err();
    assert!(matches!(error, Error::From { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_missing_or_holds_no_certificate_is_named() {
    let server = server(Encrypts::ByStartTls, None);
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().join("nothing.pem");
    fs::write(&nothing, "nothing").unwrap();
    for path in [nothing, folder.path().join("missing.pem")] {
        let settings = Settings {
            ca_file: Some(path.clone()),
            ..trusting(&server, Tls::Starttls)
        };
        let error = send(settings).await.unwrap_err().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
    }
}
