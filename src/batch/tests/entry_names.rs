//! Names of entries: those that are taken, however they are written, and those that are refused.

use super::forge::*;
use crate::{batch::Limits, domain::Code};

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
fn archives_of_other_kinds_are_refused_by_name() {
    for name in ["a.7z", "a.RAR", "k/a.tar.gz", "a.tgz", "a.jar", "a.zst"] {
        let part = letter().both(|head| head.name = name.into());
        check_refused(part, Code::ArchiveHidden, "not opened");
    }
    for name in ["a.zip", "zip", "a.rar.pdf", "7z.xml"] {
        assert_eq!(codes(&[letter().both(|head| head.name = name.into())]), []);
    }
}
