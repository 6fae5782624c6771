//! Any requests in any order, well-formed and spoiled: the session answers or ends.

use proptest::prelude::*;
use tokio::runtime::Builder;

use super::{
    bytes::Packet,
    canary::{CONTENT, Canaries},
    panics,
    wire::{Wire, a_good_client_works, kind},
};
use crate::sftp::house::{House, put};

/// The fields of each request: a path, a handle, numbers of 32 and 64 bits, data, attributes.
const SHAPES: [(u8, &str); 20] = [
    (kind::INIT, ""),
    (kind::OPEN, "pfa"),
    (kind::CLOSE, "h"),
    (kind::READ, "hqn"),
    (kind::WRITE, "hqd"),
    (kind::LSTAT, "p"),
    (kind::FSTAT, "h"),
    (kind::SETSTAT, "pa"),
    (kind::FSETSTAT, "ha"),
    (kind::OPENDIR, "p"),
    (kind::READDIR, "h"),
    (kind::REMOVE, "p"),
    (kind::MKDIR, "pa"),
    (kind::RMDIR, "p"),
    (kind::REALPATH, "p"),
    (kind::STAT, "p"),
    (kind::RENAME, "pp"),
    (kind::READLINK, "p"),
    (kind::SYMLINK, "pp"),
    (kind::EXTENDED, "epp"),
];

const PATHS: [&str; 12] = [
    "inbox/a.zip",
    "inbox/a.tmp",
    "inbox/b.zip.part",
    "inbox",
    "receipts/r",
    "receipts/folder",
    "receipts",
    "/",
    "../other/inbox",
    "../other/inbox/canary-name.tmp",
    "../../outside/canary-name.zip",
    "",
];

const EXTENSIONS: [&str; 6] = [
    "posix-rename@openssh.com",
    "fsync@openssh.com",
    "limits@openssh.com",
    "statvfs@openssh.com",
    "hardlink@openssh.com",
    "unheard-of",
];

fn field(letter: char) -> BoxedStrategy<Vec<u8>> {
    let string = |bytes: Vec<u8>| Packet::empty().string(bytes).payload();
    let number = prop_oneof![Just(0), Just(1), Just(u32::MAX), any::<u32>()];
    let far = prop_oneof![0..100_u64, Just(1 << 62), any::<u64>()];
    let chosen = |from: &'static [&'static str]| {
        prop_oneof![
            9 => prop::sample::select(from).prop_map(|text| text.as_bytes().to_vec()),
            1 => prop::collection::vec(any::<u8>(), 0..300),
        ]
    };
    match letter {
        'p' => chosen(&PATHS).prop_map(string).boxed(),
        'e' => chosen(&EXTENSIONS).prop_map(string).boxed(),
        'h' => (0..12_u32)
            .prop_map(move |n| string(n.to_string().into_bytes()))
            .boxed(),
        'f' => (0..64_u32).prop_map(|n| n.to_be_bytes().to_vec()).boxed(),
        'q' => far.prop_map(|n| n.to_be_bytes().to_vec()).boxed(),
        'd' => prop::collection::vec(any::<u8>(), 0..2000)
            .prop_map(string)
            .boxed(),
        'a' => prop_oneof![
            3 => Just(vec![0; 4]),
            2 => far_size(),
            1 => prop::collection::vec(any::<u8>(), 0..40),
        ]
        .boxed(),
        _ => number.prop_map(|n| n.to_be_bytes().to_vec()).boxed(),
    }
}

/// Attributes that are a size alone.
fn far_size() -> impl Strategy<Value = Vec<u8>> {
    let size = prop_oneof![0..100_u64, any::<u64>()];
    size.prop_map(|size| Packet::empty().u32(1).u64(size).payload())
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    let shape = prop::sample::select(&SHAPES[1..]);
    shape.prop_flat_map(|(kind, fields)| {
        let fields: Vec<_> = fields.chars().map(field).collect();
        (any::<u32>(), fields).prop_map(move |(id, fields)| {
            let packet = Packet::sftp(kind).u32(id);
            packet.raw(&fields.concat()).framed()
        })
    })
}

fn spoiled() -> impl Strategy<Value = Vec<u8>> {
    let places = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4);
    (request(), places, any::<bool>()).prop_map(|(mut bytes, places, cut)| {
        for (place, byte) in &places {
            let at = place.index(bytes.len());
            bytes[at] = *byte;
        }
        if cut {
            bytes.truncate(places[0].0.index(bytes.len()));
        }
        bytes
    })
}

fn sequence() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let step = prop_oneof![30 => request(), 1 => spoiled()];
    prop::collection::vec(step, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 40,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_sequence_is_answered_or_ends_the_session(packets in sequence()) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(hold(packets));
    }
}

async fn hold(packets: Vec<Vec<u8>>) {
    let house = House::start_with_quota(|_| {}, Some(1_000_000), Some(50)).await;
    let canaries = Canaries::in_house(&house);
    put(&house.on_disk("city/receipts/r"), b"a receipt");
    std::fs::create_dir(house.on_disk("city/receipts/folder")).unwrap();
    let mut wire = Wire::greeted(&house, "city").await;
    wire.send(&packets.concat()).await;
    let (replies, _) = wire.finish().await;
    assert!(
        replies.len() <= packets.len() * 3,
        "more replies than requests"
    );
    for reply in replies {
        assert!(!reply.windows(CONTENT.len()).any(|part| part == CONTENT));
    }
    canaries.assert_unharmed();
    assert_eq!(panics::seen(), Vec::<String>::new());
    a_good_client_works(&house, "after.zip").await;
}
