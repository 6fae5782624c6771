use std::{
    collections::{BTreeSet, HashMap, HashSet},
    io,
};

use rayon::prelude::*;

use super::{
    Desk, Opening, Source, Stop,
    look::{Group, Look, Looked},
    pending::Pending,
    shared::SharedDocuments,
};
use crate::{
    batch::{OpenError, OpenedMessage, Settings, account::Claim, rules},
    domain::{Attachment, ChannelWish, Code, Finding, Fitness, Place},
};

/// The rules on a few letters take less time than giving them to another thread.
const RULED_AT_ONCE: usize = 64;

/// Attachments of one letter that are told: it is refused at the first.
const MAX_UNFIT: usize = 20;

impl<E> Opening<'_, E> {
    /// Looks at the pages of the letters that wait, and gives them away.
    pub(super) fn hand_over(&mut self, desk: &mut Desk<'_>) -> Result<(), Stop<E>> {
        let mut page = std::mem::take(&mut self.page);
        self.page_attachments = 0;
        if page.is_empty() {
            return Ok(());
        }
        let settings = self.settings;
        page.par_iter_mut()
            .with_min_len(RULED_AT_ONCE)
            .for_each(|pending| pending.apply_rules(settings));
        self.look(desk, &mut page)
            .map_err(|error| Stop::Failed(OpenError::Shelf(error)))?;
        self.check_missing()?;
        self.look_into_attachments(desk.source, &page);
        let opened = page.into_iter().map(|pending| self.judge(pending));
        let opened = opened.collect();
        (self.sink)(opened).map_err(|error| Stop::Failed(OpenError::Sink(error)))
    }

    /// Opens each document that the page names once, however many letters it goes with.
    fn look(&mut self, desk: &mut Desk<'_>, page: &mut [Pending]) -> io::Result<()> {
        for pending in page.iter_mut() {
            let letter = pending.described();
            let claim = self
                .ledger
                .claim(&pending.document, pending.draft.pages, letter);
            pending.claim = claim;
        }
        let wanted: HashSet<_> = page.iter().map(|pending| &pending.document).collect();
        let room = desk.shared.room(|name| wanted.contains(name));
        let look = Look {
            source: desk.source,
            settings: self.settings,
            shelf: self.shelf,
            check: self.check,
            readings_left: &self.readings_left,
            shared: &desk.shared,
            room,
        };
        let groups = Group::all(page).into_par_iter();
        let looked = groups.map(|group| look.at(group));
        let looked: Vec<_> = looked.collect::<io::Result<_>>()?;
        for looked in looked.into_iter().flatten() {
            self.note(looked, &mut desk.shared);
        }
        Ok(())
    }

    fn note<'d>(&mut self, looked: Looked<'d>, shared: &mut SharedDocuments<'d>) {
        if let Some(account) = looked.account {
            self.ledger.enter(account);
        }
        if let Some(refusal) = looked.refusal {
            self.ledger.refuse(&looked.name, refusal);
        }
        if let Some(standing) = looked.standing {
            shared.stand(looked.name, standing);
        }
    }

    fn check_missing(&self) -> Result<(), Finding> {
        let limit = self.settings.limits.max_missing_documents;
        if self.ledger.missing() <= limit {
            return Ok(());
        }
        let detail = format!("more than {limit} files that letters name are not in the ZIP");
        Err(Finding::new(Code::DocumentMissing, Place::batch(), detail))
    }

    /// Reads each attachment that the page names for the first time, however many letters it goes
    /// with.
    fn look_into_attachments(&mut self, source: Source<'_, '_>, page: &[Pending]) {
        let named = page.iter().flat_map(|pending| &pending.attachments);
        let fresh: HashMap<_, _> = named
            .map(|attachment| (&attachment.document, source.entry_of(&attachment.document)))
            .filter(|(name, _)| !self.attached.contains_key(*name))
            .filter_map(|(name, entry)| Some((name, entry?)))
            .collect();
        let max_bytes = self.settings.limits.max_letter_pdf_bytes;
        let looked_into = fresh.into_par_iter().map(|(name, entry)| {
            let found = rules::look_into(source.archive, entry, max_bytes);
            let place = Place::entry(&name.0);
            (
                name.clone(),
                found.map(|finding| Finding { place, ..finding }),
            )
        });
        let looked_into: Vec<_> = looked_into.collect();
        self.attached.extend(looked_into);
    }

    fn judge(&mut self, mut pending: Pending) -> OpenedMessage {
        let on_pages = pending.page_findings();
        let Pending {
            position,
            mut draft,
            place,
            document,
            attachments,
            attached_bytes,
            claim,
            checked,
            ..
        } = pending;
        let claim = claim.unwrap_or_else(|| Claim::of_nothing(document));
        let mut findings = std::mem::take(&mut draft.findings);
        findings.extend(self.refusal(&claim));
        findings.extend(too_large(&claim, attached_bytes, self.settings));
        let tell = |code, detail| Finding::new(code, place.clone(), detail);
        if claim.slip.is_none() && claim.is_taken && draft.wish != ChannelWish::MailboxOnly {
            let paper = self.settings.paper.with(checked.facts);
            let found = rules::too_many_sheets(claim.pages.count, draft.duplex, &paper);
            findings.extend(found.map(|(code, detail)| tell(code, detail)));
        }
        findings.extend(claim.slip.map(|slip| tell(slip.code, slip.detail)));
        findings.extend(on_pages);
        findings.extend(self.unfit(&attachments));
        for finding in &mut findings {
            finding.place.message = Some(position);
        }
        let fitness = if claim.is_taken {
            Fitness::BOTH.after(&findings)
        } else {
            Fitness::NEITHER
        };
        OpenedMessage {
            message: draft.into_message(position, claim.pages, attachments),
            fitness,
            facts: checked.facts,
            document_bytes: claim.document_bytes,
            place: place.of_message(position),
            findings,
        }
    }

    /// The attachments that a mailbox does not take, each told once.
    fn unfit(&self, attachments: &[Attachment]) -> Vec<Finding> {
        let named: BTreeSet<_> = attachments.iter().map(|one| &one.document).collect();
        let unfit = named.into_iter();
        let unfit = unfit.filter_map(|name| self.attached.get(name).cloned().flatten());
        unfit.take(MAX_UNFIT).collect()
    }

    /// Why the letter's document is not taken: told once for the batch, or with the letter.
    fn refusal(&mut self, claim: &Claim) -> Option<Finding> {
        let refusal = claim.refusal.clone()?;
        if !(self.tells_documents_once && claim.is_shared) {
            return Some(refusal);
        }
        if claim.is_first {
            self.tell([refusal]);
        }
        None
    }
}

/// Of a PDF that several letters share, each gets a smaller one cut out: what that will measure
/// is known when it is cut, so that here its attachments count alone.
fn too_large(claim: &Claim, attached_bytes: u64, settings: &Settings) -> Option<Finding> {
    let limit = settings.limits.max_letter_pdf_bytes;
    let pdf_bytes = if claim.is_whole {
        claim.document_bytes
    } else {
        0
    };
    let bytes = pdf_bytes.saturating_add(attached_bytes);
    (bytes > limit).then(|| {
        let place = Place::entry(&claim.pages.document.0);
        let what = if attached_bytes == 0 {
            "the PDF has"
        } else {
            "the PDF and its attachments have"
        };
        let detail = format!("{what} {bytes} bytes, a mailbox takes {limit}");
        Finding::new(Code::TooLargeForMailbox, place, detail)
    })
}
