use super::{
    Archive, Limits,
    contents::Contents,
    control::{self, ControlData, Form},
};
use crate::domain::Finding;

/// How many letters the control data describes: each is read to its end, as [`open`](super::open())
/// does it, and forgotten. No PDF is looked at, and no archive inside this one.
pub fn count_letters(archive: &Archive<'_>, limits: &Limits) -> Result<u64, Finding> {
    let (entries, form) = match Contents::of(archive)? {
        Contents::Table(entry) => (vec![entry], Form::Table),
        Contents::Bundles(entries) => (entries, Form::LetterBundle),
        Contents::Archives(_) => (Vec::new(), Form::LetterBundle),
    };
    let mut letters = 0;
    for entry in entries {
        let (source, place) = (archive.reader(&entry.name)?, entry.place());
        letters += control::read(source, entry.size, form, &place, limits, count)?;
    }
    Ok(letters)
}

fn count(control: &mut dyn ControlData) -> Result<u64, Finding> {
    let mut letters = 0;
    while control.next_draft()?.is_some() {
        letters += 1;
    }
    Ok(letters)
}
