//! Servers of others that ask for a password in their own way, or for more than one proof.

use std::{borrow::Cow, net::SocketAddr, path::Path, sync::Arc};

use kuori::transport::{Error, HostKey, Login, SftpFolder, SftpSettings};
use russh::{
    MethodKind, MethodSet,
    keys::{Algorithm, HashAlg, PrivateKey, key::safe_rng},
    server::{self, Auth, Handler, Response, VerifiedPublicKey},
};
use tokio::net::TcpListener;

use crate::sftp::house::{make_key, put};

const PASSWORD: &str = "open sesame";

/// How a server wants to be convinced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// `keyboard-interactive` alone, with these questions in the first round.
    Questions(&'static [(Cow<'static, str>, bool)]),
    /// A key, and then a password.
    KeyThenPassword,
}

struct Gate {
    asks: Asks,
    has_key: bool,
}

fn refuse(methods: &[MethodKind], is_one_taken: bool) -> Auth {
    Auth::Reject {
        proceed_with_methods: Some(MethodSet::from(methods)),
        partial_success: is_one_taken,
    }
}

impl Handler for Gate {
    type Error = russh::Error;

    async fn auth_publickey(
        &mut self,
        _: &str,
        _: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        self.has_key = true;
        Ok(match self.asks {
            Asks::KeyThenPassword => refuse(&[MethodKind::Password], true),
            Asks::Questions(_) => refuse(&[MethodKind::KeyboardInteractive], false),
        })
    }

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(match self.asks {
            Asks::KeyThenPassword if self.has_key && password == PASSWORD => Auth::Accept,
            Asks::KeyThenPassword => refuse(&[MethodKind::PublicKey], false),
            Asks::Questions(_) => refuse(&[MethodKind::KeyboardInteractive], false),
        })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let Asks::Questions(prompts) = self.asks else {
            return Ok(refuse(&[MethodKind::PublicKey], false));
        };
        Ok(match response.and_then(|mut answers| answers.next()) {
            None => Auth::Partial {
                name: "".into(),
                instructions: "".into(),
                prompts: prompts.into(),
            },
            Some(answer) if answer == PASSWORD.as_bytes() => Auth::Accept,
            Some(_) => refuse(&[MethodKind::KeyboardInteractive], false),
        })
    }
}

/// Serves one connection, without SFTP behind the login.
async fn gate(asks: Asks) -> (SocketAddr, String) {
    let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
    let fingerprint = key.public_key().fingerprint(HashAlg::Sha256).to_string();
    let config = server::Config {
        keys: vec![key],
        auth_rejection_time: std::time::Duration::ZERO,
        methods: MethodSet::from(
            &[
                MethodKind::PublicKey,
                MethodKind::Password,
                MethodKind::KeyboardInteractive,
            ][..],
        ),
        ..server::Config::default()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let gate = Gate {
            asks,
            has_key: false,
        };
        let running = server::run_stream(Arc::new(config), stream, gate).await;
        let _ = running.unwrap().await;
    });
    (address, fingerprint)
}

async fn log_in(asks: Asks, login: Login) -> Error {
    let (address, fingerprint) = gate(asks).await;
    let settings = SftpSettings {
        host: address.ip().to_string(),
        port: address.port(),
        login,
        host_key: HostKey::Fingerprints(vec![fingerprint]),
        ..SftpSettings::default()
    };
    match SftpFolder::connect(settings).await {
        Ok(_) => panic!("there is no SFTP behind the gate"),
        Err(error) => error,
    }
}

fn password(dir: &Path, password: &str) -> Login {
    let path = dir.join("password");
    put(&path, format!("{password}\n").as_bytes());
    Login::PasswordFile(path)
}

/// The login was taken: what is missing is SFTP.
fn is_in(error: &Error) -> bool {
    matches!(error, Error::NoSftp { .. } | Error::Connect { .. })
}

#[tokio::test]
async fn a_server_that_asks_for_the_password_as_a_question_gets_it() {
    let dir = tempfile::tempdir().unwrap();
    let asks = Asks::Questions(&[(Cow::Borrowed("Password: "), false)]);
    let right = log_in(asks, password(dir.path(), PASSWORD)).await;
    assert!(is_in(&right), "{right:?}");
    let wrong = log_in(asks, password(dir.path(), "sesame")).await;
    assert!(matches!(wrong, Error::LoginRefused { .. }), "{wrong:?}");
}

#[tokio::test]
async fn a_server_that_asks_for_a_code_does_not_get_the_password() {
    let dir = tempfile::tempdir().unwrap();
    for prompts in [
        &[(Cow::Borrowed("Token: "), true)][..],
        &[
            (Cow::Borrowed("Password: "), false),
            (Cow::Borrowed("Code: "), false),
        ][..],
    ] {
        let refused = log_in(Asks::Questions(prompts), password(dir.path(), PASSWORD)).await;
        let told = refused.to_string();
        assert!(told.contains("asks questions"), "{told}");
    }
}

#[tokio::test]
async fn a_server_that_wants_key_and_password_gets_both() {
    let dir = tempfile::tempdir().unwrap();
    make_key(&dir.path().join("key"));
    let key = Login::Key(dir.path().join("key"));
    let both = Login::InOrder(vec![key.clone(), password(dir.path(), PASSWORD)]);
    let inside = log_in(Asks::KeyThenPassword, both).await;
    assert!(is_in(&inside), "{inside:?}");
    let refused = log_in(Asks::KeyThenPassword, key).await;
    let told = refused.to_string();
    assert!(told.contains("one more of: password"), "{told}");
}
