use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

/// What is counted as it happens.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) requests: BTreeMap<String, u64>,
    pub(super) answers: BTreeMap<u16, u64>,
    pub(super) mishaps: u64,
    pub(super) repeats: u64,
    pub(super) recipients_asked: u64,
    pub(super) uploads: u64,
    pub(super) upload_bytes: u64,
    /// Since the start, of each message when it was accepted.
    pub(super) sent_at: Vec<Duration>,
    pub(super) connections: Gauge,
    pub(super) in_hand: Gauge,
}

/// How many there were, are, and were at most at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Gauge {
    pub in_all: u64,
    pub now: u64,
    pub most: u64,
}

impl Gauge {
    pub(super) fn begin(&mut self) {
        self.in_all += 1;
        self.now += 1;
        self.most = self.most.max(self.now);
    }

    pub(super) fn end(&mut self) {
        self.now = self.now.saturating_sub(1);
    }
}

/// What `GET /_stub/counts` says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Counts {
    /// By path, `/_stub/` left out; paths that the API does not have are one.
    pub requests: BTreeMap<String, u64>,
    /// By status; those that were cut have none.
    pub answers: BTreeMap<u16, u64>,
    /// Requests that something was done to on purpose.
    pub mishaps: u64,
    /// Messages that were accepted, each once.
    pub sent: u64,
    /// Messages that were sent again (409).
    pub repeats: u64,
    pub recipients_asked: u64,
    pub uploads: u64,
    pub upload_bytes: u64,
    pub connections: Gauge,
    /// Requests that are worked on.
    pub requests_in_hand: Gauge,
    pub rate: Rate,
}

/// How fast messages were accepted, by a clock that nobody sets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rate {
    /// From the first to the last, in seconds.
    pub secs: f64,
    /// Between the first and the last.
    pub mean_per_sec: f64,
    /// In any second, wherever it begins.
    pub most_in_one_sec: usize,
    /// In each second from the first on; of the first hour.
    pub by_sec: Vec<u64>,
}

/// More would be a long answer.
const MOST_SECS: usize = 3_600;

impl Tally {
    pub(super) fn counts(&self) -> Counts {
        Counts {
            requests: self.requests.clone(),
            answers: self.answers.clone(),
            mishaps: self.mishaps,
            sent: self.sent_at.len() as u64,
            repeats: self.repeats,
            recipients_asked: self.recipients_asked,
            uploads: self.uploads,
            upload_bytes: self.upload_bytes,
            connections: self.connections,
            requests_in_hand: self.in_hand,
            rate: rate(&self.sent_at),
        }
    }
}

fn rate(sent_at: &[Duration]) -> Rate {
    let first = sent_at.first().copied().unwrap_or_default();
    let last = sent_at.last().copied().unwrap_or_default();
    let secs = last.saturating_sub(first).as_secs_f64();
    let between = u32::try_from(sent_at.len().saturating_sub(1)).unwrap_or(u32::MAX);
    Rate {
        secs,
        mean_per_sec: if secs > 0.0 {
            f64::from(between) / secs
        } else {
            0.0
        },
        most_in_one_sec: most_in_one_sec(sent_at),
        by_sec: by_sec(sent_at, first),
    }
}

fn most_in_one_sec(sent_at: &[Duration]) -> usize {
    let mut window = sent_at.iter().peekable();
    let (mut inside, mut most) = (0_usize, 0);
    for at in sent_at {
        inside += 1;
        while window
            .next_if(|first| at.saturating_sub(**first) >= Duration::from_secs(1))
            .is_some()
        {
            inside -= 1;
        }
        most = most.max(inside);
    }
    most
}

fn by_sec(sent_at: &[Duration], first: Duration) -> Vec<u64> {
    let mut seconds = Vec::new();
    for at in sent_at {
        let second = usize::try_from(at.saturating_sub(first).as_secs()).unwrap_or(MOST_SECS);
        if second >= MOST_SECS {
            break;
        }
        if seconds.len() <= second {
            seconds.resize(second + 1, 0);
        }
        if let Some(count) = seconds.get_mut(second) {
            *count += 1;
        }
    }
    seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_second_is_found_wherever_it_begins() {
        let sent_at = [0, 900, 1_100, 1_899, 1_900, 5_000].map(Duration::from_millis);
        let rate = rate(&sent_at);
        // From 900 to 1,899; the one at 1,900 is a whole second later.
        assert_eq!(rate.most_in_one_sec, 3);
        assert_eq!(rate.by_sec, [2, 3, 0, 0, 0, 1]);
        assert!((rate.mean_per_sec - 1.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_sent_has_no_rate() {
        let none = rate(&[]);
        assert_eq!((none.most_in_one_sec, none.by_sec.len()), (0, 0));
        let one = rate(&[Duration::from_secs(3)]);
        assert_eq!((one.most_in_one_sec, one.by_sec), (1, vec![1]));
    }
}
