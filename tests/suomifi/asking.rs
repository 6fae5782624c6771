//! Who is asked for a mailbox, and letters that Suomi.fi prints: the stand-in, behind a real socket.

use std::{collections::BTreeSet, fs, ops::Deref};

use jiff::{SignedDuration, Timestamp};
use kuori::{
    domain::{
        BatchId, BatchState, MailboxStatus, MessageEvent, MessageState, Reason, RecipientId,
        StatedRecipient,
    },
    sample::{self, SampleRecipient},
    store::{ConsentChange, ConsentStatus, Counts, FiredTimer, MessageRow, TimerEnd, Verification},
    suomifi_stub::{self, Mailboxes, Misdeed, Route, Trouble},
};

use super::town::{FOLDER, Town, private};

const QUESTION: &str = "/v1/mailboxes/active";
const UPLOAD: &str = "/v2/attachments";
const SEND: &str = "/v2/messages/electronic";
const LETTERS: u32 = 40;

/// What fails waits as it does by default; the clock of a run stands still.
const UNHURRIED: &str = "rate_per_sec = 100000.0";

const SERVICE: &str = "[print_houses.example-print.suomifi]\n\
    service = \"letters\"\n\
    user = \"EXAMPL\"\n\
    password_file = \"FOLDER/print-password\"\n\
    contact_email = \"letters@example.com\"";

/// A town in which every second person has a mailbox, and the first batch of one of its senders.
struct Office {
    town: Town,
}

impl Deref for Office {
    type Target = Town;

    fn deref(&self) -> &Town {
        &self.town
    }
}

impl Office {
    async fn new(print_house: &str) -> Self {
        let stub = suomifi_stub::Settings {
            mailboxes: Mailboxes::Even,
            ..suomifi_stub::Settings::default()
        };
        let town = Town::printing(print_house, UNHURRIED, stub).await;
        fs::write(town.path("print-password"), "abcd\n").unwrap();
        private(&town.path("print-password"));
        Self { town }
    }

    fn upload(&self, spec: &sample::Spec) {
        self.put("example-city", "letters.zip", spec);
    }

    /// Until nothing is left to do; the clock stands still meanwhile.
    async fn run(&self) {
        self.run_after(SignedDuration::ZERO).await;
    }

    fn of_batch(&self) -> Counts {
        self.counts(1)
    }

    fn messages(&self) -> Vec<MessageRow> {
        self.store().messages(BatchId(1), &[], 0, LETTERS).unwrap()
    }

    fn questions(&self) -> u64 {
        let requests = self.stub.counts().requests;
        requests.get(QUESTION).copied().unwrap_or(0)
    }

    /// From now on they are to get nothing by a mailbox.
    fn withdraw(&self, recipient: &SampleRecipient, since: Timestamp) {
        let withdrawn = ConsentChange {
            recipient: RecipientId::Person(recipient.id.clone().unwrap()),
            status: ConsentStatus::Withdrawn,
            since,
        };
        let recorded = self
            .store()
            .record_consents(&[withdrawn], "test", Timestamp::now());
        recorded.unwrap();
    }

    /// Each message of the batch has one end, and the service has none twice.
    fn assert_each_went_once(&self) {
        let counts = self.of_batch();
        let went = counts.delivered + counts.printed;
        assert_eq!(
            (went, counts.received),
            (u64::from(LETTERS), u64::from(LETTERS))
        );
        let taken = self.taken();
        let ids: BTreeSet<_> = taken.iter().collect();
        assert_eq!(ids.len(), taken.len());
        let later = Timestamp::now() + SignedDuration::from_hours(48);
        self.assert_sound(&Verification::at_rest(later));
    }
}

fn spec(digital_share: f64) -> sample::Spec {
    sample::Spec {
        letters: LETTERS,
        digital_share,
        pages: 1..=1,
        ..sample::Spec::default()
    }
}

