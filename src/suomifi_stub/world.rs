use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    Settings,
    clock::Clock,
    counts::Tally,
    events::{Events, Kind},
    exchange::Exchange,
    mailboxes::Register,
    message::{Accepted, Route},
    tokens::Tokens,
    trouble::Troubles,
    uploads::Uploads,
};

/// All that the stand-in knows.
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    pub(super) dice: fastrand::Rng,
    pub(super) password: String,
    pub(super) password_changed_at: Option<Timestamp>,
    pub(super) tokens: Tokens,
    pub(super) mailboxes: Register,
    pub(super) uploads: Uploads,
    pub(super) messages: Messages,
    pub(super) events: Events,
    pub(super) troubles: Troubles,
    pub(super) tally: Tally,
    pub(super) exchanges: VecDeque<Exchange>,
    /// The second that is counted for the limit of requests, and how many it had.
    second: (u64, u32),
}

impl World {
    pub(super) fn new(settings: Settings) -> Self {
        let limits = settings.limits;
        Self {
            clock: Clock::start(),
            dice: fastrand::Rng::with_seed(settings.seed),
            password: settings.password.clone(),
            password_changed_at: None,
            tokens: Tokens::default(),
            mailboxes: Register::new(settings.mailboxes.clone()),
            uploads: Uploads::new(limits.upload_life, limits.uploads),
            messages: Messages::default(),
            events: Events::new(limits.event_life, limits.events),
            troubles: Troubles::new(settings.troubles.clone()),
            tally: Tally::default(),
            exchanges: VecDeque::new(),
            second: (0, 0),
            settings,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn uuid(&mut self) -> String {
        let n = self.dice.u128(..) & !(0xf << 76) & !(0xc << 60) | (4 << 76) | (8 << 60);
        let hex = format!("{n:032x}");
        let groups = [0..8, 8..12, 12..16, 16..20, 20..32];
        groups
            .map(|group| hex.get(group).unwrap_or_default())
            .join("-")
    }

    /// Whether this request is one more than the second may have.
    pub(super) fn is_too_fast(&mut self) -> bool {
        let Some(most) = self.settings.requests_per_sec else {
            return false;
        };
        let second = self.clock.running().as_secs();
        if self.second.0 != second {
            self.second = (second, 0);
        }
        self.second.1 += 1;
        self.second.1 > most
    }

    /// Takes a message: its number.
    pub(super) fn accept(&mut self, mut message: Accepted) -> i64 {
        let number = self.messages.next_number();
        message.message_id = number;
        let kind = match message.route {
            Route::Electronic => Kind::ElectronicCreated,
            Route::Paper => Kind::PaperCreated,
        };
        for id in &message.attachments {
            self.uploads.mark_used(id);
        }
        self.events.add(message.at, kind, number);
        self.tally.sent_at.push(self.clock.running());
        self.messages.keep(message);
        number
    }

    pub(super) fn log(&mut self, exchange: Exchange) {
        self.exchanges.push_back(exchange);
        if self.exchanges.len() > self.settings.limits.exchanges {
            self.exchanges.pop_front();
        }
    }

    pub(super) fn put_forward(&mut self, by: Duration) {
        self.clock.put_forward(by);
    }
}

/// The messages that were accepted, by number and by the ids of their senders.
#[derive(Default)]
pub(super) struct Messages {
    all: Vec<Accepted>,
    /// Of each service one at most.
    by_external_id: HashMap<String, Vec<usize>>,
}

/// More than 32 bits: whoever keeps it in fewer is found out.
const FIRST_NUMBER: i64 = 5_000_000_001;

impl Messages {
    fn next_number(&self) -> i64 {
        FIRST_NUMBER + i64::try_from(self.all.len()).unwrap_or_default()
    }

    fn keep(&mut self, message: Accepted) {
        let same_id = self.by_external_id.entry(message.external_id.clone());
        same_id.or_default().push(self.all.len());
        self.all.push(message);
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Accepted> {
        self.all.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Accepted> {
        self.all.iter_mut()
    }

    pub(super) fn of_number(&self, number: i64) -> Option<&Accepted> {
        let place = usize::try_from(number.checked_sub(FIRST_NUMBER)?).ok()?;
        self.all.get(place)
    }

    /// The first that any service has sent under this id.
    pub(super) fn of_external_id(&self, external_id: &str) -> Option<&Accepted> {
        let places = self.by_external_id.get(external_id)?;
        self.all.get(*places.first()?)
    }

    /// The one that this service sent under this id before, counted as repeated.
    pub(super) fn repeated(&mut self, service_id: &str, external_id: &str) -> Option<i64> {
        for place in self.by_external_id.get(external_id)? {
            let message = self.all.get_mut(*place)?;
            if message.service_id == service_id {
                message.repeats += 1;
                return Some(message.message_id);
            }
        }
        None
    }
}

/// The world, for all connections.
pub(super) struct Shared(Mutex<World>);

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        Self(Mutex::new(World::new(settings)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
