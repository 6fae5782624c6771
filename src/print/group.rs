use crate::domain::{EnvelopeName, Letter, PostageClass, PostageCode, PostalAddress};

use super::{Settings, paper::Paper};

/// What the pieces of a bundle have in common. Foreign bundles come last.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Group {
    pub destination: Destination,
    pub postage: PostageClass,
    /// `None` where the print house has no postage table.
    pub postage_code: Option<PostageCode>,
    pub registered: bool,
    pub colour: bool,
    pub duplex: bool,
    pub envelope: EnvelopeName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Destination {
    #[default]
    Domestic,
    Foreign,
}

/// How a letter is produced and posted, whatever its number of sheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Manner {
    pub(super) destination: Destination,
    pub(super) postage: PostageClass,
    pub(super) registered: bool,
    pub(super) colour: bool,
    pub(super) duplex: bool,
}

/// A [`Group`] in eight bytes: rows of the print house's tables instead of the names in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Kind {
    pub(super) manner: Manner,
    envelope_row: u8,
    postage_row: Option<u8>,
}

impl Manner {
    pub(super) fn of(letter: &Letter, settings: &Settings) -> Self {
        let saves_colour = settings.grey_saves && letter.facts.colour_pages == 0;
        Self {
            destination: Destination::of(&letter.address),
            postage: letter.postage,
            registered: letter.registered,
            colour: letter.colour && !saves_colour,
            duplex: letter.duplex,
        }
    }
}

impl Kind {
    pub(super) fn new(manner: Manner, paper: &Paper) -> Self {
        Self {
            manner,
            envelope_row: paper.envelope_row,
            postage_row: paper.postage_row,
        }
    }

    /// `settings` are those that its paper was chosen by.
    pub(super) fn group(self, settings: &Settings) -> Group {
        let Manner {
            destination,
            postage,
            registered,
            colour,
            duplex,
        } = self.manner;
        let envelope = settings.envelopes.get(usize::from(self.envelope_row));
        let row = self.postage_row.map(usize::from);
        let postage_row = row.and_then(|row| settings.postage.get(row));
        Group {
            destination,
            postage,
            postage_code: postage_row.map(|row| row.code.clone()),
            registered,
            colour,
            duplex,
            envelope: envelope
                .map_or_else(|| EnvelopeName(String::new()), |rule| rule.name.clone()),
        }
    }
}

impl Destination {
    pub fn of(address: &PostalAddress) -> Self {
        if address.is_foreign() {
            Self::Foreign
        } else {
            Self::Domestic
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Domestic => "domestic",
            Self::Foreign => "foreign",
        }
    }
}
