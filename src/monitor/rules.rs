//! What of all that is under way is trouble: a rule each.

mod consents;
mod mailboxes;

use jiff::{SignedDuration, Timestamp};

use super::{AlertSettings, Code, Trouble, Weight};
use crate::{
    domain::without_identity_codes,
    store::{BatchNote, FileWait, HeldBy, HouseStatus, Place, PlaceQueue, PlaceTrouble},
};

/// All that does not go on, or not as it should, the worst first.
///
/// One trouble names a sender, a place or an inbox with all that waits there, so that a night without
/// a print house is one alert and not a thousand.
pub fn troubles(status: &HouseStatus, settings: &AlertSettings, now: Timestamp) -> Vec<Trouble> {
    let look = Look {
        status,
        settings,
        now,
    };
    let mut found: Vec<_> = look.disk().into_iter().chain(look.crashes()).collect();
    found.extend(look.places());
    found.extend(look.hand_overs());
    found.extend(look.services());
    found.extend(look.held_batches());
    found.extend(look.batches());
    found.extend(look.messages());
    found.extend(look.inboxes());
    found.extend(look.consent_feeds());
    found.extend(look.delivery_reports());
    found.extend(look.timers());
    found.extend(look.events());
    found.extend(look.notices());
    found.extend(look.failing_steps());
    found.extend(look.senders_on_hold());
    found.sort_by_key(|it| (it.weight, it.code, it.since));
    found
}

struct Look<'a> {
    status: &'a HouseStatus,
    settings: &'a AlertSettings,
    now: Timestamp,
}

