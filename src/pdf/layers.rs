//! Optional content (ISO 32000-1, 8.11): the layers of a file, and which of them print.
//!
//! A sender's layers become layers of the new file, each with the state that it has in print:
//! membership, policies and expressions then work by themselves. What could change the state
//! (usage, intent) is left out, since readers differ in what they make of it.

use super::Refusal;
use super::dictionary::{Dictionary, elements, is_array, is_name, reference, same_name};
use super::object::{Holds, Slot};
use super::objects::Objects;

/// Whether what is on a layer shows in print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LayerState {
    Shown,
    Hidden,
}

impl LayerState {
    /// Stands in a layer's dictionary: some readers take layers for one whose dictionaries are
    /// equal. `XX` begins names of one's own (annex E).
    pub(super) fn entry(self) -> &'static [u8] {
        match self {
            Self::Shown => b"",
            Self::Hidden => b"/XXHidden true",
        }
    }
}

/// The layers (optional content groups) of a file by object number, ascending.
#[derive(Default)]
pub(super) struct Layers(Vec<(u32, LayerState)>);

impl Layers {
    /// What the default configuration says, and what printing changes of it (8.11.4).
    pub(super) fn read(objects: &Objects<'_>, catalog: Dictionary<'_>) -> Result<Self, Refusal> {
        let Some(properties) = objects.dictionary(catalog, b"OCProperties")? else {
            return Ok(Self::default());
        };
        let default = objects.dictionary(properties, b"D")?;
        let default = default.unwrap_or(Dictionary::EMPTY);
        let mut layers = Self::of_file(objects, properties, default)?;
        layers.switch(objects, default, b"ON", LayerState::Shown)?;
        layers.switch(objects, default, b"OFF", LayerState::Hidden)?;
        layers.switch_for_print(objects, default)?;
        layers.show_other_intents(objects, default)?;
        Ok(layers)
    }

    /// `None` if the object is no layer.
    pub(super) fn state(&self, number: u32) -> Option<LayerState> {
        let index = self.index(number)?;
        self.0.get(index).map(|(_, state)| *state)
    }

    /// Makes the state of a layer a part of what its object is, and leaves out what might change
    /// it. `slots` are those of the value; nothing is done to other objects.
    pub(super) fn mark(&self, number: u32, value: &[u8], slots: &mut Vec<Slot>) {
        let Some(state) = self.state(number) else {
            return;
        };
        for pair in Dictionary::of(value)
            .into_iter()
            .flat_map(Dictionary::pairs)
        {
            if matches!(pair.key, b"Usage" | b"Intent") {
                let inside = |slot: &Slot| pair.place.contains(&slot.place.start);
                slots.retain(|slot| !inside(slot));
                Slot::insert(slots, pair.place, Holds::Null);
            }
        }
        Slot::insert(slots, Slot::BEHIND_OPENING, Holds::Layer(state));
    }

    /// Whether what has that `/OC` shows: a layer, or a membership dictionary (8.11.2.2).
    pub(super) fn shows(&self, objects: &Objects<'_>, membership: &[u8]) -> Result<bool, Refusal> {
        if self.0.is_empty() {
            return Ok(true);
        }
        if let Some(state) = self.state_of(membership) {
            return Ok(state == LayerState::Shown);
        }
        let Some(membership) = Dictionary::of(objects.resolved(membership)?) else {
            return Ok(true);
        };
        match objects.get(membership, b"VE")?.filter(|ve| is_array(ve)) {
            Some(expression) => Expression::new(self, objects).holds(expression, 0),
            None => self.policy_holds(objects, membership),
        }
    }

