use serde::{Deserialize, Serialize};

use super::doors::Asked;

/// Something that goes wrong on purpose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trouble {
    pub what: Misdeed,
    /// The beginning of the paths that it is about; `None`: all of the API.
    #[serde(default)]
    pub on: Option<String>,
    /// A part of their query or body, such as one external id; `None`: whatever they say.
    #[serde(default)]
    pub about: Option<String>,
    /// Of those requests, 0 to 1, by the dice.
    #[serde(default = "one")]
    pub share: f64,
    /// Requests that pass before it begins.
    #[serde(default)]
    pub skip: u64,
    /// How often it happens; `None`: until it is taken back.
    #[serde(default)]
    pub times: Option<u64>,
    /// Whether the request is carried out all the same: accepted, but nobody is told.
    #[serde(default)]
    pub after_effect: bool,
}

/// What is done instead of the right thing, or to the right answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Misdeed {
    /// Another status, such as 502 or 429.
    #[serde(rename_all = "kebab-case")]
    Status(Refusal),
    /// The answer comes so many milliseconds late.
    Slow(u64),
    /// The connection ends without an answer.
    Cut,
    /// The connection ends in the middle of the answer, which is always after the effect.
    CutMiddle,
    /// 401, though the token is good.
    Unauthorized,
    /// 401, and the token is good no more.
    ExpireToken,
    /// 403: the address is not on the list.
    NotListed,
    /// A page of HTML where JSON is due, by its header too; always after the effect.
    WrongType,
    /// JSON that does not end; always after the effect.
    BrokenJson,
    /// Fields that the description does not have.
    UnknownFields,
    /// Each event of an answer twice.
    DuplicateEvents,
    /// The events of an answer in any order.
    ShuffleEvents,
    /// An event of a type that the description does not have.
    UnknownEvents,
    /// An event of a message that nobody sent.
    StrangeEvents,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    pub status: u16,
    /// The header `Retry-After`.
    #[serde(default)]
    pub retry_after_secs: Option<u64>,
}

fn one() -> f64 {
    1.0
}

impl Trouble {
    /// Always, to all of the API, until taken back.
    pub fn new(what: Misdeed) -> Self {
        Self {
            what,
            on: None,
            about: None,
            share: 1.0,
            skip: 0,
            times: None,
            after_effect: false,
        }
    }

    /// An answer of this status.
    pub fn status(status: u16) -> Self {
        Self::new(Misdeed::Status(Refusal {
            status,
            retry_after_secs: None,
        }))
    }

    #[must_use]
    pub fn on(mut self, path: &str) -> Self {
        self.on = Some(path.to_owned());
        self
    }

    #[must_use]
    pub fn about(mut self, text: &str) -> Self {
        self.about = Some(text.to_owned());
        self
    }

    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    #[must_use]
    pub fn skip(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    #[must_use]
    pub fn after_effect(mut self) -> Self {
        self.after_effect = true;
        self
    }

    /// What is wrong with it, if anything is.
    pub fn fault(&self) -> Option<&'static str> {
        if !(0.0..=1.0).contains(&self.share) {
            return Some("a share is 0 to 1");
        }
        let Misdeed::Status(refusal) = &self.what else {
            return None;
        };
        let is_refusal = (400..=599).contains(&refusal.status);
        (!is_refusal).then_some("a status is 400 to 599")
    }

    fn is_about(&self, asked: &Asked<'_>) -> bool {
        let has = |about: &str| asked.query.contains(about) || is_in(about, asked.body);
        self.on
            .as_deref()
            .is_none_or(|on| asked.path.starts_with(on))
            && self.about.as_deref().is_none_or(has)
    }
}

fn is_in(text: &str, body: &[u8]) -> bool {
    let text = text.as_bytes();
    text.is_empty() || body.windows(text.len()).any(|window| window == text)
}

/// One that happens to this request.
#[derive(Debug, Clone)]
pub(super) struct Mishap {
    pub(super) what: Misdeed,
    pub(super) after_effect: bool,
}

/// Those that are in force.
#[derive(Default)]
pub(super) struct Troubles {
    all: Vec<Trouble>,
}

impl Troubles {
    pub(super) fn new(all: Vec<Trouble>) -> Self {
        Self { all }
    }

    pub(super) fn all(&self) -> &[Trouble] {
        &self.all
    }

    pub(super) fn add(&mut self, trouble: Trouble) {
        self.all.push(trouble);
    }

    pub(super) fn clear(&mut self) {
        self.all.clear();
    }

    /// What happens to a request, in the order of their coming into force.
    pub(super) fn befall(&mut self, asked: &Asked<'_>, dice: &mut fastrand::Rng) -> Vec<Mishap> {
        let mut mishaps = Vec::new();
        for trouble in self.all.iter_mut().filter(|one| one.is_about(asked)) {
            if trouble.skip > 0 {
                trouble.skip -= 1;
                continue;
            }
            if trouble.times == Some(0) || dice.f64() >= trouble.share {
                continue;
            }
            trouble.times = trouble.times.map(|times| times - 1);
            mishaps.push(Mishap {
                what: trouble.what.clone(),
                after_effect: trouble.after_effect,
            });
        }
        self.all.retain(|trouble| trouble.times != Some(0));
        mishaps
    }
}

impl Mishap {
    /// Whether it comes before the request is carried out; what is done to an answer cannot.
    pub(super) fn is_before_effect(&self) -> bool {
        let is_of_answer = !matches!(
            self.what,
            Misdeed::Status(_)
                | Misdeed::Slow(_)
                | Misdeed::Cut
                | Misdeed::Unauthorized
                | Misdeed::ExpireToken
                | Misdeed::NotListed
        );
        !self.after_effect && !is_of_answer
    }
}
