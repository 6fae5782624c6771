//! Archives that two programs could read in two ways: a test for each way. What an ordinary tool
//! writes is in `archives`.

use std::io::{Cursor, Read};

use zip::{ZipArchive, result::ZipError};

use super::forge::*;
use crate::{
    batch::{Archive, Entry, Limits},
    domain::Code,
};

#[test]
fn what_is_forged_with_nothing_wrong_is_read() {
    let parts = [
        letter(),
        Part::stored("kansio/", b""),
        Part::stored("b", b"b"),
    ];
    let forged = forge(&parts).bytes;
    assert_eq!(content(&forged, "kirje.pdf"), Ok(b"kirje ".repeat(100)));
    assert_eq!(content(&forged, "b"), Ok(b"b".to_vec()));
    let archive = Archive::open(&forged, &Limits::default()).unwrap();
    assert_eq!((archive.entries().len(), archive.listed()), (2, 3));
    assert_eq!(archive.entry("kansio/"), None);
    assert_eq!(archive.entry("KIRJE.pdf"), None);
    assert!(findings(&forge(&[]).bytes).is_empty());
}

#[test]
fn entries_encrypted_in_any_way_are_refused() {
    for bit in [0, 6, 13] {
        let part = letter().both(|head| head.flags |= 1 << bit);
        check_refused(part, Code::ArchiveEncrypted, "encrypted");
    }
    let aes = letter().both(|head| head.method = 99);
    check_refused(aes, Code::ArchiveEncrypted, "encrypted");
}

#[test]
fn every_method_but_stored_and_deflated_is_refused() {
    for method in (1..8).chain(9..99).chain([100, 0xFFFF]) {
        let part = letter().both(|head| head.method = method);
        check_refused(part, Code::ArchiveMethod, "neither stored nor deflated");
    }
    let patch = letter().both(|head| head.flags |= 1 << 5);
    check_refused(patch, Code::ArchiveMethod, "neither stored nor deflated");
}

#[test]
fn links_and_devices_are_refused_whatever_system_they_are_from() {
    let with_mode = |mode: u32| letter().with(|part| part.attributes = mode << 16);
    for mode in [0o120_777, 0o010_644, 0o020_644, 0o060_644, 0o140_644] {
        let made_on = |system: u8| with_mode(mode).with(|part| part.made_on = system);
        check_refused(made_on(3), Code::ArchiveSymlink, "a link");
        check_refused(made_on(0), Code::ArchiveSymlink, "a link");
    }
    let reparse_point = letter().with(|part| (part.made_on, part.attributes) = (0, 0x400));
    check_refused(reparse_point, Code::ArchiveSymlink, "a link");
    for mode in [0, 0o644, 0o100_644] {
        assert_eq!(codes(&[with_mode(mode)]), []);
    }
}

#[test]
fn headers_that_disagree_are_refused() {
    let local = |change: fn(&mut Head)| letter().with(|part| change(&mut part.local));
    inconsistent(
        local(|head| head.name = b"kirjf.pdf".to_vec()),
        "another name",
    );
    inconsistent(local(|head| head.method = 0), "another method");
    for bit in [0, 3, 5, 6, 11, 13, 15] {
        let part = letter().with(|part| part.local.flags ^= 1 << bit);
        inconsistent(part, "other flags");
    }
    for change in [
        |head: &mut Head| head.crc ^= 1,
        |head: &mut Head| head.size += 1,
        |head: &mut Head| head.packed += 1,
        |head: &mut Head| head.size = 0,
        |head: &mut Head| head.size = u32::MAX,
    ] {
        inconsistent(local(change), "other sizes or another checksum");
    }
    assert_eq!(codes(&[local(|head| head.flags |= 0b110)]), [], "effort");
    let astray = letter().with(|part| part.offset = Some(1));
    inconsistent(astray, "its own header is not");
    let far = letter().with(|part| part.offset = Some(0x7FFF_FFFF));
    inconsistent(far, "its own header is not");
}

#[test]
fn streamed_entries_are_held_to_what_stands_behind_them() {
    for (sign, is_wide) in [
        (b"PK\x07\x08".as_slice(), false),
        (b"", false),
        (b"PK\x07\x08", true),
        (b"", true),
    ] {
        let part = letter().streamed(|head| descriptor(head, sign, is_wide));
        let forged = forge(&[part.clone(), Part::stored("b", b"b")]).bytes;
        assert_eq!(content(&forged, "kirje.pdf"), Ok(b"kirje ".repeat(100)));
        for at in 0..part.behind.len() {
            let wrong = part.clone().with(|part| part.behind[at] ^= 1);
            inconsistent(wrong, "other sizes or another checksum");
        }
        let short = part
            .clone()
            .with(|part| part.behind.truncate(part.behind.len() - 1));
        inconsistent(short, "other sizes or another checksum");
        let long = part.clone().with(|part| part.behind.push(0));
        inconsistent(long, "other sizes or another checksum");
    }
    let without = letter().streamed(|_| Vec::new());
    inconsistent(without, "other sizes or another checksum");
    let streamed = || letter().streamed(|head| descriptor(head, b"", false));
    let known = streamed().with(|part| part.local.size = part.central.size);
    assert_eq!(codes(&[known]), []);
    let mistaken = streamed().with(|part| part.local.size = part.central.size + 1);
    inconsistent(mistaken, "its own header gives other sizes");
}

