//! Copies objects of senders' files into the new one, each graph once.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::io::{self, Write};

use super::Refusal;
use super::digest::{Digest, Sharing};
use super::document::File;
use super::fragment::{Attached, Form, Fragment};
use super::joined::Joined;
use super::layers::LayerState;
use super::object::{Holds, Object, Slot, put_length_slot};
use super::output::Output;

/// Knows what has been written, and under which number.
#[derive(Default)]
pub(super) struct Copier {
    written: HashMap<Digest, u32, BuildHasherDefault<DigestHasher>>,
    /// Objects of the current fragment that reach a cycle, by their number in its file.
    unshared: HashMap<u32, u32>,
    /// Numbered, and still to be written: number in the new file, number in the sender's.
    due: Vec<(u32, u32)>,
    slots: Vec<Slot>,
    /// Names of the forms that go into the resources that are written.
    pub(super) forms: Vec<u8>,
    /// The layers that were written, by their number in the new file.
    layers: Vec<(u32, LayerState)>,
}

impl Copier {
    /// What was copied of the fragment before is shared only by digest from here on.
    pub(super) fn begin_fragment(&mut self) {
        self.unshared.clear();
    }

    /// The object's number in the new file, and due to be written unless it is there; `None` if
    /// it is `null`.
    pub(super) fn place<W: Write>(
        &mut self,
        number: u32,
        fragment: &Fragment<'_>,
        output: &mut Output<W>,
    ) -> io::Result<Option<u32>> {
        if fragment.file.is_null(number) {
            return Ok(None);
        }
        let slot = fragment.file.objects.slot(number);
        let sharing = fragment.digests.get(slot).ok_or_else(unknown)?;
        let known = match sharing {
            Sharing::ByDigest(digest) => self.written.get(&digest),
            Sharing::Never => self.unshared.get(&number),
        };
        if let Some(known) = known {
            return Ok(Some(*known));
        }
        let new = output.reserve()?;
        match sharing {
            Sharing::ByDigest(digest) => self.written.insert(digest, new),
            Sharing::Never => self.unshared.insert(number, new),
        };
        self.due.push((new, number));
        Ok(Some(new))
    }

    /// The same for an attribute of a page.
    pub(super) fn place_attached<W: Write>(
        &mut self,
        attached: &Attached,
        fragment: &Fragment<'_>,
        output: &mut Output<W>,
    ) -> io::Result<Option<u32>> {
        let sharing = match attached {
            Attached::Object(number) => return self.place(*number, fragment, output),
            Attached::Value(_, sharing) | Attached::AsForm(_, sharing) => *sharing,
        };
        let new = match self.made(sharing, output)? {
            Made::Written(known) => return Ok(Some(known)),
            Made::New(new) => new,
        };
        let mut slots = std::mem::take(&mut self.slots);
        let object = object_of(attached, fragment, &mut slots).map_err(io::Error::other)?;
        let object = object.ok_or_else(unknown)?;
        self.write(new, object, &slots, fragment, output)?;
        self.slots = slots;
        Ok(Some(new))
    }

    /// The same for the form that a page becomes. Its data is made here, where it is seen whether it
    /// is there already.
    pub(super) fn place_form<W: Write>(
        &mut self,
        form: &Form,
        fragment: &Fragment<'_>,
        output: &mut Output<W>,
    ) -> io::Result<u32> {
        let new = match self.made(form.sharing, output)? {
            Made::Written(known) => return Ok(known),
            Made::New(new) => new,
        };
        let objects = &fragment.file.objects;
        let joined;
        let data = if let [content] = form.contents.as_slice() {
            let content = objects.object(*content).map_err(io::Error::other)?;
            content.and_then(|content| content.data)
        } else {
            joined = Joined::of(objects, &form.contents).deflated()?;
            Some(joined.as_slice())
        };
        let mut slots = std::mem::take(&mut self.slots);
        let value = objects.value_of(&form.value, &mut slots);
        let value = value.map_err(io::Error::other)?;
        put_length_slot(None, &mut slots);
        let data = data.or(Some(b""));
        self.write(new, Object { value, data }, &slots, fragment, output)?;
        self.slots = slots;
        Ok(new)
    }

