use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::suomifi_stub::{Settings, Stub};

/// An artificial code with an even individual number, and one with an odd one.
pub(super) const EVEN: &str = "010190-900P";
pub(super) const ODD: &str = "010190-901R";

pub(super) fn settings() -> Settings {
    Settings {
        keeps_bodies: true,
        ..Settings::default()
    }
}

/// A stand-in, and somebody who is let in.
pub(super) struct Caller {
    pub(super) stub: Stub,
    pub(super) token: String,
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: String,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// All that a refusal says.
    pub(super) fn faults(&self) -> Vec<String> {
        let answer = self.json();
        let faults = answer["validationErrors"].as_array().unwrap();
        let fault = |one: &Value| one["error"].as_str().unwrap().to_owned();
        faults.iter().map(fault).collect()
    }
}

impl Caller {
    pub(super) async fn start(settings: Settings) -> Self {
        let stub = Stub::start(settings).await.unwrap();
        let token = String::new();
        let mut caller = Self { stub, token };
        caller.log_in().await;
        caller
    }

    pub(super) async fn log_in(&mut self) {
        let password = self.stub.password();
        let asked = json!({"username": "stub", "password": password});
        let answer = self.post("/v1/token", &asked).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        self.token = answer.json()["access_token"].as_str().unwrap().to_owned();
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        self.ask("POST", path, "application/json", body.as_bytes())
            .await
            .unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", b"").await.unwrap()
    }

    /// `None`: the connection ended before the end of an answer.
    pub(super) async fn ask(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        body: &[u8],
    ) -> Option<Answer> {
        let token = format!("Bearer {}", self.token);
        ask(self.stub.address(), method, path, kind, &token, body).await
    }

    pub(super) async fn upload(&self, name: &str, kind: &str, bytes: &[u8]) -> Answer {
        let body = form(name, kind, bytes);
        let form = "multipart/form-data; boundary=b";
        let answer = self.ask("POST", "/v2/attachments", form, &body).await;
        answer.unwrap()
    }

    pub(super) async fn uploaded(&self) -> String {
        let answer = self.upload("kirje.pdf", "application/pdf", b"%PDF-").await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["attachmentId"].as_str().unwrap().to_owned()
    }

    pub(super) async fn send(&self, message: &Value) -> Answer {
        self.post("/v2/messages/electronic", message).await
    }

    /// All events from a token on, page by page, and the last token.
    pub(super) async fn events(&self, mut token: Option<String>) -> (Vec<Value>, String) {
        let mut all = Vec::new();
        loop {
            let query = token.map(|token| format!("?continuationToken={token}"));
            let path = format!("/v2/events{}", query.unwrap_or_default());
            let page = self.get(&path).await.json();
            let last = page["continuationToken"].as_str().unwrap().to_owned();
            let events = page["events"].as_array().unwrap();
            if events.is_empty() {
                return (all, last);
            }
            all.extend(events.iter().cloned());
            token = Some(last);
        }
    }
}

pub(super) fn form(name: &str, kind: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: {kind}\r\n\r\n"
    );
    [head.as_bytes(), bytes, b"\r\n--b--\r\n"].concat()
}

pub(super) async fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    kind: &str,
    authorization: &str,
    body: &[u8],
) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: stub\r\nConnection: close\r\nContent-Type: {kind}\r\n\
         Authorization: {authorization}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The other side may have answered, or gone, before it has read all.
    let _ = stream.write_all(body).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    parsed(&String::from_utf8_lossy(&answer))
}

fn parsed(answer: &str) -> Option<Answer> {
    let (headers, body) = answer.split_once("\r\n\r\n")?;
    let headers = headers.to_ascii_lowercase();
    let status = headers.split(' ').nth(1)?.parse().ok()?;
    let length = headers.lines().find_map(|line| {
        let length = line.strip_prefix("content-length: ")?;
        length.parse::<usize>().ok()
    });
    (length == Some(body.len())).then(|| Answer {
        status,
        headers,
        body: body.to_owned(),
    })
}

/// A message that is right in all.
pub(super) fn electronic(external_id: &str, attachments: &[&str]) -> Value {
    let attachment = |id: &&str| json!({"attachmentId": id});
    json!({
        "externalId": external_id,
        "sender": {"serviceId": "service-1"},
        "recipient": {"id": EVEN},
        "electronic": {
            "title": "Päätös",
            "body": "Hei",
            "bodyFormat": "Text",
            "messageServiceType": "Normal",
            "replyAllowedBy": "No one",
            "visibility": "Normal",
            "notifications": {
                "senderDetailsInNotifications": "Organisation and service name",
                "unreadMessageNotification": {"reminder": "Default reminder"},
            },
            "attachments": attachments.iter().map(attachment).collect::<Vec<_>>(),
        },
    })
}

/// As [`electronic`], with paper for who has no mailbox.
pub(super) fn multichannel(external_id: &str, attachment: &str) -> Value {
    let mut message = electronic(external_id, &[attachment]);
    message["paperMail"] = paper(attachment);
    message
}

pub(super) fn paper_alone(external_id: &str, attachment: &str) -> Value {
    json!({
        "externalId": external_id,
        "sender": {"serviceId": "service-1"},
        "paperMail": paper(attachment),
    })
}

fn paper(attachment: &str) -> Value {
    let address = json!({"address": {
        "name": "Testi Vastaanottaja",
        "streetAddress": "Keksitty katu 1",
        "zipCode": "00000",
        "city": "KEKSILÄ",
        "countryCode": "FI",
    }});
    json!({
        "attachments": [{"attachmentId": attachment}],
        "colorPrinting": false,
        "createAddressPage": true,
        "rotateLandscapePages": false,
        "twoSidedPrinting": true,
        "messageServiceType": "Verifiable",
        "recipient": address,
        "sender": address,
        "printingAndEnvelopingService": {
            "costPool": "A1",
            "postiMessaging": {
                "username": "abcdef",
                "password": "1234",
                "contactDetails": {"email": "posti@example.org"},
            },
        },
    })
}