/// As the stand-in sees it.
fn has_mailbox(recipient: &SampleRecipient) -> bool {
    let number = |id: &str| id.get(7..10).and_then(|digits| digits.parse::<u32>().ok());
    let id = recipient.id.as_ref().map(|id| id.expose().to_owned());
    id.and_then(|id| number(&id))
        .is_some_and(|number| number.is_multiple_of(2))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_asked_once_and_not_about_who_has_withdrawn_here() {
    let office = Office::new(FOLDER).await;
    let spec = spec(1.0);
    let with_mailbox: Vec<_> = sample::recipients(&spec).filter(has_mailbox).collect();
    office.withdraw(&with_mailbox[0], Timestamp::UNIX_EPOCH);
    office.upload(&spec);
    office.run().await;
    assert_eq!(office.questions(), 1);
    assert!(office.stub.counts().recipients_asked < u64::from(LETTERS));
    let position = with_mailbox[0].position as usize;
    let messages = office.messages();
    assert_eq!(
        messages[position - 1].reason,
        Some(Reason::ConsentWithdrawn)
    );
    assert_eq!(office.of_batch().delivered, with_mailbox.len() as u64 - 1);
    let is_told = |row: &MessageRow| row.asked.is_some();
    assert!(messages.iter().all(is_told));
    office.assert_each_went_once();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_withdraws_while_a_message_waits_in_the_queue_gets_paper_and_one_call_asks_about_all() {
    let office = Office::new(FOLDER).await;
    let spec = spec(1.0);
    let with_mailbox: Vec<_> = sample::recipients(&spec).filter(has_mailbox).collect();
    office.stub.trouble(Trouble::status(503).on(UPLOAD));
    office.upload(&spec);
    office.run().await;
    assert_eq!((office.questions(), office.of_batch().delivered), (1, 0));
    let asked_before = office.stub.counts().recipients_asked;
    let last = with_mailbox.last().unwrap();
    office.withdraw(last, Timestamp::now());
    office.stub.end_troubles();
    // What the service said when the batch was routed is too old to be believed by now.
    office.run_after(SignedDuration::from_hours(2)).await;
    assert_eq!(office.questions(), 2);
    let others = with_mailbox.len() as u64 - 1;
    assert_eq!(office.stub.counts().recipients_asked - asked_before, others);
    assert_eq!(office.of_batch().delivered, others);
    assert_eq!(office.stub.accepted().len() as u64, others);
    let messages = office.messages();
    let printed = &messages[last.position as usize - 1];
    assert_eq!(printed.state, MessageState::HandedOver);
    assert_eq!(printed.reason, Some(Reason::ConsentWithdrawn));
    let events = office.store().events(BatchId(1)).unwrap();
    let told = |what: &str| events.iter().any(|event| event.what == what);
    assert!(told("consent changed: routed again"));
    assert!(!told("no mailbox in use: routed again"));
    office.assert_each_went_once();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_has_is_not_printed_although_it_takes_its_files_no_more() {
    let office = Office::new(FOLDER).await;
    let lost = Trouble::new(Misdeed::Cut).on(SEND).after_effect();
    office.stub.trouble(lost);
    office.upload(&spec(1.0));
    office.run().await;
    let taken = office.stub.accepted().len() as u64;
    assert!(taken > 0 && office.of_batch().delivered == 0, "{taken}");
    // A day later the files are to be uploaded again, and are too large by now.
    office.stub.end_troubles();
    office.stub.trouble(Trouble::status(413).on(UPLOAD));
    office.run_after(SignedDuration::from_hours(25)).await;
    assert_eq!(office.of_batch().delivered, taken);
    assert_eq!(office.stub.accepted().len() as u64, taken);
    office.assert_each_went_once();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_silent_service_costs_one_question_each_time_and_is_written_once() {
    let office = Office::new(FOLDER).await;
    office.stub.trouble(Trouble::status(503).on(QUESTION));
    office.upload(&spec(1.0));
    office.run().await;
    assert_eq!(office.questions(), 1);
    let first = office.messages();
    for waiting in &first {
        assert_eq!(waiting.state, MessageState::Waiting);
        let status = waiting.asked.map(|asked| asked.status);
        assert_eq!(status, Some(MailboxStatus::Unknown));
    }
    let queue = office.store().queues(Timestamp::now()).unwrap().remove(0);
    assert!(queue.state.failing_since.is_some(), "operators see why");

    office.run_after(SignedDuration::from_hours(1)).await;
    assert_eq!(office.questions(), 2);
    let again = office.messages();
    let decided = |rows: &[MessageRow]| rows.iter().map(|row| row.decided_at).collect::<Vec<_>>();
    assert_eq!(decided(&again), decided(&first));
    let batch = office.store().batch(BatchId(1)).unwrap();
    assert_eq!(batch.state, BatchState::Reported);
    assert!(batch.due_at.is_some());

    office.stub.end_troubles();
    office.run_after(SignedDuration::from_hours(2)).await;
    assert_eq!(office.questions(), 3);
    let queue = office.store().queues(Timestamp::now()).unwrap().remove(0);
    assert_eq!(queue.state.failing_since, None);
    office.assert_each_went_once();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_longer_than_the_senders_patience_gets_paper() {
    let office = Office::new(FOLDER).await;
    office.stub.trouble(Trouble::status(503).on(QUESTION));
    office.upload(&spec(1.0));
    office.run().await;
    office.run_after(SignedDuration::from_hours(25)).await;
    assert_eq!(office.of_batch().printed, u64::from(LETTERS));
    office.assert_each_went_once();
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_that_suomifi_prints_make_no_bundle_and_nobody_is_asked_before() {
    let office = Office::new(SERVICE).await;
    office.upload(&spec(0.5));
    office.run().await;
    assert_eq!(office.questions(), 0);
    assert_eq!(office.stub.accepted().len(), LETTERS as usize);
    assert_eq!(office.store().bundles(None, 1).unwrap().len(), 0);
    for row in office.messages() {
        assert_eq!(row.state, MessageState::HandedOver);
        let has_id = matches!(row.message.recipient.id, StatedRecipient::Valid(_));
        let expected = if has_id {
            Reason::ServiceChooses
        } else {
            Reason::NoRecipientId
        };
        assert_eq!(row.reason, Some(expected));
    }
    let printed = office.stub.accepted();
    let on_paper = printed.iter().filter(|it| it.route == Route::Paper).count();
    assert!(on_paper > 0 && on_paper < LETTERS as usize, "{on_paper}");
    office.assert_each_went_once();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_may_not_choose_is_asked_and_prints_the_others() {
    let office = Office::new(&format!("{SERVICE}\nlet_service_choose = false")).await;
    let spec = spec(1.0);
    let with_mailbox = sample::recipients(&spec).filter(has_mailbox).count() as u64;
    office.upload(&spec);
    office.run().await;
    assert_eq!(office.questions(), 1);
    assert_eq!(office.of_batch().delivered, with_mailbox);
    office.assert_each_went_once();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_reads_is_printed_by_suomifi_under_an_id_of_its_own() {
    let office = Office::new(&format!("{SERVICE}\nlet_service_choose = false")).await;
    office.upload(&spec(1.0));
    office.run().await;
    let (delivered, sent) = (office.of_batch().delivered, office.stub.accepted().len());
    assert!(delivered > 0);
    let database = rusqlite::Connection::open(office.path("data/kuori.sqlite")).unwrap();
    let begin = "INSERT INTO timers (batch, position, what, mailbox, begun_at, due_at, look_at)
         SELECT batch, position, 'unread', 'letters', 0, 0, 0 FROM messages
          WHERE state = 'delivered'";
    database.execute(begin, []).unwrap();
    let over = |row: &MessageRow| FiredTimer {
        position: row.id.position,
        what: MessageEvent::Unread,
        end: TimerEnd::Print { registered: false },
    };
    // Those that have none are left alone.
    let over: Vec<_> = office.messages().iter().map(over).collect();
    let fired = office
        .store()
        .fire_timers(BatchId(1), &over, Timestamp::now());
    assert_eq!(fired.unwrap().printed, delivered);
    office.run_after(SignedDuration::from_hours(1)).await;
    let counts = office.of_batch();
    assert_eq!((counts.also_printed, counts.also_to_print), (delivered, 0));
    let taken = office.stub.accepted();
    assert_eq!((taken.len() - sent) as u64, delivered);
    for paper in &taken[sent..] {
        assert_eq!(paper.route, Route::Paper);
        let ending = paper.external_id.rsplit('.').next();
        assert_eq!(ending, Some("post"), "{}", paper.external_id);
    }
    office.assert_each_went_once();
}