#[test]
fn entries_that_share_bytes_are_refused() {
    let inner = forge(&[Part::stored("b", b"kirje")]);
    let outer = Part::stored("a", &inner.bytes[..inner.directory]);
    let quoted = Part::stored("b", b"kirje");
    let forged = forge(&[outer, quoted]);
    let at = u32::try_from(30 + 1).unwrap().to_le_bytes();
    let mut bytes = forged.bytes;
    // The directory gets another place for the second, and the second's own bytes go.
    let second = forged.directory - 36;
    bytes.drain(second..forged.directory);
    let directory = second;
    let entry = directory + 46 + 1 + 42;
    bytes[entry..entry + 4].copy_from_slice(&at);
    let end = bytes.len() - 22;
    bytes[end + 16..end + 20].copy_from_slice(&u32::try_from(directory).unwrap().to_le_bytes());
    let found = findings(&bytes);
    assert_eq!(found[0].code, Code::ArchiveInconsistent);
    assert!(found[0].detail.contains("reaches into what comes after it"));
    let same = [letter(), letter().with(|part| part.offset = Some(0))];
    assert_eq!(codes(&same), [Code::ArchiveDuplicateName]);
}

/// A thousand names for one kernel, as zip bombs have them.
#[test]
fn many_entries_on_the_same_bytes_are_refused() {
    let named = |number: u32| letter().both(|head| head.name = format!("{number:09}").into());
    let parts: Vec<_> = (0..1_000)
        .map(|n| named(n).with(|part| part.offset = Some(0)))
        .collect();
    let found = codes(&parts);
    assert_eq!(
        found,
        vec![Code::ArchiveInconsistent; 100],
        "no more than a hundred are told"
    );
}

#[test]
fn whatever_stands_between_entries_is_refused() {
    let gap = letter().with(|part| part.behind = b"x".to_vec());
    inconsistent(gap.clone(), "the directory does not list");
    assert_eq!(
        codes(&[gap, Part::stored("b", b"b")]),
        [Code::ArchiveInconsistent]
    );
    let unlisted = forge(&[Part::stored("b", b"salaa")]);
    let hiding = letter().with(|part| part.behind = unlisted.bytes[..unlisted.directory].to_vec());
    inconsistent(hiding, "the directory does not list");
    let second = Part::stored("b", b"b").with(|part| part.local.name = b"b".to_vec());
    let forged = forge(&[letter(), second]);
    // The first is struck from the directory.
    let struck = 46 + "kirje.pdf".len();
    let mut bytes = forged.bytes;
    bytes.drain(forged.directory..forged.directory + struck);
    let end = bytes.len() - 22;
    bytes[end + 8..end + 12].copy_from_slice(&[1, 0, 1, 0]);
    let size = u32::try_from(end - forged.directory).unwrap();
    bytes[end + 12..end + 16].copy_from_slice(&size.to_le_bytes());
    let found = findings(&bytes);
    assert_eq!(found[0].code, Code::ArchiveInconsistent);
    assert!(found[0].detail.contains("something before it"), "{found:?}");
}

#[test]
fn a_comment_is_taken_unless_another_end_hides_in_it() {
    let with_comment = |comment: &[u8]| {
        let length = u16::try_from(comment.len()).unwrap().to_le_bytes();
        [forge(&[letter()]).at_end(20, &length), comment.to_vec()].concat()
    };
    assert!(findings(&with_comment(b"kirje")).is_empty());
    assert!(findings(&with_comment(&vec![b'x'; 0xFFFF])).is_empty());
    let nested = forge(&[]).bytes;
    for comment in [
        nested.as_slice(),
        b"PK\x05\x06",
        &[b"PK\x05\x06".as_slice(), &[0; 30]].concat(),
    ] {
        let found = findings(&with_comment(comment));
        assert_eq!(found[0].detail, "it has two end records");
    }
}

#[test]
fn an_end_record_that_lies_is_refused() {
    let forged = || forge(&[letter(), Part::stored("b", b"b")]);
    let lies: [(usize, &[u8]); 7] = [
        (8, &[1, 0]),
        (10, &[1, 0]),
        (8, &[3, 0, 3, 0]),
        (12, &[0, 0, 0, 0]),
        (16, &[0, 0, 0, 0]),
        (12, &[0xFF; 8]),
        (20, &[1, 0]),
    ];
    for (at, lie) in lies {
        let found = findings(&forged().at_end(at, lie));
        assert_eq!(found[0].code, Code::ArchiveInconsistent, "{at} {lie:?}");
    }
    for disk in [4, 6] {
        let found = findings(&forged().at_end(disk, &[1, 0]));
        assert_eq!(found[0].detail, "it is one part of several");
    }
}

