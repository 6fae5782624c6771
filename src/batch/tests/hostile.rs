//! Archives that two programs could read in two ways, and those that ask for too much: a test for
//! each way. What an ordinary tool writes is in `archives`.

use std::io::Read;

use super::{build::zip, forge::*};
use crate::{
    batch::{Archive, Limits},
    domain::{Code, Finding},
};

fn findings(bytes: &[u8]) -> Vec<Finding> {
    let opened = Archive::open(bytes, &Limits::default());
    opened.err().unwrap_or_default()
}

/// Of one entry, or of several.
fn told(parts: &[Part]) -> Vec<(Code, String)> {
    let found = findings(&forge(parts).bytes).into_iter();
    found
        .map(|finding| (finding.code, finding.detail))
        .collect()
}

fn codes(parts: &[Part]) -> Vec<Code> {
    told(parts).into_iter().map(|(code, _)| code).collect()
}

fn check_refused(part: Part, code: Code, says: &str) {
    let told = told(&[part]);
    let [(found, detail)] = told.as_slice() else {
        panic!("{says}: {told:?}")
    };
    assert!(*found == code && detail.contains(says), "{says}: {told:?}");
}

fn inconsistent(part: Part, says: &str) {
    check_refused(part, Code::ArchiveInconsistent, says);
}

fn letter() -> Part {
    Part::deflated("kirje.pdf", &b"kirje ".repeat(100))
}

fn content(bytes: &[u8], name: &str) -> Result<Vec<u8>, Code> {
    let archive = Archive::open(bytes, &Limits::default()).map_err(|findings| findings[0].code)?;
    let whole = archive.read(name).map(|content| content.into_owned());
    let streamed = archive.reader(name).and_then(|mut reader| {
        let mut bytes = Vec::new();
        let read = reader.read_to_end(&mut bytes).is_ok();
        assert_eq!(read, reader.problem().is_none());
        reader
            .problem()
            .map_or(Ok(bytes), |problem| Err(problem.clone()))
    });
    assert_eq!(whole, streamed, "both ways to read tell the same");
    whole.map_err(|finding| finding.code)
}

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
fn names_that_cannot_be_kept_as_they_are_are_refused() {
    let bad: [&[u8]; 17] = [
        b"", b"/", b"..", b"../a", b"a/../b", b"a/..", b"./a", b"a//b", b"/a", b"//a/b", b"C:a",
        b"c:/a", b"a\\b", b"..\\a", b"a\0b", b"a\nb", b"a\x7F",
    ];
    for name in bad {
        let part = letter().both(|head| head.name = name.to_vec());
        check_refused(part, Code::ArchiveEntryName, "name");
    }
    let no_text = letter().both(|head| (head.name, head.flags) = (b"\xE4.pdf".to_vec(), UTF8));
    check_refused(no_text, Code::ArchiveEntryName, "not text");
}

#[test]
fn a_name_may_be_as_long_as_a_field_and_no_longer() {
    let long = |length: usize| vec![letter().both(|head| head.name = vec![b'a'; length])];
    let limit = Limits::default().max_field_chars;
    assert_eq!(codes(&long(limit)), []);
    assert_eq!(codes(&long(limit + 1)), [Code::ArchiveEntryName]);
}

/// `ä.pdf`, in the three ways that tools write it.
#[test]
fn names_beyond_ascii_are_read_as_they_were_meant() {
    let utf8 = "ä.pdf".as_bytes().to_vec();
    let dos = b"\x84.pdf".to_vec();
    let path = [&[1], crc(&dos).to_le_bytes().as_slice(), &utf8].concat();
    let ways = [
        letter().both(|head| (head.name, head.flags) = (utf8.clone(), UTF8)),
        letter().both(|head| head.name = utf8.clone()),
        letter().both(|head| head.name = dos.clone()),
        letter().both(|head| (head.name, head.extra) = (dos.clone(), extra(0x7075, &path))),
    ];
    for part in ways {
        let forged = forge(&[part]).bytes;
        assert_eq!(content(&forged, "ä.pdf"), Ok(b"kirje ".repeat(100)));
    }
}

#[test]
fn an_entry_with_two_names_is_refused() {
    let path = |of: &[u8], name: &[u8]| {
        let field = [&[1], crc(of).to_le_bytes().as_slice(), name].concat();
        extra(0x7075, &field)
    };
    let second = path(b"kirje.pdf", b"muu.pdf");
    let both = letter().both(|head| head.extra = second.clone());
    check_refused(both, Code::ArchiveEntryName, "two names");
    let local = letter().with(|part| part.local.extra = second);
    inconsistent(local, "a second name");
    for wrong in [
        path(b"x", b"kirje.pdf"),
        path(b"kirje.pdf", b"\xFF"),
        extra(0x7075, b""),
    ] {
        let part = letter().both(|head| head.extra = wrong.clone());
        check_refused(part, Code::ArchiveEntryName, "second name");
    }
    let same = path(b"kirje.pdf", b"kirje.pdf");
    assert_eq!(
        codes(&[letter().both(|head| head.extra = same.clone())]),
        []
    );
}

