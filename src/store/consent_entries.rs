//! What files say of recipients, row by row.

use std::{collections::HashMap, fmt::Write as _};

use jiff::Timestamp;
use rusqlite::params;

use super::{
    ConsentChange, ConsentStatus, Error, NewEvent, Store, Transaction,
    columns::Word,
    consents::{infer, say, set_matter, standing},
    error::Doing,
    events, notice_addresses,
};
use crate::domain::{EmailAddress, Language, Matter, PostalAddress, RecipientId};

/// One row of a file of consents: at least one of its parts is there.
#[derive(Debug, Clone)]
pub struct ConsentEntry {
    pub recipient: RecipientId,
    pub said: Option<(ConsentStatus, Timestamp)>,
    /// Of a withdrawal: nobody said it, a full list did not have the recipient.
    pub is_inferred: bool,
    /// Who knows it, as the row says; else whoever brings the file.
    pub source: Option<String>,
    pub matter: Option<MatterWish>,
    pub notice: Option<NoticeWish>,
}

/// Whether letters of a matter are to go on paper, whatever else was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatterWish {
    pub matter: Matter,
    pub print_only: bool,
    /// Where they go; `None`: where control data says. Only of letters that go on paper.
    pub address: Option<PostalAddress>,
}

/// Where a recipient wants to be told of messages; without an address, nowhere any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeWish {
    pub address: Option<EmailAddress>,
    pub language: Option<Language>,
}

/// What rows have done to the register.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConsentsTaken {
    /// Rows that said anything new.
    pub changed: u64,
    /// Withdrawals that do not count: the register has a consent that is newer.
    pub unheeded: u64,
}

impl Store {
    /// Records a page of a file as the deed of an operator. Of two words of one recipient and time in it
    /// the later row alone is said. The audit has how many rows said anything new, and nobody's id.
    pub fn take_consents(
        &self,
        page: &[ConsentEntry],
        source: &str,
        action: &NewEvent,
    ) -> Result<ConsentsTaken, Error> {
        self.write("take consents", |tx| {
            let taken = take_all(tx, page, source, action.at)?;
            let what = format!("consents {source}: {}", told(page, taken));
            events::note_house(tx, action, &what)?;
            Ok(taken)
        })
    }
}

/// Records rows. Those of one recipient are taken in their order, and recipients in the order of the
/// register, so that no page of it is written twice.
pub(super) fn take_all(
    tx: &Transaction<'_>,
    page: &[ConsentEntry],
    source: &str,
    now: Timestamp,
) -> Result<ConsentsTaken, Error> {
    let mut in_order: Vec<_> = page.iter().collect();
    in_order.sort_by_key(|entry| entry.recipient.expose());
    let mut taken = ConsentsTaken::default();
    for rows in in_order.chunk_by(|one, other| one.recipient == other.recipient) {
        let words = Words::of(rows);
        for (place, entry) in rows.iter().enumerate() {
            let said = entry
                .said
                .filter(|(_, since)| words.last.get(&(*since, entry.is_inferred)) == Some(&place));
            let is_news = take(tx, entry, said, source, now)?;
            taken.changed += u64::from(is_news);
            if !entry.is_inferred
                && words.is_last_withdrawal(said)
                && standing(tx, &entry.recipient)?.0 == ConsentStatus::Granted
            {
                taken.unheeded += 1;
            }
        }
    }
    Ok(taken)
}

/// What some rows say of the consent of one recipient.
#[derive(Default)]
struct Words {
    /// The last row of each time, of those that were said and of those that were inferred.
    last: HashMap<(Timestamp, bool), usize>,
    granted: Option<Timestamp>,
}

impl Words {
    fn of(rows: &[&ConsentEntry]) -> Self {
        let mut words = Self::default();
        for (place, row) in rows.iter().enumerate() {
            let Some((status, since)) = row.said else {
                continue;
            };
            words.last.insert((since, row.is_inferred), place);
            if status == ConsentStatus::Granted {
                words.granted = words.granted.max(Some(since));
            }
        }
        words
    }

