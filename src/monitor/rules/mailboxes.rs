//! Mailbox services, and what is waited for once messages lie in mailboxes: readings, events, notices.

use jiff::Timestamp;

use super::{Look, counted, first_line};
use crate::{
    domain::ServiceName,
    monitor::{Code, Trouble, Weight},
    store::{NoticeQueue, QueueNumbers},
};

/// What a service's errors say where no wait helps: it lets nobody in, or nobody can ask it to.
const NEEDS_AN_OPERATOR: [&str; 3] = [
    "does not let this house in",
    "the password file",
    "the settings of the mailbox service",
];

impl Look<'_> {
    pub(super) fn services(&self) -> impl Iterator<Item = Trouble> {
        let services = self.status.services.iter();
        services.flat_map(|it| {
            let found = [
                self.service_down(it),
                service_unknown(it),
                self.queue_long(it),
            ];
            found.into_iter().flatten()
        })
    }

    fn service_down(&self, queue: &QueueNumbers) -> Option<Trouble> {
        let state = &queue.state;
        // Nobody asks a service that the settings do not have: that is told by itself.
        let since = state.failing_since.filter(|_| queue.is_in_settings)?;
        let error = first_line(state.last_error.as_deref().unwrap_or_default());
        let waiting = match queue.waiting {
            0 => String::new(),
            number => format!(
                "{} for the mailbox service: ",
                counted(number, "message waits", "messages wait")
            ),
        };
        Some(Trouble {
            code: Code::ServiceDown,
            weight: self.weigh(since, self.settings.times.place, weight_of(&error)),
            subject: queue.service.to_string(),
            since,
            text: format!(
                "{waiting}{error} ({})",
                self.tries(state.failures, state.retry_at)
            ),
            to_do: Some(check(&queue.service)),
        })
    }

    /// What is on hold, and a service that is away, are told as that.
    fn queue_long(&self, queue: &QueueNumbers) -> Option<Trouble> {
        let end = queue.expected_end(self.now)?;
        let takes = end.duration_since(self.now);
        let is_long = takes > self.settings.times.mailbox_queue;
        (is_long && queue.state.failing_since.is_none()).then(|| Trouble {
            code: Code::MailboxQueueLong,
            weight: Weight::Alert,
            subject: queue.service.to_string(),
            since: queue.oldest_at.unwrap_or(self.now),
            text: format!(
                "{} for the mailbox service, the last until {end:.0}",
                counted(queue.waiting, "message waits", "messages wait")
            ),
            to_do: Some(format!("kuori queue list --service {}", queue.service)),
        })
    }

    /// Messages that were to go on paper by now.
    pub(super) fn timers(&self) -> impl Iterator<Item = Trouble> {
        let times = &self.settings.times;
        let awaited = &self.status.timers;
        let stuck = awaited.stuck.since.map(|since| Trouble {
            code: Code::TimersStuck,
            weight: self.weigh(since, times.held, Weight::Operator),
            subject: "house".to_owned(),
            since,
            text: format!(
                "nobody has read or confirmed {} in time, and paper is not possible",
                counted(awaited.stuck.count, "message", "messages")
            ),
            to_do: Some("kuori timer list --stuck".to_owned()),
        });
        let unseen = self.away().or_else(|| self.unwatched());
        stuck.into_iter().chain(unseen)
    }

    /// No Maildir can be looked into. What waits for that is told with it.
    fn away(&self) -> Option<Trouble> {
        let awaited = &self.status.timers;
        let (since, why) = awaited.away.as_ref()?;
        let waiting = match awaited.unwatched.count {
            0 => String::new(),
            number => format!(
                "{} to go on paper, and ",
                counted(number, "message is", "messages are")
            ),
        };
        Some(Trouble {
            code: Code::EventsLate,
            weight: self.weigh(*since, self.settings.times.place, Weight::Operator),
            subject: "house".to_owned(),
            since: *since,
            text: format!(
                "{waiting}nobody can see what was read in mailboxes: {}",
                first_line(why)
            ),
            to_do: Some("see to the disk of the mailboxes: all goes on once it is back".to_owned()),
        })
    }

    /// Messages of which nobody knows whether somebody has read them.
    fn unwatched(&self) -> Option<Trouble> {
        let awaited = &self.status.timers;
        let since = awaited.unwatched.since?;
        let missed = awaited.first_missed.as_ref();
        let why = missed.map_or(String::new(), |(_, why)| format!(": {}", first_line(why)));
        let to_do = match missed {
            None => "kuori timer list --due-before 0h".to_owned(),
            Some((message, _)) => format!(
                "let kuori list the folders of that mailbox; kuori timer stop {message} leaves it unprinted"
            ),
        };
        Some(Trouble {
            code: Code::EventsLate,
            weight: self.weigh(since, self.settings.times.mailbox_status, Weight::Passing),
            subject: "house".to_owned(),
            since,
            text: format!(
                "{} to go on paper, and nobody knows yet whether somebody has read them{why}",
                counted(awaited.unwatched.count, "message is", "messages are")
            ),
            to_do: Some(to_do),
        })
    }

    /// Services that do not say what has happened to messages.
    pub(super) fn events(&self) -> impl Iterator<Item = Trouble> {
        self.status.feeds.iter().filter_map(|feed| {
            let since = feed.failing_since?;
            let error = first_line(feed.error.as_deref().unwrap_or_default());
            Some(Trouble {
                code: Code::EventsLate,
                weight: self.weigh(since, self.settings.times.place, weight_of(&error)),
                subject: feed.service.to_string(),
                since,
                text: format!(
                    "cannot read what happened to messages: {error} ({})",
                    self.tries(feed.tries, feed.retry_at)
                ),
                to_do: Some(check(&feed.service)),
            })
        })
    }

    /// `3 tries; the next at …`: a time that is over says nothing.
    fn tries(&self, tries: u32, next: Option<Timestamp>) -> String {
        let next = next.filter(|next| *next > self.now);
        let next = next.map_or(String::new(), |next| format!("; the next at {next:.0}"));
        format!("{}{next}", counted(tries.into(), "try", "tries"))
    }

    /// The mail server, for notices by e-mail. A single address that does not work is its sender's to know.
    pub(super) fn notices(&self) -> Option<Trouble> {
        let NoticeQueue {
            waiting, server, ..
        } = &self.status.notices;
        let since = server.failing_since?;
        Some(Trouble {
            code: Code::NoticesFail,
            weight: self.weigh(since, self.settings.times.place, Weight::Passing),
            subject: "house".to_owned(),
            since,
            text: format!(
                "{} by e-mail: {}{}",
                counted(waiting.count, "notice waits", "notices wait"),
                first_line(server.error.as_deref().unwrap_or_default()),
                server.retry_at.map_or(String::new(), |next| format!(
                    " (the next try at {next:.0})"
                ))
            ),
            to_do: Some("kuori notices check --config FILE".to_owned()),
        })
    }
}

fn check(service: &ServiceName) -> String {
    format!("kuori suomifi check {service} --config FILE")
}

fn weight_of(error: &str) -> Weight {
    if NEEDS_AN_OPERATOR.iter().any(|words| error.contains(words)) {
        Weight::Operator
    } else {
        Weight::Passing
    }
}

/// Nobody sends what waits for it.
fn service_unknown(queue: &QueueNumbers) -> Option<Trouble> {
    let since = queue.oldest_at?;
    (!queue.is_in_settings).then(|| Trouble {
        code: Code::ServiceUnknown,
        weight: Weight::Alert,
        subject: queue.service.to_string(),
        since,
        text: format!(
            "{} for a mailbox service that the settings do not have",
            counted(queue.waiting, "message waits", "messages wait")
        ),
        to_do: Some(format!(
            "put [suomifi.{0}] back into the settings, or kuori queue move {0} NEW --reason …",
            queue.service
        )),
    })
}
