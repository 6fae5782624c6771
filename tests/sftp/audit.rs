//! Who did what is written down.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use russh_sftp::protocol::OpenFlags;
use tracing_subscriber::fmt::MakeWriter;

use crate::sftp::house::{House, put, until};

/// SHA-256 of `abc` (FIPS 180-2, appendix B.1).
const ABC: &str = "sha256=ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// The log of all tests of this process, for sessions have threads of their own: each line is
/// told apart by the names in it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

impl Log {
    /// Whether a line holds all of `parts`.
    fn has(&self, parts: &[&str]) -> bool {
        let log = String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned();
        log.lines()
            .any(|line| parts.iter().all(|part| line.contains(part)))
    }
}

#[tokio::test]
async fn deeds_and_refusals_are_written_down() {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(log.clone())
        .init();
    let house = House::start().await;
    let raw = house.raw("city").await;
    raw.upload("inbox/seen.part", b"12345").await.unwrap();
    raw.sftp
        .rename("inbox/seen.part", "inbox/seen.zip")
        .await
        .unwrap();
    raw.upload("inbox/seen.zip", b"again").await.unwrap_err();
    put(&house.on_disk("city/receipts/seen.csv"), b"1234567");
    let handle = raw
        .open("receipts/seen.csv", OpenFlags::READ)
        .await
        .unwrap();
    raw.sftp.read(&*handle, 0, 100).await.unwrap();
    raw.close(&handle).await.unwrap();
    raw.sftp.remove("receipts/seen.csv").await.unwrap();
    // An identity code in a name is somebody's.
    raw.upload("inbox/seen 010190Y900P.zip", b"abc")
        .await
        .unwrap();
    let half = raw.create("inbox/seen-half.zip").await.unwrap();
    raw.write(&half, b"half").await.unwrap();
    drop(raw);
    let raw = house.raw("city").await;
    until(|| {
        log.has(&[
            "upload broken off",
            r#"path="/inbox/seen-half.zip""#,
            "bytes=4",
        ])
    })
    .await;
    raw.open("inbox/seen-half.zip", OpenFlags::WRITE)
        .await
        .unwrap();
    let mut stranger = house.greet().await;
    let key = house.loaded_key("city");
    let answer = stranger.authenticate_publickey("seen-stranger\n", key);
    assert!(!answer.await.unwrap().success());

    for wanted in [
        ["upload", r#"path="/inbox/seen.part""#, "bytes=5"].as_slice(),
        &[
            "rename",
            r#"path="/inbox/seen.zip""#,
            r#"from="/inbox/seen.part""#,
        ],
        &["refusal", "inbox/seen.zip", "is there already"],
        &["download", r#"path="/receipts/seen.csv""#, "bytes=7"],
        &["removal", r#"path="/receipts/seen.csv""#, "bytes=7"],
        &[
            "upload",
            r#"path="/inbox/seen [hidden].zip""#,
            "bytes=3",
            ABC,
            "seconds=",
        ],
        &["resume", r#"path="/inbox/seen-half.zip""#, "bytes=4"],
        &["login", "account=city", "key=SHA256:"],
        // What a stranger types cannot make a line of its own.
        &["login refused", "seen-stranger\\n", "unknown user or key"],
    ] {
        until(|| log.has(&[&["audit", "127.0.0.1:"], wanted].concat())).await;
    }
}
