//! What comes out of an entry, against what its headers say of it.

use super::{build::zip, forge::*};
use crate::domain::Code;

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