impl Look<'_> {
    fn disk(&self) -> Option<Trouble> {
        let (free, floor) = (self.status.free_bytes, self.settings.min_free_bytes);
        (free < floor).then(|| Trouble {
            code: Code::DiskLow,
            weight: Weight::Alert,
            subject: "house".to_owned(),
            since: self.now,
            text: format!(
                "the disk of the data folder has {free} bytes left, under {floor}: nothing is taken"
            ),
            to_do: Some("make room, or put the data folder on a larger disk".to_owned()),
        })
    }

    fn crashes(&self) -> Option<Trouble> {
        let crashes = self.status.crashes_in_a_row;
        let start = self.status.start.as_ref()?;
        (crashes > 0).then(|| Trouble {
            code: Code::Crashes,
            weight: if crashes >= self.settings.times.crashes {
                Weight::Alert
            } else {
                Weight::Passing
            },
            subject: "house".to_owned(),
            since: start.started_at,
            text: format!(
                "{} before this one did not end by {}",
                counted(crashes, "start", "starts"),
                if crashes == 1 { "itself" } else { "themselves" }
            ),
            to_do: Some("look into the log for what ended them".to_owned()),
        })
    }

    fn places(&self) -> impl Iterator<Item = Trouble> {
        let troubled = self.status.troubled_places.iter();
        troubled.map(
            |PlaceTrouble {
                 place,
                 since,
                 next_try,
                 error,
                 attempts,
             }| Trouble {
                code: Code::PlaceDown,
                weight: match next_try {
                    None => Weight::Alert,
                    Some(_) => self.weigh(*since, self.settings.times.place, Weight::Passing),
                },
                subject: place.to_string(),
                since: *since,
                text: match next_try {
                    None => format!("waits for an operator: {}", first_line(error)),
                    Some(next) => format!(
                        "is away: {} ({}; the next at {next:.0})",
                        first_line(error),
                        counted((*attempts).into(), "try", "tries")
                    ),
                },
                to_do: Some(format!("kuori outbox retry {place}")),
            },
        )
    }

    fn hand_overs(&self) -> impl Iterator<Item = Trouble> {
        self.status.places.iter().flat_map(|queue| {
            let found = [
                held(queue),
                held_back(queue),
                self.due(queue),
                overdue(queue),
            ];
            found.into_iter().flatten()
        })
    }

    /// What is late at a place that is known to be away is told as that.
    fn due(&self, queue: &PlaceQueue) -> Option<Trouble> {
        let since = queue.due.since?;
        let (code, limit) = if is_sender(&queue.place) {
            (Code::ReceiptLate, self.settings.times.receipt)
        } else {
            (Code::BundleLate, self.settings.times.bundle)
        };
        let error = queue
            .oldest
            .as_ref()
            .and_then(|oldest| oldest.error.as_deref());
        let is_late = self.is_over(since, limit);
        (is_late || error.is_some()).then(|| Trouble {
            code,
            weight: self.weigh(since, limit, Weight::Passing),
            subject: queue.place.to_string(),
            since,
            text: format!(
                "{} to be handed over{}",
                counted(queue.due.count, "thing waits", "things wait"),
                error.map_or(String::new(), |error| format!(": {}", first_line(error)))
            ),
            to_do: Some(format!("kuori outbox list --place {}", queue.place)),
        })
    }

    /// By sender, and those that wait on purpose by themselves; of more than are listed there is the
    /// number.
    fn held_batches(&self) -> Vec<Trouble> {
        let mut found: Vec<(Trouble, u64)> = Vec::new();
        for note in &self.status.held {
            let more = self.held_batch(note);
            let same = |(trouble, _): &&mut (Trouble, u64)| {
                trouble.subject == more.subject
                    && (trouble.weight == Weight::Passing) == (more.weight == Weight::Passing)
            };
            match found.iter_mut().find(same) {
                Some((_, count)) => *count += 1,
                None => found.push((more, 1)),
            }
        }
        let listed = self.status.held.len() as u64;
        let more = self.status.held_in_all.saturating_sub(listed);
        let told = found.into_iter().map(|(mut trouble, count)| {
            if count > 1 {
                trouble.text = format!("{count} batches are held, the oldest {}", trouble.text);
                trouble.to_do = Some(format!(
                    "kuori batch list --state held --sender {}",
                    trouble.subject
                ));
            }
            trouble
        });
        let mut told: Vec<_> = told.collect();
        if let Some(last) = told.last_mut().filter(|_| more > 0) {
            last.text = format!("{}; {more} more are held in all", last.text);
        }
        told
    }

    fn held_batch(&self, note: &BatchNote) -> Trouble {
        let batch = note.batch;
        Trouble {
            code: Code::BatchHeld,
            weight: match note.held_by {
                HeldBy::Failure | HeldBy::Gate => {
                    self.weigh(note.since, self.settings.times.held, Weight::Operator)
                }
                HeldBy::Sender | HeldBy::Operator => Weight::Passing,
            },
            subject: note.sender.to_string(),
            since: note.since,
            text: format!("{batch} is held: {}", first_line(&note.why)),
            to_do: Some(match note.held_by {
                HeldBy::Gate => format!(
                    "kuori batch approve {batch} --reason …, or kuori batch cancel {batch} --reason …"
                ),
                HeldBy::Failure => {
                    format!("kuori batch show {batch}, then kuori reprocess {batch} --reason …")
                }
                HeldBy::Sender => format!("kuori sender release {} --reason …", note.sender),
                HeldBy::Operator => format!("kuori batch release {batch} --reason …"),
            }),
        }
    }

    fn batches(&self) -> impl Iterator<Item = Trouble> {
        let unfinished = self.status.unfinished.iter();
        unfinished.filter_map(|it| {
            let since = it.batches.since?;
            self.is_over(since, self.settings.times.batch)
                .then(|| Trouble {
                    code: Code::BatchLate,
                    weight: Weight::Alert,
                    subject: it.sender.to_string(),
                    since,
                    text: format!(
                        "{} not through, the oldest {} is {}",
                        counted(it.batches.count, "batch is", "batches are"),
                        it.first,
                        it.state.as_str()
                    ),
                    to_do: Some(format!("kuori batch show {}", it.first)),
                })
        })
    }

    fn messages(&self) -> impl Iterator<Item = Trouble> {
        let times = &self.settings.times;
        let held = self.status.held_messages.iter().filter_map(move |it| {
            let since = it.messages.since?;
            Some(Trouble {
                code: Code::MessagesHeld,
                weight: if it.is_on_purpose {
                    Weight::Passing
                } else {
                    self.weigh(since, times.held, Weight::Operator)
                },
                subject: it.sender.to_string(),
                since,
                text: format!(
                    "{} held{} in {}, the first {}",
                    counted(it.messages.count, "message is", "messages are"),
                    if it.is_on_purpose {
                        " by operators"
                    } else {
                        ""
                    },
                    counted(it.batches, "batch", "batches"),
                    it.first
                ),
                to_do: Some(format!("kuori message list {} --state held", it.first)),
            })
        });
        let waiting = self.status.waiting_messages.iter().filter_map(move |it| {
            let since = it.messages.since?;
            Some(Trouble {
                code: Code::MailboxStatusUnknown,
                weight: self.weigh(since, times.mailbox_status, Weight::Passing),
                subject: it.sender.to_string(),
                since,
                text: format!(
                    "{} for a mailbox status in {}, the first {}",
                    counted(it.messages.count, "message waits", "messages wait"),
                    counted(it.batches, "batch", "batches"),
                    it.first
                ),
                to_do: Some(format!("kuori message list {} --state waiting", it.first)),
            })
        });
        held.chain(waiting)
    }

    fn inboxes(&self) -> impl Iterator<Item = Trouble> {
        let times = &self.settings.times;
        let away = self.status.inboxes.iter().filter_map(move |look| {
            let error = look.error.as_deref()?;
            Some(Trouble {
                code: Code::InboxDown,
                weight: self.weigh(look.since, times.place, Weight::Passing),
                subject: look.place.clone(),
                since: look.since,
                text: format!("cannot be looked into: {}", first_line(error)),
                to_do: Some("kuori inbox list".to_owned()),
            })
        });
        let files = self.status.inbox_files.iter().filter_map(move |it| {
            let since = it.files.since?;
            let is_told = self.is_over(since, times.inbox_file) || it.wait == FileWait::Failed;
            is_told.then(|| Trouble {
                code: Code::InboxFileWaits,
                weight: self.weigh(since, times.inbox_file, Weight::Passing),
                subject: it.inbox.clone(),
                since,
                text: format!(
                    "{} not taken: {}",
                    counted(it.files.count, "file is", "files are"),
                    it.wait.as_str()
                ),
                to_do: Some("kuori inbox list".to_owned()),
            })
        });
        away.chain(one_a_subject(files))
    }

    fn delivery_reports(&self) -> impl Iterator<Item = Trouble> {
        let limit = self.settings.times.delivery_report;
        self.status.untold.iter().filter_map(move |it| {
            let since = it.untold.since?;
            let is_told = it.failing > 0 || self.is_over(since, limit);
            is_told.then(|| Trouble {
                code: Code::DeliveryReportLate,
                weight: self.weigh(since, limit, Weight::Passing),
                subject: it.sender.to_string(),
                since,
                text: format!(
                    "of {} the sender was not told what was delivered{}",
                    counted(it.untold.count, "batch", "batches"),
                    it.error.as_deref().map_or(String::new(), |error| {
                        format!(": {}", first_line(error))
                    })
                ),
                to_do: Some(format!("kuori batch show {}", it.first)),
            })
        })
    }

    fn failing_steps(&self) -> impl Iterator<Item = Trouble> {
        self.status.failing.iter().map(|note| Trouble {
            code: Code::StepFails,
            weight: Weight::Passing,
            subject: note.batch.to_string(),
            since: note.received_at,
            text: format!(
                "the step `{}` has failed ({}{}): {}",
                note.state.next_step().as_str(),
                counted(note.attempts.into(), "try", "tries"),
                note.next_try
                    .map_or(String::new(), |next| format!("; the next at {next:.0}")),
                first_line(&note.why)
            ),
            to_do: Some(format!("kuori batch show {}", note.batch)),
        })
    }

    fn senders_on_hold(&self) -> impl Iterator<Item = Trouble> {
        self.status.senders_on_hold.iter().map(|it| Trouble {
            code: Code::SenderOnHold,
            weight: Weight::Passing,
            subject: it.sender.to_string(),
            since: it.since,
            text: format!("the sender is on hold: {}", first_line(&it.why)),
            to_do: Some(format!("kuori sender release {} --reason …", it.sender)),
        })
    }

    fn weigh(&self, since: Timestamp, limit: SignedDuration, before: Weight) -> Weight {
        if self.is_over(since, limit) {
            Weight::Alert
        } else {
            before
        }
    }

    fn is_over(&self, since: Timestamp, limit: SignedDuration) -> bool {
        self.now.duration_since(since) >= limit
    }
}

