mod judge;
mod look;
mod pending;
mod shared;
mod source;

use std::{
    collections::{HashMap, HashSet, hash_map::RandomState},
    hash::BuildHasher,
    sync::atomic::AtomicU32,
};

use self::{pending::Pending, shared::SharedDocuments, source::Source};
use super::{
    Archive, CheckedPages, LetterCheck, Limits, OpenError, Opened, OpenedMessage, Settings, Shape,
    Shelf,
    archive::Entry,
    contents::Contents,
    control::{self, ControlData, Draft, Form, Unknown},
    document::shelve,
    kept::Kept,
    ledger::Ledger,
};
use crate::domain::{Attachment, ChannelWish, Code, DocumentName, Finding, Place};

/// Messages that are handed over at once, and whose PDFs are looked at in parallel.
const PAGE: usize = 1_000;

/// Attachments of a page's messages, after which it is handed over with fewer: a letter may name
/// hundreds, each with the folders and the ZIP that it is in.
const PAGE_ATTACHMENTS: usize = 4_000;

/// Of the batch, those of messages not counted: more than this, nobody reads.
const MAX_FINDINGS: usize = 1_000;

/// A letter is refused at the first attachment that is not there, and may name hundreds.
const MAX_MISSING_ATTACHMENTS: u32 = 10;

/// Opens a batch: reads its control data as a stream, has each letter's pages checked, and gives the
/// messages to the sink in pages of at most 1,000, in order of position.
///
/// What is wrong with the batch is in [`Opened::findings`], and it can come after messages were
/// handed over: the caller keeps them aside until then. Errors are of the shelf and the sink.
pub fn open<E>(
    archive: &Archive<'_>,
    file_name: &str,
    settings: &Settings,
    shelf: &dyn Shelf,
    check: &dyn LetterCheck,
    sink: &mut dyn FnMut(Vec<OpenedMessage>) -> Result<(), E>,
) -> Result<Opened, OpenError<E>> {
    let mut opening = Opening {
        settings,
        shelf,
        check,
        sink,
        readings_left: AtomicU32::new(settings.limits.max_second_readings),
        print_only: is_print_only(file_name),
        shape: None,
        is_test: false,
        tells_documents_once: false,
        page: Vec::new(),
        page_attachments: 0,
        ledger: Ledger::default(),
        attached: HashMap::new(),
        letter_ids: HashSet::new(),
        hashing: RandomState::new(),
        findings: Vec::new(),
        unknown: Unknown::default(),
        messages: 0,
        unpacked_bytes: 0,
        listed: 0,
    };
    match opening.take_all(archive) {
        Ok(()) => {}
        Err(Stop::Refused(findings)) => opening.tell(findings),
        Err(Stop::Failed(error)) => return Err(error),
    }
    Ok(opening.finish())
}

/// `<prefix>_<time>_suoratulostus[_<print house>].zip`, whatever endings the name has: a finished file
/// may be called `.zip.ok`.
fn is_print_only(file_name: &str) -> bool {
    let parts = file_name.split('_').skip(1);
    let mut stems = parts.filter_map(|part| part.split('.').next());
    stems.any(|stem| stem.eq_ignore_ascii_case("suoratulostus"))
}

struct Opening<'s, E> {
    settings: &'s Settings,
    shelf: &'s dyn Shelf,
    check: &'s dyn LetterCheck,
    sink: &'s mut dyn FnMut(Vec<OpenedMessage>) -> Result<(), E>,
    /// How many documents the second reader may still get.
    readings_left: AtomicU32,
    print_only: bool,
    shape: Option<Shape>,
    is_test: bool,
    /// One XML for the whole batch: a shared PDF that is not taken is told once, not with every
    /// letter.
    tells_documents_once: bool,
    page: Vec<Pending>,
    page_attachments: usize,
    ledger: Ledger,
    /// Attachments that are there, with why a mailbox does not take them.
    attached: HashMap<DocumentName, Option<Finding>>,
    /// Keyed hashes of the sender's letter ids: a million ids need not stand in memory.
    letter_ids: HashSet<u64>,
    hashing: RandomState,
    findings: Vec<Finding>,
    unknown: Unknown,
    messages: u32,
    unpacked_bytes: u64,
    listed: u64,
}

/// An archive that is being read.
struct Desk<'d> {
    source: Source<'d, 'd>,
    shared: SharedDocuments<'d>,
}

enum Stop<E> {
    /// The batch cannot be read on.
    Refused(Vec<Finding>),
    Failed(OpenError<E>),
}

impl<E> From<Finding> for Stop<E> {
    fn from(finding: Finding) -> Self {
        Self::Refused(vec![finding])
    }
}

