use std::collections::HashMap;

use jiff::SignedDuration;

use crate::{
    domain::BackOff,
    store::{Await, Place},
    transport::ReadBack,
};

/// How things are handed over.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The most hand-overs at once, of all places together.
    pub at_once: usize,
    /// How long a claim holds; it is renewed while the work goes on.
    pub lease: SignedDuration,
    /// Between tries of one thing, and between tries to reach a place.
    pub back_off: BackOff,
    /// How long those in hand may take when the program stops.
    pub stop_grace: SignedDuration,
    /// Places that are not here have the default.
    pub places: HashMap<Place, PlaceSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            at_once: 32,
            lease: SignedDuration::from_mins(5),
            back_off: BackOff {
                first: SignedDuration::from_secs(10),
                longest: SignedDuration::from_mins(15),
            },
            stop_grace: SignedDuration::from_secs(5),
            places: HashMap::new(),
        }
    }
}

/// How things are handed over to one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceSettings {
    /// The most hand-overs at once.
    pub at_once: usize,
    /// How much of a file is read back before it gets its name.
    pub read_back: ReadBack,
    pub pickup: PickUp,
}

impl Default for PlaceSettings {
    fn default() -> Self {
        Self {
            at_once: 4,
            read_back: ReadBack::Size,
            pickup: PickUp::default(),
        }
    }
}

/// Whether and how often it is looked for what the other side has taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PickUp {
    pub wanted: Await,
    /// Between two looks.
    pub look_every: SignedDuration,
}

impl Default for PickUp {
    fn default() -> Self {
        Self {
            wanted: Await::Nothing,
            look_every: SignedDuration::from_mins(1),
        }
    }
}

impl Settings {
    pub(super) fn of(&self, place: &Place) -> PlaceSettings {
        self.places.get(place).copied().unwrap_or_default()
    }
}