    /// The number of what stands in no file as it is to be written.
    pub(super) fn made<W: Write>(
        &mut self,
        sharing: Sharing,
        output: &mut Output<W>,
    ) -> io::Result<Made> {
        let Sharing::ByDigest(digest) = sharing else {
            return Ok(Made::New(output.reserve()?));
        };
        if let Some(known) = self.written.get(&digest) {
            return Ok(Made::Written(*known));
        }
        let new = output.reserve()?;
        self.written.insert(digest, new);
        Ok(Made::New(new))
    }

    /// The layers that were written, by their number in the new file.
    pub(super) fn layers(&self) -> &[(u32, LayerState)] {
        &self.layers
    }

    /// Writes what is due, and what that makes due.
    pub(super) fn write_due<W: Write>(
        &mut self,
        fragment: &Fragment<'_>,
        output: &mut Output<W>,
    ) -> io::Result<()> {
        let file: &File<'_> = &fragment.file;
        let mut slots = std::mem::take(&mut self.slots);
        while let Some((new, number)) = self.due.pop() {
            let object = file.objects.object_with_slots(number, &mut slots);
            let object = object.map_err(io::Error::other)?.ok_or_else(unknown)?;
            file.layers.mark(number, object.value, &mut slots);
            self.write(new, object, &slots, fragment, output)?;
        }
        self.slots = slots;
        Ok(())
    }

    pub(super) fn write<W: Write>(
        &mut self,
        new: u32,
        object: Object<'_>,
        slots: &[Slot],
        fragment: &Fragment<'_>,
        output: &mut Output<W>,
    ) -> io::Result<()> {
        output.begin(new)?;
        let length = object.data.unwrap_or_default().len();
        let mut copied = 0;
        for slot in slots {
            output.put(
                object
                    .value
                    .get(copied..slot.place.start)
                    .unwrap_or_default(),
            );
            copied = slot.place.end;
            match slot.holds {
                Holds::Length => output.integer(length as u64),
                Holds::NoLength => {
                    output.put(b"/Length ");
                    output.integer(length as u64);
                }
                // A dictionary may have followed its key without space.
                Holds::Null => output.put(b" null"),
                Holds::Layer(state) => {
                    self.layers.push((new, state));
                    output.put(state.entry());
                }
                Holds::NoSubtype => output.put(b"/Type/XObject/Subtype/Form"),
                Holds::Forms => output.put(&self.forms),
                Holds::Reference(number) => match self.place(number, fragment, output)? {
                    Some(placed) => output.reference(placed),
                    None => output.put(b"null"),
                },
            }
        }
        output.put(object.value.get(copied..).unwrap_or_default());
        if let Some(data) = object.data {
            output.stream(data)?;
        }
        output.end();
        Ok(())
    }
}

fn object_of<'s>(
    attached: &'s Attached,
    fragment: &'s Fragment<'_>,
    slots: &mut Vec<Slot>,
) -> Result<Option<Object<'s>>, Refusal> {
    let objects = &fragment.file.objects;
    match attached {
        Attached::Object(number) => objects.object_with_slots(*number, slots),
        Attached::Value(value, _) => {
            let value = objects.value_of(value, slots)?;
            Ok(Some(Object { value, data: None }))
        }
        Attached::AsForm(number, _) => {
            let form = objects.object_with_slots(*number, slots)?;
            Slot::insert(slots, Slot::BEHIND_OPENING, Holds::NoSubtype);
            Ok(form)
        }
    }
}

/// Something that is made, not copied, by its number in the new file.
pub(super) enum Made {
    Written(u32),
    New(u32),
}

/// The walk of a fragment has seen all that its pages reach.
fn unknown() -> io::Error {
    io::Error::other("a fragment refers to an object that it has not seen")
}

/// A digest is as good a hash as any: its first eight bytes are taken as they are.
#[derive(Default)]
struct DigestHasher(u64);

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let first = self.0.first_chunk().copied().unwrap_or_default();
        state.write_u64(u64::from_le_bytes(first));
    }
}

impl Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
}
