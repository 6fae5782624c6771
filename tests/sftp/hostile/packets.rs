//! Bytes that are no packets, packets that come at the wrong time, and numbers used twice.

use super::{
    bytes::Packet,
    panics,
    wire::{Wire, a_good_client_works, kind, open},
};
use crate::sftp::house::{House, put};

const MAX_PACKET: u32 = 256 * 1024;

#[tokio::test]
async fn what_does_not_greet_first_ends_the_session() {
    let house = House::start().await;
    let realpath = Packet::sftp(kind::REALPATH).u32(1).string(".").framed();
    let extended = Packet::sftp(kind::EXTENDED)
        .u32(1)
        .string("limits@openssh.com");
    let version = Packet::sftp(2).u32(3).framed();
    let http = b"GET / HTTP/1.1\r\nHost: kuori\r\n\r\n".to_vec();
    for bad in [
        realpath,
        extended.framed(),
        version,
        http,
        vec![0xff; 100],
        vec![0; 8],
    ] {
        let mut wire = Wire::silent(&house, "city").await;
        wire.send(&bad).await;
        assert!(wire.packet().await.is_none(), "{bad:?}");
    }
    a_good_client_works(&house, "after.zip").await;
}

#[tokio::test]
async fn a_greeting_may_have_any_version_and_extensions_and_is_said_once() {
    let house = House::start().await;
    let long = Packet::sftp(kind::INIT)
        .u32(3)
        .string("x@y")
        .string(vec![b'1'; 200_000]);
    for greeting in [
        Packet::sftp(kind::INIT).u32(0),
        Packet::sftp(kind::INIT).u32(6),
        Packet::sftp(kind::INIT).u32(u32::MAX),
        Packet::sftp(kind::INIT).u32(3).raw(&[0xff; 20]),
        long,
    ] {
        let mut wire = Wire::silent(&house, "city").await;
        wire.send(&greeting.clone().framed()).await;
        assert_eq!(wire.packet().await.unwrap()[..5], [2, 0, 0, 0, 3]);
        wire.send(&greeting.framed()).await;
        assert!(
            wire.packet().await.is_none(),
            "a second greeting was answered"
        );
    }
}

#[tokio::test]
async fn packets_may_come_byte_by_byte() {
    let house = House::start().await;
    let mut wire = Wire::silent(&house, "city").await;
    let mut bytes = Packet::sftp(kind::INIT).u32(3).framed();
    let path = Packet::empty().string("/inbox/../receipts");
    bytes.extend(wire.request(kind::REALPATH, &path).1);
    for byte in bytes {
        wire.send(&[byte]).await;
        wire.send(&[]).await;
    }
    assert_eq!(wire.packet().await.unwrap()[0], 2);
    let reply = wire.reply().await.unwrap();
    assert_eq!(reply.kind, kind::NAME);
}

#[tokio::test]
async fn a_packet_may_have_the_limit_of_bytes_and_no_more() {
    let house = House::start().await;
    for (length, answered) in [
        (0, false),
        (1, false),
        (5, true),
        (MAX_PACKET, true),
        (MAX_PACKET + 1, false),
        (i32::MAX.unsigned_abs(), false),
        (u32::MAX, false),
    ] {
        let mut wire = Wire::greeted(&house, "city").await;
        let mut packet = vec![0; length.min(MAX_PACKET + 1) as usize];
        for (at, byte) in packet.iter_mut().zip([99, 0, 0, 0, 42]) {
            *at = byte;
        }
        wire.send(&length.to_be_bytes()).await;
        wire.send(&packet).await;
        assert_eq!(wire.packet().await.is_some(), answered, "{length}");
    }
}

#[tokio::test]
async fn half_a_packet_and_then_the_end_is_no_success_and_leaves_no_file() {
    let house = House::start().await;
    let mut wire = Wire::greeted(&house, "city").await;
    let flags = open::WRITE | open::CREATE | open::TRUNCATE;
    let handle = wire.open("inbox/a.zip", flags).await.unwrap().handle();
    let fields = Packet::empty()
        .string(handle.unwrap())
        .u64(0)
        .string(vec![1; 1000]);
    let (_, bytes) = wire.request(kind::WRITE, &fields);
    wire.send(&bytes[..500]).await;
    let (packets, _) = wire.finish().await;
    assert!(packets.is_empty(), "{packets:?}");
    assert!(!house.on_disk("city/inbox/a.zip").exists());
}

#[tokio::test]
async fn every_type_of_packet_is_answered_under_its_number_or_ends_the_session() {
    let house = House::start().await;
    let mut wire = Wire::greeted(&house, "city").await;
    for kind in 0..=255 {
        for fields in [
            Packet::empty(),
            Packet::empty().string("inbox"),
            Packet::empty().string("inbox").raw(&[0; 40]),
            Packet::empty().raw(&[0xff; 40]),
        ] {
            let (id, bytes) = wire.request(kind, &fields);
            wire.send(&bytes).await;
            match wire.reply().await {
                Some(reply) => {
                    assert_eq!(reply.id, id, "{kind}");
                    assert!((101..=105).contains(&reply.kind) || reply.kind == 201);
                }
                None => wire = Wire::greeted(&house, "city").await,
            }
        }
    }
    assert_eq!(panics::seen(), Vec::<String>::new());
    a_good_client_works(&house, "after.zip").await;
}

