use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Instant,
};

use kuori::suomifi_stub::Settings;

const CONNECTIONS: u32 = 16;
const MESSAGES: u32 = 50_000;
const UPLOADS: u32 = 20_000;
const FILE: usize = 60_000;
const BOUNDARY: &str = "----------------------------a-boundary-of-this-bench";

/// How many requests a second the stand-in answers, on a machine that asks it too.
pub(crate) fn ask(address: &str) {
    let Settings { user, password, .. } = Settings::default();
    let login = format!(r#"{{"username":"{user}","password":"{password}"}}"#);
    let login = request("/v1/token", "application/json", "", login.as_bytes());
    let token = Caller::new(address).call(&login, 200);
    let (_, token) = token.split_once(r#""access_token":""#).unwrap();
    let token = format!(
        "Authorization: Bearer {}\r\n",
        token.split('"').next().unwrap()
    );
    println!("the stand-in alone, {CONNECTIONS} connections");
    let send = |nth| {
        let body = message(nth);
        let path = "/v2/messages/electronic";
        request(path, "application/json", &token, body.as_bytes())
    };
    run(address, "messages", MESSAGES, 200, &send);
    let form = format!("multipart/form-data; boundary={BOUNDARY}");
    let upload = request("/v2/attachments", &form, &token, &file());
    run(address, "files of 60 kB", UPLOADS, 201, &|_| upload.clone());
}

fn run(address: &str, what: &str, calls: u32, status: u16, made: &(dyn Fn(u32) -> Vec<u8> + Sync)) {
    let (next, since) = (AtomicU32::new(0), Instant::now());
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut caller = Caller::new(address);
                loop {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    if nth >= calls {
                        return;
                    }
                    caller.call(&made(nth), status);
                }
            });
        }
    });
    let rate = f64::from(calls) / since.elapsed().as_secs_f64();
    println!("  {what:<30}{rate:.0} a second");
}

fn message(nth: u32) -> String {
    format!(
        r#"{{"externalId":"bench.{nth}","sender":{{"serviceId":"bench"}},"recipient":{{"id":"010190-900P"}},"electronic":{{"title":"A decision","body":"It is attached.","bodyFormat":"Text","messageServiceType":"Normal","attachments":[],"notifications":{{"senderDetailsInNotifications":"Organisation and service name","unreadMessageNotification":{{"reminder":"Default reminder"}}}},"replyAllowedBy":"No one","visibility":"Normal"}}}}"#
    )
}

fn file() -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"letter.pdf\"\r\n\
         Content-Type: application/pdf\r\n\r\n"
    );
    let mut noise = vec![0; FILE];
    blake3::Hasher::new().finalize_xof().fill(&mut noise);
    let end = format!("\r\n--{BOUNDARY}--\r\n");
    [head.as_bytes(), &noise, end.as_bytes()].concat()
}

fn request(path: &str, kind: &str, token: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\n{token}Content-Type: {kind}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// One connection: a request, its answer, the next request.
struct Caller(BufReader<TcpStream>);

impl Caller {
    fn new(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(BufReader::new(stream))
    }

    fn call(&mut self, request: &[u8], status: u16) -> String {
        self.0.get_mut().write_all(request).unwrap();
        let (mut line, mut length) = (String::new(), 0);
        self.0.read_line(&mut line).unwrap();
        assert!(line.contains(&format!(" {status} ")), "{line}");
        loop {
            line.clear();
            self.0.read_line(&mut line).unwrap();
            let header = line.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(bytes) = header.strip_prefix("content-length:") {
                length = bytes.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        String::from_utf8(body).unwrap()
    }
}
