//! The client against a small server over a real socket.

mod calls;
mod certificates;
mod passwords;
mod privacy;
mod server;
mod tokens;

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;

use self::server::{Reply, Seen, Server};
use super::*;
use crate::domain::{Private, RecipientId, ServiceKind};

const PASSWORD: &str = "Secret-password-of-32-characters";

/// A server that gives tokens and lets `answer` say the rest, and a client of it.
struct Line {
    server: Server,
    client: Suomifi,
    folder: TempDir,
}

impl Line {
    async fn new(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(|_| {}, answer).await
    }

    async fn with(
        change: impl FnOnce(&mut Settings),
        answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let server = Server::start(answer).await;
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path(), &server.url);
        change(&mut settings);
        Self {
            server,
            client: Suomifi::new(settings).unwrap(),
            folder,
        }
    }

    fn password_file(&self) -> PathBuf {
        self.folder.path().join("password")
    }
}

fn settings(folder: &Path, url: &str) -> Settings {
    let password_file = folder.join("password");
    write(&password_file, PASSWORD);
    let name = "city-letters".parse().unwrap();
    Settings {
        base_url: url.to_owned(),
        allows_plain_http: true,
        connect_timeout: Duration::from_secs(30),
        ..Settings::new(name, "S-1".to_owned(), "kuori".to_owned(), password_file)
    }
}

fn write(path: &Path, text: &str) {
    writeln!(File::create(path).unwrap(), "{text}").unwrap();
}

/// A new token for each question.
fn tokens(seen: &Seen) -> Option<Reply> {
    let is_token = seen.path == "/v1/token";
    is_token.then(|| Reply::token(&format!("token-{}", seen.number)))
}

fn person(code: &str) -> RecipientId {
    code.parse().unwrap()
}

fn post() -> Post {
    Post {
        external_id: ExternalId("kuori.example-city.1".to_owned()),
        recipient: Some(person("131052-9085")),
        electronic: Some(Electronic {
            title: "Decision of Maija Mallikas".into(),
            body: "Dear Maija Mallikas,\r\nyour child\r\nhas a place\r\nin Mallila.".into(),
            service: ServiceKind::Verifiable,
            attachments: vec![AttachmentId("a-1".to_owned())],
            recipient_only: true,
            replies_allowed: false,
            reminder: true,
        }),
        paper: None,
    }
}

fn paper() -> Paper {
    let address = |name: &str| {
        let private = |text: &str| Some(Private::from(text));
        PostalAddressee(crate::domain::PostalAddress {
            name: private(name),
            additional_name: private("c/o Matti Mainio"),
            street: private("Mallikatu 17 B"),
            postal_code: private("99999"),
            city: private("Korvatunturi"),
            country: "QQ".parse().ok(),
        })
    };
    Paper {
        attachment: AttachmentId("a-2".to_owned()),
        recipient: address("Maija Mallikas"),
        sender: address("Example City"),
        account: PostalAccount {
            user: "posti6".to_owned(),
            password: "pw4!".into(),
            contact_email: "maija.clerk@city.example".to_owned(),
            cost_pool: Some("POOL7".to_owned()),
        },
        service: ServiceKind::Ordinary,
        colour: true,
        duplex: false,
        address_page: true,
        turn_landscape: false,
    }
}

fn upload() -> Upload {
    Upload {
        name: "päätös.pdf".to_owned(),
        media_type: "application/pdf",
        bytes: b"%PDF-1.7 of nobody".to_vec(),
    }
}
