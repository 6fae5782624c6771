//! Tells recipients by e-mail that a message lies in their mailbox, beside the steps.
//!
//! A notice is made due with its delivery. Here it is taken in hand (a row says so first), sent, and what
//! came of it is recorded at once. Where the program ends between the mail server's answer and that row,
//! the same mail goes once more with the same `Message-ID`.

mod bounces;

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{sync::watch, task::JoinSet};

use self::bounces::BounceReader;
use super::{Clock, deliver};
use crate::{
    domain::{Disposition, SenderId},
    notices::{Bounces, Error, Kind, Mail, Mailer, Notice, Pace, Session},
    store::{self, DueNotice, NoticeId, NoticeOutcome, Store},
    telemetry::{self, OnceAMinute, meters},
};

/// Between two looks for what is due.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Seconds of work that are taken in hand at once.
const TURN_SECS: f64 = 5.0;
/// The most notices in hand.
const MAX_IN_HAND: u32 = 500;
/// How long a mail server has at a stop to answer the mails in hand; what it has not goes again.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// Sends notices; there is one for a house.
pub struct Notifier {
    store: Arc<Store>,
    mailer: Mailer,
    bounces: Option<BounceReader>,
    /// As recipients know the senders.
    names: BTreeMap<SenderId, String>,
    pace: Pace,
    clock: Clock,
}

/// What the tasks of a turn share.
struct Turn {
    notifier: Arc<Notifier>,
    left: Mutex<VecDeque<DueNotice>>,
    /// The mail server takes nothing: nobody begins anything.
    trouble: Mutex<Option<Error>>,
    stop: watch::Receiver<bool>,
}

impl Notifier {
    pub fn new(
        store: Arc<Store>,
        mailer: Mailer,
        names: BTreeMap<SenderId, String>,
        clock: Clock,
    ) -> Self {
        let settings = mailer.settings();
        let folder = settings.bounces_folder.clone();
        let bounces = folder.map(|folder| {
            let bounces = Bounces::new(folder, &settings.from);
            BounceReader::new(Arc::clone(&store), bounces, clock.clone())
        });
        Self {
            pace: Pace::new(settings.pacing.rate_per_sec),
            store,
            mailer,
            bounces,
            names,
            clock,
        }
    }

