use crate::{
    batch::{
        Archive,
        archive::{Entry, is_clutter},
        contents::{Contents, folder},
    },
    domain::{Code, DocumentName, Finding, Place},
};

/// One forgotten folder of files should not make 100,000 findings.
const MAX_UNUSED: usize = 100;

/// An archive of the batch, and what stands before its names where it is inside another.
#[derive(Clone, Copy)]
pub(super) struct Source<'s, 'a> {
    pub(super) archive: &'s Archive<'a>,
    pub(super) prefix: &'s str,
    pub(super) depth: u8,
}

impl Source<'_, '_> {
    pub(super) fn name(&self, entry: &str) -> DocumentName {
        DocumentName(format!("{}{entry}", self.prefix))
    }

    /// The entry behind a name that [`Self::name`] made, where it is there.
    pub(super) fn entry_of(&self, name: &DocumentName) -> Option<&Entry> {
        self.archive.entry(name.0.strip_prefix(self.prefix)?)
    }

    pub(super) fn place(&self, entry: &Entry) -> Place {
        Place::entry(self.name(&entry.name).0)
    }

    /// The entry that control data means by a file name: beside itself, else from the root.
    pub(super) fn resolve(&self, control: &Entry, file: &str) -> String {
        let beside = format!("{}{file}", folder(&control.name));
        if self.archive.entry(&beside).is_none() && self.archive.entry(file).is_some() {
            return file.to_owned();
        }
        beside
    }

    /// The PDF of an XML that names none: the one of the same name.
    pub(super) fn twin(&self, control: &Entry) -> String {
        let stem = control.name.rsplit_once('.').map_or("", |(stem, _)| stem);
        let names = ["pdf", "PDF", "Pdf"].map(|extension| format!("{stem}.{extension}"));
        let found = names.iter().find(|name| self.archive.entry(name).is_some());
        found.cloned().unwrap_or_else(|| format!("{stem}.pdf"))
    }

    /// Files that nothing names: perhaps a letter that someone forgot to describe.
    pub(super) fn unused(&self, is_named: impl Fn(&DocumentName) -> bool) -> Vec<Finding> {
        let Ok(contents) = Contents::of(self.archive) else {
            return Vec::new();
        };
        let is_unused = |entry: &&Entry| {
            let is_ours = is_clutter(&entry.name) || contents.has_control(entry);
            !is_ours && !is_named(&self.name(&entry.name))
        };
        let unused: Vec<_> = self.archive.entries().iter().filter(is_unused).collect();
        let told = unused.iter().take(MAX_UNUSED).map(|entry| {
            let detail = "no letter names this file";
            Finding::new(Code::DocumentUnused, self.place(entry), detail)
        });
        let more = unused.len().saturating_sub(MAX_UNUSED);
        let rest = (more > 0).then(|| {
            let detail = format!("{more} more files are named by no letter");
            Finding::new(Code::DocumentUnused, Place::batch(), detail)
        });
        told.chain(rest).collect()
    }
}