    fn of_file(
        objects: &Objects<'_>,
        properties: Dictionary<'_>,
        default: Dictionary<'_>,
    ) -> Result<Self, Refusal> {
        let base = if default.has_name(b"BaseState", b"OFF") {
            LayerState::Hidden
        } else {
            LayerState::Shown
        };
        // One that is switched and not listed is a fault on which readers differ: it counts.
        let listed = [
            objects.get(properties, b"OCGs")?,
            objects.get(default, b"ON")?,
            objects.get(default, b"OFF")?,
        ];
        let listed = listed.into_iter().flatten();
        let mut numbers: Vec<u32> = listed.flat_map(elements).filter_map(reference).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut layers = Vec::with_capacity(numbers.len());
        for number in numbers {
            if is_layer(objects, number)? {
                layers.push((number, base));
            }
        }
        Ok(Self(layers))
    }

    fn switch(
        &mut self,
        objects: &Objects<'_>,
        default: Dictionary<'_>,
        key: &[u8],
        state: LayerState,
    ) -> Result<(), Refusal> {
        let listed = objects.get(default, key)?.unwrap_or_default();
        for number in elements(listed).filter_map(reference) {
            self.set(number, state);
        }
        Ok(())
    }

    /// What the usage of layers recommends where it is to be applied when printing (8.11.4.4).
    fn switch_for_print(
        &mut self,
        objects: &Objects<'_>,
        default: Dictionary<'_>,
    ) -> Result<(), Refusal> {
        let mut recommended: Vec<(u32, LayerState)> = Vec::new();
        for application in elements(objects.get(default, b"AS")?.unwrap_or_default()) {
            let Some(application) = Dictionary::of(objects.resolved(application)?) else {
                continue;
            };
            if !application.has_name(b"Event", b"Print") {
                continue;
            }
            let categories = objects.get(application, b"Category")?.unwrap_or_default();
            let listed = objects.get(application, b"OCGs")?.unwrap_or_default();
            for number in elements(listed).filter_map(reference) {
                let state = recommendation(objects, number, categories)?;
                recommended.extend(state.map(|state| (number, state)));
            }
        }
        // Shown only where all say so: those that hide come last.
        recommended.sort_by_key(|(_, state)| *state == LayerState::Hidden);
        for (number, state) in recommended {
            self.set(number, state);
        }
        Ok(())
    }

    /// A layer that the configuration is not about hides nothing (8.11.2.3).
    fn show_other_intents(
        &mut self,
        objects: &Objects<'_>,
        default: Dictionary<'_>,
    ) -> Result<(), Refusal> {
        let wanted = objects.get(default, b"Intent")?.unwrap_or(b"/View");
        if names(wanted).any(|name| is_name(name, b"All")) {
            return Ok(());
        }
        for (number, state) in &mut self.0 {
            let group = dictionary(objects, *number)?.unwrap_or(Dictionary::EMPTY);
            let own = objects.get(group, b"Intent")?.unwrap_or(b"/View");
            let meets = |own: &[u8]| names(wanted).any(|wanted| same_name(wanted, own));
            if !names(own).any(meets) {
                *state = LayerState::Shown;
            }
        }
        Ok(())
    }

    fn policy_holds(
        &self,
        objects: &Objects<'_>,
        membership: Dictionary<'_>,
    ) -> Result<bool, Refusal> {
        let Some(groups) = membership.get(b"OCGs") else {
            return Ok(true);
        };
        let states: Vec<_> = match self.state_of(groups) {
            Some(state) => vec![state],
            None => elements(objects.resolved(groups)?)
                .filter_map(|group| self.state_of(group))
                .collect(),
        };
        let is_shown = |state: &LayerState| *state == LayerState::Shown;
        Ok(states.is_empty()
            || if membership.has_name(b"P", b"AllOn") {
                states.iter().all(is_shown)
            } else if membership.has_name(b"P", b"AllOff") {
                !states.iter().any(is_shown)
            } else if membership.has_name(b"P", b"AnyOff") {
                !states.iter().all(is_shown)
            } else {
                states.iter().any(is_shown)
            })
    }

    fn state_of(&self, value: &[u8]) -> Option<LayerState> {
        self.state(reference(value)?)
    }

    fn set(&mut self, number: u32, state: LayerState) {
        let index = self.index(number);
        if let Some((_, known)) = index.and_then(|index| self.0.get_mut(index)) {
            *known = state;
        }
    }

