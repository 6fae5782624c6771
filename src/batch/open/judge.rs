use std::{
    collections::{BTreeSet, HashMap},
    io,
};

use rayon::prelude::*;

use super::{Opening, Pending, Source, Stop};
use crate::{
    batch::{
        OpenError, OpenedMessage, Settings,
        document::{Examined, Named},
        ledger::{Claim, Described},
        rules,
    },
    domain::{Attachment, ChannelWish, Code, Finding, Fitness, Place},
};

/// The rules on a few letters take less time than giving them to another thread.
const RULED_AT_ONCE: usize = 64;

/// Attachments of one letter that are told: it is refused at the first.
const MAX_UNFIT: usize = 20;

impl<E> Opening<'_, E> {
    /// Examines the documents that the page names for the first time, and gives the page away.
    pub(super) fn hand_over(&mut self, source: Source<'_, '_>) -> Result<(), Stop<E>> {
        let mut page = std::mem::take(&mut self.page);
        self.page_attachments = 0;
        if page.is_empty() {
            return Ok(());
        }
        self.examine(source, &page)
            .map_err(|error| Stop::Failed(OpenError::Shelf(error)))?;
        self.check_missing()?;
        self.look_into_attachments(source, &page);
        let settings = self.settings;
        page.par_iter_mut()
            .with_min_len(RULED_AT_ONCE)
            .for_each(|pending| pending.apply_rules(settings));
        let opened = page.into_iter().map(|pending| self.judge(pending));
        let opened = opened.collect();
        (self.sink)(opened).map_err(|error| Stop::Failed(OpenError::Sink(error)))
    }

    fn examine(&mut self, source: Source<'_, '_>, page: &[Pending]) -> io::Result<()> {
        let mut fresh: Vec<Named<'_>> = Vec::new();
        let mut at = HashMap::new();
        let is_fresh = |pending: &&Pending| !self.ledger.holds(&pending.document);
        for pending in page.iter().filter(is_fresh) {
            let slot = *at.entry(&pending.document).or_insert(fresh.len());
            match fresh.get_mut(slot) {
                Some(named) => named.is_shared = true,
                None => fresh.push(Named {
                    name: &pending.document,
                    entry: &pending.entry,
                    is_shared: false,
                }),
            }
        }
        let (archive, settings, keeper) = (source.archive, self.settings, self.shelf);
        let examine = |named: &Named<'_>| Examined::of(*named, archive, settings, keeper);
        let examined: Vec<_> = fresh.par_iter().map(examine).collect::<io::Result<_>>()?;
        for (named, examined) in fresh.into_iter().zip(examined) {
            self.ledger
                .enter(named.name.clone(), examined, named.is_shared);
        }
        Ok(())
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

    fn judge(&mut self, pending: Pending) -> OpenedMessage {
        let Pending {
            position,
            mut draft,
            place,
            document,
            attachments,
            attached_bytes,
            ..
        } = pending;
        let line = draft.line;
        let letter = Described { position, line };
        let claim = self.ledger.claim(&document, draft.pages, letter);
        let mut findings = std::mem::take(&mut draft.findings);
        findings.extend(self.refusal(&claim));
        findings.extend(too_large(&claim, attached_bytes, self.settings));
        let tell = |code, detail| Finding::new(code, place.clone(), detail);
        if claim.slip.is_none() && claim.is_taken && draft.wish != ChannelWish::MailboxOnly {
            let paper = &self.settings.paper;
            let found = rules::too_many_sheets(claim.pages.count, draft.duplex, paper);
            findings.extend(found.map(|(code, detail)| tell(code, detail)));
        }
        findings.extend(claim.slip.map(|slip| tell(slip.code, slip.detail)));
        findings.extend(claim.findings);
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

impl Pending {
    fn apply_rules(&mut self, settings: &Settings) {
        rules::apply(&mut self.draft, &self.place, self.is_test, settings);
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