    /// Sends what is due until `stop` turns true.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let telling = OnceAMinute::default();
        let mut has_begun = false;
        while !*stop.borrow() {
            let worked = if has_begun {
                self.work(&stop).await
            } else {
                self.begin().map(|()| true)
            };
            has_begun |= worked.is_ok();
            if let Err(error) = &worked
                && telling.is_due()
            {
                let error = telemetry::with_causes(error);
                tracing::warn!(error, "cannot see which notices are due");
            }
            if matches!(worked, Ok(true)) {
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
    }

    /// Sends what is due now, once, and comes back.
    pub async fn run_until_idle(
        self: &Arc<Self>,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), store::Error> {
        self.begin()?;
        while !*stop.borrow() && self.work(stop).await? {}
        Ok(())
    }

    /// What was in hand when the program ended is due again.
    fn begin(&self) -> Result<(), store::Error> {
        let again = self.store.resume_notices(self.clock.now())?;
        if again > 0 {
            tracing::info!(
                again,
                "notices were in hand at the last end: they may go twice"
            );
        }
        Ok(())
    }

    /// Whether there was anything to do.
    async fn work(self: &Arc<Self>, stop: &watch::Receiver<bool>) -> Result<bool, store::Error> {
        let came_back = match &self.bounces {
            Some(bounces) => bounces.read()?,
            None => false,
        };
        let now = self.clock.now();
        let server = self.store.notice_server()?;
        if server.retry_at.is_some_and(|retry| retry > now) {
            return Ok(came_back);
        }
        let reminds = self.mailer.settings().remind_after.is_some();
        let due = self.store.begin_notices(self.in_hand(), reminds, now)?;
        if due.is_empty() {
            return Ok(came_back);
        }
        self.send_all(due, stop).await?;
        Ok(true)
    }

    /// A few seconds' worth: whoever is read meanwhile need not be told.
    fn in_hand(&self) -> u32 {
        let number = (self.mailer.settings().pacing.rate_per_sec * TURN_SECS).ceil();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is clamped"
        )]
        let number = number.clamp(1.0, f64::from(MAX_IN_HAND)) as u32;
        number
    }

    async fn send_all(
        self: &Arc<Self>,
        due: Vec<DueNotice>,
        stop: &watch::Receiver<bool>,
    ) -> Result<(), store::Error> {
        let ids: Vec<_> = due.iter().map(|notice| notice.id).collect();
        let connections = self
            .mailer
            .settings()
            .pacing
            .connections
            .clamp(1, ids.len().max(1));
        let turn = Arc::new(Turn {
            notifier: Arc::clone(self),
            left: Mutex::new(due.into()),
            trouble: Mutex::new(None),
            stop: stop.clone(),
        });
        let mut tasks = JoinSet::new();
        for _ in 0..connections {
            let turn = Arc::clone(&turn);
            tasks.spawn(async move { turn.send_some().await });
        }
        let mut stopped = stop.clone();
        let mut failed = Ok(());
        let too_long = async {
            let _ = stopped.wait_for(|stop| *stop).await;
            tokio::time::sleep(STOP_WITHIN).await;
        };
        tokio::select! {
            () = too_long => tracing::warn!("mails are left in the middle: they may go twice"),
            () = async {
                while let Some(ended) = tasks.join_next().await {
                    // A task that panicked left its row in hand: the next start has it.
                    failed = ended.unwrap_or(Ok(())).and(std::mem::replace(&mut failed, Ok(())));
                }
            } => {}
        }
        failed?;
        self.put_back(&turn)?;
        self.note_trouble(&turn)
    }

    fn put_back(&self, turn: &Turn) -> Result<(), store::Error> {
        let left = std::mem::take(&mut *locked(&turn.left));
        for notice in left {
            let now = self.clock.now();
            self.store
                .record_notice(notice.id, &NoticeOutcome::PutBack, now)?;
        }
        Ok(())
    }

    /// The mail server is left alone for a while.
    fn note_trouble(&self, turn: &Turn) -> Result<(), store::Error> {
        let Some(error) = locked(&turn.trouble).take() else {
            return Ok(());
        };
        let attempts = self.store.notice_server()?.attempts;
        let told = telemetry::with_causes(&error);
        if attempts == 0 {
            tracing::warn!(error = told, "notices do not go: they are tried again");
        }
        let now = self.clock.now();
        let retry = self.later(attempts + 1, now);
        self.store.note_notice_trouble(&told, Some(retry), now)
    }

    /// Half of the wait is certain, so that a mail server that puts mails off sees some patience.
    fn later(&self, tries: u32, now: Timestamp) -> Timestamp {
        let waits = self.mailer.settings().pacing.waits;
        let wait = waits.wait(tries, 0.5 + fastrand::f64() / 2.0);
        now.checked_add(wait).unwrap_or(now)
    }

    fn mail(&self, due: &DueNotice) -> io::Result<Mail> {
        let delivery = deliver::id_of(due.id.message, &due.sha256, due.id.repeat);
        let notice = Notice {
            delivery: delivery.to_string(),
            kind: kind(due),
            to: due.to.address.clone(),
            language: due.to.language,
            sender_name: self.name_of(&due.sender),
            date: due.since,
        };
        Mail::of(&notice, self.mailer.settings())
    }

    /// A sender that has left the settings is told by its name there.
    fn name_of(&self, sender: &SenderId) -> String {
        let known = self.names.get(sender).cloned();
        known.unwrap_or_else(|| sender.to_string())
    }

    /// What a try came to, by the error that it ended with.
    fn outcome(&self, due: &DueNotice, sent: &Result<(), Error>) -> NoticeOutcome {
        let now = self.clock.now();
        let settings = self.mailer.settings();
        let error = match sent {
            Ok(()) => {
                let remind_at = settings
                    .remind_after
                    .and_then(|it| now.checked_add(it).ok());
                return NoticeOutcome::Sent { remind_at };
            }
            Err(error) => error,
        };
        let what = match kind(due) {
            Kind::First => "",
            Kind::Reminder => "the reminder: ",
        };
        let why = format!("{what}{}", first_line(error));
        let since = due.put_off_since.unwrap_or(now);
        let is_too_long = now.duration_since(since) >= settings.pacing.give_up_after;
        match error.disposition() {
            Disposition::Reject => NoticeOutcome::Failed { why },
            _ if is_too_long => NoticeOutcome::Failed { why },
            Disposition::Retry | Disposition::Hold => NoticeOutcome::Later {
                why,
                at: self.later(due.tries, now),
            },
        }
    }
}