    fn index(&self, number: u32) -> Option<usize> {
        self.0
            .binary_search_by_key(&number, |(known, _)| *known)
            .ok()
    }
}

/// A visibility expression (8.11.2.2), which may refer to the same part over and over.
struct Expression<'e, 'a> {
    layers: &'e Layers,
    objects: &'e Objects<'a>,
    /// Parts that may still be looked at.
    left: u32,
}

const MOST_PARTS: u32 = 10_000;
const DEEPEST: u32 = 64;
/// What it costs to look at one, in bytes gone through: content may ask over and over.
const PART: usize = 64;
const TOO_LONG: Refusal = Refusal::Limit {
    what: "what the visibility of a layer depends on",
};

impl<'e, 'a> Expression<'e, 'a> {
    fn new(layers: &'e Layers, objects: &'e Objects<'a>) -> Self {
        Self {
            layers,
            objects,
            left: MOST_PARTS,
        }
    }

    fn holds(&mut self, part: &[u8], depth: u32) -> Result<bool, Refusal> {
        self.left = self.left.checked_sub(1).ok_or(TOO_LONG)?;
        if depth > DEEPEST {
            return Err(TOO_LONG);
        }
        if let Some(state) = self.layers.state_of(part) {
            return Ok(state == LayerState::Shown);
        }
        self.objects.count_work(PART)?;
        let mut parts = elements(self.objects.resolved(part)?);
        let Some(operator) = parts.next() else {
            return Ok(true);
        };
        let is_or = is_name(operator, b"Or");
        let is_not = is_name(operator, b"Not");
        for part in parts {
            let holds = self.holds(part, depth + 1)?;
            if is_not {
                return Ok(!holds);
            }
            if holds == is_or {
                return Ok(is_or);
            }
        }
        Ok(!is_or)
    }
}

/// What the usage of a layer recommends in those categories; `None` if nothing.
fn recommendation(
    objects: &Objects<'_>,
    number: u32,
    categories: &[u8],
) -> Result<Option<LayerState>, Refusal> {
    let group = dictionary(objects, number)?.unwrap_or(Dictionary::EMPTY);
    let Some(usage) = objects.dictionary(group, b"Usage")? else {
        return Ok(None);
    };
    let mut recommended = None;
    for (category, key) in STATES {
        if !names(categories).any(|name| is_name(name, category)) {
            continue;
        }
        let Some(usage) = objects.dictionary(usage, category)? else {
            continue;
        };
        let state = objects.get(usage, key)?.unwrap_or_default();
        if is_name(state, b"OFF") {
            return Ok(Some(LayerState::Hidden));
        }
        if is_name(state, b"ON") {
            recommended = Some(LayerState::Shown);
        }
    }
    Ok(recommended)
}

/// Categories of usage that say on or off. Others depend on a reader (zoom, language, user).
const STATES: [(&[u8], &[u8]); 3] = [
    (b"Print", b"PrintState"),
    (b"View", b"ViewState"),
    (b"Export", b"ExportState"),
];

fn is_layer(objects: &Objects<'_>, number: u32) -> Result<bool, Refusal> {
    let Some(group) = dictionary(objects, number)? else {
        return Ok(false);
    };
    let kind = objects.get(group, b"Type")?;
    Ok(kind.is_none_or(|kind| is_name(kind, b"OCG")))
}

/// The dictionary of that number, unless it is that of a stream.
fn dictionary<'o>(
    objects: &'o Objects<'_>,
    number: u32,
) -> Result<Option<Dictionary<'o>>, Refusal> {
    let object = objects
        .object(number)?
        .filter(|object| object.data.is_none());
    let Some(object) = object else {
        return Ok(None);
    };
    objects.count_reread(object.value.len())?;
    Ok(Dictionary::of(object.value))
}

/// A name, or the elements of an array of names.
fn names(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let one = (!is_array(value)).then_some(value);
    one.into_iter().chain(elements(value))
}
