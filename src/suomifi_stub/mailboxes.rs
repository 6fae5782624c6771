use std::{collections::HashSet, fmt};

use serde_json::json;

use super::{
    answer::Answer,
    doors::Asked,
    form::{Faults, Form},
    world::Shared,
};

/// Who has a mailbox in use.
#[derive(Clone, Default)]
pub enum Mailboxes {
    #[default]
    All,
    /// Whose individual number is even; no company.
    Even,
    /// These identity codes and business ids.
    Only(HashSet<String>),
}

impl fmt::Debug for Mailboxes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "All",
            Self::Even => "Even",
            Self::Only(_) => "Only([hidden])",
        })
    }
}

impl Mailboxes {
    /// One identity code or business id a line; empty lines and those after `#` are passed over.
    pub fn listed(text: &str) -> Self {
        let lines = text.lines().map(str::trim);
        let ids = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self::Only(ids.map(str::to_ascii_uppercase).collect())
    }

    fn has(&self, id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Even => has_even_number(id),
            Self::Only(ids) => ids.contains(id),
        }
    }
}

/// `DDMMYYcNNNx`: the third digit of the individual number is the tenth character.
fn has_even_number(id: &str) -> bool {
    let digit = id.as_bytes().get(9).filter(|_| id.len() == 11);
    digit.is_some_and(|digit| digit.is_ascii_digit() && digit % 2 == 0)
}

/// The mailboxes as they are now: those of the start, and what was opened and closed since.
#[derive(Default)]
pub(super) struct Register {
    first: Mailboxes,
    opened: HashSet<String>,
    closed: HashSet<String>,
}

impl Register {
    pub(super) fn new(first: Mailboxes) -> Self {
        Self {
            first,
            ..Self::default()
        }
    }

    pub(super) fn is_in_use(&self, id: &str) -> bool {
        let id = id.to_ascii_uppercase();
        !self.closed.contains(&id) && (self.opened.contains(&id) || self.first.has(&id))
    }

    pub(super) fn open(&mut self, id: &str) {
        let id = id.to_ascii_uppercase();
        self.closed.remove(&id);
        self.opened.insert(id);
    }

    pub(super) fn close(&mut self, id: &str) {
        let id = id.to_ascii_uppercase();
        self.opened.remove(&id);
        self.closed.insert(id);
    }

    /// Forgets what was opened and closed.
    pub(super) fn replace(&mut self, first: Mailboxes) {
        *self = Self::new(first);
    }
}

/// `POST /v1/mailboxes/active`.
pub(super) fn answer(shared: &Shared, asked: &Asked<'_>) -> Answer {
    let body = match asked.json() {
        Ok(body) => body,
        Err(fault) => return Answer::bad_request(&fault),
    };
    let most = shared.lock().settings.limits.recipients;
    let faults = Faults::default();
    let recipients: Vec<_> = Form::of(&body, &faults)
        .map(|form| form.parts("endUsers", 1..=most))
        .unwrap_or_default()
        .into_iter()
        .filter_map(|item| item.text("id", 9..=11))
        .collect();
    let faults = faults.all();
    if !faults.is_empty() {
        return Answer::bad_request(&faults.join("; "));
    }
    let mut world = shared.lock();
    world.tally.recipients_asked += recipients.len() as u64;
    let active: Vec<_> = recipients
        .into_iter()
        .filter(|id| world.mailboxes.is_in_use(id))
        .map(|id| json!({"id": id}))
        .collect();
    Answer::ok(json!({"endUsersWithActiveMailbox": active}))
}
