use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;

/// The tokens that are good, and until when.
#[derive(Default)]
pub(super) struct Tokens {
    good: HashMap<String, Timestamp>,
}

/// Above it, all others are forgotten: nobody needs so many.
const MOST: usize = 10_000;

impl Tokens {
    pub(super) fn issue(&mut self, dice: &mut fastrand::Rng, now: Timestamp, secs: u64) -> String {
        self.good.retain(|_, until| *until > now);
        if self.good.len() >= MOST {
            self.good.clear();
        }
        let (a, b) = (dice.u128(..), dice.u128(..));
        let token = format!("{a:032x}.{b:032x}");
        let life = Duration::from_secs(secs);
        let until = now.checked_add(life).unwrap_or(Timestamp::MAX);
        self.good.insert(token.clone(), until);
        token
    }

    /// Of the header `Authorization`: `Bearer TOKEN`, or the token alone.
    pub(super) fn lets_in(&self, authorization: &str, now: Timestamp) -> bool {
        self.is_good(of_header(authorization), now)
    }

    pub(super) fn is_good(&self, token: &str, now: Timestamp) -> bool {
        self.good.get(token).is_some_and(|until| *until > now)
    }

    pub(super) fn forget(&mut self, authorization: &str) {
        self.good.remove(of_header(authorization));
    }

    pub(super) fn forget_all(&mut self) {
        self.good.clear();
    }
}

fn of_header(authorization: &str) -> &str {
    let (scheme, token) = authorization.split_once(' ').unwrap_or(("", authorization));
    if scheme.is_empty() || scheme.eq_ignore_ascii_case("bearer") {
        token.trim()
    } else {
        ""
    }
}
