use std::{collections::HashMap, io, sync::atomic::AtomicU32};

use rayon::prelude::*;

use super::{
    Pending, Source,
    shared::{Room, SharedDocuments, Standing},
};
use crate::{
    batch::{
        CheckedPages, LetterCheck, Settings, Shelf,
        account::Account,
        document::{Content, Examined, Named, Opened, Unpacked, not_taken},
        ladder::Ladder,
    },
    domain::{DocumentName, Finding},
    pdf::Document,
};

/// What it takes to look at the documents that a page of messages names.
pub(super) struct Look<'l, 'd> {
    pub(super) source: Source<'d, 'd>,
    pub(super) settings: &'l Settings,
    pub(super) shelf: &'l dyn Shelf,
    pub(super) check: &'l dyn LetterCheck,
    pub(super) readings_left: &'l AtomicU32,
    pub(super) shared: &'l SharedDocuments<'d>,
    pub(super) room: Room,
}

/// A document that was looked at, and what is new about it.
pub(super) struct Looked<'d> {
    pub(super) name: DocumentName,
    /// Of a document that no page before this one named.
    pub(super) account: Option<Account>,
    /// Why no letter of a document that was known is taken any more.
    pub(super) refusal: Option<Finding>,
    pub(super) standing: Option<Standing<'d>>,
}

/// The letters of a page that name one document, in their order; at least one.
pub(super) struct Group<'p> {
    letters: Vec<&'p mut Pending>,
}

impl<'p> Group<'p> {
    /// In the order in which the page first names them.
    pub(super) fn all(page: &'p mut [Pending]) -> Vec<Self> {
        let slots = slots(page);
        let mut groups: Vec<Self> = Vec::new();
        for (pending, slot) in page.iter_mut().zip(slots) {
            match groups.get_mut(slot) {
                Some(group) => group.letters.push(pending),
                None => groups.push(Self {
                    letters: vec![pending],
                }),
            }
        }
        groups
    }
}

/// Of each letter, the number of its document.
fn slots(page: &[Pending]) -> Vec<usize> {
    let mut at = HashMap::new();
    let slot = |pending| {
        let next = at.len();
        *at.entry(pending).or_insert(next)
    };
    let documents = page.iter().map(|pending| &pending.document);
    documents.map(slot).collect()
}

impl<'d> Look<'_, 'd> {
    /// Looks at the pages of letters that share a document, or of the only one. The error is the
    /// shelf's.
    pub(super) fn at(&self, group: Group<'_>) -> io::Result<Option<Looked<'d>>> {
        let mut letters = group.letters;
        let Some(first) = letters.first() else {
            return Ok(None);
        };
        let (name, entry) = (first.document.clone(), first.entry.clone());
        let is_known = first.claim.is_some();
        let named = Named {
            name: &name,
            entry: &entry,
            is_shared: is_known || letters.len() > 1,
        };
        if is_known {
            self.again(named, &mut letters)
        } else {
            self.first(named, &mut letters).map(Some)
        }
    }

    /// A document that was not opened before: its letters claim their pages as soon as it is.
    fn first(&self, named: Named<'_>, letters: &mut [&mut Pending]) -> io::Result<Looked<'d>> {
        let unpacked = self.unpack(named)?;
        let (bytes, was_kept) = (unpacked.bytes, unpacked.was_kept);
        let examined = |outcome| Examined {
            bytes,
            was_kept,
            outcome,
        };
        let (account, standing) = match unpacked.content {
            Ok(content) => {
                let (account, opened) = content.open(named.name, &self.ladder(), |opened| {
                    let pages = opened.map(Document::page_count);
                    let pages = pages.map_err(|refusal| not_taken(refusal, named.name));
                    let mut account = claimed(named, examined(pages), letters);
                    let looked = opened.map(|document| self.look(document, named.name, letters));
                    if let Ok(Err(refusal)) = looked {
                        account.refuse(refusal);
                    }
                    account
                })?;
                let opened = opened.filter(|_| named.is_shared);
                (account, opened.map(|opened| self.standing(opened)))
            }
            Err(finding) => (claimed(named, examined(Err(finding)), letters), None),
        };
        Ok(Looked {
            name: named.name.clone(),
            account: Some(account),
            refusal: None,
            standing,
        })
    }

    /// A document whose pages the letters have claimed already.
    fn again(
        &self,
        named: Named<'_>,
        letters: &mut [&mut Pending],
    ) -> io::Result<Option<Looked<'d>>> {
        if !letters.iter().any(|pending| pending.is_clear()) {
            return Ok(None);
        }
        let standing = self.shared.get(named.name);
        let looked = |refusal, standing| Looked {
            name: named.name.clone(),
            account: None,
            refusal,
            standing,
        };
        if let Some(document) = standing.and_then(|standing| standing.document.as_ref()) {
            let refusal = self.look(document, named.name, letters).err();
            return Ok(Some(looked(refusal, None)));
        }
        let content = match standing {
            Some(standing) => Ok(Content::Lent(standing.lent)),
            None => self.unpack(named)?.content,
        };
        let content = match content {
            Ok(content) => content,
            Err(finding) => return Ok(Some(looked(Some(refused(&finding, letters)), None))),
        };
        let (refusal, opened) =
            content.open(named.name, &self.ladder(), |opened| match opened {
                Ok(document) => self.look(document, named.name, letters).err(),
                Err(refusal) => Some(refused(&not_taken(refusal, named.name), letters)),
            })?;
        let standing = opened.map(|opened| self.standing(opened));
        Ok(Some(looked(refusal, standing)))
    }

    fn unpack(&self, named: Named<'_>) -> io::Result<Unpacked<'d>> {
        let (archive, kept) = (self.source.archive, self.shared.kept);
        Unpacked::of(named, archive, kept, &self.settings.limits, self.shelf)
    }

    fn ladder(&self) -> Ladder<'_, 'd> {
        Ladder {
            limits: &self.settings.pdf,
            second: self.check.second_reader(),
            readings_left: self.readings_left,
            shelf: self.shelf,
            kept: self.shared.kept,
        }
    }

    fn standing(&self, opened: Opened<'d>) -> Standing<'d> {
        Standing {
            lent: opened.lent,
            document: opened.document.filter(|document| self.room.takes(document)),
        }
    }

    /// Asks for a judgement of each letter's pages. What all pages of a document may ask for is counted
    /// together, and chance decides which of them asks last: so it is refused to all.
    fn look(
        &self,
        document: &Document<'_>,
        name: &DocumentName,
        letters: &mut [&mut Pending],
    ) -> Result<(), Finding> {
        letters
            .par_iter_mut()
            .for_each(|pending| pending.look(document, self.check));
        match document.exhausted() {
            Some(refusal) => Err(refused(&not_taken(&refusal, name), letters)),
            None => Ok(()),
        }
    }
}

/// The account of a document with what its first letters claim.
fn claimed(named: Named<'_>, examined: Examined, letters: &mut [&mut Pending]) -> Account {
    let mut account = Account::new(named.name.clone(), examined, named.is_shared);
    for pending in letters {
        let claim = account.claim(pending.draft.pages, pending.described());
        pending.claim = Some(claim);
    }
    account
}

/// Takes their pages away from letters.
fn refused(finding: &Finding, letters: &mut [&mut Pending]) -> Finding {
    let mut is_first = true;
    for pending in letters {
        pending.checked = CheckedPages::default();
        if let Some(claim) = &mut pending.claim {
            claim.refuse(finding.clone(), is_first);
            is_first = false;
        }
    }
    finding.clone()
}
