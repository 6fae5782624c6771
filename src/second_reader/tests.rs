//! The child's work, done here: the files were made by qpdf from `plain.pdf`.

use std::{fmt::Write as _, fs};

use lopdf::{Document, Object};

use super::{rewrite::rewrite, verdict::Verdict};
use crate::pdf::{self, Limits, Refusal, Rewrite};

const MOST: u64 = 1 << 20;

const OPEN: [&str; 7] = [
    "rc4-40-empty",
    "rc4-128-empty",
    "v4-rc4-empty",
    "aesv2-empty",
    "aesv2-streams-empty",
    "aesv3-empty",
    "aesv3-streams-empty",
];

fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/encrypted");
    fs::read(format!("{folder}/{name}.pdf")).unwrap()
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|it| it == from);
    let at = at.expect("what is to be replaced is there");
    let mut bytes = bytes.to_vec();
    bytes[at..at + to.len()].copy_from_slice(to);
    bytes
}

fn decrypted(bytes: &[u8]) -> Result<Vec<u8>, Verdict> {
    rewrite(bytes, Rewrite::Decrypt, MOST)
}

/// What the page draws, the picture's pixels and the palette in the picture's dictionary.
fn shown(bytes: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let document = Document::load_mem(bytes).unwrap();
    let page = document.get_pages()[&1];
    let is_picture = |object: &&Object| {
        let stream = object.as_stream().ok();
        stream.is_some_and(|stream| stream.dict.has(b"Width"))
    };
    let picture = document.objects.values().find(is_picture).unwrap();
    let picture = picture.as_stream().unwrap();
    let pixels = picture
        .decompressed_content()
        .unwrap_or_else(|_| picture.content.clone());
    let colours = picture.dict.get(b"ColorSpace").unwrap();
    let (_, colours) = document.dereference(colours).unwrap();
    let palette = colours.as_array().unwrap()[3].as_str().unwrap();
    (document.get_page_content(page), pixels, palette.to_vec())
}

#[test]
fn files_with_an_empty_user_password_come_out_as_they_were() {
    let plain = shown(&fixture("plain"));
    for name in OPEN {
        let bytes = fixture(name);
        let limits = Limits::default();
        let refused = pdf::Document::open(&bytes, &limits).err();
        assert_eq!(refused, Some(Refusal::Encrypted), "{name}");
        let opened = decrypted(&bytes).unwrap();
        assert_eq!(shown(&opened), plain, "{name}");
        let document = pdf::Document::open(&opened, &limits).unwrap();
        assert!(!document.was_repaired(), "{name}");
        assert_eq!(document.page_count(), 1, "{name}");
    }
}

#[test]
fn the_same_file_gives_the_same_bytes() {
    for name in OPEN {
        let bytes = fixture(name);
        assert_eq!(decrypted(&bytes), decrypted(&bytes), "{name}");
    }
}

#[test]
fn files_with_a_password_stay_locked() {
    for name in [
        "rc4-40-locked",
        "rc4-128-locked",
        "aesv2-locked",
        "aesv3-locked",
        "owner-empty",
    ] {
        assert_eq!(decrypted(&fixture(name)), Err(Verdict::Locked), "{name}");
    }
    assert_eq!(decrypted(&fixture("plain")), Err(Verdict::Locked));
}

#[test]
fn encryption_of_a_kind_that_is_not_known_stays_locked() {
    let named = replaced(&fixture("aesv2-empty"), b"/StmF /StdCF", b"/StmF /NoSch");
    assert_eq!(decrypted(&named), Err(Verdict::Locked));
    let method = replaced(&fixture("aesv2-empty"), b"/CFM /AESV2", b"/CFM /AESV9");
    assert_eq!(decrypted(&method), Err(Verdict::Locked));
    let identity = replaced(&fixture("aesv2-empty"), b"/CFM /AESV2", b"/CFM /None ");
    assert_eq!(decrypted(&identity), Err(Verdict::Locked));
}