fn held(queue: &PlaceQueue) -> Option<Trouble> {
    let since = queue.held.since?;
    let why = queue.oldest.as_ref()?;
    let error = first_line(why.error.as_deref().unwrap_or_default());
    Some(Trouble {
        code: if is_sender(&queue.place) {
            Code::ReceiptHeld
        } else {
            Code::BundleHeld
        },
        weight: Weight::Alert,
        subject: queue.place.to_string(),
        since,
        text: format!(
            "{} held, the oldest {}: {error}",
            counted(queue.held.count, "hand-over is", "hand-overs are"),
            why.what
        ),
        to_do: Some(format!("kuori outbox retry {}", queue.place)),
    })
}

/// They go on with the release of their batch or sender.
fn held_back(queue: &PlaceQueue) -> Option<Trouble> {
    let since = queue.held_back.since?;
    Some(Trouble {
        code: Code::BundleHeld,
        weight: Weight::Passing,
        subject: queue.place.to_string(),
        since,
        text: format!(
            "{} because batch or sender is on hold",
            counted(queue.held_back.count, "bundle waits", "bundles wait")
        ),
        to_do: Some(format!("kuori outbox list --place {}", queue.place)),
    })
}

fn overdue(queue: &PlaceQueue) -> Option<Trouble> {
    Some(Trouble {
        code: Code::NotPickedUp,
        weight: Weight::Alert,
        subject: queue.place.to_string(),
        since: queue.overdue.since?,
        text: format!(
            "{} not been picked up",
            counted(queue.overdue.count, "thing has", "things have")
        ),
        to_do: Some(format!(
            "kuori outbox list --overdue --place {}",
            queue.place
        )),
    })
}

/// The oldest for each inbox: files there wait for more than one thing.
fn one_a_subject(found: impl Iterator<Item = Trouble>) -> impl Iterator<Item = Trouble> {
    let mut kept: Vec<Trouble> = Vec::new();
    for trouble in found {
        match kept.iter_mut().find(|it| it.subject == trouble.subject) {
            Some(known) => {
                if let Some((_, more)) = trouble.text.split_once(": ") {
                    known.text = format!("{}, {more}", known.text);
                }
                known.since = known.since.min(trouble.since);
                known.weight = known.weight.min(trouble.weight);
            }
            None => kept.push(trouble),
        }
    }
    kept.into_iter()
}

fn is_sender(place: &Place) -> bool {
    matches!(place, Place::Sender(_))
}

/// Characters of an error that are told; the rest is where it happened.
const TOLD: usize = 300;

/// Errors may have a hint below their first line.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    without_identity_codes(line).chars().take(TOLD).collect()
}

fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
