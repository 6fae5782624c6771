//! Which letters may lie in one envelope: those to the same recipient at the same address.

use unicode_normalization::UnicodeNormalization;

use crate::domain::{Letter, Private};

use super::group::Manner;

/// Half of a BLAKE3 hash: names and ids themselves are not kept.
type Digest = [u8; 16];

/// Whom a letter goes to, and how, as digests. Those of one household share envelopes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Addressee {
    /// Manner, address and name.
    by_name: Digest,
    /// Manner, address and recipient id; `None` where the control data has no id.
    by_id: Option<Digest>,
}

/// A letter that may share an envelope.
#[derive(Clone, Copy)]
pub(super) struct Sharer {
    addressee: Addressee,
    pub(super) position: u32,
    /// Its place among the plan's entries.
    pub(super) entry: u32,
    /// Without an address page.
    pub(super) own_sheets: u16,
    /// It has an id of its own, not one that [`gather`] found.
    has_id: bool,
}

impl Addressee {
    /// `None` for a letter that goes alone: its sender does not share envelopes, it goes against a
    /// receipt, or it names nobody.
    pub(super) fn of(letter: &Letter, manner: Manner) -> Option<Self> {
        if !letter.shares_envelope || letter.registered {
            return None;
        }
        let address = &letter.address;
        let name = address.name.as_ref()?;
        let mut place = blake3::Hasher::new_derive_key("kuori household");
        place.update(&[
            manner.destination as u8,
            manner.postage as u8,
            u8::from(manner.colour),
            u8::from(manner.duplex),
        ]);
        place.update(address.country_or_home().as_str().as_bytes());
        for field in [
            &address.additional_name,
            &address.street,
            &address.postal_code,
            &address.city,
        ] {
            place.update(folded(field.as_ref()).as_bytes());
            place.update(&[0]);
        }
        let with = |kind: &[u8], who: &[u8]| digest(place.clone().update(kind).update(who));
        let id = letter.recipient.as_ref();
        Some(Self {
            by_name: with(b"name", folded(Some(name)).as_bytes()),
            by_id: id.map(|id| with(b"id", id.expose().as_bytes())),
        })
    }

    /// Whom an envelope goes to that holds a letter to `other` too; `None` where it must not.
    pub(super) fn with(self, other: &Self) -> Option<Self> {
        let may_share = match (self.by_id, other.by_id) {
            (Some(id), Some(other_id)) => id == other_id,
            _ => self.by_name == other.by_name,
        };
        may_share.then(|| Self {
            by_id: self.by_id.or(other.by_id),
            ..self
        })
    }

    fn household(&self) -> Digest {
        self.by_id.unwrap_or(self.by_name)
    }
}

impl Sharer {
    pub(super) fn new(addressee: Addressee, position: u32, entry: u32, own_sheets: u16) -> Self {
        Self {
            addressee,
            position,
            entry,
            own_sheets,
            has_id: addressee.by_id.is_some(),
        }
    }

    /// Whether it may lie in the envelope of `first`, a letter of the same household.
    pub(super) fn may_join(&self, first: &Self) -> bool {
        (self.has_id && first.has_id) || self.addressee.by_name == first.addressee.by_name
    }
}

/// Sorts letters so that those of one household stand together, in the order of their positions.
///
/// A letter without an id belongs to the only id that has its name and address. Where several
/// have (father and son), it stays apart from all of them.
pub(super) fn gather(sharers: &mut [Sharer]) {
    sharers.sort_unstable_by_key(|sharer| (sharer.addressee, sharer.position));
    let namesakes = |a: &Sharer, b: &Sharer| a.addressee.by_name == b.addressee.by_name;
    for namesakes in sharers.chunk_by_mut(namesakes) {
        let mut ids = namesakes.iter().filter_map(|sharer| sharer.addressee.by_id);
        let Some(id) = ids.next().filter(|first| ids.all(|id| id == *first)) else {
            continue;
        };
        for sharer in namesakes {
            sharer.addressee.by_id = Some(id);
        }
    }
    sharers.sort_unstable_by_key(|sharer| (sharer.addressee.household(), sharer.position));
}

/// The letters of one household after another, as [`gather`] has sorted them.
pub(super) fn households(sharers: &[Sharer]) -> impl Iterator<Item = &[Sharer]> {
    sharers.chunk_by(|a, b| a.addressee.household() == b.addressee.household())
}

/// Case, commas, full stops and spaces do not tell people apart; diacritics do.
fn folded(text: Option<&Private<String>>) -> String {
    let text = text.map_or("", |text| text.expose().as_str());
    let lower = text.nfc().flat_map(char::to_lowercase);
    let spaced: String = lower
        .map(|c| if matches!(c, ',' | '.') { ' ' } else { c })
        .collect();
    let words: Vec<_> = spaced.split_whitespace().collect();
    words.join(" ")
}

fn digest(hasher: &blake3::Hasher) -> Digest {
    let mut half = Digest::default();
    hasher.finalize_xof().fill(&mut half);
    half
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::RecipientId,
        print::{Settings, tests::letter},
    };

    fn shared(change: impl FnOnce(&mut Letter)) -> Letter {
        let mut letter = Letter {
            shares_envelope: true,
            ..letter(1, 1)
        };
        change(&mut letter);
        letter
    }

    fn named(name: &str) -> Letter {
        shared(|letter| letter.address.name = Some(name.into()))
    }

    fn with_id(id: &str) -> Letter {
        shared(|letter| letter.recipient = Some(id.parse::<RecipientId>().unwrap()))
    }

    fn addressee(letter: &Letter) -> Option<Addressee> {
        Addressee::of(letter, Manner::of(letter, &Settings::default()))
    }

    fn may_share(a: &Letter, b: &Letter) -> bool {
        addressee(a)
            .zip(addressee(b))
            .is_some_and(|(a, b)| a.with(&b).is_some())
    }

    #[test]
    fn case_spaces_and_full_stops_do_not_tell_people_apart_and_diacritics_do() {
        assert!(may_share(&named("Mäki, A."), &named(" MÄKI  a")));
        assert!(may_share(&named("Ma\u{308}ki A"), &named("Mäki A")));
        assert!(!may_share(&named("Mäki"), &named("Maki")));
        assert!(!may_share(&named("Mäki A"), &named("Mäki B")));
    }

    #[test]
    fn ids_decide_where_both_letters_have_one() {
        let (one, other) = (with_id("010190-900P"), with_id("010190-901R"));
        assert!(may_share(&one, &one));
        assert!(!may_share(&one, &other));
        assert!(may_share(&one, &shared(|_| {})));
        let renamed = Letter {
            address: named("M. Mallikas").address,
            ..one.clone()
        };
        assert!(may_share(&one, &renamed));
    }

    #[test]
    fn another_address_manner_or_proof_of_receipt_keeps_letters_apart() {
        let apart: [fn(&mut Letter); 9] = [
            |letter| letter.address.street = Some("Mallikatu 1 A 2".into()),
            |letter| letter.address.additional_name = Some("c/o Malli".into()),
            |letter| letter.address.postal_code = Some("00101".into()),
            |letter| letter.address.country = "SE".parse().ok(),
            |letter| letter.postage = crate::domain::PostageClass::Priority,
            |letter| letter.colour = true,
            |letter| letter.duplex = false,
            |letter| letter.registered = true,
            |letter| letter.shares_envelope = false,
        ];
        for change in apart {
            assert!(!may_share(&shared(|_| {}), &shared(change)));
        }
        assert!(addressee(&shared(|letter| letter.address.name = None)).is_none());
    }
}