    /// Not one that the rows themselves overrule.
    fn is_last_withdrawal(&self, said: Option<(ConsentStatus, Timestamp)>) -> bool {
        said.is_some_and(|(status, since)| {
            status == ConsentStatus::Withdrawn && self.granted.is_none_or(|granted| granted < since)
        })
    }
}

/// Records one row, of whose words of consent only `said` counts. Whether it said anything new.
fn take(
    tx: &Transaction<'_>,
    entry: &ConsentEntry,
    said: Option<(ConsentStatus, Timestamp)>,
    source: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let source = entry.source.as_deref().unwrap_or(source);
    let mut is_news = false;
    if let Some((status, since)) = said {
        let change = ConsentChange {
            recipient: entry.recipient.clone(),
            status,
            since,
        };
        is_news |= if entry.is_inferred {
            infer(tx, &change, source, now)?
        } else {
            say(tx, &change, source, now)?
        };
    }
    if let Some(wish) = &entry.matter {
        is_news |= set_matter(tx, &entry.recipient, wish, source, now)?;
    }
    if let Some(wish) = &entry.notice {
        is_news |= set_notice(tx, &entry.recipient, wish, now)?;
    }
    Ok(is_news)
}

/// What is known already is left: since when it is known stays true.
fn set_notice(
    tx: &Transaction<'_>,
    recipient: &RecipientId,
    wish: &NoticeWish,
    now: Timestamp,
) -> Result<bool, Error> {
    let doing = "look for a notice address";
    let sql = "SELECT 1 FROM notice_addresses
         WHERE recipient_id = ?1 AND (?2 IS NULL OR (address = ?2 AND language IS ?3))";
    let address = wish.address.as_ref();
    let language = wish.language.map(Word::word);
    let given = params![
        recipient.expose(),
        address.map(EmailAddress::expose),
        language
    ];
    let is_there = tx
        .prepare_cached(sql)
        .and_then(|mut query| query.exists(given))
        .doing(doing)?;
    let is_news = is_there == address.is_none();
    if is_news {
        notice_addresses::set_notice_address(tx, recipient, address, wish.language, now)?;
    }
    Ok(is_news)
}