impl Turn {
    /// Sends one after the other over a connection of its own, until nothing is left.
    async fn send_some(&self) -> Result<(), store::Error> {
        let mut session = None;
        while let Some(due) = self.next() {
            self.notifier.pace.turn().await;
            if self.is_over() {
                locked(&self.left).push_front(due);
                break;
            }
            session = match self.usable(session).await {
                Ok(open) => Some(open),
                Err(error) => {
                    locked(&self.left).push_front(due);
                    self.give_up(error);
                    return Ok(());
                }
            };
            if let Some(open) = session.take() {
                session = self.send(open, due).await?;
            }
        }
        if let Some(session) = session {
            session.close().await;
        }
        Ok(())
    }

    fn next(&self) -> Option<DueNotice> {
        if self.is_over() {
            return None;
        }
        locked(&self.left).pop_front()
    }

    fn is_over(&self) -> bool {
        *self.stop.borrow() || locked(&self.trouble).is_some()
    }

    fn give_up(&self, error: Error) {
        locked(&self.trouble).get_or_insert(error);
    }

    async fn usable(&self, session: Option<Session>) -> Result<Session, Error> {
        match session {
            Some(session) if session.is_usable() => return Ok(session),
            Some(session) => session.close().await,
            None => {}
        }
        self.notifier.mailer.open().await
    }

    /// Gives the connection back where it may be used again.
    async fn send(
        &self,
        mut session: Session,
        due: DueNotice,
    ) -> Result<Option<Session>, store::Error> {
        let notifier = &self.notifier;
        let Ok(mail) = notifier.mail(&due) else {
            // It is written into memory: that does not fail.
            return Ok(Some(session));
        };
        let was_used = session.was_used();
        let sent = session.send(&mail).await;
        if was_used && sent.as_ref().is_err_and(Error::is_of_the_connection) {
            // The mail server had enough of the connection: another one is made.
            locked(&self.left).push_front(due);
            return Ok(None);
        }
        // What fails before the recipient is named, another notice would not fare better with.
        let outcome = match &sent {
            Err(error) if !error.is_of_one_mail() => NoticeOutcome::PutBack,
            sent => notifier.outcome(&due, sent),
        };
        let now = notifier.clock.now();
        notifier.store.record_notice(due.id, &outcome, now)?;
        meters::NOTICES.one(&[word(&outcome)]);
        if let Err(error) = sent {
            self.tell(due.id, error)?;
        }
        Ok(Some(session))
    }

    /// What concerns others too is remembered.
    fn tell(&self, id: NoticeId, error: Error) -> Result<(), store::Error> {
        let (message, told) = (id.message, first_line(&error));
        tracing::debug!(%message, error = told, "a notice did not go");
        if error.is_of_the_server() {
            self.give_up(error);
        } else if error.disposition() == Disposition::Hold {
            let now = self.notifier.clock.now();
            self.notifier.store.note_notice_trouble(&told, None, now)?;
        }
        Ok(())
    }
}

fn kind(due: &DueNotice) -> Kind {
    if due.is_reminder {
        Kind::Reminder
    } else {
        Kind::First
    }
}

fn word(outcome: &NoticeOutcome) -> &'static str {
    match outcome {
        NoticeOutcome::Sent { .. } => "sent",
        NoticeOutcome::Failed { .. } => "failed",
        NoticeOutcome::Later { .. } | NoticeOutcome::PutBack => "put-off",
    }
}

/// Without the hint.
fn first_line(error: &Error) -> String {
    let told = telemetry::with_causes(error);
    told.lines().next().unwrap_or_default().to_owned()
}

/// A panic between two lines leaves what can be used.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
