use super::{
    entry_name, foreign,
    header::{Central, DEFLATED, Local, STORED},
};
use crate::{
    batch::Limits,
    domain::{Code, Finding, Place},
};

/// A file in the archive, checked: nothing but its content is still to be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As the archive spells it, with `/` between folders.
    pub name: String,
    /// Unpacked bytes. Declared, and held to while reading.
    pub size: u64,
    pub packed_size: u64,
    /// Offsets of its own header and of its packed bytes.
    pub(super) local: usize,
    pub(super) data: usize,
    pub(super) crc32: u32,
    pub(super) is_stored: bool,
    pub(super) is_streamed: bool,
}

impl Entry {
    /// Where findings say this is.
    pub fn place(&self) -> Place {
        Place::entry(&self.name)
    }

    /// Whether the archive holds it as it is, so that it can be lent without copying.
    pub fn is_stored(&self) -> bool {
        self.is_stored
    }

    /// A file or a folder, from both of its headers.
    pub(super) fn read(
        central: &Central<'_>,
        archive: &[u8],
        limits: &Limits,
    ) -> Result<Self, Finding> {
        let name = name(central, limits)?;
        let refused = |(code, detail)| Finding::new(code, Place::entry(&*name), detail);
        if let Some(refusal) = refusal(central, &name) {
            return Err(refused(refusal));
        }
        let inconsistent = |detail| refused((Code::ArchiveInconsistent, detail));
        let local = Local::read(archive, central.local).map_err(inconsistent)?;
        if let Some(detail) = local.contradicts(central) {
            return Err(inconsistent(detail));
        }
        if let Some(second) = local.unicode_path().transpose().map_err(inconsistent)?
            && second != name
        {
            return Err(inconsistent("its own header gives it a second name"));
        }
        Ok(Self {
            size: central.size,
            packed_size: central.packed_size,
            local: usize::try_from(central.local).unwrap_or(usize::MAX),
            data: local.data,
            crc32: central.fields.crc32,
            is_stored: central.fields.method == STORED,
            is_streamed: central.is_streamed(),
            name,
        })
    }

    pub(super) fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }

    /// Where its packed bytes end.
    pub(super) fn data_end(&self) -> Option<usize> {
        self.data
            .checked_add(usize::try_from(self.packed_size).ok()?)
    }

    /// What the entry declares that is more than is taken, or than can be believed.
    pub(super) fn excess(&self, limits: &Limits) -> Option<Finding> {
        if self.size > limits.max_document_bytes {
            let detail = format!(
                "{} bytes, the limit is {}",
                self.size, limits.max_document_bytes
            );
            let code = Code::ArchiveEntryTooLarge;
            return Some(Finding::new(code, self.place(), detail));
        }
        let plausible = self.packed_size.saturating_mul(limits.max_ratio);
        let is_plausible = self.size <= limits.ratio_floor_bytes || self.size <= plausible;
        (!is_plausible).then(|| {
            let detail = format!(
                "{} bytes unpack to {}, more than {} times as many",
                self.packed_size, self.size, limits.max_ratio
            );
            Finding::new(Code::ArchiveRatio, self.place(), detail)
        })
    }
}

fn name(central: &Central<'_>, limits: &Limits) -> Result<String, Finding> {
    let refused = |detail| Finding::new(Code::ArchiveEntryName, Place::batch(), detail);
    let name = entry_name::decoded(central).map_err(refused)?;
    match entry_name::fault(&name, limits.max_field_chars) {
        Some(fault) => Err(refused(fault)),
        None => Ok(name.into_owned()),
    }
}

/// What is wrong with an entry of this name, going by its header in the directory alone.
fn refusal(central: &Central<'_>, name: &str) -> Option<(Code, &'static str)> {
    let is_stored = central.fields.method == STORED;
    Some(if central.is_encrypted() {
        (Code::ArchiveEncrypted, "the entry is encrypted")
    } else if central.is_special() {
        (
            Code::ArchiveSymlink,
            "the entry is a link, or neither a file nor a folder",
        )
    } else if central.is_patch() || !(is_stored || central.fields.method == DEFLATED) {
        let detail = "the entry is neither stored nor deflated";
        (Code::ArchiveMethod, detail)
    } else if is_stored && central.size != central.packed_size {
        let detail = "the entry is stored, yet its two sizes differ";
        (Code::ArchiveInconsistent, detail)
    } else if name.ends_with('/') && central.size != 0 {
        (Code::ArchiveInconsistent, "a folder has content")
    } else if foreign::has_name_of_archive(name) {
        (
            Code::ArchiveHidden,
            "the entry is an archive that is not opened",
        )
    } else {
        return None;
    })
}
