//! What is told, to whom, how often, and what becomes of what cannot be told.

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use jiff::SignedDuration;
use kuori::{
    domain::{EmailAddress, Language, RecipientId},
    notices::{Mailer, Settings, Tls},
    pipeline::{Clock, Notifier},
    sample::{self, Spec},
};
use tokio::sync::watch;

use super::server::{Does, Rules, Server};
use crate::hub::{Hub, now, sample_bytes};

pub(super) fn settings(server: &Server) -> Settings {
    let mut settings = Settings::new("127.0.0.1", "no-reply@example.fi".parse().unwrap());
    settings.port = server.port();
    settings.tls = Tls::None;
    settings.pacing.rate_per_sec = 1_000.0;
    settings.pacing.answer_time = Duration::from_secs(30);
    settings
}

/// A house that tells its recipients, and who does it.
struct Telling {
    hub: Hub,
    server: Server,
    settings: Settings,
    spec: Spec,
}

impl Telling {
    /// Letters to people with a mailbox, who all want to be told.
    fn new(letters: u32, rules: Rules) -> Self {
        Self::with(letters, rules, |_| {})
    }

    fn with(letters: u32, rules: Rules, change: impl FnOnce(&mut Settings)) -> Self {
        let server = Server::start(rules);
        let mut settings = settings(&server);
        change(&mut settings);
        let telling = Self {
            hub: Hub::with_house(|house| house.sends_notices = true),
            server,
            settings,
            spec: everybody(letters),
        };
        telling.hub.consent(&telling.spec);
        for (index, recipient) in people(&telling.spec).iter().enumerate() {
            telling.tell_at(recipient, Some(&address(index)));
        }
        telling
    }

    fn tell_at(&self, recipient: &RecipientId, address: Option<&EmailAddress>) {
        let language = Some(Language::English);
        let store = &self.hub.store;
        store
            .set_notice_address(recipient, address, language, now())
            .unwrap();
    }

    async fn deliver(&self) {
        self.hub
            .process("batch.zip", &sample_bytes(&self.spec))
            .await;
    }

    /// One that starts, tells what it can tell now, and stops.
    async fn tell(&self) {
        let time = self.hub.time();
        let names = BTreeMap::from([("example-city".parse().unwrap(), "Example City".to_owned())]);
        let notifier = Notifier::new(
            Arc::clone(&self.hub.store),
            Mailer::new(self.settings.clone()),
            names,
            Clock::new(move || time),
        );
        let (_go_on, stop) = watch::channel(false);
        Arc::new(notifier).run_until_idle(&stop).await.unwrap();
    }

    /// To whom, sorted.
    fn told(&self) -> Vec<String> {
        let mut told: Vec<_> = self
            .server
            .taken()
            .into_iter()
            .map(|mail| mail.to)
            .collect();
        told.sort();
        told
    }

    /// Why notices failed of which the sender hears the next morning.
    fn failures(&self) -> Vec<String> {
        let file = self.hub.path().join("data/kuori.sqlite");
        let database = rusqlite::Connection::open(file).unwrap();
        let sql =
            "SELECT reason FROM message_events WHERE what = 'notice-failed' ORDER BY position";
        let mut query = database.prepare(sql).unwrap();
        let reasons = query.query_map([], |row| row.get(0)).unwrap();
        reasons.collect::<Result<_, _>>().unwrap()
    }
}

/// Letters of which each has a recipient with an identity code and a mailbox.
pub(super) fn everybody(letters: u32) -> Spec {
    let spec = |seed| Spec {
        letters,
        seed,
        digital_share: 1.0,
        ..Spec::default()
    };
    let specs = (1..).map(spec);
    let mut whole = specs.filter(|spec| people(spec).len() == letters as usize);
    whole.next().unwrap()
}

pub(super) fn people(spec: &Spec) -> Vec<RecipientId> {
    let ids = sample::recipients(spec).filter_map(|recipient| recipient.id);
    ids.map(RecipientId::Person).collect()
}

