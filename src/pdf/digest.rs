//! Digests of graphs of objects: equal digests mean equal graphs.
//!
//! The digest of an object is that of its bytes with each reference replaced by the digest of
//! what it refers to, and of its data. It is keyed, so that nobody who does not know the key can
//! make two graphs meet.

use std::sync::OnceLock;

use super::layers::LayerState;
use super::object::{Holds, Object, Slot};

/// Key of the digests that decide what is shared. Secret and new for each bundle, so that no
/// sender can craft an object that is taken for another's.
#[derive(Clone, PartialEq, Eq)]
pub struct DigestKey(pub [u8; 32]);

/// Half of a BLAKE3: 128 bits, which an accident does not meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest(pub(super) [u8; 16]);

impl Digest {
    /// Of `null`, and of what there is not.
    pub(super) const NULL: Self = Self([0; 16]);
}

/// What is known about an object and all below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sharing {
    /// Written once for all that have the same digest.
    ByDigest(Digest),
    /// Reaches a cycle: written once for each fragment.
    Never,
}

/// Of one document under one key, by the objects' slots. Filled by any thread: what a shared font
/// digests to is found out once, however many fragments use it.
pub(super) struct DigestTable(Vec<OnceLock<Sharing>>);

impl DigestTable {
    pub(super) fn new(slots: usize) -> Self {
        Self((0..slots).map(|_| OnceLock::new()).collect())
    }

    pub(super) fn get(&self, slot: Option<usize>) -> Option<Sharing> {
        self.0.get(slot?)?.get().copied()
    }

    pub(super) fn set(&self, slot: Option<usize>, sharing: Sharing) {
        if let Some(slot) = slot.and_then(|slot| self.0.get(slot)) {
            // Another thread may have been first; it found the same.
            let _ = slot.set(sharing);
        }
    }
}

/// Digests one object after another, with one buffer.
pub(super) struct Digester<'k> {
    key: &'k DigestKey,
    buffer: Vec<u8>,
}

/// What a slot is when digested: each kind starts with its own byte, so that no two ways of
/// filling slots give the same bytes.
const CHILD: u8 = 1;
const LENGTH: u8 = 2;
const END: u8 = 3;
const NULL: u8 = 4;
const SHOWN: u8 = 5;
const HIDDEN: u8 = 6;
const ADDED: u8 = 7;

impl<'k> Digester<'k> {
    pub(super) fn new(key: &'k DigestKey) -> Self {
        Self {
            key,
            buffer: Vec::with_capacity(4096),
        }
    }

    /// `child` gives the digest of what a reference leads to; `None` if that is never shared.
    pub(super) fn sharing(
        &mut self,
        object: Object<'_>,
        slots: &[Slot],
        child: impl Fn(u32) -> Option<Digest>,
    ) -> Sharing {
        self.buffer.clear();
        let mut copied = 0;
        for slot in slots {
            self.take_bytes(object.value.get(copied..slot.place.start));
            copied = slot.place.end;
            match slot.holds {
                Holds::Length | Holds::NoLength => self.buffer.push(LENGTH),
                Holds::Null => self.buffer.push(NULL),
                Holds::Layer(LayerState::Shown) => self.buffer.push(SHOWN),
                Holds::Layer(LayerState::Hidden) => self.buffer.push(HIDDEN),
                Holds::NoSubtype | Holds::Forms => self.buffer.push(ADDED),
                Holds::Reference(number) => {
                    let Some(Digest(digest)) = child(number) else {
                        return Sharing::Never;
                    };
                    self.buffer.push(CHILD);
                    self.buffer.extend_from_slice(&digest);
                }
            }
        }
        self.take_bytes(object.value.get(copied..));
        self.buffer.push(END);
        Sharing::ByDigest(self.finish(object.data))
    }

    fn take_bytes(&mut self, bytes: Option<&[u8]>) {
        let bytes = bytes.unwrap_or_default();
        self.buffer
            .extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.buffer.extend_from_slice(bytes);
    }

    fn finish(&self, data: Option<&[u8]>) -> Digest {
        let hash = match data {
            None => blake3::keyed_hash(&self.key.0, &self.buffer),
            Some(data) => {
                let mut hasher = blake3::Hasher::new_keyed(&self.key.0);
                hasher.update(&self.buffer).update(b"stream").update(data);
                hasher.finalize()
            }
        };
        let half = hash.as_bytes().first_chunk();
        half.copied().map_or(Digest::NULL, Digest)
    }
}