#[tokio::test]
async fn a_number_used_a_hundred_times_is_answered_a_hundred_times() {
    let house = House::start().await;
    put(&house.on_disk("city/receipts/a"), b"a");
    let mut wire = Wire::greeted(&house, "city").await;
    let same = Packet::sftp(kind::STAT)
        .u32(7)
        .string("receipts/a")
        .framed();
    wire.send(&same.repeat(100)).await;
    for _ in 0..100 {
        let reply = wire.reply().await.unwrap();
        assert_eq!((reply.id, reply.kind), (7, 105));
    }
}

#[tokio::test]
async fn a_handle_of_another_session_or_none_is_no_handle() {
    let house = House::start().await;
    put(&house.on_disk("other/receipts/secret"), b"secret");
    let mut other = Wire::greeted(&house, "other").await;
    let opened = other.open("receipts/secret", open::READ).await.unwrap();
    let mut wire = Wire::greeted(&house, "city").await;
    let mut handles = vec![
        opened.handle().unwrap(),
        vec![],
        vec![0xff; 300],
        vec![b'1'; 20],
    ];
    handles.extend(["0", "1", "-1", "../1", "18446744073709551616"].map(|h| h.as_bytes().to_vec()));
    for handle in handles {
        for kind in [kind::CLOSE, kind::FSTAT, kind::READDIR] {
            let reply = wire.on_handle(kind, &handle).await.unwrap();
            assert_ne!(reply.status().unwrap_or(0), 0, "{handle:?}");
        }
        let read = wire.read(&handle, 0, 10).await.unwrap();
        assert_ne!(read.status().unwrap_or(0), 0);
        let written = wire.write(&handle, 0, b"x").await.unwrap();
        assert_ne!(written.status().unwrap_or(0), 0);
    }
}

#[tokio::test]
async fn a_file_that_was_received_can_be_neither_changed_nor_taken_back() {
    let house = House::start().await;
    let mut wire = Wire::greeted(&house, "city").await;
    assert_eq!(wire.upload("inbox/a.zip", b"received").await, Some(0));
    let pair = |from: &str, to: &str| Packet::empty().string(from).string(to);
    for name in ["inbox/a.zip.part", "inbox/.a.zip", "inbox/a.tmp"] {
        // Under a name of an unfinished file it could be overwritten and removed.
        wire.ask(kind::RENAME, pair("inbox/a.zip", name))
            .await
            .unwrap();
        let posix = Packet::empty()
            .string("posix-rename@openssh.com")
            .raw(&pair("inbox/a.zip", name).payload());
        wire.ask(kind::EXTENDED, posix).await.unwrap();
        wire.ask(kind::REMOVE, Packet::empty().string(name))
            .await
            .unwrap();
        wire.upload(name, b"changed").await;
        let back = pair(name, "inbox/a.zip");
        wire.ask(kind::RENAME, back).await.unwrap();
    }
    for flags in 0..64 {
        let opened = wire.open("inbox/a.zip", flags).await.unwrap();
        if let Some(handle) = opened.handle() {
            wire.write(&handle, 0, b"changed!").await.unwrap();
            wire.on_handle(kind::CLOSE, &handle).await.unwrap();
        }
    }
    let emptied = Packet::empty().string("inbox/a.zip").u32(1).u64(0);
    wire.ask(kind::SETSTAT, emptied).await.unwrap();
    wire.ask(kind::REMOVE, Packet::empty().string("inbox/a.zip"))
        .await
        .unwrap();
    let content = std::fs::read(house.on_disk("city/inbox/a.zip"));
    assert_eq!(content.unwrap(), b"received");
}

#[tokio::test]
async fn a_sender_cannot_take_the_name_of_our_own_folder() {
    let house = House::start().await;
    let mut wire = Wire::greeted(&house, "city").await;
    // The poller claims files by moving them there.
    for name in ["inbox/.kuori", "inbox//.kuori/", "./inbox/.kuori"] {
        assert_ne!(wire.upload(name, b"in the way").await, Some(0), "{name}");
        wire.upload("inbox/a.tmp", b"in the way").await;
        let moved = Packet::empty().string("inbox/a.tmp").string(name);
        let moved = wire.ask(kind::RENAME, moved).await.unwrap();
        assert_ne!(moved.status(), Some(0), "{name}");
    }
    let claimed = house.on_disk("city/inbox/.kuori/taking");
    std::fs::create_dir_all(&claimed).unwrap();
    put(&claimed.join("x.tmp"), b"claimed");
    let removed = Packet::empty().string("inbox/.kuori/taking/x.tmp");
    wire.ask(kind::REMOVE, removed).await.unwrap();
    assert!(claimed.join("x.tmp").exists(), "a claimed file was removed");
}