#[test]
fn entries_in_another_part_of_the_archive_are_refused() {
    inconsistent(letter().with(|part| part.disk = 1), "another part");
    let zip64 = |disk: u32| {
        letter().with(|part| {
            part.disk = u16::MAX;
            part.central.extra = extra(1, &disk.to_le_bytes());
        })
    };
    assert_eq!(codes(&[zip64(0)]), []);
    inconsistent(zip64(1), "another part");
}

/// The letter, with the two sizes of its headers in the extra fields of ZIP64.
fn wide(local: [u64; 2], central: [u64; 2]) -> Part {
    let field = |sizes: [u64; 2]| extra(1, &sizes.map(u64::to_le_bytes).concat());
    let narrow = |head: &mut Head| (head.packed, head.size) = (u32::MAX, u32::MAX);
    letter().both(narrow).with(|part| {
        part.local.extra = field(local);
        part.central.extra = field(central);
    })
}

#[test]
fn numbers_of_zip64_are_held_to() {
    let sound = letter().central;
    let sizes = [sound.size, sound.packed].map(u64::from);
    assert_eq!(codes(&[wide(sizes, sizes)]), []);
    let larger = sizes.map(|size| size + 1);
    inconsistent(wide(sizes, larger), "other sizes");
    inconsistent(wide(larger, sizes), "other sizes");
    inconsistent(wide(larger, larger), "reaches into");
    let field = extra(1, &[0; 8]);
    let short = wide(sizes, sizes).with(|part| part.central.extra = field.clone());
    inconsistent(short, "a large number that is not there");
    let surplus = letter().with(|part| part.central.extra = field.clone());
    inconsistent(surplus, "two sizes");
    let twice = wide(sizes, sizes).with(|part| part.central.extra.extend(field));
    inconsistent(twice, "there twice");
    let cut = letter().with(|part| part.central.extra = b"\x01\0\x08\0".to_vec());
    inconsistent(cut, "cut off");
    let huge = wide([u64::MAX; 2], [u64::MAX; 2]);
    assert_eq!(
        codes(&[huge]),
        [Code::ArchiveEntryTooLarge, Code::ArchiveTooLarge]
    );
}

#[test]
fn padding_of_extra_fields_is_passed_over() {
    let padded = letter().both(|head| head.extra = [extra(0xCAFE, b"x"), vec![0; 3]].concat());
    assert_eq!(codes(&[padded]), []);
    let aligned = letter().with(|part| part.local.extra = vec![0; 16]);
    assert_eq!(codes(&[aligned]), []);
}

/// Every archive that is a beginning of a sound one.
#[test]
fn an_archive_that_is_cut_off_anywhere_is_refused() {
    let streamed = letter().streamed(|head| descriptor(head, b"PK\x07\x08", false));
    let whole = forge(&[streamed, Part::stored("b", b"b")]).bytes;
    for length in 0..whole.len() {
        assert!(!findings(&whole[..length]).is_empty(), "{length}");
    }
    assert!(findings(&whole).is_empty());
}

/// Each bit that matters, one after the other: where we still take the archive, another reader
/// finds the same files in it.
#[test]
fn an_archive_with_one_wrong_byte_is_refused_or_reads_the_same_for_others() {
    let streamed = |name: &str, sign: &[u8], is_wide: bool| {
        letter()
            .both(|head| head.name = name.into())
            .streamed(|head| descriptor(head, sign, is_wide))
    };
    let sound = letter().central;
    let sizes = [sound.size, sound.packed].map(u64::from);
    let parts = [
        streamed("a", b"PK\x07\x08", false),
        Part::stored("kansio/", b""),
        streamed("b", b"", true),
        wide(sizes, sizes),
        Part::stored("\u{e4}", b"b"),
    ];
    let whole = forge(&parts).bytes;
    let mut taken = 0;
    for at in 0..whole.len() {
        for change in [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0xFF] {
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            if let Ok(archive) = Archive::open(&bytes, &Limits::default()) {
                taken += 1;
                assert!(reads_the_same(&archive, &bytes), "{change:#x} at {at}");
            }
        }
    }
    assert!(taken > 100, "dates and content may be anything: {taken}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "another reader, to compare with what ours makes of the same bytes"
)]
fn reads_the_same(archive: &Archive<'_>, bytes: &[u8]) -> bool {
    let Ok(mut other) = ZipArchive::new(Cursor::new(bytes)) else {
        return true;
    };
    assert_eq!(other.len() as u64, archive.listed());
    let is_same = |entry: &Entry| {
        let Ok(ours) = archive.read(&entry.name) else {
            return true;
        };
        let mut theirs = Vec::new();
        match other.by_name(&entry.name) {
            Ok(mut reader) => reader.read_to_end(&mut theirs).is_err() || *ours == theirs,
            Err(error) => !matches!(error, ZipError::FileNotFound),
        }
    };
    archive.entries().iter().all(is_same)
}