pub(super) fn address(index: usize) -> EmailAddress {
    format!("person-{index:03}@example.org").parse().unwrap()
}

pub(super) fn all(letters: usize) -> Vec<String> {
    (0..letters)
        .map(|it| address(it).expose().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_recipient_is_told_once_and_nothing_confidential() {
    let telling = Telling::new(25, Rules::default());
    telling.deliver().await;
    assert_eq!(telling.hub.counts().delivered, 25);
    telling.tell().await;
    telling.tell().await;
    assert_eq!(telling.told(), all(25));
    let mut ids: Vec<_> = Vec::new();
    for mail in telling.server.taken() {
        assert_eq!(mail.header("Subject:"), "A new message from Example City");
        assert_eq!(mail.header("To:"), format!("<{}>", mail.to));
        assert_eq!(
            mail.header("From:"),
            "\"Example City\" <no-reply@example.fi>"
        );
        assert_eq!(mail.header("Auto-Submitted:"), "auto-generated");
        ids.push(mail.header("Message-ID:"));
        for person in people(&telling.spec) {
            assert!(!mail.text.contains(person.expose()));
        }
        assert!(!mail.text.contains("A letter for you"), "{}", mail.text);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 25);
    assert_eq!(telling.failures(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_notice_and_who_gets_paper_is_told_nothing() {
    let telling = Telling::new(6, Rules::default());
    let people = people(&telling.spec);
    telling.tell_at(&people[2], None);
    telling.hub.withdraw_consents(&Spec {
        letters: 1,
        ..telling.spec.clone()
    });
    telling.deliver().await;
    telling.tell().await;
    let mut told = all(6);
    told.remove(2);
    told.remove(0);
    assert_eq!(telling.told(), told);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_refused_is_told_to_the_sender_and_not_tried_again() {
    let rules = Rules::that(|to, _| match to {
        "person-001@example.org" => Does::Says("550 5.1.1 <person-001@example.org> unknown"),
        "person-003@example.org" => Does::SaysToText("552 5.2.2 person-003 has no room"),
        _ => Does::Takes,
    });
    let telling = Telling::new(5, rules);
    telling.deliver().await;
    telling.tell().await;
    telling.hub.pass(SignedDuration::from_hours(100));
    telling.tell().await;
    let failed = telling.failures().join("\n");
    assert!(
        failed.contains("the mail server refuses the address (550 5.1.1)"),
        "{failed}"
    );
    assert!(
        failed.contains("the mail server refuses the notice (552 5.2.2)"),
        "{failed}"
    );
    assert_eq!(failed.lines().count(), 2);
    assert!(!failed.contains("person-"), "{failed}");
    telling.hub.run_steps().await;
    let report = telling.hub.receipt(".delivery-2");
    assert_eq!(report.matches("\"notice-failed\"").count(), 2, "{report}");
    assert!(
        report.contains("refuses the address (550 5.1.1)"),
        "{report}"
    );
    assert!(!report.contains("person-"), "{report}");
    assert_eq!(telling.told().len(), 3);
    assert_eq!(telling.server.tries("person-001@example.org"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_put_off_goes_later_and_the_others_do_not_wait_for_it() {
    let rules = Rules::that(|to, tries| match (to, tries) {
        ("person-000@example.org", 1 | 2) => Does::Says("451 4.7.1 grey for now"),
        _ => Does::Takes,
    });
    let telling = Telling::new(3, rules);
    telling.deliver().await;
    telling.tell().await;
    assert_eq!(telling.told(), all(3)[1..]);
    telling.tell().await;
    assert_eq!(
        telling.server.tries("person-000@example.org"),
        1,
        "too early"
    );
    for _ in 0..2 {
        telling.hub.pass(SignedDuration::from_mins(10));
        telling.tell().await;
    }
    assert_eq!(telling.told(), all(3));
    assert_eq!(telling.failures(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_put_off_for_days_has_failed() {
    let telling = Telling::new(1, Rules::that(|_, _| Does::Says("450 4.2.1 busy")));
    telling.deliver().await;
    for _ in 0..71 {
        telling.tell().await;
        telling.hub.pass(SignedDuration::from_hours(1));
    }
    assert_eq!(telling.failures(), [""; 0]);
    telling.hub.pass(SignedDuration::from_hours(1));
    telling.tell().await;
    let failed = telling.failures().join("\n");
    assert!(
        failed.contains("puts the notice off (450 4.2.1)"),
        "{failed}"
    );
    let tries = telling.server.tries("person-000@example.org");
    telling.hub.pass(SignedDuration::from_hours(10));
    telling.tell().await;
    assert_eq!(telling.server.tries("person-000@example.org"), tries);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slip_in_the_settings_fails_no_notice_and_operators_see_it() {
    let telling = Telling::new(
        2,
        Rules::that(|_, _| Does::Says("554 5.7.1 Relay access denied")),
    );
    telling.deliver().await;
    telling.tell().await;
    assert_eq!(telling.failures(), [""; 0]);
    let seen = telling.hub.store.status(now()).unwrap().notices;
    assert_eq!((seen.waiting.count, seen.failed), (2, 0));
    let error = seen.server.error.unwrap();
    assert!(error.contains("554 5.7.1"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_mail_server_is_away_all_wait_and_then_all_go_once() {
    let mut telling = Telling::new(10, Rules::default());
    telling.deliver().await;
    let port = telling.server.port();
    // Nobody listens at its port any more.
    telling.server = Server::start(Rules::default());
    for _ in 0..3 {
        telling.tell().await;
        telling.hub.pass(SignedDuration::from_hours(30));
    }
    let seen = telling.hub.store.status(now()).unwrap().notices;
    assert_eq!(seen.waiting.count, 10);
    assert_eq!(
        (seen.server.attempts, seen.server.failing_since),
        (3, Some(now()))
    );
    assert!(seen.server.error.unwrap().contains("cannot reach"));
    telling.server = Server::start_at(port, Rules::default());
    telling.tell().await;
    assert_eq!(telling.told(), all(10));
    let seen = telling.hub.store.status(now()).unwrap().notices;
    assert_eq!((seen.waiting.count, seen.server.failing_since), (0, None));
    assert_eq!(telling.failures(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_says_no_to_us_is_left_alone() {
    let rules = Rules {
        to_mail: Some("451 4.3.0 no disk"),
        ..Rules::default()
    };
    let telling = Telling::new(30, rules);
    telling.deliver().await;
    telling.tell().await;
    assert!(
        telling.server.connections() <= 2,
        "a connection for each notice"
    );
    let server = telling.hub.store.notice_server().unwrap();
    assert!(server.retry_at.unwrap() > now());
    assert!(server.error.unwrap().contains("451 4.3.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_may_have_been_taken_goes_again_with_the_same_id() {
    let rules = Rules::that(|to, tries| match (to, tries) {
        ("person-001@example.org", 1) => Does::TakesAndBreaksOff,
        ("person-002@example.org", 1) => Does::BreaksOff,
        _ => Does::Takes,
    });
    let telling = Telling::new(4, rules);
    telling.deliver().await;
    for _ in 0..4 {
        telling.tell().await;
        telling.hub.pass(SignedDuration::from_hours(2));
    }
    let mut told = all(4);
    told.insert(1, told[1].clone());
    assert_eq!(telling.told(), told);
    let taken = telling.server.taken();
    let twice: Vec<_> = taken
        .iter()
        .filter(|mail| mail.to.contains("001"))
        .collect();
    assert_eq!(twice[0].text, twice[1].text, "the same mail to the byte");
    assert_eq!(telling.failures(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_always_breaks_the_line_holds_up_nobody_for_good() {
    let rules = Rules::that(|to, _| match to {
        "person-000@example.org" => Does::BreaksOff,
        _ => Does::Takes,
    });
    let telling = Telling::new(5, rules);
    telling.deliver().await;
    for _ in 0..3 {
        telling.tell().await;
        telling.hub.pass(SignedDuration::from_hours(2));
    }
    assert_eq!(telling.told(), all(5)[1..]);
    telling.hub.pass(SignedDuration::from_hours(72));
    telling.tell().await;
    assert_eq!(telling.failures().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_server_has_had_enough_of_is_made_anew() {
    let rules = Rules {
        mails_per_connection: 3,
        ..Rules::default()
    };
    let telling = Telling::with(20, rules, |settings| settings.pacing.connections = 1);
    telling.deliver().await;
    telling.tell().await;
    assert_eq!(telling.told(), all(20));
    assert_eq!(telling.server.connections(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_does_not_answer_is_given_up_in_time() {
    let slow = Does::TakesSlowly(Duration::from_mins(10));
    let rules = Rules::that(move |to, tries| match (to, tries) {
        ("person-000@example.org", 1) => slow,
        _ => Does::Takes,
    });
    let telling = Telling::with(2, rules, |settings| {
        settings.pacing.taken_time = Duration::from_millis(200);
        settings.pacing.connections = 1;
    });
    telling.deliver().await;
    for _ in 0..2 {
        telling.tell().await;
        telling.hub.pass(SignedDuration::from_hours(2));
    }
    let mut told = telling.told();
    told.dedup();
    assert_eq!(told, all(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_rate_nor_the_connections_of_the_settings_are_exceeded() {
    let telling = Telling::with(15, Rules::default(), |settings| {
        settings.pacing.rate_per_sec = 20.0;
        settings.pacing.connections = 3;
    });
    telling.deliver().await;
    telling.tell().await;
    assert_eq!(telling.told(), all(15));
    let times: Vec<_> = telling.server.taken().iter().map(|mail| mail.at).collect();
    let took = *times.iter().max().unwrap() - *times.iter().min().unwrap();
    // What comes late may be nearer to the next one; all of them take as long as they must.
    assert!(took >= Duration::from_millis(500), "{took:?}");
    assert!(telling.server.most_open() <= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_of_a_test_batch_are_told_nothing() {
    let mut telling = Telling::new(5, Rules::default());
    telling.spec.is_test = true;
    telling.deliver().await;
    telling.tell().await;
    assert_eq!(telling.server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_read_is_reminded_once() {
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    let telling = Telling::with(2, Rules::default(), |settings| {
        settings.remind_after = Some(days(3));
    });
    telling.deliver().await;
    telling.tell().await;
    telling.hub.pass(days(3));
    telling.tell().await;
    telling.hub.pass(days(30));
    telling.tell().await;
    let taken = telling.server.taken();
    assert_eq!(taken.len(), 4);
    for reminder in &taken[2..] {
        assert_eq!(
            reminder.header("Subject:"),
            "An unread message from Example City"
        );
        assert!(
            reminder
                .header("Message-ID:")
                .starts_with("<reminder.B-0001-")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_later_is_told_to_the_sender_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("new")).unwrap();
    let telling = Telling::with(2, Rules::default(), |settings| {
        settings.bounces_folder = Some(folder.path().to_owned());
    });
    telling.deliver().await;
    telling.tell().await;
    let id = telling.server.taken()[0].header("Message-ID:");
    let report = |id: &str| {
        format!(
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\
             Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; x@example.org\r\n\
             Action: failed\r\nStatus: 5.4.4\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
             Message-ID: {id}\r\n\r\nhello\r\n--b--\r\n"
        )
    };
    // The same number, of a batch that was never here.
    let of_another = id.split('-').take(3).collect::<Vec<_>>().join("-") + "-00000000@example.fi>";
    for (name, id) in [("1.a", &id), ("2.a", &id), ("3.a", &of_another)] {
        fs::write(folder.path().join("new").join(name), report(id)).unwrap();
    }
    telling.tell().await;
    let failed = telling.failures();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(
        failed[0].contains("the notice came back (5.4.4)"),
        "{failed:?}"
    );
    assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 0);
    telling.hub.run_steps().await;
}
