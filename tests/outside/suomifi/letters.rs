//! Letters that our client sends to the stand-in, by every door.

use std::{fmt::Write, fs, os::unix::fs::PermissionsExt, path::Path};

use kuori::{
    domain::{PostalAddress, Private, RecipientId, ServiceKind},
    mailbox::suomifi::{
        AttachmentId, Electronic, Error, ExternalId, Paper, Post, PostalAccount, PostalAddressee,
        Settings, Suomifi, Upload,
    },
    suomifi_stub::{self, Happening, Selection, Stub},
};

/// All that we ask of the service.
pub(super) const PATHS: [&str; 9] = [
    "/v1/token",
    "/v1/change-password",
    "/v1/mailboxes/active",
    "/v1/messages/id",
    "/v2/attachments",
    "/v2/messages",
    "/v2/messages/electronic",
    "/v2/paper-mail-without-id",
    "/v2/events",
];

/// What was exchanged, each at least once.
pub(super) const EXCHANGES: [&str; 13] = [
    "/v1/token 200",
    "/v1/change-password 200",
    "/v1/mailboxes/active 200",
    "/v1/messages/id 200",
    "/v1/messages/id 404",
    "/v2/attachments 201",
    "/v2/messages 200",
    "/v2/messages/electronic 200",
    "/v2/messages/electronic 400",
    "/v2/messages/electronic 409",
    "/v2/paper-mail-without-id 200",
    "/v2/paper-mail-without-id 409",
    "/v2/events 200",
];

/// An artificial code that has a mailbox here, and one that has none.
const WITH: &str = "010190-900P";
const WITHOUT: &str = "010190-901R";

/// A line for each request and its answer.
pub(super) async fn exchanged(folder: &Path) -> String {
    let stub = stand_in().await;
    let client = client(&stub, folder);
    send_all(&client, &stub).await;
    let other: Private<String> = "Another-password-of-the-stand-in-2".into();
    client.change_password(&other).await.unwrap();
    client.check().await.unwrap();
    let mut lines = String::new();
    for exchange in stub.exchanges() {
        writeln!(lines, "{exchange}").unwrap();
    }
    lines
}

async fn stand_in() -> Stub {
    let settings = suomifi_stub::Settings {
        keeps_exchanges: true,
        ..suomifi_stub::Settings::default()
    };
    let stub = Stub::start(settings).await.unwrap();
    stub.close_mailbox(WITHOUT);
    stub
}

fn client(stub: &Stub, folder: &Path) -> Suomifi {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let file = folder.join("password");
    fs::write(&file, stub.password()).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let mut settings = Settings::new(
        "stand-in".parse().unwrap(),
        "example-service".to_owned(),
        "stub".to_owned(),
        file,
    );
    settings.base_url = stub.base_url();
    settings.allows_plain_http = true;
    Suomifi::new(settings).unwrap()
}

async fn send_all(client: &Suomifi, stub: &Stub) {
    let recipients: Vec<RecipientId> = [WITHOUT, WITH].map(person).into();
    let asked: Vec<_> = recipients.iter().collect();
    assert_eq!(client.are_active(&asked).await.unwrap(), [false, true]);
    let file = client.upload(&pdf()).await.unwrap();
    let first = electronic("a", WITH, &file);
    let sent = client.send(&first).await.unwrap();
    let again = client.send(&first).await.unwrap();
    assert!(again.was_sent_before);
    assert_eq!(again.message_id, sent.message_id);
    let refused = client.send(&electronic("b", WITHOUT, &file)).await;
    assert!(matches!(refused, Err(Error::NoMailbox)));
    for (external_id, recipient) in [("c", WITH), ("d", WITHOUT)] {
        let mut both = electronic(external_id, recipient, &file);
        both.paper = Some(paper(&file));
        client.send(&both).await.unwrap();
    }
    let alone = Post {
        external_id: ExternalId("e".to_owned()),
        recipient: None,
        electronic: None,
        paper: Some(paper(&file)),
    };
    let sent = client.send(&alone).await.unwrap();
    assert_eq!(
        client.send(&alone).await.unwrap().message_id,
        sent.message_id
    );
    ask_after_them(client, stub, sent.message_id).await;
}

async fn ask_after_them(client: &Suomifi, stub: &Stub, last: i64) {
    let id = |id: &str| ExternalId(id.to_owned());
    assert_eq!(client.message_id(&id("e")).await.unwrap(), Some(last));
    assert_eq!(client.message_id(&id("none")).await.unwrap(), None);
    for what in [
        Happening::Acknowledge,
        Happening::Read,
        Happening::Print,
        Happening::PostConfirm,
    ] {
        stub.happen(what, &Selection::default());
    }
    let page = client.events(None).await.unwrap();
    assert_eq!(page.unreadable, 0);
    let rest = client.events(Some(&page.continuation)).await.unwrap();
    assert_eq!(rest.events, []);
}

fn person(code: &str) -> RecipientId {
    RecipientId::Person(code.parse().unwrap())
}

fn pdf() -> Upload {
    Upload {
        name: "Päätös.pdf".to_owned(),
        media_type: "application/pdf",
        bytes: b"%PDF-1.7 as far as anybody looks\r\n--\r\n".to_vec(),
    }
}

fn electronic(external_id: &str, recipient: &str, file: &AttachmentId) -> Post {
    Post {
        external_id: ExternalId(external_id.to_owned()),
        recipient: Some(person(recipient)),
        electronic: Some(Electronic {
            title: "Päätös".into(),
            body: "Hei,\n\npäätös on liitteenä.".into(),
            service: ServiceKind::Verifiable,
            attachments: vec![file.clone()],
            recipient_only: true,
            replies_allowed: false,
            reminder: true,
        }),
        paper: None,
    }
}

fn paper(file: &AttachmentId) -> Paper {
    let addressee = || {
        PostalAddressee(PostalAddress {
            name: Some("Testi Vastaanottaja".into()),
            additional_name: None,
            street: Some("Keksitty katu 1".into()),
            postal_code: Some("00100".into()),
            city: Some("KEKSILÄ".into()),
            country: None,
        })
    };
    Paper {
        attachment: file.clone(),
        recipient: addressee(),
        sender: addressee(),
        account: PostalAccount {
            user: "abcdef".to_owned(),
            password: "1234".into(),
            contact_email: "posti@example.org".to_owned(),
            cost_pool: Some("A1".to_owned()),
        },
        service: ServiceKind::Verifiable,
        colour: false,
        duplex: true,
        address_page: true,
        turn_landscape: false,
    }
}