#[test]
fn what_does_not_decrypt_to_its_end_is_not_passed_on_as_noise() {
    let bytes = fixture("aesv2-empty");
    let word = b"endstream";
    let end = bytes.windows(word.len()).position(|it| it == word).unwrap();
    let mut failed = 0;
    for at in end - 16..end {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x55;
        failed += usize::from(decrypted(&bytes) == Err(Verdict::NotWhole));
    }
    // A wrong block ends in a right padding once in 256 times, and one byte may stand behind the data.
    assert!(failed >= 14, "{failed}");
}

#[test]
fn a_damaged_file_that_is_encrypted_too_is_not_mended() {
    for name in ["aesv2-empty", "aesv2-locked"] {
        let mended = rewrite(&fixture(name), Rewrite::Mend, MOST);
        assert_eq!(mended, Err(Verdict::Locked), "{name}");
    }
}

/// A file of these objects from 1 on, with that trailer.
fn file(objects: &[&str], trailer: &str) -> Vec<u8> {
    let (mut text, mut rows) = ("%PDF-1.7\n".to_owned(), String::new());
    for (number, object) in (1..).zip(objects) {
        writeln!(rows, "{:010} 00000 n ", text.len()).unwrap();
        writeln!(text, "{number} 0 obj\n{object}\nendobj").unwrap();
    }
    let (size, start) = (objects.len() + 1, text.len());
    write!(
        text,
        "xref\n0 {size}\n0000000000 65535 f \n{rows}trailer\n<</Size {size}{trailer}>>\n\
         startxref\n{start}\n%%EOF\n"
    )
    .unwrap();
    text.into_bytes()
}

const CONTENT: &str = "<</Length 27>>\nstream\n0 0 0 rg 100 100 50 50 re f\nendstream";
const A4: &str = "/Type/Page/MediaBox[0 0 595 842]";

#[test]
fn dictionaries_that_should_be_objects_are_made_so() {
    let page = format!("<</Kids[<<{A4}/Contents 1 0 R>>]/Type/Pages/Count 1>>");
    let in_trailer = format!("/Root<</Type/Catalog/Pages {page}>>");
    let pages_apart = file(
        &[CONTENT, &page, "<</Type/Catalog/Pages 2 0 R>>"],
        "/Root 3 0 R",
    );
    for bytes in [file(&[CONTENT], &in_trailer), pages_apart] {
        let limits = Limits::default();
        let refused = pdf::Document::open(&bytes, &limits).err();
        assert!(matches!(refused, Some(Refusal::Unreadable { .. })));
        let mended = rewrite(&bytes, Rewrite::Mend, MOST).unwrap();
        assert_eq!(rewrite(&bytes, Rewrite::Mend, MOST).unwrap(), mended);
        let document = pdf::Document::open(&mended, &limits).unwrap();
        assert!(document.page(1).unwrap().is_upright_a4(1.0));
        let read = Document::load_mem(&mended).unwrap();
        let content = read.get_page_content(read.get_pages()[&1]);
        assert!(content.starts_with(b"0 0 0 rg 100"));
    }
}

#[test]
fn a_file_of_which_something_is_lost_is_not_mended() {
    let page = format!("<</Kids[<<{A4}/Contents 1 0 R/Resources 9 0 R>>]/Type/Pages/Count 1>>");
    let bytes = file(
        &[CONTENT, &page, "<</Type/Catalog/Pages 2 0 R>>"],
        "/Root 3 0 R",
    );
    let mended = rewrite(&bytes, Rewrite::Mend, MOST);
    assert_eq!(mended, Err(Verdict::NotWhole));
    let noise = rewrite(b"no PDF at all", Rewrite::Mend, MOST);
    assert_eq!(noise, Err(Verdict::Unreadable));
}

#[test]
fn the_plain_file_may_be_as_long_as_it_may_and_no_longer() {
    let bytes = fixture("aesv3-empty");
    let length = decrypted(&bytes).unwrap().len() as u64;
    assert!(rewrite(&bytes, Rewrite::Decrypt, length).is_ok());
    let longer = rewrite(&bytes, Rewrite::Decrypt, length - 1);
    assert_eq!(longer, Err(Verdict::GrowsTooLong));
}
