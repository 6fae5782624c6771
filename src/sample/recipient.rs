use crate::domain::{CountryCode, PersonalIdentityCode, PostalAddress, Private};

use super::{
    Spec,
    dice::{Dice, Purpose},
    identity_codes, people, places,
};

const WITHOUT_IDENTITY_CODE: f64 = 0.02;
const ABROAD: f64 = 0.01;

/// Somebody invented to whom a letter of the batch is addressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleRecipient {
    /// 1-based position of the letter in the batch.
    pub position: u32,
    /// `L-<seed>-<position>`.
    pub letter_id: String,
    /// Absent for about 2 %: the control data says `N/A`.
    pub id: Option<PersonalIdentityCode>,
    /// Never without an id, for nothing could find the mailbox.
    pub has_mailbox: bool,
    /// Abroad for about 1 %.
    pub address: PostalAddress,
    pub pages: u8,
}

/// The recipients in the order of their letters, without writing anything.
pub fn recipients(spec: &Spec) -> impl Iterator<Item = SampleRecipient> + use<'_> {
    (1..=spec.letters).map(|position| recipient(spec, position))
}

pub(super) fn recipient(spec: &Spec, position: u32) -> SampleRecipient {
    let mut dice = Dice::new(spec.seed, position, Purpose::Person);
    let unknown = dice.happens(WITHOUT_IDENTITY_CODE);
    let id = (!unknown)
        .then(|| identity_codes::of_letter(spec.seed, position))
        .flatten();
    let mut mailbox = Dice::new(spec.seed, position, Purpose::Mailbox);
    SampleRecipient {
        position,
        letter_id: format!("L-{}-{position}", spec.seed),
        has_mailbox: id.is_some() && mailbox.happens(spec.digital_share),
        id,
        address: address(spec, position, name(&mut dice)),
        pages: pages(spec, position),
    }
}

/// How many pages letter `position` has.
pub(super) fn pages(spec: &Spec, position: u32) -> u8 {
    let (least, most) = (*spec.pages.start(), *spec.pages.end());
    let choices = u32::from(most.saturating_sub(least)) + 1;
    let more = Dice::new(spec.seed, position, Purpose::Pages).below(choices);
    least.saturating_add(u8::try_from(more).unwrap_or_default())
}

/// The rows of the address block: three at home, four abroad, of at most 30 characters each.
pub(super) fn address_rows(address: &PostalAddress) -> Vec<String> {
    let text = |field: &Option<Private<String>>| {
        field
            .as_ref()
            .map_or_else(String::new, |text| text.expose().clone())
    };
    let city = text(&address.city).to_uppercase();
    let rows = [
        text(&address.name),
        text(&address.street),
        format!("{} {city}", text(&address.postal_code)),
        places::country_row(address.country_or_home().as_str()).to_owned(),
    ];
    rows.into_iter().filter(|row| !row.is_empty()).collect()
}

fn name(dice: &mut Dice) -> String {
    let (first, last) = (
        dice.pick(people::FIRST_NAMES),
        dice.pick(people::LAST_NAMES),
    );
    format!("{first} {last}")
}

fn address(spec: &Spec, position: u32, name: String) -> PostalAddress {
    let mut dice = Dice::new(spec.seed, position, Purpose::Address);
    let home = PostalAddress {
        name: Some(Private::new(name)),
        ..PostalAddress::default()
    };
    if dice.happens(ABROAD) {
        return abroad(&mut dice, home);
    }
    let (postal_code, city) = dice.pick(places::POST_OFFICES);
    PostalAddress {
        street: Some(Private::new(street(&mut dice))),
        postal_code: Some(postal_code.into()),
        city: Some(city.into()),
        country: Some(CountryCode::FINLAND),
        ..home
    }
}

fn abroad(dice: &mut Dice, home: PostalAddress) -> PostalAddress {
    let (street, postal_code, city, country) = dice.pick(places::ABROAD);
    PostalAddress {
        street: Some(Private::new(format!("{street} {}", 1 + dice.below(90)))),
        postal_code: Some(postal_code.into()),
        city: Some(city.into()),
        country: country.parse().ok(),
        ..home
    }
}

/// `Koulukatu 12`, `Koulukatu 12 B` or `Koulukatu 12 B 34`.
fn street(dice: &mut Dice) -> String {
    let street = dice.pick(places::STREETS);
    let number = 1 + dice.below(120);
    let stair = dice.pick(&["A", "B", "C", "D", "E"]);
    match dice.below(3) {
        0 => format!("{street} {number}"),
        1 => format!("{street} {number} {stair}"),
        _ => format!("{street} {number} {stair} {}", 1 + dice.below(89)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_can_be_posted_and_fits_the_window() {
        for recipient in recipients(&Spec {
            letters: 20_000,
            ..Spec::default()
        }) {
            assert_eq!(recipient.address.gap(), None);
            let rows = address_rows(&recipient.address);
            assert_eq!(
                rows.len(),
                if recipient.address.is_foreign() { 4 } else { 3 }
            );
            for row in rows {
                assert!(row.chars().count() <= 30, "{row}");
            }
        }
    }

    #[test]
    fn shares_are_near_what_was_asked() {
        let spec = Spec {
            letters: 20_000,
            digital_share: 0.3,
            ..Spec::default()
        };
        let count = |what: fn(&SampleRecipient) -> bool| recipients(&spec).filter(what).count();
        let mailboxes = count(|recipient| recipient.has_mailbox);
        assert!((5_600..6_200).contains(&mailboxes), "{mailboxes}");
        let unknown = count(|recipient| recipient.id.is_none());
        assert!((330..470).contains(&unknown), "{unknown}");
        let foreign = count(|recipient| recipient.address.is_foreign());
        assert!((140..260).contains(&foreign), "{foreign}");
    }

    #[test]
    fn the_digital_share_reaches_both_ends() {
        let with = |digital_share| Spec {
            digital_share,
            ..Spec::default()
        };
        assert!(recipients(&with(0.0)).all(|recipient| !recipient.has_mailbox));
        assert!(
            recipients(&with(1.0)).all(|recipient| recipient.has_mailbox == recipient.id.is_some())
        );
    }
}