#[test]
fn names_that_some_system_takes_for_one_are_refused() {
    let named = |name: &str| letter().both(|head| head.name = name.into());
    let alike = [
        ["a", "a"],
        ["a.pdf", "A.PDF"],
        ["\u{e4}.pdf", "a\u{308}.pdf"],
        ["\u{c4}.pdf", "a\u{308}.pdf"],
    ];
    for names in alike {
        let found = codes(&names.map(named));
        assert_eq!(found, [Code::ArchiveDuplicateName], "{names:?}");
    }
    let file_and_folder = [named("a"), Part::stored("A/", b"")];
    assert_eq!(codes(&file_and_folder), [Code::ArchiveDuplicateName]);
    assert_eq!(codes(&["a", "\u{e4}", "\u{e5}"].map(named)), []);
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
    assert!(findings(&with_comment(&[b'x'; 0xFFFF])).is_empty());
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

#[test]
fn stored_entries_have_one_size_and_folders_have_none() {
    let stored = Part::stored("a", b"kirje").both(|head| head.size = 4);
    inconsistent(stored, "its two sizes differ");
    inconsistent(Part::stored("a/", b"kirje"), "a folder has content");
    assert_eq!(codes(&[Part::deflated("a/", b"")]), []);
}

#[test]
fn content_is_counted_and_never_believed() {
    let lying =
        |change: fn(&mut Head)| content(&forge(&[letter().both(change)]).bytes, "kirje.pdf");
    assert_eq!(lying(|head| head.size -= 1), Err(Code::ArchiveInconsistent));
    assert_eq!(lying(|head| head.size += 1), Err(Code::ArchiveInconsistent));
    assert_eq!(lying(|head| head.size = 0), Err(Code::ArchiveInconsistent));
    assert_eq!(
        lying(|head| head.size = 1 << 20),
        Err(Code::ArchiveInconsistent)
    );
    assert_eq!(lying(|head| head.crc ^= 1), Err(Code::ArchiveDamaged));
    let ragged = letter().with(|part| {
        part.data.push(0);
        part.local.packed += 1;
        part.central.packed += 1;
    });
    assert_eq!(
        content(&forge(&[ragged]).bytes, "kirje.pdf"),
        Err(Code::ArchiveInconsistent)
    );
    let cut = letter().with(|part| {
        part.data.pop();
        part.local.packed -= 1;
        part.central.packed -= 1;
    });
    assert_eq!(
        content(&forge(&[cut]).bytes, "kirje.pdf"),
        Err(Code::ArchiveDamaged)
    );
    let noise = letter().with(|part| part.data.fill(0xFF));
    assert_eq!(
        content(&forge(&[noise]).bytes, "kirje.pdf"),
        Err(Code::ArchiveDamaged)
    );
    let stored = Part::stored("a", b"kirje").both(|head| head.crc ^= 1);
    assert_eq!(
        content(&forge(&[stored]).bytes, "a"),
        Err(Code::ArchiveDamaged)
    );
    assert_eq!(
        content(&forge(&[Part::deflated("a", b"")]).bytes, "a"),
        Ok(vec![])
    );
}

#[test]
fn archives_of_other_kinds_are_refused_by_name() {
    for name in ["a.7z", "a.RAR", "k/a.tar.gz", "a.tgz", "a.jar", "a.zst"] {
        let part = letter().both(|head| head.name = name.into());
        check_refused(part, Code::ArchiveHidden, "not opened");
    }
    for name in ["a.zip", "zip", "a.rar.pdf", "7z.xml"] {
        assert_eq!(codes(&[letter().both(|head| head.name = name.into())]), []);
    }
}

#[test]
fn archives_under_other_names_are_refused_when_read() {
    let inner = zip(&[("a", b"kirje")]);
    let signs: [&[u8]; 6] = [
        &inner,
        b"7z\xBC\xAF\x27\x1C\0",
        b"Rar!\x1A\x07\x01\0",
        b"\x1F\x8B\x08\0",
        b"BZh91AY&SY\0",
        b"\x28\xB5\x2F\xFD\0",
    ];
    for sign in signs {
        for part in [
            Part::stored("kirje.pdf", sign),
            Part::deflated("kirje.pdf", sign),
        ] {
            let forged = forge(&[part]).bytes;
            assert_eq!(content(&forged, "kirje.pdf"), Err(Code::ArchiveHidden));
        }
    }
    for name in ["a.zip", "a.docx"] {
        let forged = forge(&[Part::deflated(name, &inner)]).bytes;
        assert_eq!(content(&forged, name), Ok(inner.clone()));
    }
    for text in ["BZh is no sign alone", "PK", ""] {
        let forged = forge(&[Part::deflated("a", text.as_bytes())]).bytes;
        assert_eq!(content(&forged, "a"), Ok(text.into()));
    }
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
