//! Opens what is encrypted with an empty user password (ISO 32000-2, 7.6).
//!
//! The library opens such files while it reads them, and passes over what it cannot open: that stays
//! noise. So each object is decrypted here once more, and the first that fails fails the file.

use lopdf::{
    Document, EncryptionState, Object, ObjectId, encryption::decrypt_object, xref::XrefEntry,
};

use super::{rewrite::load, verdict::Verdict, whole};

/// The document without encryption.
pub(super) fn decrypt(pdf: &[u8]) -> Result<Document, Verdict> {
    let mut opened = load(pdf)?;
    let state = opened.encryption_state.take().ok_or(Verdict::Locked)?;
    if !is_known(&state) {
        return Err(Verdict::Locked);
    }
    let closed = load(&without_encrypt_key(pdf))?;
    check_user_password(&closed)?;
    let dictionary = encryption_dictionary(&closed);
    for (id, mut object) in closed.objects {
        if Some(id) != dictionary {
            open_object(&state, id, &mut object)?;
            opened.objects.insert(id, object);
        }
    }
    let table = std::mem::take(&mut opened.reference_table.entries);
    let is_used = |number: u32| {
        let entry = table.get(&number);
        matches!(
            entry,
            Some(XrefEntry::Normal { .. } | XrefEntry::Compressed { .. })
        )
    };
    whole::check(&opened, is_used)?;
    Ok(opened)
}

/// RC4 and AES for streams and strings both. What the library does not know it takes for RC4.
fn is_known(state: &EncryptionState) -> bool {
    let method = |name: &[u8]| {
        let filter = state.crypt_filters().get(name);
        filter.map(|filter| filter.method().to_vec())
    };
    let methods = [
        method(state.default_stream_filter()),
        method(state.default_string_filter()),
    ];
    let all = |known: &[&[u8]]| {
        let is = |method: &Option<Vec<u8>>| method.as_deref().is_some_and(|m| known.contains(&m));
        methods.iter().all(is)
    };
    match state.version() {
        1 | 2 => true,
        4 => all(&[b"V2", b"AESV2"]),
        5 => all(&[b"AESV3"]),
        _ => false,
    }
}

const ENCRYPT: &[u8] = b"/Encrypt";
const NO_ENCRYPT: &[u8] = b"/encrypT";

/// The same file, in which nothing says that it is encrypted: its objects are read as they stand.
fn without_encrypt_key(pdf: &[u8]) -> Vec<u8> {
    let mut plain = pdf.to_vec();
    let mut at = 0;
    while let Some(rest) = plain.get_mut(at..) {
        let Some(found) = rest.windows(ENCRYPT.len()).position(|it| it == ENCRYPT) else {
            break;
        };
        if let Some(key) = rest.get_mut(found..found + ENCRYPT.len()) {
            key.copy_from_slice(NO_ENCRYPT);
        }
        at += found + ENCRYPT.len();
    }
    plain
}

fn encryption_dictionary(closed: &Document) -> Option<ObjectId> {
    let value = closed.trailer.get(NO_ENCRYPT.get(1..)?).ok()?;
    value.as_reference().ok()
}

/// The library opens a file also where the *owner's* password is empty, and then with a wrong key.
fn check_user_password(closed: &Document) -> Result<(), Verdict> {
    let mut probe = Document::new();
    probe.trailer = closed.trailer.clone();
    let id = encryption_dictionary(closed).ok_or(Verdict::Locked)?;
    let dictionary = closed.objects.get(&id).ok_or(Verdict::Locked)?;
    probe.objects.insert(id, dictionary.clone());
    probe.trailer.set("Encrypt", Object::Reference(id));
    let opened = probe.authenticate_user_password("");
    opened.map_err(|_| Verdict::Locked)
}

fn open_object(state: &EncryptionState, id: ObjectId, object: &mut Object) -> Result<(), Verdict> {
    let failed = |_| Verdict::NotWhole;
    if let Object::Stream(stream) = object {
        if stream.dict.has_type(b"XRef") {
            return Ok(());
        }
        if has_own_filter(stream) {
            return Err(Verdict::Locked);
        }
        // The library leaves the strings of a stream's dictionary as they are.
        let mut dictionary = Object::Dictionary(std::mem::take(&mut stream.dict));
        decrypt_object(state, id, &mut dictionary).map_err(failed)?;
        if let Object::Dictionary(dictionary) = dictionary {
            stream.dict = dictionary;
        }
    }
    decrypt_object(state, id, object).map_err(failed)
}

/// A `/Crypt` filter, which says for one stream how it is encrypted.
fn has_own_filter(stream: &lopdf::Stream) -> bool {
    let filters = stream.filters().unwrap_or_default();
    filters.iter().any(|filter| *filter == b"Crypt")
}