fn told(page: &[ConsentEntry], taken: ConsentsTaken) -> String {
    let said = |status: ConsentStatus| {
        let is_it = |entry: &&ConsentEntry| entry.said.is_some_and(|(said, _)| said == status);
        page.iter().filter(is_it).count()
    };
    let (granted, withdrawn) = (said(ConsentStatus::Granted), said(ConsentStatus::Withdrawn));
    let ConsentsTaken { changed, unheeded } = taken;
    let mut told =
        format!("{granted} granted, {withdrawn} withdrawn; {changed} changed the register");
    if unheeded > 0 {
        let _ = write!(told, ", {unheeded} older withdrawals did not");
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(said: Option<(ConsentStatus, Timestamp)>) -> ConsentEntry {
        ConsentEntry {
            recipient: RecipientId::Person("010190-900P".parse().unwrap()),
            said,
            is_inferred: false,
            source: None,
            matter: None,
            notice: None,
        }
    }

    fn action() -> NewEvent {
        NewEvent {
            at: "2026-03-01T08:00:00Z".parse().unwrap(),
            actor: "maija".to_owned(),
            why: String::new(),
        }
    }

    #[test]
    fn a_row_says_what_it_has_and_leaves_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let granted = entry(Some((ConsentStatus::Granted, Timestamp::UNIX_EPOCH)));
        let matter = ConsentEntry {
            matter: Some(MatterWish {
                matter: "school".parse().unwrap(),
                print_only: true,
                address: None,
            }),
            source: Some("the school".to_owned()),
            ..entry(None)
        };
        let notice = ConsentEntry {
            notice: Some(NoticeWish {
                address: Some("maija@example.fi".parse().unwrap()),
                language: Some(Language::Finnish),
            }),
            ..entry(None)
        };
        let page = [granted, matter, notice];
        for changed in [3, 0] {
            let taken = store.take_consents(&page, "a file", &action()).unwrap();
            assert_eq!(taken.changed, changed);
        }
        let person = &page[0].recipient;
        let consent = store.consent(person).unwrap();
        let said = consent.said.unwrap();
        assert_eq!(said.status, ConsentStatus::Granted);
        assert_eq!(said.source.as_deref(), Some("a file"));
        assert_eq!(consent.print_only_matters[0].matter, "school");
        let words = store.consent_history(person).unwrap();
        let sources: Vec<_> = words.iter().map(|word| word.source.as_deref()).collect();
        assert_eq!(sources, [Some("a file"), Some("the school")]);
        let told = store.notice_address(person).unwrap().unwrap();
        assert_eq!(told.language, Some(Language::Finnish));
    }

    #[test]
    fn an_address_that_is_taken_back_is_forgotten_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let wish = |address: Option<&str>| ConsentEntry {
            notice: Some(NoticeWish {
                address: address.map(|it| it.parse().unwrap()),
                language: None,
            }),
            ..entry(None)
        };
        for (address, changed) in [(Some("maija@example.fi"), 1), (None, 1), (None, 0)] {
            let page = [wish(address)];
            let taken = store.take_consents(&page, "a file", &action()).unwrap();
            assert_eq!(taken.changed, changed, "{address:?}");
        }
        let person = RecipientId::Person("010190-900P".parse().unwrap());
        assert_eq!(store.notice_address(&person).unwrap(), None);
    }

    #[test]
    fn of_two_rows_of_one_time_the_later_one_is_said_and_a_file_again_changes_nothing() {
        let (granted, withdrawn) = (ConsentStatus::Granted, ConsentStatus::Withdrawn);
        let word = |status| entry(Some((status, Timestamp::UNIX_EPOCH)));
        for order in [[granted, withdrawn], [withdrawn, granted]] {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path()).unwrap();
            let page = order.map(word);
            for changed in [1, 0] {
                let taken = store.take_consents(&page, "a file", &action()).unwrap();
                assert_eq!(taken.changed, changed);
            }
            let person = &page[0].recipient;
            let said = store.consent(person).unwrap().said.unwrap();
            assert_eq!(said.status, order[1]);
            assert_eq!(store.consent_history(person).unwrap().len(), 1);
        }
    }

    #[test]
    fn what_was_inferred_stands_beside_what_was_said_at_the_same_time_and_is_recorded_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let word = |status, is_inferred| ConsentEntry {
            is_inferred,
            ..entry(Some((status, Timestamp::UNIX_EPOCH)))
        };
        let page = [
            word(ConsentStatus::Withdrawn, true),
            word(ConsentStatus::Granted, false),
        ];
        for changed in [1, 0] {
            let taken = store.take_consents(&page, "a file", &action()).unwrap();
            assert_eq!((taken.changed, taken.unheeded), (changed, 0));
            let words = store.consent_history(&page[0].recipient).unwrap();
            assert_eq!(words.len(), 2);
        }
        let said = store.consent(&page[0].recipient).unwrap().said.unwrap();
        assert_eq!(said.status, ConsentStatus::Withdrawn);
    }

    #[test]
    fn a_withdrawal_that_the_register_overrules_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let unheeded = |rows: &[(ConsentStatus, &str)]| {
            let rows = rows.iter();
            let page: Vec<_> = rows
                .map(|(status, since)| entry(Some((*status, since.parse().unwrap()))))
                .collect();
            let taken = store.take_consents(&page, "a file", &action());
            taken.unwrap().unheeded
        };
        let (granted, withdrawn) = (ConsentStatus::Granted, ConsentStatus::Withdrawn);
        let (early, late) = ("2026-02-01T00:00:00Z", "2026-02-01T08:00:00Z");
        // A file that has the history of a recipient overrules its own words.
        assert_eq!(unheeded(&[(withdrawn, early), (granted, late)]), 0);
        assert_eq!(unheeded(&[(granted, late), (withdrawn, early)]), 0);
        for _ in 0..2 {
            assert_eq!(unheeded(&[(withdrawn, early)]), 1);
        }
        assert_eq!(unheeded(&[(withdrawn, late)]), 0);
        assert_eq!(unheeded(&[(withdrawn, early)]), 0);
    }
}