impl<E> Opening<'_, E> {
    fn take_all(&mut self, archive: &Archive<'_>) -> Result<(), Stop<E>> {
        let source = Source {
            archive,
            prefix: "",
            depth: 0,
        };
        self.take(source)?;
        if self.messages == 0 {
            let detail = "the control data describes no letter";
            return Err(Finding::new(Code::NoMessages, Place::batch(), detail).into());
        }
        let slips: Vec<_> = self.ledger.slips().take(MAX_FINDINGS).collect();
        self.tell(slips);
        let given_away = self.letters_given_away();
        self.tell(given_away);
        Ok(())
    }

    fn take(&mut self, source: Source<'_, '_>) -> Result<(), Stop<E>> {
        let unpacked = source.archive.entries().iter().map(|entry| entry.size);
        self.unpacked_bytes = unpacked.fold(self.unpacked_bytes, u64::saturating_add);
        self.listed += source.archive.listed();
        let kept = Kept::default();
        let mut desk = Desk {
            source,
            shared: SharedDocuments::new(&kept),
        };
        match Contents::of(source.archive)? {
            Contents::Table(entry) => self.take_table(&mut desk, entry)?,
            Contents::Bundles(entries) => self.take_bundles(&mut desk, &entries)?,
            Contents::Archives(entries) => return self.take_archives(source, &entries),
        }
        self.hand_over(&mut desk)?;
        let is_named = |name: &_| self.ledger.holds(name) || self.attached.contains_key(name);
        let unused = source.unused(is_named);
        self.tell(unused);
        Ok(())
    }

    fn take_table(&mut self, desk: &mut Desk<'_>, entry: &Entry) -> Result<(), Stop<E>> {
        self.shape.get_or_insert(Shape::Csv);
        self.take_file(desk, entry, Form::Table)
    }

    fn take_bundles(&mut self, desk: &mut Desk<'_>, entries: &[&Entry]) -> Result<(), Stop<E>> {
        let is_only = entries.len() == 1;
        self.tells_documents_once = is_only && desk.source.depth == 0;
        for entry in entries {
            self.take_file(desk, entry, Form::LetterBundle)?;
        }
        self.shape.get_or_insert(match (is_only, self.messages) {
            (true, 1) => Shape::OneLetter,
            (true, _) => Shape::ManyInOne,
            (false, _) => Shape::ManyPairs,
        });
        Ok(())
    }

    fn take_archives(&mut self, source: Source<'_, '_>, entries: &[&Entry]) -> Result<(), Stop<E>> {
        if source.depth >= self.settings.limits.max_nesting {
            let place = entries
                .first()
                .map_or_else(Place::batch, |entry| source.place(entry));
            let detail = "a ZIP is nested deeper than is read";
            return Err(Finding::new(Code::ArchiveNestedTooDeep, place, detail).into());
        }
        self.shape.get_or_insert(Shape::Nested);
        for entry in entries {
            self.take_nested(source, entry)?;
        }
        Ok(())
    }

    fn take_nested(&mut self, source: Source<'_, '_>, entry: &Entry) -> Result<(), Stop<E>> {
        let name = source.name(&entry.name);
        let stored;
        let shelved;
        let bytes: &[u8] = if entry.is_stored() {
            stored = source.archive.read(&entry.name)?;
            &stored
        } else {
            let kept = shelve(&name, entry, source.archive, self.shelf);
            shelved = kept.map_err(|error| Stop::Failed(OpenError::Shelf(error)))??;
            shelved.as_ref().as_ref()
        };
        let prefix = format!("{}/", name.0);
        let archive = Archive::open(bytes, &self.remaining())
            .map_err(|findings| Stop::Refused(inside(&prefix, findings)))?;
        self.take(Source {
            archive: &archive,
            prefix: &prefix,
            depth: source.depth + 1,
        })
    }

    /// What the archives opened so far have left of the limits that hold for all together.
    fn remaining(&self) -> Limits {
        let limits = &self.settings.limits;
        Limits {
            max_unpacked_bytes: limits
                .max_unpacked_bytes
                .saturating_sub(self.unpacked_bytes),
            max_entries: limits.max_entries.saturating_sub(self.listed),
            ..limits.clone()
        }
    }

    fn take_file(&mut self, desk: &mut Desk<'_>, entry: &Entry, form: Form) -> Result<(), Stop<E>> {
        let source = desk.source;
        let (place, limits) = (source.place(entry), &self.settings.limits);
        let reader = source.archive.reader(&entry.name)?;
        control::read(reader, entry.size, form, &place, limits, |control| {
            self.take_control(desk, entry, &place, control)
        })
    }

    fn take_control(
        &mut self,
        desk: &mut Desk<'_>,
        entry: &Entry,
        place: &Place,
        control: &mut dyn ControlData,
    ) -> Result<(), Stop<E>> {
        while let Some(draft) = control.next_draft()? {
            let place = place.clone().on_line(draft.line);
            let mut pending = self.pending(desk.source, entry, place, draft)?;
            pending.is_test = control.is_test();
            self.page_attachments += pending.attachments.len();
            self.page.push(pending);
            if self.page.len() >= PAGE || self.page_attachments >= PAGE_ATTACHMENTS {
                self.hand_over(desk)?;
            }
        }
        self.is_test |= control.is_test();
        self.tell(control.remarks());
        self.unknown.absorb(control.unknown());
        Ok(())
    }

    fn pending(
        &mut self,
        source: Source<'_, '_>,
        control: &Entry,
        place: Place,
        mut draft: Draft,
    ) -> Result<Pending, Finding> {
        let limit = self.settings.limits.max_messages;
        if self.messages >= limit {
            let detail = format!("the batch has more than {limit} messages");
            return Err(Finding::new(Code::TooManyMessages, place, detail));
        }
        self.messages += 1;
        let entry = match draft.file.as_deref() {
            Some(file) => source.resolve(control, file),
            None => source.twin(control),
        };
        let (attachments, attached_bytes) = Self::attachments(source, control, &mut draft);
        self.check_letter_id(&place, &mut draft);
        if self.print_only {
            draft.wish = ChannelWish::PrintOnly;
        }
        Ok(Pending {
            position: self.messages,
            draft,
            place,
            is_test: false,
            document: source.name(&entry),
            entry,
            attachments,
            attached_bytes,
            claim: None,
            checked: CheckedPages::default(),
        })
    }

    /// The attachments that are there, and how many bytes they unpack to together: a file that is attached twice
    /// counts twice, since the mailbox gets it twice.
    fn attachments(
        source: Source<'_, '_>,
        control: &Entry,
        draft: &mut Draft,
    ) -> (Vec<Attachment>, u64) {
        let (mut attachments, mut bytes, mut missing) = (Vec::new(), 0_u64, 0);
        for file in &draft.attachments {
            let entry = source.resolve(control, file);
            let document = source.name(&entry);
            if let Some(entry) = source.archive.entry(&entry) {
                bytes = bytes.saturating_add(entry.size);
                attachments.push(Attachment { document });
            } else if missing < MAX_MISSING_ATTACHMENTS {
                missing += 1;
                let place = Place::entry(&document.0).on_line(draft.line);
                let detail = "the attachment is not in the ZIP";
                let finding = Finding::new(Code::DocumentMissing, place, detail);
                draft.findings.push(finding);
            }
        }
        if !draft.attachments.is_empty() {
            let place = Place::entry(&control.name).on_line(draft.line);
            let detail = format!("files attached to the letter: {}", draft.attachments.len());
            draft
                .findings
                .push(Finding::new(Code::AttachmentNotPrintable, place, detail));
        }
        (attachments, bytes)
    }

    /// Letters that are attached to a letter: attachments are whole files, and no page range
    /// would show that someone gets someone else's.
    fn letters_given_away(&self) -> Vec<Finding> {
        let letters = self.attached.keys().filter(|name| self.ledger.holds(name));
        let mut places: Vec<_> = letters.map(|name| name.0.as_str()).collect();
        places.sort_unstable();
        places.truncate(MAX_FINDINGS);
        let detail = "the file is a letter, and attached to a letter too";
        let finding = |name| Finding::new(Code::PageRangeOverlap, Place::entry(name), detail);
        places.into_iter().map(finding).collect()
    }

    fn check_letter_id(&mut self, place: &Place, draft: &mut Draft) {
        let Some(id) = &draft.letter_id else {
            return;
        };
        if !self.letter_ids.insert(self.hashing.hash_one(id.expose())) {
            let detail = "a letter before it in this batch has the same id";
            draft
                .findings
                .push(Finding::new(Code::MessageDuplicate, place.clone(), detail));
        }
    }

    /// Keeps findings of the batch, and the first error however many there are.
    fn tell(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            let has_room = self.findings.len() < MAX_FINDINGS;
            let is_news = finding.is_error() && !self.findings.iter().any(Finding::is_error);
            if has_room || is_news {
                self.findings.push(finding);
            }
        }
    }

    fn finish(mut self) -> Opened {
        let unknown = self.unknown.findings();
        self.tell(unknown);
        Opened {
            shape: self.shape,
            is_test: self.is_test,
            print_only: self.print_only,
            documents: self.ledger.facts(),
            findings: self.findings,
            messages: self.messages,
        }
    }
}

/// Findings of an archive inside another one, told as the outer one sees them.
fn inside(prefix: &str, findings: Vec<Finding>) -> Vec<Finding> {
    let named = |mut finding: Finding| {
        let entry = finding.place.entry.take().unwrap_or_default();
        let name = format!("{prefix}{entry}");
        finding.place = finding.place.in_entry(name.trim_end_matches('/'));
        finding
    };
    findings.into_iter().map(named).collect()
}
